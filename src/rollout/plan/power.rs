//! How long a canary must run to show the smallest leak that matters.
//!
//! The slope of n values over a time T has the standard error
//! σ √12 / (T √n) (a straight line through independent values). Values that repeat each
//! other for a time τ count once in 2 τ. The difference of two sides has the variance of
//! both. A slope is seen with a probability P at a confidence C when it is (z(C) + z(P))
//! standard errors high. So T is
//! (1.5 (z(C) + z(P)) σ √(12 δ (1/c + 1/b)) / slope)^(2/3), for one value in δ seconds, c
//! instances of the canary and b of the baseline; 1.5 is what the judge pays for not
//! knowing how much values repeat each other, by simulation (`tests/it/rollout`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::settings::time;
use crate::probe::show::{amount_of, slow_rate_of};
use crate::rollout::{Config, Metric};
use crate::stats::{autocorrelation, median, median_absolute_deviation, normal_quantile, slope};

/// How much a metric varies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Its standard deviation around a line, in units.
    pub deviation: f64,
    /// How long a value resembles the one before.
    pub repeats: Duration,
    /// Over which time it was measured; `None`: it is assumed.
    pub over: Option<Duration>,
}

/// What can be seen of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Power {
    /// The metric.
    pub metric: String,
    unit: String,
    /// The smallest leak that matters, in units per second.
    pub matters: f64,
    /// The noise.
    pub noise: Noise,
    /// How long it takes to see that leak.
    pub needed: Duration,
    /// The smallest leak that the time of the plan shows, in units per second.
    pub visible: f64,
    /// How often it is seen, 0 to 1.
    pub probability: f64,
    /// This metric decides how long the canary runs.
    pub decides: bool,
    /// (z(C) + z(P)) σ √(12 δ (1/c + 1/b)).
    factor: f64,
    /// The least growth that is called one, in units.
    least: f64,
    headroom: f64,
}

/// One instance of the canary, at the first steps; and of the baseline at most so many
/// count, since their noise is shared.
const MOST_OF_BASELINE: f64 = 4.0;
/// How much wider the judge's interval is than that of one who knows the noise.
const WIDER: f64 = 1.5;

impl Power {
    pub(super) fn new(
        metric: &Metric,
        noise: Noise,
        config: &Config,
        replicas: u32,
        power: f64,
    ) -> Self {
        let matters = config.matters(metric);
        let z = normal_quantile(0.5 + config.confidence / 2.0) + normal_quantile(power);
        let spacing = config.step.max(noise.repeats * 2).as_secs_f64();
        let sides = 1.0 + 1.0 / f64::from(replicas).clamp(1.0, MOST_OF_BASELINE);
        let factor = WIDER * z * noise.deviation * (12.0 * spacing * sides).sqrt();
        let seconds = (factor / matters)
            .powf(2.0 / 3.0)
            .max(metric.least / matters);
        Self {
            metric: metric.id.clone(),
            unit: metric.unit.clone(),
            matters,
            noise,
            needed: Duration::from_secs_f64(seconds.clamp(1.0, 1e8)),
            visible: matters,
            probability: power,
            decides: false,
            factor,
            least: metric.least,
            headroom: metric.headroom,
        }
    }

    /// With what a canary of this length can show.
    pub(super) fn within(self, duration: Duration) -> Self {
        Self {
            visible: self.visible_in(duration),
            ..self
        }
    }

    /// The smallest leak that stands out in so long a time.
    pub(super) fn visible_in(&self, time: Duration) -> f64 {
        let seconds = time.as_secs_f64().max(1.0);
        (self.factor / seconds.powf(1.5)).max(self.least / seconds)
    }

    pub(super) fn rate(&self, value: f64) -> String {
        slow_rate_of(&self.unit, value)
    }

    /// The calculation in words.
    pub(super) fn sentence(&self, duration: Duration, config: &Config) -> String {
        let noise = match self.noise.over {
            Some(over) => format!("as measured over {}", time(over)),
            None => "as assumed".to_owned(),
        };
        let sees = if self.visible <= self.matters * 1.001 {
            "a canary sees that"
        } else {
            "a canary sees a larger one"
        };
        format!(
            "{} of headroom and {} between deploys make {} the smallest leak of {} that matters; with values that vary by {} ({noise}) {sees} in nine of ten cases after {}, so it runs {}, and shows {} or more.",
            amount_of(&self.unit, self.headroom),
            time(config.between_deploys),
            self.rate(self.matters),
            self.metric,
            amount_of(&self.unit, self.noise.deviation),
            time(self.needed),
            time(duration),
            self.rate(self.visible)
        )
    }
}

/// The noise of series of (time in seconds, value): what is left around a line, the
/// middle over the series. `None` when there are too few values.
#[must_use]
pub fn noise_of(series: &[Vec<(f64, f64)>]) -> Option<Noise> {
    let found: Vec<(f64, f64, f64)> = series
        .iter()
        .filter(|samples| samples.len() >= 20)
        .filter_map(|samples| {
            let slope = slope(samples)?;
            let rest: Vec<f64> = samples.iter().map(|(t, x)| x - slope * t).collect();
            let span = samples.last()?.0 - samples.first()?.0;
            #[expect(clippy::cast_precision_loss, reason = "a few thousand samples")]
            let step = span / (samples.len() - 1) as f64;
            // The first lag whose correlation is below 1/e.
            let lag = (1..samples.len() / 4)
                .find(|lag| autocorrelation(&rest, *lag) < (-1.0_f64).exp())
                .unwrap_or(samples.len() / 4);
            #[expect(clippy::cast_precision_loss, reason = "a few thousand samples")]
            let repeats = if lag <= 1 { 0.0 } else { lag as f64 * step };
            Some((median_absolute_deviation(&rest)?, repeats, span))
        })
        .collect();
    let middle =
        |value: fn(&(f64, f64, f64)) -> f64| median(&found.iter().map(value).collect::<Vec<_>>());
    Some(Noise {
        deviation: middle(|it| it.0)?,
        repeats: Duration::from_secs_f64(middle(|it| it.1)?.max(0.0)),
        over: Some(Duration::from_secs_f64(middle(|it| it.2)?.max(0.0))),
    })
}

/// The noise of one instance beside others: of how it differs from the mean of those it
/// is judged against, at the instants that all have. What all share, such as a wave of
/// load, is none. The canary is held against the baseline; without a canary each
/// instance of the baseline against the others. One instance alone shows only itself.
#[must_use]
pub fn noise_beside(baseline: &[Vec<(f64, f64)>], canary: &[Vec<(f64, f64)>]) -> Option<Noise> {
    let others = |left_out: Option<usize>| -> Vec<&Vec<(f64, f64)>> {
        let all = baseline.iter().enumerate();
        all.filter(|(at, _)| Some(*at) != left_out)
            .map(|(_, one)| one)
            .collect()
    };
    let pairs: Vec<_> = if canary.is_empty() {
        let all = baseline.iter().enumerate();
        all.map(|(at, one)| (one, others(Some(at)))).collect()
    } else {
        canary.iter().map(|one| (one, others(None))).collect()
    };
    let beside = pairs.iter().map(|(_, others)| others.len()).min();
    let differences: Vec<Vec<(f64, f64)>> = pairs
        .iter()
        .map(|(one, others)| difference(one, others))
        .collect();
    let found = noise_of(&differences).zip(beside.filter(|count| *count > 0));
    let Some((noise, count)) = found else {
        return noise_of(baseline);
    };
    #[expect(clippy::cast_precision_loss, reason = "a few instances")]
    let both = (1.0 + 1.0 / count as f64).sqrt();
    Some(Noise {
        deviation: noise.deviation / both,
        ..noise
    })
}

/// One series without the mean of others, where all have a value.
fn difference(one: &[(f64, f64)], others: &[&Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let by_time = |series: &[(f64, f64)]| -> BTreeMap<u64, f64> {
        let at = |(time, value): &(f64, f64)| (time.to_bits(), *value);
        series.iter().map(at).collect()
    };
    let others: Vec<BTreeMap<u64, f64>> = others.iter().map(|it| by_time(it)).collect();
    one.iter()
        .filter_map(|(time, value)| {
            let values = others.iter().map(|it| it.get(&time.to_bits()).copied());
            let values: Vec<f64> = values.collect::<Option<_>>()?;
            #[expect(clippy::cast_precision_loss, reason = "a few instances")]
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            mean.is_finite().then_some((*time, value - mean))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::Said;

    fn config() -> Config {
        let text = "[rollout]\nprometheus = \"http://p\"\nbaseline = { a = \"b\" }\ncanary = { a = \"c\" }\n";
        Config::read(text, "x", &Said::default()).unwrap()
    }

    /// By hand: σ 1 MiB, one value in 120 s, one canary and one baseline, 443.8 B/s:
    /// 1.5 (2.8070 + 1.2816) 1,048,576 √(12 · 120 · 2) / 443.8 = 777,500 s^1.5,
    /// so 8,456 s.
    #[test]
    fn the_time_is_that_of_the_formula() {
        let config = config();
        let noise = Noise {
            deviation: 1_048_576.0,
            repeats: Duration::from_secs(60),
            over: None,
        };
        let power = Power::new(&config.metrics[0], noise, &config, 1, 0.9);
        let needed = power.needed.as_secs_f64();
        assert!((needed - 8_456.0).abs() < 20.0, "{needed}");
        let later = power.clone().within(power.needed * 4);
        // Eight times as sharp in four times the time.
        assert!(
            (power.matters / later.visible - 8.0).abs() < 0.1,
            "{later:?}"
        );
        let sentence = power.sentence(Duration::from_secs(7_200), &config);
        assert!(
            sentence.starts_with("256 MiB of headroom and 7.00 days between deploys make 444 B/s"),
            "{sentence}"
        );
        // Half of the noise takes 2^(2/3) less; none takes what `least` takes.
        let quiet = Noise {
            deviation: 0.0,
            ..noise
        };
        let power = Power::new(&config.metrics[0], quiet, &config, 1, 0.9);
        assert!((power.needed.as_secs_f64() - 590.6).abs() < 1.0);
    }

    #[test]
    fn noise_is_measured_around_the_line() {
        // White noise of the quantiles of a normal distribution, shuffled, on a slope.
        let samples: Vec<(f64, f64)> = (0..997_u32)
            .map(|i| {
                let p = (f64::from(i * 379 % 997) + 0.5) / 997.0;
                (
                    15.0 * f64::from(i),
                    500.0 * f64::from(i) + 10.0 * normal_quantile(p),
                )
            })
            .collect();
        let noise = noise_of(&[samples]).unwrap();
        assert!((noise.deviation - 10.0).abs() < 0.5, "{noise:?}");
        assert!(noise.repeats < Duration::from_secs(31));
        let wave: Vec<(f64, f64)> = (0..1000)
            .map(|i| (15.0 * f64::from(i), (f64::from(i) / 20.0).sin()))
            .collect();
        let noise = noise_of(&[wave]).unwrap();
        assert!(noise.repeats > Duration::from_secs(200), "{noise:?}");
        assert!(noise_of(&[vec![(0.0, 1.0); 5]]).is_none());
    }
}
