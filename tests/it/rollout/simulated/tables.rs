//! The tables of `docs/rollout.md`.

use rayon::prelude::*;

use super::made::{
    Came, DAY, HOUR, LASTING, MIB, TWOFOLD, Trial, VARIES, Vary, in_four_hours, seed, tried,
    tried_with,
};
use crate::cli::program::root;

const RUNS: u32 = 100;
const LEAKS: [f64; 6] = [0.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0];

fn table() -> String {
    let windows = VARIES.map(|vary| [1.0, 4.0, 12.0].map(|hours| (vary, hours)));
    let rows = |(vary, hours): (Vary, f64)| -> String {
        let came: Vec<Came> = LEAKS
            .into_iter()
            .map(|leak| {
                tried(
                    RUNS,
                    Trial {
                        vary,
                        hours,
                        before: DAY,
                    },
                    leak,
                    true,
                )
            })
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

const MORE_RUNS: u32 = 1_000;

fn share(count: u32, of: u32) -> f64 {
    100.0 * f64::from(count) / f64::from(of)
}

/// False alarms and leaks of 1,000 B/s of many canaries, with a day before the window and
/// without.
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
        (half_hour, 4.0),
        (half_hour, 8.0),
        (hour, 4.0),
        (two_hours, 4.0),
        (TWOFOLD, 4.0),
    ];
    let row = |(vary, hours): (Vary, f64)| {
        let of = |before: f64, leak: f64| {
            let of = Trial {
                vary,
                hours,
                before,
            };
            share(tried(MORE_RUNS, of, leak, false).leaks, MORE_RUNS)
        };
        let [none, leak] = [0.0, 1_000.0].map(|leak| of(DAY, leak));
        let [none_alone, leak_alone] = [0.0, 1_000.0].map(|leak| of(0.0, leak));
        format!(
            "| {} | {hours} h | {none:.1} % | {leak:.1} % | {none_alone:.1} % | {leak_alone:.1} % |\n",
            vary.name
        )
    };
    let rows: Vec<String> = cells.into_par_iter().map(row).collect();
    format!(
        "| noise | window | false alarms | 1,000 B/s | false alarms, window alone | 1,000 B/s, window alone |\n|---|---|---|---|---|---|\n{}",
        rows.concat()
    )
}

const NO_LEAK_RUNS: u32 = 300;

/// What settles, and is called a leak all the same: a start that the baseline has long
/// behind it, and a single jump. Sizes are in MiB, times in seconds.
fn no_leaks_table() -> String {
    enum What {
        Start(f64, f64),
        Jump(f64),
    }
    let whats = [
        (What::Start(6.0, 600.0), "start of 6 MiB, 10 min"),
        (What::Start(20.0, 600.0), "start of 20 MiB, 10 min"),
        (What::Start(6.0, 1_800.0), "start of 6 MiB, 30 min"),
        (What::Start(20.0, 1_800.0), "start of 20 MiB, 30 min"),
        (What::Jump(3.0), "jump of 3 MiB"),
        (What::Jump(6.0), "jump of 6 MiB"),
        (What::Jump(12.0), "jump of 12 MiB"),
    ];
    let row = |(what, name): &(What, &str)| {
        let added = |phase: f64, t: f64| match what {
            What::Start(size, time) => size * MIB * (1.0 - (-t / time).exp()),
            What::Jump(size) => {
                let at = (0.2 + 0.6 * phase.fract()) * 4.0 * HOUR;
                if t < at { 0.0 } else { size * MIB }
            }
        };
        let cells = [VARIES[0], VARIES[2]].map(|vary| {
            let came = tried_with(NO_LEAK_RUNS, in_four_hours(vary), &added, false);
            let [leaks, open] = [came.leaks, came.open].map(|count| share(count, NO_LEAK_RUNS));
            format!("{leaks:.0} / {open:.0}")
        });
        format!("| {name} | {} |\n", cells.join(" | "))
    };
    let rows: Vec<String> = whats.par_iter().map(row).collect();
    format!(
        "| what | 1 MiB, for 1 min | 2 MiB, for 10 min |\n|---|---|---|\n{}",
        rows.concat()
    )
}

/// The text between a mark and its end.
fn marked<'t>(text: &'t str, mark: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("<!-- {mark} -->\n")).unwrap();
    rest.split_once("<!-- end -->").unwrap().0
}

#[test]
fn the_table_in_the_documentation_is_the_one_that_comes_out() {
    let path = root().join("docs/rollout.md");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let lines = ["simulation", "larger simulation", "no leaks"]
        .map(|mark| marked(&text, mark).lines().count());
    assert_eq!(lines, [29, 15, 9], "the tables are there as a whole");
    if std::env::var_os("CANARY_SIMULATION").is_none() {
        println!("skipped: the whole simulation takes some minutes; set CANARY_SIMULATION=1");
        return;
    }
    let tables = [
        ("no leaks", no_leaks_table()),
        ("larger simulation", larger_table()),
        ("simulation", table()),
    ];
    if seed().is_some() {
        println!("{}", tables.map(|(_, table)| table).join("\n"));
        return;
    }
    let before = text.clone();
    for (mark, table) in tables {
        let mark_line = format!("<!-- {mark} -->\n");
        let old = marked(&text, mark);
        text = text.replacen(
            &format!("{mark_line}{old}"),
            &format!("{mark_line}{table}"),
            1,
        );
    }
    if text != before {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, before, "docs/rollout.md is written anew; look at it");
}
