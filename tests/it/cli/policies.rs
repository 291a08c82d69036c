//! Policies on the command line: which one judges, and what is said of a wrong one.

use super::program::Scene;
use super::shop::{Shop, THEN};

const BUILDS: [&str; 5] = ["check", "--base", "HEAD~1", "--head", "HEAD"];
const ALL_BLOCKED: &str = "version = 1\nextends = \"none\"\n\n[[rule]]\nid = \"none\"\nwhen = \"change.built\"\nthen = \"block\"\nreason = \"nothing comes in\"\n";
const ALL_ALLOWED: &str = "version = 1\nextends = \"none\"\n";

#[test]
fn a_policy_that_is_not_valid_is_shown_with_its_places() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.file(
        "wrong.toml",
        "version = 1\n\n[risk]\ncanari = 40\n\n[[rule]]\nid = \"old\"\nwhen = \"release.age_day < 7.0\"\nthen = \"stop\"\nreason = \"new\"\n",
    );
    shop.scene.run(&["policy", "check", "wrong.toml"]).fails(
        2,
        r#"
        error: the policy is not valid
        error: [risk]
         --> wrong.toml:4:1
          |
        4 | canari = 40
          | ^^^^^^ unknown key `canari`; did you mean `canary`?

        error: rule `old`
         --> wrong.toml:9:8
          |
        9 | then = "stop"
          |        ^^^^^^ `then` is never "stop"; it is one of warn, canary, incomplete, block
        hint: `cargo-canary policy variables` lists what conditions can use, `cargo-canary policy show` prints a policy to compare with
        "#,
    );
    shop.scene.file(
        "wrong.toml",
        "version = 1\n\n[[rule]]\nid = \"old\"\nwhen = \"release.age_day < 7.0\"\nthen = \"canary\"\nreason = \"new\"\n",
    );
    shop.scene.run(&["policy", "check", "wrong.toml"]).fails(
        2,
        r#"
        error: the policy is not valid
        error: rule `old`
         --> wrong.toml:5:9
          |
        5 | when = "release.age_day < 7.0"
          |         ^^^^^^^^^^^^^^^ no variable `release.age_day`; did you mean `release.age_days`?
        hint: `cargo-canary policy variables` lists what conditions can use, `cargo-canary policy show` prints a policy to compare with
        "#,
    );
    let args = [&BUILDS[..], &["--policy", "wrong.toml"], &THEN].concat();
    let of_check = shop.scene.run(&args);
    assert_eq!(of_check.code, Some(2));
    assert!(of_check.stderr.contains("age_day"), "{}", of_check.stderr);
}

#[test]
fn a_policy_that_is_not_there() {
    let shop = Shop::updated_to("1.0.1");
    let check = |policy: &str| {
        shop.scene
            .run(&[&BUILDS[..], &["--policy", policy], &THEN].concat())
    };
    check("policies/none.toml").fails(
        2,
        r#"
        error: failed to read the policy `policies/none.toml`
          caused by: No such file or directory (os error 2)
        hint: `cargo-canary policy show > canary.toml` starts one; without `--policy` the base's `canary.toml` judges, or the built-in one
        "#,
    );
    check("builtin:strickt").fails(
        2,
        r#"
        error: there is no built-in policy `strickt`
        hint: the built-in policies are `default` and `strict`
        "#,
    );
    check("strict").fails(
        2,
        r#"
        error: failed to read the policy `strict`
          caused by: No such file or directory (os error 2)
        hint: the built-in policy is `builtin:strict`
        "#,
    );
    shop.scene.run(&["policy", "check"]).fails(
        2,
        r#"
        error: failed to read the policy `canary.toml`
          caused by: No such file or directory (os error 2)
        hint: `cargo-canary policy show > canary.toml` starts one; without `--policy` the base's `canary.toml` judges, or the built-in one
        "#,
    );
    shop.scene.run(&["policy", "show", "lax"]).fails(
        2,
        r#"
        error: there is no built-in policy `lax`
        hint: the built-in policies are `default` and `strict`
        "#,
    );
}

#[test]
fn the_base_judges_and_an_edited_policy_is_announced() {
    let shop = Shop::new();
    shop.write("1.0.0");
    shop.scene.file("canary.toml", ALL_BLOCKED);
    shop.scene.commit("one");
    shop.write("1.0.1");
    shop.scene.file("canary.toml", ALL_ALLOWED);
    shop.scene.commit("two");
    let ran = shop.scene.run(&[&BUILDS[..], &THEN].concat());
    let text = ran.ends(1);
    assert!(text.contains("nothing comes in"), "{text}");
    assert!(
        text.contains("edits the policy") || text.contains("policy is edited"),
        "{text}"
    );
    let json = shop
        .scene
        .run(&[&BUILDS[..], &THEN, &["--format", "json"]].concat());
    let report: serde_json::Value = serde_json::from_str(json.ends(1)).unwrap();
    assert_eq!(report["policy"]["edited-by-change"], true);
}

#[test]
fn a_policy_that_the_change_brings_in_does_not_judge() {
    let shop = Shop::new();
    shop.write("1.0.0");
    shop.scene.commit("one");
    shop.write("1.0.2");
    shop.scene.file("canary.toml", ALL_ALLOWED);
    shop.scene.commit("two");
    let ran = shop.scene.run(&[&BUILDS[..], &["--offline"]].concat());
    assert!(ran.ends(1).contains("yanked-release"), "{}", ran.stdout);
}

#[test]
fn a_policy_from_outside_outranks_that_of_the_base() {
    let shop = Shop::new();
    shop.write("1.0.0");
    shop.scene.file("canary.toml", ALL_BLOCKED);
    shop.scene.commit("one");
    shop.write("1.0.1");
    shop.scene.commit("two");
    shop.scene.file("given.toml", ALL_ALLOWED);
    let ran = shop
        .scene
        .run(&[&BUILDS[..], &THEN, &["--policy", "given.toml"]].concat());
    assert!(ran.ends(0).starts_with("PASS"), "{}", ran.stdout);
}

#[test]
fn a_valid_policy_is_described() {
    let scene = Scene::new();
    scene.file("canary.toml", ALL_BLOCKED);
    scene.run(&["policy", "check"]).prints(
        0,
        r#"
        canary.toml is valid: 1 rule, no exemptions; by score canary never, block never
        layers: canary.toml
        "#,
    );
    for name in ["default", "strict"] {
        let shown = scene.run(&["policy", "show", name]);
        scene.file("shown.toml", shown.ends(0));
        let checked = scene.run(&["policy", "check", "shown.toml"]);
        assert!(checked.ends(0).contains("shown.toml is valid"));
    }
}

#[test]
fn the_variables_of_conditions_are_listed() {
    let ran = Scene::new().run(&["policy", "variables"]);
    for name in [
        "change.built",
        "release.age_days",
        "risk.score",
        "incidents.repeat",
    ] {
        assert!(ran.ends(0).contains(name), "{name}");
    }
}

#[test]
fn the_cases_beside_a_policy_are_judged() {
    let scene = Scene::new();
    scene.file("canary.toml", ALL_BLOCKED).file(
        "canary.test.toml",
        "version = 1\n\n[[case]]\nname = \"all is blocked\"\nexpect = { decision = \"block\", rules = [\"none\"] }\n\n[[case]]\nname = \"what is not compiled is blocked, too\"\nchange.unbuilt = true\nexpect = { decision = \"block\" }\n",
    );
    scene.run(&["policy", "test"]).prints(
        1,
        r#"
        FAILED what is not compiled is blocked, too (canary.test.toml:8)
          decision
          - block
          + pass
          no rule gives a reason

        2 cases, 1 failed
        "#,
    );
    scene
        .run(&["policy", "test", "--cases", "other.toml"])
        .fails(
            2,
            r#"
        error: failed to read the cases `other.toml`
          caused by: No such file or directory (os error 2)
        hint: write them there, or name their file with `--cases FILE`; `docs/policy.md` shows how
        "#,
        );
    let built_in = scene.run(&["policy", "test", "builtin:default"]);
    assert!(
        built_in.ends(0).ends_with("all hold\n"),
        "{}",
        built_in.stdout
    );
}

#[test]
fn the_schemas_are_printed() {
    let scene = Scene::new();
    for args in [&["policy", "schema"][..], &["policy", "schema", "--cases"]] {
        let ran = scene.run(args);
        let schema: serde_json::Value = serde_json::from_str(ran.ends(0)).unwrap();
        assert_eq!(schema["additionalProperties"], false);
    }
}
