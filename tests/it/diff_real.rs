//! Differences of real lock files, where the shared data is at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use cargo_canary::diff::{Change, ChangeKind, GraphDiff};
use cargo_canary::pkg::Release;
use cargo_canary::snapshot::{DeclaredRequirements, Snapshot};
use serde_json::Value;

use crate::support::{data, index, laws, lock};

fn showcase(name: &str) -> Option<(Snapshot, Snapshot)> {
    let folder = data::folder("showcase")?.join(name);
    let read =
        |file: &str| lock::snapshot(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap();
    Some((read("before.lock"), read("after.lock")))
}

/// The difference as the lock files alone tell it.
fn plain(name: &str) -> Option<GraphDiff> {
    let (base, head) = showcase(name)?;
    Some(laws::hold(&base, &head, &DeclaredRequirements::new()))
}

/// The difference with what the index says of requirements.
fn informed(name: &str) -> Option<GraphDiff> {
    let (base, head) = showcase(name)?;
    let declared = index::requirements(&data::folder("corpus")?.join("index"), &[&base, &head]);
    Some(laws::hold(&base, &head, &declared))
}

fn count(diff: &GraphDiff, kind: ChangeKind) -> usize {
    diff.changes
        .iter()
        .filter(|change| change.kind == kind)
        .count()
}

fn because<'a>(diff: &'a GraphDiff, id: &str) -> Option<&'a str> {
    diff.change(id)?
        .forced_by
        .as_ref()
        .map(|by| by.because.as_str())
}

fn root_ids(diff: &GraphDiff) -> Vec<&str> {
    diff.roots().map(|change| change.id.as_str()).collect()
}

#[test]
fn a_move_to_git_at_the_same_version_is_seen() {
    let Some(diff) = plain("06-registry-to-git") else {
        return;
    };
    let [change] = diff.changes.as_slice() else {
        panic!("{:?}", root_ids(&diff))
    };
    assert_eq!(
        (change.id.as_str(), change.kind),
        ("tree-sitter", ChangeKind::SourceMoved)
    );
    assert_eq!(change.from[0].version, change.to[0].version);
    assert_eq!(change.forced_by, None);
}

#[test]
fn one_minor_update_that_adds_38_packages_is_one_decision() {
    let Some(diff) = plain("07-minor-bump-adds-38-packages") else {
        return;
    };
    assert_eq!(diff.changes.len(), 42);
    assert_eq!(count(&diff, ChangeKind::Added), 38);
    assert_eq!(root_ids(&diff), ["notify-rust"]);
    assert_eq!(
        because(&diff, "zbus"),
        Some("`zbus` is new in `notify-rust 4.3.0`")
    );
    assert_eq!(
        because(&diff, "dbus"),
        Some("`notify-rust 4.3.0` no longer needs `dbus`")
    );
    assert_eq!(because(&diff, "nix"), Some("`zbus 1.8.0` needs `nix`"));
}

#[test]
fn a_further_copy_is_led_back_to_the_update_that_needs_it() {
    let Some(diff) = plain("09-duplicate-version") else {
        return;
    };
    assert_eq!(root_ids(&diff), ["terminal_size"]);
    let change = diff.change("windows-sys").unwrap();
    assert_eq!(change.kind, ChangeKind::Duplicated);
    assert_eq!(change.to.len(), change.from.len() + 1);
    assert_eq!(change.incoming().unwrap().version.to_string(), "0.48.0");
    let informed = informed("09-duplicate-version").unwrap();
    assert_eq!(root_ids(&informed), ["terminal_size"]);
}

#[test]
fn families_of_crates_move_as_one_decision_each() {
    let Some(diff) = plain("10-largest-workspace") else {
        return;
    };
    assert_eq!(root_ids(&diff), ["prost", "prost-build", "tokio"]);
}

#[test]
fn a_stale_merge_is_told_from_what_it_was_merged_for() {
    let Some(diff) = plain("12-stale-merge-mass-downgrade") else {
        return;
    };
    assert_eq!(count(&diff, ChangeKind::Downgraded), 127);
    let asked: Vec<&str> = diff.asked_for.iter().map(String::as_str).collect();
    assert_eq!(asked, ["rayon-par-bridge", "rhai"]);
    assert!(diff.unasked_downgrades().count() > 100);
    let Some(informed) = informed("12-stale-merge-mass-downgrade") else {
        return;
    };
    assert!(informed.roots().count() < diff.roots().count());
    let new: Vec<_> = informed
        .roots()
        .filter(|root| root.kind == ChangeKind::Added)
        .map(|root| &root.id)
        .collect();
    assert!(new.contains(&&"rhai".to_owned()), "{new:?}");
    // Every further copy came with something that moved back.
    assert!(
        informed
            .roots()
            .all(|root| root.kind != ChangeKind::Duplicated)
    );
    println!(
        "plain {} informed {}",
        diff.roots().count(),
        informed.roots().count()
    );
}

#[test]
fn every_showcase_keeps_the_laws_with_and_without_requirements() {
    let Some(folder) = data::folder("showcase") else {
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (plain, informed) = (plain(&name).unwrap(), informed(&name).unwrap());
        assert_eq!(
            plain.digest, informed.digest,
            "requirements explain changes and make none"
        );
        let forced = |diff: &GraphDiff| diff.changes.len() - diff.roots().count();
        assert!(forced(&informed) >= forced(&plain), "{name}");
        println!(
            "{name}: {} changes, {} forced, {} with requirements",
            plain.changes.len(),
            forced(&plain),
            forced(&informed)
        );
        if std::env::var_os("CANARY_SHOW").is_some() {
            show(&informed);
        }
    }
}

fn show(diff: &GraphDiff) {
    for decision in diff.decisions() {
        let root = decision.root;
        println!(
            "{} {} {:?} paths {:?}",
            root.id,
            root.kind.as_str(),
            root.step(),
            root.paths.first()
        );
        for forced in decision.forced {
            let by = forced.forced_by.as_ref().unwrap();
            println!(
                "    {} {} | {} | {}",
                forced.id,
                forced.kind.as_str(),
                by.chain.join(" > "),
                by.because
            );
        }
    }
    println!("{:?}", diff.attribution_notes);
}

/// How many lock files of the corpus are unpacked, and every how manyth event is looked at.
const ARCHIVES: [&str; 3] = ["alacritty-000", "autopush-rs-000", "starship-000"];
const EVERY: usize = 8;

#[test]
fn real_updates_keep_the_laws_and_have_the_kinds_that_others_gave_them() {
    let Some(corpus) = data::folder("corpus") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = match std::env::var_os("CANARY_UNPACKED_LOCKS") {
        Some(unpacked) => unpacked.into(),
        None => {
            for archive in ARCHIVES {
                let archive = corpus.join(format!("locks/{archive}.tar.zst"));
                let done = Command::new("tar")
                    .arg("--zstd")
                    .arg("-xf")
                    .arg(archive)
                    .arg("-C")
                    .arg(folder.path())
                    .status();
                assert!(done.unwrap().success());
            }
            folder.path().to_owned()
        }
    };
    let mut labels = labels(&corpus);
    let events = std::fs::read_to_string(corpus.join("events.jsonl")).unwrap();
    let (mut agreed, mut all, mut compared) = (0, 0, 0);
    for event in events.lines().step_by(EVERY) {
        let event: Value = serde_json::from_str(event).unwrap();
        let (Some(base), Some(head)) = (
            read(&folder, &event["before"]),
            read(&folder, &event["after"]),
        ) else {
            continue;
        };
        let diff = laws::hold(&base, &head, &DeclaredRequirements::new());
        let ours: BTreeSet<String> = diff.changes.iter().map(in_words).collect();
        let id = event["event_id"].as_str().unwrap();
        let theirs = labels.remove(id).unwrap_or_default();
        agreed += ours.intersection(&theirs).count();
        all += ours.union(&theirs).count();
        compared += 1;
        for other in ours.symmetric_difference(&theirs) {
            println!(
                "{id}: only {}: {other}",
                if ours.contains(other) {
                    "here"
                } else {
                    "there"
                }
            );
        }
    }
    println!("{agreed} of {all} changes in {compared} events agree");
    assert!(compared > 50);
    // The rest are names with several versions, where the corpus pairs in order of versions.
    assert!(agreed * 100 > all * 95);
}

fn read(folder: &Path, digest: &Value) -> Option<Snapshot> {
    let text = std::fs::read_to_string(folder.join(format!("{}.lock", digest.as_str()?))).ok()?;
    // Some were merged by hand and name packages that they do not have.
    lock::snapshot(&text).ok()
}

fn in_words(change: &Change) -> String {
    let version = |release: Option<&Release>| {
        release
            .map(|release| release.version.to_string())
            .unwrap_or_default()
    };
    let (out, into) = (version(change.outgoing()), version(change.incoming()));
    format!(
        "{} {} {out} -> {into}",
        change.package,
        change.kind.as_str()
    )
}

/// The labels of the corpus by event, in our words.
fn labels(corpus: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let lines = Command::new("zcat")
        .arg(corpus.join("updates.jsonl.gz"))
        .output()
        .unwrap()
        .stdout;
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(lines).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let kind = match text("kind") {
            "upgrade" => "upgraded",
            "downgrade" => "downgraded",
            "dup_added" => "duplicated",
            "dup_removed" => "merged",
            "source_change" => "source-moved",
            "git_rev" | "checksum_change" => "content-changed",
            same => same,
        };
        let change = format!("{} {kind} {} -> {}", text("name"), text("old"), text("new"));
        all.entry(text("event_id").to_owned())
            .or_default()
            .insert(change);
    }
    all
}
