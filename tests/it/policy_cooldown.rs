//! How long a release waits: by the policy, by Cargo's own settings, with its
//! exceptions, and what is said where the age is not known.

use std::collections::BTreeMap;

use cargo_canary::diff::ChangeKind;
use cargo_canary::facts::GapReason;
use cargo_canary::pkg::Source;
use cargo_canary::policy::{CargoWaits, Decision, Policy, Wait};
use cargo_canary::snapshot::Role;

use crate::policy_support::{Case, expect, judge, policy};

fn rules(policy: &Policy, case: Case) -> Vec<String> {
    let verdict = judge(policy, &[case]);
    verdict.reasons.into_iter().map(|it| it.rule).collect()
}

fn waits(policy: &Policy, case: Case) -> bool {
    match rules(policy, case).as_slice() {
        [] => false,
        [one] if one == "min-publish-age" => true,
        other => panic!("{other:?}"),
    }
}

fn cargo(days: f64) -> CargoWaits {
    CargoWaits {
        global: Some(Wait {
            days,
            from: "`registry.global-min-publish-age` of somewhere".to_owned(),
        }),
        ..CargoWaits::default()
    }
}

const SEVEN: &str = "[cooldown]\ndays = 7\n";

#[test]
fn a_release_that_is_too_young_says_who_asks_and_until_when() {
    let case = Case::routine("serde").aged(2.5);
    expect(
        &policy(SEVEN),
        std::slice::from_ref(&case),
        "canary\ncanary serde min-publish-age: published 2.5 days before; `cooldown.days` of `canary.toml` asks for 7 days\n  -> wait until 2026-11-26, or go back with `cargo update -p serde --precise 1.0.0`",
    );
    assert!(!waits(&policy(SEVEN), Case::routine("serde").aged(7.0)));
    let block = policy("[cooldown]\ndays = 7\nthen = \"block\"\n");
    assert_eq!(judge(&block, &[case]).decision, Decision::Block);
}

#[test]
fn everything_in_the_lock_waits_transitive_and_not_compiled_too() {
    let young = || Case::routine("serde").aged(1.0);
    for role in [Role::Target, Role::Host, Role::Dev, Role::Unbuilt] {
        assert!(waits(&policy(SEVEN), young().role(role)), "{role:?}");
    }
    let transitive = young().with(|case| case.change.placement.direct = false);
    assert!(waits(&policy(SEVEN), transitive));
    assert!(!waits(&policy(SEVEN), young().kind(ChangeKind::Removed)));
    assert!(!waits(
        &policy(SEVEN),
        young().kind(ChangeKind::FeaturesChanged)
    ));
}

#[test]
fn cargos_own_setting_is_the_default_and_the_policy_outranks_it() {
    let of_cargo = policy("").with_cargo_waits(cargo(7.0));
    let young = || Case::routine("serde").aged(2.0);
    assert!(waits(&of_cargo, young()));
    assert!(!waits(&policy(""), young()));
    let never = policy("[cooldown]\ndays = \"never\"\n").with_cargo_waits(cargo(7.0));
    assert!(!waits(&never, young()));
    let one = policy("[cooldown]\ndays = 1\n").with_cargo_waits(cargo(7.0));
    assert!(!waits(&one, young()));
    let again = policy("[cooldown]\ndays = \"cargo\"\n").with_cargo_waits(cargo(7.0));
    assert!(waits(&again, young()));
}

#[test]
fn a_registry_has_a_setting_of_its_own() {
    let ours = Source::Registry {
        url: "sparse+https://registry.example/".to_owned(),
    };
    let setting = |days: f64| CargoWaits {
        registries: BTreeMap::from([(
            ours.clone(),
            Wait {
                days,
                from: "x".to_owned(),
            },
        )]),
        ..cargo(7.0)
    };
    let of_ours = || {
        Case::routine("ours").aged(2.0).with(|case| {
            case.change.from[0].source = ours.clone();
            case.change.to[0].source = ours.clone();
        })
    };
    assert!(!waits(
        &policy("").with_cargo_waits(setting(0.0)),
        of_ours()
    ));
    assert!(waits(&policy("").with_cargo_waits(setting(3.0)), of_ours()));
    assert!(waits(&policy("").with_cargo_waits(cargo(7.0)), of_ours()));
    let first_party = "[cooldown]\ndays = 7\nfirst-party = [\"sparse+https://registry.example\"]\n";
    assert!(!waits(&policy(first_party), of_ours()));
    assert!(waits(
        &policy(first_party),
        Case::routine("serde").aged(2.0)
    ));
}

#[test]
fn packages_have_exceptions_the_exact_name_first() {
    let text = "[cooldown]\ndays = 7\n[cooldown.packages]\n\"aws-*\" = 2\naws-lc = 30\nours = 0\n";
    let young = |name: &str, days: f64| waits(&policy(text), Case::routine(name).aged(days));
    assert!(!young("aws-sdk", 3.0));
    assert!(young("aws-sdk", 1.0));
    assert!(young("aws-lc", 20.0));
    assert!(!young("ours", 0.1));
    assert!(young("other", 3.0));
}

#[test]
fn a_fix_does_not_wait_unless_the_policy_says_so() {
    let fix = || Case::routine("serde").aged(1.0).fixing();
    assert!(!waits(&policy(SEVEN), fix()));
    assert!(waits(
        &policy("[cooldown]\ndays = 7\nfixes-wait = true\n"),
        fix()
    ));
    let notice = fix().with(|case| {
        case.dossier.advisories =
            cargo_canary::facts::Finding::Seen(cargo_canary::facts::AdvisoryDelta {
                fixed: vec![crate::policy_support::advisory(Some("notice"))],
                ..cargo_canary::facts::AdvisoryDelta::default()
            });
    });
    assert!(
        waits(&policy(SEVEN), notice),
        "a notice is no fault that is fixed"
    );
}

#[test]
fn an_age_that_is_not_known_is_a_gap_and_never_old_enough() {
    let unknown = || Case::routine("serde").without_registry(GapReason::NotRecorded);
    expect(
        &policy(SEVEN),
        &[unknown()],
        "incomplete\nincomplete serde min-publish-age: `min-publish-age` could not be judged without `publish-time` (not-recorded: no cached index entry)\n  -> set `publish-time = \"warn\"` under `[gaps]`",
    );
    let warn = policy("[gaps]\npublish-time = \"warn\"\n[cooldown]\ndays = 7\n");
    assert_eq!(judge(&warn, &[unknown()]).decision, Decision::Pass);
    assert_eq!(judge(&warn, &[unknown()]).notices.len(), 1);
    let git = unknown().with(|case| case.change.to[0].source = Source::Local);
    assert!(!waits(&policy(SEVEN), git));
}

#[test]
fn a_setting_of_cargo_that_cannot_be_read_is_no_silent_pass() {
    let waits = CargoWaits {
        unreadable: vec!["the base's `.cargo/config.toml` is not TOML".to_owned()],
        ..CargoWaits::default()
    };
    let verdict = judge(
        &policy("").with_cargo_waits(waits),
        &[Case::routine("serde")],
    );
    assert_eq!(verdict.decision, Decision::Incomplete);
    assert!(verdict.reasons[0].because.contains("is not TOML"));
}

#[test]
fn an_exemption_covers_it() {
    let text = format!(
        "{SEVEN}[[exempt]]\npackage = \"serde\"\nversion = \"1.0.1\"\nrules = [\"min-publish-age\"]\nreason = \"r\"\nuntil = 2026-12-01\n"
    );
    let verdict = judge(&policy(&text), &[Case::routine("serde").aged(1.0)]);
    assert_eq!(verdict.decision, Decision::Pass);
    assert_eq!(verdict.notices[0].rule, "exemption-used");
}
