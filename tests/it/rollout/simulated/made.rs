//! Made-up canaries, beside made-up instances of a baseline, and what the judges say.

use std::collections::BTreeMap;
use std::time::Duration;

use cargo_canary::rollout::judge::judge;
use cargo_canary::rollout::prometheus::{Reply, Seen, Window};
use cargo_canary::rollout::{Answer, Config, Said, Series};
use cargo_canary::stats::median;
use jiff::Timestamp;

use crate::chance::Chance;

pub(super) const MIB: f64 = 1_048_576.0;
pub(super) const HOUR: f64 = 3_600.0;
/// Seconds between values.
pub(super) const STEP: f64 = 30.0;
pub(super) const TABLE: &str = "[rollout]\nprometheus = \"http://p\"\nbaseline = { a = \"b\" }\ncanary = { a = \"c\" }\nstep = \"30s\"\n";

/// How instances vary: the standard deviation in MiB, and how long a value resembles
/// the one before, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Vary {
    pub(super) name: &'static str,
    pub(super) deviation: f64,
    pub(super) repeats: f64,
    /// Noise besides, likewise: the deviation, and for how long.
    pub(super) also: Option<(f64, f64)>,
}

pub(super) const VARIES: [Vary; 3] = [
    Vary {
        name: "1 MiB, for 1 min",
        deviation: 1.0,
        repeats: 60.0,
        also: None,
    },
    Vary {
        name: "4 MiB, for 1 min",
        deviation: 4.0,
        repeats: 60.0,
        also: None,
    },
    Vary {
        name: "2 MiB, for 10 min",
        deviation: 2.0,
        repeats: 600.0,
        also: None,
    },
];

/// What the canary has more than its baseline, by its phase and the time in seconds.
pub(super) type Added<'a> = &'a dyn Fn(f64, f64) -> f64;

/// One instance: 200 MiB, give or take 1.5 % of its own; a wave of a day that all
/// share; a start that settles by 20 MiB; what is added; noise.
pub(super) fn instance(
    chance: &mut Chance,
    pod: &str,
    hours: f64,
    vary: Vary,
    added: Added<'_>,
    phase: f64,
) -> Series {
    let offset = 3.0 * MIB * chance.normal();
    let keep = (-STEP / vary.repeats).exp();
    let fresh = (1.0 - keep * keep).sqrt();
    let mut current = chance.normal();
    let mut slow = if vary.also.is_some() {
        chance.normal()
    } else {
        0.0
    };
    let mut samples = Vec::new();
    let mut tick = 0_i64;
    while tick as f64 * STEP <= hours * HOUR {
        let t = tick as f64 * STEP;
        current = keep * current + fresh * chance.normal();
        let wave = 20.0 * MIB * (std::f64::consts::TAU * (t / 86_400.0 + phase)).sin();
        let start = 20.0 * MIB * (1.0 - (-t / 600.0).exp());
        let mut noise = vary.deviation * MIB * current;
        if let Some((deviation, repeats)) = vary.also {
            let keep = (-STEP / repeats).exp();
            slow = keep * slow + (1.0 - keep * keep).sqrt() * chance.normal();
            noise += deviation * MIB * slow;
        }
        samples.push((
            tick,
            180.0 * MIB + offset + wave + start + added(phase, t) + noise,
        ));
        tick += 1;
    }
    Series {
        labels: BTreeMap::from([("pod".to_owned(), pod.to_owned())]),
        samples,
    }
}

/// The requests of an instance, of which memory is the mirror.
pub(super) fn requests(pod: &str, hours: f64, phase: f64) -> Series {
    let mut total = 0.0;
    let mut samples = Vec::new();
    let mut tick = 0_i64;
    while tick as f64 * STEP <= hours * HOUR {
        let t = tick as f64 * STEP;
        total += STEP * 50.0 * (1.0 + 0.4 * (std::f64::consts::TAU * (t / 86_400.0 + phase)).sin());
        samples.push((tick, total));
        tick += 1;
    }
    Series {
        labels: BTreeMap::from([("pod".to_owned(), pod.to_owned())]),
        samples,
    }
}

/// A level judge with the settings that are usual (those of Kayenta): 98 % confidence,
/// and the lower end of the shift above a quarter of its estimate; one value a minute,
/// the baseline's the mean of its instances. With a floor the shift must also be at
/// least that share of the baseline's level.
pub(super) fn by_level(baseline: &[Series], canary: &Series, floor: f64) -> (bool, bool) {
    let minutes = |series: &Series| -> Vec<f64> {
        let values = series.samples.iter().step_by(2);
        values.map(|(_, value)| *value).collect()
    };
    let sides: Vec<Vec<f64>> = baseline.iter().map(minutes).collect();
    let canary = minutes(canary);
    let mean: Vec<f64> = (0..canary.len())
        .map(|at| sides.iter().map(|side| side[at]).sum::<f64>() / sides.len() as f64)
        .collect();
    let mut differences: Vec<f64> = mean
        .iter()
        .flat_map(|a| canary.iter().map(move |b| b - a))
        .collect();
    let mut at = |share: f64| {
        let place = (share.max(0.0) * (differences.len() - 1) as f64) as usize;
        *differences.select_nth_unstable_by(place, f64::total_cmp).1
    };
    let shift = at(0.5);
    // The interval for independent values: the smallest, as the usual judge has it.
    let (n, m) = (mean.len() as f64, canary.len() as f64);
    let reach = 2.326 * (n * m * (n + m + 1.0) / 12.0).sqrt() / (n * m);
    let high = at(0.5 - reach) > 0.25 * shift.abs();
    (high, high && shift >= floor * median(&mean).unwrap())
}

/// What came of some canaries of one kind.
#[derive(Default)]
pub(super) struct Came {
    pub(super) leaks: u32,
    pub(super) open: u32,
    pub(super) by_level: u32,
    pub(super) by_level_with_floor: u32,
}

/// The seed of other canaries than those of the tables.
pub(super) fn seed() -> Option<u64> {
    let seed = std::env::var("CANARY_SIMULATION_SEED").ok()?;
    Some(seed.parse().expect("a number"))
}

/// Of what kind the canaries are.
#[derive(Clone, Copy)]
pub(super) struct Trial {
    pub(super) vary: Vary,
    /// The window.
    pub(super) hours: f64,
    /// For so long before it the baseline was seen.
    pub(super) before: f64,
}

pub(super) const DAY: f64 = 24.0;

/// With a leak in bytes per second.
pub(super) fn tried(runs: u32, of: Trial, leak: f64, levels: bool) -> Came {
    tried_with(runs, of, &|_, t| leak * t, levels)
}

pub(super) fn tried_with(runs: u32, of: Trial, added: Added<'_>, levels: bool) -> Came {
    let Trial { vary, hours, .. } = of;
    let config = Config::read(TABLE, "x", &Said::default()).unwrap();
    let duration = Duration::from_secs_f64(hours * HOUR);
    let config = Config { duration, ..config };
    let memory = config.metrics[0].clone();
    let end = Timestamp::from_second(1_795_000_000).unwrap();
    let window = Window::ending(end, duration, config.step);
    let mut chance = Chance(seed().unwrap_or(20_261_128));
    let mut earlier = Chance(chance.0 ^ 0x5555_5555);
    let mut came = Came::default();
    for run in 0..runs {
        let phase = f64::from(run) * 0.618;
        let baseline = vec![
            instance(&mut chance, "b1", hours, vary, &|_, _| 0.0, phase),
            instance(&mut chance, "b2", hours, vary, &|_, _| 0.0, phase),
        ];
        let canary = instance(&mut chance, "c1", hours, vary, added, phase);
        let reply = |series| Reply {
            query: String::new(),
            series: Ok(series),
            warnings: Vec::new(),
        };
        let before = (of.before > 0.0).then(|| {
            let pods = ["b1", "b2"].iter();
            let seen =
                |pod: &&str| instance(&mut earlier, pod, of.before, of.vary, &|_, _| 0.0, phase);
            reply(pods.map(seen).collect())
        });
        if levels {
            let (plain, with_floor) = by_level(&baseline, &canary, 0.05);
            came.by_level += u32::from(plain);
            came.by_level_with_floor += u32::from(with_floor);
        }
        let seen = Seen {
            metric: memory.clone(),
            baseline: reply(baseline),
            canary: reply(vec![canary]),
            before,
        };
        let load = Seen {
            metric: config
                .metrics
                .iter()
                .find(|metric| metric.id == "requests")
                .unwrap()
                .clone(),
            baseline: reply(vec![requests("b1", hours, phase)]),
            canary: reply(vec![requests("c1", hours, phase)]),
            before: None,
        };
        let judged = judge(&[seen, load], &config, window).unwrap();
        came.leaks += u32::from(judged.metrics[0].answer == Answer::Fail);
        came.open += u32::from(judged.metrics[0].answer == Answer::Inconclusive);
    }
    came
}

/// Noise that lasts for half an hour, the longest for which false alarms are promised,
/// and for longer.
pub(super) const LASTING: [Vary; 3] = [
    Vary {
        name: "2 MiB, for 30 min",
        deviation: 2.0,
        repeats: 1_800.0,
        also: None,
    },
    Vary {
        name: "2 MiB, for 1 h",
        deviation: 2.0,
        repeats: 3_600.0,
        also: None,
    },
    Vary {
        name: "2 MiB, for 2 h",
        deviation: 2.0,
        repeats: 7_200.0,
        also: None,
    },
];
/// Noise of two kinds at once, so that it is not of the form which the judge reckons with.
pub(super) const TWOFOLD: Vary = Vary {
    name: "1 MiB, for 1 min, and 1 MiB, for 2 h",
    deviation: 1.0,
    repeats: 60.0,
    also: Some((1.0, 7_200.0)),
};

/// A window of four hours, and a day before it.
pub(super) fn in_four_hours(vary: Vary) -> Trial {
    Trial {
        vary,
        hours: 4.0,
        before: DAY,
    }
}
