//! The built-in policies: each rule fires on a case and is silent on a near miss.

use cargo_canary::diff::ChangeKind;
use cargo_canary::facts::{
    FactKind, Finding, GapReason, History, LaterRelease, LaterReleases, Pace, YankCluster, Yanked,
};
use cargo_canary::incidents::{Direction, Strength};
use cargo_canary::pkg::Source;
use cargo_canary::policy::{Decision, Policy};
use cargo_canary::snapshot::Role;

use crate::policy_support::{Case, expect, gap, judge, lines};

/// The rules that speak under a built-in policy, with what they decide.
fn speaks(name: &str, cases: &[Case]) -> Vec<String> {
    let verdict = judge(&Policy::built_in(name).unwrap(), cases);
    let reasons = verdict
        .reasons
        .iter()
        .map(|reason| format!("{} {}", reason.decision.as_str(), reason.rule));
    let notices = verdict
        .notices
        .iter()
        .map(|notice| format!("warn {}", notice.rule));
    reasons.chain(notices).collect()
}

#[track_caller]
fn default_rule(expected: &str, fires: Case, near_miss: Case) {
    assert_eq!(speaks("default", &[fires]), [expected]);
    assert_eq!(speaks("default", &[near_miss]), Vec::<String>::new());
}

fn cluster(withdrawn: usize, left: bool) -> Finding<YankCluster> {
    Finding::Seen(YankCluster {
        withdrawn: (0..withdrawn)
            .map(|n| format!("0.9.{n}").parse().unwrap())
            .collect(),
        predecessors: 5,
        only_one_left: left,
    })
}

#[test]
fn each_default_rule_fires_and_has_a_near_miss_that_is_silent() {
    let routine = || Case::routine("serde");
    assert_eq!(speaks("default", &[routine()]), Vec::<String>::new());
    default_rule(
        "block introduces-vulnerability",
        routine().introducing(None),
        routine().introducing(Some("notice")),
    );
    default_rule(
        "block introduces-vulnerability",
        routine().role(Role::Host).introducing(None),
        routine().role(Role::Host).fixing(),
    );
    let yanked = |incoming: bool, outgoing: bool| {
        routine().with(|case| case.dossier.yanked = Finding::Seen(Yanked { incoming, outgoing }))
    };
    default_rule(
        "block yanked-release",
        yanked(true, false),
        yanked(true, true),
    );
    default_rule(
        "block yanked-release",
        yanked(true, false),
        yanked(true, false).kind(ChangeKind::FeaturesChanged),
    );
    default_rule(
        "block yanked-release",
        yanked(true, false),
        yanked(true, false).role(Role::Unbuilt),
    );
    let content = |source: Source| {
        routine().kind(ChangeKind::ContentChanged).with(|case| {
            case.change.to = case.change.from.clone();
            case.change.to[0].checksum = Some("11".repeat(32));
            case.change.to[0].source = source.clone();
            case.change.from[0].source = source;
        })
    };
    let git = || Source::Git {
        url: "https://host.example/a".into(),
        reference: None,
        rev: None,
    };
    default_rule(
        "block checksum-changed",
        content(Source::CratesIo),
        content(git()),
    );
    let lure = |withdrawn: usize, left: bool, age: f64| {
        routine()
            .aged(age)
            .with(|case| case.dossier.yank_cluster = cluster(withdrawn, left))
    };
    default_rule("block yank-lure", lure(3, true, 2.0), lure(3, false, 2.0));
    default_rule("block yank-lure", lure(2, true, 2.0), lure(1, true, 2.0));
    default_rule("block yank-lure", lure(3, true, 13.0), lure(3, true, 15.0));
}

#[test]
fn each_default_rule_about_source_incident_and_age_has_a_near_miss_too() {
    let routine = || Case::routine("serde");
    let git = || Source::Git {
        url: "https://host.example/a".into(),
        reference: None,
        rev: None,
    };
    let moved = |to: Source| {
        routine()
            .kind(ChangeKind::SourceMoved)
            .with(|case| case.change.to[0].source = to)
    };
    let other = || Source::Registry {
        url: "sparse+https://registry.example/".into(),
    };
    default_rule("block registry-moved", moved(other()), moved(Source::Local));
    default_rule("canary registry-to-git", moved(git()), moved(Source::Local));
    default_rule(
        "canary enters-incident-range",
        routine().linked(Strength::Repeat, Direction::Enters),
        routine().linked(Strength::Repeat, Direction::Leaves),
    );
    let strong = || routine().linked(Strength::Strong, Direction::Resembles);
    default_rule(
        "canary resembles-incident",
        strong().score(30),
        strong().score(10),
    );
    default_rule(
        "canary risk-canary",
        routine().score(40),
        routine().score(39),
    );
    default_rule("block risk-block", routine().score(80), routine().score(39));
    default_rule(
        "canary fresh-release",
        routine().aged(0.1),
        routine().aged(0.2),
    );
    default_rule(
        "canary fresh-release",
        routine().aged(0.1),
        routine().aged(0.1).fixing(),
    );
    default_rule(
        "canary fresh-release",
        routine().aged(0.1),
        routine().aged(0.1).role(Role::Dev),
    );
    let silence = |days: f64, age: f64| {
        routine().aged(age).with(|case| {
            case.dossier.history = Finding::Seen(History {
                prior_releases: 3,
                crate_age_days: 900.0,
                gap_before_days: Some(days),
                releases_90d: 0,
                versions_skipped: 0,
                pace: Pace::default(),
            });
        })
    };
    default_rule(
        "canary release-after-silence",
        silence(200.0, 2.0),
        silence(170.0, 2.0),
    );
    default_rule(
        "canary release-after-silence",
        silence(200.0, 2.0),
        silence(200.0, 4.0),
    );
}

#[test]
fn each_default_notice_speaks_and_has_a_near_miss_that_is_silent() {
    let routine = || Case::routine("serde");
    default_rule(
        "warn downgraded",
        routine().kind(ChangeKind::Downgraded),
        routine(),
    );
    default_rule(
        "warn introduces-vulnerability-unbuilt",
        routine().role(Role::Unbuilt).introducing(None),
        routine().role(Role::Unbuilt).introducing(Some("unsound")),
    );
    default_rule(
        "warn introduces-unsound",
        routine().introducing(Some("unsound")),
        routine().role(Role::Dev).introducing(Some("unsound")),
    );
    default_rule(
        "warn introduces-unmaintained",
        routine().introducing(Some("unmaintained")),
        routine().introducing(Some("notice")),
    );
    default_rule(
        "warn duplicated",
        routine().kind(ChangeKind::Duplicated),
        routine().kind(ChangeKind::Duplicated).role(Role::Host),
    );
    let later = |after_days: f64| {
        routine().aged(10.0).with(|case| {
            case.dossier.later = Finding::Seen(LaterReleases {
                releases: vec![LaterRelease {
                    version: "1.0.2".parse().unwrap(),
                    after_days,
                    yanked: false,
                }],
            });
        })
    };
    default_rule("warn superseded", later(1.0), later(5.0));
}

#[test]
fn a_mass_downgrade_is_one_finding() {
    let down = |n: usize| Case::routine(&format!("crate{n:03}")).kind(ChangeKind::Downgraded);
    let cases: Vec<Case> = (0..127).map(down).collect();
    expect(
        &Policy::built_in("default").unwrap(),
        &cases,
        "canary\n\
         canary * mass-downgrade: 127 of 127 changes go back to lower versions, as after merging a stale lock file (stands for 127 findings of `downgraded`)",
    );
    let few: Vec<Case> = (0..4).map(down).collect();
    assert_eq!(speaks("default", &few), ["warn downgraded"; 4]);
    let strict = judge(&Policy::built_in("strict").unwrap(), &cases);
    assert_eq!(strict.reasons.len(), 1);
    assert_eq!(strict.by_change, [Decision::Canary; 127]);
}

#[test]
fn a_refresh_of_fifty_libraries_is_one_canary() {
    let refreshed = |number: usize| -> Vec<Case> {
        (0..number)
            .map(|n| Case::routine(&format!("crate{n}")))
            .collect()
    };
    assert_eq!(
        speaks("default", &refreshed(50)),
        ["canary mass-update"],
        "one reason for the whole difference"
    );
    assert_eq!(speaks("default", &refreshed(49)), [""; 0]);
}

#[test]
fn what_weighs_more_is_not_folded_away() {
    let cases: Vec<Case> = (0..10)
        .map(|n| {
            Case::routine(&format!("crate{n}"))
                .kind(ChangeKind::Downgraded)
                .introducing(None)
        })
        .collect();
    let verdict = judge(&Policy::built_in("default").unwrap(), &cases);
    assert_eq!(verdict.decision, Decision::Block);
    assert_eq!(verdict.reasons.len(), 11);
}

#[test]
fn a_git_dependency_is_not_incomplete() {
    let git = Case::routine("serde")
        .without_registry(GapReason::NotApplicable)
        .with(|case| {
            for release in case.change.from.iter_mut().chain(&mut case.change.to) {
                release.source = Source::Git {
                    url: "https://host.example/a".into(),
                    reference: None,
                    rev: None,
                };
            }
        });
    assert_eq!(speaks("default", &[git]), Vec::<String>::new());
}

#[test]
fn without_index_data_the_default_is_incomplete_and_a_past_day_is_not() {
    let offline = Case::routine("serde").without_registry(GapReason::OfflineAndNotCached);
    let verdict = judge(&Policy::built_in("default").unwrap(), &[offline]);
    assert_eq!(verdict.decision, Decision::Incomplete);
    let past = Case::routine("serde").with(|case| {
        case.dossier.yanked = Finding::Unknown(gap(FactKind::Yanked, GapReason::NotKnownAsOf));
    });
    assert_eq!(speaks("default", &[past]), ["warn yanked-release"]);
}

#[test]
fn the_strict_policy_waits_a_week_unless_it_is_a_fix() {
    let routine = || Case::routine("serde");
    let verdict = judge(&Policy::built_in("strict").unwrap(), &[routine().aged(6.5)]);
    assert_eq!(
        lines(&verdict),
        "canary\ncanary serde cooldown: published 6.5 days before, less than a week\n  \
         -> wait until 2026-11-22, or go back with `cargo update -p serde --precise 1.0.0`"
    );
    assert_eq!(
        speaks("strict", &[routine().aged(7.0)]),
        Vec::<String>::new()
    );
    assert_eq!(
        speaks("strict", &[routine().aged(1.0).fixing()]),
        Vec::<String>::new()
    );
    assert_eq!(
        speaks("strict", &[routine().introducing(Some("unsound"))]),
        ["block introduces-unsound"]
    );
    assert_eq!(
        speaks("strict", &[routine().introducing(Some("unmaintained"))]),
        ["canary introduces-unmaintained"]
    );
    let script = routine().with(|case| {
        if let Some(manifest) = &mut case.change.manifest_after {
            manifest.build_script = true;
        }
    });
    assert_eq!(speaks("strict", &[script]), ["canary new-build-script"]);
}
