//! The judgement of a probe on recorded runs of real programs.

use std::path::Path;
use std::time::Duration;

use cargo_canary::host::{Ending, Sample};
use cargo_canary::probe::judge::{Answer, Judged, decision, judge};
use cargo_canary::probe::{Segment, Thresholds};

use crate::support::data;

fn recorded(path: &Path) -> Vec<Segment> {
    let text = std::fs::read_to_string(path).unwrap();
    let samples = text
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<f64> = line
                .split(',')
                .map(|field| field.parse().unwrap())
                .collect();
            let count = |at: usize| fields[at] as u64;
            Sample {
                at: Duration::from_secs_f64(fields[0]),
                processes: 1,
                rss: count(1) * 1024,
                threads: count(2),
                fds: count(3),
                vsz: count(4) * 1024,
                ..Sample::default()
            }
        })
        .collect();
    vec![Segment {
        began: Duration::ZERO,
        samples,
        ending: Some(Ending::Code(0)),
        ..Segment::default()
    }]
}

fn shown(judged: &[Judged]) -> String {
    judged
        .iter()
        .map(|judged| {
            let head = judged.head.as_ref();
            format!(
                "  {} {:?} {:.1} ({:.1} to {:.1}) visible {:.1} third {:.2} warm {:.1}: {}\n",
                judged.resource.as_str(),
                judged.answer,
                head.map_or(0.0, |head| head.slope),
                head.map_or(0.0, |head| head.low),
                head.map_or(0.0, |head| head.high),
                judged.smallest_visible.unwrap_or(0.0),
                head.map_or(0.0, |head| head.last_third),
                head.map_or(0.0, |head| head.warm_up),
                judged.because
            )
        })
        .collect()
}

#[test]
fn the_recorded_leaks_are_seen_and_the_others_are_not() {
    let Some(folder) = data::folder("leaks") else {
        return;
    };
    let thresholds = Thresholds::built_in().unwrap();
    let mut wrong = Vec::new();
    for (case, base, head, expected) in [
        ("cratesio-2021-08", "clean", "leaky", Answer::Leak),
        ("cratesio-2021-08", "clean", "only-guilty", Answer::Leak),
        (
            "cratesio-2021-08",
            "clean",
            "all-but-guilty",
            Answer::NoLeak,
        ),
        ("cratesio-2021-08", "clean", "fixed", Answer::NoLeak),
        ("cratesio-2021-08", "leaky", "fixed", Answer::NoLeak),
        ("moka-get-with", "clean", "leaky", Answer::Leak),
        ("moka-get-with", "clean", "fixed", Answer::NoLeak),
        ("moka-get-with", "leaky", "clean", Answer::NoLeak),
        ("neg-ws-buffer-flat", "older", "newer", Answer::NoLeak),
        ("tokio-spawn-blocking", "clean", "leaky", Answer::Leak),
        ("tokio-spawn-blocking", "clean", "fixed", Answer::NoLeak),
        ("ureq-agent-pool", "clean", "leaky", Answer::Leak),
        ("ureq-agent-pool", "clean", "fixed", Answer::NoLeak),
        ("webp-encode", "clean", "leaky", Answer::Leak),
        ("webp-encode", "clean", "partial", Answer::Leak),
        ("webp-encode", "leaky", "partial", Answer::Leak),
        ("webp-encode", "clean", "fixed", Answer::NoLeak),
        ("webp-encode", "partial", "partial", Answer::NoLeak),
    ] {
        let read = |lock: &str| recorded(&folder.join(case).join(format!("rss-{lock}.csv")));
        let judged = judge(&read(base), &read(head), &thresholds, &[]);
        let text = shown(&judged);
        println!("{case} {base} -> {head}\n{text}");
        if decision(&judged) != expected {
            wrong.push(format!("{case} {base} -> {head}: not {expected:?}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
