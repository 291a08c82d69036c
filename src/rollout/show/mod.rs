//! A judgement as text, JSON or a picture. Recomputes nothing.

mod json;
mod plot;
mod text;

pub use json::{About, json};
pub use plot::svg;
pub use text::{outcome_text, text};

use super::judge::MetricJudged;
use super::series::Life;
use super::{Answer, Kind};

/// The answer of one metric in the words of its kind: those of the probe for what is
/// held.
pub(super) fn word(judged: &MetricJudged) -> &'static str {
    match (judged.metric.kind, judged.answer) {
        (_, Answer::Inconclusive) => "inconclusive",
        (Kind::Trend, Answer::Pass) => "no-leak",
        (Kind::Trend, Answer::Fail) => "leak",
        (_, Answer::Pass) => "no-worse",
        (_, Answer::Fail) => "worse",
    }
}

/// All samples of a side in order of time, in seconds since the window's start.
pub(super) fn points(lives: &[Life], step: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = lives
        .iter()
        .flat_map(|life| &life.samples)
        .map(|(tick, value)| {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
            let at = *tick as f64;
            (at * step, *value)
        })
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points
}

/// The highest value of both sides.
pub(super) fn highest(judged: &MetricJudged) -> f64 {
    judged
        .baseline
        .iter()
        .chain(&judged.canary)
        .flat_map(|life| &life.samples)
        .map(|(_, value)| *value)
        .fold(0.0, f64::max)
}
