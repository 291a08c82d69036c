//! The weights of the model, from history: a logistic regression over a few
//! signals with a shape, with one set of weights for all kinds of fault and an
//! intercept for each kind (the kinds differ in how rare they are, and share
//! what they are made of). Within a kind, what went wrong counts as much as
//! what did not, so that a rare kind is not drowned by a common one. Weights
//! are drawn towards nought (ridge; Hoerl and Kennard 1970,
//! doi:10.1080/00401706.1970.10488634) and are never negative: more of what
//! these signals see is never better. All other signals keep what was reasoned
//! for them: history has too few cases of them, or its labels cannot see them.
//!
//! The probability is set on top: by a regression of what went wrong on the
//! points alone (Platt 1999), which keeps the order.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{History, Row};
use crate::risk::{Column, Model};
use crate::stats::{average_precision, roc_auc};

/// What is fitted.
const COLUMNS: [Column; 8] = [
    ("dependencies-changed", None),
    ("follows-closely", None),
    ("fresh-release", None),
    ("long-silence", None),
    ("rapid-series", None),
    ("version-step", Some("major")),
    ("version-step", Some("minor")),
    ("versions-skipped", None),
];
/// The kinds of fault with what each counts: those that hurt more count twice.
const KINDS: [(&str, f64); 4] = [
    ("bad_adv", 2.0),
    ("bad_hotfix", 1.0),
    ("bad_yank_isolated", 2.0),
    ("patch_3d_commit", 1.0),
];
/// The strength of the pull towards nought, beside a loss that is the sum of
/// the kinds' mean losses times what each counts.
const RIDGE: f64 = 0.01;
/// So many points double the odds between a fault and none, where both are as
/// frequent; it sets how far scores reach.
const POINTS_TO_DOUBLE: f64 = 10.0;
/// Rounds over all weights; the loss is convex, and this is beyond rest.
const ROUNDS: usize = 30;
/// Folds of the cross-validation.
const FOLDS: usize = 5;

/// Weights out of history.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Points by column, whole.
    pub points: BTreeMap<Column, i32>,
    /// The probability at a score of 0.
    pub at_zero: f64,
    /// So many points double the odds.
    pub points_to_double: f64,
    /// Upgrades, and how many of them went wrong.
    pub rows: (usize, usize),
    /// By what was left out of each fold (`family`, `repository`) and by label:
    /// area under the curve and mean precision on what was left out.
    pub cross_validated: BTreeMap<&'static str, BTreeMap<String, (f64, f64)>>,
}

/// A row as numbers.
struct Case<'r> {
    row: &'r Row,
    /// The shares of the fitted columns.
    shares: [f64; COLUMNS.len()],
    /// The points of all other columns.
    by_hand: f64,
}

/// Fits the weights.
#[must_use]
pub fn fit(history: &History, model: &Model) -> Fitted {
    let cases: Vec<Case<'_>> = history.rows.iter().map(|row| case(row, model)).collect();
    let all: Vec<&Case<'_>> = cases.iter().collect();
    let points = points(&solve(&all));
    let (at_zero, points_to_double) = scale(&all, &points);
    let mut cross_validated = BTreeMap::new();
    for (name, key) in [
        ("family", (|row| &row.family) as fn(&Row) -> &String),
        ("repository", |row| &row.repository),
    ] {
        cross_validated.insert(name, left_out(&cases, key));
    }
    let settled = |row: &&Row| row.labels.contains_key(super::measure::ANY);
    let rows: Vec<&Row> = history.rows.iter().filter(settled).collect();
    let bad = rows
        .iter()
        .filter(|row| row.labels.get(super::measure::ANY) == Some(&true));
    Fitted {
        points: COLUMNS.into_iter().zip(points).collect(),
        at_zero,
        points_to_double,
        rows: (rows.len(), bad.count()),
        cross_validated,
    }
}

fn case<'r>(row: &'r Row, model: &Model) -> Case<'r> {
    let mut shares = [0.0; COLUMNS.len()];
    let mut by_hand = 0.0;
    for (column, share) in &row.columns {
        match COLUMNS.iter().position(|fitted| fitted == column) {
            Some(at) => {
                if let Some(slot) = shares.get_mut(at) {
                    *slot = *share;
                }
            }
            None => by_hand += f64::from(model.set_points(column.0, column.1)) * share,
        }
    }
    Case {
        row,
        shares,
        by_hand,
    }
}

type Weights = [f64; COLUMNS.len()];

fn sum(shares: &Weights, weights: &Weights) -> f64 {
    shares.iter().zip(weights).map(|(a, b)| a * b).sum()
}

fn probability(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

/// Weights in natural log-odds as whole points.
fn points(weights: &Weights) -> [i32; COLUMNS.len()] {
    weights.map(|weight| (weight / std::f64::consts::LN_2 * POINTS_TO_DOUBLE).round() as i32)
}

/// The cases of one kind of fault.
struct Kind<'c> {
    /// The case, whether it went wrong, and what it counts.
    rows: Vec<(&'c Weights, f64, f64)>,
    margins: Vec<f64>,
}

impl<'c> Kind<'c> {
    /// `None` where nothing went wrong so, or everything did.
    fn of(label: &str, counts: f64, cases: &[&'c Case<'c>]) -> Option<Self> {
        let settled: Vec<(&Weights, bool)> = cases
            .iter()
            .filter_map(|case| Some((&case.shares, *case.row.labels.get(label)?)))
            .collect();
        let bad = settled.iter().filter(|(_, bad)| *bad).count();
        let good = settled.len() - bad;
        if bad == 0 || good == 0 {
            return None;
        }
        let rows: Vec<_> = settled
            .into_iter()
            .map(|(shares, is_bad)| {
                let (outcome, of) = if is_bad { (1.0, bad) } else { (0.0, good) };
                (shares, outcome, counts * 0.5 / of as f64)
            })
            .collect();
        Some(Self {
            margins: vec![0.0; rows.len()],
            rows,
        })
    }

    /// Slope and curvature of the loss along a direction, which is a column or,
    /// without one, the intercept.
    fn along(&self, column: Option<usize>) -> (f64, f64) {
        let (mut slope, mut curve) = (0.0, 0.0);
        for ((shares, outcome, weight), margin) in self.rows.iter().zip(&self.margins) {
            let share = column.map_or(1.0, |at| shares.get(at).copied().unwrap_or(0.0));
            if share != 0.0 {
                let p = probability(*margin);
                slope += weight * share * (p - outcome);
                curve += weight * share * share * p * (1.0 - p);
            }
        }
        (slope, curve)
    }

    fn step(&mut self, column: Option<usize>, by: f64) {
        for ((shares, _, _), margin) in self.rows.iter().zip(&mut self.margins) {
            *margin += by * column.map_or(1.0, |at| shares.get(at).copied().unwrap_or(0.0));
        }
    }
}

/// One Newton step for each weight in turn, until they rest.
fn solve(cases: &[&Case<'_>]) -> Weights {
    let mut kinds: Vec<Kind<'_>> = KINDS
        .iter()
        .filter_map(|(label, counts)| Kind::of(label, *counts, cases))
        .collect();
    let mut weights = [0.0; COLUMNS.len()];
    for _ in 0..ROUNDS {
        for kind in &mut kinds {
            let (slope, curve) = kind.along(None);
            kind.step(None, -(slope / curve.max(1e-9)).clamp(-1.0, 1.0));
        }
        for (column, weight) in weights.iter_mut().enumerate() {
            let (mut slope, mut curve) = (2.0 * RIDGE * *weight, 2.0 * RIDGE);
            for kind in &kinds {
                let (more, bend) = kind.along(Some(column));
                slope += more;
                curve += bend;
            }
            let kept = (*weight - (slope / curve).clamp(-0.5, 0.5)).max(0.0);
            for kind in &mut kinds {
                kind.step(Some(column), kept - *weight);
            }
            *weight = kept;
        }
    }
    weights
}

/// All points of a case, before exposure.
fn score(case: &Case<'_>, points: &[i32; COLUMNS.len()]) -> f64 {
    sum(&case.shares, &points.map(f64::from)) + case.by_hand
}

/// The probability at no points, and how many points double the odds.
fn scale(cases: &[&Case<'_>], points: &[i32; COLUMNS.len()]) -> (f64, f64) {
    let rows: Vec<(f64, f64)> = cases
        .iter()
        .filter_map(|case| {
            let bad = *case.row.labels.get(super::measure::ANY)?;
            Some((score(case, points), f64::from(u8::from(bad))))
        })
        .collect();
    let (mut base, mut slope) = (-4.0, std::f64::consts::LN_2 / POINTS_TO_DOUBLE);
    for _ in 0..200 {
        let mut gradient = (0.0, 0.0);
        let mut curve = (1e-9, 0.0, 1e-9);
        for (x, outcome) in &rows {
            let p = probability(base + slope * x);
            let (error, bend) = (p - outcome, p * (1.0 - p));
            gradient = (gradient.0 + error, gradient.1 + error * x);
            curve = (curve.0 + bend, curve.1 + bend * x, curve.2 + bend * x * x);
        }
        let determinant = (curve.0 * curve.2 - curve.1 * curve.1).max(1e-12);
        let by_base = (curve.2 * gradient.0 - curve.1 * gradient.1) / determinant;
        let by_slope = (curve.0 * gradient.1 - curve.1 * gradient.0) / determinant;
        base -= by_base.clamp(-0.5, 0.5);
        slope = (slope - by_slope.clamp(-0.02, 0.02)).clamp(0.005, 0.5);
    }
    (probability(base), std::f64::consts::LN_2 / slope)
}

/// Fits without a part and looks at that part, for all parts in turn.
fn left_out(cases: &[Case<'_>], key: fn(&Row) -> &String) -> BTreeMap<String, (f64, f64)> {
    let keys: BTreeSet<&String> = cases.iter().map(|case| key(case.row)).collect();
    let fold: BTreeMap<&String, usize> = keys
        .into_iter()
        .enumerate()
        .map(|(at, key)| (key, at % FOLDS))
        .collect();
    let of = |case: &Case<'_>| fold.get(key(case.row)).copied().unwrap_or(0);
    let scored: Vec<(f64, &Row)> = (0..FOLDS)
        .into_par_iter()
        .flat_map_iter(|part| {
            let training: Vec<&Case<'_>> = cases.iter().filter(|case| of(case) != part).collect();
            let points = points(&solve(&training));
            let tested: Vec<(f64, &Row)> = cases
                .iter()
                .filter(|case| of(case) == part)
                .map(|case| (score(case, &points), case.row))
                .collect();
            tested
        })
        .collect();
    let labels: BTreeSet<&String> = scored
        .iter()
        .flat_map(|(_, row)| row.labels.keys())
        .collect();
    labels
        .into_iter()
        .filter_map(|label| {
            let rows: Vec<(f64, bool)> = scored
                .iter()
                .filter_map(|(score, row)| Some((*score, *row.labels.get(label)?)))
                .collect();
            Some((label.clone(), (roc_auc(&rows)?, average_precision(&rows)?)))
        })
        .collect()
}
