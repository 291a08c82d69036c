//! The command `probe` on small programs: what it says, and that nothing of a
//! workload is left behind whatever happens.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::workload::{canary, ended_by, marked, programs, wait_until_gone};

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
        // What a failing program says of its end takes memory, too.
        .env("RUST_BACKTRACE", "0")
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

#[test]
fn threads_and_address_space_have_answers_of_their_own() {
    let threads = probe("4s", &[], &["threads"]);
    assert_eq!(threads.code, 1, "{}", threads.json);
    assert_eq!(threads.resource("threads")["answer"], "leak");
    let reserve = probe("4s", &[], &["reserve"]);
    assert_eq!(reserve.code, 1, "{}", reserve.json);
    let vsz = reserve.resource("vsz");
    assert_eq!(vsz["answer"], "leak");
    // 1 MiB each 20 ms, of which only the first page is touched.
    let slope = vsz["slope-per-second"].as_f64().unwrap();
    assert!((20e6..60e6).contains(&slope), "{slope}");
    let touched = reserve.resource("rss")["slope-per-second"]
        .as_f64()
        .unwrap();
    assert!(touched < 0.02 * slope, "{touched}");
}

#[test]
fn growth_until_an_allocation_fails_is_a_leak_of_address_space() {
    let answered = probe("20s", &[], &["exhaust"]);
    assert_eq!(answered.code, 1, "{}", answered.json);
    assert_eq!(answered.resource("vsz")["answer"], "leak");
    assert_ne!(answered.resource("rss")["answer"], "leak");
    let troubles = answered.json["head"]["troubles"].to_string();
    assert!(troubles.contains("an allocation failed"), "{troubles}");
}

#[test]
fn a_build_that_hangs_is_not_called_clean() {
    let answered = probe("5s", &[], &["hang"]);
    assert_eq!(answered.code, 4, "{}", answered.json);
    let troubles = answered.json["head"]["troubles"].to_string();
    assert!(troubles.contains("seems to hang"), "{troubles}");
    assert_eq!(answered.json["base"]["troubles"].to_string(), "[]");
}

#[test]
fn a_build_that_forks_again_and_again_is_ended_with_all_that_it_started() {
    let mark = format!("forks-of-{}", std::process::id());
    let (clean, leaky) = programs();
    let output = canary()
        .args([
            "probe",
            "--format",
            "json",
            "--duration",
            "3s",
            "--max-processes",
            "20",
        ])
        .arg("--base-exe")
        .arg(clean)
        .arg("--head-exe")
        .arg(leaky)
        .args(["--", "forks", "30", "5"])
        .env("CANARY_TEST_MARK", &mark)
        .output()
        .unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let troubles = json["head"]["troubles"].to_string();
    assert!(troubles.contains("more than 20 processes"), "{json}");
    assert_eq!(output.status.code(), Some(4), "{json}");
    assert_eq!(marked(&mark), Vec::<u32>::new());
}

#[test]
fn a_load_that_fails_is_told() {
    let (clean, _) = programs();
    let load = format!("{} load", clean.display());
    let answered = probe("2s", &["--load", &load], &["none"]);
    assert_eq!(answered.code, 4, "{}", answered.json);
    let troubles = answered.json["base"]["troubles"].to_string();
    assert!(troubles.contains("no such server"), "{troubles}");
}

#[test]
fn a_file_that_cannot_be_started_is_a_wrong_input() {
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("plain");
    std::fs::write(&plain, "no program").unwrap();
    let (clean, _) = programs();
    let output = canary()
        .args(["probe", "--duration", "2s", "--base-exe"])
        .arg(clean)
        .arg("--head-exe")
        .arg(&plain)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("failed to start the head"), "{text}");
    assert!(text.contains("Permission denied"), "{text}");
}

#[test]
fn every_sample_is_written_when_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("samples.csv");
    let answered = probe("2s", &["--samples", &file.to_string_lossy()], &["memory"]);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("side,life,began_s,at_s,cpu_s,"),
        "{}",
        lines[0]
    );
    let of = |side: &str| lines.iter().filter(|line| line.starts_with(side)).count() as u64;
    assert_eq!(
        of("base,"),
        answered.json["base"]["samples"].as_u64().unwrap()
    );
    assert_eq!(
        of("head,"),
        answered.json["head"]["samples"].as_u64().unwrap()
    );
    assert!(
        lines
            .iter()
            .skip(1)
            .all(|line| line.split(',').count() == 19)
    );
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
fn killed_at_any_moment_it_leaves_nothing_running_and_no_half_written_file() {
    let dir = tempfile::tempdir().unwrap();
    let (clean, leaky) = programs();
    let file = |name: &str| dir.path().join(name);
    let command = || {
        let mut command = canary();
        command
            .args([
                "probe",
                "--format",
                "json",
                "--duration",
                "2s",
                "--base-exe",
            ])
            .arg(clean)
            .arg("--head-exe")
            .arg(leaky)
            .arg("--output")
            .arg(file("probe.json"))
            .arg("--plot")
            .arg(file("probe.svg"))
            .args([
                "--ready",
                "sleep 0.2",
                "--load",
                "sleep 30",
                "--",
                "orphan",
                "300",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let whole = || {
        if let Ok(bytes) = std::fs::read(file("probe.json")) {
            serde_json::from_slice::<Value>(&bytes).expect("a whole record");
        }
        if let Ok(text) = std::fs::read_to_string(file("probe.svg")) {
            assert!(text.ends_with("</svg>\n"), "{text}");
        }
    };
    // Before anything runs, while it runs, and while the answer is written.
    for (round, after) in [0, 30, 90, 250, 700, 1_400, 2_050, 2_150, 2_300, 2_500]
        .into_iter()
        .enumerate()
    {
        let signal = ["TERM", "INT", "KILL"][round % 3];
        let mark = format!("killed-{round}-of-{}", std::process::id());
        let tool = command().env("CANARY_TEST_MARK", &mark).spawn().unwrap();
        ended_by(signal, tool, Duration::from_millis(after));
        wait_until_gone(&mark);
        whole();
    }
    assert_eq!(command().status().unwrap().code(), Some(0));
    whole();
    assert!(file("probe.json").is_file() && file("probe.svg").is_file());
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
