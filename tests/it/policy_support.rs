//! Changes with their facts, built by hand, and verdicts as text.

use std::collections::BTreeSet;

use cargo_canary::diff::{Change, ChangeKind, FeatureDelta};
use cargo_canary::facts::{
    AdvisoryDelta, AdvisoryFact, Dossier, FactKind, Finding, Gap, GapReason, History,
    LaterReleases, Pace, Published, YankCluster, Yanked,
};
use cargo_canary::incidents::{Direction, Link, Strength};
use cargo_canary::pkg::{Release, Source};
use cargo_canary::policy::{Policy, Subject, Verdict, decide, load};
use cargo_canary::risk::{Assessment, Evidence, Level};
use cargo_canary::snapshot::{PackageManifest, Placement, Role};
use jiff::civil::Date;

/// The day on which everything is judged.
pub(crate) const TODAY: &str = "2026-11-21";

/// One change with everything that is known about it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) change: Change,
    pub(crate) dossier: Dossier,
    pub(crate) links: Vec<Link>,
    pub(crate) assessment: Assessment,
}

impl Case {
    /// An ordinary update of a package that is compiled into the target: a
    /// month old, nothing withdrawn, no advisory, no incident.
    pub(crate) fn routine(name: &str) -> Self {
        let placement = Placement {
            direct: true,
            roles: BTreeSet::from([Role::Target]),
            targets: BTreeSet::from(["x86_64-unknown-linux-gnu".to_owned()]),
            members: BTreeSet::from(["api".to_owned()]).into(),
            resolved: true,
            ..Placement::default()
        };
        Self {
            change: Change {
                id: name.to_owned(),
                package: name.to_owned(),
                kind: ChangeKind::Upgraded,
                from: vec![release("1.0.0")],
                to: vec![release("1.0.1")],
                placement: placement.clone(),
                placement_before: Some(placement),
                features: FeatureDelta::default(),
                forced_by: None,
                forces: Vec::new(),
                paths: Vec::new(),
                workspaces: vec![".".to_owned()],
                dependencies_gained: Vec::new(),
                dependencies_lost: Vec::new(),
                manifest_before: Some(PackageManifest::default()),
                manifest_after: Some(PackageManifest::default()),
                lock_line: None,
            },
            dossier: Dossier {
                published: published(30.0),
                previous_published: published(200.0),
                yanked: Finding::Seen(Yanked {
                    incoming: false,
                    outgoing: false,
                }),
                later: Finding::Seen(LaterReleases::default()),
                yank_cluster: Finding::Seen(YankCluster {
                    withdrawn: Vec::new(),
                    predecessors: 1,
                    only_one_left: false,
                }),
                history: Finding::Seen(History {
                    prior_releases: 40,
                    crate_age_days: 2_000.0,
                    gap_before_days: Some(20.0),
                    releases_90d: 4,
                    versions_skipped: 0,
                    pace: Pace::default(),
                }),
                advisories: Finding::Seen(AdvisoryDelta::default()),
                source: Finding::Absent("no archive was compared".to_owned()),
                outcomes: Finding::Absent("no ledger is named".to_owned()),
                publisher: Finding::Absent("not asked for".to_owned()),
                declared: Finding::Absent("not asked".to_owned()),
                advisories_on_record: 0,
                look_alike: None,
                other_gaps: Vec::new(),
            },
            links: Vec::new(),
            assessment: Assessment {
                likelihood: 0.01,
                faults: Vec::new(),
                exposure: 1.0,
                score: 5,
                level: Level::Low,
                signals: Vec::new(),
                evidence: Evidence::default(),
            },
        }
    }

    pub(crate) fn with(mut self, edit: impl FnOnce(&mut Self)) -> Self {
        edit(&mut self);
        self
    }

    pub(crate) fn aged(self, days: f64) -> Self {
        self.with(|case| case.dossier.published = published(days))
    }

    pub(crate) fn kind(self, kind: ChangeKind) -> Self {
        self.with(|case| case.change.kind = kind)
    }

    pub(crate) fn role(self, role: Role) -> Self {
        self.with(|case| case.change.placement.roles = BTreeSet::from([role]))
    }

    pub(crate) fn score(self, score: u8) -> Self {
        self.with(|case| case.assessment.score = score)
    }

    pub(crate) fn introducing(self, informational: Option<&str>) -> Self {
        self.with(|case| {
            case.dossier.advisories = Finding::Seen(AdvisoryDelta {
                introduced: vec![advisory(informational)],
                ..AdvisoryDelta::default()
            });
        })
    }

    pub(crate) fn fixing(self) -> Self {
        self.with(|case| {
            case.dossier.advisories = Finding::Seen(AdvisoryDelta {
                fixed: vec![advisory(None)],
                ..AdvisoryDelta::default()
            });
        })
    }

    pub(crate) fn linked(self, strength: Strength, direction: Direction) -> Self {
        self.with(|case| {
            case.links.push(Link {
                id: "2024-06-14-json-library-leak".to_owned(),
                strength,
                direction,
                package: case.change.package.clone(),
                because: "same component: json".to_owned(),
            });
        })
    }

    /// Every fact of a registry is missing for the same reason.
    pub(crate) fn without_registry(self, reason: GapReason) -> Self {
        self.with(|case| {
            case.dossier.published = Finding::Unknown(gap(FactKind::PublishTime, reason));
            case.dossier.previous_published = Finding::Unknown(gap(FactKind::PublishTime, reason));
            case.dossier.yanked = Finding::Unknown(gap(FactKind::Yanked, reason));
            case.dossier.later = Finding::Unknown(gap(FactKind::LaterReleases, reason));
            case.dossier.yank_cluster = Finding::Unknown(gap(FactKind::YankCluster, reason));
            case.dossier.history = Finding::Unknown(gap(FactKind::History, reason));
        })
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            change: &self.change,
            dossier: &self.dossier,
            links: &self.links,
            assessment: &self.assessment,
        }
    }
}

pub(crate) fn release(version: &str) -> Release {
    Release {
        version: version.parse().unwrap(),
        source: Source::CratesIo,
        checksum: Some("00".repeat(32)),
    }
}

pub(crate) fn published(age_days: f64) -> Finding<Published> {
    let now: jiff::Timestamp = format!("{TODAY}T00:00:00Z").parse().unwrap();
    let age = jiff::SignedDuration::from_secs_f64(age_days * 86_400.0);
    Finding::Seen(Published {
        at: now - age,
        age_days,
    })
}

pub(crate) fn gap(fact: FactKind, reason: GapReason) -> Gap {
    Gap {
        fact,
        reason,
        detail: "no cached index entry".to_owned(),
    }
}

pub(crate) fn advisory(informational: Option<&str>) -> AdvisoryFact {
    AdvisoryFact {
        id: "RUSTSEC-2026-0001".to_owned(),
        aliases: Vec::new(),
        package: "serde".to_owned(),
        version: "1.0.1".parse().unwrap(),
        date: "2026-10-01".parse().unwrap(),
        informational: informational.map(str::to_owned),
        categories: Vec::new(),
        severity: None,
        patched: Vec::new(),
    }
}

pub(crate) fn nowhere(name: &str, _: &str) -> Result<(String, String), String> {
    Err(format!("there is no file `{name}`"))
}

/// A policy of these lines alone, extending nothing.
pub(crate) fn policy(lines: &str) -> Policy {
    let text = format!("version = 1\nextends = \"none\"\n{lines}");
    match load(&text, "canary.toml", &nowhere) {
        Ok(policy) => policy,
        Err(error) => panic!("{error}\n{text}"),
    }
}

/// A policy of one rule that blocks.
pub(crate) fn blocking(when: &str) -> Policy {
    policy(&format!(
        "[[rule]]\nid = \"x\"\nwhen = '''{when}'''\nthen = \"block\"\nreason = \"because\"\n"
    ))
}

pub(crate) fn judge(policy: &Policy, cases: &[Case]) -> Verdict {
    judge_on(policy, cases, TODAY)
}

pub(crate) fn judge_on(policy: &Policy, cases: &[Case], day: &str) -> Verdict {
    let subjects: Vec<Subject<'_>> = cases.iter().map(Case::subject).collect();
    let day: Date = day.parse().unwrap();
    decide(policy, &subjects, None, day)
}

/// A verdict as lines: the decision, the reasons, the notices.
pub(crate) fn lines(verdict: &Verdict) -> String {
    let mut lines = vec![verdict.decision.as_str().to_owned()];
    for reason in &verdict.reasons {
        lines.push(format!(
            "{} {} {}: {}",
            reason.decision.as_str(),
            reason.change.as_deref().unwrap_or("*"),
            reason.rule,
            reason.because
        ));
        lines.extend(
            reason
                .way_out
                .iter()
                .map(|way_out| format!("  -> {way_out}")),
        );
    }
    for notice in &verdict.notices {
        lines.push(format!(
            "note {} {}: {}",
            notice.change.as_deref().unwrap_or("*"),
            notice.rule,
            notice.text
        ));
    }
    lines.join("\n")
}

/// Checks a verdict as lines.
#[track_caller]
pub(crate) fn expect(policy: &Policy, cases: &[Case], expected: &str) {
    assert_eq!(lines(&judge(policy, cases)), expected);
}
