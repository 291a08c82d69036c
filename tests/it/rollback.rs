//! The command `rollback` on tiny crates of our own, and its answers put to the
//! proof by cargo itself, in the project's directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::local_registry::{Dep, LocalRegistry};
use crate::support::project::{Project, git_repository, write};
use crate::support::workload::canary;

/// A refresh of a few packages: `f` 1.1 needs the new `c`; `b` 1.1 gains `extra`;
/// `h` is needed in the new version by the manifest; `tokio` fixes an advisory;
/// `y` cannot go back; `p` and `q` are bound to one release of `r`.
struct Refresh {
    project: Project,
    _registry: LocalRegistry,
}

const MANIFEST: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
    [dependencies]\na = \"1\"\nb = \"1\"\nc = \"1\"\nf = \"1\"\nh = \"1.1\"\ntokio = \"1\"\n\
    p = \"1\"\nq = \"1\"\ny = \"1\"\nz = { version = \"1\", features = [\"fast\"] }\n";

fn refresh() -> Refresh {
    let mut registry = LocalRegistry::new();
    for name in ["a", "b", "c", "f", "h", "r"] {
        registry.krate(name, "1.0.0").publish();
    }
    for name in ["p", "q"] {
        registry.krate(name, "1.0.0").dep("r", "=1.0.0").publish();
    }
    registry.krate("tokio", "1.6.1").publish();
    registry.krate("y", "1.0.0").yanked().publish();
    let codec = Dep::new("codec", "1").optional();
    registry
        .krate("z", "1.0.0")
        .with(codec.clone())
        .feature("fast", &["codec"])
        .publish();
    registry.krate("codec", "1.0.0").publish();
    let older = MANIFEST.replace("h = \"1.1\"", "h = \"1\"");
    let project = Project::new(&registry)
        .file("Cargo.toml", &older)
        .file("src/main.rs", "fn main() {}\n");
    // The withdrawn release gets into a lock file while it is not withdrawn.
    registry.krate("y", "1.0.0").publish();
    let project = project.locked();
    keep_as_base(&project, &older);
    registry.krate("y", "1.0.0").yanked().publish();
    for name in ["a", "c", "h", "y", "r", "codec"] {
        registry.krate(name, "1.1.0").publish();
    }
    registry.krate("extra", "1.0.0").publish();
    registry.krate("b", "1.1.0").dep("extra", "1").publish();
    registry.krate("f", "1.1.0").dep("c", "^1.1").publish();
    for name in ["p", "q"] {
        registry.krate(name, "1.1.0").dep("r", "=1.1.0").publish();
    }
    registry.krate("tokio", "1.8.4").publish();
    let codec = Dep::new("codec", "^1.1").optional();
    registry
        .krate("z", "1.1.0")
        .with(codec)
        .feature("fast", &["codec"])
        .publish();
    fs::write(project.dir().join("Cargo.toml"), MANIFEST).unwrap();
    project.cargo(&["update", "--offline"]);
    Refresh {
        project,
        _registry: registry,
    }
}

fn keep_as_base(project: &Project, manifest: &str) {
    write(&project.beside("base/Cargo.lock"), &project.lock());
    write(&project.beside("base/Cargo.toml"), manifest);
    write(&project.beside("base/src/main.rs"), "fn main() {}\n");
}

impl Refresh {
    fn rollback(&self, more: &[&str]) -> Output {
        self.between(&self.project.beside("base"), &self.project.dir(), more)
    }

    fn between(&self, base: &Path, head: &Path, more: &[&str]) -> Output {
        canary()
            .args([
                "rollback",
                "--offline",
                "--no-progress",
                "--as-of",
                "2026-01-01",
            ])
            .arg("--base")
            .arg(base)
            .arg("--head")
            .arg(head)
            .arg("--cache")
            .arg(self.project.beside("cache"))
            .args(more)
            .env("CARGO_HOME", self.project.home())
            .env("CARGO_CANARY_CACHE", self.project.beside("cache"))
            .current_dir(self.project.beside(""))
            .output()
            .unwrap()
    }

    /// The answer for one change, and the lock file it leads to.
    fn answer(&self, change: &str) -> (Option<i32>, Value, Option<String>) {
        let lock = self.project.beside("out.lock");
        let _ = fs::remove_file(&lock);
        let lock_text = lock.display().to_string();
        let output = self.rollback(&[
            "--change",
            change,
            "--format",
            "json",
            "--output-lock",
            &lock_text,
        ]);
        let answer = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code(), answer, fs::read_to_string(&lock).ok())
    }

    /// Runs the commands of an answer where the project is, as a person would.
    fn follow(&self, answer: &Value) {
        for command in answer["commands"].as_array().unwrap() {
            let words: Vec<&str> = command.as_str().unwrap().split(' ').collect();
            assert_eq!(words[..2], ["cargo", "update"]);
            let mut args = words[1..].to_vec();
            args.push("--offline");
            self.project.cargo(&args);
        }
    }
}

fn versions(lock: &str) -> BTreeMap<String, String> {
    let lock: toml::Table = toml::from_str(lock).unwrap();
    let packages = lock["package"].as_array().unwrap();
    let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
    packages
        .iter()
        .map(|package| (text(package, "name"), text(package, "version")))
        .collect()
}

fn words(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

#[test]
fn each_update_of_a_refresh_goes_back_as_the_commands_say() {
    for (change, moved) in [
        ("a", vec!["a"]),
        // Nothing that was not there before needs `extra`.
        ("b", vec!["b", "extra"]),
        // `f` cannot stay beside the old `c`, and goes first.
        ("c", vec!["c", "f"]),
        ("f", vec!["f"]),
        ("tokio", vec!["tokio"]),
        ("z", vec!["z"]),
        ("codec", vec!["codec", "z"]),
    ] {
        let refresh = refresh();
        let before = versions(&refresh.project.lock());
        let (code, answer, lock) = refresh.answer(change);
        assert_eq!(
            (code, &answer["way"]),
            (Some(0), &Value::from("commands")),
            "{answer}"
        );
        let lock = lock.unwrap();
        assert_eq!(
            answer["lock"],
            refresh.project.beside("out.lock").display().to_string()
        );
        refresh.follow(&answer);
        assert_eq!(refresh.project.lock(), lock, "{change}");
        refresh.project.cargo(&["build", "--locked", "--offline"]);
        let after = versions(&lock);
        let differ: Vec<&str> = before
            .iter()
            .filter(|(name, version)| after.get(*name) != Some(*version))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(differ, moved, "{change}");
        let held: Vec<&str> = answer["held-back"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["package"].as_str().unwrap())
            .collect();
        assert_eq!(held, moved);
    }
}

#[test]
fn what_moves_along_says_why() {
    let (_, answer, _) = refresh().answer("c");
    assert_eq!(
        words(&answer["commands"]),
        [
            "cargo update -p f --precise 1.0.0",
            "cargo update -p c --precise 1.0.0"
        ]
    );
    assert_eq!(answer["held-back"][1]["because"], "f 1.1.0 needs c ^1.1");
    assert_eq!(answer["held-back"][1]["asked"], false);
}

#[test]
fn what_the_manifest_needs_does_not_go_back() {
    let (code, answer, lock) = refresh().answer("h");
    assert_eq!((code, answer["way"].as_str()), (Some(1), Some("none")));
    assert_eq!(answer["because"], "app 0.1.0 needs h ^1.1");
    assert!(words(&answer["commands"]).is_empty() && lock.is_none() && answer["lock"].is_null());
}

#[test]
fn the_whole_difference_goes_back_as_far_as_the_manifest_lets_it() {
    let refresh = refresh();
    let lock = refresh.project.beside("out.lock");
    let lock_text = lock.display().to_string();
    let output = refresh.rollback(&["--output-lock", &lock_text]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("h stays as it is: app 0.1.0 needs h ^1.1"),
        "{text}"
    );
    let mut expected =
        versions(&fs::read_to_string(refresh.project.beside("base/Cargo.lock")).unwrap());
    expected.insert("h".to_owned(), "1.1.0".to_owned());
    assert_eq!(versions(&fs::read_to_string(lock).unwrap()), expected);
    assert!(text.contains("y 1.0.0 is withdrawn (yanked)"), "{text}");
    // What went back as a whole has no update that could be blamed.
    assert!(!text.contains("ledger impact"), "{text}");
}

#[test]
fn an_advisory_that_applies_again_is_named_and_the_way_is_found_all_the_same() {
    let refresh = refresh();
    let (code, answer, _) = refresh.answer("tokio");
    assert_eq!(code, Some(0));
    let ids: Vec<&str> = answer["reopened"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"RUSTSEC-2021-0072"), "{ids:?}");
    let output = refresh.rollback(&["--change", "tokio"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("WAY BACK FOUND") && text.contains("it reopens"),
        "{text}"
    );
    let record = "Once it is done, record it\n  cargo-canary ledger impact --package tokio \
        --version 1.8.4 --effect rolled-back\n";
    assert!(text.contains(record), "{text}");
}

#[test]
fn packages_that_are_bound_together_go_back_by_lock_file() {
    let refresh = refresh();
    let (code, answer, lock) = refresh.answer("r");
    assert_eq!((code, answer["way"].as_str()), (Some(0), Some("lock-file")));
    assert!(words(&answer["commands"]).is_empty());
    let after = versions(&lock.clone().unwrap());
    for name in ["p", "q", "r"] {
        assert_eq!(after[name], "1.0.0");
    }
    fs::write(refresh.project.dir().join("Cargo.lock"), lock.unwrap()).unwrap();
    refresh.project.cargo(&["build", "--locked", "--offline"]);
}

#[test]
fn an_optional_dependency_can_be_left_out_in_the_place_of_going_back() {
    let refresh = refresh();
    let (code, answer, _) = refresh.answer("y");
    // It goes back, to a release that is withdrawn.
    assert_eq!(code, Some(0));
    assert!(
        words(&answer["breaks"])[0].contains("withdrawn"),
        "{answer}"
    );
    let manifest = MANIFEST.replace("y = \"1\"\n", "y = { version = \"1\", optional = true }\n");
    fs::write(refresh.project.dir().join("Cargo.toml"), manifest).unwrap();
    let (_, answer, _) = refresh.answer("y");
    let other = answer["alternatives"][0]["text"].as_str().unwrap();
    assert!(
        other.contains("build app without the feature that switches on y"),
        "{other}"
    );
}

#[test]
fn two_lock_files_alone_are_enough_and_that_is_said() {
    let refresh = refresh();
    let head = refresh.project.beside("head.lock");
    fs::copy(refresh.project.dir().join("Cargo.lock"), &head).unwrap();
    let base = refresh.project.beside("base/Cargo.lock");
    let out = refresh.project.beside("out.lock");
    let out_text = out.display().to_string();
    let more = [
        "--change",
        "c",
        "--format",
        "json",
        "--output-lock",
        &out_text,
    ];
    let output = refresh.between(&base, &head, &more);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{answer}");
    assert_eq!(words(&answer["commands"]).len(), 2);
    assert!(words(&answer["notes"])[0].contains("the head is a lock file alone"));
    let (_, _, lock) = refresh.answer("c");
    assert_eq!(fs::read_to_string(out).unwrap(), lock.unwrap());
}

#[test]
fn without_the_index_nothing_is_checked_and_the_exit_code_says_so() {
    let refresh = refresh();
    fs::remove_file(refresh.project.home().join("config.toml")).unwrap();
    let (code, answer, _) = refresh.answer("a");
    assert_eq!((code, answer["way"].as_str()), (Some(4), Some("unchecked")));
    assert_eq!(
        words(&answer["commands"]),
        ["cargo update -p a --precise 1.0.0"]
    );
    assert_eq!(answer["checked"], false);
}

#[test]
fn a_branch_and_a_patch_are_made_and_the_work_tree_stays_as_it_is() {
    let refresh = refresh();
    let dir = refresh.project.dir();
    fs::write(dir.join(".gitignore"), "target\n").unwrap();
    let commit = git_repository(&dir);
    let git = |args: &[&str]| -> String {
        let mut command = std::process::Command::new("git");
        command.args(args).current_dir(&dir);
        crate::support::project::run(&mut command)
    };
    let (patch, lock) = (
        refresh.project.beside("p.patch"),
        refresh.project.beside("l.lock"),
    );
    let (patch_text, lock_text) = (patch.display().to_string(), lock.display().to_string());
    let dir_text = dir.display().to_string();
    let arguments = [
        "-C",
        &dir_text,
        "--change",
        "a",
        "--branch",
        "undo/a",
        "--patch",
        &patch_text,
        "--output-lock",
        &lock_text,
    ];
    let base = refresh.project.beside("base");
    let output = refresh.between(&base, Path::new("git:HEAD"), &arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(git(&["status", "--porcelain"]), "");
    assert_eq!(
        git(&["rev-parse", "HEAD", "undo/a^"]),
        format!("{commit}\n{commit}\n")
    );
    assert_eq!(
        git(&["diff", "--name-only", "HEAD", "undo/a"]),
        "Cargo.lock\n"
    );
    let written = fs::read_to_string(&lock).unwrap();
    assert_eq!(git(&["show", "undo/a:Cargo.lock"]), written);
    git(&["apply", &patch_text]);
    assert_eq!(refresh.project.lock(), written);
    // A branch that is there stays as it is, and so does what is no name of one.
    for name in ["undo/a", "-x", "a..b", "x\u{1b}[31m"] {
        let branch = format!("--branch={name}");
        let more = ["-C", &dir_text, "--change", "a", &branch];
        let output = refresh.between(&base, Path::new("git:HEAD"), &more);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(!output.stderr.contains(&0x1b));
    }
}

#[test]
fn a_name_that_did_not_change_is_refused_with_the_nearest() {
    let output = refresh().rollback(&["--change", "toki"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("there is a change of `tokio`"), "{text}");
}

#[test]
fn the_page_for_a_phone_shows_the_commands_and_runs_nothing() {
    let refresh = refresh();
    let output = refresh.rollback(&["--change", "c", "--format", "html"]);
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("cargo update -p f --precise 1.0.0\ncargo update -p c --precise 1.0.0"));
    assert!(page.contains("ledger impact --package c --version 1.1.0 --effect rolled-back\n"));
    assert!(page.contains("width=device-width") && !page.contains("<script"));
}

#[test]
fn a_package_that_the_manifest_names_too_moves_with_the_one_that_it_is_bound_to() {
    let mut registry = LocalRegistry::new();
    let publish = |registry: &mut LocalRegistry, version: &str| {
        registry.krate("derive", version).publish();
        let bound = format!("={version}");
        registry
            .krate("serial", version)
            .dep("derive", &bound)
            .publish();
    };
    publish(&mut registry, "1.0.0");
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
        [dependencies]\nserial = \"1\"\nderive = \"1\"\n";
    let project = Project::new(&registry)
        .file("Cargo.toml", manifest)
        .file("src/main.rs", "fn main() {}\n")
        .locked();
    keep_as_base(&project, manifest);
    publish(&mut registry, "1.1.0");
    project.cargo(&["update", "--offline"]);
    let refresh = Refresh {
        project,
        _registry: registry,
    };
    let (code, answer, lock) = refresh.answer("serial");
    assert_eq!(code, Some(0), "{answer}");
    refresh.follow(&answer);
    assert_eq!(refresh.project.lock(), lock.unwrap(), "{answer}");
    assert_eq!(versions(&refresh.project.lock())["derive"], "1.0.0");
}

#[test]
fn what_came_in_new_with_what_the_manifest_needs_holds_what_it_needs_in_turn() {
    let mut registry = LocalRegistry::new();
    for name in ["a", "k", "n"] {
        registry.krate(name, "1.0.0").publish();
    }
    let older = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
        [dependencies]\na = \"1\"\nk = \"1\"\nn = \"1\"\n";
    let project = Project::new(&registry)
        .file("Cargo.toml", older)
        .file("src/main.rs", "fn main() {}\n")
        .locked();
    keep_as_base(&project, older);
    for name in ["a", "n"] {
        registry.krate(name, "1.1.0").publish();
    }
    registry.krate("lower", "1.0.0").dep("n", "^1.1").publish();
    registry.krate("upper", "1.0.0").dep("lower", "1").publish();
    registry.krate("k", "1.1.0").dep("upper", "1").publish();
    let newer = older.replace("k = \"1\"", "k = \"1.1\"");
    fs::write(project.dir().join("Cargo.toml"), newer).unwrap();
    project.cargo(&["update", "--offline"]);
    let refresh = Refresh {
        project,
        _registry: registry,
    };
    let output = refresh.rollback(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("\n  cargo update -p a --precise 1.0.0\n\n"),
        "{text}"
    );
    for stays in [
        "k stays as it is: app 0.1.0 needs k ^1.1",
        "n stays as it is: lower 1.0.0 needs n ^1.1",
    ] {
        assert!(text.contains(stays), "{text}");
    }
    // For one update alone the reason leads to what stands against it.
    let (code, answer, _) = refresh.answer("n");
    assert_eq!(code, Some(1), "{answer}");
    assert_eq!(
        answer["because"],
        "lower 1.0.0 needs n ^1.1, and upper 1.0.0 needs lower, and k 1.1.0 needs upper, \
         and app 0.1.0 needs k ^1.1"
    );
}
