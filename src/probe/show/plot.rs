//! A probe as an SVG picture: one panel for each resource and gauge, both sides over time.

use super::frame::{Curve, Panel, picture};
use super::numbers::{amount, rate};
use crate::probe::judge::{Answer, Judged};
use crate::probe::{Probed, Segment, Watched};

/// The picture. Of text from outside it holds names of gauges.
#[must_use]
pub fn svg(probed: &Probed) -> String {
    let panels: Vec<Panel> = probed
        .judged
        .iter()
        .map(|judged| panel(probed, judged))
        .collect();
    let title = format!(
        "probe: {}; base blue, head orange",
        probed.decision.as_str()
    );
    picture(&title, &panels)
}

fn panel(probed: &Probed, judged: &Judged) -> Panel {
    let resource = &judged.resource;
    let sides = [
        curves(&probed.run.base.segments, resource),
        curves(&probed.run.head.segments, resource),
    ];
    let all = || sides.iter().flatten().flatten();
    let end = all().map(|(at, _)| *at).fold(1e-9, f64::max);
    let highest = all().map(|(_, value)| *value).fold(1e-9, f64::max);
    let slope = judged
        .head
        .as_ref()
        .map_or_else(String::new, |growth| rate(resource, growth.slope));
    let title = format!("{}: {} {slope}", resource.as_str(), judged.answer.as_str());
    Panel {
        title,
        stands_out: judged.answer == Answer::Leak,
        top: amount(resource, highest),
        highest,
        end,
        sides,
    }
}

fn curves(segments: &[Segment], watched: &Watched) -> Vec<Curve> {
    let of = |segment: &Segment| -> Curve {
        let began = segment.began.as_secs_f64();
        let points = watched.points(segment).into_iter();
        points.map(|(at, value)| (began + at, value)).collect()
    };
    segments.iter().map(of).collect()
}
