//! Each exit code is reached, and says what it is documented to say.

use super::program::{Ran, Scene};
use super::shop::{Shop, THEN};

const LAST_COMMIT: [&str; 5] = ["check", "--base", "HEAD~1", "--head", "HEAD"];

fn check(shop: &Shop, more: &[&str]) -> Ran {
    shop.scene.run(&[&LAST_COMMIT[..], more].concat())
}

#[test]
fn zero_where_the_policy_allows_the_change() {
    let shop = Shop::updated_to("1.0.1");
    let ran = check(&shop, &THEN);
    assert!(ran.ends(0).starts_with("PASS"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1.0.0 -> 1.0.1"), "{}", ran.stdout);
}

#[test]
fn one_where_the_policy_forbids_it() {
    let shop = Shop::updated_to("1.0.2");
    let ran = check(&shop, &["--offline"]);
    assert!(ran.ends(1).starts_with("BLOCKED"), "{}", ran.stdout);
    assert!(ran.stdout.contains("yanked-release"), "{}", ran.stdout);
}

#[test]
fn two_where_the_command_line_is_wrong() {
    let ran = Scene::new().run(&["check", "--graph", "guess"]);
    ran.fails(
        2,
        "
        ",
    );
}

#[test]
fn three_where_a_canary_is_needed() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.file(
        "canary-all.toml",
        "version = 1\nextends = \"none\"\n\n[[rule]]\nid = \"all\"\nwhen = \"change.built\"\nthen = \"canary\"\nreason = \"everything is tried first\"\n",
    );
    let ran = check(
        &shop,
        &[&THEN[..], &["--policy", "canary-all.toml"]].concat(),
    );
    assert!(ran.ends(3).starts_with("CANARY REQUIRED"), "{}", ran.stdout);
    assert!(ran.stdout.contains("everything is tried first"), "{}", ran.stdout);
}

#[test]
fn four_where_a_required_fact_could_not_be_had_and_the_gaps_are_named() {
    let shop = Shop::updated_to("1.0.1");
    std::fs::remove_dir_all(shop.scene.path("cargo-home")).unwrap();
    let ran = check(&shop, &THEN);
    ran.prints(
        4,
        "
        ",
    );
}

#[test]
fn diff_and_explain_do_not_judge_and_end_in_zero() {
    let shop = Shop::updated_to("1.0.2");
    let builds = ["--base", "HEAD~1", "--head", "HEAD", "--offline"];
    let diff = shop.scene.run(&[&["diff"], &builds[..]].concat());
    assert!(diff.ends(0).contains("1.0.0 -> 1.0.2"), "{}", diff.stdout);
    let explain = shop.scene.run(&[&["explain", "json"], &builds[..]].concat());
    assert!(explain.ends(0).contains("json"), "{}", explain.stdout);
}

#[test]
fn help_and_version_end_in_zero_on_standard_output() {
    let scene = Scene::new();
    assert!(scene.run(&["--help"]).ends(0).contains("Usage: cargo-canary"));
    assert!(
        scene
            .run(&["--version"])
            .ends(0)
            .starts_with("cargo-canary 0.")
    );
}

#[test]
fn started_by_cargo_the_first_argument_is_the_name_of_the_subcommand() {
    let scene = Scene::new();
    let by_cargo = scene.run(&["canary", "policy", "show"]);
    let direct = scene.run(&["policy", "show"]);
    assert_eq!(by_cargo.ends(0), direct.ends(0));
    assert!(direct.stdout.contains("version = 1"));
}
