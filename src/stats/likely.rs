//! A slope in noise that is remembered, by how likely each memory is.

use super::normal::normal_cdf;

/// A slope with an interval, of noise that is remembered for a time that is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LikelySlope {
    /// The middle of what the slope may be.
    pub slope: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How long the noise is remembered: the middle of what that may be.
    pub memory: f64,
}

/// So many memories are tried, from half the distance of two values to the longest.
const MEMORIES: usize = 12;
/// What of each value is not remembered at all: the variance of that beside the
/// variance of what is.
const FORGOTTEN: [f64; 3] = [0.0, 0.25, 1.0];
/// The longest memory has this weight more, where the window is as long as it is; less in
/// a longer one. A memory weighs by its root less, about as the reference prior has it
/// (Berger, De Oliveira and Sansó, *JASA* 96, 2001). By simulation (`tests/it/rollout`):
/// with less there are more false alarms where the noise is remembered for long.
const LONGEST: f64 = 0.05;
/// Fewer values than this tell nothing of a memory.
const LEAST: usize = 12;
/// By so much the logarithm of its likelihood must be larger before a jump counts as
/// likelier: it may choose among dozens of places, and some suits noise that lasts.
const PLACES: f64 = 5.0;
/// Student's distribution beyond so many errors has nothing.
const FAR: f64 = 60.0;

/// One way in which the noise may be.
#[derive(Clone, Copy, Debug)]
struct Way {
    memory: f64,
    forgotten: f64,
    /// How much weight it has before anything is seen.
    weight: f64,
}

/// The slope that several series of (time, value) share, each with a level of its own,
/// in noise that forgets itself exponentially with a time of at most `longest`, besides
/// noise that each value has alone. For each such noise the slope is that of
/// generalised least squares (Aitken, *Proceedings of the Royal Society of Edinburgh*
/// 55, 1935), whitened value by value (Kalman, *Journal of Basic Engineering* 82, 1960),
/// and the noise is as likely as its restricted likelihood says (Patterson and Thompson,
/// *Biometrika* 58, 1971), which is what remains when level, slope and scale may be
/// anything (Harville, *Biometrika* 61, 1974). Series `beside` have the same memory, and
/// else all of their own: they tell of the memory. The interval is that of the mixture.
/// Series of fewer than four values are left out; `None` for fewer than twelve in all.
#[must_use]
pub fn likely_slope(
    series: &[Vec<(f64, f64)>],
    beside: &[Vec<(f64, f64)>],
    longest: f64,
    confidence: f64,
) -> Option<LikelySlope> {
    let series: Vec<&[(f64, f64)]> = series
        .iter()
        .map(Vec::as_slice)
        .filter(|one| one.len() >= 4)
        .collect();
    let count: usize = series.iter().map(|one| one.len()).sum();
    if count < LEAST || longest <= 0.0 {
        return None;
    }
    let fits: Vec<(Way, Fit)> = ways(&series, longest)?
        .into_iter()
        .filter_map(|way| {
            let mut found = fit(&series, way)?;
            for one in beside.iter().filter(|one| one.len() >= LEAST) {
                found.likelihood += fit(&[one], way)?.likelihood;
            }
            Some((way, found))
        })
        .collect();
    let best = fits
        .iter()
        .map(|(_, fit)| fit.likelihood)
        .fold(f64::MIN, f64::max);
    let parts: Vec<(Way, Fit, f64)> = fits
        .into_iter()
        .map(|(way, fit)| {
            let weight = way.weight * (fit.likelihood - best).exp();
            (way, fit, weight)
        })
        .collect();
    let total: f64 = parts.iter().map(|(_, _, weight)| weight).sum();
    let mut sum = 0.0;
    let (memory, ..) = parts.iter().find(|(_, _, weight)| {
        sum += weight;
        sum >= 0.5 * total
    })?;
    Some(LikelySlope {
        slope: quantile(&parts, 0.5),
        low: quantile(&parts, 0.5 - confidence / 2.0),
        high: quantile(&parts, 0.5 + confidence / 2.0),
        memory: memory.memory,
    })
}

/// The slope below which the mixture has this share.
fn quantile(parts: &[(Way, Fit, f64)], share: f64) -> f64 {
    let total: f64 = parts.iter().map(|(_, _, weight)| weight).sum();
    let below = |slope: f64| -> f64 {
        let of = |(_, fit, weight): &(Way, Fit, f64)| weight * fit.below(slope);
        parts.iter().map(of).sum::<f64>() / total
    };
    let ends = |sign: f64| {
        let end = move |(_, fit, _): &(Way, Fit, f64)| fit.slope + sign * FAR * fit.error;
        parts.iter().map(end)
    };
    let mut low = ends(-1.0).fold(f64::INFINITY, f64::min);
    let mut high = ends(1.0).fold(f64::NEG_INFINITY, f64::max);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

fn ways(series: &[&[(f64, f64)]], longest: f64) -> Option<Vec<Way>> {
    let mut gaps: Vec<f64> = series
        .iter()
        .flat_map(|one| one.windows(2))
        .filter_map(|pair| Some(pair.get(1)?.0 - pair.first()?.0))
        .collect();
    gaps.sort_by(f64::total_cmp);
    let gap = gaps.get(gaps.len() / 2).filter(|gap| **gap > 0.0)?;
    let first = (0.5 * gap).min(longest / 8.0);
    let window = series
        .iter()
        .filter_map(|one| Some(one.last()?.0 - one.first()?.0))
        .fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "a dozen")]
    let ratio = (longest / first).powf(1.0 / (MEMORIES - 1) as f64);
    let memories: Vec<f64> = (0..MEMORIES)
        .map(|place| {
            #[expect(clippy::cast_precision_loss, reason = "a dozen")]
            let place = place as f64;
            first * ratio.powf(place)
        })
        .collect();
    let plain: f64 = memories.iter().map(|memory| memory.powf(-0.5)).sum();
    let extra = (LONGEST * longest / window.max(f64::MIN_POSITIVE)).min(0.5);
    Some(
        memories
            .iter()
            .enumerate()
            .flat_map(|(place, memory)| {
                let mut weight = (1.0 - extra) * memory.powf(-0.5) / plain;
                if place + 1 == MEMORIES {
                    weight += extra;
                }
                FORGOTTEN.map(|forgotten| Way {
                    memory: *memory,
                    forgotten,
                    weight,
                })
            })
            .collect(),
    )
}

/// The slope in noise of one kind.
#[derive(Clone, Copy, Debug)]
struct Fit {
    slope: f64,
    /// Its standard error.
    error: f64,
    freedom: f64,
    /// The logarithm of the restricted likelihood, but for a constant.
    likelihood: f64,
}

impl Fit {
    /// The probability that the slope is below this one: Student's distribution, by
    /// the normal one (Wallace, *Annals of Mathematical Statistics* 30, 1959).
    fn below(&self, slope: f64) -> f64 {
        let off = slope - self.slope;
        if self.error <= 0.0 {
            return if off >= 0.0 { 1.0 } else { 0.0 };
        }
        let (t, n) = (off / self.error, self.freedom);
        let z = (8.0 * n + 1.0) / (8.0 * n + 3.0) * (n * (t * t / n).ln_1p()).sqrt();
        normal_cdf(z.copysign(t))
    }
}

/// Sums of products of what is whitened.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    ones: f64,
    time: f64,
    value: f64,
    time_time: f64,
    time_value: f64,
    value_value: f64,
    /// The logarithm of the determinant of the covariances.
    determinant: f64,
}

/// Those of one series, of which each value is taken without what the ones before
/// foretell of it, in deviations of what they leave open.
fn whitened(one: &[(f64, f64)], way: Way, column: &dyn Fn(f64) -> f64) -> Sums {
    let mut sums = Sums::default();
    let (start, level) = one.first().copied().unwrap_or_default();
    // What is foreseen of the level, the time and the value, and how uncertain it is.
    let (mut foreseen, mut spread) = ([0.0_f64; 3], 1.0);
    let mut before = start;
    for (at, value) in one {
        let keep = (-(at - before) / way.memory).exp();
        before = *at;
        spread = (keep * keep * spread + 1.0 - keep * keep).max(1e-9);
        let all = spread + way.forgotten;
        let learnt = spread / all;
        let seen = [1.0, column(*at), value - level];
        let [one, time, value] = std::array::from_fn(|column| {
            let guess = keep * foreseen.get(column).copied().unwrap_or(0.0);
            let new = seen.get(column).copied().unwrap_or(0.0) - guess;
            if let Some(foreseen) = foreseen.get_mut(column) {
                *foreseen = guess + learnt * new;
            }
            new / all.sqrt()
        });
        spread *= 1.0 - learnt;
        sums.ones += one * one;
        sums.time += one * time;
        sums.value += one * value;
        sums.time_time += time * time;
        sums.time_value += time * value;
        sums.value_value += value * value;
        sums.determinant += all.ln();
    }
    sums
}

fn fit(series: &[&[(f64, f64)]], way: Way) -> Option<Fit> {
    let mut freedom = -1.0;
    let mut likelihood = 0.0;
    let (mut time_time, mut time_value, mut value_value) = (0.0, 0.0, 0.0);
    for one in series {
        let start = one.first()?.0;
        let sums = whitened(one, way, &|at| at - start);
        time_time += sums.time_time - sums.time * sums.time / sums.ones;
        time_value += sums.time_value - sums.time * sums.value / sums.ones;
        value_value += sums.value_value - sums.value * sums.value / sums.ones;
        likelihood -= 0.5 * (sums.determinant + sums.ones.ln());
        #[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
        let count = one.len() as f64;
        freedom += count - 1.0;
    }
    if time_time <= 0.0 {
        return None;
    }
    let slope = time_value / time_time;
    // Sums of products are known to about a 1e-12th.
    let rest = (value_value - slope * time_value)
        .max(1e-12 * value_value)
        .max(1e-200);
    Some(Fit {
        slope,
        error: (rest / freedom / time_time).sqrt(),
        freedom,
        likelihood: likelihood - 0.5 * time_time.ln() - 0.5 * freedom * rest.ln(),
    })
}

/// Whether a single jump of one of the series, with levels before and after it, is more
/// likely than a line, each in the noise that suits it best.
#[must_use]
pub fn jump_is_likelier(series: &[Vec<(f64, f64)>], longest: f64) -> bool {
    let longest_one = series.iter().max_by_key(|one| one.len());
    let Some(one) = longest_one.filter(|one| one.len() >= LEAST) else {
        return false;
    };
    let Some(ways) = ways(&[one], longest) else {
        return false;
    };
    let best = |column: &dyn Fn(f64) -> f64| {
        let of = |way: &Way| {
            let sums = whitened(one, *way, column);
            let time_time = sums.time_time - sums.time * sums.time / sums.ones;
            let time_value = sums.time_value - sums.time * sums.value / sums.ones;
            let value_value = sums.value_value - sums.value * sums.value / sums.ones;
            let rest = value_value - time_value * time_value / time_time.max(f64::MIN_POSITIVE);
            let rest = rest.max(1e-12 * value_value).max(1e-200);
            #[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
            let count = one.len() as f64;
            -0.5 * (sums.determinant + count * rest.ln())
        };
        ways.iter().map(of).fold(f64::NEG_INFINITY, f64::max)
    };
    let start = one.first().map_or(0.0, |first| first.0);
    let of_line = best(&|at| at - start);
    let places = one.iter().skip(2).take(one.len().saturating_sub(4));
    let jump = |(from, _): &(f64, f64)| best(&|at| if at < *from { 0.0 } else { 1.0 });
    places.map(jump).any(|of_jump| of_jump > of_line + PLACES)
}

#[cfg(test)]
mod tests {
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
        let of = |keep: f64| likely_slope(&[walk(60, keep)], &[], 1_800.0, 0.95).unwrap();
        let (short, long) = (of(0.0), of(0.95));
        assert!(
            short.memory < 80.0 && long.memory > 300.0,
            "{short:?} {long:?}"
        );
        assert!(short.low < 0.0 && short.high > 0.0, "{short:?}");
        assert!(long.low < 0.0 && long.high > 0.0, "{long:?}");
        // Far more than the deviation of the values is larger.
        assert!(long.high - long.low > 4.0 * (short.high - short.low));
        // Others of the same noise tell of the memory, whatever their slope.
        let other: Vec<(f64, f64)> = walk(600, 0.95)
            .iter()
            .map(|(t, x)| (*t, 3.0 * x + t))
            .collect();
        let told = likely_slope(&[walk(60, 0.0)], &[other], 1_800.0, 0.95).unwrap();
        assert!(told.memory > 300.0, "{told:?}");
    }

    #[test]
    fn a_jump_is_told_from_a_line() {
        let line = walk(60, 0.5);
        let with = |more: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
            line.iter().map(|(t, x)| (*t, x + more(*t))).collect()
        };
        let grown = with(&|t| t / 600.0);
        let jumped = with(&|t| if t < 1_200.0 { 0.0 } else { 3.0 });
        assert!(!jump_is_likelier(&[grown], 3_600.0));
        assert!(jump_is_likelier(&[jumped], 3_600.0));
        assert!(!jump_is_likelier(&[], 3_600.0));
    }

    #[test]
    fn a_line_has_its_slope_and_little_says_nothing() {
        let line: Vec<(f64, f64)> = (0..40)
            .map(|i| (f64::from(i), 3.0 * f64::from(i)))
            .collect();
        let found = likely_slope(&[line], &[], 10.0, 0.99).unwrap();
        assert!((found.slope - 3.0).abs() < 1e-6, "{found:?}");
        assert!(found.high - found.low < 0.01, "{found:?}");
        assert!(likely_slope(&[values(11, 0.0)], &[], 10.0, 0.99).is_none());
        assert!(likely_slope(&[vec![(1.0, 2.0); 20]], &[], 10.0, 0.99).is_none());
        let flat: Vec<(f64, f64)> = (0..40).map(|i| (f64::from(i), 7.0)).collect();
        let found = likely_slope(&[flat], &[], 10.0, 0.99).unwrap();
        assert!(found.slope.abs() < 1e-9 && found.low <= 0.0, "{found:?}");
    }
}
