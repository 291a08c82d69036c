//! A line, and what else the level may do, in noise of one kind.

use super::ways::Way;
use crate::stats::normal::normal_cdf;

/// What the level does besides the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// Nothing.
    Line,
    /// Each series begins apart from its line and comes to it with this time.
    Start(f64),
    /// The series of this place jumps at this time.
    Jump(usize, f64),
}

impl Shape {
    fn at(self, place: usize, since: f64, at: f64) -> f64 {
        match self {
            Self::Line => 0.0,
            Self::Start(time) => (-since / time).exp(),
            Self::Jump(of, from) => f64::from(u8::from(of == place && at >= from)),
        }
    }
}

/// The variance of a start or of a jump, beside that of the noise, before anything is
/// seen.
const SIZE: f64 = 25.0;

/// The slope in noise of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) slope: f64,
    /// Its standard error.
    pub(super) error: f64,
    pub(super) freedom: f64,
    /// The logarithm of the restricted likelihood, but for a constant.
    pub(super) likelihood: f64,
}

impl Fit {
    /// The probability that the slope is below this one: Student's distribution, by
    /// the normal one (Wallace, *Annals of Mathematical Statistics* 30, 1959).
    pub(super) fn below(&self, slope: f64) -> f64 {
        let off = slope - self.slope;
        if self.error <= 0.0 {
            return if off >= 0.0 { 1.0 } else { 0.0 };
        }
        let (t, n) = (off / self.error, self.freedom);
        let z = (8.0 * n + 1.0) / (8.0 * n + 3.0) * (n * (t * t / n).ln_1p()).sqrt();
        normal_cdf(z.copysign(t))
    }
}

/// Sums of products of what is whitened, with the level of each series taken out.
#[derive(Clone, Debug, Default)]
struct Sums {
    time_time: f64,
    time_value: f64,
    value_value: f64,
    /// Those of each shape with itself, the time and the value.
    shapes: Vec<[f64; 3]>,
}

/// Of each shape the fit of a line that several series share, each with a level of its
/// own. `None` when they tell nothing of a slope.
pub(super) fn fits(series: &[&[(f64, f64)]], way: Way, shapes: &[Shape]) -> Option<Vec<Fit>> {
    let mut freedom = -1.0;
    let mut likelihood = 0.0;
    let mut sums = Sums {
        shapes: vec![[0.0; 3]; shapes.len()],
        ..Sums::default()
    };
    for (place, one) in series.iter().enumerate() {
        likelihood -= 0.5 * sums.add(place, one, way, shapes)?;
        #[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
        let count = one.len() as f64;
        freedom += count - 1.0;
    }
    let of = |shape: &[f64; 3]| sums.fit(*shape, freedom, likelihood);
    sums.shapes.iter().map(of).collect()
}

impl Sums {
    /// Adds those of one series, of which each value is taken without what the ones
    /// before foretell of it, in deviations of what they leave open. Gives the logarithm
    /// of the determinant of the covariances.
    fn add(&mut self, of: usize, one: &[(f64, f64)], way: Way, shapes: &[Shape]) -> Option<f64> {
        let (start, first) = *one.first()?;
        // What is foreseen of the level, the time, the value and the shapes.
        let mut foreseen = vec![0.0_f64; 3 + shapes.len()];
        let mut new = foreseen.clone();
        // The sum of products of each with the level.
        let mut with_level = foreseen.clone();
        let mut own = Self {
            shapes: vec![[0.0; 3]; shapes.len()],
            ..Self::default()
        };
        // How uncertain it is.
        let (mut spread, mut before, mut determinant) = (1.0_f64, start, 0.0);
        for (at, value) in one {
            let keep = (-(at - before) / way.memory).exp();
            before = *at;
            spread = (keep * keep * spread + 1.0 - keep * keep).max(1e-9);
            let whole = spread + way.forgotten;
            let (learnt, scale) = (spread / whole, whole.sqrt());
            let plain = [1.0, at - start, value - first];
            let shaped = shapes.iter().map(|shape| shape.at(of, at - start, *at));
            let seen = plain.into_iter().chain(shaped);
            for ((seen, foreseen), new) in seen.zip(&mut foreseen).zip(&mut new) {
                let guess = keep * *foreseen;
                let off = seen - guess;
                *foreseen = guess + learnt * off;
                *new = off / scale;
            }
            spread *= 1.0 - learnt;
            determinant += whole.ln();
            let [level, time, value, shapes @ ..] = &new[..] else {
                return None;
            };
            for (sum, new) in with_level.iter_mut().zip(&new) {
                *sum += level * new;
            }
            own.time_time += time * time;
            own.time_value += time * value;
            own.value_value += value * value;
            for (sums, shape) in own.shapes.iter_mut().zip(shapes) {
                for (sum, with) in sums.iter_mut().zip([shape, time, value]) {
                    *sum += shape * with;
                }
            }
        }
        let [level, time, value, shapes @ ..] = &with_level[..] else {
            return None;
        };
        self.time_time += own.time_time - time * time / level;
        self.time_value += own.time_value - time * value / level;
        self.value_value += own.value_value - value * value / level;
        for ((sums, own), shape) in self.shapes.iter_mut().zip(&own.shapes).zip(shapes) {
            for ((sum, own), with) in sums.iter_mut().zip(own).zip([shape, time, value]) {
                *sum += own - shape * with / level;
            }
        }
        Some(determinant + level.ln())
    }

    fn fit(&self, shape: [f64; 3], freedom: f64, likelihood: f64) -> Option<Fit> {
        let [shape, with_time, with_value] = shape;
        // The size of a shape is integrated out, of which only the variance is known.
        let known = SIZE / (1.0 + SIZE * shape);
        let time_time = self.time_time - known * with_time * with_time;
        let time_value = self.time_value - known * with_time * with_value;
        let value_value = self.value_value - known * with_value * with_value;
        if time_time <= 0.0 {
            return None;
        }
        let slope = time_value / time_time;
        // Sums of products are known to about a 1e-12th.
        let rest = (value_value - slope * time_value)
            .max(1e-12 * self.value_value)
            .max(1e-200);
        Some(Fit {
            slope,
            error: (rest / freedom / time_time).sqrt(),
            freedom,
            likelihood: likelihood
                - 0.5 * (SIZE * shape).ln_1p()
                - 0.5 * time_time.ln()
                - 0.5 * freedom * rest.ln(),
        })
    }
}
