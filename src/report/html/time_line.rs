//! The releases around a change, on a line of time.

use jiff::Timestamp;
use semver::Version;

use crate::audit::JudgedChange;

use super::{Shown, short};

const WIDTH: f64 = 620.0;
const MARGIN: f64 = 46.0;
/// How many later releases are drawn.
const LATER: usize = 12;
/// How many lanes of labels there are above the line.
const LANES: usize = 3;

pub(super) struct TimeLine {
    pub(super) width: u32,
    pub(super) marks: Vec<Mark>,
    /// The same in a sentence.
    pub(super) words: Shown,
}

pub(super) struct Mark {
    /// From the left.
    pub(super) x: String,
    pub(super) class: &'static str,
    pub(super) label: Shown,
    /// The height of the label; `None` where there is no room for it.
    pub(super) label_y: Option<u32>,
    pub(super) anchor: &'static str,
    pub(super) title: Shown,
}

struct Point {
    at: Timestamp,
    class: &'static str,
    label: String,
}

/// The line; `None` when no publish time is known.
pub(super) fn of(judged: &JudgedChange, as_of: Timestamp) -> Option<TimeLine> {
    let dossier = &judged.dossier;
    let incoming = dossier.published.seen()?;
    let version = |release: Option<&crate::pkg::Release>| {
        release.map_or_else(String::new, |release| release.version.to_string())
    };
    let mut points = vec![Point {
        at: incoming.at,
        class: "in",
        label: version(judged.change.incoming()),
    }];
    if let Some(previous) = dossier.previous_published.seen() {
        points.push(Point {
            at: previous.at,
            class: "out",
            label: version(judged.change.outgoing()),
        });
    }
    if let Some(later) = dossier.later.seen() {
        for release in later.releases.iter().take(LATER) {
            points.extend(later_point(
                incoming.at,
                &release.version,
                release.after_days,
                release.yanked,
            ));
        }
    }
    points.push(Point {
        at: as_of,
        class: "now",
        label: "judged".to_owned(),
    });
    points.sort_by(|a, b| (a.at, a.class, &a.label).cmp(&(b.at, b.class, &b.label)));
    let words: Vec<String> = points
        .iter()
        .map(|point| format!("{} {}", point.label, point.at.strftime("%Y-%m-%d")))
        .collect();
    Some(TimeLine {
        width: 620,
        marks: marks(&points),
        words: short(&words.join(", ")),
    })
}

fn later_point(from: Timestamp, version: &Version, days: f64, yanked: bool) -> Option<Point> {
    // A date that the calendar does not have is not drawn.
    let span = jiff::SignedDuration::try_from_secs_f64(days * 86_400.0).ok()?;
    Some(Point {
        at: from.checked_add(span).ok()?,
        class: if yanked { "withdrawn" } else { "later" },
        label: version.to_string(),
    })
}

fn marks(points: &[Point]) -> Vec<Mark> {
    let seconds = |at: Timestamp| at.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64();
    let first = points.first().map_or(0.0, |point| seconds(point.at));
    let span = points.last().map_or(0.0, |point| seconds(point.at)) - first;
    let mut ends = [f64::MIN; LANES];
    let mut out = Vec::with_capacity(points.len());
    for point in points {
        let share = if span > 0.0 {
            (seconds(point.at) - first) / span
        } else {
            0.5
        };
        let x = MARGIN + share * (WIDTH - 2.0 * MARGIN);
        let label: String = point.label.chars().take(16).collect();
        let half = 3.6 * f64::from(u8::try_from(label.chars().count()).unwrap_or(16));
        let lane = ends.iter().position(|end| x - half > *end + 6.0);
        if let Some(end) = lane.and_then(|lane| ends.get_mut(lane)) {
            *end = x + half;
        }
        out.push(Mark {
            x: format!("{x:.1}"),
            class: point.class,
            label: short(&label),
            label_y: lane.and_then(|lane| u32::try_from(42 - 14 * lane).ok()),
            anchor: "middle",
            title: short(&format!(
                "{}, {}",
                point.label,
                point.at.strftime("%Y-%m-%d %H:%M UTC")
            )),
        });
    }
    out
}
