//! How often the judge finds a leak and how often it cries wolf, on made-up canaries,
//! beside a judge of levels on the same data. The tables in `docs/rollout.md` are this
//! test's: `CANARY_SIMULATION=1 cargo test --test it rollout::simulated` writes them anew
//! when they differ, and then fails. `CANARY_SIMULATION_SEED=N` takes other canaries, and
//! prints what comes out instead.

mod made;
mod tables;

use std::collections::BTreeMap;
use std::time::Duration;

use cargo_canary::rollout::plan::{Noise, Plan, Service, Subject};
use cargo_canary::rollout::{Config, Said, Series};
use cargo_canary::stats::shift_interval;

use crate::chance::Chance;

use made::{
    DAY, HOUR, LASTING, MIB, TABLE, Trial, VARIES, Vary, by_level, in_four_hours, tried, tried_with,
};

#[test]
fn a_leak_stands_out_in_four_hours_and_none_is_made_up() {
    let [quiet, loud, slow] = VARIES.map(in_four_hours);
    for of in [quiet, loud, slow] {
        let none = tried(25, of, 0.0, false);
        let vary = of.vary;
        assert!(
            none.leaks <= 1,
            "{}: {} false alarms of 25",
            vary.name,
            none.leaks
        );
    }
    let found = tried(20, quiet, 1_000.0, true);
    assert!(found.leaks >= 19, "{} of 20", found.leaks);
    // Where noise lasts ten minutes, nearly as well.
    let in_slow = tried(20, slow, 1_000.0, false);
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

/// What the baseline did before the window makes it known how long noise lasts, so that
/// a leak is found in noise of half an hour, and none is made up.
#[test]
fn the_time_before_the_window_tells_of_the_noise() {
    let found = |before: f64, leak: f64| {
        let of = Trial {
            vary: LASTING[0],
            hours: 4.0,
            before,
        };
        tried(25, of, leak, false)
    };
    let (with, without) = (found(DAY, 1_000.0), found(0.0, 1_000.0));
    assert!(with.leaks >= 20, "{} of 25", with.leaks);
    assert!(without.leaks < 18, "{} of 25", without.leaks);
    assert!(found(DAY, 0.0).leaks <= 1);
    // And that there is no leak is known sooner, too.
    let slow = in_four_hours(VARIES[2]);
    let open = |before: f64| tried(25, Trial { before, ..slow }, 0.0, false).open;
    let (with, without) = (open(DAY), open(0.0));
    assert!(with + 5 < without, "{with} and {without} of 25 are open");
}

/// A start that the baseline has long behind it is no leak.
#[test]
fn a_start_of_the_canary_alone_is_hardly_ever_called_a_leak() {
    let start = |_: f64, t: f64| 20.0 * MIB * (1.0 - (-t / 1_800.0).exp());
    let came = tried_with(40, in_four_hours(VARIES[2]), &start, false);
    assert!(came.leaks <= 4, "{} of 40", came.leaks);
}

/// A cache that is filled at once makes the level higher, and no leak.
#[test]
fn a_single_jump_is_hardly_ever_called_a_leak() {
    for size in [3.0, 6.0] {
        let jump = |phase: f64, t: f64| {
            let at = (0.2 + 0.6 * phase.fract()) * 4.0 * HOUR;
            if t < at { 0.0 } else { size * MIB }
        };
        let came = tried_with(60, in_four_hours(VARIES[0]), &jump, false);
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
    let of = Trial {
        vary,
        hours: needed + 2.0 / 60.0,
        before: 0.0,
    };
    let came = tried(60, of, matters, false);
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
