//! A picture of how much of what went wrong is found at which number of alerts.

use std::fmt::Write as _;

use super::{History, Row};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 24.0;
/// Alerts are drawn up to this share of all upgrades.
const MOST: f64 = 0.3;

/// The curves of some labels as an SVG: recall over the share of alerts.
#[must_use]
pub fn curves(history: &History) -> String {
    let labels = ["bad", "bad_adv", "bad_yank_isolated", "patch_3d_commit"];
    let colours = ["#1b6ca8", "#b3261e", "#7a5c00", "#2e7d32"];
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    axes(&mut out);
    for ((label, colour), at) in labels.into_iter().zip(colours).zip(0_u8..) {
        let Some(points) = points(&history.rows, label) else {
            continue;
        };
        let path: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{:.1},{:.1}", across(*x), down(*y)))
            .collect();
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            path.join(" ")
        );
        let y = TOP + 16.0 + 18.0 * f64::from(at);
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{y:.0}\" fill=\"{colour}\">{label}</text>",
            LEFT + 12.0
        );
    }
    out.push_str("</svg>\n");
    out
}

fn across(share: f64) -> f64 {
    LEFT + share / MOST * (WIDTH - LEFT - 20.0)
}

fn down(recall: f64) -> f64 {
    HEIGHT - 48.0 - recall * (HEIGHT - 48.0 - TOP)
}

fn axes(out: &mut String) {
    for tenth in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        let y = down(tenth);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/><text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#444\">{:.0} %</text>",
            WIDTH - 20.0,
            LEFT - 8.0,
            y + 4.0,
            tenth * 100.0
        );
    }
    for share in [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3] {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#444\">{:.0} %</text>",
            across(share),
            HEIGHT - 28.0,
            share * 100.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#222\">share of upgrades that are looked at, the highest scores first</text>\n<line x1=\"{LEFT}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>",
        LEFT + (WIDTH - LEFT) / 2.0,
        HEIGHT - 8.0,
        down(0.0),
        across(MOST),
        down(MOST)
    );
}

fn points(rows: &[Row], label: &str) -> Option<Vec<(f64, f64)>> {
    let mut settled: Vec<(f64, bool)> = rows
        .iter()
        .filter_map(|row| Some((row.score, *row.labels.get(label)?)))
        .collect();
    settled.sort_by(|a, b| b.0.total_cmp(&a.0));
    let bad = settled.iter().filter(|row| row.1).count();
    if bad == 0 {
        return None;
    }
    let (mut seen, mut found) = (0, 0);
    let mut points = vec![(0.0, 0.0)];
    for tie in settled.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        seen += tie.len();
        found += tie.iter().filter(|row| row.1).count();
        let (x, y) = (
            seen as f64 / settled.len() as f64,
            found as f64 / bad as f64,
        );
        if x > MOST {
            // The last piece is cut where the picture ends.
            let (from_x, from_y) = points.last().copied().unwrap_or_default();
            points.push((MOST, from_y + (y - from_y) * (MOST - from_x) / (x - from_x)));
            break;
        }
        points.push((x, y));
    }
    Some(points)
}
