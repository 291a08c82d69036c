//! Slopes and whether they are more than noise.

use super::correlation::{autocorrelation, variance_inflation};
use super::normal::{normal_cdf, normal_quantile, student_quantile};
use super::order::{median, quantile_of_sorted};

/// A trend over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// The median slope of all pairs of samples (Theil 1950; Sen, *JASA* 63, 1968),
    /// in units of the value per unit of time.
    pub slope: f64,
    /// The lower end of its confidence interval.
    pub low: f64,
    /// The upper end of its confidence interval.
    pub high: f64,
    /// Two-sided probability of so strong an order of the values without a trend
    /// (Mann 1945, Kendall 1975), for samples as correlated as these.
    pub p: f64,
    /// By how much the correlation of neighbouring samples inflates the variance.
    pub inflation: f64,
}

/// More samples than this are thinned out evenly before all pairs are formed.
const MOST_SAMPLES: usize = 1_000;

fn thinned(samples: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let step = samples.len().div_ceil(MOST_SAMPLES).max(1);
    let mut thinned: Vec<(f64, f64)> = samples
        .chunks(step)
        .filter_map(|chunk| {
            let (times, values): (Vec<f64>, Vec<f64>) = chunk.iter().copied().unzip();
            Some((median(&times)?, median(&values)?))
        })
        .collect();
    thinned.sort_by(|a, b| a.0.total_cmp(&b.0));
    thinned
}

fn pair_slopes(samples: &[(f64, f64)]) -> Vec<f64> {
    let mut slopes = Vec::with_capacity(samples.len() * samples.len() / 2);
    for (place, (t, x)) in samples.iter().enumerate() {
        for (later, y) in samples.iter().skip(place + 1) {
            if later > t {
                slopes.push((y - x) / (later - t));
            }
        }
    }
    slopes.sort_by(f64::total_cmp);
    slopes
}

/// The median slope of all pairs of samples, given as (time, value); `None` for
/// fewer than two times.
#[must_use]
pub fn slope(samples: &[(f64, f64)]) -> Option<f64> {
    quantile_of_sorted(&pair_slopes(&thinned(samples)), 0.5)
}

/// The trend of samples, given as (time, value), with an interval of this
/// confidence (such as 0.95) that respects the correlation of neighbours
/// (Hamed and Rao 1998). `None` for fewer than four samples.
#[must_use]
pub fn trend(samples: &[(f64, f64)], confidence: f64) -> Option<Trend> {
    let samples = thinned(samples);
    if samples.len() < 4 {
        return None;
    }
    let slopes = pair_slopes(&samples);
    let slope = quantile_of_sorted(&slopes, 0.5)?;
    let detrended: Vec<f64> = samples.iter().map(|(t, x)| x - slope * t).collect();
    let inflation = variance_inflation(&detrended);
    let variance = inflation * kendall_variance(&samples);
    let s = kendall_s(&samples);
    let p = if variance <= 0.0 {
        1.0
    } else {
        (2.0 * normal_cdf(-((s.abs() - 1.0).max(0.0) / variance.sqrt()))).min(1.0)
    };
    // Sen's interval: the slopes whose ranks lie z standard deviations of S
    // around the middle.
    #[expect(clippy::cast_precision_loss, reason = "pair counts are far below 2^52")]
    let pairs = slopes.len() as f64;
    let reach = normal_quantile(0.5 + confidence / 2.0) * variance.sqrt() / pairs.max(1.0);
    Some(Trend {
        slope,
        low: quantile_of_sorted(&slopes, 0.5 - reach / 2.0)?,
        high: quantile_of_sorted(&slopes, 0.5 + reach / 2.0)?,
        p,
        inflation,
    })
}

/// The trend that several series share, each with a level of its own: the median of
/// the slopes of all pairs within a series, and the sum of their Mann-Kendall
/// statistics (the regional test of Helsel and Frans, *Environmental Science &
/// Technology* 40, 2006). Series that rise and fall together count as one to that
/// extent: their covariance is added (Hirsch and Slack, *Water Resources Research*
/// 20, 1984). The interval is Sen's for independent values, widened by the inflation of
/// the variance, and by Student's distribution for as many values as are independent.
/// Series of fewer than four samples are left out; `None` when no other is there.
#[must_use]
pub fn shared_trend(series: &[Vec<(f64, f64)>], confidence: f64) -> Option<Trend> {
    let series: Vec<Vec<(f64, f64)>> = series
        .iter()
        .map(|samples| thinned(samples))
        .filter(|samples| samples.len() >= 4)
        .collect();
    let mut slopes: Vec<f64> = series.iter().flat_map(|one| pair_slopes(one)).collect();
    slopes.sort_by(f64::total_cmp);
    let slope = quantile_of_sorted(&slopes, 0.5)?;
    let rests: Vec<Vec<(f64, f64)>> = series
        .iter()
        .map(|one| one.iter().map(|(t, x)| (*t, x - slope * t)).collect())
        .collect();
    let mut independent = 0.0;
    let variances: Vec<f64> = series
        .iter()
        .zip(&rests)
        .map(|(one, rest)| {
            let plain = kendall_variance(one);
            independent += plain;
            let rest: Vec<f64> = rest.iter().map(|(_, value)| *value).collect();
            plain * variance_inflation(&rest).max(lasting(&rest))
        })
        .collect();
    let mut variance: f64 = variances.iter().sum();
    for (place, (rest, of)) in rests.iter().zip(&variances).enumerate() {
        for (other, of_other) in rests.iter().zip(&variances).skip(place + 1) {
            variance += 2.0 * together(rest, other) * (of * of_other).sqrt();
        }
    }
    let s: f64 = series.iter().map(|one| kendall_s(one)).sum();
    let p = if variance <= 0.0 {
        1.0
    } else {
        (2.0 * normal_cdf(-((s.abs() - 1.0).max(0.0) / variance.sqrt()))).min(1.0)
    };
    #[expect(clippy::cast_precision_loss, reason = "pair counts are far below 2^52")]
    let pairs = slopes.len() as f64;
    // As many values as are independent, less the two of a line.
    let inflation = variance / independent.max(f64::MIN_POSITIVE);
    #[expect(clippy::cast_precision_loss, reason = "a thousand samples at most")]
    let count = series.iter().map(Vec::len).sum::<usize>() as f64;
    let freedom = (count / inflation.max(1.0) - 2.0).max(LEAST_FREEDOM);
    let normal = normal_quantile(0.5 + confidence / 2.0);
    let reach = normal * independent.sqrt() / pairs.max(1.0);
    // Sen's interval is that of independent values. It is widened by the factor by
    // which the deviation of S is larger; taken to the far ends of the slopes, which
    // are those of neighbours, it would say nothing.
    let wider = inflation.max(1.0).sqrt() * student_quantile(0.5 + confidence / 2.0, freedom)
        / normal.max(f64::MIN_POSITIVE);
    let low = quantile_of_sorted(&slopes, 0.5 - reach / 2.0)?;
    let high = quantile_of_sorted(&slopes, 0.5 + reach / 2.0)?;
    Some(Trend {
        slope,
        low: slope - wider * (slope - low),
        high: slope + wider * (high - slope),
        p,
        inflation,
    })
}

/// The degrees of freedom of an interval are no fewer: how values repeat each other is
/// known no better from fewer.
const LEAST_FREEDOM: f64 = 4.0;

/// By how much the variance of a slope is larger for values of which each repeats a
/// share of the one before, (1 + r) / (1 - r), with that share as the first
/// autocorrelation of what is left around the line tells it, less its bias of about
/// -(2 + 4 r) / n (Kendall, *Biometrika* 41, 1954, for a series without its trend).
/// Few values hide how long they repeat each other; this does not.
fn lasting(rest: &[f64]) -> f64 {
    let seen = autocorrelation(rest, 1);
    if seen <= 0.0 {
        return 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a thousand samples at most")]
    let count = rest.len() as f64;
    let share = (seen + (2.0 + 4.0 * seen) / count).min(0.98);
    (1.0 + share) / (1.0 - share)
}

/// How much two series rise and fall together, 0 to 1: the correlation over the
/// times that both have, give or take half a step; 0 when it is negative or they
/// share fewer than six times.
fn together(first: &[(f64, f64)], second: &[(f64, f64)]) -> f64 {
    let step = |series: &[(f64, f64)]| match (series.first(), series.last()) {
        #[expect(clippy::cast_precision_loss, reason = "a thousand samples at most")]
        (Some(a), Some(b)) => (b.0 - a.0) / (series.len() - 1).max(1) as f64,
        _ => 0.0,
    };
    let near = 0.51 * step(first).max(step(second));
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for (t, x) in first {
        let place = second.partition_point(|(at, _)| *at < t - near);
        if let Some((_, y)) = second.get(place).filter(|(at, _)| (at - t).abs() <= near) {
            xs.push(*x);
            ys.push(*y);
        }
    }
    if xs.len() < 6 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a thousand samples at most")]
    let count = xs.len() as f64;
    let (mean_x, mean_y) = (
        xs.iter().sum::<f64>() / count,
        ys.iter().sum::<f64>() / count,
    );
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        xs.iter()
            .zip(&ys)
            .map(|(x, y)| f(x - mean_x, y - mean_y))
            .sum()
    };
    let spread = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    if spread <= 0.0 {
        return 0.0;
    }
    (sum(&|x, y| x * y) / spread).clamp(0.0, 1.0)
}

/// How many pairs rise, less how many fall.
fn kendall_s(samples: &[(f64, f64)]) -> f64 {
    let mut s = 0.0;
    for (place, (_, x)) in samples.iter().enumerate() {
        for (_, y) in samples.iter().skip(place + 1) {
            if y > x {
                s += 1.0;
            } else if y < x {
                s -= 1.0;
            }
        }
    }
    s
}

/// The variance of S for independent samples, corrected for equal values.
fn kendall_variance(samples: &[(f64, f64)]) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(|(_, value)| *value).collect();
    values.sort_by(f64::total_cmp);
    let term = |count: usize| {
        #[expect(
            clippy::cast_precision_loss,
            reason = "sample counts are far below 2^52"
        )]
        let n = count as f64;
        n * (n - 1.0) * (2.0 * n + 5.0)
    };
    let ties: f64 = values
        .chunk_by(|a, b| a == b)
        .map(|group| term(group.len()))
        .sum();
    (term(values.len()) - ties) / 18.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Vec<(f64, f64)> {
        values
            .iter()
            .enumerate()
            .map(|(i, value)| (f64::from(u32::try_from(i).unwrap()), *value))
            .collect()
    }

    #[test]
    fn a_line_has_its_slope_and_no_doubt() {
        let samples: Vec<(f64, f64)> = (0..50)
            .map(|i| (f64::from(i) * 0.5, 7.0 + 3.0 * f64::from(i)))
            .collect();
        let trend = trend(&samples, 0.95).unwrap();
        assert!((trend.slope - 6.0).abs() < 1e-9);
        assert!((trend.low - 6.0).abs() < 1e-9 && (trend.high - 6.0).abs() < 1e-9);
        assert!(trend.p < 1e-9);
    }

    #[test]
    fn a_tenth_of_wild_values_does_not_move_the_slope() {
        let mut samples: Vec<(f64, f64)> = (0..100)
            .map(|i| (f64::from(i), 2.0 * f64::from(i)))
            .collect();
        for sample in samples.iter_mut().step_by(10) {
            sample.1 += 1e6;
        }
        assert!((slope(&samples).unwrap() - 2.0).abs() < 0.3);
    }

    /// Three values: two pairs rise, one falls. Ten rising values: 45 pairs, and
    /// Var = 10 * 9 * 25 / 18 = 125 (Kendall 1975).
    #[test]
    fn the_statistic_of_kendall_is_counted_right() {
        let samples = series(&[1.0, 3.0, 2.0]);
        assert!((kendall_s(&samples) - 1.0).abs() < 1e-12);
        let ten = series(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        assert!((kendall_s(&ten) - 45.0).abs() < 1e-12);
        assert!((kendall_variance(&ten) - 125.0).abs() < 1e-12);
        // Ties: one pair of equal values takes 2 * 1 * 9 / 18 = 1 away.
        let tied = series(&[1.0, 1.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        assert!((kendall_variance(&tied) - 124.0).abs() < 1e-12);
    }

    #[test]
    fn noise_without_trend_stays_within_its_interval() {
        // A fixed sequence of a linear congruential generator, so that the test
        // is the same everywhere.
        let mut state = 12_345_u64;
        let mut inside = 0;
        for _ in 0..200 {
            let samples: Vec<(f64, f64)> = (0..60)
                .map(|i| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    (f64::from(i), f64::from(u32::try_from(state >> 40).unwrap()))
                })
                .collect();
            let trend = trend(&samples, 0.95).unwrap();
            inside += u32::from(trend.low <= 0.0 && trend.high >= 0.0);
        }
        assert!(
            (180..=200).contains(&inside),
            "{inside} of 200 intervals hold the truth"
        );
    }

    #[test]
    fn series_with_levels_of_their_own_share_one_slope() {
        let line = |level: f64, from: u32| -> Vec<(f64, f64)> {
            (from..from + 30)
                .map(|i| {
                    (
                        f64::from(i),
                        level + 2.0 * f64::from(i) + f64::from(i * 7 % 5),
                    )
                })
                .collect()
        };
        let both = [line(0.0, 0), line(-5e6, 40)];
        let shared = shared_trend(&both, 0.99).unwrap();
        assert!(
            (shared.slope - 2.0).abs() < 0.1 && shared.low > 1.8,
            "{shared:?}"
        );
        // Two that are apart tell more than one of them.
        let one = shared_trend(&both[..1], 0.99).unwrap();
        assert!(shared.high - shared.low < one.high - one.low);
        // The same series twice tells no more than once.
        let twice = [line(0.0, 0), line(9.0, 0)];
        let twice = shared_trend(&twice, 0.99).unwrap();
        assert!(
            twice.high - twice.low > 0.75 * (one.high - one.low),
            "{twice:?} {one:?}"
        );
        assert!(shared_trend(&[], 0.99).is_none());
        assert!(shared_trend(&[series(&[1.0, 2.0, 3.0])], 0.99).is_none());
    }

    #[test]
    fn too_few_samples_have_no_trend() {
        assert!(trend(&series(&[1.0, 2.0, 3.0]), 0.95).is_none());
        assert!(slope(&series(&[1.0])).is_none());
    }
}
