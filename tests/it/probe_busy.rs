//! `probe` on a busy machine: a program that is kept from running hardly leaks, and is
//! not called clean for that. Recorded runs of real programs, and one side that is
//! starved on purpose.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use cargo_canary::host::{Sample, Turns};
use cargo_canary::probe::judge::{Answer, Judged, judge, share_of_time};
use cargo_canary::probe::{Resource, Segment, Thresholds};

use crate::support::project::make_executable;
use crate::support::workload::{canary, programs};

/// One side of a recorded run, with the turns of its threads or without.
fn recorded(name: &str, side: &str, with_turns: bool) -> Vec<Segment> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/probe-busy");
    let text = std::fs::read_to_string(path.join(format!("{name}.csv"))).unwrap();
    let lines = text.lines().filter(|line| line.starts_with(side));
    let samples = lines.map(|line| {
        let field = |at: usize| line.split(',').nth(at).unwrap().parse::<f64>();
        let time = |at: usize| field(at).ok().map(Duration::from_secs_f64);
        Sample {
            at: time(1).unwrap(),
            cpu: time(2).unwrap(),
            processes: 2,
            rss: field(3).unwrap() as u64 * 1024,
            threads: 7,
            fds: 20,
            vsz: 700 << 20,
            turns: time(4)
                .zip(time(5))
                .filter(|_| with_turns)
                .map(|(ran, waited)| Turns { ran, waited }),
            ..Sample::default()
        }
    });
    vec![Segment {
        samples: samples.collect(),
        processors: 1.0,
        ..Segment::default()
    }]
}

fn memory(name: &str, with_turns: bool) -> Judged {
    let thresholds = Thresholds::built_in().unwrap();
    let side = |side| recorded(name, side, with_turns);
    let judged = judge(&side("base"), &side("head"), &thresholds, &[]);
    judged
        .into_iter()
        .find(|judged| judged.resource == Resource::Rss)
        .unwrap()
}

/// What is said of memory in a recorded run, and what would be said by the clock alone.
#[track_caller]
fn says(name: &str, wanted: Answer, by_clock: Answer) {
    let judged = memory(name, true);
    assert_eq!(judged.answer, wanted, "{name}: {judged:#?}");
    if wanted == Answer::Inconclusive {
        assert!(judged.because.contains("busy"), "{name}: {judged:#?}");
        assert!(judged.seconds_to_decide.unwrap() > 40.0, "{judged:#?}");
    }
    assert_eq!(memory(name, false).answer, by_clock, "{name} by the clock");
}

#[test]
fn a_leak_is_not_denied_where_the_machine_kept_both_sides_from_running() {
    // 150 KiB/s elsewhere; here the head grew by 100 KiB in 20 s.
    says("both-held-leak", Answer::Inconclusive, Answer::NoLeak);
}

#[test]
fn a_leak_that_shows_though_the_head_hardly_ran_is_one() {
    says("head-held-leak", Answer::Leak, Answer::Leak);
    // No memory that small could be denied to grow.
    assert!(memory("head-held-leak", true).smallest_visible.unwrap() > 1e5);
}

#[test]
fn a_base_that_hardly_ran_does_not_make_the_head_worse() {
    says("base-held-alike", Answer::Inconclusive, Answer::Leak);
}

#[test]
fn a_head_that_hardly_ran_is_not_called_clean_and_one_that_ran_is() {
    says("head-held-clean", Answer::Inconclusive, Answer::NoLeak);
    says("base-held-clean", Answer::NoLeak, Answer::NoLeak);
}

#[test]
fn the_share_of_its_time_is_what_a_side_had_at_least() {
    let share = |name, side| share_of_time(&recorded(name, side, true)).unwrap();
    assert!((0.02..0.06).contains(&share("head-held-leak", "head")));
    assert!(share("head-held-leak", "base") > 0.9);
    assert_eq!(
        share_of_time(&recorded("head-held-leak", "head", false)),
        None
    );
}

/// The number of the session that this test runs in.
fn own_session() -> String {
    let me = Command::new("sh").args(["-c", "ps -o sid= -p $$"]).output();
    let said = String::from_utf8(me.unwrap().stdout).unwrap();
    said.trim().to_owned()
}

/// A program with the least of the rights to a processor, beside others that want it all.
#[test]
fn a_side_that_is_starved_is_never_called_clean() {
    let dir = tempfile::tempdir().unwrap();
    let (clean, leaky) = programs();
    let starved = dir.path().join("starved");
    // Its session, where the kernel shares by session, and itself. Never the session of
    // this test, which would stay as slow after it.
    let script = format!(
        "#!/bin/sh\n[ $(ps -o sid= -p $$) = {} ] || echo 19 2>/dev/null > /proc/self/autogroup\nexec nice -n 19 '{}' \"$@\"\n",
        own_session(),
        leaky.display()
    );
    std::fs::write(&starved, script).unwrap();
    make_executable(&starved);
    let done = AtomicBool::new(false);
    let json: Value = thread::scope(|scope| {
        let processors = thread::available_parallelism().map_or(2, usize::from);
        for _ in 0..3 * processors {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let output = canary()
            .args([
                "probe",
                "--format",
                "json",
                "--duration",
                "8s",
                "--base-exe",
            ])
            .arg(clean)
            .arg("--head-exe")
            .arg(&starved)
            // 40 KiB for each second of work.
            .args(["--", "work", "60", "40960"])
            .output();
        done.store(true, Ordering::Relaxed);
        serde_json::from_slice(&output.unwrap().stdout).unwrap()
    });
    let Some(share) = json["head"]["share-of-time"].as_f64() else {
        println!("skipped: this kernel does not count how long threads wait");
        return;
    };
    if share > 0.3 {
        println!("skipped: the head had {share} of its time in spite of all");
        return;
    }
    assert_ne!(json["decision"], "no-leak", "{json}");
    let resources = json["resources"].as_array().unwrap();
    let memory = resources
        .iter()
        .find(|one| one["resource"] == "rss")
        .unwrap();
    if memory["answer"] != "leak" {
        let because = memory["because"].as_str().unwrap();
        assert!(because.contains("the machine was busy: the head"), "{json}");
        assert!(
            memory["seconds-to-decide"].as_f64().unwrap() > 16.0,
            "{json}"
        );
    }
}

#[test]
fn each_side_has_a_session_of_its_own() {
    // Kernels that share the processor by session then give it as much as all others.
    let dir = tempfile::tempdir().unwrap();
    let said = dir.path().join("sessions");
    let program = dir.path().join("program");
    let script = format!(
        "#!/bin/sh\nps -o sid= -p $$ >> '{}'\nexec sleep 30\n",
        said.display()
    );
    std::fs::write(&program, script).unwrap();
    make_executable(&program);
    let status = canary()
        .args(["probe", "--duration", "2s", "--base-exe"])
        .arg(&program)
        .arg("--head-exe")
        .arg(&program)
        .output()
        .unwrap()
        .status;
    assert!(status.code().is_some());
    let mut sessions = std::fs::read_to_string(&said).unwrap();
    sessions += &own_session();
    let mut sessions: Vec<&str> = sessions.split_whitespace().collect();
    sessions.sort_unstable();
    sessions.dedup();
    assert_eq!(sessions.len(), 3, "{sessions:?}");
}
