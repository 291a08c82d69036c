//! How much neighbouring samples repeat each other.

/// The correlation of a series with itself, `lag` samples later (Box and Jenkins,
/// *Time Series Analysis*, section 2.1.5). 0 for a constant or too short series.
#[must_use]
pub fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "sample counts are far below 2^52"
    )]
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let variance: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if variance <= f64::EPSILON * mean.abs().max(1.0) || lag >= values.len() {
        return 0.0;
    }
    let shifted = values.iter().skip(lag);
    values
        .iter()
        .zip(shifted)
        .map(|(a, b)| (a - mean) * (b - mean))
        .sum::<f64>()
        / variance
}

/// By how much the variance of the Mann-Kendall statistic is larger than for
/// independent samples: Hamed and Rao, *Journal of Hydrology* 204, 1998,
/// equation 20, over the significant autocorrelations of the ranks of the
/// detrended series. At least 1: a series that alternates is not trusted more
/// than an independent one.
#[must_use]
pub fn variance_inflation(detrended: &[f64]) -> f64 {
    let n = detrended.len();
    if n < 4 {
        return 1.0;
    }
    let ranks = super::rank::ranks(detrended);
    #[expect(
        clippy::cast_precision_loss,
        reason = "sample counts are far below 2^52"
    )]
    let count = n as f64;
    // Two standard errors of a white series; smaller ones are noise.
    let threshold = 1.96 / count.sqrt();
    let mut sum = 0.0;
    for lag in 1..n.saturating_sub(2).min(n / 2) {
        let rho = autocorrelation(&ranks, lag);
        if rho.abs() < threshold {
            // Beyond the first lag that means nothing the rest is noise, too.
            break;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "sample counts are far below 2^52"
        )]
        let left = count - lag as f64;
        sum += left * (left - 1.0) * (left - 2.0) * rho;
    }
    (1.0 + 2.0 / (count * (count - 1.0) * (count - 2.0)) * sum).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alternating_series_repeats_itself_with_the_other_sign() {
        let values: Vec<f64> = (0..100)
            .map(|i| if i % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        assert!((autocorrelation(&values, 1) + 0.99).abs() < 1e-9);
        assert!((autocorrelation(&values, 2) - 0.98).abs() < 1e-9);
        assert!((variance_inflation(&values) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_slow_wave_inflates_the_variance() {
        let values: Vec<f64> = (0..200).map(|i| (f64::from(i) / 20.0).sin()).collect();
        assert!(variance_inflation(&values) > 5.0);
    }

    #[test]
    fn a_constant_series_has_no_correlation() {
        assert!(autocorrelation(&[3.0; 10], 1).abs() < 1e-12);
    }
}
