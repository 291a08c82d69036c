//! How one side's use of one resource grew: the start left out, jumps taken
//! apart from steady growth, the slope with an interval.

use super::steps::{Doubling, Step, doubling, steps, without};
use super::told::{lives_within, work_told};
use crate::probe::{ResourceThresholds, Segment, Thresholds, Watched};
use crate::stats::{Trend, median, median_absolute_deviation, quantile, slope, trend, warm_up};

/// Fewer samples than this after the start say nothing.
const LEAST_SAMPLES: usize = 12;
/// The same of a life that ended for want of memory.
const LEAST_EXHAUSTED: usize = 6;
/// A life is cut into at most so many blocks, of which each is a median: enough
/// for a slope, few enough that neighbours are nearly independent.
const BLOCKS: usize = 60;
/// A life that ended by itself is not looked at in its last moments, in which
/// a program gives back what it holds, in seconds.
const ENDING: f64 = 0.3;
/// The first moments, in which a program is only loaded, in seconds.
const LOADING: f64 = 0.2;

/// What was seen must reach up to this share of a life: the beginning says nothing
/// of the rest.
const SEEN: f64 = 0.8;
/// A series has so many stretches of which the low-water mark is taken.
const STRETCHES: usize = 15;
/// The low-water mark of a stretch is the value below which this share lies.
const LOW: f64 = 0.1;
/// Less processor time than this is too coarse a clock, in seconds.
const LEAST_WORK: f64 = 0.3;
/// The same of a counter of work, in units.
const LEAST_UNITS: f64 = 30.0;

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
    /// The mean rate during that start without its first moments, in units per
    /// second.
    pub start_slope: f64,
    /// The share of the mean rate that the last third of the window showed; by
    /// time or by processor time, whichever is larger.
    pub last_third: f64,
    /// How far the low-water mark rose from the first third of the window to the
    /// last, as a share of what the slope makes of it: 1 for steady growth, 0 for
    /// what comes back down to the same level again and again.
    pub low_water: f64,
    /// The trend of the last third of the window.
    pub late: Option<Trend>,
    /// The trend of the low-water marks of equal stretches, with its interval.
    pub low_water_trend: Option<Trend>,
    /// The smallest share of the mean rate that any third of the window showed.
    pub weakest_third: f64,
    /// The growth becomes less, by time and by processor time.
    pub slows: bool,
    /// Jumps that were taken out, over the longest life.
    pub steps: Vec<Step>,
    /// What the jumps of the longest life mean together.
    pub(super) doubling: Doubling,
    /// Nearly all of the growth of the longest life is a few pieces that an
    /// allocator reserves for its threads.
    pub(super) pieces: bool,
    /// How many lives were long enough to be judged.
    pub lives: usize,
    /// How many units were added until it could have no more, in the life that ended
    /// so; 0 when none did.
    pub until_exhausted: f64,
}

impl Growth {
    /// Whether the whole interval lies above zero.
    #[must_use]
    pub fn grows(&self) -> bool {
        self.low > 0.0
    }

    /// Whether it grows as evenly as leaks do and programs that settle do not.
    #[must_use]
    pub fn is_steady(&self, thresholds: &Thresholds) -> bool {
        self.grows()
            && self.weakest_third >= thresholds.even
            && self.last_third >= thresholds.even
            && self.low_water >= thresholds.even
            && self.uncertainty() <= thresholds.sharp * self.slope
    }

    /// The growth as it would be if so many times the work had been done.
    #[must_use]
    pub(super) fn with_work(self, times: f64) -> Self {
        Self {
            slope: self.slope * times,
            low: self.low * times,
            high: self.high * times,
            start_slope: self.start_slope * times,
            ..self
        }
    }

    /// Whether the last third grows less than the whole, clear of its noise.
    #[must_use]
    pub fn clearly_slower_at_the_end(&self) -> bool {
        self.late.is_none_or(|late| late.high < self.slope)
    }

    /// Half of the width of the low-water trend's interval, when that does not rise.
    #[must_use]
    pub fn comes_back(&self) -> Option<f64> {
        let trend = self.low_water_trend.filter(|trend| trend.low <= 0.0)?;
        Some((trend.high - trend.low) / 2.0)
    }

    /// Half of the interval's width.
    #[must_use]
    pub fn uncertainty(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// The growth of what is watched; `None` when too little was seen of it.
#[must_use]
pub fn growth(segments: &[Segment], watched: &Watched, thresholds: &Thresholds) -> Option<Growth> {
    let mut lives: Vec<Growth> = match watched {
        Watched::Resource(_) => segments
            .iter()
            .filter_map(|segment| of_life(segment, watched, thresholds))
            .collect(),
        Watched::Gauge { .. } => segments
            .iter()
            .flat_map(lives_within)
            .filter_map(|segment| of_life(&segment, watched, thresholds))
            .collect(),
    };
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
    let low_water = middle(|life| life.low_water);
    let weakest_third = middle(|life| life.weakest_third);
    let start_slope = middle(|life| life.start_slope);
    let slows = 2 * lives.iter().filter(|life| life.slows).count() >= count;
    let peak = lives.iter().map(|life| life.peak).fold(0.0, f64::max);
    let until_exhausted = lives
        .iter()
        .map(|life| life.until_exhausted)
        .fold(0.0, f64::max);
    let last = lives.last()?.last;
    let level = lives.last()?.level;
    let longest = lives.into_iter().max_by(|a, b| a.life.total_cmp(&b.life))?;
    Some(Growth {
        slope,
        low: slope - below,
        high: slope + above,
        last_third,
        low_water,
        weakest_third,
        slows,
        start_slope,
        level,
        peak,
        last,
        lives: count,
        until_exhausted,
        ..longest
    })
}

fn of_life(segment: &Segment, watched: &Watched, thresholds: &Thresholds) -> Option<Growth> {
    let life = segment.samples.last()?.at.as_secs_f64();
    let end = match segment.ending {
        Some(ending) if ending.is_success() => life - ENDING,
        Some(_) | None => life,
    };
    let mut values = watched.points(segment);
    values.retain(|(at, _)| (LOADING..=end).contains(at));
    let least = if segment.exhausted {
        LEAST_EXHAUSTED
    } else {
        LEAST_SAMPLES
    };
    if values.len() < least || values.last()?.0 < SEEN * end {
        return None;
    }
    let of = thresholds.of(watched);
    let least_step = least_step(of);
    let (growth, _) = of_series(
        &values,
        &Scale {
            life,
            least_step,
            of,
            clear_start: false,
        },
        thresholds,
        |kept| thirds_by_work(segment, kept),
    )?;
    Some(Growth {
        until_exhausted: if segment.exhausted {
            // Not the last moments, in which a program tells of its end.
            let late = values.iter().rfind(|(at, _)| *at <= 0.85 * life);
            (late.or(values.last())?.1 - values.first()?.1).max(0.0)
        } else {
            0.0
        },
        ..growth
    })
}

/// What a series is measured by.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// The length of the life, in the unit of its times.
    life: f64,
    /// A smaller jump is none.
    least_step: f64,
    of: ResourceThresholds,
    /// A start is only left out where it stands out of the noise.
    clear_start: bool,
}

/// The growth of any series of (time since its start, value), in the same way as
/// that of a resource of a life, and the series itself in blocks, without its start
/// and its jumps. A jump of less than `least_step` is none. `None` for too few samples.
#[must_use]
pub fn growth_of_series(
    values: &[(f64, f64)],
    least_step: f64,
    thresholds: &Thresholds,
) -> Option<(Growth, Vec<(f64, f64)>)> {
    if values.len() < LEAST_SAMPLES {
        return None;
    }
    let scale = Scale {
        life: values.last()?.0,
        least_step,
        of: ResourceThresholds::NONE,
        clear_start: true,
    };
    of_series(values, &scale, thresholds, |_| Vec::new())
}

/// The whole of such a series in blocks, with its start, without its jumps.
#[must_use]
pub fn whole_of_series(
    values: &[(f64, f64)],
    least_step: f64,
    thresholds: &Thresholds,
) -> Vec<(f64, f64)> {
    without_jumps(&blocks(values), least_step, thresholds).0
}

fn of_series(
    values: &[(f64, f64)],
    scale: &Scale,
    thresholds: &Thresholds,
    by_work: impl Fn(&[(f64, f64)]) -> Vec<f64>,
) -> Option<(Growth, Vec<(f64, f64)>)> {
    let blocks = blocks(values);
    let mut cut = warm_up(&blocks);
    if scale.clear_start && !stands_out(&blocks, cut) {
        cut = 0;
    }
    let window = blocks.get(cut..)?;
    let warm = window.first()?.0;
    let (kept, mut taken) = without_jumps(window, scale.least_step, thresholds);
    let trend = trend(&kept, thresholds.confidence)?;
    let mut all_steps = steps(&blocks, scale.least_step);
    let doubling = match all_steps.last() {
        Some(last) if stays(&blocks, *last) => doubling(&all_steps, scale.life, width(values)),
        Some(_) | None => Doubling::None,
    };
    let pieces = pieces(&all_steps, &blocks, scale.of);
    if taken.is_empty() {
        all_steps.clear();
    }
    taken.sort_by(|a, b| a.at.total_cmp(&b.at));
    let shares = thirds(&kept);
    let by_work = by_work(&kept);
    let doubt = doubt(&kept, trend.slope);
    let half: Vec<f64> = values
        .iter()
        .skip(values.len() / 2)
        .map(|(_, value)| *value)
        .collect();
    let growth = Growth {
        slope: trend.slope,
        low: trend.low,
        high: trend.high,
        level: median(&half)?,
        peak: values.iter().map(|(_, value)| *value).fold(0.0, f64::max),
        last: values.last()?.1,
        window: window.last()?.0 - warm,
        life: scale.life,
        warm_up: warm,
        start_slope: start_slope(&blocks, cut),
        last_third: shares
            .last()
            .copied()
            .unwrap_or(0.0)
            .max(by_work.last().copied().unwrap_or(0.0)),
        low_water: low_water(values, &kept, &taken, trend.slope),
        late: trend_of_last_third(&kept, thresholds.confidence),
        low_water_trend: low_water_trend(values, warm, thresholds.confidence),
        weakest_third: shares.iter().copied().fold(f64::INFINITY, f64::min),
        slows: slows(&shares, doubt, thresholds)
            && (by_work.is_empty() || slows(&by_work, doubt, thresholds)),
        steps: taken,
        doubling,
        pieces,
        lives: 1,
        until_exhausted: 0.0,
    };
    Some((growth, kept))
}

/// Whether the first blocks lie off the line through the rest by more than noise does:
/// the middle of the first third of the start, by three deviations. The rule that finds
/// a start takes slow noise for one, too.
fn stands_out(blocks: &[(f64, f64)], cut: usize) -> bool {
    let rest = blocks.get(cut..).unwrap_or_default();
    let line = slope(rest).unwrap_or(0.0);
    let off = |blocks: &[(f64, f64)]| -> Vec<f64> {
        blocks.iter().map(|(at, value)| value - line * at).collect()
    };
    let rest = off(rest);
    let first = off(blocks.get(..cut.div_ceil(3)).unwrap_or_default());
    match (
        median(&first),
        median(&rest),
        median_absolute_deviation(&rest),
    ) {
        (Some(first), Some(middle), Some(deviation)) => (first - middle).abs() > 3.0 * deviation,
        _ => false,
    }
}

fn least_step(of: ResourceThresholds) -> f64 {
    // What a minute of the smallest growth that counts would add.
    of.slope * 60.0
}

fn pieces(steps: &[Step], blocks: &[(f64, f64)], of: ResourceThresholds) -> bool {
    if of.piece <= 0.0 {
        return false;
    }
    // A piece that is reserved together with a stack, or two pieces in one span.
    let fitting: Vec<f64> = steps
        .iter()
        .map(|step| step.size / of.piece)
        .filter(|size| (0.9..2.6).contains(size))
        .collect();
    let count: f64 = fitting.iter().map(|size| size.round()).sum();
    let reserved: f64 = fitting.iter().sum::<f64>() * of.piece;
    !fitting.is_empty() && count <= f64::from(of.pieces) && reserved >= 0.8 * rise(blocks)
}

/// Takes out jumps, the highest first, while one alone is most of the growth.
fn without_jumps(
    window: &[(f64, f64)],
    least_step: f64,
    thresholds: &Thresholds,
) -> (Vec<(f64, f64)>, Vec<Step>) {
    let mut kept = window.to_vec();
    let mut taken = Vec::new();
    for _ in 0..3 {
        let total = rise(&kept);
        let highest = steps(&kept, least_step)
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

/// How long each of [`BLOCKS`] equal spans of time is.
fn width(values: &[(f64, f64)]) -> f64 {
    match (values.first(), values.last()) {
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        (Some(first), Some(last)) => (last.0 - first.0) / values.len().min(BLOCKS) as f64,
        _ => 0.0,
    }
}

/// The median of each of [`BLOCKS`] equal spans of time in which there are
/// samples. Spans of time, since samples are denser at the start and rarer when
/// the machine is busy.
fn blocks(values: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let Some(first) = values.first() else {
        return Vec::new();
    };
    let width = width(values);
    let block = |at: f64| ((at - first.0) / width.max(f64::MIN_POSITIVE)).floor();
    values
        .chunk_by(|a, b| block(a.0) == block(b.0))
        .filter_map(|chunk| {
            let (times, values): (Vec<f64>, Vec<f64>) = chunk.iter().copied().unzip();
            Some((median(&times)?, median(&values)?))
        })
        .collect()
}

/// Whether a jump went above all that was there before, and is still there at the end:
/// what is emptied now and then jumps to the same height again and again.
fn stays(blocks: &[(f64, f64)], step: Step) -> bool {
    let place = blocks.partition_point(|(at, _)| *at < step.at);
    let middle = around(blocks, (place + 1).min(blocks.len())) - step.size / 2.0;
    let before = blocks.iter().take(place.saturating_sub(1));
    let highest = before.map(|(_, value)| *value).fold(f64::MIN, f64::max);
    highest <= middle && around(blocks, blocks.len().saturating_sub(1)) >= middle
}

/// See [`Growth::late`].
fn trend_of_last_third(series: &[(f64, f64)], confidence: f64) -> Option<Trend> {
    let (first, last) = (series.first()?.0, series.last()?.0);
    let from = last - (last - first) / 3.0;
    let place = series.partition_point(|(at, _)| *at < from);
    trend(series.get(place..)?, confidence)
}

/// See [`Growth::low_water_trend`].
fn low_water_trend(values: &[(f64, f64)], warm: f64, confidence: f64) -> Option<Trend> {
    let (first, last) = (values.first()?.0.max(warm), values.last()?.0);
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let width = (last - first) / STRETCHES as f64;
    let stretch = |at: f64| ((at - first) / width.max(f64::MIN_POSITIVE)).floor();
    let start = values.partition_point(|(at, _)| *at < first);
    let marks: Vec<(f64, f64)> = values
        .get(start..)?
        .chunk_by(|a, b| stretch(a.0) == stretch(b.0))
        .filter_map(|chunk| {
            let (times, values): (Vec<f64>, Vec<f64>) = chunk.iter().copied().unzip();
            Some((median(&times)?, quantile(&values, LOW)?))
        })
        .collect();
    trend(&marks, confidence)
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

/// The rate between the first tenth of a life, in which all programs take what
/// they need to begin with, and the end of its start.
fn start_slope(blocks: &[(f64, f64)], cut: usize) -> f64 {
    let begin = blocks.len() / 10;
    match (blocks.get(begin), blocks.get(cut)) {
        (Some(first), Some(warm)) if cut > begin => {
            (around(blocks, cut) - around(blocks, begin)) / (warm.0 - first.0)
        }
        _ => 0.0,
    }
}

/// The share of the mean rate in each third of a series: 1 for steady growth, 0
/// in the last for growth that has ended.
fn thirds(series: &[(f64, f64)]) -> Vec<f64> {
    let (Some(first), Some(last)) = (series.first(), series.last()) else {
        return Vec::new();
    };
    let total = rise(series);
    if total.abs() < 1e-9 {
        return vec![0.0; 3];
    }
    let span = last.0 - first.0;
    let place = |share: f64| {
        let at = first.0 + share * span;
        series.partition_point(|(x, _)| *x < at - 1e-9)
    };
    let marks = [0, place(1.0 / 3.0), place(2.0 / 3.0), series.len() - 1];
    marks
        .windows(2)
        .map(|pair| match pair {
            [from, to] => 3.0 * (around(series, *to) - around(series, *from)) / total,
            _ => 0.0,
        })
        .collect()
}

/// The same over work done instead of time: a program that gets less of a busy machine
/// also does less that could leak. Work is what the program's own counter tells, else
/// its processor time. Empty when it did hardly any.
fn thirds_by_work(segment: &Segment, series: &[(f64, f64)]) -> Vec<f64> {
    let told = work_told(segment);
    let (done, least) = if told.is_empty() {
        let samples = segment.samples.iter();
        let used = samples.map(|sample| (sample.at.as_secs_f64(), sample.cpu.as_secs_f64()));
        (used.collect(), LEAST_WORK)
    } else {
        (told, LEAST_UNITS)
    };
    let work = |at: f64| {
        let place = done.partition_point(|(time, _)| *time < at);
        done.get(place)
            .or(done.last())
            .map_or(0.0, |(_, work)| *work)
    };
    let by_work: Vec<(f64, f64)> = series
        .iter()
        .map(|(at, value)| (work(*at), *value))
        .collect();
    match (by_work.first(), by_work.last()) {
        (Some(first), Some(last)) if last.0 - first.0 >= least => thirds(&by_work),
        _ => Vec::new(),
    }
}

/// By how much noise moves the share of a third: the deviation of the series from
/// its trend, beside a third of the growth.
fn doubt(series: &[(f64, f64)], slope: f64) -> f64 {
    let rest: Vec<f64> = series
        .iter()
        .map(|(at, value)| value - slope * at)
        .collect();
    let third = rise(series).abs() / 3.0;
    median_absolute_deviation(&rest).unwrap_or(0.0) / third.max(f64::MIN_POSITIVE)
}

/// Whether growth becomes less, as it does on the way to a level.
/// That it does must be clear of the noise.
fn slows(thirds: &[f64], doubt: f64, thresholds: &Thresholds) -> bool {
    match thirds {
        [first, second, third] => {
            // The middle third belongs half to either side.
            third + doubt < thresholds.slowing
                || third + second / 2.0 + doubt < thresholds.slowing_ratio * (first + second / 2.0)
        }
        _ => false,
    }
}

/// See [`Growth::low_water`]. Jumps that were taken out of `kept` are taken out
/// here, too.
fn low_water(values: &[(f64, f64)], kept: &[(f64, f64)], taken: &[Step], slope: f64) -> f64 {
    let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
        return 0.0;
    };
    let third = (last.0 - first.0) / 3.0;
    let lows = |from: f64, to: f64| {
        let within: Vec<f64> = values
            .iter()
            .filter(|(at, _)| (from..=to).contains(at))
            .map(|(at, value)| {
                let jumps = taken.iter().filter(|step| step.at <= *at);
                value - jumps.map(|step| step.size).sum::<f64>()
            })
            .collect();
        quantile(&within, LOW)
    };
    let early = lows(first.0, first.0 + third);
    let late = lows(last.0 - third, last.0);
    match (early, late) {
        (Some(early), Some(late)) if slope.abs() > 0.0 => (late - early) / (2.0 * third * slope),
        _ => 0.0,
    }
}
