//! A judgement as an SVG picture: one panel for each metric, both sides over time.

use std::fmt::Write as _;

use super::{highest, word};
use crate::probe::show::{amount_of, slow_rate_of};
use crate::rollout::Answer;
use crate::rollout::judge::{Figures, Judged, MetricJudged};
use crate::rollout::series::Life;

const WIDTH: f64 = 720.0;
const PANEL: f64 = 150.0;
const LEFT: f64 = 96.0;
const TOP: f64 = 30.0;
const PLOT_WIDTH: f64 = WIDTH - LEFT - 16.0;
const PLOT_HEIGHT: f64 = PANEL - 48.0;
/// More points of a life than this are thinned out.
const MOST_POINTS: usize = 600;
/// More lives of a side than this are not drawn.
const MOST_LIVES: usize = 40;

/// The picture. Of text from outside it holds ids of metrics, which are letters and
/// digits, and units, escaped.
#[must_use]
pub fn svg(judged: &Judged) -> String {
    let drawn: Vec<&MetricJudged> = judged
        .metrics
        .iter()
        .filter(|metric| !metric.baseline.is_empty() || !metric.canary.is_empty())
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a few dozen panels at most")]
    let height = PANEL * drawn.len() as f64 + 28.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"14\">rollout: {}; baseline blue, canary orange</text>\n",
        judged.decision.as_str()
    );
    let mut top = 28.0;
    for metric in drawn {
        panel(judged, metric, top, &mut out);
        top += PANEL;
    }
    out.push_str("</svg>\n");
    out
}

fn escaped(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

fn panel(judged: &Judged, metric: &MetricJudged, top: f64, out: &mut String) {
    let unit = metric.metric.unit.as_str();
    let step = judged.window.step.as_secs_f64();
    let end = judged.window.duration().as_secs_f64().max(1e-9);
    let highest = highest(metric).max(1e-9);
    let mark = if metric.answer == Answer::Fail {
        "#c00"
    } else {
        "#333"
    };
    let figure = match &metric.figures {
        Figures::Growth(growth) => slow_rate_of(unit, growth.slope),
        Figures::Shift(shift) => amount_of(unit, shift.shift),
        Figures::None | Figures::Restarts(..) => String::new(),
    };
    let _ = write!(
        out,
        "<text x=\"8\" y=\"{:.1}\" fill=\"{mark}\">{}: {} {}</text>\n\
         <text x=\"8\" y=\"{:.1}\" fill=\"#777\">{}</text>\n\
         <text x=\"8\" y=\"{:.1}\" fill=\"#777\">0</text>\n\
         <rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{PLOT_WIDTH}\" height=\"{PLOT_HEIGHT}\" fill=\"none\" stroke=\"#ddd\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#777\" text-anchor=\"end\">{end:.0} s</text>\n",
        top + 18.0,
        escaped(&metric.metric.id),
        word(metric),
        escaped(&figure),
        top + TOP + 10.0,
        escaped(&amount_of(unit, highest)),
        top + TOP + PLOT_HEIGHT,
        top + TOP,
        LEFT + PLOT_WIDTH,
        top + TOP + PLOT_HEIGHT + 13.0,
    );
    for (lives, color) in [(&metric.baseline, "#1f77b4"), (&metric.canary, "#ff7f0e")] {
        for life in lives.iter().take(MOST_LIVES) {
            curve(life, (step, end, highest), top, color, out);
        }
    }
}

fn curve(
    life: &Life,
    (step, end, highest): (f64, f64, f64),
    top: f64,
    color: &str,
    out: &mut String,
) {
    let thin = life.samples.len().div_ceil(MOST_POINTS).max(1);
    let mut line = String::new();
    for (tick, value) in life.samples.iter().step_by(thin) {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
        let at = *tick as f64 * step / end;
        let height = (value / highest).clamp(0.0, 1.0);
        let _ = write!(
            line,
            "{:.1},{:.1} ",
            LEFT + PLOT_WIDTH * at,
            top + TOP + PLOT_HEIGHT * (1.0 - height)
        );
    }
    let _ = writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>",
        line.trim_end()
    );
}
