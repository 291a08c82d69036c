//! Checkouts that are too large, too deep, or no files at all.

use std::time::Duration;

use super::stage::{Effect, Stage, cargo};
use super::{Case, Ours};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "Cargo.toml is a pipe",
        fires: &[Effect::Hangs],
        make: |stage| pipe(stage, "Cargo.toml"),
        plain: hurried,
        ours: Ours::Refuses("there is no `Cargo.toml`"),
    },
    Case {
        name: "Cargo.lock is a pipe",
        fires: &[Effect::Hangs],
        make: |stage| pipe(stage, "Cargo.lock"),
        plain: hurried,
        ours: Ours::Refuses("there is no `Cargo.lock`"),
    },
    Case::metadata(
        "a manifest of ten megabytes",
        &[],
        large_manifest,
        Ours::Refuses("limit"),
    ),
    Case::metadata(
        "brackets nested a hundred thousand times",
        &[],
        brackets,
        Ours::Refuses("not a manifest"),
    ),
    Case::metadata(
        "a key of a hundred thousand parts",
        &[],
        dots,
        Ours::Refuses("not a manifest"),
    ),
    Case::metadata(
        "a lock file that is no text",
        &[],
        no_text,
        Ours::Refuses("utf-8"),
    ),
    Case::metadata(
        "a lock entry whose name is a path",
        &[],
        name_is_path,
        Ours::Refuses("name"),
    ),
];

fn hurried(stage: &Stage) -> super::Ran {
    let args = ["metadata", "--format-version", "1"];
    stage.command_within(Duration::from_secs(1), &cargo(), &args, &stage.repo, &[])
}

fn pipe(stage: &Stage, name: &str) {
    let path = stage.repo.join(name);
    std::fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
}

fn large_manifest(stage: &Stage) {
    stage.package("repo", "victim", &format!("# {}\n", "x".repeat(10 << 20)));
}

fn brackets(stage: &Stage) {
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    stage.package(
        "repo",
        "victim",
        &format!("[package.metadata]\na = {open}{close}\n"),
    );
}

fn dots(stage: &Stage) {
    stage.package(
        "repo",
        "victim",
        &format!("[package.metadata]\na{} = 1\n", ".a".repeat(100_000)),
    );
}

fn no_text(stage: &Stage) {
    std::fs::write(stage.repo.join("Cargo.lock"), b"version = 4\n# \xff\n").unwrap();
}

fn name_is_path(stage: &Stage) {
    let sum = "0".repeat(64);
    stage.lock(
        "repo",
        &["victim"],
        &format!("../../outside/x\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{sum}\"\n"),
    );
}
