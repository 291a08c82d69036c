//! The weights of the model, from history: for each kind of fault a regression over
//! the few signals that tell of it ([`super::regression`]). Which signals a kind has
//! was chosen by cross-validation within cross-validation; fewer told more than all.
//! All other signals keep what was reasoned for them: history has too few cases of
//! them, or its labels cannot see them.
//!
//! The probability that anything goes wrong is set on top: by a regression of what
//! went wrong on the points alone (Platt 1999), which keeps the order.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::measure::{ANY, own_likelihood};
use super::plain::{self, FOLDS, folds};
use super::regression::{Kind, probability};
use super::{History, Row};
use crate::risk::{Column, Fault, Faults, Model};
use crate::stats::{average_precision, roc_auc};

/// A kind of fault with the label that it is learnt from, and the signals that its
/// likelihood is made of.
type Lesson = (Fault, &'static str, &'static [Column]);

const LESSONS: [Lesson; 4] = [
    (
        Fault::Advisory,
        "bad_adv",
        &[
            ("advisory-history", None),
            ("dependencies-changed", None),
            ("feature-list-changed", None),
            ("many-options", None),
            ("version-step", Some("major")),
            ("versions-skipped", None),
        ],
    ),
    (
        Fault::Withdrawal,
        "bad_yank_isolated",
        &[
            ("compiler-raised", None),
            ("far-apart", None),
            ("fresh-feature-release", None),
            ("fresh-release", None),
            ("long-silence", None),
        ],
    ),
    (
        Fault::Hotfix,
        "bad_hotfix",
        &[
            ("follows-closely", None),
            ("fresh-release", None),
            ("often-released", None),
            ("rapid-series", None),
        ],
    ),
    (
        Fault::FollowUp,
        "patch_3d_commit",
        &[
            ("follows-closely", None),
            ("fresh-release", None),
            ("often-released", None),
            ("patched-line", None),
            ("patches-near", None),
            ("versions-skipped", None),
        ],
    ),
];
/// No probability is written that is closer to 0 or 1.
const LEAST_LIKELY: f64 = 0.00001;

/// Weights out of history.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The regression of each kind of fault.
    pub faults: Faults,
    /// The kinds of fault of which nothing could be learnt, with the reason.
    pub not_learnt: BTreeMap<Fault, String>,
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
    /// By a plain regression of the label on all fields of the corpus.
    pub plain: Option<(f64, f64)>,
}

/// Fits the weights.
#[must_use]
pub fn fit(history: &History, model: &Model) -> Fitted {
    let rows: Vec<&Row> = history.rows.iter().collect();
    let (faults, not_learnt) = faults(&rows);
    let whole = model.with_faults(faults.clone());
    let (at_zero, points_to_double) = scale(&rows, &whole);
    let cross_validated = PARTS
        .into_iter()
        .map(|(name, key)| (name, left_out(&rows, &whole, key)))
        .collect();
    let settled = rows.iter().filter_map(|row| row.labels.get(ANY));
    Fitted {
        faults,
        not_learnt,
        at_zero,
        points_to_double,
        rows: (settled.clone().count(), settled.filter(|bad| **bad).count()),
        cross_validated,
    }
}

/// What is left out of a fold.
type Key = fn(&Row) -> &String;

/// What may be left out as a whole.
const PARTS: [(&str, Key); 2] = [
    ("family", |row| &row.family),
    ("repository", |row| &row.repository),
];

/// The regressions of all kinds of which something is to be learnt, and why there is
/// none of the others.
fn faults(rows: &[&Row]) -> (Faults, BTreeMap<Fault, String>) {
    let (mut faults, mut not_learnt) = (Faults::new(), BTreeMap::new());
    for (fault, label, columns) in LESSONS {
        match Kind::of(label, columns, rows) {
            Ok(kind) => {
                faults.insert(fault, kind.solve());
            }
            Err(reason) => {
                not_learnt.insert(fault, reason);
            }
        }
    }
    (faults, not_learnt)
}

/// The probability at no points, and how many points double the odds.
fn scale(rows: &[&Row], model: &Model) -> (f64, f64) {
    let rows: Vec<(f64, f64)> = rows
        .iter()
        .filter_map(|row| {
            let bad = *row.labels.get(ANY)?;
            Some((score(row, model), f64::from(u8::from(bad))))
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
    // Where nothing went wrong, it is still not impossible.
    let at_zero = probability(base).clamp(LEAST_LIKELY, 1.0 - LEAST_LIKELY);
    (at_zero, std::f64::consts::LN_2 / slope)
}

/// All points of a row, before exposure.
fn score(row: &Row, model: &Model) -> f64 {
    model.points(&row.columns).iter().sum()
}

/// A row that was left out, with what a model that has not seen it makes of it.
struct Unseen {
    score: f64,
    faults: Vec<(Fault, f64)>,
}

/// Fits without a part and looks at that part, for all parts in turn. The intercepts
/// are those of the whole: a part that holds most cases of a rare fault would else be
/// held against the low base rate of the rest, and come last when parts are pooled.
fn left_out(rows: &[&Row], model: &Model, key: Key) -> BTreeMap<String, LeftOut> {
    let part = folds(rows, key);
    let fitted: Vec<Model> = (0..FOLDS)
        .into_par_iter()
        .map(|left_out| {
            let training = rows
                .iter()
                .zip(&part)
                .filter(|(_, part)| **part != left_out);
            let training: Vec<&Row> = training.map(|(row, _)| *row).collect();
            model.with_weights(faults(&training).0)
        })
        .collect();
    let unseen: Vec<Unseen> = rows
        .par_iter()
        .zip(&part)
        .map(|(row, part)| {
            let fitted = fitted.get(*part).unwrap_or(model);
            Unseen {
                score: score(row, fitted),
                faults: fitted.likelihoods(&row.columns),
            }
        })
        .collect();
    let labels: BTreeSet<&String> = rows.iter().flat_map(|row| row.labels.keys()).collect();
    labels
        .into_par_iter()
        .filter_map(|label| {
            let order = |by: &dyn Fn(usize, &Unseen) -> Option<f64>| {
                let all = rows.iter().zip(&unseen).enumerate();
                let settled: Vec<(f64, bool)> = all
                    .filter_map(|(at, (row, it))| Some((by(at, it)?, *row.labels.get(label)?)))
                    .collect();
                Some((roc_auc(&settled)?, average_precision(&settled)?))
            };
            let plain = plain::left_out(rows, label, key);
            let left_out = LeftOut {
                score: order(&|_, it| Some(it.score))?,
                likelihood: order(&|_, it| own_likelihood(label, &it.faults)),
                plain: plain.and_then(|by| order(&|at, _| by.get(at).copied())),
            };
            Some((label.clone(), left_out))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of which two in ten of the fresh went wrong, and one in ten of the others.
    fn history() -> History {
        let row = |at: usize| {
            let fresh = at.is_multiple_of(2);
            let bad = if fresh {
                [0, 4].contains(&(at % 20))
            } else {
                at % 20 == 1
            };
            let mut columns = vec![(("often-released", None), (at % 3) as f64 / 2.0)];
            if fresh {
                columns.push((("fresh-release", None), 1.0));
            }
            Row {
                columns,
                known: vec![f64::from(u8::from(fresh)), (at % 3) as f64],
                labels: [("bad_hotfix".to_owned(), bad), ("bad".to_owned(), bad)].into(),
                ..Row::made(at, 11, 13)
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
        assert!(weight(("often-released", None)) < 0.05, "{hotfix:?}");
        let mean = |rows: &[Row]| {
            let each = rows.iter().map(|row| hotfix.likelihood(&row.columns));
            each.sum::<f64>() / rows.len() as f64
        };
        let bad = history.rows.iter().filter(|row| row.labels["bad"]).count();
        assert!((mean(&history.rows) - bad as f64 / 6000.0).abs() < 1e-6);
        let unseen = fitted.cross_validated["family"]["bad_hotfix"];
        assert!(unseen.likelihood.unwrap().0 > 0.55, "{unseen:?}");
        assert!(unseen.plain.unwrap().0 > 0.55, "{unseen:?}");
        assert_eq!(
            fitted.not_learnt[&Fault::Advisory],
            "of no upgrade is known whether it had `bad_adv`"
        );
    }

    #[test]
    fn a_fault_that_one_part_alone_has_is_looked_at_in_all_parts() {
        let mut history = history();
        for row in &mut history.rows {
            let bad = row.family == "f0" && row.event.is_multiple_of(3);
            row.labels.insert("bad_adv".to_owned(), bad);
        }
        let fitted = fit(&history, &Model::built_in().unwrap());
        // Without that part nothing is learnt, and all are alike by the intercept.
        let unseen = fitted.cross_validated["family"]["bad_adv"];
        let (auc, precision) = unseen.likelihood.unwrap();
        assert!((auc - 0.5).abs() < 0.05, "{unseen:?}");
        assert!(precision < 0.1, "{unseen:?}");
    }
}
