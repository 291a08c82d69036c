//! What the order of what went wrong gains when sources, and then links to
//! incidents, are looked at: the same upgrades, the same audits, with the signals
//! of one kind and another left out.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::Sampled;
use super::sample::LABELS;
use crate::backtest::Row;
use crate::backtest::measure::{Interval, own_likelihood, splitmix, wider};
use crate::backtest::plain::{FOLDS, folds};
use crate::backtest::regression::Kind;
use crate::facts::FactKind;
use crate::risk::{Column, Model, Regression, SIGNALS};
use crate::stats::{average_precision, quantile, roc_auc};

/// So often the sample is drawn anew for an interval.
const DRAWS: u64 = 1000;
/// Either of what a sample is drawn by.
const EITHER: &str = "bad_adv_or_yank";
/// The signals that speak of links to incidents.
const INCIDENTS: [&str; 4] = [
    "incident-left",
    "incident-repeat",
    "incident-strong",
    "incident-weak",
];

/// What an order is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arm {
    /// What the index, the lock file and the advisories say.
    Metadata,
    /// And what the sources show.
    Sources,
    /// And the links to incidents.
    Incidents,
}

impl Arm {
    /// All of them; each has what the one before it has.
    pub const ALL: [Self; 3] = [Self::Metadata, Self::Sources, Self::Incidents];

    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Sources => "with-sources",
            Self::Incidents => "with-incidents",
        }
    }

    /// The arm with which a signal comes in.
    fn of(id: &str) -> Self {
        let reads_sources = |id: &str| {
            let found = SIGNALS.iter().find(|signal| signal.id == id);
            found.is_some_and(|signal| signal.looks_at.contains(&FactKind::Source))
        };
        if INCIDENTS.contains(&id) {
            Self::Incidents
        } else if reads_sources(id) {
            Self::Sources
        } else {
            Self::Metadata
        }
    }
}

/// A figure, with the range that holds it in 95 of 100 draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// The figure.
    pub value: f64,
    /// The wider of the ranges over repositories and over families.
    pub range: Option<Interval>,
}

/// How well one order does in each arm.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// By arm: the area under the curve, and the mean precision.
    pub arms: [(Measure, Measure); 3],
    /// What the second arm adds to the first, and the third to the second: in the
    /// same draws.
    pub gains: [(Measure, Measure); 2],
}

/// How often a signal fired, of 100 of each kind.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalCount {
    /// The signal.
    pub id: &'static str,
    /// The arm with which it comes in.
    pub arm: Arm,
    /// By label: of 100 that have it.
    pub of_100: BTreeMap<&'static str, f64>,
    /// Of 100 ordinary upgrades.
    pub of_100_ordinary: f64,
}

/// What sources and incidents add.
#[derive(Clone, Debug, PartialEq)]
pub struct Ablation {
    /// By label: how many have it, and how many ordinary ones they are held against.
    pub counts: BTreeMap<&'static str, (usize, usize)>,
    /// By label: of the score.
    pub by_score: BTreeMap<&'static str, Compared>,
    /// By label: of the likelihood of its own kind of fault, with the points that
    /// sources and incidents give as further log-odds.
    pub by_likelihood: BTreeMap<&'static str, Compared>,
    /// By label: of the same likelihood, with weights of the further signals that are
    /// learnt from the sample; each upgrade by what other families taught.
    pub learnt: BTreeMap<&'static str, Compared>,
    /// The signals out of sources and incidents that fired anywhere, by id.
    pub signals: Vec<SignalCount>,
}

/// An upgrade as it is ordered: by arm, and whether it went wrong.
struct Case<'r> {
    row: &'r Row,
    by_arm: [f64; 3],
    bad: bool,
}

/// Compares the arms on a sample.
#[must_use]
pub fn ablation(sampled: &Sampled, model: &Model) -> Ablation {
    let mut out = Ablation {
        counts: BTreeMap::new(),
        by_score: BTreeMap::new(),
        by_likelihood: BTreeMap::new(),
        learnt: BTreeMap::new(),
        signals: signals(sampled),
    };
    for label in LABELS.into_iter().chain([EITHER]) {
        let cases = |by: &dyn Fn(&Row, Arm) -> Option<f64>| -> Option<Vec<Case<'_>>> {
            let rows = sampled.rows.iter();
            let rows = rows.filter(|(row, ordinary)| *ordinary || has(row, label));
            rows.map(|(row, ordinary)| {
                let [a, b, c] = Arm::ALL.map(|arm| by(row, arm));
                Some(Case {
                    row,
                    by_arm: [a?, b?, c?],
                    bad: !ordinary,
                })
            })
            .collect()
        };
        let by_score = cases(&|row, arm| Some(points(row, model, &|of| of <= arm)));
        let by_likelihood = cases(&|row, arm| likelihood(row, label, model, arm));
        if let Some(cases) = &by_score {
            let bad = cases.iter().filter(|case| case.bad).count();
            out.counts.insert(label, (bad, cases.len() - bad));
        }
        if let Some(found) = by_score.and_then(|cases| compared(&cases)) {
            out.by_score.insert(label, found);
        }
        if let Some(mut cases) = by_likelihood {
            if let Some(found) = compared(&cases) {
                out.by_likelihood.insert(label, found);
            }
            learn(&mut cases, label);
            if let Some(found) = compared(&cases) {
                out.learnt.insert(label, found);
            }
        }
    }
    out
}

fn has(row: &Row, label: &str) -> bool {
    let labels: &[&str] = match label {
        EITHER => &LABELS,
        _ => &[label],
    };
    let one = |label: &&str| row.labels.get(*label) == Some(&true);
    labels.iter().any(one)
}

/// The points of the signals of some arms, before exposure.
fn points(row: &Row, model: &Model, wanted: &dyn Fn(Arm) -> bool) -> f64 {
    let columns: Vec<(Column, f64)> = row
        .columns
        .iter()
        .filter(|((id, _), _)| wanted(Arm::of(id)))
        .copied()
        .collect();
    model.points(&columns).iter().sum()
}

/// The log-odds of the label's own kind of fault, with further points on top.
fn likelihood(row: &Row, label: &str, model: &Model, arm: Arm) -> Option<f64> {
    let own = own_likelihood(label, &model.likelihoods(&row.columns))?;
    let more = points(row, model, &|of| of > Arm::Metadata && of <= arm);
    Some((own / (1.0 - own)).ln() + more * model.per_point())
}

/// Puts what a regression learns of the further signals, beside the log-odds of the
/// metadata, in the place of their points; each part of the families by the others.
fn learn(cases: &mut [Case<'_>], label: &str) {
    let rows: Vec<&Row> = cases.iter().map(|case| case.row).collect();
    let known: Vec<f64> = cases.iter().map(|case| case.by_arm[0]).collect();
    let part = folds(&rows, |row| &row.family);
    for (at, most) in [(1, Arm::Sources), (2, Arm::Incidents)] {
        let columns: BTreeSet<Column> = rows
            .iter()
            .flat_map(|row| &row.columns)
            .map(|(column, _)| *column)
            .filter(|(id, _)| (Arm::Sources..=most).contains(&Arm::of(id)))
            .collect();
        let columns: Vec<Column> = columns.into_iter().collect();
        for left_out in 0..FOLDS {
            // Its label is settled, as the regression wants it.
            let taught = rows
                .iter()
                .zip(&known)
                .zip(&part)
                .filter(|((row, _), part)| **part != left_out && row.labels.contains_key(label));
            let (training, known): (Vec<&Row>, Vec<f64>) =
                taught.map(|((row, known), _)| (*row, *known)).unzip();
            let kind = Kind::of(label, &columns, &training);
            let learnt = kind.map(|kind| kind.beside(&known).solve());
            let unseen = cases.iter_mut().zip(&part);
            for (case, _) in unseen.filter(|(_, part)| **part == left_out) {
                let more = |learnt: &Regression| learnt.adds_of(&case.row.columns);
                let more = learnt.as_ref().map_or(0.0, more);
                let metadata = case.by_arm[0];
                if let Some(slot) = case.by_arm.get_mut(at) {
                    *slot = metadata + more;
                }
            }
        }
    }
}

/// Area under the curve and mean precision, by arm.
type Figures = [(f64, f64); 3];

fn figures(cases: &[&Case<'_>]) -> Option<Figures> {
    let one = |arm: usize| {
        let rows: Vec<(f64, bool)> = cases
            .iter()
            .filter_map(|case| Some((*case.by_arm.get(arm)?, case.bad)))
            .collect();
        Some((roc_auc(&rows)?, average_precision(&rows)?))
    };
    Some([one(0)?, one(1)?, one(2)?])
}

/// The figures that are told of a draw: of three arms, and two gains.
type Told = [(f64, f64); 5];

fn told(figures: Figures) -> Told {
    let [a, b, c] = figures;
    let gain = |from: (f64, f64), to: (f64, f64)| (to.0 - from.0, to.1 - from.1);
    [a, b, c, gain(a, b), gain(b, c)]
}

/// The arms on some cases, with ranges over draws of whole repositories and of
/// whole families: in each draw all arms see the same upgrades.
fn compared(cases: &[Case<'_>]) -> Option<Compared> {
    let values = told(figures(&cases.iter().collect::<Vec<_>>())?);
    let repositories = draws(cases, |row| &row.repository);
    let families = draws(cases, |row| &row.family);
    let range = |of: &dyn Fn(&Told) -> f64| {
        let range = |draws: &[Told]| {
            let values: Vec<f64> = draws.iter().map(of).collect();
            Some(Interval {
                low: quantile(&values, 0.025)?,
                high: quantile(&values, 0.975)?,
            })
        };
        wider(range(&repositories), range(&families))
    };
    let [a, b, c, first, second]: [(Measure, Measure); 5] = std::array::from_fn(|at| {
        let of = |it: &Told| it.get(at).copied().unwrap_or_default();
        let (auc, precision) = of(&values);
        let measure = |value, range| Measure { value, range };
        (
            measure(auc, range(&|it| of(it).0)),
            measure(precision, range(&|it| of(it).1)),
        )
    });
    Some(Compared {
        arms: [a, b, c],
        gains: [first, second],
    })
}

/// The figures of draws with replacement of whole blocks.
fn draws(cases: &[Case<'_>], key: fn(&Row) -> &String) -> Vec<Told> {
    let mut blocks: BTreeMap<&String, Vec<&Case<'_>>> = BTreeMap::new();
    for case in cases {
        blocks.entry(key(case.row)).or_default().push(case);
    }
    let blocks: Vec<Vec<&Case<'_>>> = blocks.into_values().collect();
    (0..DRAWS)
        .into_par_iter()
        .filter_map(|draw| {
            let mut state = splitmix(draw);
            let mut drawn = Vec::new();
            for _ in &blocks {
                state = splitmix(state);
                let at = usize::try_from(state % blocks.len().max(1) as u64).unwrap_or(0);
                drawn.extend(blocks.get(at).into_iter().flatten().copied());
            }
            figures(&drawn).map(told)
        })
        .collect()
}

/// How often each signal out of sources and incidents fired.
fn signals(sampled: &Sampled) -> Vec<SignalCount> {
    let rows = |label: Option<&'static str>| {
        let rows = sampled.rows.iter();
        rows.filter(move |(row, ordinary)| match label {
            Some(label) => !ordinary && has(row, label),
            None => *ordinary,
        })
    };
    let of_100 = |id: &str, label: Option<&'static str>| {
        let all = rows(label).count().max(1) as f64;
        let fires = |row: &Row| row.columns.iter().any(|((of, _), _)| *of == id);
        rows(label).filter(|(row, _)| fires(row)).count() as f64 * 100.0 / all
    };
    SIGNALS
        .iter()
        .map(|signal| (signal.id, Arm::of(signal.id)))
        .filter(|(id, arm)| {
            let fires = |row: &Row| row.columns.iter().any(|((of, _), _)| of == id);
            *arm != Arm::Metadata && sampled.rows.iter().any(|(row, _)| fires(row))
        })
        .map(|(id, arm)| SignalCount {
            id,
            arm,
            of_100: LABELS
                .into_iter()
                .map(|label| (label, of_100(id, Some(label))))
                .collect(),
            of_100_ordinary: of_100(id, None),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Sample;
    use super::*;

    /// Forty upgrades of twenty families. Of what went wrong all but each fifth gains
    /// unsafe code, and of the ordinary ones each fifth does.
    fn sampled() -> Sampled {
        let row = |at: usize| {
            let ordinary = at.is_multiple_of(2);
            let mut columns = vec![(("fresh-release", None), 0.5)];
            if at.is_multiple_of(5) == ordinary {
                columns.push((("unsafe-gained", None), 1.0));
            }
            let row = Row {
                columns,
                labels: [("bad_adv".to_owned(), !ordinary)].into(),
                ..Row::made(at, 9, 20)
            };
            (row, ordinary)
        };
        Sampled {
            sample: Sample {
                archives: 80,
                seed: 1,
            },
            rows: (0..40).map(row).collect(),
            drawn: 40,
            archives: 80,
            lacking: Vec::new(),
            left_out: Vec::new(),
        }
    }

    #[test]
    fn what_a_signal_out_of_the_sources_adds_is_told_with_its_range() {
        let found = ablation(&sampled(), &Model::built_in().unwrap());
        assert_eq!(found.counts["bad_adv"], (20, 20));
        for by in [&found.by_score, &found.by_likelihood] {
            let compared = &by["bad_adv"];
            let [metadata, sources, incidents] = compared.arms.map(|it| it.0.value);
            // All alike without; 16 of 20 above and 4 of 20 below with it: 0.8.
            assert!((metadata - 0.5).abs() < 1e-9, "{metadata}");
            assert!((sources - 0.8).abs() < 1e-9, "{sources}");
            assert!((incidents - sources).abs() < 1e-9, "{incidents}");
            let [gain, none] = compared.gains.map(|it| it.0);
            assert!((gain.value - 0.3).abs() < 1e-9);
            let range = gain.range.unwrap();
            assert!(
                0.0 < range.low && range.low < 0.3 && 0.3 < range.high,
                "{range:?}"
            );
            assert_eq!(none.range.map(|it| (it.low, it.high)), Some((0.0, 0.0)));
        }
        let [unsafe_gained] = found.signals.as_slice() else {
            panic!("{:?}", found.signals);
        };
        assert_eq!(unsafe_gained.id, "unsafe-gained");
        assert!((unsafe_gained.of_100["bad_adv"] - 80.0).abs() < 1e-9);
        assert!((unsafe_gained.of_100_ordinary - 20.0).abs() < 1e-9);
    }

    #[test]
    fn each_signal_comes_in_with_one_arm() {
        assert_eq!(Arm::of("fresh-release"), Arm::Metadata);
        assert_eq!(Arm::of("unsafe-gained"), Arm::Sources);
        for id in INCIDENTS {
            assert!(SIGNALS.iter().any(|signal| signal.id == id), "{id}");
            assert_eq!(Arm::of(id), Arm::Incidents);
        }
        assert!(
            SIGNALS
                .iter()
                .filter(|it| it.id.starts_with("incident-"))
                .count()
                == INCIDENTS.len()
        );
    }
}
