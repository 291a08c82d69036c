//! What a judge must see, and what must not fool it, on made-up series of hours.

use cargo_canary::rollout::Answer;
use cargo_canary::rollout::judge::Figures;

use super::fake::{Line, judged, line, noise, of};

const MIB: f64 = 1_048_576.0;
const MEMORY: &str = "process_resident_memory_bytes";
const FDS: &str = "process_open_fds";
const LATENCY: &str = "duration_seconds_bucket";
const ERRORS: &str = "5..";
const STARTS: &str = "process_start_time_seconds";
const REQUESTS: &str = "(http_requests_total{track=\"";
const FOUR_HOURS: &str = "duration = \"4h\"\n";
const HOUR: f64 = 3_600.0;

/// Memory that swings with the load of the day, by 40 MiB in six hours.
fn wave(t: f64) -> f64 {
    200.0 * MIB + 40.0 * MIB * (t / (6.0 * HOUR) * std::f64::consts::TAU).sin()
}

/// Two instances of each side; the canary's memory is that of the baseline and more.
fn memory(more: impl Fn(f64) -> f64 + Copy + Send + Sync + 'static) -> Vec<Line> {
    let of = |side, pod, seed, more: fn(f64) -> f64| {
        line(MEMORY, side, pod, move |t| {
            Some(wave(t) + more(t) + MIB * noise(seed, t))
        })
    };
    let canary = |pod, seed| {
        line(MEMORY, "canary", pod, move |t| {
            Some(wave(t) + more(t) + MIB * noise(seed, t))
        })
    };
    vec![
        of("stable", "s1", 1, |_| 0.0),
        of("stable", "s2", 2, |_| 3.0 * MIB),
        canary("c1", 3),
        canary("c2", 4),
    ]
}

#[test]
fn a_leak_is_seen_in_the_wave_of_the_day_and_a_clean_canary_passes() {
    let clean = judged(memory(|_| 0.0), FOUR_HOURS);
    assert_eq!(
        clean.decision,
        Answer::Pass,
        "{}: {:?}",
        clean.because,
        of(&clean, "memory")
    );
    // 1 KiB/s uses up 256 MiB in three days.
    let leaky = judged(memory(|t| 1_024.0 * t), FOUR_HOURS);
    assert_eq!(leaky.decision, Answer::Fail);
    let metric = of(&leaky, "memory");
    let Figures::Growth(growth) = &metric.figures else {
        panic!()
    };
    assert!((growth.slope - 1_024.0).abs() < 150.0, "{growth:?}");
    assert!(
        growth.by_memory,
        "both see it, and this interval is the sharper one"
    );
    assert!(growth.low > 0.0 && growth.high < 1_500.0);
    let days = growth.seconds_to_limit.unwrap() / 86_400.0;
    assert!((2.5..3.6).contains(&days), "{days}");
    assert_eq!(leaky.because, "the canary is worse in memory");
}

#[test]
fn a_constant_offset_of_one_and_a_half_percent_is_no_leak() {
    let mut lines = memory(|_| 3.0 * MIB);
    for (side, pod, factor) in [("stable", "s1", 1.0), ("canary", "c1", 1.015)] {
        lines.push(line(LATENCY, side, pod, move |t| {
            Some(factor * (0.040 + 0.001 * noise(pod.len() as u64, t)))
        }));
    }
    let judged = judged(lines, FOUR_HOURS);
    assert_eq!(judged.decision, Answer::Pass, "{}", judged.because);
    let Figures::Shift(shift) = of(&judged, "latency").figures else {
        panic!()
    };
    assert!((shift.shift - 0.0006).abs() < 0.0002, "{shift:?}");
    assert_eq!(
        of(&judged, "latency").because,
        "it is 1.5 % higher, which is less than counts"
    );
}

#[test]
fn a_level_that_takes_all_the_headroom_fails_at_once() {
    let judged = judged(memory(|_| 300.0 * MIB), FOUR_HOURS);
    assert_eq!(judged.decision, Answer::Fail);
    assert!(of(&judged, "memory").because.contains("all the headroom"));
}

#[test]
fn what_stops_early_is_open_and_says_how_long_it_takes() {
    let judged = judged(memory(|_| 0.0), "duration = \"5m\"\n");
    assert_eq!(judged.decision, Answer::Inconclusive);
    let needed = of(&judged, "memory").seconds_to_decide.unwrap();
    // 256 KiB at 444 B/s, or what the noise takes.
    assert!((590.0..40_000.0).contains(&needed), "{needed}");
    // Without any noise, too: what matters had no time to show.
    let flat = |side, pod| line(MEMORY, side, pod, |_| Some(5e7));
    let quiet = self::judged(
        vec![flat("stable", "s"), flat("canary", "c")],
        "duration = \"5m\"\n",
    );
    assert_eq!(quiet.decision, Answer::Inconclusive);
    assert!(of(&quiet, "memory").because.contains("too short"));
    let hour = self::judged(
        vec![flat("stable", "s"), flat("canary", "c")],
        "duration = \"1h\"\n",
    );
    assert_eq!(hour.decision, Answer::Pass);
}

/// When a process began, in seconds since 1970, from seconds since the window's start.
fn began(at: f64, hours: f64) -> Option<f64> {
    Some(super::fake::END as f64 - hours * HOUR + at)
}

#[test]
fn a_start_that_settles_is_no_leak_and_one_that_goes_on_is() {
    // The canary begins with the window, and fills its caches for twenty minutes.
    let starting = |slope: f64| {
        vec![
            line(MEMORY, "stable", "s", |t| Some(wave(t) + MIB * noise(1, t))),
            line(MEMORY, "canary", "c", move |t| {
                let filled = 60.0 * MIB * (1.0 - (-t / 400.0).exp());
                Some(wave(t) - 60.0 * MIB + filled + slope * t + MIB * noise(2, t))
            }),
            line(STARTS, "canary", "c", |_| began(0.0, 4.0)),
        ]
    };
    let settles = judged(starting(0.0), FOUR_HOURS);
    assert_eq!(
        settles.decision,
        Answer::Pass,
        "{:?}",
        of(&settles, "memory")
    );
    let leaks = judged(starting(1_500.0), FOUR_HOURS);
    assert_eq!(
        leaks.decision,
        Answer::Fail,
        "{:?}",
        of(&leaks, "memory").because
    );
    // While it still settles nothing is decided.
    let early = judged(starting(0.0), "duration = \"12m\"\n");
    assert_ne!(early.decision, Answer::Pass);
}

/// A canary that is restarted in the middle and grows by a slope in each life.
fn restarted(slope: f64) -> Vec<Line> {
    let half = 2.0 * HOUR;
    vec![
        line(MEMORY, "stable", "s", |t| Some(wave(t) + MIB * noise(1, t))),
        line(MEMORY, "canary", "c", move |t| {
            let life = if t < half { t } else { t - half };
            (!(half - 60.0..half).contains(&t)).then(|| wave(t) + slope * life + MIB * noise(2, t))
        }),
        line(STARTS, "canary", "c", move |t| {
            if t < half {
                began(-100.0, 4.0)
            } else {
                began(half, 4.0)
            }
        }),
    ]
}

#[test]
fn a_restart_in_the_middle_hides_no_leak_and_is_none() {
    let clean = judged(restarted(0.0), FOUR_HOURS);
    assert_eq!(clean.decision, Answer::Pass, "{}", clean.because);
    assert_eq!(of(&clean, "restarts").figures, Figures::Restarts(0, 1));
    let leaky = judged(restarted(3_000.0), FOUR_HOURS);
    assert_eq!(leaky.decision, Answer::Fail, "{:?}", of(&leaky, "memory"));
}

#[test]
fn a_canary_that_is_restarted_again_and_again_fails() {
    let mut lines = memory(|_| 0.0);
    lines.push(line(STARTS, "canary", "c1", |t| {
        began((t / 2_000.0).floor() * 2_000.0, 4.0)
    }));
    let judged = judged(lines, FOUR_HOURS);
    assert_eq!(judged.decision, Answer::Fail);
    assert!(
        of(&judged, "restarts")
            .because
            .contains("restarted 7 times"),
        "{}",
        of(&judged, "restarts").because
    );
}

#[test]
fn a_gap_of_scrapes_changes_nothing() {
    let gap = |lines: Vec<Line>| -> Vec<Line> {
        let cut = |line: Line| Line {
            value: Box::new(move |t| {
                (!(5_000.0..7_500.0).contains(&t))
                    .then(|| (line.value)(t))
                    .flatten()
            }),
            ..line
        };
        lines.into_iter().map(cut).collect()
    };
    let clean = judged(gap(memory(|_| 0.0)), FOUR_HOURS);
    assert_eq!(clean.decision, Answer::Pass, "{}", clean.because);
    let leaky = judged(gap(memory(|t| 1_024.0 * t)), FOUR_HOURS);
    assert_eq!(leaky.decision, Answer::Fail, "{}", leaky.because);
}

#[test]
fn instances_may_come_and_go() {
    let pods = |slope: f64| {
        let mut lines = Vec::new();
        for (number, (pod, from, until)) in [
            ("a", 0.0, 2.5),
            ("b", 0.5, 4.0),
            ("c", 1.5, 4.0),
            ("d", 3.0, 4.0),
        ]
        .into_iter()
        .enumerate()
        {
            for side in ["stable", "canary"] {
                let seed = number as u64 + if side == "canary" { 10 } else { 20 };
                let level = noise(seed, 0.0) * 20.0 * MIB;
                let slope = if side == "canary" { slope } else { 0.0 };
                lines.push(line(MEMORY, side, pod, move |t| {
                    (from * HOUR..until * HOUR)
                        .contains(&t)
                        .then(|| wave(t) + level + slope * (t - from * HOUR) + MIB * noise(seed, t))
                }));
            }
        }
        lines
    };
    let clean = judged(pods(0.0), FOUR_HOURS);
    assert_eq!(clean.decision, Answer::Pass, "{:?}", of(&clean, "memory"));
    let leaky = judged(pods(1_500.0), FOUR_HOURS);
    assert_eq!(leaky.decision, Answer::Fail, "{:?}", of(&leaky, "memory"));
}

#[test]
fn connections_that_are_never_closed_are_seen_while_latency_looks_well() {
    let mut lines = memory(|_| 0.0);
    for (side, pod, per_hour) in [("stable", "s1", 0.0), ("canary", "c1", 20.0)] {
        lines.push(line(FDS, side, pod, move |t| {
            Some((40.0 + per_hour * t / HOUR + 4.0 * noise(pod.len() as u64 + 7, t)).round())
        }));
        lines.push(line(LATENCY, side, pod, |t| {
            Some(0.05 + 0.002 * noise(5, t))
        }));
    }
    let judged = judged(lines, FOUR_HOURS);
    assert_eq!(judged.decision, Answer::Fail);
    assert_eq!(judged.because, "the canary is worse in descriptors");
    assert_eq!(of(&judged, "latency").answer, Answer::Pass);
}

#[test]
fn slower_answers_and_more_errors_fail() {
    let mut lines = memory(|_| 0.0);
    for (side, pod, latency, errors) in [
        ("stable", "s1", 0.050, 0.001),
        ("canary", "c1", 0.062, 0.02),
    ] {
        lines.push(line(LATENCY, side, pod, move |t| {
            Some(latency + 0.004 * noise(5, t))
        }));
        lines.push(line(ERRORS, side, pod, move |t| {
            Some((errors * (1.0 + 0.5 * noise(9, t))).max(0.0))
        }));
    }
    let judged = judged(lines, FOUR_HOURS);
    assert_eq!(judged.because, "the canary is worse in latency, errors");
    assert!(
        of(&judged, "latency").because.contains("it is 2"),
        "{}",
        of(&judged, "latency").because
    );
    assert!(of(&judged, "errors").because.contains("% higher"));
}

#[test]
fn numbers_that_are_none_are_gaps() {
    let mut lines = memory(|_| 0.0);
    for (side, pod) in [("stable", "s1"), ("canary", "c1")] {
        lines.push(line(LATENCY, side, pod, |t| {
            Some(match (t / 15.0) as u64 % 3 {
                0 => f64::NAN,
                1 => f64::INFINITY,
                _ => 0.05 + 0.002 * noise(5, t),
            })
        }));
    }
    let judged = judged(lines, FOUR_HOURS);
    assert_eq!(
        of(&judged, "latency").answer,
        Answer::Pass,
        "{:?}",
        of(&judged, "latency")
    );
}

#[test]
fn growth_that_the_baseline_shows_alike_was_there_before() {
    let both = |side, pod, seed| {
        line(MEMORY, side, pod, move |t| {
            Some(2e8 + 4_000.0 * t + MIB * noise(seed, t))
        })
    };
    let judged = judged(
        vec![both("stable", "s", 1), both("canary", "c", 2)],
        FOUR_HOURS,
    );
    assert_eq!(judged.decision, Answer::Pass, "{:?}", of(&judged, "memory"));
}

#[test]
fn a_baseline_that_shrinks_makes_no_leak_of_a_canary_that_does_not() {
    let judged = judged(
        vec![
            line(MEMORY, "stable", "s", |t| {
                Some(4e8 - 3_000.0 * t + MIB * noise(1, t))
            }),
            line(MEMORY, "canary", "c", |t| Some(4e8 + MIB * noise(2, t))),
        ],
        FOUR_HOURS,
    );
    assert_eq!(judged.decision, Answer::Inconclusive);
    assert!(
        of(&judged, "memory")
            .because
            .contains("the baseline shrinks")
    );
}

#[test]
fn where_the_load_falls_a_canary_that_stays_where_it_is_leaks() {
    let judged = judged(
        vec![
            line(MEMORY, "stable", "s", |t| {
                Some(4e8 - 3_000.0 * t + MIB * noise(1, t))
            }),
            line(MEMORY, "canary", "c", |t| Some(4e8 + MIB * noise(2, t))),
            line(REQUESTS, "stable", "s", |t| Some(50.0 * t - 0.001 * t * t)),
            line(REQUESTS, "canary", "c", |t| Some(50.0 * t - 0.001 * t * t)),
        ],
        FOUR_HOURS,
    );
    assert_eq!(judged.decision, Answer::Fail, "{:?}", of(&judged, "memory"));
}

#[test]
fn what_fills_and_empties_is_no_leak() {
    let saw = |t: f64, period: f64| 60.0 * MIB * (t / period).fract();
    let judged = judged(
        vec![
            line(MEMORY, "stable", "s", move |t| Some(2e8 + saw(t, 1_700.0))),
            line(MEMORY, "canary", "c", move |t| {
                Some(2e8 + saw(t + 400.0, 2_300.0))
            }),
        ],
        "duration = \"8h\"\n",
    );
    assert_ne!(judged.decision, Answer::Fail, "{:?}", of(&judged, "memory"));
}

/// A cache that grows once by 3 MiB: a jump, and no growth. Where there is more noise, a
/// test of many canaries holds it (`simulated`).
#[test]
fn what_jumps_once_is_no_leak() {
    for at in [0.7, 1.3, 2.2, 2.9] {
        let jump = move |t: f64| if t < at * HOUR { 0.0 } else { 3.0 * MIB };
        let judged = judged(memory(jump), FOUR_HOURS);
        assert_ne!(
            judged.decision,
            Answer::Fail,
            "{at}: {:?}",
            of(&judged, "memory")
        );
    }
}

/// A canary with a twentieth of the load, which leaks with each request.
fn small_share(bytes_per_request: f64) -> Vec<Line> {
    let (all, few) = (100.0, 5.0);
    vec![
        line(MEMORY, "stable", "s", |t| {
            Some(2e8 + MIB / 4.0 * noise(1, t))
        }),
        line(MEMORY, "canary", "c", move |t| {
            Some(2e8 + bytes_per_request * few * t + MIB / 4.0 * noise(2, t))
        }),
        line(REQUESTS, "stable", "s", move |t| Some((all * t).round())),
        line(REQUESTS, "canary", "c", move |t| Some((few * t).round())),
    ]
}

#[test]
fn growth_of_a_canary_with_little_load_is_counted_by_its_requests() {
    // 60 bytes for each request: 300 B/s in the canary, and 6,000 under the full load.
    let leaky = judged(small_share(60.0), FOUR_HOURS);
    assert_eq!(leaky.decision, Answer::Fail, "{:?}", of(&leaky, "memory"));
    let Figures::Growth(growth) = &of(&leaky, "memory").figures else {
        panic!()
    };
    assert!(growth.over_requests);
    assert!((growth.slope - 6_000.0).abs() < 600.0, "{growth:?}");
    assert!(
        (growth.per_request.unwrap() - 60.0).abs() < 6.0,
        "{growth:?}"
    );
    let clean = judged(small_share(0.0), FOUR_HOURS);
    assert_ne!(clean.decision, Answer::Fail, "{:?}", of(&clean, "memory"));
}

#[test]
fn a_canary_without_load_shows_nothing() {
    let mut lines = memory(|_| 0.0);
    lines.push(line(REQUESTS, "stable", "s1", |t| Some(50.0 * t)));
    lines.push(line(REQUESTS, "canary", "c1", |t| {
        Some((t / 600.0).floor())
    }));
    let judged = judged(lines, FOUR_HOURS);
    assert_eq!(judged.decision, Answer::Inconclusive);
    assert!(
        judged
            .notes
            .iter()
            .any(|note| note.contains("next to no requests"))
    );
}

#[test]
fn series_that_are_missing_leave_it_open() {
    let one = judged(vec![line(MEMORY, "stable", "s", |_| Some(1e8))], FOUR_HOURS);
    assert_eq!(one.decision, Answer::Inconclusive);
    assert_eq!(of(&one, "memory").because, "the canary has no such series");
    let none = judged(Vec::new(), FOUR_HOURS);
    assert_eq!(
        (none.decision, none.because.as_str()),
        (Answer::Inconclusive, "neither side was seen")
    );
    // Memory has to be among what is seen.
    let fds = |side, pod| line(FDS, side, pod, |_| Some(9.0));
    let without = judged(vec![fds("stable", "s"), fds("canary", "c")], FOUR_HOURS);
    assert_eq!(without.because, "nothing was seen of memory");
    // And what the policy adds.
    let more = format!(
        "{FOUR_HOURS}[[rollout.metric]]\nid = \"pool\"\nquery = \"pool{{$selector}}\"\nheadroom = 10\n"
    );
    let pool = judged(memory(|_| 0.0), &more);
    assert_eq!(pool.because, "nothing was seen of pool");
}
