//! What the slope is held to: sums by hand, and the whole matrix of covariances.

use super::*;

/// Fixed values between -0.5 and 0.5, at times that are not even.
fn values(count: u32, slope: f64) -> Vec<(f64, f64)> {
    (0..count)
        .map(|i| {
            let t = 10.0 * f64::from(i) + f64::from(i * 3 % 7);
            (t, 5.0 + slope * t + f64::from(i * 379 % 997) / 997.0 - 0.5)
        })
        .collect()
}

/// The fit of a line alone.
fn fit(series: &[&[(f64, f64)]], way: Way) -> Option<Fit> {
    fits(series, way, &[Shape::Line])?.first().copied()
}

const fn way(memory: f64, forgotten: f64) -> Way {
    Way {
        memory,
        forgotten,
        weight: 1.0,
    }
}

#[test]
fn noise_without_a_memory_gives_the_line_of_least_squares() {
    let samples = values(40, 0.01);
    let found = fit(&[&samples], way(1e-6, 0.0)).unwrap();
    let n = 40.0;
    let mean_t = samples.iter().map(|(t, _)| t).sum::<f64>() / n;
    let mean_x = samples.iter().map(|(_, x)| x).sum::<f64>() / n;
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        samples.iter().map(|(t, x)| f(t - mean_t, x - mean_x)).sum()
    };
    let slope = sum(&|t, x| t * x) / sum(&|t, _| t * t);
    let rest = sum(&|t, x| (x - slope * t).powi(2));
    let error = (rest / (n - 2.0) / sum(&|t, _| t * t)).sqrt();
    assert!((found.slope / slope - 1.0).abs() < 1e-9, "{found:?}");
    assert!((found.error / error - 1.0).abs() < 1e-9, "{found:?}");
}

/// Solves a system by elimination, and gives the logarithm of the determinant.
fn solved(mut rows: Vec<Vec<f64>>, mut right: Vec<Vec<f64>>) -> (Vec<Vec<f64>>, f64) {
    let mut determinant = 0.0;
    let less = |row: &mut Vec<f64>, times: f64, pivot: &[f64]| {
        for (value, of_pivot) in row.iter_mut().zip(pivot) {
            *value -= times * of_pivot;
        }
    };
    for at in 0..rows.len() {
        let (pivot, of_right) = (rows[at].clone(), right[at].clone());
        determinant += pivot[at].ln();
        for (place, (row, right)) in rows.iter_mut().zip(&mut right).enumerate() {
            // Its own row is divided by the pivot, the others lose it.
            let times = if place == at {
                1.0 - 1.0 / pivot[at]
            } else {
                row[at] / pivot[at]
            };
            less(row, times, &pivot);
            less(right, times, &of_right);
        }
    }
    (right, determinant)
}

/// Slope, error and restricted likelihood from the whole matrix of covariances.
fn by_matrix(samples: &[(f64, f64)], way: Way) -> (f64, f64, f64) {
    let covariances: Vec<Vec<f64>> = samples
        .iter()
        .enumerate()
        .map(|(i, (t, _))| {
            let of = |(j, (u, _)): (usize, &(f64, f64))| {
                let alone = if i == j { way.forgotten } else { 0.0 };
                (-(t - u).abs() / way.memory).exp() + alone
            };
            samples.iter().enumerate().map(of).collect()
        })
        .collect();
    let columns: Vec<Vec<f64>> = samples.iter().map(|(t, x)| vec![1.0, *t, *x]).collect();
    let (weighed, determinant) = solved(covariances, columns.clone());
    let product = |a: usize, b: usize| -> f64 {
        columns.iter().zip(&weighed).map(|(x, y)| x[a] * y[b]).sum()
    };
    let normal = vec![
        vec![product(0, 0), product(0, 1)],
        vec![product(1, 0), product(1, 1)],
    ];
    let right = vec![vec![product(0, 2), 0.0], vec![product(1, 2), 1.0]];
    let (line, of_line) = solved(normal, right);
    let rest = product(2, 2) - line[0][0] * product(0, 2) - line[1][0] * product(1, 2);
    let freedom = samples.len() as f64 - 2.0;
    let likelihood = -0.5 * (determinant + of_line + freedom * rest.ln());
    (line[1][0], (rest / freedom * line[1][1]).sqrt(), likelihood)
}

#[test]
fn a_known_memory_gives_generalised_least_squares() {
    let samples = values(30, -0.02);
    let mut differences = Vec::new();
    for (memory, forgotten) in [(25.0, 0.0), (80.0, 0.25), (400.0, 1.0), (3_000.0, 0.0)] {
        let way = way(memory, forgotten);
        let found = fit(&[&samples], way).unwrap();
        let (slope, error, likelihood) = by_matrix(&samples, way);
        assert!(
            (found.slope / slope - 1.0).abs() < 1e-6,
            "{found:?} {slope}"
        );
        assert!(
            (found.error / error - 1.0).abs() < 1e-6,
            "{found:?} {error}"
        );
        differences.push(found.likelihood - likelihood);
    }
    // The constants do not depend on the noise.
    for difference in &differences {
        assert!(
            (difference - differences[0]).abs() < 1e-5,
            "{differences:?}"
        );
    }
}

#[test]
fn series_share_a_slope_and_have_levels_of_their_own() {
    let one = values(30, 0.05);
    let other: Vec<(f64, f64)> = one.iter().map(|(t, x)| (t + 1e4, x - 7e3)).collect();
    let alone = fit(&[&one], way(30.0, 0.25)).unwrap();
    let both = fit(&[&one, &other], way(30.0, 0.25)).unwrap();
    assert!((both.slope / alone.slope - 1.0).abs() < 1e-9);
    assert!((both.error / alone.error - 0.5_f64.sqrt()).abs() < 0.02);
}

/// A walk of which every step is remembered, of a fixed sequence.
fn walk(count: u32, keep: f64) -> Vec<(f64, f64)> {
    let mut state = 12_345_u64;
    let mut level = 0.0;
    (0..count)
        .map(|i| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            level = keep * level + (state >> 40) as f64 / f64::from(1_u32 << 24) - 0.5;
            (60.0 * f64::from(i), level)
        })
        .collect()
}

#[test]
fn what_is_remembered_for_long_is_known_less_well() {
    let of = |keep: f64| likely_slope(&[walk(60, keep)], &[], 1_800.0).unwrap();
    let (short, long) = (of(0.0), of(0.95));
    assert!(
        short.memory() < 80.0 && long.memory() > 300.0,
        "{short:?} {long:?}"
    );
    let width = |slope: &LikelySlope| {
        let (low, high) = slope.interval(0.95);
        assert!(low < 0.0 && high > 0.0, "{low} {high}");
        high - low
    };
    // Far more than the deviation of the values is larger.
    assert!(width(&long) > 4.0 * width(&short));
    // Others of the same noise tell of the memory, whatever their slope.
    let other: Vec<(f64, f64)> = walk(600, 0.95)
        .iter()
        .map(|(t, x)| (*t, 3.0 * x + t))
        .collect();
    let told = likely_slope(&[walk(60, 0.9)], &[other], 1_800.0).unwrap();
    let alone = likely_slope(&[walk(60, 0.9)], &[], 1_800.0).unwrap();
    assert!(told.memory() > alone.memory(), "{told:?}");
}

#[test]
fn what_is_alike_and_yet_another_noise_is_not_believed() {
    let other = vec![walk(600, 0.95)];
    let told = likely_slope(&[walk(200, 0.0)], &other, 1_800.0).unwrap();
    assert!(told.memory() < 80.0, "{}", told.memory());
}

#[test]
fn slopes_of_what_is_alike_widen_the_interval() {
    let width = |slope: f64| {
        let alike: Vec<Vec<(f64, f64)>> = (0..6)
            .map(|place| {
                let sign = if place % 2 == 0 { 1.0 } else { -1.0 };
                let of = |(t, x): &(f64, f64)| (*t, x + sign * slope * t);
                walk(60, 0.0).iter().map(of).collect()
            })
            .collect();
        let found = likely_slope(&[walk(60, 0.0)], &alike, 1_800.0).unwrap();
        let (low, high) = found.interval(0.95);
        high - low
    };
    let (still, moved) = (width(0.0), width(1.0 / 1_000.0));
    assert!(moved > 3.0 * still, "{still} {moved}");
}

#[test]
fn a_jump_and_a_start_are_told_from_a_line() {
    let line = walk(60, 0.5);
    let with = |more: &dyn Fn(f64) -> f64| {
        let series = line.iter().map(|(t, x)| (*t, x + more(*t))).collect();
        likely_slope(&[series], &[], 3_600.0).unwrap()
    };
    let grown = with(&|t| t / 600.0);
    assert!(grown.jumps() < 0.1 && grown.starts() < 0.3, "{grown:?}");
    assert!(grown.interval(0.95).0 > 0.0);
    let jumped = with(&|t| if t < 1_200.0 { 0.0 } else { 3.0 });
    assert!(jumped.jumps() > 0.9, "{}", jumped.jumps());
    assert!(jumped.interval(0.95).0 < 1.0 / 3_600.0);
    // Growth besides a jump is no jump.
    let both = with(&|t| t / 300.0 + if t < 1_200.0 { 0.0 } else { 3.0 });
    assert!(both.jumps() < 0.05, "{}", both.jumps());
    assert!(both.interval(0.95).0 > 0.0);
    let started = with(&|t| -20.0 * (-t / 300.0).exp());
    assert!(started.starts() > 0.9, "{}", started.starts());
    assert!(started.interval(0.95).0 < 0.0);
    // Growth besides a start is still seen.
    let both = with(&|t| t / 300.0 - 20.0 * (-t / 300.0).exp());
    assert!(both.starts() > 0.9 && both.interval(0.95).0 > 0.0);
}

#[test]
fn a_line_has_its_slope_and_little_says_nothing() {
    let line: Vec<(f64, f64)> = (0..40)
        .map(|i| (f64::from(i), 3.0 * f64::from(i)))
        .collect();
    let found = likely_slope(&[line], &[], 10.0).unwrap();
    assert!((found.middle() - 3.0).abs() < 1e-6, "{found:?}");
    let (low, high) = found.interval(0.99);
    assert!(high - low < 0.01, "{low} {high}");
    assert!(likely_slope(&[values(11, 0.0)], &[], 10.0).is_none());
    assert!(likely_slope(&[vec![(1.0, 2.0); 20]], &[], 10.0).is_none());
    let flat: Vec<(f64, f64)> = (0..40).map(|i| (f64::from(i), 7.0)).collect();
    let found = likely_slope(&[flat], &[], 10.0).unwrap();
    assert!(found.middle().abs() < 1e-9 && found.interval(0.99).0 <= 0.0);
}
