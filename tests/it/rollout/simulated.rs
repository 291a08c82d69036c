//! How often the judge finds a leak and how often it cries wolf, on made-up canaries,
//! beside a judge of levels on the same data. The table in `docs/rollout.md` is this
//! test's: `CANARY_SIMULATION=1 cargo test --test it rollout::simulated` writes it anew
//! when it differs, and then fails. `CANARY_SIMULATION_SEED=N` takes other canaries, and
//! prints what comes out instead.

use std::collections::BTreeMap;
use std::time::Duration;

use cargo_canary::rollout::judge::judge;
use cargo_canary::rollout::plan::{Noise, Plan, Service, Subject};
use cargo_canary::rollout::prometheus::{Reply, Seen, Window};
use cargo_canary::rollout::{Answer, Config, Said, Series};
use cargo_canary::stats::{median, shift_interval};
use jiff::Timestamp;
use rayon::prelude::*;

use crate::cli::program::root;

const MIB: f64 = 1_048_576.0;
const HOUR: f64 = 3_600.0;
/// Seconds between values.
const STEP: f64 = 30.0;
const TABLE: &str = "[rollout]\nprometheus = \"http://p\"\nbaseline = { a = \"b\" }\ncanary = { a = \"c\" }\nstep = \"30s\"\n";

/// A generator that is the same everywhere.
struct Chance(u64);

impl Chance {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Nearly normal, with variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// How instances vary: the standard deviation in MiB, and how long a value resembles
/// the one before, in seconds.
#[derive(Clone, Copy)]
struct Vary {
    name: &'static str,
    deviation: f64,
    repeats: f64,
}

const VARIES: [Vary; 3] = [
    Vary {
        name: "1 MiB, for 1 min",
        deviation: 1.0,
        repeats: 60.0,
    },
    Vary {
        name: "4 MiB, for 1 min",
        deviation: 4.0,
        repeats: 60.0,
    },
    Vary {
        name: "2 MiB, for 10 min",
        deviation: 2.0,
        repeats: 600.0,
    },
];

/// What the canary has more than its baseline, by its phase and the time in seconds.
type Added<'a> = &'a dyn Fn(f64, f64) -> f64;

/// One instance: 200 MiB, give or take 1.5 % of its own; a wave of a day that all
/// share; a start that settles by 20 MiB; what is added; noise.
fn instance(
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
    let mut samples = Vec::new();
    let mut tick = 0_i64;
    while tick as f64 * STEP <= hours * HOUR {
        let t = tick as f64 * STEP;
        current = keep * current + fresh * chance.normal();
        let wave = 20.0 * MIB * (std::f64::consts::TAU * (t / 86_400.0 + phase)).sin();
        let start = 20.0 * MIB * (1.0 - (-t / 600.0).exp());
        let noise = vary.deviation * MIB * current;
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
fn requests(pod: &str, hours: f64, phase: f64) -> Series {
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
fn by_level(baseline: &[Series], canary: &Series, floor: f64) -> (bool, bool) {
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
struct Came {
    leaks: u32,
    open: u32,
    by_level: u32,
    by_level_with_floor: u32,
}

/// The seed of other canaries than those of the tables.
fn seed() -> Option<u64> {
    let seed = std::env::var("CANARY_SIMULATION_SEED").ok()?;
    Some(seed.parse().expect("a number"))
}

/// With a leak in bytes per second.
fn tried(runs: u32, hours: f64, vary: Vary, leak: f64, levels: bool) -> Came {
    tried_with(runs, hours, vary, &|_, t| leak * t, levels)
}

fn tried_with(runs: u32, hours: f64, vary: Vary, added: Added<'_>, levels: bool) -> Came {
    let config = Config::read(TABLE, "x", &Said::default()).unwrap();
    let duration = Duration::from_secs_f64(hours * HOUR);
    let config = Config { duration, ..config };
    let memory = config.metrics[0].clone();
    let end = Timestamp::from_second(1_795_000_000).unwrap();
    let window = Window::ending(end, duration, config.step);
    let mut chance = Chance(seed().unwrap_or(20_261_128));
    let mut came = Came::default();
    for run in 0..runs {
        let phase = f64::from(run) * 0.618;
        let baseline = vec![
            instance(&mut chance, "b1", hours, vary, &|_, _| 0.0, phase),
            instance(&mut chance, "b2", hours, vary, &|_, _| 0.0, phase),
        ];
        let canary = instance(&mut chance, "c1", hours, vary, added, phase);
        if levels {
            let (plain, with_floor) = by_level(&baseline, &canary, 0.05);
            came.by_level += u32::from(plain);
            came.by_level_with_floor += u32::from(with_floor);
        }
        let reply = |series| Reply {
            query: String::new(),
            series: Ok(series),
            warnings: Vec::new(),
        };
        let seen = Seen {
            metric: memory.clone(),
            baseline: reply(baseline),
            canary: reply(vec![canary]),
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
        };
        let judged = judge(&[seen, load], &config, window).unwrap();
        came.leaks += u32::from(judged.metrics[0].answer == Answer::Fail);
        came.open += u32::from(judged.metrics[0].answer == Answer::Inconclusive);
    }
    came
}

#[test]
fn a_leak_stands_out_in_four_hours_and_none_is_made_up() {
    let [quiet, loud, slow] = VARIES;
    for vary in [quiet, loud, slow] {
        let none = tried(25, 4.0, vary, 0.0, false);
        assert!(
            none.leaks <= 1,
            "{}: {} false alarms of 25",
            vary.name,
            none.leaks
        );
    }
    let found = tried(20, 4.0, quiet, 1_000.0, true);
    assert!(found.leaks >= 19, "{} of 20", found.leaks);
    // Where noise lasts ten minutes, nearly as well.
    let in_slow = tried(20, 4.0, slow, 1_000.0, false);
    assert!(in_slow.leaks >= 17, "{} of 20", in_slow.leaks);
    assert_eq!(in_slow.leaks + in_slow.open, 20);
    // Nothing of that size is passed, and the level judge with a floor sees little yet.
    assert_eq!(found.leaks + found.open, 20);
    assert!(
        found.by_level_with_floor < 15,
        "{} of 20",
        found.by_level_with_floor
    );
}

/// A cache that is filled at once makes the level higher, and no leak.
#[test]
fn a_single_jump_is_hardly_ever_called_a_leak() {
    for size in [3.0, 6.0] {
        let jump = |phase: f64, t: f64| {
            let at = (0.2 + 0.6 * phase.fract()) * 4.0 * HOUR;
            if t < at { 0.0 } else { size * MIB }
        };
        let came = tried_with(60, 4.0, VARIES[0], &jump, false);
        assert!(came.leaks <= 3, "{size} MiB: {} of 60", came.leaks);
    }
}

/// A leak of just the size that matters is called one about as often as the plan says:
/// nine times of ten.
#[test]
fn the_time_of_the_plan_suffices_for_the_leak_that_it_names() {
    for vary in [VARIES[0], VARIES[2]] {
        the_time_of_the_plan_suffices_for(vary);
    }
}

fn the_time_of_the_plan_suffices_for(vary: Vary) {
    let service = Service::read("[rollout.plan]\nreplicas = 2\n").unwrap();
    let config = Config::read(TABLE, "x", &Said::default()).unwrap();
    let matters = config.matters(&config.metrics[0]);
    let noise = Noise {
        deviation: vary.deviation * MIB,
        repeats: Duration::from_secs_f64(vary.repeats),
        over: None,
    };
    let subject = Subject {
        day: jiff::civil::date(2026, 11, 20),
        builds: ("a".to_owned(), "b".to_owned()),
        options: String::new(),
        difference: String::new(),
        verdict: "canary".to_owned(),
        updates: Vec::new(),
        min_duration: None,
        measured: vec![("memory".to_owned(), noise)],
    };
    let plan = Plan::new(subject, service, config).unwrap();
    let needed = plan.power[0].needed.as_secs_f64() / HOUR;
    // The judge leaves out the start.
    let came = tried(60, needed + 2.0 / 60.0, vary, matters, false);
    println!("{}: {} of 60 in {needed} h", vary.name, came.leaks);
    assert!(came.leaks >= 50, "{} of 60 in {needed} h", came.leaks);
    assert!(came.leaks + came.open >= 59, "hardly one is passed");
}

/// The level judge's interval is the one of the library for values that do not repeat.
#[test]
fn the_level_judge_is_the_usual_one() {
    let mut chance = Chance(7);
    let a: Vec<f64> = (0..60).map(|_| 10.0 + chance.normal()).collect();
    let b: Vec<f64> = (0..60).map(|_| 11.5 + chance.normal()).collect();
    let (low, _) = shift_interval(&a, &b, 0.98).unwrap();
    let series = |values: &[f64]| Series {
        labels: BTreeMap::new(),
        samples: values
            .iter()
            .flat_map(|value| [(0, *value), (1, f64::NAN)])
            .collect(),
    };
    assert!(low > 0.3, "{low}");
    assert_eq!(by_level(&[series(&a)], &series(&b), 0.0), (true, true));
    assert_eq!(by_level(&[series(&a)], &series(&b), 1e9), (true, false));
    assert_eq!(by_level(&[series(&a)], &series(&a), 0.0), (false, false));
}

const RUNS: u32 = 100;
const LEAKS: [f64; 6] = [0.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0];

fn table() -> String {
    let windows = VARIES.map(|vary| [1.0, 4.0, 12.0].map(|hours| (vary, hours)));
    let rows = |(vary, hours): (Vary, f64)| -> String {
        let came: Vec<Came> = LEAKS
            .into_iter()
            .map(|leak| tried(RUNS, hours, vary, leak, true))
            .collect();
        let row = |judge: &str, cell: &dyn Fn(&Came) -> String| {
            let cells: Vec<String> = came.iter().map(cell).collect();
            format!(
                "| {} | {hours} h | {judge} | {} |\n",
                vary.name,
                cells.join(" | ")
            )
        };
        [
            row("this one", &|came| {
                format!("{} / {}", came.leaks, came.open)
            }),
            row("levels, floor 5 %", &|came| {
                came.by_level_with_floor.to_string()
            }),
            row("levels", &|came| came.by_level.to_string()),
        ]
        .concat()
    };
    let rows: Vec<String> = windows
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(rows)
        .collect();
    format!(
        "| noise | window | judge | none | 250 B/s | 500 B/s | 1,000 B/s | 2,000 B/s | 4,000 B/s |\n\
         |---|---|---|---|---|---|---|---|---|\n{}",
        rows.concat()
    )
}

/// Noise that lasts for half an hour, the longest for which false alarms are promised,
/// and for longer.
const LASTING: [Vary; 3] = [
    Vary {
        name: "2 MiB, for 30 min",
        deviation: 2.0,
        repeats: 1_800.0,
    },
    Vary {
        name: "2 MiB, for 1 h",
        deviation: 2.0,
        repeats: 3_600.0,
    },
    Vary {
        name: "2 MiB, for 2 h",
        deviation: 2.0,
        repeats: 7_200.0,
    },
];
const MORE_RUNS: u32 = 1_000;

/// False alarms and leaks of 1,000 B/s of many canaries.
fn larger_table() -> String {
    let [quiet, loud, slow] = VARIES;
    let [half_hour, hour, two_hours] = LASTING;
    let cells = [
        (quiet, 1.0),
        (quiet, 4.0),
        (loud, 1.0),
        (loud, 4.0),
        (slow, 1.0),
        (slow, 4.0),
        (slow, 8.0),
        (half_hour, 1.0),
        (half_hour, 2.0),
        (half_hour, 4.0),
        (half_hour, 8.0),
        (hour, 4.0),
        (two_hours, 4.0),
    ];
    let row = |(vary, hours): (Vary, f64)| {
        let share = |leak: f64| {
            let came = tried(MORE_RUNS, hours, vary, leak, false);
            100.0 * f64::from(came.leaks) / f64::from(MORE_RUNS)
        };
        let (none, leak) = (share(0.0), share(1_000.0));
        format!(
            "| {} | {hours} h | {none:.1} % | {leak:.1} % |\n",
            vary.name
        )
    };
    let rows: Vec<String> = cells.into_par_iter().map(row).collect();
    format!(
        "| noise | window | false alarms | 1,000 B/s |\n|---|---|---|---|\n{}",
        rows.concat()
    )
}

#[test]
fn the_table_in_the_documentation_is_the_one_that_comes_out() {
    let path = root().join("docs/rollout.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("<!-- simulation -->\n").unwrap();
    let (old, after) = rest.split_once("<!-- end -->").unwrap();
    assert_eq!(old.lines().count(), 29, "the table is there as a whole");
    if std::env::var_os("CANARY_SIMULATION").is_none() {
        println!("skipped: the whole simulation takes some minutes; set CANARY_SIMULATION=1");
        return;
    }
    let (between, rest) = after.split_once("<!-- larger simulation -->\n").unwrap();
    let (old_larger, after) = rest.split_once("<!-- end -->").unwrap();
    let (larger, new) = (larger_table(), table());
    if seed().is_some() {
        println!("{larger}\n{new}");
        return;
    }
    if (&new[..], &larger[..]) != (old, old_larger) {
        let text = format!(
            "{before}<!-- simulation -->\n{new}<!-- end -->{between}<!-- larger simulation -->\n{larger}<!-- end -->{after}"
        );
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(
        (&new[..], &larger[..]),
        (old, old_larger),
        "docs/rollout.md is written anew; look at it"
    );
}
