//! For each signal a case on which it fires, and a near miss.

use super::case::{Case, release};
use crate::diff::ChangeKind;
use crate::facts::{
    Declared, Extent, Finding, LookAlike, Part, Published, Publisher, PublisherDelta, Shift,
    SourceDelta, SourceFinding, Topic, Witness, YankCluster, Yanked,
};
use crate::incidents::{Direction, Strength};
use crate::pkg::Source;
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
pub(super) fn upgrade(edit: impl FnOnce(&mut Case)) -> Case {
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
pub(super) fn added(edit: impl FnOnce(&mut Case)) -> Case {
    Case::added("1.0.1").with(edit)
}

/// A manifest.
pub(super) fn manifest(
    build_script: bool,
    proc_macro: bool,
    links: Option<&str>,
) -> Option<PackageManifest> {
    Some(PackageManifest {
        build_script,
        proc_macro,
        links: links.map(str::to_owned),
    })
}

/// Withdrawn predecessors.
pub(super) fn cluster(withdrawn: &[&str], only_one_left: bool) -> Finding<YankCluster> {
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
pub(super) fn looks_like(of: &str) -> Case {
    added(|case| {
        case.dossier.look_alike = Some(LookAlike {
            of: of.to_owned(),
            how: "in one letter",
            same_lines: None,
        });
    })
}

/// An upgrade published by one account, after releases of these.
pub(super) fn published_by(by: &str, before: &[&str]) -> Case {
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
pub(super) fn cases(id: &str) -> (Case, Case) {
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
        "far-apart" => (apart(800.0), apart(2.0)),
        "compiler-raised" => {
            let asks = |raised| {
                declares(|declared| {
                    declared.rust_version = Some("1.70".to_owned());
                    declared.rust_version_raised = raised;
                })
                .published(1.0)
            };
            (asks(true), asks(false))
        }
        "fresh-feature-release" => {
            let to = |version| Case::upgrade("1.0.0", version).published(1.0);
            (to("1.1.0"), to("1.0.1"))
        }
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
        "advisory-history" => (
            upgrade(|case| case.dossier.advisories_on_record = 4),
            upgrade(|case| case.dossier.advisories_on_record = 0),
        ),
        "feature-list-changed" => {
            let features = |gained: &[&str]| {
                let gained = gained.iter().map(|name| (*name).to_owned()).collect();
                declares(|declared| declared.features_gained = gained)
            };
            (features(&["fips", "ring", "tls13"]), features(&[]))
        }
        "many-options" => (
            declares(|declared| declared.optional_dependencies = 9),
            declares(|declared| declared.optional_dependencies = 0),
        ),
        "often-released" => (
            plain()
                .published(1.0)
                .history(|history| history.releases_90d = 15),
            plain()
                .published(1.0)
                .history(|history| history.releases_90d = 3),
        ),
        "patched-line" => {
            let pace = |newer_minor| {
                plain().history(|history| {
                    history.pace.minor_releases_365d = 9;
                    history.pace.newer_minor = newer_minor;
                })
            };
            (pace(false), pace(true))
        }
        "patches-near" => {
            let near = |days| plain().history(|history| history.pace.days_near_patch_365d = days);
            (near(40.0), near(0.2))
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

/// An upgrade to a settled release that was published so many days after the one
/// that goes out.
fn apart(days: f64) -> Case {
    upgrade(|case| {
        let at = "2025-01-01T00:00:00Z".parse().unwrap();
        let age_days = 100.0 + days;
        case.dossier.previous_published = Finding::Seen(Published { at, age_days });
    })
}

/// An upgrade to a release that declares something.
fn declares(change: impl FnOnce(&mut Declared)) -> Case {
    upgrade(|case| {
        let mut declared = Declared::default();
        change(&mut declared);
        case.dossier.declared = Finding::Seen(declared);
    })
}
