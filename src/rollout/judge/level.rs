//! A level that must not be higher, such as latency or the share of errors: Mann and
//! Whitney's comparison of spans of time, with a floor under the effect.

use std::collections::BTreeMap;

use super::{Answer, Figures, MetricJudged, Scene};
use crate::probe::show::amount_of;
use crate::rollout::series::Life;
use crate::stats::{level_shift, median, shift_interval};

/// So many spans of time; each is one value of a side.
const SPANS: i64 = 60;
/// Fewer spans than this of a side say nothing.
const LEAST_SPANS: usize = 8;
/// A shift that counts is in nearly all pairs (Cliff's delta).
const CLEAR: f64 = 0.33;

/// What was measured of a level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// The middle of the baseline, in units.
    pub baseline: f64,
    /// The middle of the canary.
    pub canary: f64,
    /// The median of all differences.
    pub shift: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The smallest shift that counts.
    pub matters: f64,
    /// The probability of such a difference of ranks by chance.
    pub p: f64,
    /// Cliff's delta.
    pub delta: f64,
}

impl Scene<'_> {
    pub(super) fn level(&self, out: &mut MetricJudged) {
        let ratio = out.metric.unit == "ratio";
        let baseline = spans(&out.baseline, ratio);
        let canary = spans(&out.canary, ratio);
        let few = baseline.len().min(canary.len()) < LEAST_SPANS;
        let found = level_shift(&baseline, &canary)
            .zip(shift_interval(&baseline, &canary, self.config.confidence))
            .zip(median(&baseline).zip(median(&canary)));
        let Some(((ranks, (low, high)), levels)) = found.filter(|_| !few) else {
            "too little was seen of both".clone_into(&mut out.because);
            out.seconds_to_decide = Some(20.0 * self.step);
            return;
        };
        let matters = (out.metric.effect * levels.0.abs()).max(out.metric.floor);
        let shift = Shift {
            baseline: levels.0,
            canary: levels.1,
            shift: ranks.shift,
            low,
            high,
            matters,
            p: ranks.p,
            delta: ranks.delta,
        };
        let unit = out.metric.unit.as_str();
        (out.answer, out.because) = answer(&shift, 1.0 - self.config.confidence, unit);
        if out.answer == Answer::Inconclusive {
            let most = baseline.len().min(canary.len());
            #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
            let seen = most as f64 * self.config.duration.as_secs_f64() / SPANS as f64;
            let factor = ((high - low) / (2.0 * matters)).powi(2).clamp(1.5, 100.0);
            out.seconds_to_decide = Some(factor * seen.max(10.0 * self.step));
        }
        out.figures = Figures::Shift(shift);
    }
}

/// The middle of each span of time in which the side was seen; of a ratio the mean,
/// since what is rare has no middle.
fn spans(lives: &[Life], ratio: bool) -> Vec<f64> {
    let ticks = || {
        lives
            .iter()
            .flat_map(|life| &life.samples)
            .map(|(tick, _)| *tick)
    };
    let (Some(first), Some(last)) = (ticks().min(), ticks().max()) else {
        return Vec::new();
    };
    let width = ((last - first + 1) / SPANS).max(1);
    let mut spans: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (tick, value) in lives.iter().flat_map(|life| &life.samples) {
        spans
            .entry((tick - first) / width)
            .or_default()
            .push(*value);
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    spans
        .values()
        .filter_map(|values| {
            if ratio {
                Some(mean(values))
            } else {
                median(values)
            }
        })
        .collect()
}

fn answer(shift: &Shift, by_chance: f64, unit: &str) -> (Answer, String) {
    let percent = 100.0 * shift.shift / shift.baseline.abs().max(f64::MIN_POSITIVE);
    let higher = if unit == "ratio" || !percent.is_finite() || percent.abs() > 1_000.0 {
        format!("{} higher", amount_of(unit, shift.shift))
    } else {
        format!("{percent:.1} % higher")
    };
    if shift.shift >= shift.matters
        && shift.p < by_chance
        && shift.delta >= CLEAR
        && shift.low > 0.0
    {
        return (Answer::Fail, format!("it is {higher} than in the baseline"));
    }
    if shift.high < shift.matters {
        let because = if shift.low > 0.0 {
            format!("it is {higher}, which is less than counts")
        } else {
            "it is as in the baseline".to_owned()
        };
        return (Answer::Pass, because);
    }
    let because = format!(
        "it varies too much to rule out a level {} higher",
        amount_of(unit, shift.matters)
    );
    (Answer::Inconclusive, because)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_medians_and_of_a_ratio_means() {
        let life = Life {
            instance: String::new(),
            samples: (0..600)
                .map(|tick| (tick, f64::from(u8::from(tick % 10 == 0))))
                .collect(),
        };
        let lives = [life];
        assert_eq!(spans(&lives, false), vec![0.0; 60]);
        assert!(
            spans(&lives, true)
                .iter()
                .all(|value| (value - 0.1).abs() < 1e-9)
        );
        assert!(spans(&[], true).is_empty());
    }
}
