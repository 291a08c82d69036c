//! Builds of several shapes: other inputs, locks on one side, several workspaces.

use std::fs;

use serde_json::Value;

use super::program::Ran;
use super::shop::{Shop, THEN};

fn check(shop: &Shop, base: &str, head: &str, more: &[&str]) -> Ran {
    let builds = ["check", "--base", base, "--head", head];
    shop.scene.run(&[&builds[..], &THEN, more].concat())
}

fn json(ran: &Ran, code: i32) -> Value {
    serde_json::from_str(ran.ends(code)).unwrap()
}

#[test]
fn directories_lock_files_and_revisions_can_be_mixed() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene
        .file("old/Cargo.toml", super::shop::MANIFEST)
        .file("old/src/main.rs", "fn main() {}\n")
        .file("old/Cargo.lock", &shop.lock("1.0.0"))
        .file("plain.lock", &shop.lock("1.0.0"));
    fs::create_dir(shop.scene.path("work/alone")).unwrap();
    fs::rename(
        shop.scene.path("work/plain.lock"),
        shop.scene.path("work/alone/Cargo.lock"),
    )
    .unwrap();
    for (base, kind) in [
        ("old", "directory"),
        ("alone/Cargo.lock", "lock"),
        ("git:HEAD~1", "git"),
    ] {
        let ran = check(&shop, base, "HEAD", &["--format", "json"]);
        let report = json(&ran, 0);
        assert_eq!(report["base"]["kind"], kind);
        assert_eq!(report["changes"][0]["id"], "jsonette", "{base}");
    }
}

#[test]
fn a_lock_file_on_one_side_only() {
    let shop = Shop::new();
    shop.scene.file("empty/README", "");
    shop.write("1.0.0");
    shop.scene.commit("one");
    shop.scene.file("tools/Cargo.toml", "[package]\nname = \"tools\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\nbufferette = \"1\"\n\n[workspace]\n");
    shop.scene.file("tools/src/main.rs", "fn main() {}\n");
    let lock = shop.lock("1.0.0");
    let bufferette = lock.split("\n[[package]]\n").nth(1).unwrap();
    shop.scene.file(
        "tools/Cargo.lock",
        &format!("version = 4\n\n[[package]]\n{bufferette}\n[[package]]\nname = \"tools\"\nversion = \"0.1.0\"\ndependencies = [\"bufferette\"]\n"),
    );
    shop.scene.commit("two");
    let ran = check(&shop, "HEAD~1", "HEAD", &["--format", "json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(ran.stderr, "");
    assert_eq!(
        report["coverage"]["workspaces"],
        serde_json::json!([".", "tools"])
    );
    let text = report["changes"].to_string();
    assert!(text.contains("\"tools\""), "{text}");
}

#[test]
fn a_lock_file_without_a_manifest_is_a_build_of_its_own() {
    let shop = Shop::updated_to("1.0.1");
    shop.write("1.0.3");
    shop.scene.file("attic/Cargo.lock", &shop.lock("1.0.0"));
    let report = json(&check(&shop, "HEAD", "WORKTREE", &["--format", "json"]), 0);
    assert_eq!(
        report["coverage"]["workspaces"],
        serde_json::json!([".", "attic"])
    );
    assert_eq!(report["coverage"]["graph"], "lock-only");
}

#[test]
fn a_workspace_without_a_lock_file_and_a_broken_stray_one_are_named_as_not_covered() {
    let shop = Shop::updated_to("1.0.1");
    shop.write("1.0.3");
    shop.scene
        .file(
            "tools/Cargo.toml",
            &super::shop::MANIFEST.replace("shop", "tools"),
        )
        .file("attic/Cargo.lock", "version = 4\n[[package]\n");
    let ran = check(&shop, "HEAD", "WORKTREE", &[]);
    assert!(ran.ends(0).contains("Not checked"), "{}", ran.stdout);
    for path in ["tools", "attic/Cargo.lock"] {
        assert!(ran.stdout.contains(path), "{path}: {}", ran.stdout);
    }
    let report = json(&check(&shop, "HEAD", "WORKTREE", &["--format", "json"]), 0);
    let paths: Vec<&str> = report["coverage"]["not-covered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["attic/Cargo.lock", "tools/Cargo.toml"]);
}

#[test]
fn an_empty_difference_passes_and_says_so() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene
        .file("src/main.rs", "fn main() { println!(); }\n");
    shop.scene.commit("three");
    let ran = check(&shop, "HEAD~1", "HEAD", &[]);
    ran.prints(
        0,
        r#"
        PASS: both builds have the same dependencies
        HEAD~1 ([COMMIT]) -> HEAD ([COMMIT]), 2 -> 2 packages

        Judged as of 2024-03-01 00:00 UTC by policy default (built in), graph direct;
        1205 advisory facts of 2026-08-21 (the snapshot that is part of this program),
        no index entry used.
        "#,
    );
}

#[test]
fn every_way_to_the_graph_gives_the_same_change() {
    let shop = Shop::updated_to("1.0.1");
    for graph in ["direct", "lock-only", "auto"] {
        let ran = check(
            &shop,
            "HEAD~1",
            "HEAD",
            &["--format", "json", "--graph", graph],
        );
        let report = json(&ran, 0);
        assert_eq!(report["changes"].as_array().unwrap().len(), 1, "{graph}");
        assert_eq!(report["changes"][0]["to"][0]["version"], "1.0.1");
    }
}
