//! A probe as an SVG picture: one panel for each resource, both sides over time.

use std::fmt::Write as _;

use super::numbers::{amount, rate};
use crate::probe::judge::{Answer, Judged};
use crate::probe::{Probed, Resource, Segment};

const WIDTH: f64 = 720.0;
const PANEL: f64 = 150.0;
const LEFT: f64 = 96.0;
const TOP: f64 = 30.0;
const PLOT_WIDTH: f64 = WIDTH - LEFT - 16.0;
const PLOT_HEIGHT: f64 = PANEL - 48.0;
/// More points than this are thinned out.
const MOST_POINTS: usize = 600;

/// The picture. Holds no text from outside.
#[must_use]
pub fn svg(probed: &Probed) -> String {
    #[expect(clippy::cast_precision_loss, reason = "eight panels at most")]
    let height = PANEL * probed.judged.len() as f64 + 28.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"14\">probe: {}; base blue, head orange</text>\n",
        probed.decision.as_str()
    );
    let mut top = 28.0;
    for judged in &probed.judged {
        panel(probed, judged, top, &mut out);
        top += PANEL;
    }
    out.push_str("</svg>\n");
    out
}

fn panel(probed: &Probed, judged: &Judged, top: f64, out: &mut String) {
    let resource = judged.resource;
    let base = points(&probed.run.base.segments, resource);
    let head = points(&probed.run.head.segments, resource);
    let all = || base.iter().chain(&head);
    let end = all().map(|(at, _)| *at).fold(1e-9, f64::max);
    let highest = all().map(|(_, value)| *value).fold(1e-9, f64::max);
    let mark = if judged.answer == Answer::Leak {
        "#c00"
    } else {
        "#333"
    };
    let slope = judged
        .head
        .as_ref()
        .map_or_else(String::new, |growth| rate(resource, growth.slope));
    let _ = write!(
        out,
        "<text x=\"8\" y=\"{:.1}\" fill=\"{mark}\">{}: {} {slope}</text>\n\
         <text x=\"8\" y=\"{:.1}\" fill=\"#777\">{}</text>\n\
         <text x=\"8\" y=\"{:.1}\" fill=\"#777\">0</text>\n\
         <rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{PLOT_WIDTH}\" height=\"{PLOT_HEIGHT}\" fill=\"none\" stroke=\"#ddd\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#777\" text-anchor=\"end\">{end:.0} s</text>\n",
        top + 18.0,
        resource.as_str(),
        judged.answer.as_str(),
        top + TOP + 10.0,
        amount(resource, highest),
        top + TOP + PLOT_HEIGHT,
        top + TOP,
        LEFT + PLOT_WIDTH,
        top + TOP + PLOT_HEIGHT + 13.0,
    );
    for (points, color) in [(&base, "#1f77b4"), (&head, "#ff7f0e")] {
        let step = points.len().div_ceil(MOST_POINTS).max(1);
        let mut line = String::new();
        for (at, value) in points.iter().step_by(step) {
            let _ = write!(
                line,
                "{:.1},{:.1} ",
                LEFT + PLOT_WIDTH * at / end,
                top + TOP + PLOT_HEIGHT * (1.0 - value / highest)
            );
        }
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>",
            line.trim_end()
        );
    }
}

fn points(segments: &[Segment], resource: Resource) -> Vec<(f64, f64)> {
    segments
        .iter()
        .flat_map(|segment| {
            segment.samples.iter().filter_map(|sample| {
                let at = (segment.began + sample.at).as_secs_f64();
                Some((at, resource.of(sample)?))
            })
        })
        .collect()
}
