//! What the baseline did before the window, and what it tells.

use std::sync::{Arc, Mutex};

use cargo_canary::probe::show::TextStyle;
use cargo_canary::rollout::judge::{Figures, Growth, Judged};
use cargo_canary::rollout::{Answer, show};

use super::fake::{END, Line, judged, judged_of, line, matrix, noise, of, params};
use crate::registry_server::{Reply, Server};

const MIB: f64 = 1_048_576.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;
const MEMORY: &str = "process_resident_memory_bytes";
const STARTS: &str = "process_start_time_seconds";
const FOUR_HOURS: &str = "duration = \"4h\"\n";

fn memory(leak: f64) -> Vec<Line> {
    let of = |side, pod, seed, leak: f64| {
        line(MEMORY, side, pod, move |t| {
            Some(200.0 * MIB + leak * t + MIB * noise(seed, t))
        })
    };
    vec![
        of("stable", "s1", 1, 0.0),
        of("stable", "s2", 2, 0.0),
        of("canary", "c1", 3, leak),
    ]
}

fn growth(judged: &Judged) -> &Growth {
    let Figures::Growth(growth) = &of(judged, "memory").figures else {
        panic!("{:?}", of(judged, "memory"))
    };
    growth
}

/// The start and the end of what is asked for of the baseline before the window, by query.
fn asked(more: &str) -> Vec<(String, f64, f64)> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (heard, lines) = (Arc::clone(&asked), memory(0.0));
    let server = Server::start(move |request| {
        let params = params(request);
        let time = |name: &str| params[name].parse::<f64>().unwrap();
        if time("end") < END as f64 - 1.0 {
            let query = params["query"].clone();
            heard
                .lock()
                .unwrap()
                .push((query, time("start"), time("end")));
        }
        matrix(&lines, request)
    });
    judged_of(&server, &format!("{FOUR_HOURS}{more}"));
    let asked = asked.lock().unwrap();
    asked.clone()
}

#[test]
fn the_baseline_is_asked_for_a_day_before_the_window() {
    let before = asked("");
    // What is held, requests and starts: no levels, no restarts.
    for name in [
        MEMORY,
        "container_memory_working_set_bytes",
        "process_open_fds",
        "process_threads",
        "http_requests_total",
        STARTS,
    ] {
        let of_name = |(query, ..): &&(String, f64, f64)| query.contains(name);
        assert_eq!(
            before.iter().filter(of_name).count(),
            1,
            "{name}: {before:?}"
        );
    }
    assert_eq!(before.len(), 6, "{before:?}");
    let start = END as f64 - 4.0 * HOUR;
    for (query, from, to) in &before {
        assert!(query.contains("track=\"stable\""), "{query}");
        assert!((to - (start - 15.0)).abs() < 0.01, "{query}: until {to}");
        assert!((to - from - DAY).abs() < 0.01, "{query}: from {from}");
    }
    assert!(asked("before = \"0s\"\n").is_empty());
}

#[test]
fn windows_before_this_one_tell_of_the_noise_and_the_answer_says_so() {
    let with = judged(memory(1_024.0), FOUR_HOURS);
    assert_eq!(with.decision, Answer::Fail, "{}", with.because);
    assert_eq!(growth(&with).windows_before, 6);
    assert!(growth(&with).by_memory);
    // Noise of one value is forgotten at once.
    assert!(
        growth(&with).noise_memory.unwrap() < 300.0,
        "{:?}",
        growth(&with)
    );
    let style = TextStyle {
        width: 200,
        color: false,
        verbose: false,
    };
    let text = show::text(&with, style);
    assert!(
        text.contains("as 6 windows before this one tell, too)"),
        "{text}"
    );
    let about = show::About { difference: None };
    let json: serde_json::Value = serde_json::from_slice(&show::json(&with, &about)).unwrap();
    let entries = json["metrics"].as_array().unwrap();
    let entry = entries
        .iter()
        .find(|entry| entry["resource"] == "memory")
        .unwrap();
    assert_eq!(entry["windows-before"], 6, "{entry}");
    assert!(entry["noise-memory-seconds"].as_f64().unwrap() > 0.0);
    let without = judged(memory(1_024.0), &format!("{FOUR_HOURS}before = \"0s\"\n"));
    assert_eq!(growth(&without).windows_before, 0);
}

/// Each process is held against those of its own time: a release of the baseline in the
/// day before is no noise.
#[test]
fn a_release_of_the_baseline_in_the_day_before_is_no_noise() {
    let released = |side, pod, seed, leak: f64| {
        line(MEMORY, side, pod, move |t| {
            // The window is asked for by its own start: only the day has later times.
            let level = if t > 15.0 * HOUR { 500.0 } else { 200.0 };
            Some(level * MIB + leak * t + MIB * noise(seed, t))
        })
    };
    let began = |pod| {
        line(STARTS, "stable", pod, |t| {
            let start = END as f64 - 4.0 * HOUR - 15.0 - DAY;
            Some(if t > 15.0 * HOUR {
                start + 15.0 * HOUR
            } else {
                1e9
            })
        })
    };
    let judged = judged(
        vec![
            released("stable", "s1", 1, 0.0),
            released("stable", "s2", 2, 0.0),
            released("canary", "c1", 3, 1_024.0),
            began("s1"),
            began("s2"),
        ],
        FOUR_HOURS,
    );
    assert_eq!(judged.decision, Answer::Fail, "{}", judged.because);
    let growth = growth(&judged);
    // Of fifteen hours three and most of another, of nine hours two.
    assert_eq!(growth.windows_before, 6, "{growth:?}");
    assert!(growth.noise_memory.unwrap() < 300.0, "{growth:?}");
}

#[test]
fn what_cannot_be_had_of_the_time_before_is_told_and_decides_nothing() {
    let lines = memory(0.0);
    let server = Server::start(move |request| {
        let end: f64 = params(request)["end"].parse().unwrap();
        if end < END as f64 - 1.0 {
            return Reply::ok(r#"{"status":"error","error":"no such block"}"#.to_owned());
        }
        matrix(&lines, request)
    });
    let judged = judged_of(&server, FOUR_HOURS);
    assert_eq!(judged.decision, Answer::Pass, "{}", judged.because);
    assert_eq!(growth(&judged).windows_before, 0);
    let told: Vec<&String> = judged
        .notes
        .iter()
        .filter(|note| note.contains("before the window cannot be had"))
        .collect();
    assert_eq!(told.len(), 1, "{:?}", judged.notes);
    assert!(told[0].contains("no such block"), "{}", told[0]);
}
