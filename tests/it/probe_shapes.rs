//! The shapes that programs show: what settles, fills and empties again, comes in
//! bursts or in pieces is no leak; what goes on growing is one. Made-up series, in
//! several phases and with noise, so that no answer hangs on one lucky moment.

use std::time::Duration;

use cargo_canary::host::{Ending, GroupMemory, Sample};
use cargo_canary::probe::counters::{Counters, Reading};
use cargo_canary::probe::judge::{Answer, Judged, judge, judge_gauges};
use cargo_canary::probe::{Resource, Segment, Thresholds, Watched};

const MIB: f64 = 1024.0 * 1024.0;
const KIB: f64 = 1024.0;

/// What a program holds at a time in seconds: a resource by its course.
type Course<'c> = &'c dyn Fn(f64) -> f64;

/// The same noise everywhere: between -1 and 1, other for each seed.
fn noise(at: f64, seed: u32) -> f64 {
    let mixed = (at * 1_000.0).round() * 12.9898 + f64::from(seed) * 78.233;
    2.0 * (mixed.sin() * 43_758.547).rem_euclid(1.0) - 1.0
}

fn life(resource: Resource, seconds: f64, course: Course<'_>) -> Segment {
    let samples = (0..)
        .map(|tick| f64::from(tick) * 0.1)
        .take_while(|at| *at <= seconds)
        .map(|at| {
            let value = course(at).max(0.0) as u64;
            let mut sample = Sample {
                at: Duration::from_secs_f64(at),
                cpu: Duration::from_secs_f64(at * 0.3),
                processes: 1,
                rss: 20 << 20,
                vsz: 200 << 20,
                threads: 4,
                fds: 10,
                ..Sample::default()
            };
            match resource {
                Resource::Rss => sample.rss = value,
                Resource::Vsz => sample.vsz = value,
                Resource::Fds => sample.fds = value,
                Resource::Threads => sample.threads = value,
                Resource::Shmem => {
                    sample.group = Some(GroupMemory {
                        anon: 20 << 20,
                        shmem: value,
                        ..GroupMemory::default()
                    });
                }
                Resource::Pss
                | Resource::Private
                | Resource::Group
                | Resource::Sockets
                | Resource::Processes => {
                    panic!("{resource:?} is not made here")
                }
            }
            sample
        })
        .collect();
    Segment {
        samples,
        ..Segment::default()
    }
}

fn answers(
    resource: Resource,
    base: &[Segment],
    head: &[Segment],
) -> (Judged, Vec<(Resource, Answer)>) {
    let thresholds = Thresholds::built_in().unwrap();
    let judged = judge(base, head, &thresholds, &[]);
    let all = judged
        .iter()
        .filter_map(|j| match j.resource {
            Watched::Resource(resource) => Some((resource, j.answer)),
            Watched::Gauge { .. } => None,
        })
        .collect();
    let of = judged.into_iter().find(|j| j.resource == resource).unwrap();
    (of, all)
}

/// Judges a course of the head beside a base that stays at the head's first value.
fn beside_flat(resource: Resource, seconds: f64, course: Course<'_>) -> Judged {
    let first = course(0.0);
    let base = life(resource, seconds, &|_| first);
    answers(resource, &[base], &[life(resource, seconds, course)]).0
}

#[track_caller]
fn is(wanted: Answer, what: &str, judged: &Judged) {
    assert_eq!(judged.answer, wanted, "{what}: {judged:#?}");
}

#[test]
fn files_in_memory_that_grow_leak_where_no_process_does() {
    let growing = |at: f64| 2.0 * MIB + 64.0 * KIB * at;
    let judged = beside_flat(Resource::Shmem, 30.0, &growing);
    is(Answer::Leak, "grows", &judged);
    assert!(
        judged.because.ends_with("or files in tmpfs"),
        "{}",
        judged.because
    );
    // Of those that have none nothing is said.
    let none = [life(Resource::Shmem, 30.0, &|_| 0.0)];
    let judged = judge(&none, &none, &Thresholds::built_in().unwrap(), &[]);
    assert!(judged.iter().any(|one| one.resource == Resource::Group));
    assert!(judged.iter().all(|one| one.resource != Resource::Shmem));
}

#[test]
fn what_settles_is_no_leak() {
    for seed in 0..6 {
        let grain = |at: f64| 60.0 * KIB * noise(at, seed);
        let ramp = |at: f64| 20.0 * MIB + MIB * at.min(18.0) + grain(at);
        is(
            Answer::NoLeak,
            "ramp, then plateau",
            &beside_flat(Resource::Rss, 60.0, &ramp),
        );
        for settling in [3.0, 6.0, 10.0] {
            let course = |at: f64| 30.0 * MIB - 10.0 * MIB * (-at / settling).exp() + grain(at);
            is(
                Answer::NoLeak,
                "settles",
                &beside_flat(Resource::Rss, 60.0, &course),
            );
        }
        // The last of these is not over yet when the run ends, and the run may say so.
        let course = |at: f64| 30.0 * MIB - 10.0 * MIB * (-at / 25.0).exp() + grain(at);
        let slow = beside_flat(Resource::Rss, 60.0, &course);
        assert_ne!(slow.answer, Answer::Leak, "settles slowly: {slow:#?}");
        // Thread after thread makes its own cache, in jumps that end.
        let jumps = |at: f64| 20.0 * MIB + 3.0 * MIB * (at / 2.5).floor().min(7.0) + grain(at);
        is(
            Answer::NoLeak,
            "a cache for each thread",
            &beside_flat(Resource::Rss, 60.0, &jumps),
        );
    }
}

#[test]
fn what_fills_and_empties_again_is_no_leak() {
    for period in [2.0, 5.0, 7.0, 11.0, 17.0] {
        for phase in [0.0, 0.3, 0.6, 0.9] {
            let sawtooth = |at: f64| {
                20.0 * MIB + 8.0 * MIB * (at / period + phase).fract() + 50.0 * KIB * noise(at, 1)
            };
            let judged = beside_flat(Resource::Rss, 60.0, &sawtooth);
            assert_ne!(
                judged.answer,
                Answer::Leak,
                "sawtooth {period} {phase}: {judged:#?}"
            );
            let bursts = |at: f64| {
                let high = (at / period + phase).fract() < 0.2;
                20.0 * MIB + if high { 30.0 * MIB } else { 0.0 }
            };
            let judged = beside_flat(Resource::Rss, 60.0, &bursts);
            assert_ne!(
                judged.answer,
                Answer::Leak,
                "bursts {period} {phase}: {judged:#?}"
            );
            let pool = |at: f64| 10.0 + (30.0 * (at / period + phase).fract()).floor();
            let judged = beside_flat(Resource::Fds, 60.0, &pool);
            assert_ne!(
                judged.answer,
                Answer::Leak,
                "pool {period} {phase}: {judged:#?}"
            );
        }
    }
}

#[test]
fn what_goes_on_growing_is_a_leak() {
    for seed in 0..4 {
        let grain = |at: f64| 60.0 * KIB * noise(at, seed);
        let bursts = |at: f64| 20.0 * MIB + 256.0 * KIB * (at / 3.0).floor() + grain(at);
        is(
            Answer::Leak,
            "in bursts",
            &beside_flat(Resource::Rss, 60.0, &bursts),
        );
        let after_start =
            |at: f64| 30.0 * MIB - 10.0 * MIB * (-at / 4.0).exp() + 40.0 * KIB * at + grain(at);
        is(
            Answer::Leak,
            "after a start",
            &beside_flat(Resource::Rss, 60.0, &after_start),
        );
        let under_churn = |at: f64| {
            20.0 * MIB + 2.0 * MIB * (at / 3.0 + 0.4).fract() + 128.0 * KIB * at + grain(at)
        };
        is(
            Answer::Leak,
            "under a sawtooth",
            &beside_flat(Resource::Rss, 60.0, &under_churn),
        );
        let late = |at: f64| 20.0 * MIB + 512.0 * KIB * (at - 20.0).max(0.0) + grain(at);
        is(
            Answer::Leak,
            "from the 20th second on",
            &beside_flat(Resource::Rss, 60.0, &late),
        );
    }
    for (resource, rate) in [
        (Resource::Fds, 1.0),
        (Resource::Fds, 0.2),
        (Resource::Threads, 0.5),
    ] {
        let course = |at: f64| 10.0 + (rate * at).floor();
        is(
            Answer::Leak,
            "handles",
            &beside_flat(resource, 60.0, &course),
        );
        is(
            Answer::Leak,
            "handles in 20 s",
            &beside_flat(resource, 20.0, &|at| course(3.0 * at)),
        );
    }
    let reserved = |at: f64| 200.0 * MIB + 4.0 * MIB * (at * 2.0).floor();
    is(
        Answer::Leak,
        "address space only",
        &beside_flat(Resource::Vsz, 60.0, &reserved),
    );
}

#[test]
fn a_slow_leak_shows_in_short_lives_too_when_it_is_even() {
    let lives = |rate: f64| -> Vec<Segment> {
        (0..5)
            .map(|seed| {
                let course = move |at: f64| {
                    let start = 3.0 * MIB * (1.0 - (-at / 0.5).exp());
                    4.0 * MIB + start + rate * KIB * at + 4.0 * KIB * noise(at, seed)
                };
                let ended = Some(Ending::Code(0));
                Segment {
                    ending: ended,
                    ..life(Resource::Rss, 12.0, &course)
                }
            })
            .collect()
    };
    let (judged, _) = answers(Resource::Rss, &lives(0.0), &lives(22.0));
    is(Answer::Leak, "22 KiB/s in lives of 12 s", &judged);
    let (judged, _) = answers(Resource::Rss, &lives(0.0), &lives(2.0));
    is(Answer::NoLeak, "2 KiB/s in lives of 12 s", &judged);
}

#[test]
fn a_leak_that_gets_less_and_less_of_the_machine_is_still_one() {
    // Work, and with it the leak, slows down to a fifth.
    let work = |at: f64| {
        if at < 25.0 {
            at
        } else {
            25.0 + 0.2 * (at - 25.0)
        }
    };
    let course = |at: f64| 20.0 * MIB + 200.0 * KIB * work(at);
    let mut head = life(Resource::Rss, 60.0, &course);
    for sample in &mut head.samples {
        sample.cpu = Duration::from_secs_f64(0.5 * work(sample.at.as_secs_f64()));
    }
    let base = life(Resource::Rss, 60.0, &|_| 20.0 * MIB);
    let (judged, _) = answers(Resource::Rss, &[base], &[head]);
    is(Answer::Leak, "a starved leak", &judged);
}

#[test]
fn the_pieces_that_an_allocator_reserves_are_no_leak() {
    for seed in 0..6_u32 {
        let times: Vec<f64> = (0..9)
            .map(|n| 30.0 + 29.0 * noise(f64::from(n), seed))
            .collect();
        let course = |at: f64| {
            let pieces = times.iter().filter(|time| **time <= at).count();
            200.0 * MIB + 66.0 * MIB * pieces as f64
        };
        let judged = beside_flat(Resource::Vsz, 60.0, &course);
        assert_ne!(judged.answer, Answer::Leak, "{times:?}: {judged:#?}");
    }
}

#[test]
fn growth_until_an_allocation_fails_is_a_leak() {
    let lives: Vec<Segment> = (0..3)
        .map(|_| {
            let course = |at: f64| 3.0 * MIB + KIB * 2.0_f64.powf((at * 4.0).floor());
            Segment {
                ending: Some(Ending::Signal(6)),
                exhausted: true,
                ..life(Resource::Vsz, 6.0, &course)
            }
        })
        .collect();
    let base = life(Resource::Vsz, 20.0, &|_| 3.0 * MIB);
    let (judged, all) = answers(Resource::Vsz, &[base], &lives);
    is(Answer::Leak, "capacity that doubles", &judged);
    assert!(all.contains(&(Resource::Rss, Answer::NoLeak)), "{all:?}");
    // One that dies at once of a single wish has shown no growth.
    let at_once = Segment {
        ending: Some(Ending::Signal(6)),
        exhausted: true,
        ..life(Resource::Vsz, 0.9, &|_| 3.0 * MIB)
    };
    let base = life(Resource::Vsz, 20.0, &|_| 3.0 * MIB);
    let (judged, _) = answers(Resource::Vsz, &[base], &[at_once]);
    assert_ne!(judged.answer, Answer::Leak, "{judged:#?}");
}

/// A life of 60 s in which a program tells a gauge each half second; it begins anew at
/// these times.
fn telling(course: Course<'_>, anew: &[f64]) -> Segment {
    let mut segment = life(Resource::Rss, 60.0, &|_| 20.0 * MIB);
    let mut before = 0.0;
    for tick in 1..=120 {
        let at = f64::from(tick) * 0.5;
        segment.told.push(Reading {
            at: Duration::from_secs_f64(at),
            gauges: [("pool_in_use".into(), course(at).max(0.0).floor())].into(),
            anew: anew.iter().any(|time| (before..at).contains(time)),
            ..Reading::default()
        });
        before = at;
    }
    segment
}

fn gauge(base: &[Segment], head: &[Segment]) -> Judged {
    let watch = ["pool_in_use".to_owned()];
    let url = "http://127.0.0.1:{port}/";
    let counters = Counters::new(url, &watch, None, (false, false)).unwrap();
    let thresholds = Thresholds::built_in().unwrap();
    judge_gauges(base, head, &counters, &thresholds).remove(0)
}

#[test]
fn gauges_are_judged_as_resources_are_also_over_restarts_inside_of_a_life() {
    for seed in 0..6 {
        let busy = |at: f64| 6.0 + 5.0 * noise(at, seed);
        let flat = telling(&busy, &[]);
        is(
            Answer::NoLeak,
            "a busy pool",
            &gauge(
                std::slice::from_ref(&flat),
                &[telling(&|at| busy(at + 0.1), &[])],
            ),
        );
        let queue = |at: f64| 8.0 * (1.0 + (at / 7.0 + f64::from(seed)).sin()) + busy(at);
        let judged = gauge(std::slice::from_ref(&flat), &[telling(&queue, &[])]);
        assert_ne!(judged.answer, Answer::Leak, "a queue: {judged:#?}");
        let leak = |at: f64| busy(at) + 0.5 * at;
        is(
            Answer::Leak,
            "a leaky pool",
            &gauge(std::slice::from_ref(&flat), &[telling(&leak, &[])]),
        );
        // A worker inside of the same tree begins anew each 20 s, and leaks each time.
        let again = |at: f64| 6.0 + 2.0 * noise(at, seed) + 1.5 * (at % 20.0);
        let head = telling(&again, &[20.0, 40.0]);
        is(
            Answer::Leak,
            "leaks in each of three lives",
            &gauge(std::slice::from_ref(&flat), &[head]),
        );
        let judged = gauge(&[flat], &[telling(&again, &[])]);
        assert_ne!(judged.answer, Answer::Leak, "comes back: {judged:#?}");
    }
}

#[test]
fn a_partial_fix_is_a_leak_and_what_was_there_before_is_not_new() {
    let grows = |rate: f64, seed: u32| {
        life(Resource::Rss, 60.0, &move |at| {
            20.0 * MIB + rate * KIB * at + 30.0 * KIB * noise(at, seed)
        })
    };
    for seed in 0..4 {
        let judge = |base: f64, head: f64| {
            answers(
                Resource::Rss,
                &[grows(base, seed)],
                &[grows(head, seed + 9)],
            )
            .0
        };
        is(Answer::Leak, "a part remains", &judge(1_000.0, 400.0));
        is(Answer::Leak, "a small part remains", &judge(1_000.0, 20.0));
        is(Answer::Leak, "it got worse", &judge(100.0, 300.0));
        is(Answer::NoLeak, "alike", &judge(500.0, 520.0));
        is(Answer::NoLeak, "fixed", &judge(1_000.0, 0.0));
    }
}

#[test]
fn what_was_seen_of_the_beginning_only_says_nothing_of_the_rest() {
    // A cache that is emptied every 23 s; memory by share was looked at until the 17th.
    let cache = |at: f64| 4.0 * MIB + 1.2 * MIB * (at % 23.0);
    let mut head = life(Resource::Rss, 60.0, &cache);
    let mut base = life(Resource::Rss, 60.0, &|_| 4.0 * MIB);
    for (segment, course) in [
        (&mut head, &cache as Course<'_>),
        (&mut base, &|_| 2.0 * MIB),
    ] {
        for sample in &mut segment.samples {
            let at = sample.at.as_secs_f64();
            let seen = at < 17.0;
            sample.pss = seen.then(|| course(at) as u64);
            sample.private = seen.then(|| course(at) as u64);
        }
    }
    let (pss, all) = answers(Resource::Pss, &[base], &[head]);
    is(Answer::Inconclusive, "seen for 17 s of 60", &pss);
    assert!(pss.head.is_none(), "{pss:#?}");
    assert!(
        all.iter().all(|(_, answer)| *answer != Answer::Leak),
        "{all:?}"
    );
}

#[test]
fn a_buffer_that_doubles_until_it_is_flushed_is_no_leak() {
    // 210 KiB/s into a buffer whose capacity doubles, flushed at 8 MiB.
    let capacity = |at: f64| {
        let held = 210.0 * KIB * (at % 39.0);
        20.0 * MIB + 64.0 * KIB * 2.0_f64.powf((held / KIB / 64.0).max(1.0).log2().ceil())
    };
    for resource in [Resource::Vsz, Resource::Rss] {
        let judged = beside_flat(resource, 60.0, &capacity);
        assert_ne!(judged.answer, Answer::Leak, "{resource:?}: {judged:#?}");
    }
    // The same without a flush.
    let capacity =
        |at: f64| 20.0 * MIB + 64.0 * KIB * 2.0_f64.powf((3.3 * at).max(1.0).log2().ceil());
    is(
        Answer::Leak,
        "never flushed",
        &beside_flat(Resource::Vsz, 60.0, &capacity),
    );
}

#[test]
fn bursts_of_work_that_all_give_back_what_they_take_are_no_leak() {
    for phase in [0.0, 0.3, 0.6, 0.9] {
        let noise = |at: f64| 20.0 * KIB * noise(at, 5);
        let batch = |at: f64| {
            let busy = (at / 10.0 + phase).fract() < 0.25;
            3.0 * MIB + if busy { 40.0 * MIB } else { 0.0 } + noise(at)
        };
        let judged = beside_flat(Resource::Rss, 60.0, &batch);
        is(Answer::NoLeak, "batches", &judged);
        let leaks = |at: f64| batch(at) + 100.0 * KIB * at;
        let judged = beside_flat(Resource::Rss, 60.0, &leaks);
        assert_ne!(
            judged.answer,
            Answer::NoLeak,
            "leak under batches: {judged:#?}"
        );
    }
}

#[test]
fn other_sharing_of_pages_is_no_leak_while_resident_memory_is_flat() {
    let mut head = life(Resource::Rss, 60.0, &|_| 20.0 * MIB);
    for sample in &mut head.samples {
        let at = sample.at.as_secs_f64();
        sample.pss = Some((5.0 * MIB + 100.0 * KIB * at) as u64);
        sample.private = Some((4.0 * MIB + 100.0 * KIB * at) as u64);
    }
    let base = head.clone();
    let (pss, _) = answers(Resource::Pss, &[base], std::slice::from_ref(&head));
    assert_eq!(pss.answer, Answer::NoLeak);
    let flat = Segment {
        samples: head
            .samples
            .iter()
            .map(|sample| Sample {
                pss: Some(5 << 20),
                private: Some(4 << 20),
                ..*sample
            })
            .collect(),
        ..Segment::default()
    };
    let (pss, _) = answers(Resource::Pss, &[flat], &[head]);
    is(Answer::NoLeak, "less is shared", &pss);
    assert!(pss.because.contains("shared"), "{}", pss.because);
}
