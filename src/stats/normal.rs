//! The standard normal distribution.

/// The probability that a standard normal value is at most `x`.
///
/// From the complementary error function, by the Chebyshev fit of Press et al.,
/// *Numerical Recipes*, section 6.2; relative error below 1.2e-7 everywhere.
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * complementary_error(-x / std::f64::consts::SQRT_2)
}

fn complementary_error(x: f64) -> f64 {
    const FIT: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x.abs());
    let polynomial = FIT.iter().rev().fold(0.0, |sum, factor| sum * t + factor);
    let tail = t * (-x * x + polynomial).exp();
    if x >= 0.0 { tail } else { 2.0 - tail }
}

/// The value below which a standard normal value falls with this probability.
///
/// By bisection on [`normal_cdf`] between -9 and 9, which is exact to the
/// accuracy of that function; probabilities of 0 and 1 give the ends.
#[must_use]
pub fn normal_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The value below which a value of Student's distribution with so many degrees of
/// freedom (2 at least) falls with this probability.
///
/// By the expansion of Abramowitz and Stegun, 26.7.5: within 4 % from 3 degrees on.
#[must_use]
pub fn student_quantile(probability: f64, freedom: f64) -> f64 {
    let z = normal_quantile(probability);
    let n = freedom.max(2.0);
    let (z3, z5, z7, z9) = (z.powi(3), z.powi(5), z.powi(7), z.powi(9));
    z + (z3 + z) / (4.0 * n)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * n.powi(2))
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * n.powi(3))
        + (79.0 * z9 + 776.0 * z7 + 1482.0 * z5 - 1920.0 * z3 - 945.0 * z) / (92_160.0 * n.powi(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the standard normal table (Abramowitz and Stegun, table 26.1).
    #[test]
    fn the_distribution_has_the_values_of_the_tables() {
        for (x, p) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746),
            (1.96, 0.975_002_105),
            (-2.5, 0.006_209_665),
            (4.0, 0.999_968_329),
        ] {
            assert!((normal_cdf(x) - p).abs() < 2e-7, "{x}");
        }
    }

    #[test]
    fn quantiles_are_those_that_everybody_knows() {
        for (p, x) in [
            (0.5, 0.0),
            (0.975, 1.959_964),
            (0.95, 1.644_854),
            (0.005, -2.575_829),
        ] {
            assert!(
                (normal_quantile(p) - x).abs() < 5e-6,
                "{p}: {}",
                normal_quantile(p)
            );
        }
    }

    /// Values of the table of Student's distribution.
    #[test]
    fn few_degrees_of_freedom_widen() {
        for (p, n, t) in [
            (0.995, 3.0, 5.841),
            (0.995, 10.0, 3.169),
            (0.975, 30.0, 2.042),
            (0.025, 5.0, -2.571),
        ] {
            let found = student_quantile(p, n);
            assert!((found / t - 1.0).abs() < 0.04, "{p} {n}: {found}");
        }
        assert!((student_quantile(0.975, 1e9) - 1.959_964).abs() < 1e-5);
    }
}
