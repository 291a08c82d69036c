//! The command `probe` on small programs: what it says, and that nothing of a
//! workload is left behind whatever happens.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::workload::{canary, marked, programs};

struct Answered {
    code: i32,
    json: Value,
}

impl Answered {
    fn resource(&self, name: &str) -> &Value {
        self.json["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["resource"] == name)
            .unwrap_or_else(|| panic!("no {name} in {}", self.json))
    }
}

fn probe(duration: &str, more: &[&str], workload: &[&str]) -> Answered {
    let (clean, leaky) = programs();
    let output = canary()
        .args(["probe", "--format", "json", "--duration", duration])
        .arg("--base-exe")
        .arg(clean)
        .arg("--head-exe")
        .arg(leaky)
        .args(more)
        .arg("--")
        .args(workload)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let json = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    Answered {
        code: output.status.code().unwrap(),
        json,
    }
}

#[test]
fn a_leak_of_memory_is_one_and_has_its_slope() {
    let answered = probe(
        "4s",
        &["--memory-limit", "400MiB"],
        &["memory", "60", "8388608"],
    );
    assert_eq!(answered.code, 1, "{}", answered.json);
    assert_eq!(answered.json["decision"], "leak");
    let rss = answered.resource("rss");
    assert_eq!(rss["answer"], "leak");
    let slope = rss["slope-per-second"].as_f64().unwrap();
    assert!((6e6..10e6).contains(&slope), "{slope}");
    let left = rss["seconds-to-limit"].as_f64().unwrap();
    assert!((30.0..70.0).contains(&left), "{left}");
    assert_eq!(answered.resource("fds")["answer"], "no-leak");
}

#[test]
fn a_leak_of_handles_shows_in_the_handles() {
    let answered = probe("4s", &[], &["handles"]);
    assert_eq!(answered.code, 1, "{}", answered.json);
    assert_eq!(answered.resource("fds")["answer"], "leak");
    assert_eq!(answered.resource("rss")["answer"], "no-leak");
}

#[test]
fn a_higher_level_is_no_leak() {
    let answered = probe("4s", &[], &["level"]);
    assert_eq!(answered.code, 0, "{}", answered.json);
    let change = answered.resource("rss")["level-change"].as_f64().unwrap();
    assert!((55e6..70e6).contains(&change), "{change}");
}

#[test]
fn one_jump_is_no_leak() {
    let answered = probe("5s", &[], &["once", "5.5"]);
    assert_ne!(answered.code, 1, "{}", answered.json);
    assert_ne!(answered.resource("rss")["answer"], "leak");
}

#[test]
fn a_program_that_ends_is_started_again_and_its_lives_are_judged_apart() {
    let answered = probe("6s", &[], &["memory", "2", "16777216"]);
    assert!(answered.json["head"]["lives"].as_u64().unwrap() >= 2);
    assert_eq!(answered.code, 1, "{}", answered.json);
    let clean = probe("6s", &[], &["none", "2.5"]);
    assert_eq!(clean.code, 0, "{}", clean.json);
}

#[test]
fn one_after_the_other_comes_to_the_same() {
    let answered = probe("4s", &["--alternate"], &["memory", "60", "16777216"]);
    assert_eq!(answered.code, 1, "{}", answered.json);
}

#[test]
fn a_build_that_dies_is_not_called_clean() {
    let answered = probe("3s", &[], &["die"]);
    assert_eq!(answered.code, 4, "{}", answered.json);
    let troubles = answered.json["head"]["troubles"].to_string();
    assert!(troubles.contains("exit code 7"), "{troubles}");
    assert_eq!(answered.json["base"]["troubles"].to_string(), "[]");
}

#[test]
fn a_build_that_eats_memory_or_floods_its_output_is_contained() {
    let start = Instant::now();
    let answered = probe("30s", &["--max-memory", "200MiB"], &["eat"]);
    let troubles = answered.json["head"]["troubles"].to_string();
    assert!(troubles.contains("200 MiB"), "{troubles}");
    assert!(start.elapsed() < Duration::from_secs(40));
    let flood = probe("2s", &[], &["flood"]);
    assert!(flood.json["head"]["output-bytes"].as_u64().unwrap() > 1 << 20);
}

/// Starts a probe of programs that leave their session, marked in the environment.
fn started(mark: &str) -> std::process::Child {
    let (clean, leaky) = programs();
    canary()
        .args(["probe", "--duration", "60s", "--base-exe"])
        .arg(clean)
        .arg("--head-exe")
        .arg(leaky)
        .args(["--", "orphan", "300"])
        .env("CANARY_TEST_MARK", mark)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "not within 15 s: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn nothing_is_left_when_the_tool_is_killed() {
    let mark = format!("mark-of-{}", std::process::id());
    let mut tool = started(&mark);
    // The tool, two keepers, two programs, two orphans in sessions of their own.
    wait_until("all is started", || marked(&mark).len() >= 7);
    tool.kill().unwrap();
    tool.wait().unwrap();
    wait_until("all is gone", || marked(&mark).is_empty());
}

#[test]
fn an_executable_that_is_not_there_is_named() {
    let output = canary()
        .args(["probe", "--base-exe", "no/such", "--head-exe", "no/such"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("no executable `no/such`"), "{text}");
}
