//! The command `subset` on tiny crates of our own: its lock file passes `check`
//! with the same policy, cargo takes it, and no larger set passes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::local_registry::LocalRegistry;
use crate::support::project::{Project, write};
use crate::support::workload::canary;

/// The day of judgement.
const TODAY: &str = "2026-01-20";

/// One crate of a refresh from 1.0.0 to 1.1.0.
#[derive(Clone, Debug)]
struct Update {
    name: &'static str,
    /// The day in January 2026 on which 1.1.0 was published.
    day: u32,
    /// The crates whose 1.1.0 its 1.1.0 needs.
    needs: Vec<&'static str>,
}

fn update(name: &'static str, day: u32, needs: &[&'static str]) -> Update {
    Update {
        name,
        day,
        needs: needs.to_vec(),
    }
}

struct Refresh {
    project: Project,
    registry: LocalRegistry,
    names: Vec<&'static str>,
    /// The crates whose 1.1.0 the manifest of the head needs.
    needed: Vec<&'static str>,
}

fn manifest(lines: &str) -> String {
    format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n{lines}"
    )
}

impl Refresh {
    fn new(updates: &[Update], policy: &str) -> Self {
        Self::needing(&[], updates, policy)
    }

    /// One whose head has a manifest that needs these.
    fn needing(needed: &[&'static str], updates: &[Update], policy: &str) -> Self {
        let mut registry = LocalRegistry::new();
        let mut lines = String::new();
        for it in updates {
            registry
                .krate(it.name, "1.0.0")
                .published("2024-01-01T00:00:00Z")
                .publish();
            lines.push_str(&format_args!("{} = \"1\"\n", it.name).to_string());
        }
        let project = Project::new(&registry)
            .file("Cargo.toml", &manifest(&lines))
            .file("src/main.rs", "fn main() {}\n")
            .locked();
        for path in ["Cargo.toml", "src/main.rs", "Cargo.lock"] {
            let text = fs::read_to_string(project.dir().join(path)).unwrap();
            write(&project.beside("base").join(path), &text);
        }
        write(&project.beside("policy.toml"), policy);
        for it in updates {
            let time = format!("2026-01-{:02}T00:00:00Z", it.day);
            let mut krate = registry.krate(it.name, "1.1.0").published(&time);
            for needed in &it.needs {
                krate = krate.dep(needed, "^1.1");
            }
            krate.publish();
        }
        let mut changed = lines.clone();
        for name in needed {
            changed = changed.replace(&format!("{name} = \"1\""), &format!("{name} = \"1.1\""));
        }
        write(&project.dir().join("Cargo.toml"), &manifest(&changed));
        project.cargo(&["update", "--offline"]);
        Self {
            project,
            registry,
            needed: needed.to_vec(),
            names: updates.iter().map(|it| it.name).collect(),
        }
    }

    fn run(&self, command: &str, head: &Path, more: &[&str]) -> Output {
        canary()
            .args([command, "--offline", "--no-progress", "--as-of", TODAY])
            .arg("--base")
            .arg(self.project.beside("base"))
            .arg("--head")
            .arg(head)
            .arg("--policy")
            .arg(self.project.beside("policy.toml"))
            .arg("--cache")
            .arg(self.project.beside("cache"))
            .args(more)
            .env("CARGO_HOME", self.project.home())
            .env("CARGO_CANARY_CACHE", self.project.beside("cache"))
            .current_dir(self.project.beside(""))
            .output()
            .unwrap()
    }

    fn subset(&self, more: &[&str]) -> (Option<i32>, Value) {
        let mut all = vec!["--format", "json"];
        all.extend(more);
        let output = self.run("subset", &self.project.dir(), &all);
        let answer = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code(), answer)
    }

    /// A copy of the project with this lock file.
    fn with_lock(&self, name: &str, lock: &str) -> PathBuf {
        let dir = self.project.beside(name);
        for path in ["Cargo.toml", "src/main.rs"] {
            let text = fs::read_to_string(self.project.dir().join(path)).unwrap();
            write(&dir.join(path), &text);
        }
        write(&dir.join("Cargo.lock"), lock);
        dir
    }

    fn passes(&self, dir: &Path) -> bool {
        let code = self.run("check", dir, &["--format", "json"]).status.code();
        assert!(matches!(code, Some(0 | 1 | 3)), "{code:?}");
        code == Some(0)
    }

    /// The most updates with which `check` passes, found the slow way.
    fn by_force(&self) -> usize {
        let count = self.names.len();
        let mut most = 0;
        for set in 0..1_usize << count {
            let mut lines = String::new();
            for (at, name) in self.names.iter().enumerate() {
                let minor = (set >> at) & 1;
                lines.push_str(&format_args!("{name} = \"=1.{minor}.0\"\n").to_string());
            }
            let pinned = Project::new(&self.registry)
                .file("Cargo.toml", &manifest(&lines))
                .file("src/main.rs", "fn main() {}\n");
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let made = std::process::Command::new(cargo)
                .args(["generate-lockfile", "--offline"])
                .current_dir(pinned.dir())
                .env("CARGO_HOME", pinned.home())
                .output()
                .unwrap();
            let size = set.count_ones() as usize;
            let lacks = |name: &&str| {
                let at = self.names.iter().position(|it| it == name).unwrap();
                (set >> at) & 1 == 0
            };
            if !made.status.success() || size <= most || self.needed.iter().any(lacks) {
                continue;
            }
            let dir = self.with_lock("forced", &pinned.lock());
            if self.passes(&dir) {
                most = size;
            }
        }
        most
    }

    /// The answer's lock file passes and is taken by cargo, and its commands lead
    /// to it from both sides. Returns how many updates it has.
    fn prove(&self) -> (usize, Value) {
        let out = self.project.beside("out.lock");
        let (code, answer) = self.subset(&["--output-lock", &out.display().to_string()]);
        assert_eq!(code, Some(0), "{answer}");
        let lock = fs::read_to_string(&out).unwrap();
        let dir = self.with_lock("taken", &lock);
        assert!(self.passes(&dir), "{answer}");
        self.cargo(&dir, &["update", "--workspace", "--locked", "--offline"]);
        // From the base's lock file as cargo takes it with the manifest of the head.
        for (commands, start) in [("commands", "base"), ("from-head", "project")] {
            let start = self.project.beside(start).join("Cargo.lock");
            let dir = self.with_lock("walked", &fs::read_to_string(start).unwrap());
            for command in answer[commands].as_array().unwrap() {
                let words: Vec<&str> = command.as_str().unwrap().split(' ').skip(1).collect();
                self.cargo(&dir, &[&words[..], &["--offline"]].concat());
            }
            let walked = fs::read_to_string(dir.join("Cargo.lock")).unwrap();
            assert_eq!(walked, lock, "{commands}: {answer}");
        }
        (answer["taken"].as_array().unwrap().len(), answer)
    }

    fn cargo(&self, dir: &Path, args: &[&str]) {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = std::process::Command::new(cargo);
        command
            .args(args)
            .current_dir(dir)
            .env("CARGO_HOME", self.project.home());
        crate::support::project::run(&mut command);
    }
}

/// Releases wait a week.
const WAIT: &str = "version = 1\nrisk = { canary = 99, block = 100 }\n[gaps]\ndefault = \"pass\"\n\
    [[rule]]\nid = \"cooldown\"\nwhen = \"release.age_days < 7.0\"\nthen = \"canary\"\n\
    reason = \"less than a week old\"\n";

/// The same, and no more than two updates at once.
const FEW: &str = "version = 1\nrisk = { canary = 99, block = 100 }\n[gaps]\ndefault = \"pass\"\n\
    [[rule]]\nid = \"cooldown\"\nwhen = \"release.age_days < 7.0\"\nthen = \"canary\"\n\
    reason = \"less than a week old\"\n\
    [[rule]]\nid = \"few\"\nscope = \"difference\"\nwhen = \"difference.upgrades > 2\"\nthen = \"block\"\n\
    reason = \"more than two updates at once\"\n";

#[test]
fn what_is_old_enough_goes_in_and_the_rest_waits_until_its_day() {
    let refresh = Refresh::new(
        &[
            update("a", 2, &[]),
            update("b", 18, &[]),
            update("c", 17, &[]),
            update("f", 3, &["c"]),
        ],
        WAIT,
    );
    let (size, answer) = refresh.prove();
    assert_eq!((size, answer["whole"].as_str()), (1, Some("canary")));
    let held: Vec<(&str, Option<&str>)> = answer["held-back"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["package"].as_str().unwrap(), it["until"].as_str()))
        .collect();
    assert_eq!(
        held,
        [
            ("b", Some("2026-01-25")),
            ("c", Some("2026-01-24")),
            ("f", Some("2026-01-24"))
        ]
    );
    let waits_for = answer["held-back"][2]["waits-for"][0].as_str().unwrap();
    assert_eq!(
        waits_for,
        "comes with an update that waits: f 1.1.0 needs c ^1.1"
    );
    assert_eq!(answer["proven-largest"], true);
    let text =
        String::from_utf8(refresh.run("subset", &refresh.project.dir(), &[]).stdout).unwrap();
    assert!(
        text.starts_with("1 OF 4 UPDATES CAN GO IN NOW, 3 have to wait\n"),
        "{text}"
    );
}

#[test]
fn what_only_comes_along_names_what_it_comes_with() {
    let mut registry = LocalRegistry::new();
    for name in ["c", "low"] {
        registry
            .krate(name, "1.0.0")
            .published("2024-01-01T00:00:00Z")
            .publish();
    }
    let a = registry
        .krate("a", "1.0.0")
        .published("2024-01-01T00:00:00Z");
    a.dep("low", "1").publish();
    let lines = "a = \"1\"\nc = \"1\"\n";
    let project = Project::new(&registry)
        .file("Cargo.toml", &manifest(lines))
        .file("src/main.rs", "fn main() {}\n")
        .locked();
    for path in ["Cargo.toml", "src/main.rs", "Cargo.lock"] {
        let text = fs::read_to_string(project.dir().join(path)).unwrap();
        write(&project.beside("base").join(path), &text);
    }
    write(&project.beside("policy.toml"), WAIT);
    registry
        .krate("c", "1.1.0")
        .published("2024-02-01T00:00:00Z")
        .publish();
    registry
        .krate("low", "2.0.0")
        .published("2024-02-01T00:00:00Z")
        .publish();
    let a = registry
        .krate("a", "1.1.0")
        .published("2026-01-18T00:00:00Z");
    a.dep("low", "2").publish();
    project.cargo(&["update", "--offline"]);
    let refresh = Refresh {
        project,
        registry,
        names: Vec::new(),
        needed: Vec::new(),
    };
    let (size, answer) = refresh.prove();
    assert_eq!(size, 1, "{answer}");
    let low = &answer["held-back"][1];
    assert_eq!(low["package"], "low");
    assert_eq!(
        low["waits-for"],
        serde_json::json!(["comes with an update that waits: a 1.0.0 needs low 1.0.0"])
    );
    assert_eq!(low["until"], answer["held-back"][0]["until"]);
}

#[test]
fn a_release_that_cannot_stay_beside_what_the_manifest_needs_comes_in() {
    let mut registry = LocalRegistry::new();
    let old = "2024-01-01T00:00:00Z";
    registry.krate("y", "1.0.0").published(old).publish();
    let n = registry.krate("n", "1.0.0").published(old);
    n.dep("y", "=1.0.0").publish();
    let lines = "n = \"1\"\ny = \"1\"\n";
    let project = Project::new(&registry)
        .file("Cargo.toml", &manifest(lines))
        .file("src/main.rs", "fn main() {}\n")
        .locked();
    for path in ["Cargo.toml", "src/main.rs", "Cargo.lock"] {
        let text = fs::read_to_string(project.dir().join(path)).unwrap();
        write(&project.beside("base").join(path), &text);
    }
    write(&project.beside("policy.toml"), WAIT);
    registry
        .krate("y", "1.1.0")
        .published("2024-02-01T00:00:00Z")
        .publish();
    let n = registry
        .krate("n", "1.1.0")
        .published("2026-01-18T00:00:00Z");
    n.dep("y", "^1.1").publish();
    let newer = lines.replace("y = \"1\"", "y = \"1.1\"");
    write(&project.dir().join("Cargo.toml"), &manifest(&newer));
    project.cargo(&["update", "--offline"]);
    let refresh = Refresh {
        project,
        registry,
        names: Vec::new(),
        needed: Vec::new(),
    };
    let (code, answer) = refresh.subset(&[]);
    assert_eq!((code, &answer["way"]), (Some(3), &Value::from("none")));
    assert_eq!(answer["held-back"][0]["package"], "n", "{answer}");
}

#[test]
fn where_all_pass_all_go_in() {
    let refresh = Refresh::new(&[update("a", 2, &[]), update("f", 3, &["a"])], WAIT);
    let (size, answer) = refresh.prove();
    assert_eq!(
        (size, &answer["proven-largest"]),
        (2, &Value::Bool(true)),
        "{answer}"
    );
    assert!(answer["held-back"].as_array().unwrap().is_empty());
}

#[test]
fn where_none_passes_the_exit_code_is_that_of_the_whole() {
    let refresh = Refresh::new(&[update("a", 18, &[]), update("b", 19, &["a"])], WAIT);
    let (code, answer) = refresh.subset(&[]);
    assert_eq!(code, Some(3), "{answer}");
    assert!(answer["taken"].as_array().unwrap().is_empty());
    assert_eq!(answer["held-back"].as_array().unwrap().len(), 2);
}

#[test]
fn what_the_manifest_needs_comes_in_before_the_rest() {
    let updates = ["a", "b", "c", "d"].map(|name| update(name, 2, &[]));
    for needed in ["a", "d"] {
        let refresh = Refresh::needing(&[needed], &updates, FEW);
        let (code, answer) = refresh.subset(&[]);
        let taken = answer["taken"].as_array().unwrap();
        assert_eq!((code, taken.len()), (Some(0), 2), "{answer}");
        assert!(taken.iter().any(|it| it["package"] == needed), "{answer}");
        assert_eq!(answer["proven-largest"], true);
    }
}

#[test]
fn what_the_manifest_needs_and_the_policy_holds_back_is_named() {
    let updates = [
        update("a", 2, &[]),
        update("b", 18, &[]),
        update("c", 3, &[]),
    ];
    let refresh = Refresh::needing(&["b"], &updates, WAIT);
    let (code, answer) = refresh.subset(&[]);
    assert_eq!((code, &answer["way"]), (Some(3), &Value::from("none")));
    assert_eq!(
        answer["because"],
        "app 0.1.0 needs b ^1.1, which does not pass with all others held back"
    );
    let held = answer["held-back"].as_array().unwrap();
    assert_eq!((held.len(), &held[0]["package"]), (1, &Value::from("b")));
    assert_eq!(
        held[0]["waits-for"][0],
        "canary (cooldown): less than a week old"
    );
}

#[test]
fn a_search_that_is_cut_off_says_so() {
    let updates: Vec<Update> = ["a", "b", "c", "d", "e", "g"]
        .into_iter()
        .map(|name| update(name, 2, &[]))
        .collect();
    let refresh = Refresh::new(&updates, FEW);
    let (code, answer) = refresh.subset(&["--tries", "5"]);
    assert_eq!(code, Some(0), "{answer}");
    assert_eq!(answer["proven-largest"], false);
    assert_eq!(answer["taken"].as_array().unwrap().len(), 2);
}

/// Small refreshes, made up from a number.
fn made_up(mut seed: u64) -> Vec<Update> {
    let mut next = |below: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let names = ["a", "b", "c", "d"];
    names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let day = if next(2) == 0 { 3 } else { 18 };
            // Only later ones need earlier ones, so that there is no circle.
            let needs = names[..at]
                .iter()
                .copied()
                .filter(|_| next(3) == 0)
                .collect();
            Update { name, day, needs }
        })
        .collect()
}

#[test]
fn no_larger_set_passes() {
    for seed in 1..=6 {
        let updates = made_up(seed);
        let policy = if seed % 2 == 0 { WAIT } else { FEW };
        let refresh = match seed {
            1..=4 => Refresh::new(&updates, policy),
            _ => Refresh::needing(&["a"], &updates, policy),
        };
        let most = refresh.by_force();
        let (code, answer) = refresh.subset(&[]);
        let taken = answer["taken"].as_array().unwrap().len();
        assert_eq!(taken, most, "{updates:?} {answer}");
        // Where what the manifest needs does not pass there is no set at all.
        let proven = &answer["proven-largest"];
        assert_eq!(proven, &(answer["way"] != "none"), "{updates:?} {answer}");
        if most > 0 {
            assert_eq!(refresh.prove().0, most);
        } else {
            assert_ne!(code, Some(0));
        }
    }
}
