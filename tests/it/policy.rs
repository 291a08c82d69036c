//! What policies make of changes.

use cargo_canary::diff::ForcedBy;
use cargo_canary::facts::{FactKind, Finding, GapReason, LaterReleases, Yanked};
use cargo_canary::pkg::{PackageId, Source};
use cargo_canary::policy::{Decision, Policy, Present, decide, exemption_lines, reference};
use cargo_canary::risk::{Fault, Level, Signal};
use cargo_canary::snapshot::Role;
use cargo_canary::snapshot::{
    GraphKind, Input, InputKind, Package, Placement, Snapshot, Workspace,
};

use crate::policy_support::{
    Case, TODAY, blocking, expect, gap, judge, judge_on, lines, policy, release,
};

#[test]
fn the_reference_page_is_in_step() {
    let page = include_str!("../../docs/policy-variables.md");
    assert_eq!(
        page,
        reference(),
        "write the output of `policy::reference()` to the page"
    );
}

// ------------------------------------------------------------------ the logic

/// A case in which the publish time is a gap, nothing comes before the release,
/// and it is built.
fn half_known() -> Case {
    Case::routine("serde").with(|case| {
        case.dossier.published =
            Finding::Unknown(gap(FactKind::PublishTime, GapReason::FetchFailed));
        case.dossier.later = Finding::Seen(LaterReleases::default());
    })
}

#[track_caller]
fn decided(when: &str, expected: Decision) {
    let verdict = judge(&blocking(when), &[half_known()]);
    assert_eq!(verdict.decision, expected, "{when}: {}", lines(&verdict));
    assert_eq!(verdict.by_change, [expected]);
}

#[test]
fn a_missing_fact_makes_a_rule_unknown_unless_the_rest_settles_it() {
    decided("release.age_days < 7.0", Decision::Incomplete);
    decided("!(release.age_days < 7.0)", Decision::Incomplete);
    decided(
        "release.age_days < 7.0 && change.built",
        Decision::Incomplete,
    );
    decided("release.age_days < 7.0 && !change.built", Decision::Pass);
    decided("!change.built && release.age_days < 7.0", Decision::Pass);
    decided("release.age_days < 7.0 || change.built", Decision::Block);
    decided("change.built || release.age_days < 7.0", Decision::Block);
    decided(
        "!change.built || release.age_days < 7.0",
        Decision::Incomplete,
    );
    decided(
        "release.age_days < 7.0 ? change.built : change.direct",
        Decision::Block,
    );
    decided(
        "release.age_days < 7.0 ? change.built : change.forced",
        Decision::Incomplete,
    );
    decided(
        "change.forced ? release.age_days < 7.0 : change.built",
        Decision::Block,
    );
    decided(
        "change.built ? release.age_days < 7.0 : true",
        Decision::Incomplete,
    );
    decided(
        "change.members.exists(m, release.age_days < 7.0)",
        Decision::Incomplete,
    );
}

#[test]
fn what_does_not_exist_holds_neither_way() {
    decided("release.hotfix_within_days < 3.0", Decision::Pass);
    decided("!(release.hotfix_within_days < 3.0)", Decision::Pass);
    decided(
        "release.hotfix_within_days < 3.0 || change.built",
        Decision::Block,
    );
    decided(
        "release.hotfix_within_days < 3.0 && release.age_days < 7.0",
        Decision::Pass,
    );
    decided(
        "release.hotfix_within_days < 3.0 || release.age_days < 7.0",
        Decision::Incomplete,
    );
    decided(
        "!(release.hotfix_within_days < 3.0 && release.age_days < 7.0)",
        Decision::Incomplete,
    );
    decided(
        "release.hotfix_within_days < 3.0 ? change.built : change.built",
        Decision::Pass,
    );
    let git = Case::routine("serde").without_registry(GapReason::NotApplicable);
    assert_eq!(
        judge(&blocking("release.age_days < 7.0"), &[git]).decision,
        Decision::Pass
    );
}

#[test]
fn an_error_counts_as_a_match() {
    decided("1 / change.forces > 3", Decision::Block);
    decided("change.members[7] == \"a\"", Decision::Block);
    decided("!(1 / change.forces > 3)", Decision::Block);
    decided("1 / change.forces > 3 && !change.built", Decision::Pass);
    decided(
        "1 / change.forces > 3 && release.age_days < 7.0",
        Decision::Incomplete,
    );
    let verdict = judge(&blocking("1 / change.forces > 3"), &[half_known()]);
    assert!(
        verdict.reasons[0]
            .because
            .starts_with("the condition could not be evaluated, which counts as a match: "),
        "{}",
        verdict.reasons[0].because
    );
    let many = Case::routine("serde").with(|case| {
        case.change.dependencies_gained = (0..300).map(|n| format!("d{n}")).collect();
    });
    let verdict = judge(
        &blocking("change.dependencies_gained.all(d, d == \"\")"),
        &[many],
    );
    assert_eq!(
        verdict.reasons[0].because,
        "the condition could not be evaluated, which counts as a match: `change.dependencies_gained` has 300 elements, and conditions are evaluated over at most 256"
    );
}

#[test]
fn each_kind_of_trouble_can_be_asked_for() {
    let update = Case::routine("a").with(|case| {
        case.assessment.faults = vec![
            (Fault::Advisory, 0.001),
            (Fault::Withdrawal, 0.02),
            (Fault::Hotfix, 0.3),
            (Fault::FollowUp, 0.5),
        ];
    });
    for (name, likelihood) in [
        ("advisory", 0.001),
        ("withdrawal", 0.02),
        ("hot_fix", 0.3),
        ("follow_up", 0.5),
    ] {
        let over = |limit: f64| {
            let policy = blocking(&format!("risk.{name}_likelihood >= {limit:?}"));
            judge(&policy, std::slice::from_ref(&update)).decision
        };
        assert_eq!(over(likelihood), Decision::Block, "{name}");
        assert_eq!(over(likelihood + 0.0001), Decision::Pass, "{name}");
    }
}

#[test]
fn numbers_compare_across_types() {
    let case = [Case::routine("serde").aged(1.0)];
    for (when, holds) in [
        ("release.age_days == 1", true),
        ("release.age_days != 1", false),
        ("release.age_days <= 1", true),
        ("release.age_days > 0 && release.age_days < 2", true),
        ("double(risk.score) == 5.0", true),
        ("risk.score in [4, 5]", true),
        ("string(risk.score) == \"5\"", true),
        (
            "change.package.endsWith(\"de\") && size(change.members) == 1",
            true,
        ),
        ("change.members.exists_one(m, m == \"api\")", true),
        (
            "change.members.filter(m, m.contains(\"x\")).size() > 0",
            false,
        ),
        ("change.step == \"patch\"", true),
    ] {
        let expected = if holds {
            Decision::Block
        } else {
            Decision::Pass
        };
        assert_eq!(judge(&blocking(when), &case).decision, expected, "{when}");
    }
}

// ------------------------------------------------------------------- the gaps

const FRESH: &str = "[[rule]]\nid = \"fresh\"\nwhen = 'release.age_days < 7.0'\nthen = \"canary\"\nreason = \"fresh\"\n";

#[test]
fn each_kind_of_gap_does_what_the_policy_says() {
    for (setting, expected) in [
        ("pass", Decision::Pass),
        ("warn", Decision::Pass),
        ("canary", Decision::Canary),
        ("incomplete", Decision::Incomplete),
        ("block", Decision::Block),
    ] {
        let text = format!("[gaps]\ndefault = \"block\"\npublish-time = \"{setting}\"\n{FRESH}");
        let verdict = judge(&policy(&text), &[half_known()]);
        assert_eq!(verdict.decision, expected, "{setting}");
        assert_eq!(
            verdict.notices.len(),
            usize::from(setting == "warn"),
            "{setting}"
        );
    }
}

#[test]
fn a_gap_names_rule_reason_and_the_next_step() {
    expect(
        &policy(FRESH),
        &[half_known()],
        "incomplete\n\
         incomplete serde fresh: `fresh` could not be judged without `publish-time` (fetch-failed: no cached index entry)\n  \
         -> run again, or set `publish-time = \"warn\"` under `[gaps]`",
    );
}

#[test]
fn the_setting_of_a_reason_outranks_that_of_a_kind() {
    let text = format!("[gaps]\npublish-time = \"block\"\nnot-known-as-of = \"warn\"\n{FRESH}");
    let case = Case::routine("serde").without_registry(GapReason::NotKnownAsOf);
    expect(
        &policy(&text),
        &[case],
        "pass\nnote serde fresh: `fresh` could not be judged without `publish-time` (not-known-as-of: no cached index entry)",
    );
}

#[test]
fn a_rule_that_only_warns_makes_nothing_incomplete() {
    let text = FRESH.replace("canary", "warn");
    assert_eq!(
        judge(&policy(&text), &[half_known()]).decision,
        Decision::Pass
    );
}

#[test]
fn one_kind_of_gap_on_many_changes_is_one_reason() {
    let cases: Vec<Case> = (0..6)
        .map(|n| {
            half_known().with(|case| {
                case.change.id = format!("crate{n}");
                case.change.package = format!("crate{n}");
            })
        })
        .collect();
    let verdict = judge(&policy(FRESH), &cases);
    assert_eq!(verdict.reasons.len(), 1);
    assert_eq!(verdict.reasons[0].change, None);
    assert!(verdict.reasons[0].because.starts_with("for 6 changes: "));
    assert_eq!(verdict.by_change, [Decision::Incomplete; 6]);
    assert_eq!(judge(&policy(FRESH), &cases[..3]).reasons.len(), 3);
}

#[test]
fn a_lock_file_alone_is_taken_as_built() {
    let coarse = Case::routine("serde").role(Role::Unbuilt).with(|case| {
        case.change.placement.resolved = false;
        case.dossier
            .other_gaps
            .push(gap(FactKind::Placement, GapReason::CoarseGraph));
    });
    assert_eq!(
        judge(&blocking("change.built"), std::slice::from_ref(&coarse)).decision,
        Decision::Block
    );
    assert_eq!(
        judge(&blocking("change.host"), &[coarse]).decision,
        Decision::Incomplete
    );
}

#[test]
fn a_manifest_that_was_not_read_is_a_gap_even_when_nobody_said_so() {
    let unread = Case::routine("serde").with(|case| case.change.manifest_after = None);
    expect(
        &blocking("change.build_script"),
        &[unread],
        "incomplete\n\
         incomplete serde x: `x` could not be judged without `manifest` (it was not looked up)\n  \
         -> set `manifest = \"warn\"` under `[gaps]`",
    );
}

// ------------------------------------------------------------- the exemptions

fn exempting(version: &str, until: &str) -> Policy {
    policy(&format!(
        "{FRESH}[[exempt]]\npackage = \"serde\"\nversion = \"{version}\"\nrules = [\"fresh\"]\nreason = \"read by two\"\nby = \"platform\"\nuntil = {until}\n"
    ))
}

#[test]
fn an_exemption_applies_and_is_listed() {
    expect(
        &exempting("1.0.1", "2026-12-15"),
        &[Case::routine("serde").aged(1.0)],
        "pass\nnote serde exemption-used: `fresh` does not apply until 2026-12-15: read by two (exemption of serde 1.0.1 by platform (canary.toml:9))",
    );
}

#[test]
fn an_exemption_ends_with_its_last_day() {
    let case = [Case::routine("serde").aged(1.0)];
    let policy = exempting("1.0.1", TODAY);
    assert_eq!(judge(&policy, &case).decision, Decision::Pass);
    assert_eq!(
        lines(&judge_on(&policy, &case, "2026-11-22")),
        "canary\n\
         canary serde fresh: fresh\n  \
         -> wait until 2026-11-27, or go back with `cargo update -p serde --precise 1.0.0`\n\
         note * exemption-expired: exemption of serde 1.0.1 by platform (canary.toml:9) ended on 2026-11-21; it no longer covers fresh"
    );
}

#[test]
fn an_exemption_for_another_version_or_without_need_is_unused() {
    let fresh = [Case::routine("serde").aged(1.0)];
    let verdict = judge(&exempting("1.0.2", "2026-12-15"), &fresh);
    assert_eq!(verdict.decision, Decision::Canary);
    assert_eq!(verdict.notices[0].rule, "exemption-unused");
    assert_eq!(
        verdict.notices[0].text,
        "exemption of serde 1.0.2 by platform (canary.toml:9) matches nothing"
    );
    let old = [Case::routine("serde")];
    assert_eq!(
        judge(&exempting("^1", "2026-12-15"), &old).notices[0].text,
        "exemption of serde ^1 by platform (canary.toml:9): none of its rules applies now"
    );
}

#[test]
fn exemptions_of_no_use_can_fail_the_run() {
    let with = |table: &str, version: &str, until: &str| {
        policy(&format!(
            "{FRESH}{table}[[exempt]]\npackage = \"serde\"\nversion = \"{version}\"\nrules = [\"fresh\"]\nreason = \"read by two\"\nuntil = {until}\n"
        ))
    };
    let old = [Case::routine("serde")];
    let strict = "[exemptions]\nexpired = \"block\"\nunused = \"canary\"\n";
    assert_eq!(
        lines(&judge(&with(strict, "1.0.1", "2026-11-01"), &old)),
        "block\n\
         block * exemption-expired: exemption of serde 1.0.1 (canary.toml:12) ended on 2026-11-01\n  \
         -> take them out of the policy, or give each a reason and a later `until`"
    );
    assert_eq!(
        lines(&judge(&with(strict, "2.0.0", "2026-12-15"), &old)),
        "canary\n\
         canary * exemption-unused: exemption of serde 2.0.0 (canary.toml:12) matches nothing\n  \
         -> take them out of the policy"
    );
    // One that is of use, and both by default, are no reason.
    assert_eq!(
        judge(
            &with(strict, "1.0.1", "2026-12-15"),
            &[Case::routine("serde").aged(1.0)]
        )
        .decision,
        Decision::Pass
    );
    for (version, until) in [("1.0.1", "2026-11-01"), ("2.0.0", "2026-12-15")] {
        assert_eq!(
            judge(&with("", version, until), &old).decision,
            Decision::Pass
        );
    }
}

#[test]
fn an_exemption_covers_a_rule_that_could_not_be_judged() {
    assert_eq!(
        judge(&exempting("1.0.1", "2026-12-15"), &[half_known()]).decision,
        Decision::Pass
    );
}

#[test]
fn an_exemption_is_for_every_release_that_comes_in() {
    let two = Case::routine("serde").aged(1.0).with(|case| {
        case.change.to = vec![release("1.0.1"), release("2.0.0")];
    });
    assert_eq!(
        judge(&exempting("1.0.1", "2026-12-15"), &[two]).decision,
        Decision::Canary
    );
}

#[test]
fn an_exemption_of_a_package_that_the_head_holds_unchanged_is_silent() {
    let package = |name: &str| Package {
        id: PackageId {
            name: name.to_owned(),
            version: "1.0.1".parse().unwrap(),
            source: Source::CratesIo,
        },
        checksum: None,
        member: false,
        edges: Vec::new(),
        placement: Placement::default(),
        manifest: None,
    };
    let head = |name: &str| Snapshot {
        input: Input {
            given: "x".to_owned(),
            kind: InputKind::Lock,
            commit: None,
            digest: String::new(),
        },
        workspaces: vec![Workspace {
            path: ".".to_owned(),
            graph: GraphKind::LockOnly,
            packages: vec![package(name)],
            lock_lines: Vec::new(),
            gaps: Vec::new(),
        }],
        not_covered: Vec::new(),
    };
    let notices = |version: &str, name: &str| {
        let (policy, head) = (exempting(version, "2026-12-15"), head(name));
        let day = TODAY.parse().unwrap();
        decide(&policy, &[], Some(&Present::of(&head)), day).notices
    };
    assert_eq!(notices("1.0.1", "serde"), []);
    assert_eq!(notices("^1", "serde"), []);
    assert_eq!(notices("1.0.2", "serde").len(), 1);
    assert_eq!(notices("1.0.1", "tokio").len(), 1);
}

#[test]
fn many_unused_exemptions_are_counted() {
    let mut text = FRESH.to_owned();
    for n in 0..30 {
        let name = format!("p{n}");
        text.extend([
            "[[exempt]]\npackage = \"",
            &name,
            "\"\nversion = \"*\"\nrules = [\"fresh\"]\nreason = \"r\"\nuntil = 2027-01-01\n",
        ]);
    }
    let notices = judge(&policy(&text), &[]).notices;
    assert_eq!(notices.len(), 11);
    assert!(notices.iter().any(|notice| notice.text == "and 20 more"));
}

// ---------------------------------------------------------------- the way out

#[test]
fn a_forced_change_goes_back_with_what_forced_it() {
    let root = Case::routine("image");
    let forced = Case::routine("png").aged(1.0).with(|case| {
        case.change.forced_by = Some(ForcedBy {
            root: "image".to_owned(),
            chain: vec!["image".to_owned()],
            because: String::new(),
        });
    });
    let verdict = judge(&blocking("change.package == \"png\""), &[root, forced]);
    assert_eq!(
        verdict.reasons[0].way_out.as_deref(),
        Some("go back on what forced it with `cargo update -p image --precise 1.0.0`")
    );
}

#[test]
fn no_way_back_is_offered_to_what_is_worse() {
    let way_out = |case: Case| {
        let verdict = judge(&blocking("change.built"), &[case]);
        verdict.reasons[0].way_out.clone().unwrap()
    };
    assert!(way_out(Case::routine("serde")).starts_with("go back with"));
    assert!(way_out(Case::routine("serde").fixing()).starts_with("add to the policy"));
    let withdrawn = Case::routine("serde").with(|case| {
        case.dossier.yanked = Finding::Seen(Yanked {
            incoming: false,
            outgoing: true,
        });
    });
    assert!(way_out(withdrawn).starts_with("add to the policy"));
    let odd = Case::routine("serde; reboot");
    assert!(way_out(odd).starts_with("add to the policy"));
}

#[test]
fn the_lines_of_an_exemption_are_valid() {
    let case = Case::routine("odd \"name\"").aged(1.0);
    let day = TODAY.parse().unwrap();
    let written = exemption_lines(&case.change, "fresh", day);
    assert!(written.contains("until = 2026-12-05"), "{written}");
    let exempt = policy(&format!("{FRESH}{written}"));
    assert_eq!(judge(&exempt, &[case]).decision, Decision::Pass);
}

// ------------------------------------------------------------------ the order

#[test]
fn reasons_stand_by_decision_risk_change_and_rule() {
    let text = format!(
        "[risk]\ncanary = 40\nblock = 80\n{FRESH}[[rule]]\nid = \"direct\"\nwhen = 'change.direct'\nthen = \"canary\"\nreason = \"d\"\n"
    );
    let named = |name: &str, score: u8| {
        Case::routine(name).score(score).with(|case| {
            case.assessment.level = Level::High;
            case.assessment.signals = vec![Signal {
                id: "fresh-release",
                points: i32::from(score),
                because: String::new(),
                facts: Vec::new(),
            }];
            case.change.forced_by = Some(ForcedBy {
                root: "none".to_owned(),
                chain: Vec::new(),
                because: String::new(),
            });
        })
    };
    expect(
        &policy(&text),
        &[
            named("a", 10).aged(1.0),
            named("b", 50),
            named("c", 90),
            named("d", 50),
        ],
        "block\n\
         block c risk-block: risk score 90 (high): fresh-release +90\n  \
         -> add to the policy, with a reason:\n[[exempt]]\npackage = \"c\"\nversion = \"1.0.1\"\nrules = [\"risk-block\"]\nreason = \"…\"\nuntil = 2026-12-05\n\n\
         canary c direct: d\n  -> roll it out as a canary\n\
         canary b direct: d\n  -> roll it out as a canary\n\
         canary b risk-canary: risk score 50 (high): fresh-release +50\n  -> roll it out as a canary\n\
         canary d direct: d\n  -> roll it out as a canary\n\
         canary d risk-canary: risk score 50 (high): fresh-release +50\n  -> roll it out as a canary\n\
         canary a direct: d\n  -> roll it out as a canary\n\
         canary a fresh: fresh\n  -> wait until 2026-11-27",
    );
}
