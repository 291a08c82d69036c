//! `rollback` and `subset` on real refreshes: lock files of the shared data, and
//! published applications, which cargo builds with what went back. Runs when
//! `CANARY_REMEDY_REAL=1` is set; needs the network, the shared data, and up to an hour.
//! `CANARY_REMEDY_REAL=NAME,…` takes these refreshes alone.
#![expect(clippy::print_stdout, reason = "what was measured is read by a person")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;

use crate::shared_data;
use crate::support::project::run;
use crate::support::workload::canary;

/// Lock files before and after a refresh, and an advisory that one update had fixed.
const LOCKS: [(&str, &str, &str); 3] = [
    ("11-production-memory-leak", "hyper", "RUSTSEC-2021-0078"),
    ("02-mass-cargo-update-reverted", "", ""),
    ("12-stale-merge-mass-downgrade", "", ""),
];
/// Applications with the releases before and after a refresh, and the update that the
/// later manifest needs and the policy does not let pass.
const APPLICATIONS: [(&str, &str, &str, &str); 2] = [
    ("diskus", "0.7.0", "0.8.0", ""),
    ("pastel", "0.9.0", "0.10.0", "regex"),
];

/// The refreshes that are asked for, and where to work.
struct Field {
    scratch: tempfile::TempDir,
    wanted: Vec<String>,
}

impl Field {
    fn open() -> Option<Self> {
        let Ok(named) = std::env::var("CANARY_REMEDY_REAL") else {
            println!("skipped: CANARY_REMEDY_REAL=1 runs it, with the network");
            return None;
        };
        let wanted = named.split(',').map(str::to_owned);
        Some(Self {
            scratch: tempfile::tempdir().unwrap(),
            wanted: wanted.filter(|name| name != "1").collect(),
        })
    }

    fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|wanted| name.contains(wanted))
    }

    fn place(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn program(&self, command: &str, refresh: &Refresh, more: &[&str]) -> Output {
        canary()
            .args([command, "--no-progress", "--format", "json"])
            .args(["--as-of", &refresh.day])
            .arg("--base")
            .arg(&refresh.base)
            .arg("--head")
            .arg(&refresh.head)
            .arg("--cache")
            .arg(self.place("cache"))
            .args(more)
            .current_dir(self.scratch.path())
            .output()
            .unwrap()
    }

    /// What a command answers, which must be no error.
    fn answer(&self, command: &str, refresh: &Refresh, more: &[&str]) -> Value {
        let output = self.program(command, refresh, more);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_ne!(output.status.code(), Some(2), "{}: {said}", refresh.name);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    fn cargo(&self, dir: &Path, args: &[&str]) -> Output {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Command::new(cargo)
            .args(args)
            .current_dir(dir)
            .env("CARGO_TARGET_DIR", self.place("target"))
            .output()
            .unwrap()
    }

    /// The sources of a release, fetched by cargo, in a directory of their own.
    fn sources(&self, name: &str, version: &str) -> PathBuf {
        let holder = self.place(&format!("holder-{name}-{version}"));
        let manifest = format!(
            "[package]\nname = \"holder\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
             [dependencies]\n{name} = \"={version}\"\n"
        );
        fs::create_dir_all(holder.join("src")).unwrap();
        fs::write(holder.join("Cargo.toml"), manifest).unwrap();
        fs::write(holder.join("src/lib.rs"), "").unwrap();
        let fetched = self.cargo(
            &holder,
            &["vendor", "--quiet", "--versioned-dirs", "vendor"],
        );
        assert!(fetched.status.success(), "{fetched:?}");
        let sources = self.place(&format!("{name}-{version}"));
        let vendored = holder.join("vendor").join(format!("{name}-{version}"));
        fs::rename(vendored, &sources).unwrap();
        let _ = fs::remove_file(sources.join(".cargo-checksum.json"));
        let _ = fs::remove_file(sources.join("rust-toolchain.toml"));
        sources
    }
}

/// A refresh.
struct Refresh {
    name: String,
    base: PathBuf,
    head: PathBuf,
    day: String,
}

fn of_data(data: &str, name: &str) -> Refresh {
    let folder = Path::new(data).join("showcase").join(name);
    let meta = fs::read(folder.join("meta.json")).unwrap();
    let meta: Value = serde_json::from_slice(&meta).unwrap();
    Refresh {
        name: name.to_owned(),
        base: folder.join("before.lock"),
        head: folder.join("after.lock"),
        day: meta["commit_time"].as_str().unwrap().to_owned(),
    }
}

/// Name and versions of every package of a lock file.
fn versions(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let table: toml::Table = lock.parse().unwrap();
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in table["package"].as_array().unwrap() {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        all.entry(text("name")).or_default().insert(text("version"));
    }
    all
}

/// How many ways were found, by kind, with the reasons where there was none.
#[derive(Default)]
struct Tally {
    ways: BTreeMap<String, usize>,
    alone: usize,
    reopened: BTreeSet<String>,
    without: Vec<String>,
}

impl Tally {
    fn add(&mut self, id: &str, answer: &Value) {
        let way = answer["way"].as_str().unwrap();
        *self.ways.entry(way.to_owned()).or_default() += 1;
        let moved = answer["held-back"].as_array().unwrap().len();
        self.alone += usize::from(moved == 1);
        for advisory in answer["reopened"].as_array().unwrap() {
            let named = advisory["id"].as_str().unwrap();
            self.reopened.insert(format!("{id}: {named}"));
        }
        if !found(answer) {
            self.without.push(format!("{id}: {}", answer["because"]));
        }
    }

    fn say(&self, refresh: &Refresh, took: std::time::Duration) {
        println!(
            "{}: {:?}, {} alone, in {} s",
            refresh.name,
            self.ways,
            self.alone,
            took.as_secs()
        );
        for line in self.reopened.iter().chain(&self.without) {
            println!("  {line}");
        }
    }
}

fn found(answer: &Value) -> bool {
    matches!(answer["way"].as_str(), Some("commands" | "lock-file"))
}

/// The ids of the changes that can be undone.
fn changes(field: &Field, refresh: &Refresh) -> Vec<Value> {
    let diff = field.answer("diff", refresh, &[]);
    let mut changes = diff["changes"].as_array().unwrap().clone();
    changes.retain(|change| {
        let side = |key: &str| change[key].as_array().is_some_and(|list| !list.is_empty());
        side("from") && side("to") && change["from"] != change["to"]
    });
    changes
}

/// Goes back with each update of a refresh; `prove` sees each lock file that was found.
fn each_goes_back(
    field: &Field,
    refresh: &Refresh,
    prove: &mut dyn FnMut(&str, &Value, &str),
) -> Tally {
    let begun = Instant::now();
    let before = match fs::read_to_string(&refresh.base) {
        Ok(text) => text,
        Err(_) => fs::read_to_string(refresh.base.join("Cargo.lock")).unwrap(),
    };
    let before = versions(&before);
    let mut tally = Tally::default();
    let changes = changes(field, refresh);
    assert!(!changes.is_empty());
    for change in &changes {
        let id = change["id"].as_str().unwrap();
        let out = field.place("out.lock");
        let _ = fs::remove_file(&out);
        let more = ["--change", id, "--output-lock", out.to_str().unwrap()];
        let answer = field.answer("rollback", refresh, &more);
        tally.add(id, &answer);
        if !found(&answer) {
            continue;
        }
        let lock = fs::read_to_string(&out).unwrap();
        // What came in with this change is gone. A package with several new versions has
        // a change for each, whose id names its version.
        let now = versions(&lock);
        let package = change["package"].as_str().unwrap();
        let held = now.get(package).cloned().unwrap_or_default();
        for release in change["to"].as_array().unwrap() {
            let version = release["version"].as_str().unwrap();
            let another = id.split_once('@').is_some_and(|(_, mine)| mine != version);
            let was_there = before.get(package).is_some_and(|all| all.contains(version));
            assert!(
                another || was_there || !held.contains(version),
                "{id}: {version} is left in {held:?}"
            );
        }
        prove(id, &answer, &lock);
    }
    let whole = field.answer("rollback", refresh, &[]);
    tally.add("everything", &whole);
    tally.say(refresh, begun.elapsed());
    tally
}

#[test]
fn each_update_of_three_real_refreshes_goes_back() {
    let Some(field) = Field::open() else { return };
    let Some(data) = shared_data::folder() else {
        return;
    };
    for (name, fixed, advisory) in LOCKS.iter().filter(|(name, ..)| field.wants(name)) {
        let refresh = of_data(&data, name);
        let tally = each_goes_back(&field, &refresh, &mut |_, _, _| {});
        // What goes back by no command is a package from git, and is said to be one.
        for line in &tally.without {
            assert!(line.contains("comes from git"), "{name}: {line}");
        }
        if !advisory.is_empty() {
            let wanted = format!("{fixed}: {advisory}");
            assert!(tally.reopened.contains(&wanted), "{:?}", tally.reopened);
        }
    }
}

#[test]
fn the_subset_of_three_real_refreshes_passes_with_the_same_policy() {
    let Some(field) = Field::open() else { return };
    let Some(data) = shared_data::folder() else {
        return;
    };
    let mut refreshes: Vec<Refresh> = Vec::new();
    for (name, ..) in LOCKS.iter().filter(|(name, ..)| field.wants(name)) {
        refreshes.push(of_data(&data, name));
    }
    for (name, before, after, _) in APPLICATIONS.iter().filter(|(name, ..)| field.wants(name)) {
        refreshes.push(of_application(&field, name, before, after));
    }
    for refresh in &refreshes {
        let begun = Instant::now();
        let out = field.place("subset.lock");
        let _ = fs::remove_file(&out);
        let more = ["--output-lock", out.to_str().unwrap()];
        let answer = field.answer("subset", refresh, &more);
        let count = |key: &str| answer[key].as_array().unwrap().len();
        let (taken, held) = (count("taken"), count("held-back"));
        println!(
            "{}: {taken} of {} updates can go in, proven {}, {} lock files, in {} s",
            refresh.name,
            taken + held,
            answer["proven-largest"],
            answer["tries"],
            begun.elapsed().as_secs()
        );
        let app = |it: &&(&str, &str, &str, &str)| refresh.name.starts_with(it.0);
        let needed = APPLICATIONS.iter().find(app).map_or("", |it| it.3);
        if !needed.is_empty() {
            let because = answer["because"].as_str().unwrap();
            let named = format!("needs {needed} ^");
            assert!(because.contains(&named), "{because}");
            assert_eq!(answer["held-back"][0]["package"], needed);
            continue;
        }
        assert!(found(&answer), "{}: {}", refresh.name, answer["because"]);
        assert!(taken > 0, "{}", refresh.name);
        for waiting in answer["held-back"].as_array().unwrap() {
            let reasons = waiting["waits-for"].as_array().unwrap();
            assert!(!reasons.is_empty(), "{waiting}");
        }
        // The lock file goes before the same policy, and cargo takes it.
        let head = if refresh.head.is_dir() {
            let dir = field.place("taken");
            copied(&refresh.head, &dir);
            fs::copy(&out, dir.join("Cargo.lock")).unwrap();
            let checked = field.cargo(&dir, &["check", "--locked", "--quiet"]);
            let said = String::from_utf8_lossy(&checked.stderr);
            assert!(checked.status.success(), "{}: {said}", refresh.name);
            dir
        } else {
            out
        };
        let passed = Refresh {
            name: refresh.name.clone(),
            base: refresh.base.clone(),
            head,
            day: refresh.day.clone(),
        };
        let output = field.program("check", &passed, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", refresh.name);
    }
}

fn of_application(field: &Field, name: &str, before: &str, after: &str) -> Refresh {
    Refresh {
        name: format!("{name} {before} -> {after}"),
        base: field.sources(name, before),
        head: field.sources(name, after),
        day: "2026-11-28".to_owned(),
    }
}

fn copied(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    run(Command::new("cp").arg("-a").arg(from).arg(to));
}

#[test]
fn published_applications_build_with_each_update_gone_back() {
    let Some(field) = Field::open() else { return };
    for (name, before, after, _) in APPLICATIONS.iter().filter(|(name, ..)| field.wants(name)) {
        let refresh = of_application(&field, name, before, after);
        let dir = field.place("walked");
        let (mut built, mut broken) = (0, Vec::new());
        let tally = each_goes_back(&field, &refresh, &mut |id, answer, lock| {
            // As a person would: the commands, in order, where the sources are.
            copied(&refresh.head, &dir);
            for command in answer["commands"].as_array().unwrap() {
                let words: Vec<&str> = command.as_str().unwrap().split(' ').skip(1).collect();
                let ran = field.cargo(&dir, &words);
                assert!(ran.status.success(), "{id}: {command}: {ran:?}");
            }
            let walked = fs::read_to_string(dir.join("Cargo.lock")).unwrap();
            if answer["way"] == "commands" {
                assert_eq!(versions(&walked), versions(lock), "{id}");
            } else {
                fs::write(dir.join("Cargo.lock"), lock).unwrap();
            }
            let checked = field.cargo(&dir, &["check", "--locked", "--quiet"]);
            if checked.status.success() {
                built += 1;
            } else {
                let said = String::from_utf8_lossy(&checked.stderr);
                let first = said.lines().find(|line| line.starts_with("error"));
                broken.push(format!("{id}: {}", first.unwrap_or_default()));
            }
        });
        println!("  {built} build, {} do not: {broken:?}", broken.len());
        assert!(built > 0, "{name}: {broken:?}");
        // What cannot go back alone is held by the manifest, and that is said.
        for line in &tally.without {
            assert!(
                line.contains(&format!("{name} {after} needs")),
                "{name}: {line}"
            );
        }
    }
}
