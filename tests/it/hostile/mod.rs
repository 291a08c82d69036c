//! Checkouts that try to make their auditor run a program, reach the network,
//! write outside, or believe what is not so. Each is made twice: on one stage
//! somebody runs the plain command, and it must fire, or the case shows
//! nothing; on the other stage this program reads the checkout, and nothing may
//! happen. The evil programs are inert: they leave a marker.
//!
//! Cases that do not fire with the cargo and git of today are kept, with no
//! effect expected of the plain command: should one begin to fire, its test says
//! so, and ours must stay silent either way.
//!
//! `every_way` in this file is the list of them all with what each does.
#![cfg(target_os = "linux")]

mod agreement;
mod configuration;
mod git;
mod limits;
mod manifests;
mod reading;
mod sources;
mod stage;
mod toolchains;

use stage::{Effect, LIE, Ran, Stage};

/// What our own reading of a checkout must end in.
#[derive(Clone, Copy)]
enum Ours {
    /// The clean room's answer, which has the victim and these words.
    Answers(&'static [&'static str]),
    /// A refusal with these words.
    Refuses(&'static str),
}

/// One hostile checkout.
struct Case {
    name: &'static str,
    /// What the plain command does that it should not; empty when it does nothing.
    fires: &'static [Effect],
    /// Makes the checkout.
    make: fn(&Stage),
    /// What somebody would run in it.
    plain: fn(&Stage) -> Ran,
    ours: Ours,
}

impl Case {
    /// A case in which somebody runs `cargo metadata`.
    const fn metadata(
        name: &'static str,
        fires: &'static [Effect],
        make: fn(&Stage),
        ours: Ours,
    ) -> Self {
        Self {
            name,
            fires,
            make,
            plain: Stage::metadata,
            ours,
        }
    }
}

/// The answer of the clean room has nothing special to say.
const ANSWERS: Ours = Ours::Answers(&[]);

/// What became of the cases of some lists.
#[derive(Default)]
struct Tally {
    /// A line for each case.
    lines: Vec<String>,
    /// How many fire with the plain command.
    fired: usize,
    /// What was not as it should be.
    wrong: Vec<String>,
}

impl Tally {
    fn check(&mut self, cases: &[Case]) {
        for case in cases {
            let line = one(case, &mut self.wrong);
            self.lines.push(line);
        }
        self.fired += cases.iter().filter(|case| !case.fires.is_empty()).count();
    }

    fn assert_right(&self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

fn one(case: &Case, wrong: &mut Vec<String>) -> String {
    let stage = Stage::new();
    (case.make)(&stage);
    let plain = stage.watch(case.plain);
    if plain.effects != case.fires {
        wrong.push(format!(
            "{}: the plain command did {:?}, expected {:?}\n{:?}",
            case.name, plain.effects, case.fires, plain.ran
        ));
    }
    drop(stage);
    let stage = Stage::new();
    (case.make)(&stage);
    let before = stage.state();
    let ours = stage.watch(reading::by_us);
    if !ours.effects.is_empty() {
        wrong.push(format!(
            "{}: our reading did {:?}\n{:?}",
            case.name, ours.effects, ours.ran
        ));
    }
    if stage.state() != before {
        wrong.push(format!("{}: our reading changed the checkout", case.name));
    }
    let (told, words) = match case.ours {
        Ours::Answers(words) => (&ours.ran.out, words),
        Ours::Refuses(ref word) => (&ours.ran.err, std::slice::from_ref(word)),
    };
    let as_it_should = ours.ran.fine == matches!(case.ours, Ours::Answers(_))
        && words.iter().all(|word| told.contains(word));
    if !as_it_should {
        wrong.push(format!(
            "{}: our reading ended in {:?}",
            case.name, ours.ran
        ));
    }
    format!(
        "{:<44} plain: {:?}; ours: {:?}",
        case.name, plain.effects, ours.effects
    )
}

#[test]
fn every_way() {
    let lists = [
        ("configuration", configuration::CASES),
        ("sources", sources::CASES),
        ("manifests", manifests::CASES),
        ("git", git::CASES),
        ("toolchains", toolchains::CASES),
        ("limits", limits::CASES),
    ];
    let mut tally = Tally::default();
    for (list, cases) in lists {
        tally.lines.push(format!("## {list}"));
        tally.check(cases);
    }
    println!("{}", tally.lines.join("\n"));
    tally.assert_right();
    let fired = tally.fired;
    println!("{fired} ways fire with the plain command, none with ours");
    assert!(fired >= 25, "only {fired} ways fire");
}
