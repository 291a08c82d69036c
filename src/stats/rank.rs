//! Comparison of two samples by rank.

use super::correlation::autocorrelation;
use super::normal::{normal_cdf, normal_quantile};
use super::order::quantile_of_sorted;

/// Ranks from 1; equal values share the mean of their ranks.
pub(super) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let value = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while let Some(first) = order.get(start).copied() {
        let tied = order
            .iter()
            .skip(start)
            .take_while(|place| value(**place) == value(first))
            .count()
            .max(1);
        #[expect(
            clippy::cast_precision_loss,
            reason = "sample counts are far below 2^52"
        )]
        let rank = (2 * start + tied + 1) as f64 / 2.0;
        for place in order.iter().skip(start).take(tied) {
            if let Some(slot) = ranks.get_mut(*place) {
                *slot = rank;
            }
        }
        start += tied;
    }
    ranks
}

/// How one sample lies beside another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelShift {
    /// The number of pairs in which the second sample's value is the larger one;
    /// equal ones count half (Mann and Whitney's U).
    pub u: f64,
    /// Two-sided probability of a U at least this far from the middle when both
    /// samples are from one distribution: normal approximation, corrected for
    /// ties and continuity.
    pub p: f64,
    /// Cliff's delta, -1 to 1: the share of pairs in which the second is larger,
    /// less the share in which it is smaller.
    pub delta: f64,
    /// The median of all differences second less first (Hodges and Lehmann).
    pub shift: f64,
}

/// Compares two samples (Mann and Whitney, *Annals of Mathematical Statistics*
/// 18, 1947). `None` when either is empty.
#[must_use]
pub fn level_shift(first: &[f64], second: &[f64]) -> Option<LevelShift> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let ranks = ranks(&all);
    #[expect(
        clippy::cast_precision_loss,
        reason = "sample counts are far below 2^52"
    )]
    let (n, m, total) = (first.len() as f64, second.len() as f64, all.len() as f64);
    let rank_sum: f64 = ranks.iter().skip(first.len()).sum();
    let u = rank_sum - m * (m + 1.0) / 2.0;
    let middle = n * m / 2.0;
    let mut sorted = ranks;
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted
        .chunk_by(|a, b| a == b)
        .map(|group| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "sample counts are far below 2^52"
            )]
            let size = group.len() as f64;
            size.powi(3) - size
        })
        .sum();
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)).max(1.0));
    let p = if variance <= 0.0 {
        1.0
    } else {
        let z = ((u - middle).abs() - 0.5).max(0.0) / variance.sqrt();
        (2.0 * normal_cdf(-z)).min(1.0)
    };
    let mut differences: Vec<f64> = first
        .iter()
        .flat_map(|a| second.iter().map(move |b| b - a))
        .collect();
    differences.sort_by(f64::total_cmp);
    Some(LevelShift {
        u,
        p,
        delta: 2.0 * u / (n * m) - 1.0,
        shift: quantile_of_sorted(&differences, 0.5)?,
    })
}

/// The interval of the shift of level, by the ranks of all differences that the
/// distribution of U leaves (Lehmann, *Nonparametrics*, 1975, section 2.7), for
/// samples in order of time that repeat each other: the variance of U is taken as
/// larger by the larger of the samples' own inflations, 1 + 2 sum (1 - k/n) rho(k)
/// over the first lags whose correlation stands out. `None` when either is empty.
#[must_use]
pub fn shift_interval(first: &[f64], second: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let mut differences: Vec<f64> = first
        .iter()
        .flat_map(|a| second.iter().map(move |b| b - a))
        .collect();
    differences.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        reason = "sample counts are far below 2^52"
    )]
    let (n, m) = (first.len() as f64, second.len() as f64);
    let variance = n * m * (n + m + 1.0) / 12.0 * repetition(first).max(repetition(second));
    let reach = normal_quantile(0.5 + confidence / 2.0) * variance.sqrt() / (n * m).max(1.0);
    Some((
        quantile_of_sorted(&differences, 0.5 - reach)?,
        quantile_of_sorted(&differences, 0.5 + reach)?,
    ))
}

/// By how much the variance of a mean of these values, in order of time, is larger
/// than for independent ones; at least 1.
fn repetition(values: &[f64]) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "sample counts are far below 2^52"
    )]
    let count = values.len() as f64;
    let threshold = 1.96 / count.max(1.0).sqrt();
    let mut sum = 0.0;
    for lag in 1..values.len() / 2 {
        let rho = autocorrelation(values, lag);
        if rho < threshold {
            break;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "sample counts are far below 2^52"
        )]
        let share = 1.0 - lag as f64 / count;
        sum += share * rho;
    }
    1.0 + 2.0 * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the documentation of `scipy.stats.mannwhitneyu` (ages at
    /// diagnosis of diabetes): U = 17, p = 0.11134688653 with the normal
    /// approximation and continuity correction.
    #[test]
    fn the_test_agrees_with_a_published_example() {
        let males = [19.0, 22.0, 16.0, 29.0, 24.0];
        let females = [20.0, 11.0, 17.0, 12.0];
        let result = level_shift(&females, &males).unwrap();
        assert!((result.u - 17.0).abs() < 1e-12);
        assert!((result.p - 0.111_346_886).abs() < 1e-6, "{}", result.p);
        assert!((result.delta - 0.7).abs() < 1e-12);
    }

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }

    #[test]
    fn the_interval_of_a_shift_holds_it_and_widens_where_values_repeat() {
        let noise = |i: u32| f64::from(i * 37 % 41) / 41.0;
        let first: Vec<f64> = (0..40).map(noise).collect();
        let second: Vec<f64> = (0..40).map(|i| 3.0 + noise(i + 11)).collect();
        let (low, high) = shift_interval(&first, &second, 0.99).unwrap();
        assert!(
            2.7 < low && low < 3.0 && 3.0 < high && high < 3.3,
            "{low} {high}"
        );
        let wave = |i: u32| (f64::from(i) / 8.0).sin();
        let first: Vec<f64> = (0..40).map(wave).collect();
        let second: Vec<f64> = (0..40).map(|i| 3.0 + wave(i + 9)).collect();
        let (low, high) = shift_interval(&first, &second, 0.99).unwrap();
        assert!(high - low > 1.5, "{low} {high}");
        assert!(shift_interval(&[], &second, 0.99).is_none());
    }

    #[test]
    fn samples_of_one_value_are_not_different() {
        let result = level_shift(&[5.0; 6], &[5.0; 9]).unwrap();
        assert!((result.p - 1.0).abs() < 1e-12);
        assert!(result.shift.abs() < 1e-12);
    }
}
