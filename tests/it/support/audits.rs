//! Finished audits made by hand, with a text of the test's choice wherever
//! text can come from outside.

use cargo_canary::audit::{
    Audit, Comparison, Coverage, DataStatus, EvidenceFound, JudgedChange, PolicyOrigin,
    PreExisting, Side, WithdrawnPackage,
};
use cargo_canary::diff::{Change, ChangeKind, FeatureDelta, ForcedBy, GraphDiff};
use cargo_canary::evidence::{Accepted, Outcome, Record, Refusal, Refused};
use cargo_canary::facts::{
    AdvisoryDelta, AdvisoryFact, ChangelogSection, Dossier, FactKind, Finding, Gap, GapReason,
    History, LaterRelease, LaterReleases, LookAlike, Pace, Published, Publisher, PublisherDelta,
    Severity, SourceDelta, YankCluster, Yanked,
};
use cargo_canary::host::Work;
use cargo_canary::incidents::{Direction, Link, Strength};
use cargo_canary::pkg::{PackageId, Release, Source};
use cargo_canary::policy::{
    Decision, Discharged, EvidenceKind, LedgerTerms, Notice, Reason, Verdict,
};
use cargo_canary::risk::{Assessment, Evidence, Fault, Level, Signal};
use cargo_canary::snapshot::{GraphKind, Input, InputKind, NotCovered, Placement, Role};

fn gap(fact: FactKind, text: &str) -> Gap {
    Gap {
        fact,
        reason: GapReason::FetchFailed,
        detail: format!("gap {text}"),
    }
}

fn side(text: &str) -> Side {
    Side {
        input: Input {
            given: format!("given {text}"),
            kind: InputKind::Git,
            commit: Some("0123456789abcdef".to_owned()),
            digest: format!("sha256:{}", "0".repeat(64)),
        },
        packages: 7,
    }
}

fn advisory(text: &str) -> AdvisoryFact {
    AdvisoryFact {
        id: format!("RUSTSEC-{text}"),
        aliases: vec![format!("CVE-{text}")],
        package: format!("p-{text}"),
        version: "1.0.0".parse().unwrap(),
        date: "2024-01-02".parse().unwrap(),
        informational: None,
        categories: vec![format!("category {text}")],
        severity: Some(Severity::High),
        patched: vec![format!(">=1.0.1 {text}")],
    }
}

fn kind(at: usize) -> ChangeKind {
    [
        ChangeKind::Upgraded,
        ChangeKind::Upgraded,
        ChangeKind::Added,
        ChangeKind::Downgraded,
        ChangeKind::Removed,
        ChangeKind::SourceMoved,
    ][at % 6]
}

fn decision(at: usize) -> Decision {
    [
        Decision::Pass,
        Decision::Canary,
        Decision::Pass,
        Decision::Block,
        Decision::Incomplete,
    ][at % 5]
}

fn release(version: &str, text: &str) -> Release {
    Release {
        version: version.parse().unwrap(),
        source: Source::Registry {
            url: format!("registry+https://host.example/{text}"),
        },
        checksum: Some("a".repeat(64)),
    }
}

fn change(at: usize, text: &str) -> Change {
    let id = |at: usize| format!("{at:04}-{text}");
    let kind = kind(at);
    let old = vec![release("1.0.0", "old")];
    let new = vec![release(&format!("1.0.{}", at + 1), text)];
    let (from, to) = match kind {
        ChangeKind::Added => (Vec::new(), new),
        ChangeKind::Removed => (old, Vec::new()),
        ChangeKind::Downgraded => (new, old),
        ChangeKind::Upgraded
        | ChangeKind::Duplicated
        | ChangeKind::Merged
        | ChangeKind::SourceMoved
        | ChangeKind::ContentChanged
        | ChangeKind::FeaturesChanged
        | ChangeKind::PlacementChanged => (old, new),
    };
    let names = || [format!("name {text}")].into();
    Change {
        id: id(at),
        package: id(at),
        kind,
        from,
        to,
        placement: Placement {
            direct: at.is_multiple_of(2),
            roles: [Role::Target].into(),
            targets: names(),
            members: names().into(),
            resolved: true,
            ..Placement::default()
        },
        placement_before: None,
        features: FeatureDelta {
            target_gained: names(),
            ..FeatureDelta::default()
        },
        forced_by: (at % 3 == 2).then(|| ForcedBy {
            root: id(at - 1),
            chain: vec![id(at - 1)],
            because: format!("{text} requires it"),
        }),
        forces: vec![format!("forces {text}")],
        paths: vec![vec![format!("app {text}"), id(at)]],
        workspaces: vec![".".to_owned()],
        dependencies_gained: vec![format!("gained {text}")],
        dependencies_lost: Vec::new(),
        manifest_before: None,
        manifest_after: None,
        lock_line: Some((format!("dir {text}/Cargo.lock"), 10)),
    }
}

/// Every second change has an archive, and upstream's words in it.
fn source(at: usize, text: &str) -> Finding<SourceDelta> {
    if at % 2 == 1 {
        return Finding::Absent(format!("no archive {text}"));
    }
    Finding::Seen(SourceDelta {
        changelog: vec![ChangelogSection {
            version: "1.0.1".parse().unwrap(),
            file: format!("CHANGELOG.md {text}"),
            // One item, whatever the text is.
            text: format!("- notes {}", text.replace(['\r', '\n'], " ")),
        }],
        not_read: vec![format!("left {text}")],
        ..SourceDelta::default()
    })
}

fn judged(at: usize, text: &str) -> JudgedChange {
    let published = |day: &str| {
        Finding::Seen(Published {
            at: format!("{day}T12:00:00Z").parse().unwrap(),
            age_days: 3.5,
        })
    };
    let score = u8::try_from(at % 101).unwrap();
    JudgedChange {
        change: change(at, text),
        dossier: Dossier {
            published: published("2024-05-01"),
            previous_published: published("2023-01-01"),
            yanked: Finding::Seen(Yanked {
                incoming: false,
                outgoing: true,
            }),
            later: Finding::Seen(LaterReleases {
                releases: vec![LaterRelease {
                    version: "1.9.0".parse().unwrap(),
                    after_days: 1.5,
                    yanked: true,
                }],
            }),
            yank_cluster: Finding::Seen(YankCluster {
                withdrawn: Vec::new(),
                predecessors: 2,
                only_one_left: false,
            }),
            history: if at.is_multiple_of(4) {
                Finding::Unknown(gap(FactKind::History, text))
            } else {
                Finding::Seen(History {
                    prior_releases: 4,
                    crate_age_days: 900.0,
                    gap_before_days: Some(2.0),
                    releases_90d: 1,
                    versions_skipped: 0,
                    pace: Pace::default(),
                })
            },
            advisories: Finding::Seen(AdvisoryDelta {
                introduced: vec![advisory(text)],
                fixed: if at.is_multiple_of(3) {
                    vec![advisory(text)]
                } else {
                    Vec::new()
                },
                remaining: vec![advisory(text)],
            }),
            source: source(at, text),
            outcomes: Finding::Absent("no ledger is named".to_owned()),
            publisher: if at.is_multiple_of(5) {
                Finding::Seen(PublisherDelta {
                    incoming: Publisher::Trusted {
                        provider: format!("forge {text}"),
                        repository: format!("owner/{text}"),
                    },
                    outgoing: Some(Publisher::Account(format!("account {text}"))),
                    earlier: 3,
                    earlier_by_same: 2,
                    owners: vec![format!("owner {text}")],
                })
            } else {
                Finding::Absent("not asked for".to_owned())
            },
            declared: Finding::Absent("not asked".to_owned()),
            advisories_on_record: 0,
            look_alike: at.is_multiple_of(7).then(|| LookAlike {
                of: format!("known {text}"),
                how: "one letter more",
                same_lines: Some(0.5),
            }),
            other_gaps: vec![gap(FactKind::Manifest, text)],
        },
        links: vec![Link {
            id: format!("incident {text}"),
            strength: Strength::Strong,
            direction: Direction::Enters,
            package: format!("p {text}"),
            because: format!("resembles {text}"),
        }],
        assessment: Assessment {
            likelihood: 0.01,
            faults: vec![(Fault::Advisory, 0.001), (Fault::Hotfix, 0.125)],
            exposure: 1.0,
            score,
            level: Level::Moderate,
            signals: vec![Signal {
                id: "fresh-release",
                points: i32::from(score),
                because: format!("because {text}"),
                facts: vec![format!("fact {text}")],
            }],
            evidence: Evidence::default(),
        },
        decision: decision(at),
    }
}

fn record(name: &str, text: &str) -> Record {
    Record {
        name: format!("{name} {text}"),
        kind: Some(EvidenceKind::Probe),
        decision: Some(format!("no-leak {text}")),
        reason: Some(format!("approved {text}")),
        signer: Some(format!("signer {text}")),
        ..Record::default()
    }
}

/// One record that counts, one that does not, one place that was not looked at;
/// the first passing change passes because of the first.
fn evidence(passing: &[String], text: &str) -> EvidenceFound {
    EvidenceFound {
        needed: true,
        min_duration: None,
        signers: Some((format!("signers {text}"), 1)),
        outcome: Outcome {
            accepted: vec![Accepted {
                record: record("good", text),
                rules: vec![format!("met rule {text}")],
                notes: vec![format!("noted {text}")],
            }],
            refused: vec![Refused {
                record: record("bad", text),
                because: Refusal::NoSigners(format!("refused {text}")),
            }],
            gaps: vec![format!("unreadable {text}")],
        },
        discharged: passing
            .iter()
            .take(1)
            .map(|id| Discharged {
                reason: Reason {
                    rule: format!("met rule {text}"),
                    change: Some(id.clone()),
                    decision: Decision::Canary,
                    because: format!("asked for {text}"),
                    way_out: None,
                },
                record: format!("good {text}"),
            })
            .collect(),
    }
}

/// An audit of so many changes.
pub(crate) fn audit(changes: usize, text: &str) -> Audit {
    let changes: Vec<JudgedChange> = (0..changes).map(|at| judged(at, text)).collect();
    let mut reasons: Vec<Reason> = changes
        .iter()
        .filter(|judged| judged.decision > Decision::Pass)
        .map(|judged| Reason {
            rule: format!("rule {text}"),
            change: Some(judged.change.id.clone()),
            decision: judged.decision,
            because: format!("reason {text}"),
            way_out: Some(format!("way out of {} {text}", judged.change.id)),
        })
        .collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.decision));
    let passing = changes
        .iter()
        .filter(|judged| judged.decision == Decision::Pass);
    let passing: Vec<String> = passing.map(|judged| judged.change.id.clone()).collect();
    Audit {
        comparison: Comparison {
            as_of: "2024-06-01T00:00:00Z".parse().unwrap(),
            base: side(text),
            head: side(text),
            diff: GraphDiff {
                changes: changes.iter().map(|judged| judged.change.clone()).collect(),
                digest: format!("sha256:{}", "1".repeat(64)),
                asked_for: [].into(),
                attribution_notes: vec![format!("note {text}")],
            },
            coverage: Coverage {
                workspaces: vec![".".to_owned()],
                not_covered: vec![NotCovered {
                    path: format!("left/{text}"),
                    reason: format!("left out {text}"),
                }],
                graph: GraphKind::Direct,
            },
            gaps: vec![(None, gap(FactKind::Features, text))],
        },
        verdict: Verdict {
            decision: reasons
                .first()
                .map_or(Decision::Pass, |reason| reason.decision),
            reasons,
            notices: vec![Notice {
                rule: format!("notice {text}"),
                change: None,
                text: format!("noticed {text}"),
            }],
            by_change: changes.iter().map(|judged| judged.decision).collect(),
            exempted: Vec::new(),
        },
        changes,
        pre_existing: PreExisting {
            advisories: vec![advisory(text)],
            yanked: vec![WithdrawnPackage {
                id: PackageId {
                    name: format!("old {text}"),
                    version: "0.1.0".parse().unwrap(),
                    source: Source::CratesIo,
                },
            }],
            yanked_looked_at: true,
        },
        evidence: evidence(&passing, text),
        policy: PolicyOrigin {
            name: format!("policy {text}"),
            read_from: format!("read {text}"),
            edited_by_change: true,
            ledger: LedgerTerms::default(),
        },
        data: DataStatus {
            advisories_from: format!("from {text}"),
            advisories_of: "2024-05-30".parse().unwrap(),
            advisories: 9,
            index_of: None,
        },
        work: Work::default(),
    }
}

/// Text that would do something else than show itself, somewhere.
pub(crate) const HOSTILE: &[&str] = &[
    "<script>document.title='owned'</script>",
    "\"><img src=https://evil.example/x onerror=document.title='owned'>",
    "</style></title></script><svg onload=document.title='owned'>",
    "--><b>x</b><!-- cargo-canary -->",
    "</details></summary></table><h1>x</h1>",
    "[a](https://evil.example) ![p](https://evil.example/p.png) <https://evil.example>",
    "[a]: https://evil.example\n\n[a]",
    "`code` ``two`` ```\nfence\n```\n~~~",
    "` odd",
    "| a | b |\n|---|---|\n| c | d |",
    "@everyone @org/team #1 GH-2 owner/repo#3 me@evil.example",
    "https://evil.example www.evil.example ftp://evil.example javascript:alert(1)",
    "# heading\n- item\n1. one\n> quote\n---\n===",
    "*a* **b** _c_ __d__ ~~e~~ $x$ $$y$$ :smile: \\",
    "\u{1b}[31mred\u{1b}]8;;https://evil.example\u{7}link \u{9b}2J",
    "\u{202e}gnp.exe \u{2066}x\u{2069} \u{200b}zero \u{feff}",
    "a\r\n::error file=x::y\n::stop-commands::t\n##[add-mask]x ::set-output name=a::b",
    "100% %0A::warning::x, a:b, c",
    "{{7*7}} {% include 'x' %} ${7*7} {0} %s",
    "=cmd|' /C calc'!A0 +1 -1 @SUM(A1)",
    "$(touch x); rm -rf / && `id` | sh 'q' \"q\" \\",
    "&lt;b&gt; &#60;script&#62; &amp;",
    "\0nul \u{85}next \u{2028}line \u{2029}par",
    "'; style-src *; script-src * 'unsafe-inline'",
];
