//! How often a probe finds a leak and how often it cries wolf, on made-up
//! series: level, slope, noise that repeats itself. The table in
//! `docs/probe.md` is this test's: `CANARY_SIMULATION=1 cargo test --test it
//! probe_simulation` writes it anew when it differs, and then fails.

use std::path::Path;
use std::time::Duration;

use cargo_canary::host::Sample;
use cargo_canary::probe::judge::{Answer, judge};
use cargo_canary::probe::{Resource, Segment, Thresholds};

use crate::chance::Chance;

const KIB: f64 = 1024.0;

/// A run of 60 s: a start that settles, a slope, and noise of which each value
/// repeats a share of the one before. All in KiB.
fn made(chance: &mut Chance, slope: f64, noise: f64, repeats: f64) -> Vec<Segment> {
    let fresh = (1.0 - repeats * repeats).sqrt();
    let mut current = noise * chance.normal();
    let samples = (0..600)
        .map(|tick| {
            let at = f64::from(tick) * 0.1;
            current = repeats * current + fresh * noise * chance.normal();
            let level = 20_000.0 + 4_000.0 * (1.0 - (-at / 2.0).exp()) + slope * at + current;
            Sample {
                at: Duration::from_secs_f64(at),
                processes: 1,
                rss: (level * KIB).max(0.0) as u64,
                threads: 4,
                fds: 10,
                ..Sample::default()
            }
        })
        .collect();
    vec![Segment {
        samples,
        ..Segment::default()
    }]
}

/// Of `runs` runs, how many are called a leak, and how many are left open.
fn tried(runs: u32, slope: f64, noise: f64, repeats: f64) -> (u32, u32) {
    let thresholds = Thresholds::built_in().unwrap();
    let mut chance = Chance(20_261_121);
    let (mut leaks, mut open) = (0, 0);
    for _ in 0..runs {
        let base = made(&mut chance, 0.0, noise, repeats);
        let head = made(&mut chance, slope, noise, repeats);
        let judged = judge(&base, &head, &thresholds, &[]);
        let rss = judged
            .iter()
            .find(|judged| judged.resource == Resource::Rss)
            .unwrap();
        leaks += u32::from(rss.answer == Answer::Leak);
        open += u32::from(rss.answer == Answer::Inconclusive);
    }
    (leaks, open)
}

#[test]
fn noise_that_repeats_itself_is_no_leak_and_a_leak_stands_out_of_it() {
    for repeats in [0.0, 0.9] {
        let (leaks, _) = tried(15, 0.0, 200.0, repeats);
        assert!(leaks <= 1, "{leaks} false alarms of 15 at {repeats}");
        let (leaks, _) = tried(10, 64.0, 200.0, repeats);
        assert!(leaks >= 9, "{leaks} found of 10 at {repeats}");
    }
}

const RUNS: u32 = 100;
const SLOPES: [f64; 6] = [0.0, 4.0, 8.0, 16.0, 32.0, 64.0];

fn table() -> String {
    let mut out = String::from(
        "| noise KiB | repeats | none | 4 KiB/s | 8 KiB/s | 16 KiB/s | 32 KiB/s | 64 KiB/s |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for noise in [20.0, 200.0, 1000.0] {
        for repeats in [0.0, 0.9, 0.99] {
            let cells: Vec<String> = SLOPES
                .into_iter()
                .map(|slope| {
                    let (leaks, open) = tried(RUNS, slope, noise, repeats);
                    format!("{leaks} / {open}")
                })
                .collect();
            out += &format_args!("| {noise} | {repeats} | {} |\n", cells.join(" | ")).to_string();
        }
    }
    out
}

#[test]
fn the_table_in_the_documentation_is_the_one_that_comes_out() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/probe.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("<!-- simulation -->\n").unwrap();
    let (old, after) = rest.split_once("<!-- end -->").unwrap();
    assert_eq!(old.lines().count(), 11, "the table is there as a whole");
    if std::env::var_os("CANARY_SIMULATION").is_none() {
        println!("skipped: the whole simulation takes a minute; set CANARY_SIMULATION=1");
        return;
    }
    let new = table();
    if new != old {
        let text = format!("{before}<!-- simulation -->\n{new}<!-- end -->{after}");
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(new, old, "docs/probe.md is written anew; look at it");
}
