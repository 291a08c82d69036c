//! The weights of the model, from history: a logistic regression over the
//! signals, drawn towards the weights that were set by hand (a normal prior, as
//! in Gelman et al. 2008, doi:10.1214/08-AOAS191), so that a signal with few
//! cases keeps what was reasoned for it. A weight keeps the sign that common
//! sense gives it.

use std::collections::{BTreeMap, BTreeSet};

use super::{History, Row};
use crate::risk::{Column, Model};
use crate::stats::{average_precision, roc_auc};

/// How far a weight may be from the one set by hand, in natural log-odds: one
/// standard deviation of the prior.
const SPREAD: f64 = 0.8;
/// Rounds over all weights; the loss is convex, and this is far beyond rest.
const ROUNDS: usize = 60;
/// A column in fewer upgrades than this keeps the weight set by hand.
const FEWEST: usize = 50;
/// What a fault of each kind counts. Those that are rarer are worse, and would
/// be drowned by hot-fixes.
const KINDS: [(&str, f64); 3] = [
    ("bad_adv", 4.0),
    ("bad_yank_isolated", 2.0),
    ("bad_hotfix", 1.0),
];
/// Folds of the cross-validation by families.
const FOLDS: usize = 5;

/// Weights out of history.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Points by column, whole.
    pub points: BTreeMap<Column, i32>,
    /// The probability at a score of 0.
    pub at_zero: f64,
    /// Upgrades, and how many of them went wrong.
    pub rows: (usize, usize),
    /// By what was left out of each fold (`family`, `repository`) and by label:
    /// area under the curve and mean precision on what was left out.
    pub cross_validated: BTreeMap<&'static str, BTreeMap<String, (f64, f64)>>,
}

/// A row as numbers.
struct Case<'r> {
    row: &'r Row,
    columns: Vec<(usize, f64)>,
    bad: bool,
    weight: f64,
}

/// Fits the weights.
#[must_use]
pub fn fit(history: &History, model: &Model) -> Fitted {
    let rows: Vec<&Row> = history.rows.iter().collect();
    let names: BTreeSet<Column> = rows
        .iter()
        .flat_map(|row| row.columns.iter().map(|(column, _)| *column))
        .collect();
    let names: Vec<Column> = names.into_iter().collect();
    let cases = cases(&rows, &names);
    let all: Vec<&Case<'_>> = cases.iter().collect();
    let weights = solve(&all, &names, model);
    let points: BTreeMap<Column, i32> = names
        .iter()
        .zip(&weights.1)
        .map(|(column, weight)| (*column, (weight / model.per_point()).round() as i32))
        .collect();
    // With whole points, and all faults alike, the probability is set anew.
    let whole: Vec<f64> = names
        .iter()
        .map(|column| f64::from(points.get(column).copied().unwrap_or(0)) * model.per_point())
        .collect();
    let mut cross_validated = BTreeMap::new();
    cross_validated.insert(
        "family",
        left_out(&cases, &names, model, &|case| case.row.family.clone()),
    );
    cross_validated.insert(
        "repository",
        left_out(&cases, &names, model, &|case| case.row.repository.clone()),
    );
    let unweighted: Vec<Case<'_>> = cases
        .iter()
        .map(|case| Case {
            row: case.row,
            columns: case.columns.clone(),
            bad: case.bad,
            weight: 1.0,
        })
        .collect();
    let intercept = intercept(&unweighted.iter().collect::<Vec<_>>(), &whole);
    Fitted {
        points,
        at_zero: 1.0 / (1.0 + (-intercept).exp()),
        rows: (cases.len(), cases.iter().filter(|case| case.bad).count()),
        cross_validated,
    }
}

fn cases<'r>(rows: &[&'r Row], names: &[Column]) -> Vec<Case<'r>> {
    rows.iter()
        .filter_map(|row| {
            let bad = *row.labels.get(super::measure::ANY)?;
            let worst = KINDS
                .iter()
                .filter(|(label, _)| row.labels.get(*label) == Some(&true))
                .map(|(_, weight)| *weight)
                .fold(1.0, f64::max);
            let columns = row
                .columns
                .iter()
                .filter_map(|(column, share)| Some((names.binary_search(column).ok()?, *share)))
                .collect();
            Some(Case {
                row,
                columns,
                bad,
                weight: if bad { worst } else { 1.0 },
            })
        })
        .collect()
}

fn margin(case: &Case<'_>, intercept: f64, weights: &[f64]) -> f64 {
    let sum: f64 = case
        .columns
        .iter()
        .map(|(at, share)| weights.get(*at).copied().unwrap_or(0.0) * share)
        .sum();
    intercept + sum
}

fn probability(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

/// The intercept at which the mean probability is the share that went wrong.
fn intercept(cases: &[&Case<'_>], weights: &[f64]) -> f64 {
    let mut intercept = -4.0;
    for _ in 0..ROUNDS {
        let (mut slope, mut curve) = (0.0, 1e-9);
        for case in cases {
            let p = probability(margin(case, intercept, weights));
            slope += case.weight * (p - f64::from(u8::from(case.bad)));
            curve += case.weight * p * (1.0 - p);
        }
        intercept -= (slope / curve).clamp(-1.0, 1.0);
    }
    intercept
}

/// One Newton step for each weight in turn, until they rest.
fn solve(cases: &[&Case<'_>], names: &[Column], model: &Model) -> (f64, Vec<f64>) {
    let prior: Vec<f64> = names
        .iter()
        .map(|(signal, grade)| f64::from(model.set_points(signal, *grade)) * model.per_point())
        .collect();
    let mut by_column: Vec<Vec<(usize, f64)>> = vec![Vec::new(); names.len()];
    for (at, case) in cases.iter().enumerate() {
        for (column, share) in &case.columns {
            if let Some(rows) = by_column.get_mut(*column) {
                rows.push((at, *share));
            }
        }
    }
    let mut weights = prior.clone();
    let mut base = intercept(cases, &weights);
    let mut margins: Vec<f64> = cases
        .iter()
        .map(|case| margin(case, base, &weights))
        .collect();
    for _ in 0..ROUNDS {
        for (column, rows) in by_column.iter().enumerate() {
            let (Some(weight), Some(prior)) = (weights.get_mut(column), prior.get(column)) else {
                continue;
            };
            if rows.len() < FEWEST {
                continue;
            }
            let (mut slope, mut curve) = (
                (*weight - prior) / (SPREAD * SPREAD),
                1.0 / (SPREAD * SPREAD),
            );
            for (at, share) in rows {
                let (Some(case), Some(margin)) = (cases.get(*at), margins.get(*at)) else {
                    continue;
                };
                let p = probability(*margin);
                slope += case.weight * share * (p - f64::from(u8::from(case.bad)));
                curve += case.weight * share * share * p * (1.0 - p);
            }
            let stepped = *weight - (slope / curve).clamp(-0.5, 0.5);
            let kept = if *prior < 0.0 {
                stepped.min(0.0)
            } else {
                stepped.max(0.0)
            };
            let change = kept - *weight;
            *weight = kept;
            for (at, share) in rows {
                if let Some(margin) = margins.get_mut(*at) {
                    *margin += change * share;
                }
            }
        }
        let before = base;
        base = intercept(cases, &weights);
        for margin in &mut margins {
            *margin += base - before;
        }
    }
    (base, weights)
}

/// Fits without a part and looks at that part, for all parts in turn.
fn left_out(
    cases: &[Case<'_>],
    names: &[Column],
    model: &Model,
    key: &dyn Fn(&Case<'_>) -> String,
) -> BTreeMap<String, (f64, f64)> {
    let keys: BTreeSet<String> = cases.iter().map(key).collect();
    let fold: BTreeMap<String, usize> = keys
        .into_iter()
        .enumerate()
        .map(|(at, key)| (key, at % FOLDS))
        .collect();
    let of = |case: &Case<'_>| fold.get(&key(case)).copied().unwrap_or(0);
    let mut scored: Vec<(f64, &Row)> = Vec::new();
    for part in 0..FOLDS {
        let training: Vec<&Case<'_>> = cases.iter().filter(|case| of(case) != part).collect();
        let (base, weights) = solve(&training, names, model);
        let tested = cases.iter().filter(|case| of(case) == part);
        scored.extend(tested.map(|case| (margin(case, base, &weights), case.row)));
    }
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
