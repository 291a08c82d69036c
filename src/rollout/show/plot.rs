//! A judgement as an SVG picture: one panel for each metric, both sides over time.

use super::{highest, word};
use crate::probe::show::frame::{Panel, picture};
use crate::probe::show::{amount_of, slow_rate_of};
use crate::rollout::Answer;
use crate::rollout::judge::{Figures, Judged, MetricJudged};
use crate::rollout::series::Life;

/// The picture. Of text from outside it holds ids of metrics and units.
#[must_use]
pub fn svg(judged: &Judged) -> String {
    let panels: Vec<Panel> = judged
        .metrics
        .iter()
        .filter(|metric| !metric.baseline.is_empty() || !metric.canary.is_empty())
        .map(|metric| panel(judged, metric))
        .collect();
    let title = format!(
        "rollout: {}; baseline blue, canary orange",
        judged.decision.as_str()
    );
    picture(&title, &panels)
}

fn panel(judged: &Judged, metric: &MetricJudged) -> Panel {
    let unit = metric.metric.unit.as_str();
    let step = judged.window.step.as_secs_f64();
    let highest = highest(metric).max(1e-9);
    let figure = match &metric.figures {
        Figures::Growth(growth) => slow_rate_of(unit, growth.slope),
        Figures::Shift(shift) => amount_of(unit, shift.shift),
        Figures::None | Figures::Restarts(..) => String::new(),
    };
    let curves = |lives: &[Life]| lives.iter().map(|life| life.points(step)).collect();
    Panel {
        title: format!("{}: {} {figure}", metric.metric.id, word(metric)),
        stands_out: metric.answer == Answer::Fail,
        top: amount_of(unit, highest),
        highest,
        end: judged.window.duration().as_secs_f64(),
        sides: [curves(&metric.baseline), curves(&metric.canary)],
    }
}
