//! One regression of the model, from history: a logistic regression over a few
//! shares. What went wrong counts as much as what did not, so that the weights of
//! a rare fault are not drowned; the intercept is then set so that the mean
//! likelihood is what happened. Weights are drawn towards nought (ridge; Hoerl and
//! Kennard 1970, doi:10.1080/00401706.1970.10488634) and are never negative: more
//! of what these signals see is never better.

use super::Row;
use crate::risk::{Column, Regression};

/// The strength of the pull towards nought, beside a mean loss.
const RIDGE: f64 = 0.01;
/// A weight below this is none.
const LEAST: f64 = 0.005;
/// Rounds over all weights; the loss is convex, and this is beyond rest.
const ROUNDS: usize = 60;

pub(super) fn probability(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

/// The cases of one kind of fault.
pub(super) struct Kind {
    columns: Vec<Column>,
    /// The shares of each case, whether it went wrong, and what it counts.
    rows: Vec<(Vec<f64>, f64, f64)>,
    margins: Vec<f64>,
}

impl Kind {
    /// The cases of some rows, or in words why nothing is to be learnt from them.
    pub(super) fn of(label: &str, columns: &[Column], rows: &[&Row]) -> Result<Self, String> {
        let settled: Vec<(Vec<f64>, bool)> = rows
            .iter()
            .filter_map(|row| Some((shares(row, columns), *row.labels.get(label)?)))
            .collect();
        let bad = settled.iter().filter(|(_, bad)| *bad).count();
        let good = settled.len() - bad;
        if settled.is_empty() {
            return Err(format!("of no upgrade is known whether it had `{label}`"));
        }
        if bad == 0 {
            return Err(format!("of {good} upgrades none had `{label}`"));
        }
        if good == 0 {
            return Err(format!("all of {bad} upgrades had `{label}`"));
        }
        let rows: Vec<_> = settled
            .into_iter()
            .map(|(shares, is_bad)| {
                let (outcome, of) = if is_bad { (1.0, bad) } else { (0.0, good) };
                (shares, outcome, 0.5 / of as f64)
            })
            .collect();
        Ok(Self {
            columns: columns.to_vec(),
            margins: vec![0.0; rows.len()],
            rows,
        })
    }

    /// The same beside log-odds that are known of each case: only what the shares
    /// tell beyond them is learnt.
    pub(super) fn beside(mut self, known: &[f64]) -> Self {
        self.margins = known.to_vec();
        self
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

    /// The intercept at which the mean likelihood is the share that went wrong.
    fn intercept(&self, weights: &[f64]) -> f64 {
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

    /// One Newton step for each weight in turn, until they rest.
    pub(super) fn solve(mut self) -> Regression {
        let mut weights = vec![0.0; self.columns.len()];
        for _ in 0..ROUNDS {
            let (slope, curve) = self.along(None);
            self.step(None, -(slope / curve.max(1e-9)).clamp(-1.0, 1.0));
            for (column, weight) in weights.iter_mut().enumerate() {
                let (more, bend) = self.along(Some(column));
                let (slope, curve) = (2.0 * RIDGE * *weight + more, 2.0 * RIDGE + bend);
                let kept: f64 = (*weight - (slope / curve).clamp(-0.5, 0.5)).max(0.0);
                self.step(Some(column), kept - *weight);
                *weight = kept;
            }
        }
        Regression {
            at_zero: self.intercept(&weights),
            weights: self
                .columns
                .iter()
                .copied()
                .zip(weights)
                .filter(|(_, weight)| *weight >= LEAST)
                .collect(),
        }
    }
}

fn shares(row: &Row, columns: &[Column]) -> Vec<f64> {
    let share = |column: &Column| {
        let found = row.columns.iter().find(|(it, _)| it == column);
        found.map_or(0.0, |(_, share)| *share)
    };
    columns.iter().map(share).collect()
}
