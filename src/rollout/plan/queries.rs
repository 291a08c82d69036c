//! The queries of a plan: the canary against its baseline, in one number.

use std::time::Duration;

use super::{Plan, PlanError};
use crate::probe::show::{amount_of, slow_rate_of};
use crate::rollout::{Config, Kind, Metric, promql};

/// How an engine's templates begin.
const TEMPLATE: &str = "{{";

/// Holds that nothing that goes into a manifest would be taken for a template.
pub(super) fn check(config: &Config) -> Result<(), PlanError> {
    let labels = config.baseline.iter().chain(&config.canary);
    let texts = labels
        .flat_map(|(_, value)| [value.as_str()])
        .map(|value| ("a label of [rollout]".to_owned(), value))
        .chain(config.metrics.iter().flat_map(|metric| {
            [&metric.query, &metric.unit]
                .map(|text| (format!("the metric `{}`", metric.id), text.as_str()))
        }))
        .chain([("`prometheus`".to_owned(), config.access.url.as_str())]);
    for (what, text) in texts {
        if text.contains(TEMPLATE) {
            return Err(PlanError::Template { what });
        }
    }
    Ok(())
}

/// A number that an engine holds against a limit.
pub(super) struct Check {
    /// The query; its value is too high from `limit` on.
    pub(super) query: String,
    /// The limit.
    pub(super) limit: f64,
    /// What too high means, in words.
    pub(super) says: String,
}

fn side(metric: &Metric, config: &Config, canary: bool) -> String {
    let labels = if canary {
        &config.canary
    } else {
        &config.baseline
    };
    promql::query(&metric.query, &promql::selector(labels), config.rate_window)
}

/// The check of a metric; of a trend over the plan's time for slopes, in which only
/// a larger leak than the smallest that matters stands out of the noise. The judge
/// looks at the whole time.
pub(super) fn of(plan: &Plan, metric: &Metric) -> Check {
    let config = &plan.config;
    let (canary, baseline) = (side(metric, config, true), side(metric, config, false));
    let unit = metric.unit.as_str();
    if metric.kind == Kind::Trend {
        let window = plan.slope_window.as_secs().max(1);
        let over = format!(
            "[{}:{}]",
            promql::span(Duration::from_secs(window)),
            promql::span(config.step)
        );
        let slope = |query: &str| format!("avg(deriv(({query}){over}))");
        let limit = limit(plan, metric);
        return Check {
            query: format!("{} - {}", slope(&canary), slope(&baseline)),
            limit,
            says: format!(
                "growth of {} by {} or more against the baseline, over {}",
                metric.id,
                slow_rate_of(unit, limit),
                super::settings::time(plan.slope_window)
            ),
        };
    }
    // Higher by the share and by the floor: the smaller of the two excesses tells.
    let excess = |number: u8, of: String| {
        format!("label_replace(avg({canary}) - {of}, \"excess\", \"{number}\", \"\", \"\")")
    };
    Check {
        query: format!(
            "min({} or {})",
            excess(1, format!("avg({baseline}) * {}", 1.0 + metric.effect)),
            excess(2, format!("avg({baseline}) - {}", metric.floor)),
        ),
        limit: 0.0,
        says: format!(
            "{} higher than the baseline's, by {:.0} % and by {}",
            metric.id,
            metric.effect * 100.0,
            amount_of(unit, metric.floor)
        ),
    }
}

/// The slope at which an engine goes back: what stands out of the noise in the time
/// that it takes slopes over, and no less than what matters; four digits.
fn limit(plan: &Plan, metric: &Metric) -> f64 {
    let matters = plan.config.matters(metric);
    let window = plan.slope_window.as_secs_f64();
    let known = plan.power.iter().find(|power| power.metric == metric.id);
    let visible = known.map_or_else(
        || matters * (plan.duration.as_secs_f64() / window).powf(1.5),
        |power| power.visible_in(plan.slope_window),
    );
    let limit = matters.max(visible);
    let factor = 10_f64.powf(3.0 - limit.log10().floor());
    (limit * factor).ceil() / factor
}
