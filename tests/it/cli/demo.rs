//! The demo of the README needs nothing but this repository.
//!
//! The data under `fixtures/demo/data` is what crates.io's index said of the
//! demo's packages on the day it was fetched. It is made anew by
//!
//! ```sh
//! CANARY_DEMO_DATA=write cargo test --test it the_demo_data
//! ```
//!
//! which needs a network. Lines of releases that neither build uses are kept
//! without what they depend on, and releases of unchanged packages are left out,
//! so that it stays small.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use super::program::{PROGRAM, Scene, root};

const DATA: &str = "fixtures/demo/data";
const BUILDS: [&str; 4] = [
    "--base",
    "fixtures/demo/before",
    "--head",
    "fixtures/demo/after",
];

/// The demo, run from the root of the repository with the data it carries.
fn demo(scene: &Scene, data: &str, more: &[&str]) -> Command {
    let mut args = vec!["check"];
    args.extend(BUILDS);
    args.extend(["--cache", data, "--locked-data"]);
    args.extend(more);
    let mut command = scene.command(&args);
    command.current_dir(root());
    command
}

/// Every file below a directory, with its content.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let content = fs::read(&path).unwrap();
            found.insert(path, content);
        }
    }
    found
}

#[test]
fn the_demo_ends_in_a_verdict_that_names_the_library_and_writes_nothing() {
    let scene = Scene::new();
    let before = contents(&root().join("fixtures/demo"));
    let ran = scene.finish(&mut demo(&scene, DATA, &[]));
    let text = ran.ends(3);
    assert!(text.starts_with("CANARY REQUIRED"), "{text}");
    assert!(text.contains("webp 0.2.2 -> 0.2.3"), "{text}");
    assert!(text.contains("webp-0.2.3-encode-leak"), "{text}");
    // What the source says is kept until the program looks for more in it.
    let gaps: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "Not checked")
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  - ") && !line.starts_with("  - source of "))
        .collect();
    assert!(gaps.is_empty(), "{text}");
    assert!(contents(&root().join("fixtures/demo")) == before);
    assert!(!scene.path("cache").exists());
}

#[test]
fn on_the_day_of_the_release_the_incident_is_not_known() {
    let scene = Scene::new();
    let ran = scene.finish(&mut demo(&scene, DATA, &["--as-of", "2023-07-07"]));
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    assert!(
        !ran.stdout.contains("webp-0.2.3-encode-leak"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("as of 2023-07-07"), "{}", ran.stdout);
}

#[test]
fn the_data_of_the_demo_is_small_and_names_no_other_server() {
    let files = contents(&root().join(DATA));
    let bytes: usize = files.values().map(Vec::len).sum();
    assert!(bytes < 400_000, "{bytes} bytes");
    for (path, content) in files {
        if !path.starts_with(root().join(DATA).join("index")) {
            continue;
        }
        let text = String::from_utf8(content).unwrap();
        for (at, _) in text.match_indices("://") {
            assert!(
                text[at..].starts_with("://index.crates.io/"),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn the_demo_data_is_made_anew_where_that_is_wanted() {
    if std::env::var_os("CANARY_DEMO_DATA").is_none_or(|value| value != "write") {
        println!("skipped: CANARY_DEMO_DATA=write makes the data of the demo anew");
        return;
    }
    let scene = Scene::new();
    let cache = scene.path("cache");
    let ran = Command::new(PROGRAM)
        .arg("check")
        .args(BUILDS)
        .arg("--cache")
        .arg(&cache)
        .env("CARGO_HOME", scene.path("cargo-home"))
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        !ran.stdout.is_empty(),
        "{:?}",
        String::from_utf8(ran.stderr)
    );
    let data = root().join(DATA);
    if data.exists() {
        fs::remove_dir_all(&data).unwrap();
    }
    let locked = locked();
    for (path, content) in contents(&cache) {
        let below = path.strip_prefix(&cache).unwrap();
        let content = if below.starts_with("manifests") || below.starts_with("source") {
            content
        } else if below.starts_with("index") && !below.ends_with("config.json") {
            smaller(&String::from_utf8(content).unwrap(), &locked)
        } else {
            continue;
        };
        let to = data.join(below);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, content).unwrap();
    }
    assert!(data.join("manifests").is_dir());
}

/// The versions of each package in the two lock files: base, head.
fn locked() -> BTreeMap<String, [BTreeSet<String>; 2]> {
    let mut found: BTreeMap<String, [BTreeSet<String>; 2]> = BTreeMap::new();
    for (side, build) in ["before", "after"].into_iter().enumerate() {
        let lock = root().join(format!("fixtures/demo/{build}/Cargo.lock"));
        let lock: toml::Table = fs::read_to_string(lock).unwrap().parse().unwrap();
        for package in lock["package"].as_array().unwrap() {
            let text = |key: &str| package[key].as_str().unwrap().to_owned();
            found.entry(text("name")).or_default()[side].insert(text("version"));
        }
    }
    found
}

/// A kept answer with less in it.
fn smaller(answer: &str, locked: &BTreeMap<String, [BTreeSet<String>; 2]>) -> Vec<u8> {
    let (head, body) = answer.split_once("\n\n").unwrap();
    let (_, head) = head.split_once('\n').unwrap();
    let mut lines = String::new();
    for line in body.lines() {
        let release: Map<String, Value> = serde_json::from_str(line).unwrap();
        let text = |key: &str| release[key].as_str().unwrap();
        let [base, head] = &locked[text("name")];
        if base.contains(text("vers")) || head.contains(text("vers")) {
            lines += &(serde_json::to_string(&release).unwrap() + "\n");
        } else if base != head {
            let keys = ["name", "vers", "yanked", "pubtime", "v"];
            let short: Map<String, Value> = release
                .into_iter()
                .filter(|(key, _)| keys.contains(&key.as_str()))
                .collect();
            lines += &(serde_json::to_string(&short).unwrap() + "\n");
        }
    }
    // Whole seconds, and no validators: those are of the whole answer.
    let head: String = head
        .lines()
        .filter(|line| !line.starts_with("etag: ") && !line.starts_with("last-modified: "))
        .map(
            |line| match (line.starts_with("fetched: "), line.split_once('.')) {
                (true, Some((seconds, _))) => format!("{seconds}Z\n"),
                _ => format!("{line}\n"),
            },
        )
        .collect::<String>()
        + "\n";
    let mut crc = flate2::Crc::new();
    crc.update(head.as_bytes());
    crc.update(lines.as_bytes());
    format!(
        "canary-answer 1 {:08x} {}\n{head}{lines}",
        crc.sum(),
        lines.len()
    )
    .into_bytes()
}
