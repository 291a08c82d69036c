//! The JSON of a judgement: metrics in the shape of the probe's resources.

use serde::Serialize;

use super::word;
use crate::rollout::judge::{Figures, Judged, MetricJudged};
use crate::rollout::outcome::Outcome;
use crate::rollout::{Answer, Kind};

/// What a judgement is about, as far as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The digest of the difference of dependencies, `sha256:…`.
    pub difference: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    schema_version: u32,
    decision: &'static str,
    because: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff_digest: Option<&'a str>,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Span>,
    ended: Option<String>,
    metrics: Vec<Entry<'a>>,
    absent: &'a [String],
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<Sides>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_per_second: Option<Sides>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Span {
    start: String,
    end: String,
    duration_seconds: f64,
    step_seconds: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Sides {
    baseline: Option<f64>,
    canary: Option<f64>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Entry<'a> {
    resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    answer: &'a str,
    because: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slope_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noise_memory_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    windows_before: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smallest_visible: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matters: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    own_slope_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_slope_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slope_per_request: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    over_requests: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_level: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shift: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_judged: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_to_limit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_to_decide: Option<f64>,
}

/// Seven digits: what lies below is noise.
fn rounded(value: f64) -> Option<f64> {
    if !value.is_finite() {
        return None;
    }
    if value == 0.0 {
        return Some(0.0);
    }
    let digits = 7.0 - value.abs().log10().ceil();
    let factor = 10_f64.powf(digits);
    Some((value * factor).round() / factor)
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Trend => "trend",
        Kind::Level => "level",
        Kind::Requests => "requests",
        Kind::Starts => "starts",
        Kind::Restarts => "restarts",
    }
}

fn entry(judged: &MetricJudged) -> Entry<'_> {
    let plain = Entry {
        resource: &judged.metric.id,
        kind: Some(kind(judged.metric.kind)),
        unit: Some(&judged.metric.unit),
        answer: word(judged),
        because: &judged.because,
        seconds_to_decide: judged.seconds_to_decide.and_then(rounded),
        ..Entry::default()
    };
    let pair = |low, high| Some([rounded(low)?, rounded(high)?]);
    match &judged.figures {
        Figures::None => plain,
        Figures::Growth(growth) => Entry {
            slope_per_second: rounded(growth.slope),
            interval: pair(growth.low, growth.high),
            interval_by: Some(if growth.by_memory { "memory" } else { "ranks" }),
            noise_memory_seconds: growth.noise_memory.and_then(rounded),
            windows_before: Some(growth.windows_before),
            smallest_visible: rounded(growth.smallest_visible),
            matters: rounded(growth.matters),
            own_slope_per_second: growth.own.and_then(rounded),
            base_slope_per_second: growth.baseline.and_then(rounded),
            slope_per_request: growth.per_request.and_then(rounded),
            over_requests: Some(growth.over_requests),
            level: rounded(growth.levels.0),
            base_level: rounded(growth.levels.1),
            seconds_judged: rounded(growth.window),
            seconds_to_limit: growth.seconds_to_limit.and_then(rounded),
            ..plain
        },
        Figures::Shift(shift) => Entry {
            level: rounded(shift.canary),
            base_level: rounded(shift.baseline),
            shift: rounded(shift.shift),
            interval: pair(shift.low, shift.high),
            matters: rounded(shift.matters),
            probability: rounded(shift.p),
            delta: rounded(shift.delta),
            ..plain
        },
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        Figures::Restarts(baseline, canary) => Entry {
            level: Some(*canary as f64),
            base_level: Some(*baseline as f64),
            ..plain
        },
    }
}

/// The JSON of a judgement.
#[must_use]
pub fn json(judged: &Judged, about: &About) -> Vec<u8> {
    let window = judged.window;
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let instances = Sides {
        baseline: Some(judged.instances.0 as f64),
        canary: Some(judged.instances.1 as f64),
    };
    bytes(&Document {
        schema_version: 1,
        decision: judged.decision.as_str(),
        because: &judged.because,
        diff_digest: about.difference.as_deref(),
        source: "prometheus",
        window: Some(Span {
            start: window.start.to_string(),
            end: window.end.to_string(),
            duration_seconds: window.duration().as_secs_f64(),
            step_seconds: window.step.as_secs_f64(),
        }),
        ended: Some(window.end.to_string()),
        metrics: judged.metrics.iter().map(entry).collect(),
        absent: &judged.absent,
        notes: &judged.notes,
        instances: Some(instances),
        requests_per_second: Some(Sides {
            baseline: judged.rates.0.and_then(rounded),
            canary: judged.rates.1.and_then(rounded),
        }),
    })
}

fn bytes(document: &Document<'_>) -> Vec<u8> {
    // Plain data is always serialisable.
    let mut bytes = serde_json::to_vec_pretty(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

impl Outcome {
    /// The JSON of what a rollout engine came to, in the same shape.
    #[must_use]
    pub fn json(&self, about: &About) -> Vec<u8> {
        let word = |answer: Answer| match answer {
            Answer::Pass => "no-worse",
            Answer::Inconclusive => "inconclusive",
            Answer::Fail => "worse",
        };
        let span = self.started.zip(self.ended);
        bytes(&Document {
            schema_version: 1,
            decision: self.decision.as_str(),
            because: &self.because,
            diff_digest: about.difference.as_deref(),
            source: self.engine.as_str(),
            window: span.map(|(start, end)| Span {
                start: start.to_string(),
                end: end.to_string(),
                duration_seconds: end.duration_since(start).as_secs_f64().max(0.0),
                step_seconds: 0.0,
            }),
            ended: self.ended.map(|time| time.to_string()),
            metrics: self
                .metrics
                .iter()
                .map(|(name, answer, because)| Entry {
                    resource: name,
                    answer: word(*answer),
                    because,
                    ..Entry::default()
                })
                .collect(),
            absent: &[],
            notes: &self.notes,
            instances: None,
            requests_per_second: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_seven_digits_at_any_size() {
        assert_eq!(rounded(0.000_123_456_789_1), Some(0.000_123_456_8));
        assert_eq!(rounded(123_456_789.123), Some(123_456_800.0));
        assert_eq!(rounded(-0.0), Some(0.0));
        assert_eq!(rounded(f64::NAN), None);
    }
}
