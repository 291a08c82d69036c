//! The command `bisect` on tiny crates of our own: two updates that fail only
//! together, one that brings another along, one that does not compile alone.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::local_registry::LocalRegistry;
use crate::support::project::Project;
use crate::support::workload::{canary, ended_by, wait_until_gone};

/// Crates `a` to `f`, all updated from 1.0.0 to 1.1.0. The program fails when
/// `b` and `e` are both new; `f` needs the new `c`.
struct Planted {
    project: Project,
    _registry: LocalRegistry,
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn planted(fails_when: &str) -> Planted {
    let mut registry = LocalRegistry::new();
    for name in NAMES {
        registry
            .krate(name, "1.0.0")
            .file("src/lib.rs", "pub fn new() -> bool { false }\n")
            .publish();
    }
    let mut manifest =
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n"
            .to_owned();
    for name in NAMES {
        manifest.push_str(&format_args!("{name} = \"1\"\n").to_string());
    }
    let program = format!("fn main() {{ std::process::exit(i32::from({fails_when})); }}\n");
    let project = Project::new(&registry)
        .file("Cargo.toml", &manifest)
        .file("src/main.rs", &program)
        .locked();
    std::fs::write(project.beside("base.lock"), project.lock()).unwrap();
    for name in NAMES {
        let release = registry
            .krate(name, "1.1.0")
            .file("src/lib.rs", "pub fn new() -> bool { true }\n");
        if name == "f" {
            release.dep("c", "^1.1").publish();
        } else {
            release.publish();
        }
    }
    project.cargo(&["update", "--offline"]);
    std::fs::write(project.beside("head.lock"), project.lock()).unwrap();
    Planted {
        project,
        _registry: registry,
    }
}

impl Planted {
    fn work(&self) -> PathBuf {
        self.project.beside("work")
    }

    fn bisect(&self, format: &str) -> Output {
        self.command(format).output().unwrap()
    }

    fn command(&self, format: &str) -> Command {
        let mut command = canary();
        command
            .args([
                "bisect",
                "--offline",
                "--format",
                format,
                "--build-args",
                "",
            ])
            .arg("-C")
            .arg(self.project.dir())
            .arg("--base")
            .arg(self.project.beside("base.lock"))
            .arg("--head")
            .arg(self.project.beside("head.lock"))
            .arg("--work")
            .arg(self.work())
            .args(["--", "sh", "-c", "$CARGO_TARGET_DIR/debug/app"])
            .env("CARGO_HOME", self.project.home())
            .env_remove("CI");
        command
    }
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn two_updates_that_only_fail_together_are_found_and_a_second_run_goes_on() {
    let planted = planted(
        "b::new() && e::new() && a::new() == a::new() && c::new() | d::new() | f::new() | true",
    );
    let first = planted.bisect("json");
    let found = json(&first);
    assert_eq!(first.status.code(), Some(0), "{found}");
    assert_eq!(found["guilty"], serde_json::json!(["b", "e"]), "{found}");
    assert_eq!(found["proof"]["guilty-alone-fail"], true);
    assert_eq!(found["proof"]["all-others-are-well"], true);
    assert_eq!(found["candidates"], 6);
    let builds = found["builds"].as_u64().unwrap();
    assert!(builds <= 12, "{builds} builds");
    assert_eq!(found["steps"].as_array().unwrap().len() as u64, builds);

    // As after a kill: half of the log is there, and the rest is made again.
    let path = planted.work().join("bisect.json");
    let mut log: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    log["steps"].as_array_mut().unwrap().truncate(3);
    std::fs::write(&path, log.to_string()).unwrap();
    let again = json(&planted.bisect("json"));
    assert_eq!(again["guilty"], found["guilty"]);
    assert_eq!(again["resumed"], 3);
    assert_eq!(again["builds"], found["builds"]);
}

#[test]
fn killed_at_any_moment_it_leaves_nothing_running_and_the_next_run_goes_on() {
    let planted = planted(
        "b::new() && e::new() && a::new() == a::new() && c::new() | d::new() | f::new() | true",
    );
    let log = planted.work().join("bisect.json");
    let steps = || -> usize {
        let Ok(bytes) = std::fs::read(&log) else {
            return 0;
        };
        let log: Value = serde_json::from_slice(&bytes).expect("a whole log");
        log["steps"].as_array().unwrap().len()
    };
    let mut most = 0;
    for (round, signal) in (1..).zip(["KILL", "TERM", "INT", "KILL", "TERM", "INT"]) {
        let mark = format!("bisect-{round}-of-{}", std::process::id());
        let tool = planted
            .command("json")
            .env("CANARY_TEST_MARK", &mark)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while round > 3 && steps() <= most && start.elapsed() < Duration::from_secs(60) {
            // The later ones get as far as one trial more.
            std::thread::sleep(Duration::from_millis(20));
        }
        ended_by(signal, tool, Duration::from_millis(150 * round));
        wait_until_gone(&mark);
        let now = steps();
        assert!(now >= most, "{most} trials were known, now {now}");
        most = now;
    }
    let found = json(&planted.bisect("json"));
    assert_eq!(found["guilty"], serde_json::json!(["b", "e"]), "{found}");
    assert!(most >= 3, "{most} trials before the last run");
    assert_eq!(found["resumed"], most, "{found}");
}

#[test]
fn an_update_that_comes_along_is_not_blamed_for_the_guilty_one() {
    let planted =
        planted("c::new() && a::new() | b::new() | d::new() | e::new() | f::new() | true");
    let output = planted.bisect("text");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("guilty: c\n"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("all others together are well: yes"), "{text}");
}

#[test]
fn a_head_that_does_not_fail_is_said_to_be_well() {
    let planted = planted("false && a::new()");
    let output = planted.bisect("json");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("the head does not fail"), "{text}");
}

#[test]
fn in_ci_code_runs_only_with_the_explicit_word() {
    let output = canary()
        .args(["bisect", "--base", "a", "--head", "b", "--", "true"])
        .env("CI", "true")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("--allow-execution"), "{text}");
}
