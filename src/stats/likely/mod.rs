//! A slope in noise that is remembered, by how likely each memory is.

mod fit;
mod ways;

use fit::{Fit, Shape, fits};
use ways::{Way, ways};

/// Fewer values than this tell nothing of a memory.
const LEAST: usize = 12;
/// Student's distribution beyond so many errors has nothing.
const FAR: f64 = 60.0;
/// How likely it is, before anything is seen, that a series begins apart from its line
/// and comes to it; and that it jumps once.
const STARTS: f64 = 0.1;
const JUMPS: f64 = 0.05;
/// The times in which a start comes to the line, as shares of the window.
const START_TIMES: [f64; 5] = [1.0 / 64.0, 1.0 / 32.0, 1.0 / 16.0, 1.0 / 8.0, 1.0 / 4.0];
/// A jump is looked for at no more places than these.
const PLACES: usize = 64;
/// How likely it is, before anything is seen, that what is alike has noise of another
/// memory after all.
const OTHER: f64 = 0.1;
/// So many slopes of what is alike, as large as their errors, are taken for seen: with
/// fewer than these the errors are hardly widened.
const SLOPES: f64 = 4.0;

/// What is less likely than the likeliest by this factor is left out, to save time: of
/// some two thousand ways and shapes together it is less than a 1e-3rd.
const NEXT_TO_NOTHING: f64 = 1e-7;

/// A slope of noise that is remembered for a time that is not known.
#[derive(Clone, Debug)]
pub struct LikelySlope {
    parts: Vec<Part>,
    total: f64,
    /// The slope of a line alone, in the noise that suits it best.
    line: f64,
}

/// The slope in one kind of noise, with one shape, and how likely they are.
#[derive(Clone, Copy, Debug)]
struct Part {
    way: Way,
    shape: Shape,
    fit: Fit,
    weight: f64,
}

/// The slope that several series of (time, value) share, each with a level of its own,
/// in noise that forgets itself exponentially with a time of at most `longest`, besides
/// noise that each value has alone. For each such noise the slope is that of
/// generalised least squares (Aitken, *Proceedings of the Royal Society of Edinburgh*
/// 55, 1935), whitened value by value (Kalman, *Journal of Basic Engineering* 82, 1960),
/// and the noise is as likely as its restricted likelihood says (Patterson and Thompson,
/// *Biometrika* 58, 1971), which is what remains when level, slope and scale may be
/// anything (Harville, *Biometrika* 61, 1974). In the same way it is weighed that a series
/// starts apart from its line, or jumps: where that explains it as well, nothing is known
/// of a slope.
///
/// Series that are `alike` have noise of the same memory, most likely, and no slope: they
/// tell of the memory, and where their slopes differ by more than their errors, all
/// errors are larger by as much (Birge, *Physical Review* 40, 1932).
///
/// Series of fewer than four values are left out; `None` for fewer than twelve in all.
#[must_use]
pub fn likely_slope(
    series: &[Vec<(f64, f64)>],
    alike: &[Vec<(f64, f64)>],
    longest: f64,
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
    let (shapes, chances): (Vec<Shape>, Vec<f64>) = shapes(&series).into_iter().unzip();
    let mut found = Vec::new();
    for way in ways(&series, longest)? {
        if let (Some(fits), Some(told)) = (fits(&series, way, &shapes), told(alike, way)) {
            found.push((way, fits, told));
        }
    }
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::MIN, f64::max);
    let best_told = largest(&mut found.iter().map(|(.., told)| told.likelihood));
    let best = largest(
        &mut found
            .iter()
            .flat_map(|(_, fits, _)| fits)
            .map(|fit| fit.likelihood),
    );
    let likely = |told: &Told| (told.likelihood - best_told).exp();
    // How likely what is alike is in noise of any way.
    let of_any: f64 = found
        .iter()
        .map(|(way, _, told)| way.weight * likely(told))
        .sum();
    let parts: Vec<Part> = found
        .iter()
        .flat_map(|(way, fits, told)| {
            let of_way = way.weight * ((1.0 - OTHER) * likely(told) + OTHER * of_any);
            fits.iter()
                .zip(&shapes)
                .zip(&chances)
                .map(move |((fit, shape), chance)| Part {
                    way: *way,
                    shape: *shape,
                    fit: Fit {
                        error: told.scatter * fit.error,
                        ..*fit
                    },
                    weight: of_way * chance * (fit.likelihood - best).exp(),
                })
        })
        .collect();
    let line = parts
        .iter()
        .filter(|part| part.shape == Shape::Line)
        .max_by(|a, b| a.weight.total_cmp(&b.weight))?
        .fit
        .slope;
    let most = parts.iter().map(|part| part.weight).fold(0.0, f64::max);
    let parts: Vec<Part> = parts
        .into_iter()
        .filter(|part| part.weight > NEXT_TO_NOTHING * most)
        .collect();
    let total = parts.iter().map(|part| part.weight).sum();
    Some(LikelySlope { parts, total, line })
}

impl LikelySlope {
    /// The slope that is exceeded as likely as not.
    #[must_use]
    pub fn middle(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Between these two slopes it is with this probability.
    #[must_use]
    pub fn interval(&self, confidence: f64) -> (f64, f64) {
        let of = |sign: f64| self.quantile(0.5 + sign * confidence / 2.0);
        (of(-1.0), of(1.0))
    }

    /// How long the noise is remembered: the middle of what that may be.
    #[must_use]
    pub fn memory(&self) -> f64 {
        let mut sum = 0.0;
        let found = self.parts.iter().find(|part| {
            sum += part.weight;
            sum >= 0.5 * self.total
        });
        found.map_or(0.0, |part| part.way.memory)
    }

    /// How likely it is that it starts apart from its line.
    #[must_use]
    pub fn starts(&self) -> f64 {
        self.share(|shape| matches!(shape, Shape::Start(_)))
    }

    /// How likely it is that a jump leaves less than half of the slope of a line alone.
    #[must_use]
    pub fn jumps(&self) -> f64 {
        let jumps = self
            .parts
            .iter()
            .filter(|part| matches!(part.shape, Shape::Jump(..)));
        let less = |part: &Part| part.weight * part.fit.below(0.5 * self.line);
        jumps.map(less).sum::<f64>() / self.total
    }

    fn share(&self, of: impl Fn(Shape) -> bool) -> f64 {
        let parts = self.parts.iter().filter(|part| of(part.shape));
        parts.map(|part| part.weight).sum::<f64>() / self.total
    }

    /// The slope below which it is with this probability.
    fn quantile(&self, share: f64) -> f64 {
        let below = |slope: f64| -> f64 {
            let of = |part: &Part| part.weight * part.fit.below(slope);
            self.parts.iter().map(of).sum::<f64>() / self.total
        };
        let ends = |sign: f64| {
            let end = move |part: &Part| part.fit.slope + sign * FAR * part.fit.error;
            self.parts.iter().map(end)
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
}

/// The longest time that one of the series takes.
fn window(series: &[&[(f64, f64)]]) -> f64 {
    let of = |one: &&[(f64, f64)]| Some(one.last()?.0 - one.first()?.0);
    series.iter().filter_map(of).fold(0.0, f64::max)
}

/// What the level may do besides the line, and how likely that is before anything is
/// seen. Only the longest series may jump.
fn shapes(series: &[&[(f64, f64)]]) -> Vec<(Shape, f64)> {
    let window = window(series);
    let mut shapes = vec![(Shape::Line, 1.0 - STARTS - JUMPS)];
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let share = |of: f64, count: usize| of / count.max(1) as f64;
    let start = share(STARTS, START_TIMES.len());
    shapes.extend(START_TIMES.map(|time| (Shape::Start(time * window), start)));
    let longest = series.iter().enumerate().max_by_key(|(_, one)| one.len());
    if let Some((place, one)) = longest {
        let inner = one.get(2..one.len().saturating_sub(2)).unwrap_or_default();
        let stride = inner.len().div_ceil(PLACES).max(1);
        let jump = share(JUMPS, inner.len().div_ceil(stride));
        let places = inner.iter().step_by(stride);
        shapes.extend(places.map(|(at, _)| (Shape::Jump(place, *at), jump)));
    }
    shapes
}

/// What is alike tells of a way.
struct Told {
    /// The logarithm of its restricted likelihood, but for a constant.
    likelihood: f64,
    /// By how much its slopes differ more than their errors say, at least 1.
    scatter: f64,
}

fn told(alike: &[Vec<(f64, f64)>], way: Way) -> Option<Told> {
    let (mut likelihood, mut squares, mut count) = (0.0, SLOPES, SLOPES);
    for one in alike.iter().filter(|one| one.len() >= LEAST) {
        let fit = *fits(&[one], way, &[Shape::Line])?.first()?;
        likelihood += fit.likelihood;
        if fit.error > 0.0 {
            squares += (fit.slope / fit.error).powi(2);
            count += 1.0;
        }
    }
    Some(Told {
        likelihood,
        scatter: (squares / count).max(1.0).sqrt(),
    })
}

#[cfg(test)]
mod tests;
