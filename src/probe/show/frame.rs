//! The frame of pictures in which two sides run beside each other: a panel for each
//! thing that was watched, the first side blue, the second orange. Of the probe and of
//! rollouts.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const PANEL: f64 = 150.0;
const HEAD: f64 = 28.0;
const LEFT: f64 = 96.0;
const TOP: f64 = 30.0;
const PLOT_WIDTH: f64 = WIDTH - LEFT - 16.0;
const PLOT_HEIGHT: f64 = PANEL - 48.0;
/// More points of a side than this are thinned out.
const MOST_POINTS: usize = 1_200;
/// More curves of a side than this are not drawn.
const MOST_CURVES: usize = 100;
const COLORS: [&str; 2] = ["#1f77b4", "#ff7f0e"];

/// The points of one life: time in seconds and value, in order of time.
pub type Curve = Vec<(f64, f64)>;

/// One panel. Its texts may be anything: they are made harmless.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Panel {
    /// What it shows, and what was found.
    pub title: String,
    /// The title is red.
    pub stands_out: bool,
    /// What the top of the panel stands for, in words.
    pub top: String,
    /// The value at the top.
    pub highest: f64,
    /// The time at the right end, in seconds.
    pub end: f64,
    /// The curves of the two sides.
    pub sides: [Vec<Curve>; 2],
}

/// The picture as SVG.
#[must_use]
pub fn picture(title: &str, panels: &[Panel]) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a few dozen panels at most")]
    let height = PANEL * panels.len() as f64 + HEAD;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"14\">{}</text>\n",
        escaped(title)
    );
    let mut top = HEAD;
    for panel in panels {
        draw(panel, top, &mut out);
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

fn draw(panel: &Panel, top: f64, out: &mut String) {
    let mark = if panel.stands_out { "#c00" } else { "#333" };
    let _ = write!(
        out,
        "<text x=\"8\" y=\"{:.1}\" fill=\"{mark}\">{}</text>\n\
         <text x=\"8\" y=\"{:.1}\" fill=\"#777\">{}</text>\n\
         <text x=\"8\" y=\"{:.1}\" fill=\"#777\">0</text>\n\
         <rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{PLOT_WIDTH}\" height=\"{PLOT_HEIGHT}\" fill=\"none\" stroke=\"#ddd\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#777\" text-anchor=\"end\">{:.0} s</text>\n",
        top + 18.0,
        escaped(&panel.title),
        top + TOP + 10.0,
        escaped(&panel.top),
        top + TOP + PLOT_HEIGHT,
        top + TOP,
        LEFT + PLOT_WIDTH,
        top + TOP + PLOT_HEIGHT + 13.0,
        panel.end,
    );
    for (curves, color) in panel.sides.iter().zip(COLORS) {
        let drawn = curves.get(..MOST_CURVES).unwrap_or(curves);
        let points: usize = drawn.iter().map(Vec::len).sum();
        let step = points.div_ceil(MOST_POINTS).max(1);
        for curve in drawn {
            line(curve, step, panel, top, color, out);
        }
    }
}

fn line(curve: &[(f64, f64)], step: usize, panel: &Panel, top: f64, color: &str, out: &mut String) {
    let (end, highest) = (panel.end.max(1e-9), panel.highest.max(1e-9));
    let mut points = String::new();
    for (at, value) in curve.iter().step_by(step) {
        let height = (value / highest).clamp(0.0, 1.0);
        let _ = write!(
            points,
            "{:.1},{:.1} ",
            LEFT + PLOT_WIDTH * at / end,
            top + TOP + PLOT_HEIGHT * (1.0 - height)
        );
    }
    let _ = writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>",
        points.trim_end()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_made_harmless_and_points_stay_inside() {
        let panel = Panel {
            title: "a<b> & \"c\"\u{1b}".to_owned(),
            top: "9".to_owned(),
            highest: 1.0,
            end: 10.0,
            sides: [vec![vec![(0.0, 0.0), (10.0, 5.0)]], Vec::new()],
            ..Panel::default()
        };
        let picture = picture("t", &[panel]);
        assert!(picture.contains(">a&lt;b&gt; &amp; &quot;c&quot;</text>"));
        assert!(
            picture.contains("points=\"96.0,160.0 704.0,58.0\""),
            "{picture}"
        );
        assert_eq!(picture.matches("<polyline").count(), 1);
    }

    #[test]
    fn many_points_are_thinned_out() {
        let curve: Curve = (0..100_000).map(|n| (f64::from(n), 1.0)).collect();
        let panel = Panel {
            highest: 1.0,
            end: 1e5,
            sides: [vec![curve], Vec::new()],
            ..Panel::default()
        };
        assert!(picture("t", &[panel]).matches(',').count() <= 1_300);
    }
}
