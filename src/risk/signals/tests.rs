//! Each signal on a case and a near miss, and the table of them as a whole.

use super::case::{Case, release};
use super::*;
use crate::diff::{ChangeKind, ForcedBy};
use crate::facts::{
    Extent, Finding, Gap, GapReason, LookAlike, Part, Publisher, PublisherDelta, Shift,
    SourceDelta, SourceFinding, Topic, Witness, YankCluster, Yanked,
};
use crate::incidents::{Direction, Strength};
use crate::pkg::Source;
use crate::risk::Model;
use crate::snapshot::{PackageManifest, Role};

/// A repository.
fn git() -> Source {
    Source::Git {
        url: "https://host.example/a".to_owned(),
        reference: None,
        rev: Some("0123".to_owned()),
    }
}

/// An ordinary upgrade with something changed by hand.
fn upgrade(edit: impl FnOnce(&mut Case)) -> Case {
    Case::upgrade("1.0.0", "1.0.1").with(edit)
}

/// An ordinary update after one other, to which these harms came.
fn earlier(harms: &[&str]) -> Case {
    let at: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let harm = |what: &&str| crate::facts::Harm {
        what: (*what).to_owned(),
        at,
        repository: "shop".to_owned(),
        incident: None,
        entry: "0123456789abcdef".to_owned(),
    };
    let update = crate::facts::EarlierUpdate {
        version: "0.9.0".to_owned(),
        at,
        harms: harms.iter().map(harm).collect(),
    };
    upgrade(|case| {
        case.dossier.outcomes = Finding::Seen(crate::facts::Outcomes {
            asked: "the ledger".to_owned(),
            updates: vec![update],
        });
    })
}

/// An ordinary addition with something changed by hand.
fn added(edit: impl FnOnce(&mut Case)) -> Case {
    Case::added("1.0.1").with(edit)
}

/// A manifest.
fn manifest(build_script: bool, proc_macro: bool, links: Option<&str>) -> Option<PackageManifest> {
    Some(PackageManifest {
        build_script,
        proc_macro,
        links: links.map(str::to_owned),
    })
}

/// Withdrawn predecessors.
fn cluster(withdrawn: &[&str], only_one_left: bool) -> Finding<YankCluster> {
    let withdrawn = withdrawn
        .iter()
        .map(|version| version.parse().unwrap())
        .collect();
    Finding::Seen(YankCluster {
        withdrawn,
        predecessors: 4,
        only_one_left,
    })
}

/// A new package with a name close to another.
fn looks_like(of: &str) -> Case {
    added(|case| {
        case.dossier.look_alike = Some(LookAlike {
            of: of.to_owned(),
            how: "in one letter",
            same_lines: None,
        });
    })
}

/// An upgrade published by one account, after releases of these.
fn published_by(by: &str, before: &[&str]) -> Case {
    upgrade(|case| {
        case.dossier.publisher = Finding::Seen(PublisherDelta {
            incoming: Publisher::Account(by.to_owned()),
            outgoing: before
                .last()
                .map(|last| Publisher::Account((*last).to_owned())),
            earlier: before.len(),
            earlier_by_same: before.iter().filter(|other| **other == by).count(),
            owners: Vec::new(),
        });
    })
}

/// An upgrade of whose source something is known.
fn source_known(edit: impl FnOnce(&mut SourceDelta)) -> Case {
    upgrade(|case| {
        let extent = Extent {
            files: 3,
            bytes: 3000,
            compiled_files: 2,
            compiled_bytes: 2000,
        };
        let mut delta = SourceDelta {
            before: Some(extent),
            after: extent,
            ..SourceDelta::default()
        };
        edit(&mut delta);
        case.dossier.source = Finding::Seen(delta);
    })
}

/// An upgrade with findings in its source.
fn in_source(found: &[(Topic, Shift, Part)]) -> Case {
    source_known(|delta| {
        let findings = found.iter().map(|(topic, shift, part)| SourceFinding {
            topic: *topic,
            shift: *shift,
            part: *part,
            what: "licence: MIT -> other".to_owned(),
            count: 4,
            witnesses: vec![Witness {
                file: "src/lib.rs".to_owned(),
                line: 3,
                item: "f".to_owned(),
                text: "forget(".to_owned(),
            }],
        });
        delta.findings = findings.collect();
    })
}

/// An upgrade with the same code, and something changed by hand.
fn same_code(edit: impl FnOnce(&mut Case)) -> Case {
    source_known(|delta| delta.same_code = true).with(edit)
}

/// For each signal a case in which it fires, and one close by in which it does not.
#[expect(
    clippy::too_many_lines,
    reason = "one entry for each signal, best read as one table"
)]
fn cases(id: &str) -> (Case, Case) {
    let plain = || upgrade(|_| ());
    match id {
        "advisory-fixed" => (plain().advisory(false), plain().advisory(true)),
        "advisory-introduced" => (plain().advisory(true), plain().advisory(false)),
        "advisory-remaining" => {
            let remaining = |case: Case| {
                let mut case = case.advisory(true);
                if let Finding::Seen(delta) = &mut case.dossier.advisories {
                    delta.remaining = std::mem::take(&mut delta.introduced);
                }
                case
            };
            (remaining(plain()), plain().advisory(true))
        }
        "archive-odd" => (
            in_source(&[(Topic::Archive, Shift::Gained, Part::Archive)]),
            in_source(&[(Topic::Executable, Shift::Gained, Part::Data)]),
        ),
        "build-code-gains" => (
            in_source(&[(Topic::Network, Shift::Gained, Part::BuildScript)]),
            in_source(&[(Topic::Network, Shift::Gained, Part::Library)]),
        ),
        "capability-gained" => (
            in_source(&[(Topic::Network, Shift::Gained, Part::Library)]),
            in_source(&[(Topic::Unsafe, Shift::Changed, Part::Library)]),
        ),
        "code-unchanged" => (
            same_code(|_| ()),
            same_code(|case| case.change.dependencies_gained = vec!["tiny".to_owned()]),
        ),
        "commit-unclear" => (
            in_source(&[(Topic::Commit, Shift::Lost, Part::Metadata)]),
            in_source(&[(Topic::Metadata, Shift::Changed, Part::Metadata)]),
        ),
        "executable-gained" => (
            in_source(&[(Topic::Executable, Shift::Gained, Part::Archive)]),
            in_source(&[(Topic::Executable, Shift::Gained, Part::Data)]),
        ),
        "hollow-update" => (
            same_code(|case| case.change.dependencies_gained = vec!["tiny".to_owned()]),
            same_code(|_| ()),
        ),
        "licence-changed" => (
            in_source(&[(Topic::Metadata, Shift::Changed, Part::Metadata)]),
            in_source(&[(Topic::Metadata, Shift::Gained, Part::Metadata)]),
        ),
        "look-alike" => (
            looks_like("serde_json").history(|history| history.crate_age_days = 3.0),
            added(|_| ()),
        ),
        "publisher-new" => (
            published_by("eve", &["ada", "ada", "ada"]),
            published_by("ada", &["ada", "bob"]),
        ),
        "memory-behaviour" => (
            in_source(&[(Topic::Leak, Shift::Gained, Part::Library)]),
            in_source(&[(Topic::Leak, Shift::Lost, Part::Library)]),
        ),
        "opaque-gained" => (
            in_source(&[(Topic::Opaque, Shift::Gained, Part::BuildScript)]),
            in_source(&[(Topic::Opaque, Shift::Lost, Part::BuildScript)]),
        ),
        "public-items-lost" => (
            in_source(&[(Topic::Api, Shift::Lost, Part::Library)]),
            plain(),
        ),
        "update-undone" => (earlier(&["rolled back", "rolled back"]), earlier(&[])),
        "unsafe-gained" => (
            in_source(&[(Topic::Unsafe, Shift::Gained, Part::Library)]),
            in_source(&[(Topic::Unsafe, Shift::Changed, Part::Library)]),
        ),
        "build-code-changed" => (
            upgrade(|case| case.change.manifest_after = manifest(false, true, None)),
            added(|case| case.change.manifest_after = manifest(false, true, None)),
        ),
        "build-script-added" => (
            upgrade(|case| case.change.manifest_after = manifest(true, false, None)),
            upgrade(|case| {
                case.change.manifest_after = manifest(true, false, None);
                case.change.manifest_before = manifest(true, false, None);
            }),
        ),
        "content-changed" => {
            let same = |source: Source| {
                upgrade(|case| {
                    case.change.kind = ChangeKind::ContentChanged;
                    case.change.from = vec![release("1.0.1")];
                    case.change.to[0].checksum = Some("11".repeat(32));
                    case.change.to[0].source = source;
                })
            };
            (same(Source::CratesIo), same(git()))
        }
        "dependencies-changed" => (
            upgrade(|case| case.change.dependencies_lost = vec!["tiny".to_owned()]),
            added(|case| case.change.dependencies_gained = vec!["tiny".to_owned()]),
        ),
        "features-gained" => (
            upgrade(|case| case.change.features.target_gained = ["multipart".to_owned()].into()),
            upgrade(|case| case.change.features.target_lost = ["multipart".to_owned()].into()),
        ),
        "follows-closely" => {
            let after = |gap| {
                plain()
                    .published(0.5)
                    .history(|history| history.gap_before_days = Some(gap))
            };
            (after(0.2), after(8.0))
        }
        "fresh-release" => (plain().published(1.0), plain().published(60.0)),
        "git-commit" => (
            upgrade(|case| case.change.to[0].source = git()),
            upgrade(|case| case.change.from[0].source = git()),
        ),
        "hotfix-out" => (plain().later("1.0.2", 1.5), plain().later("1.1.0", 1.5)),
        "incident-left" => (
            plain().link(Strength::Repeat, Direction::Leaves),
            plain().link(Strength::Repeat, Direction::Stays),
        ),
        "incident-repeat" => (
            plain().link(Strength::Repeat, Direction::Enters),
            plain().link(Strength::Repeat, Direction::Leaves),
        ),
        "incident-strong" => (
            plain().link(Strength::Strong, Direction::Resembles),
            plain().link(Strength::Weak, Direction::Resembles),
        ),
        "incident-weak" => (
            plain().link(Strength::Weak, Direction::Resembles),
            plain().link(Strength::Strong, Direction::Resembles),
        ),
        "long-silence" => {
            let silent = |age| {
                plain()
                    .published(age)
                    .history(|history| history.gap_before_days = Some(800.0))
            };
            (silent(3.0), silent(300.0))
        }
        "native-library-added" => (
            upgrade(|case| case.change.manifest_after = manifest(true, false, Some("z"))),
            upgrade(|case| {
                case.change.manifest_after = manifest(true, false, Some("z"));
                case.change.manifest_before = manifest(true, false, Some("z"));
            }),
        ),
        "package-added" => (
            added(|_| ()),
            added(|case| case.change.to[0].source = Source::Local),
        ),
        "placement-widened" => {
            let before = |role: Role| {
                upgrade(|case| case.change.placement_before.as_mut().unwrap().roles = [role].into())
            };
            (before(Role::Dev), before(Role::Target))
        }
        "rapid-series" => (
            plain()
                .published(1.0)
                .history(|history| history.releases_90d = 15),
            plain().history(|history| history.releases_90d = 15),
        ),
        "second-version" => {
            let second = |kind| {
                upgrade(|case| {
                    case.change.kind = kind;
                    case.change.to = vec![release("1.0.0"), release("2.0.0")];
                })
            };
            (second(ChangeKind::Duplicated), second(ChangeKind::Merged))
        }
        "source-moved" => {
            let moved = |kind| {
                upgrade(|case| {
                    case.change.kind = kind;
                    case.change.to[0].source = git();
                })
            };
            (moved(ChangeKind::SourceMoved), moved(ChangeKind::Upgraded))
        }
        "version-step" => (
            Case::upgrade("1.0.0", "2.0.0"),
            Case::upgrade("2.0.0-rc.1", "2.0.0"),
        ),
        "versions-skipped" => (
            plain().history(|history| history.versions_skipped = 7),
            plain().history(|history| history.versions_skipped = 0),
        ),
        "yank-lure" => (
            upgrade(|case| case.dossier.yank_cluster = cluster(&["0.9.0", "0.9.1", "1.0.0"], true))
                .published(2.0),
            upgrade(|case| case.dossier.yank_cluster = cluster(&["1.0.0"], false)).published(2.0),
        ),
        "yanked-left" => {
            let yanked = |incoming| {
                upgrade(|case| {
                    case.dossier.yanked = Finding::Seen(Yanked {
                        incoming,
                        outgoing: true,
                    });
                })
            };
            (yanked(false), yanked(true))
        }
        "yanked-release" => (plain().yanked(true), plain().yanked(false)),
        "young-crate" => (
            plain().history(|history| history.crate_age_days = 20.0),
            plain().history(|history| history.crate_age_days = 200.0),
        ),
        other => panic!("write a case and a near miss for `{other}`"),
    }
}

/// What a signal makes of a case.
fn raise(definition: &Definition, case: &Case) -> Option<Raised> {
    let model = Model::built_in().unwrap();
    let input = Input {
        change: &case.change,
        dossier: &case.dossier,
        links: &case.links,
    };
    (definition.check)(&input, &model.parameters(definition.id))
}

#[test]
fn each_signal_fires_on_its_case_and_is_quiet_on_a_near_miss() {
    for definition in SIGNALS {
        let (case, near_miss) = cases(definition.id);
        let raised =
            raise(definition, &case).unwrap_or_else(|| panic!("{} is quiet", definition.id));
        assert!(
            !raised.because.is_empty() && !raised.facts.is_empty(),
            "{}",
            definition.id
        );
        assert!(
            raised.share > 0.0 && raised.share <= 1.0,
            "{}",
            definition.id
        );
        match raised.grade {
            Some(grade) => assert!(
                definition.grades.contains(&grade),
                "{}: {grade}",
                definition.id
            ),
            None => assert!(definition.grades.is_empty(), "{}", definition.id),
        }
        assert_eq!(raise(definition, &near_miss), None, "{}", definition.id);
    }
}

#[test]
fn each_case_reaches_the_score_with_the_sign_that_is_meant() {
    let model = Model::built_in().unwrap();
    for definition in SIGNALS {
        let assessment = cases(definition.id).0.direct().assess(&model);
        let signal = assessment
            .signals
            .iter()
            .find(|signal| signal.id == definition.id);
        let points = signal
            .unwrap_or_else(|| panic!("{} adds nothing", definition.id))
            .points;
        let good = [
            "advisory-fixed",
            "code-unchanged",
            "incident-left",
            "yanked-left",
        ]
        .contains(&definition.id);
        assert_eq!(points < 0, good, "{}: {points}", definition.id);
    }
}

#[test]
fn no_signal_fires_on_an_ordinary_patch_or_on_a_removal() {
    let removed = upgrade(|case| {
        case.change.kind = ChangeKind::Removed;
        case.change.to.clear();
    });
    for definition in SIGNALS {
        assert_eq!(
            raise(definition, &upgrade(|_| ())),
            None,
            "{}",
            definition.id
        );
        assert_eq!(raise(definition, &removed), None, "{}", definition.id);
    }
}

/// A case in which one kind of fact is missing.
fn without(case: &Case, kind: FactKind) -> Case {
    let gap = Gap {
        fact: kind,
        reason: GapReason::OfflineAndNotCached,
        detail: String::new(),
    };
    let mut case = case.clone();
    match kind {
        FactKind::PublishTime => case.dossier.published = Finding::Unknown(gap),
        FactKind::Yanked => case.dossier.yanked = Finding::Unknown(gap),
        FactKind::LaterReleases => case.dossier.later = Finding::Unknown(gap),
        FactKind::YankCluster => case.dossier.yank_cluster = Finding::Unknown(gap),
        FactKind::History => case.dossier.history = Finding::Unknown(gap),
        FactKind::Advisories => case.dossier.advisories = Finding::Unknown(gap),
        FactKind::Manifest => {
            case.change.manifest_before = None;
            case.change.manifest_after = None;
        }
        FactKind::Placement => {
            case.change.placement.roles = [Role::Unbuilt].into();
            case.change.placement_before = None;
        }
        FactKind::Features => case.change.features = crate::diff::FeatureDelta::default(),
        FactKind::Source => case.dossier.source = Finding::Unknown(gap),
        FactKind::Outcomes => case.dossier.outcomes = Finding::Unknown(gap),
        FactKind::Publisher => case.dossier.publisher = Finding::Unknown(gap),
    }
    case
}

#[test]
fn each_signal_reads_exactly_the_kinds_of_fact_that_it_names() {
    for definition in SIGNALS {
        let (case, _) = cases(definition.id);
        let raised = raise(definition, &case);
        for kind in FactKind::ALL {
            let same = raise(definition, &without(&case, kind)) == raised;
            assert_eq!(
                same,
                !definition.looks_at.contains(&kind),
                "{} and {}",
                definition.id,
                kind.as_str()
            );
        }
    }
}

#[test]
fn each_signal_is_documented() {
    for definition in SIGNALS {
        let Docs { what, why, example } = definition.docs;
        for text in [what, why, example] {
            assert!(
                text.len() > 15 && text.ends_with('.'),
                "{}: {text}",
                definition.id
            );
        }
        assert!(
            definition.title.len() > 10 && !definition.title.ends_with('.'),
            "{}",
            definition.id
        );
    }
}

#[test]
fn grades_tell_apart_what_differs() {
    let grade = |case: &Case, id: &str| {
        let definition = SIGNALS
            .iter()
            .find(|definition| definition.id == id)
            .unwrap();
        raise(definition, case).and_then(|raised| raised.grade)
    };
    let step = |from: &str, to: &str| grade(&Case::upgrade(from, to), "version-step");
    assert_eq!(step("1.0.0", "1.1.0"), Some("minor"));
    assert_eq!(step("0.1.0", "0.2.0"), Some("major"));
    assert_eq!(step("1.0.0", "1.1.0-rc.1"), Some("prerelease"));
    let down =
        Case::upgrade("1.1.0", "1.0.0").with(|case| case.change.kind = ChangeKind::Downgraded);
    assert_eq!(grade(&down, "version-step"), Some("downgrade"));
    let brought = added(|case| {
        case.change.forced_by = Some(ForcedBy {
            root: "image".to_owned(),
            chain: vec!["image".to_owned()],
            because: String::new(),
        });
    });
    assert_eq!(grade(&brought, "package-added"), Some("brought"));
    assert_eq!(grade(&added(|_| ()), "package-added"), Some("chosen"));
    let script = added(|case| case.change.manifest_after = manifest(true, false, None));
    assert_eq!(grade(&script, "build-script-added"), Some("new-package"));
    let trusted = Publisher::Trusted {
        provider: "github".to_owned(),
        repository: "a/b".to_owned(),
    };
    let left = published_by("ada", &["ada", "ada", "ada"]).with(|case| {
        if let Finding::Seen(delta) = &mut case.dossier.publisher {
            delta.outgoing = Some(trusted.clone());
        }
    });
    assert_eq!(grade(&left, "publisher-new"), Some("left-trusted"));
    let joined = published_by("eve", &["ada", "ada", "ada"]).with(|case| {
        if let Finding::Seen(delta) = &mut case.dossier.publisher {
            delta.incoming = trusted.clone();
        }
    });
    assert_eq!(grade(&joined, "publisher-new"), None);
    let old = looks_like("serde").history(|history| history.crate_age_days = 900.0);
    assert_eq!(grade(&old, "look-alike"), Some("old"));
    let copy = looks_like("serde").with(|case| {
        if let Some(found) = &mut case.dossier.look_alike {
            found.same_lines = Some(0.9);
        }
    });
    assert_eq!(grade(&copy, "look-alike"), Some("copy"));
    let lure = upgrade(|case| case.dossier.yank_cluster = cluster(&["0.9.0", "1.0.0"], false))
        .published(2.0);
    assert_eq!(grade(&lure, "yank-lure"), Some("several"));
    let alone = |days: Option<f64>| {
        upgrade(|case| {
            case.dossier.yank_cluster = cluster(&["0.9.0", "1.0.0"], true);
            match (days, &mut case.dossier.published) {
                (Some(days), Finding::Seen(published)) => published.age_days = days,
                (_, published) => *published = Finding::Absent("no time".to_owned()),
            }
        })
    };
    let left = Some("only-one-left");
    for (days, expected) in [
        (Some(0.5), left),
        (Some(13.9), left),
        (Some(14.0), None),
        (None, None),
    ] {
        assert_eq!(grade(&alone(days), "yank-lure"), expected, "{days:?}");
    }
}
