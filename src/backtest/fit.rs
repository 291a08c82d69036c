//! The weights of the model, from history: for each kind of fault a logistic
//! regression over a few signals with a shape. Within a kind, what went wrong
//! counts as much as what did not, so that the weights of a rare kind are not
//! drowned; the intercept is then set so that the mean likelihood is what
//! happened. Weights are drawn towards nought (ridge; Hoerl and Kennard 1970,
//! doi:10.1080/00401706.1970.10488634) and are never negative: more of what
//! these signals see is never better. All other signals keep what was reasoned
//! for them: history has too few cases of them, or its labels cannot see them.
//!
//! The probability that anything goes wrong is set on top: by a regression of what
//! went wrong on the points alone (Platt 1999), which keeps the order.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::measure::{ANY, own_likelihood};
use super::{History, Row};
use crate::risk::{Column, Fault, Faults, Model, Regression};
use crate::stats::{average_precision, roc_auc};

/// What is fitted.
const COLUMNS: [Column; 12] = [
    ("advisory-history", None),
    ("dependencies-changed", None),
    ("feature-list-changed", None),
    ("follows-closely", None),
    ("fresh-release", None),
    ("long-silence", None),
    ("many-options", None),
    ("often-released", None),
    ("rapid-series", None),
    ("version-step", Some("major")),
    ("version-step", Some("minor")),
    ("versions-skipped", None),
];
/// The label that each kind of fault is learnt from.
const LABELS: [(Fault, &str); 4] = [
    (Fault::Advisory, "bad_adv"),
    (Fault::Withdrawal, "bad_yank_isolated"),
    (Fault::Hotfix, "bad_hotfix"),
    (Fault::FollowUp, "patch_3d_commit"),
];
/// The strength of the pull towards nought, beside a mean loss.
const RIDGE: f64 = 0.01;
/// A weight below this is none.
const LEAST: f64 = 0.005;
/// Rounds over all weights; the loss is convex, and this is beyond rest.
const ROUNDS: usize = 60;
/// Folds of the cross-validation.
const FOLDS: usize = 5;

/// Weights out of history.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The regression of each kind of fault.
    pub faults: Faults,
    /// The probability at a score of 0.
    pub at_zero: f64,
    /// So many points double the odds.
    pub points_to_double: f64,
    /// Upgrades, and how many of them went wrong.
    pub rows: (usize, usize),
    /// By what was left out of each fold (`family`, `repository`) and by label.
    pub cross_validated: BTreeMap<&'static str, BTreeMap<String, LeftOut>>,
}

/// How well what was left out of the fit is ordered: area under the curve and
/// mean precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeftOut {
    /// By the score.
    pub score: (f64, f64),
    /// By the likelihood of the label's own kind of fault, where it has one.
    pub likelihood: Option<(f64, f64)>,
}

/// A row with the shares of the fitted columns.
struct Case<'r> {
    row: &'r Row,
    shares: Weights,
}

/// Fits the weights.
#[must_use]
pub fn fit(history: &History, model: &Model) -> Fitted {
    let cases: Vec<Case<'_>> = history.rows.iter().map(case).collect();
    let all: Vec<&Case<'_>> = cases.iter().collect();
    let faults = faults(&all);
    let (at_zero, points_to_double) = scale(&all, &model.with_faults(faults.clone()));
    let mut cross_validated = BTreeMap::new();
    for (name, key) in [
        ("family", (|row| &row.family) as fn(&Row) -> &String),
        ("repository", |row| &row.repository),
    ] {
        cross_validated.insert(
            name,
            left_out(&cases, &model.with_faults(faults.clone()), key),
        );
    }
    let settled = |row: &&Row| row.labels.contains_key(ANY);
    let rows: Vec<&Row> = history.rows.iter().filter(settled).collect();
    let bad = rows.iter().filter(|row| row.labels.get(ANY) == Some(&true));
    Fitted {
        faults,
        at_zero,
        points_to_double,
        rows: (rows.len(), bad.count()),
        cross_validated,
    }
}

fn case(row: &Row) -> Case<'_> {
    let share = |column: &Column| {
        let found = row.columns.iter().find(|(it, _)| it == column);
        found.map_or(0.0, |(_, share)| *share)
    };
    Case {
        row,
        shares: COLUMNS.map(|column| share(&column)),
    }
}

type Weights = [f64; COLUMNS.len()];

fn probability(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

/// The regressions of all kinds that happened and did not always happen.
fn faults(cases: &[&Case<'_>]) -> Faults {
    LABELS
        .iter()
        .filter_map(|(fault, label)| Some((*fault, solve(&mut Kind::of(label, cases)?))))
        .collect()
}

/// The cases of one kind of fault.
struct Kind<'c> {
    /// The case, whether it went wrong, and what it counts.
    rows: Vec<(&'c Weights, f64, f64)>,
    margins: Vec<f64>,
}

impl<'c> Kind<'c> {
    /// `None` where nothing went wrong so, or everything did.
    fn of(label: &str, cases: &[&'c Case<'c>]) -> Option<Self> {
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
                (shares, outcome, 0.5 / of as f64)
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

    /// The intercept at which the mean likelihood is the share that went wrong.
    fn intercept(&self, weights: &Weights) -> f64 {
        let sums: Vec<f64> = self
            .rows
            .iter()
            .map(|(shares, _, _)| shares.iter().zip(weights).map(|(a, b)| a * b).sum())
            .collect();
        let wanted: f64 = self.rows.iter().map(|(_, outcome, _)| outcome).sum();
        let (mut low, mut high) = (-30.0, 30.0);
        // Halving finds it to the last digit that is written.
        for _ in 0..50 {
            let middle: f64 = f64::midpoint(low, high);
            let mean: f64 = sums.iter().map(|sum| probability(sum + middle)).sum();
            if mean > wanted {
                high = middle;
            } else {
                low = middle;
            }
        }
        low
    }

    fn step(&mut self, column: Option<usize>, by: f64) {
        for ((shares, _, _), margin) in self.rows.iter().zip(&mut self.margins) {
            *margin += by * column.map_or(1.0, |at| shares.get(at).copied().unwrap_or(0.0));
        }
    }
}

/// One Newton step for each weight in turn, until they rest.
fn solve(kind: &mut Kind<'_>) -> Regression {
    let mut weights = [0.0; COLUMNS.len()];
    for _ in 0..ROUNDS {
        let (slope, curve) = kind.along(None);
        kind.step(None, -(slope / curve.max(1e-9)).clamp(-1.0, 1.0));
        for (column, weight) in weights.iter_mut().enumerate() {
            let (more, bend) = kind.along(Some(column));
            let (slope, curve) = (2.0 * RIDGE * *weight + more, 2.0 * RIDGE + bend);
            let kept = (*weight - (slope / curve).clamp(-0.5, 0.5)).max(0.0);
            kind.step(Some(column), kept - *weight);
            *weight = kept;
        }
    }
    Regression {
        at_zero: kind.intercept(&weights),
        weights: COLUMNS
            .into_iter()
            .zip(weights)
            .filter(|(_, weight)| *weight >= LEAST)
            .collect(),
    }
}

/// The probability at no points, and how many points double the odds.
fn scale(cases: &[&Case<'_>], model: &Model) -> (f64, f64) {
    let rows: Vec<(f64, f64)> = cases
        .iter()
        .filter_map(|case| {
            let bad = *case.row.labels.get(ANY)?;
            Some((score(case.row, model), f64::from(u8::from(bad))))
        })
        .collect();
    let (mut base, mut slope) = (-4.0, std::f64::consts::LN_2 / 10.0);
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

/// All points of a row, before exposure.
fn score(row: &Row, model: &Model) -> f64 {
    model.points(&row.columns).iter().sum()
}

/// A row that was left out, with what a model that has not seen it makes of it.
struct Unseen<'r> {
    row: &'r Row,
    score: f64,
    faults: Vec<(Fault, f64)>,
}

/// Fits without a part and looks at that part, for all parts in turn. The intercepts
/// are those of the whole: a part that holds most cases of a rare fault would else be
/// held against the low base rate of the rest, and come last when parts are pooled.
fn left_out(
    cases: &[Case<'_>],
    model: &Model,
    key: fn(&Row) -> &String,
) -> BTreeMap<String, LeftOut> {
    let keys: BTreeSet<&String> = cases.iter().map(|case| key(case.row)).collect();
    let fold: BTreeMap<&String, usize> = keys
        .into_iter()
        .enumerate()
        .map(|(at, key)| (key, at % FOLDS))
        .collect();
    let of = |case: &Case<'_>| fold.get(key(case.row)).copied().unwrap_or(0);
    let unseen: Vec<Unseen<'_>> = (0..FOLDS)
        .into_par_iter()
        .flat_map_iter(|part| {
            let training: Vec<&Case<'_>> = cases.iter().filter(|case| of(case) != part).collect();
            let fitted = model.with_weights(faults(&training));
            let tested: Vec<Unseen<'_>> = cases
                .iter()
                .filter(|case| of(case) == part)
                .map(|case| Unseen {
                    row: case.row,
                    score: score(case.row, &fitted),
                    faults: fitted.likelihoods(&case.row.columns),
                })
                .collect();
            tested
        })
        .collect();
    let labels: BTreeSet<&String> = unseen.iter().flat_map(|it| it.row.labels.keys()).collect();
    labels
        .into_iter()
        .filter_map(|label| {
            let order = |by: &dyn Fn(&Unseen<'_>) -> Option<f64>| {
                let rows: Vec<(f64, bool)> = unseen
                    .iter()
                    .filter_map(|it| Some((by(it)?, *it.row.labels.get(label)?)))
                    .collect();
                Some((roc_auc(&rows)?, average_precision(&rows)?))
            };
            let left_out = LeftOut {
                score: order(&|it| Some(it.score))?,
                likelihood: order(&|it| own_likelihood(label, &it.faults)),
            };
            Some((label.clone(), left_out))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Plain;
    use super::*;
    use crate::policy::Decision;

    /// Rows of which two in ten of the fresh went wrong, and one in ten of the others.
    fn history() -> History {
        let row = |at: usize| {
            let fresh = at.is_multiple_of(2);
            let bad = if fresh {
                [0, 4].contains(&(at % 20))
            } else {
                at % 20 == 1
            };
            let mut columns = vec![(("many-options", None), (at % 3) as f64 / 2.0)];
            if fresh {
                columns.push((("fresh-release", None), 1.0));
            }
            Row {
                event: at,
                repository: format!("r{}", at % 11),
                family: format!("f{}", at % 13),
                name: String::new(),
                score: 0.0,
                likelihood: 0.0,
                faults: Vec::new(),
                place: (1.0, 1),
                decision: Decision::Pass,
                columns,
                plain: Plain {
                    step: 1.0,
                    age_days: 1.0,
                    changed: 1.0,
                },
                labels: [("bad_hotfix".to_owned(), bad), ("bad".to_owned(), bad)].into(),
            }
        };
        History {
            rows: (0..6000).map(row).collect(),
            events: 6000,
            failed: Vec::new(),
            unmatched: 0,
        }
    }

    #[test]
    fn the_weight_goes_to_the_signal_that_tells_and_likelihoods_are_what_happened() {
        let history = history();
        let fitted = fit(&history, &Model::built_in().unwrap());
        // Nothing else went wrong, so that nothing else is learnt.
        assert_eq!(fitted.faults.keys().collect::<Vec<_>>(), [&Fault::Hotfix]);
        let hotfix = &fitted.faults[&Fault::Hotfix];
        let weight = |column| hotfix.weights.get(&column).copied().unwrap_or(0.0);
        // Odds of 0.25 and 0.111, a weight of 0.81 before it is drawn towards nought.
        assert!(weight(("fresh-release", None)) > 0.4, "{hotfix:?}");
        assert!(weight(("many-options", None)) < 0.05, "{hotfix:?}");
        let mean = |rows: &[Row]| {
            let each = rows.iter().map(|row| hotfix.likelihood(&row.columns));
            each.sum::<f64>() / rows.len() as f64
        };
        let bad = history.rows.iter().filter(|row| row.labels["bad"]).count();
        assert!((mean(&history.rows) - bad as f64 / 6000.0).abs() < 1e-6);
        let unseen = fitted.cross_validated["family"]["bad_hotfix"];
        assert!(unseen.likelihood.unwrap().0 > 0.55, "{unseen:?}");
    }
}
