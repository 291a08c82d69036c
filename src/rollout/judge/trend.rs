//! Growth of the canary against the baseline.
//!
//! Each life of the canary is compared, instant by instant, with what the lives of
//! the baseline have in common, so that a wave of load which both see cancels. Start,
//! jumps and shape are found as the probe finds them; the slopes of all lives are one
//! (a regional Kendall test). Beside it stands the slope by how long noise is
//! remembered. Where the two sides get different loads, each is
//! measured over its requests instead, in seconds of the baseline's load.

use super::memory::{Beside, ByMemory, JUMPS};
use super::{Answer, Figures, MetricJudged, Scene};
use crate::probe::judge::{Growth as Shape, growth_of_series, whole_of_series};
use crate::probe::show::{amount_of, seconds as time, slow_rate_of};
use crate::rollout::series::{Course, Life, common};
use crate::stats::{Trend, median, shared_trend};

/// A canary whose own growth is less than this share of the difference is flat: then
/// the baseline makes the difference.
const OWN_SHARE: f64 = 0.3;
/// And the baseline makes it only when it shrinks by this share of the difference.
const BASE_SHARE: f64 = 0.5;

/// Growth whose later half is surely below this share of the whole becomes less.
const LESS: f64 = 0.6;

/// What was measured of a trend. Slopes are in units per second.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// By how much the canary grows faster than the baseline.
    pub slope: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The canary's own slope, where it could be measured.
    pub own: Option<f64>,
    /// The baseline's.
    pub baseline: Option<f64>,
    /// The smallest slope that matters.
    pub matters: f64,
    /// The smallest slope that this window could have shown.
    pub smallest_visible: f64,
    /// The same per request, where requests are counted.
    pub per_request: Option<f64>,
    /// Growth was measured over requests, since the loads differ.
    pub over_requests: bool,
    /// The slope and its interval are those by the memory of the noise, not by ranks.
    pub by_memory: bool,
    /// How long noise is remembered, in seconds, where that could be told.
    pub noise_memory: Option<f64>,
    /// So many windows before this one told of it.
    pub windows_before: usize,
    /// The middle of the canary's and of the baseline's values in the second half.
    pub levels: (f64, f64),
    /// The longest stretch that was judged, in seconds.
    pub window: f64,
    /// How much of the longest life was left out as its start, in seconds.
    pub warm_up: f64,
    /// With a leak: seconds until the headroom is used up.
    pub seconds_to_limit: Option<f64>,
}

/// Lives measured against something, each with its shape.
struct Measured {
    trend: Trend,
    strata: Vec<Stratum>,
    by_memory: Option<ByMemory>,
}

pub(super) struct Stratum {
    shape: Shape,
    /// Without its start.
    pub(super) kept: Vec<(f64, f64)>,
    pub(super) whole: Vec<(f64, f64)>,
}

impl Measured {
    /// What the memory of the noise proves: growth that may matter, or that there is none
    /// where ranks see none either.
    fn proven(&self, matters: f64) -> Option<ByMemory> {
        let found = self.by_memory?;
        let (low, high) = found.interval;
        let grows = found.proves && found.allows && low > 0.0 && high >= matters;
        let flat = found.known && high < matters && self.trend.low <= 0.0;
        (grows || flat).then_some(found)
    }

    /// Whether the memory of the noise does not speak against growth.
    fn allows(&self) -> bool {
        self.by_memory.is_none_or(|found| found.allows)
    }
}

impl Scene<'_> {
    pub(super) fn trend(&self, out: &mut MetricJudged, before: &[Life]) {
        let metric = out.metric.clone();
        let matters = self.config.matters(&metric);
        let rates = (self.baseline.rate(), self.canary.rate());
        let unlike = match rates {
            (Some(baseline), Some(canary)) if baseline > 0.0 => {
                (canary / baseline - 1.0).abs() > self.config.alike
            }
            _ => false,
        };
        let least_step = matters.max(metric.least / self.duration()) * self.duration() / 5.0;
        let measured = if unlike {
            self.apart(out, rates.0.unwrap_or(1.0), least_step)
        } else {
            self.together(out, before, least_step)
        };
        let Some(measured) = measured else {
            "too little was seen at the same time of both".clone_into(&mut out.because);
            out.seconds_to_decide = Some((20.0 * self.step).max(metric.least / matters));
            return;
        };
        let longest = |value: fn(&Shape) -> f64| {
            let of = |stratum: &Stratum| value(&stratum.shape);
            measured.strata.iter().map(of).fold(0.0, f64::max)
        };
        let window = longest(|shape| shape.window);
        let found = measured.proven(matters);
        let (slope, low, high) = found.map_or(
            (
                measured.trend.slope,
                measured.trend.low,
                measured.trend.high,
            ),
            |found| (found.slope, found.interval.0, found.interval.1),
        );
        let own = |lives: &[Life]| self.own(lives, least_step);
        let uncertainty = (high - low) / 2.0;
        let growth = Growth {
            slope,
            low,
            high,
            own: own(&out.canary),
            baseline: own(&out.baseline),
            matters,
            smallest_visible: matters
                .max(metric.least / window.max(1.0))
                .max(1.5 * uncertainty),
            per_request: rates
                .0
                .filter(|rate| *rate > 0.0)
                .map(|rate| slope * self.step / rate),
            over_requests: unlike,
            by_memory: found.is_some(),
            noise_memory: measured.by_memory.map(|found| found.memory),
            windows_before: measured.by_memory.map_or(0, |found| found.windows),
            levels: (self.level_of(&out.canary), self.level_of(&out.baseline)),
            window,
            warm_up: measured
                .strata
                .iter()
                .max_by(|a, b| a.shape.window.total_cmp(&b.shape.window))
                .map_or(0.0, |stratum| stratum.shape.warm_up),
            seconds_to_limit: None,
        };
        let falls = self.baseline.load_falls();
        let (answer, because, decides) = answer(&growth, &measured, &metric, falls);
        out.answer = answer;
        out.because = because;
        out.seconds_to_decide = decides;
        let seconds_to_limit =
            (answer == Answer::Fail && slope > 0.0).then(|| metric.headroom / slope);
        out.figures = Figures::Growth(Box::new(Growth {
            seconds_to_limit,
            ..growth
        }));
    }

    fn duration(&self) -> f64 {
        self.config.duration.as_secs_f64().max(self.step)
    }

    fn at(&self, tick: i64) -> f64 {
        super::alike::at(tick, self.step)
    }

    /// The canary's lives less what the baseline's have in common.
    fn together(&self, out: &MetricJudged, before: &[Life], least_step: f64) -> Option<Measured> {
        let middles = common(&out.baseline);
        let series = out.canary.iter().flat_map(|life| {
            middles.iter().map(|middle| {
                life.samples
                    .iter()
                    .filter_map(|(tick, value)| Some((self.at(*tick), value - middle.get(tick)?)))
                    .collect::<Vec<_>>()
            })
        });
        let measured = self.measure(series, least_step)?;
        let beside = Beside {
            sides: [&out.baseline, &out.canary],
            before,
        };
        // Lives at the same time share the noise of what they are held against.
        let by_memory = if overlap(&measured.strata) {
            let together = common(&out.canary).into_iter().flat_map(|canary| {
                middles.iter().map(move |middle| {
                    let less = |(tick, value): (&i64, &f64)| {
                        Some((self.at(*tick), value - middle.get(tick)?))
                    };
                    canary.iter().filter_map(less).collect::<Vec<_>>()
                })
            });
            let together = self.measure(together, least_step);
            together.and_then(|together| self.by_memory(beside, &together.strata, least_step))
        } else {
            self.by_memory(beside, &measured.strata, least_step)
        };
        Some(Measured {
            by_memory,
            ..measured
        })
    }

    /// Both sides over their requests, in seconds of the baseline's load.
    fn apart(&self, out: &MetricJudged, rate: f64, least_step: f64) -> Option<Measured> {
        let over = |lives: &[Life], course: &Course| {
            let series: Vec<Vec<(f64, f64)>> = lives
                .iter()
                .map(|life| {
                    life.samples
                        .iter()
                        .filter_map(|(tick, value)| {
                            let requests = course.requests_at(&life.instance, *tick)?;
                            Some((requests / rate * self.step, *value))
                        })
                        .collect()
                })
                .collect();
            self.measure(series.into_iter(), least_step)
        };
        let canary = over(&out.canary, &self.canary)?;
        let baseline = over(&out.baseline, &self.baseline)?;
        let half = |trend: &Trend| ((trend.high - trend.slope), (trend.slope - trend.low));
        let ((above, below), (above_b, below_b)) = (half(&canary.trend), half(&baseline.trend));
        let slope = canary.trend.slope - baseline.trend.slope;
        Some(Measured {
            trend: Trend {
                slope,
                low: slope - below.hypot(above_b),
                high: slope + above.hypot(below_b),
                ..canary.trend
            },
            strata: canary.strata,
            by_memory: None,
        })
    }

    fn measure(
        &self,
        series: impl Iterator<Item = Vec<(f64, f64)>>,
        least_step: f64,
    ) -> Option<Measured> {
        let strata: Vec<Stratum> = series
            .filter_map(|samples| {
                let start = samples.first()?.0;
                let moved: Vec<(f64, f64)> = samples
                    .iter()
                    .map(|(at, value)| (at - start, *value))
                    .collect();
                let (shape, kept) = growth_of_series(&moved, least_step, &self.thresholds)?;
                let whole = whole_of_series(&moved, least_step, &self.thresholds);
                let back = |series: Vec<(f64, f64)>| {
                    let moved = series.iter().map(|(at, value)| (at + start, *value));
                    moved.collect::<Vec<_>>()
                };
                Some(Stratum {
                    shape,
                    kept: back(kept),
                    whole: back(whole),
                })
            })
            .collect();
        let kept: Vec<Vec<(f64, f64)>> =
            strata.iter().map(|stratum| stratum.kept.clone()).collect();
        let trend = shared_trend(&kept, self.config.confidence)?;
        Some(Measured {
            trend,
            strata,
            by_memory: None,
        })
    }

    /// The slope of one side for itself.
    fn own(&self, lives: &[Life], least_step: f64) -> Option<f64> {
        let series = lives.iter().map(|life| self.points(life));
        Some(self.measure(series, least_step)?.trend.slope)
    }

    fn points(&self, life: &Life) -> Vec<(f64, f64)> {
        life.samples
            .iter()
            .map(|(tick, value)| (self.at(*tick), *value))
            .collect()
    }

    fn level_of(&self, lives: &[Life]) -> f64 {
        let last = lives
            .iter()
            .filter_map(|life| Some(life.samples.last()?.0))
            .max();
        let first = lives
            .iter()
            .filter_map(|life| Some(life.samples.first()?.0))
            .min();
        let middle = (first.unwrap_or(0) + last.unwrap_or(0)) / 2;
        let values: Vec<f64> = lives
            .iter()
            .flat_map(|life| &life.samples)
            .filter(|(tick, _)| *tick >= middle)
            .map(|(_, value)| *value)
            .collect();
        median(&values).unwrap_or(0.0)
    }
}

/// Whether any two of these are of the same time.
fn overlap(strata: &[Stratum]) -> bool {
    let mut spans: Vec<(f64, f64)> = strata
        .iter()
        .filter_map(|one| Some((one.whole.first()?.0, one.whole.last()?.0)))
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let pairs = spans.iter().zip(spans.iter().skip(1));
    pairs.into_iter().any(|(one, next)| next.0 < one.1)
}

/// Answer, reason, and the window in seconds that would decide an open question.
fn answer(
    growth: &Growth,
    measured: &Measured,
    metric: &crate::rollout::Metric,
    load_falls: bool,
) -> (Answer, String, Option<f64>) {
    let unit = metric.unit.as_str();
    let (matters, window) = (growth.matters, growth.window);
    let above = growth.levels.0 - growth.levels.1;
    if above >= metric.headroom {
        let because = format!(
            "its level is {} higher than the baseline's: all the headroom there is",
            amount_of(unit, above)
        );
        return (Answer::Fail, because, None);
    }
    // Growth that is proven, and that may be one that matters: with it a leak of just
    // that size is found as often as the plan says.
    if growth.low > 0.0 && growth.high >= matters {
        if !measured.allows() {
            let because = match measured.by_memory {
                Some(found) if found.jumps >= JUMPS => {
                    "its level is higher, by a single jump as likely as by growth"
                }
                Some(found) if found.starts > 0.5 => {
                    "it grows ever more slowly, as programs do that settle"
                }
                Some(_) | None => "it grows, but noise that lasts looks like this, too",
            };
            let because = because.to_owned();
            return (Answer::Inconclusive, because, Some(2.0 * window));
        }
        // Where the memory of the noise proves it, a start that settles was thought of.
        let goes_on = growth.by_memory && measured.by_memory.is_some_and(ByMemory::goes_on);
        if !goes_on && let Some(found) = comes_to_an_end(growth, measured, metric) {
            return found;
        }
        if growth.slope * window < metric.least {
            let because = "it grows, but by less than programs do that settle".to_owned();
            return (
                Answer::Inconclusive,
                because,
                Some(1.2 * metric.least / growth.slope),
            );
        }
        // Where both fall they do it for the same reason, and where the load falls, too.
        let own = growth.own.unwrap_or(growth.slope);
        let shrinks = growth
            .baseline
            .is_none_or(|of_base| of_base < -BASE_SHARE * growth.slope);
        if !growth.over_requests && own.abs() < OWN_SHARE * growth.slope && shrinks && !load_falls {
            let because = "the baseline shrinks, and the canary does not grow".to_owned();
            return (Answer::Inconclusive, because, Some(2.0 * window));
        }
        let because = if growth.baseline.is_some_and(|slope| slope >= matters) {
            "it grows faster than the baseline"
        } else {
            "it grows, and the baseline does not"
        };
        return (Answer::Fail, because.to_owned(), None);
    }
    // What matters must have had the time to show.
    let needed = metric.least / matters;
    if growth.high < matters && window >= needed {
        let because = format!("no growth of {}", slow_rate_of(unit, matters));
        return (Answer::Pass, because, None);
    }
    if growth.high < matters {
        let because = format!(
            "it does not grow, but {} is too short for what matters to show",
            time(window)
        );
        return (
            Answer::Inconclusive,
            because,
            Some(1.1 * needed + growth.warm_up),
        );
    }
    let uncertainty = (growth.high - growth.low) / 2.0;
    // The uncertainty of a slope falls with the 1.5th power of the time.
    let factor = (1.5 * uncertainty / matters).max(1.4).powf(1.0 / 1.5);
    let because = format!(
        "it varies too much to rule out growth of {}",
        slow_rate_of(unit, matters)
    );
    (
        Answer::Inconclusive,
        because,
        Some((window * factor).max(1.1 * needed)),
    )
}

/// What is said of growth that becomes less, or comes back down.
fn comes_to_an_end(
    growth: &Growth,
    measured: &Measured,
    metric: &crate::rollout::Metric,
) -> Option<(Answer, String, Option<f64>)> {
    let longest = measured
        .strata
        .iter()
        .max_by(|a, b| a.shape.window.total_cmp(&b.shape.window))?;
    let shape = &longest.shape;
    if shape.grows() && shape.low_water < 0.3 {
        let because = "it comes back down to the same level".to_owned();
        return Some((Answer::Pass, because, None));
    }
    let late: Vec<Vec<(f64, f64)>> = measured
        .strata
        .iter()
        .map(|stratum| {
            let half = stratum.kept.len() / 2;
            stratum.kept.get(half..).unwrap_or_default().to_vec()
        })
        .collect();
    let (likely, sure) = (shared_trend(&late, 0.95)?, shared_trend(&late, 0.99)?);
    // That it becomes less must be clear of the noise.
    if likely.high >= LESS * growth.slope {
        return None;
    }
    let long = growth.window / 2.0 >= metric.least / growth.matters;
    if sure.high < growth.matters && long {
        return Some((
            Answer::Pass,
            "it grew at first and has stopped".to_owned(),
            None,
        ));
    }
    let because = "it grows ever more slowly, as programs do that settle".to_owned();
    Some((Answer::Inconclusive, because, Some(2.0 * growth.window)))
}
