//! How one side's use of one resource grew: the start left out, jumps taken
//! apart from steady growth, the slope with an interval.

use super::steps::{Doubling, Step, doubling, steps, without};
use crate::probe::{Resource, Segment, Thresholds};
use crate::stats::{median, trend, warm_up};

/// Fewer samples than this after the start say nothing.
const LEAST_SAMPLES: usize = 12;
/// A life is cut into at most so many blocks, of which each is a median: enough
/// for a slope, few enough that neighbours are nearly independent.
const BLOCKS: usize = 60;
/// A life that ended by itself is not looked at in its last moments, in which
/// a program gives back what it holds, in seconds.
const ENDING: f64 = 0.3;
/// The first moments, in which a program is only loaded, in seconds.
const LOADING: f64 = 0.2;

/// Growth of one resource over the lives of one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// Units per second.
    pub slope: f64,
    /// The lower end of the slope's interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The median of the second half of the last life, in units.
    pub level: f64,
    /// The highest value of all, in units.
    pub peak: f64,
    /// The value at the end of the last life, in units.
    pub last: f64,
    /// Where the growth was measured: the longest life without its start, in seconds.
    pub window: f64,
    /// The longest life, in seconds.
    pub life: f64,
    /// How long the start of that life took, in seconds.
    pub warm_up: f64,
    /// The share of the mean rate that the last third of the window showed.
    pub last_third: f64,
    /// Jumps that were taken out, over the longest life.
    pub steps: Vec<Step>,
    /// What the jumps of the longest life mean together.
    pub(super) doubling: Doubling,
    /// How many lives were long enough to be judged.
    pub lives: usize,
}

impl Growth {
    /// Whether the whole interval lies above zero.
    #[must_use]
    pub fn grows(&self) -> bool {
        self.low > 0.0
    }

    /// Half of the interval's width.
    #[must_use]
    pub fn uncertainty(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// The growth of a resource; `None` when too little was seen of it.
#[must_use]
pub fn growth(segments: &[Segment], resource: Resource, thresholds: &Thresholds) -> Option<Growth> {
    let mut lives: Vec<Growth> = segments
        .iter()
        .filter_map(|segment| of_life(segment, resource, thresholds))
        .collect();
    // A last life that was cut short says less than the others, and is left out.
    let longest = lives.iter().map(|life| life.life).fold(0.0, f64::max);
    lives.retain(|life| life.life >= 0.6 * longest);
    let count = lives.len();
    let middle = |value: fn(&Growth) -> f64| {
        median(&lives.iter().map(value).collect::<Vec<f64>>()).unwrap_or(0.0)
    };
    #[expect(clippy::cast_precision_loss, reason = "a handful of lives")]
    let sharper = (count.max(1) as f64).sqrt();
    let slope = middle(|life| life.slope);
    // The intervals of independent lives narrow with their number.
    let below = middle(|life| life.slope - life.low) / sharper;
    let above = middle(|life| life.high - life.slope) / sharper;
    let last_third = middle(|life| life.last_third);
    let peak = lives.iter().map(|life| life.peak).fold(0.0, f64::max);
    let last = lives.last()?.last;
    let level = lives.last()?.level;
    let longest = lives.into_iter().max_by(|a, b| a.life.total_cmp(&b.life))?;
    Some(Growth {
        slope,
        low: slope - below,
        high: slope + above,
        last_third,
        level,
        peak,
        last,
        lives: count,
        ..longest
    })
}

fn of_life(segment: &Segment, resource: Resource, thresholds: &Thresholds) -> Option<Growth> {
    let life = segment.samples.last()?.at.as_secs_f64();
    let end = match segment.ending {
        Some(_) => life - ENDING,
        None => life,
    };
    let values: Vec<(f64, f64)> = segment
        .samples
        .iter()
        .filter_map(|sample| Some((sample.at.as_secs_f64(), resource.of(sample)?)))
        .filter(|(at, _)| (LOADING..=end).contains(at))
        .collect();
    if values.len() < LEAST_SAMPLES {
        return None;
    }
    let blocks = blocks(&values);
    let cut = warm_up(&blocks);
    let window = blocks.get(cut..)?;
    let warm = window.first()?.0;
    let (kept, mut taken) = without_jumps(window, resource, thresholds);
    let trend = trend(&kept, thresholds.confidence)?;
    let mut all_steps = steps(&blocks, least_step(resource, thresholds));
    let doubling = doubling(&all_steps, life);
    if taken.is_empty() {
        all_steps.clear();
    }
    taken.sort_by(|a, b| a.at.total_cmp(&b.at));
    let half: Vec<f64> = values
        .iter()
        .skip(values.len() / 2)
        .map(|(_, value)| *value)
        .collect();
    Some(Growth {
        slope: trend.slope,
        low: trend.low,
        high: trend.high,
        level: median(&half)?,
        peak: values.iter().map(|(_, value)| *value).fold(0.0, f64::max),
        last: values.last()?.1,
        window: window.last()?.0 - warm,
        life,
        warm_up: warm,
        last_third: last_third(&kept),
        steps: taken,
        doubling,
        lives: 1,
    })
}

fn least_step(resource: Resource, thresholds: &Thresholds) -> f64 {
    // What a minute of the smallest growth that counts would add.
    thresholds.of(resource).slope * 60.0
}

/// Takes out jumps, the highest first, while one alone is most of the growth.
fn without_jumps(
    window: &[(f64, f64)],
    resource: Resource,
    thresholds: &Thresholds,
) -> (Vec<(f64, f64)>, Vec<Step>) {
    let mut kept = window.to_vec();
    let mut taken = Vec::new();
    for _ in 0..3 {
        let total = rise(&kept);
        let highest = steps(&kept, least_step(resource, thresholds))
            .into_iter()
            .max_by(|a, b| a.size.total_cmp(&b.size));
        match highest {
            Some(step) if step.size >= thresholds.step_share * total - 1e-9 => {
                kept = without(&kept, step);
                taken.push(step);
            }
            Some(_) | None => break,
        }
    }
    (kept, taken)
}

/// Medians of equal numbers of neighbours.
fn blocks(values: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let size = values.len().div_ceil(BLOCKS).max(1);
    values
        .chunks(size)
        .filter_map(|chunk| {
            let (times, values): (Vec<f64>, Vec<f64>) = chunk.iter().copied().unzip();
            Some((median(&times)?, median(&values)?))
        })
        .collect()
}

/// The level around a place of the series.
fn around(series: &[(f64, f64)], place: usize) -> f64 {
    let low = place.saturating_sub(1).min(series.len().saturating_sub(3));
    let values: Vec<f64> = series.iter().skip(low).take(3).map(|(_, v)| *v).collect();
    median(&values).unwrap_or(0.0)
}

fn rise(series: &[(f64, f64)]) -> f64 {
    around(series, series.len().saturating_sub(1)) - around(series, 0)
}

/// The share of the mean rise that the last third of the window showed: 1 for
/// steady growth, 0 for growth that has ended.
fn last_third(series: &[(f64, f64)]) -> f64 {
    let total = rise(series);
    let end = series.len().saturating_sub(1);
    let late = around(series, end) - around(series, end - end / 3);
    if total.abs() < 1e-9 {
        0.0
    } else {
        3.0 * late / total
    }
}
