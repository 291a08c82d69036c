//! `probe --attribute`: which crate allocated what grew. With real heaptrack where
//! `CANARY_HEAPTRACK` is set; without it, that the gap is told.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::support::project::make_executable;
use crate::support::workload::{canary, programs};

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

fn leak_with_path(path: &Path, format: &str) -> Output {
    leaking(path, format).output().unwrap()
}

fn leaking(path: &Path, format: &str) -> Command {
    let (clean, leaky) = programs();
    let whole = std::env::var("PATH").unwrap();
    // Everything that is needed, and no heaptrack.
    let others = whole
        .split(':')
        .filter(|folder| !Path::new(folder).join("heaptrack_print").exists());
    let env = others
        .clone()
        .find(|folder| Path::new(folder).join("env").exists());
    let tools = path.join("tools");
    if env.is_none() && !tools.exists() {
        std::fs::create_dir_all(&tools).unwrap();
        std::os::unix::fs::symlink("/usr/bin/env", tools.join("env")).unwrap();
    }
    let folders = [path.join("bin"), tools].map(|folder| folder.display().to_string());
    let folders: Vec<&str> = folders.iter().map(String::as_str).chain(others).collect();
    let mut command = canary();
    command
        .args(["probe", "--no-progress", "--attribute", "--duration", "4s"])
        .args(["--format", format, "--base-exe"])
        .arg(clean)
        .arg("--head-exe")
        .arg(leaky)
        .args(["--", "memory", "60", "16777216"])
        .env("PATH", folders.join(":"))
        .env("COLUMNS", "80");
    command
}

/// A heaptrack that answers with nothing, below this directory.
fn speechless(dir: &Path) {
    let file = |name: &str, content: &str| {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        make_executable(&path);
    };
    file("bin/heaptrack_print", "#!/bin/sh\nexit 3\n");
    file(
        "lib/heaptrack/libexec/heaptrack_interpret",
        "#!/bin/sh\ncat\n",
    );
    // No library: the loader says so and goes on without.
    file("lib/heaptrack/libheaptrack_preload.so", "none");
}

#[test]
fn without_heaptrack_the_gap_is_told_with_the_next_step_and_the_verdict_stays() {
    let dir = tempfile::tempdir().unwrap();
    let output = leak_with_path(dir.path(), "text");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("heaptrack is not installed"), "{text}");
    assert!(text.contains("apt-get install heaptrack"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn a_heaptrack_that_tells_nothing_or_nonsense_is_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    speechless(dir.path());
    let output = leak_with_path(dir.path(), "json");
    let found = json(&output);
    assert_eq!(output.status.code(), Some(1), "{found}");
    let gap = found["attribution"]["gap"].to_string();
    assert!(gap.contains("wrote nothing for heaptrack"), "{found}");
    assert_eq!(found["decision"], "leak");
}

#[test]
fn what_a_killed_one_left_is_removed_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    speechless(dir.path());
    let place = dir.path().join("tmp");
    std::fs::create_dir(&place).unwrap();
    let left = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&place).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let mut killed = leaking(dir.path(), "json")
        .env("TMPDIR", &place)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while left().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(60), "no directory");
        assert_eq!(killed.try_wait().unwrap(), None);
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let old = left();
    assert_eq!(old.len(), 1, "{old:?}");
    // An hour later.
    let then = SystemTime::now() - Duration::from_secs(3_600);
    let directory = std::fs::File::open(&old[0]).unwrap();
    directory.set_modified(then).unwrap();
    drop(directory);
    let next = leaking(dir.path(), "json").env("TMPDIR", &place).output();
    assert_eq!(json(&next.unwrap())["decision"], "leak");
    assert_eq!(left(), Vec::<PathBuf>::new());
}

#[test]
fn where_no_memory_leaks_there_is_nothing_to_attribute() {
    let (clean, leaky) = programs();
    let output = canary()
        .args([
            "probe",
            "--format",
            "json",
            "--attribute",
            "--duration",
            "3s",
        ])
        .arg("--base-exe")
        .arg(clean)
        .arg("--head-exe")
        .arg(leaky)
        .args(["--", "none"])
        .output()
        .unwrap();
    let found = json(&output);
    assert_eq!(found["attribution"]["gap"], "no memory leaks", "{found}");
    assert_eq!(output.status.code(), Some(0));
}

/// A library that keeps what it is given in a map, and a program that uses it.
const LIBRARY: &str = "
use std::collections::HashMap;
pub trait Keep { fn keep(self, key: u64); }
impl Keep for &mut HashMap<u64, Vec<u8>> {
    #[inline(never)]
    fn keep(self, key: u64) { self.insert(key, vec![7; 4000]); }
}
";
const PROGRAM: &str = "
use std::collections::HashMap;
use pool_of_ours::Keep;
fn main() {
    let leaky = std::env::args().next().unwrap().ends_with(\"leaky\");
    let mut kept = HashMap::new();
    let mut own: Vec<Vec<u8>> = Vec::new();
    for key in 0.. {
        std::thread::sleep(std::time::Duration::from_millis(1));
        kept.keep(if leaky { key } else { key % 100 });
        // Both builds grow a little by themselves.
        if key % 100 == 0 { own.push(vec![1; 100]); }
    }
}
";

/// The program under two names, with or without names of functions.
fn built(dir: &Path, strip: &str) -> (PathBuf, PathBuf) {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    std::fs::write(dir.join("pool_of_ours.rs"), LIBRARY).unwrap();
    std::fs::write(dir.join("program.rs"), PROGRAM).unwrap();
    let clean = dir.join(format!("clean-{strip}"));
    let run = |args: &[&str]| {
        let status = Command::new(&rustc)
            .args(["--edition", "2021", "-O"])
            .args(args)
            .current_dir(dir)
            .status()
            .unwrap();
        assert!(status.success(), "{args:?}");
    };
    run(&["--crate-type", "rlib", "pool_of_ours.rs"]);
    run(&[
        "--extern",
        "pool_of_ours=libpool_of_ours.rlib",
        "-C",
        &format!("strip={strip}"),
        "-o",
        &clean.to_string_lossy(),
        "program.rs",
    ]);
    let leaky = dir.join(format!("{strip}-leaky"));
    std::fs::copy(&clean, &leaky).unwrap();
    (clean, leaky)
}

fn attributed(programs: &(PathBuf, PathBuf), format: &str) -> Output {
    canary()
        .args(["probe", "--no-progress", "--attribute", "--duration", "12s"])
        .args(["--format", format, "--base-exe"])
        .arg(&programs.0)
        .arg("--head-exe")
        .arg(&programs.1)
        .env("COLUMNS", "80")
        .output()
        .unwrap()
}

#[test]
fn the_growth_is_attributed_to_the_crate_that_allocated_it() {
    if std::env::var_os("CANARY_HEAPTRACK").is_none() {
        println!("skipped: it needs heaptrack; install it and set CANARY_HEAPTRACK=1");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let programs = built(dir.path(), "none");
    let output = attributed(&programs, "json");
    let found = json(&output);
    assert_eq!(output.status.code(), Some(1), "{found}");
    let attribution = &found["attribution"];
    let first = &attribution["crates"][0];
    assert_eq!(first["crate"], "pool_of_ours", "{attribution}");
    let bytes = |value: &Value| value.as_f64().unwrap();
    assert!(bytes(&first["head-bytes"]) > 1e6, "{attribution}");
    assert!(bytes(&first["base-bytes"]) < 1e5, "{attribution}");
    let growth = bytes(&attribution["growth-bytes"]);
    assert!(bytes(&first["head-bytes"]) > 0.9 * growth, "{attribution}");
    let text = attributed(&programs, "text");
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(
        text.contains("most of the growth was allocated in `pool_of_ours`"),
        "{text}"
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    // Without names nothing is made up.
    let found = json(&attributed(&built(dir.path(), "symbols"), "json"));
    let attribution = &found["attribution"];
    let note = attribution["note"].to_string();
    assert!(note.contains("build without `strip`"), "{attribution}");
    assert_eq!(attribution["crates"].to_string(), "[]", "{attribution}");
}
