//! What a plain logistic regression makes of history: on all fields that the
//! corpus knew on the day, without shapes, without a choice and without the rule
//! that more is never better. The model has to be worth its limits beside it.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Row;
use super::regression::probability;

/// Parts of which one is left out in turn.
pub(super) const FOLDS: usize = 5;
/// The pull towards nought of a weight of a field of unit variance, beside a mean loss.
const RIDGE: f64 = 0.001;
/// Newton steps; the loss is convex and close to a parabola after a few.
const STEPS: usize = 10;

/// In which part each row is: whole families, or whole repositories.
pub(super) fn folds(rows: &[&Row], key: fn(&Row) -> &String) -> Vec<usize> {
    let mut parts: BTreeMap<&String, usize> = rows.iter().map(|row| (key(row), 0)).collect();
    for (at, part) in parts.values_mut().enumerate() {
        *part = at % FOLDS;
    }
    let of = |row: &&Row| parts.get(key(row)).copied().unwrap_or(0);
    rows.iter().map(of).collect()
}

/// The log-odds of a label for each row, by what was learnt without its part, as
/// far as the fields tell them: the intercept, which differs between parts, is left
/// out, as it is for the model. `None` where there is nothing to learn.
pub(super) fn left_out(rows: &[&Row], label: &str, key: fn(&Row) -> &String) -> Option<Vec<f64>> {
    let fields = standard(rows)?;
    let outcomes: Vec<Option<bool>> = rows
        .iter()
        .map(|row| row.labels.get(label).copied())
        .collect();
    let part = folds(rows, key);
    let parts: Vec<Vec<(usize, f64)>> = (0..FOLDS)
        .into_par_iter()
        .map(|left_out| {
            let cases: Vec<(&[f64], bool)> = fields
                .iter()
                .zip(&outcomes)
                .zip(&part)
                .filter(|(_, part)| **part != left_out)
                .filter_map(|((fields, outcome), _)| Some((fields.as_slice(), (*outcome)?)))
                .collect();
            let weights = solve(&cases)?;
            let margin = |fields: &Vec<f64>| fields.iter().zip(&weights).map(|(a, b)| a * b).sum();
            let all = fields.iter().zip(&part).enumerate();
            Some(
                all.filter(|(_, (_, part))| **part == left_out)
                    .map(|(at, (fields, _))| (at, margin(fields)))
                    .collect(),
            )
        })
        .collect::<Option<_>>()?;
    let mut margins = vec![0.0; rows.len()];
    for (at, margin) in parts.into_iter().flatten() {
        if let Some(slot) = margins.get_mut(at) {
            *slot = margin;
        }
    }
    Some(margins)
}

/// The fields of all rows, each with mean nought and unit variance, and a one after
/// them. No label is looked at. `None` where a corpus has no such fields.
fn standard(rows: &[&Row]) -> Option<Vec<Vec<f64>>> {
    let raw: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let more = [row.plain.step, row.plain.changed.ln_1p()];
            row.known.iter().copied().chain(more).collect()
        })
        .collect();
    let width = raw.iter().map(Vec::len).max()?;
    if rows.iter().any(|row| row.known.is_empty()) || raw.iter().any(|it| it.len() != width) {
        return None;
    }
    let count = raw.len() as f64;
    let sums = |of: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; width];
        for row in &raw {
            for (at, (sum, value)) in sums.iter_mut().zip(row).enumerate() {
                *sum += of(at, *value) / count;
            }
        }
        sums
    };
    let means = sums(&|_, value| value);
    let mean = |at: usize| means.get(at).copied().unwrap_or(0.0);
    let variances = sums(&|at, value| (value - mean(at)).powi(2));
    let scaled = |row: Vec<f64>| {
        let each = row.into_iter().zip(means.iter().zip(&variances));
        each.map(|(value, (mean, variance))| match *variance > 1e-12 {
            true => (value - mean) / variance.sqrt(),
            false => 0.0,
        })
        // The intercept, which comes last.
        .chain([1.0])
        .collect()
    };
    Some(raw.into_iter().map(scaled).collect())
}

/// The weights, the intercept last; good and bad count alike. `None` unless there
/// are both.
fn solve(cases: &[(&[f64], bool)]) -> Option<Vec<f64>> {
    let bad = cases.iter().filter(|(_, bad)| *bad).count();
    let good = cases.len() - bad;
    if bad == 0 || good == 0 {
        return None;
    }
    let width = cases.first()?.0.len();
    let mut weights = vec![0.0; width];
    for _ in 0..STEPS {
        let mut slope: Vec<f64> = weights.iter().map(|weight| 2.0 * RIDGE * weight).collect();
        let mut curve = vec![vec![0.0; width]; width];
        for (at, row) in curve.iter_mut().enumerate() {
            if let Some(own) = row.get_mut(at) {
                *own = 2.0 * RIDGE;
            }
        }
        for (fields, is_bad) in cases {
            let counts = 0.5 / if *is_bad { bad } else { good } as f64;
            let margin: f64 = fields.iter().zip(&weights).map(|(a, b)| a * b).sum();
            let p = probability(margin);
            let error = counts * (p - f64::from(u8::from(*is_bad)));
            let bend = counts * p * (1.0 - p);
            for (at, ((a, slope), row)) in fields.iter().zip(&mut slope).zip(&mut curve).enumerate()
            {
                *slope += error * a;
                // The lower half is all that is used.
                for (b, cell) in fields.iter().zip(row.iter_mut()).take(at + 1) {
                    *cell += bend * a * b;
                }
            }
        }
        let step = solved(curve, slope);
        for (weight, step) in weights.iter_mut().zip(step) {
            *weight -= step.clamp(-2.0, 2.0);
        }
    }
    weights.pop();
    Some(weights)
}

/// Solves a positive definite system by Cholesky's way.
fn solved(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let cell = |matrix: &[Vec<f64>], row: usize, column: usize| {
        let found = matrix.get(row).and_then(|row| row.get(column));
        found.copied().unwrap_or(0.0)
    };
    let size = right.len();
    for row in 0..size {
        for column in 0..=row {
            let both = (0..column).map(|at| cell(&matrix, row, at) * cell(&matrix, column, at));
            let rest = cell(&matrix, row, column) - both.sum::<f64>();
            let value = if row == column {
                rest.max(1e-12).sqrt()
            } else {
                rest / cell(&matrix, column, column)
            };
            if let Some(slot) = matrix.get_mut(row).and_then(|row| row.get_mut(column)) {
                *slot = value;
            }
        }
    }
    let at = |right: &[f64], row: usize| right.get(row).copied().unwrap_or(0.0);
    for row in 0..size {
        let before: f64 = (0..row)
            .map(|it| cell(&matrix, row, it) * at(&right, it))
            .sum();
        let value = (at(&right, row) - before) / cell(&matrix, row, row);
        if let Some(slot) = right.get_mut(row) {
            *slot = value;
        }
    }
    for row in (0..size).rev() {
        let after: f64 = (row + 1..size)
            .map(|it| cell(&matrix, it, row) * at(&right, it))
            .sum();
        let value = (at(&right, row) - after) / cell(&matrix, row, row);
        if let Some(slot) = right.get_mut(row) {
            *slot = value;
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() {
        // 4x + 2y = 10 and 2x + 3y = 9.
        let solution = solved(vec![vec![4.0, 2.0], vec![2.0, 3.0]], vec![10.0, 9.0]);
        assert!((solution[0] - 1.5).abs() < 1e-9 && (solution[1] - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_field_that_tells_gets_the_weight_in_either_direction() {
        let fields: Vec<[f64; 3]> = (0..400)
            .map(|at| [f64::from(at % 2) * 2.0 - 1.0, f64::from(at % 7) - 3.0, 1.0])
            .collect();
        let cases: Vec<(&[f64], bool)> = fields
            .iter()
            .enumerate()
            .map(|(at, fields)| {
                let rare = if fields[0] > 0.0 { 10 } else { 3 };
                (fields.as_slice(), at % rare == 0)
            })
            .collect();
        let weights = solve(&cases).unwrap();
        assert!(weights[0] < -0.3, "{weights:?}");
        assert!(weights[1].abs() < 0.2, "{weights:?}");
        assert_eq!(solve(&cases[..0]), None);
    }
}
