//! Each exit code is reached, and says what it is documented to say.

use super::program::{Ran, Scene};
use super::shop::{MANIFEST, Shop, THEN};

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
fn the_lines_of_an_exemption_can_be_copied_from_the_report() {
    let shop = Shop::new();
    shop.scene
        .file("Cargo.toml", &MANIFEST.replace("jsonette = \"1\"\n", ""));
    shop.scene.file("src/main.rs", "fn main() {}\n").file(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\n",
    );
    shop.scene.commit("one");
    shop.write("1.0.2");
    shop.scene.commit("two");
    let ran = check(&shop, &["--offline"]);
    let lines = "      [[exempt]]\n      package = \"jsonette\"\n      version = \"1.0.2\"\n      rules = [\"yanked-release\"]\n";
    assert!(ran.ends(1).contains(lines), "{}", ran.stdout);
}

#[test]
fn two_where_the_command_line_is_wrong() {
    let ran = Scene::new().run(&["check", "--graph", "guess"]);
    ran.fails(
        2,
        r#"
        error: invalid value 'guess' for '--graph <GRAPH>'
          [possible values: auto, direct, cargo, lock-only]

        For more information, try '--help'.
        "#,
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
    assert!(
        ran.stdout.contains("everything is tried first"),
        "{}",
        ran.stdout
    );
}

#[test]
fn four_where_a_required_fact_could_not_be_had_and_the_gaps_are_named() {
    let shop = Shop::updated_to("1.0.1");
    std::fs::remove_dir_all(shop.scene.path("cargo-home")).unwrap();
    let ran = check(&shop, &THEN);
    ran.prints(
        4,
        r#"
        INCOMPLETE: jsonette 1.0.0 -> 1.0.1 could not be checked as the policy requires
        HEAD~1 ([COMMIT]) -> HEAD ([COMMIT]), 2 -> 2 packages; 1 decision, 0
        forced by them

        Why
          jsonette 1.0.0 -> 1.0.1, direct
            risk 0 of 100 (low)
            - incomplete (yank-lure): `yank-lure`, `fresh-release`,
              `release-after-silence`, `superseded` could not be judged without
              `publish-time` (offline-and-not-cached: no cache holds an index entry of
              `jsonette` in crates.io that has 1.0.0, 1.0.1; nothing may be fetched)
            - incomplete (yanked-release): `yanked-release` could not be judged without
              `yanked` (offline-and-not-cached: no cache holds an index entry of
              `jsonette` in crates.io that has 1.0.0, 1.0.1; nothing may be fetched)

        What to do next
          - run again with network access, or set `publish-time = "warn"` under `[gaps]`
          - run again with network access, or set `yanked = "warn"` under `[gaps]`
          - To see the evidence: cargo-canary explain jsonette

        Changes by risk
            0  gap     jsonette  1.0.0 -> 1.0.1  direct

        Not checked
          - publish-time, yanked, later-releases, yank-cluster, history, manifest,
            source of jsonette (offline-and-not-cached): no cache holds an index entry
            of `jsonette` in crates.io that has 1.0.0, 1.0.1; nothing may be fetched
          - placement, features of jsonette (coarse-graph): only its lock entry was
            read, so what is below it counts as built: no cache holds an index entry of
            `jsonette` in crates.io that has 1.0.0, 1.0.1; nothing may be fetched

        Judged as of 2024-03-01 00:00 UTC by policy default (built in), graph direct;
        1205 advisory facts of 2026-08-21 (the snapshot that is part of this program),
        no index entry used.
        "#,
    );
}

#[test]
fn a_hundred_and_one_where_the_program_itself_failed() {
    let shop = Shop::updated_to("1.0.1");
    let failing = |more: &[(&str, &str)]| {
        let mut command = shop.scene.command(&LAST_COMMIT);
        command.env("CARGO_CANARY_DEFECT", "one\u{1b}[2J off");
        command.envs(more.iter().copied());
        shop.scene.finish(&mut command)
    };
    let ran = failing(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(101), ""));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.stderr);
    assert_eq!(
        lines[0],
        "error: cargo-canary itself failed; nothing was judged"
    );
    assert!(
        lines[1].starts_with("  caused by: panic at src/bin/"),
        "{}",
        lines[1]
    );
    assert!(lines[1].ends_with(": one\\u{1b}[2J off"), "{}", lines[1]);
    assert!(
        lines[2].starts_with("hint: this is a defect:"),
        "{}",
        lines[2]
    );
    let ran = failing(&[("RUST_BACKTRACE", "1")]);
    assert_eq!(ran.code, Some(101));
    assert!(ran.stderr.contains("stack backtrace:"), "{}", ran.stderr);
}

#[test]
fn diff_and_explain_do_not_judge_and_end_in_zero() {
    let shop = Shop::updated_to("1.0.2");
    let builds = ["--base", "HEAD~1", "--head", "HEAD", "--offline"];
    let diff = shop.scene.run(&[&["diff"], &builds[..]].concat());
    assert!(diff.ends(0).contains("1.0.0 -> 1.0.2"), "{}", diff.stdout);
    let explain = shop
        .scene
        .run(&[&["explain", "jsonette"], &builds[..]].concat());
    assert!(explain.ends(0).contains("jsonette"), "{}", explain.stdout);
}

#[test]
fn help_and_version_end_in_zero_on_standard_output() {
    let scene = Scene::new();
    assert!(
        scene
            .run(&["--help"])
            .ends(0)
            .contains("Usage: cargo-canary")
    );
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
