//! A probe for a person at a terminal.

use std::fmt::Write as _;

use super::numbers::{amount, per_unit, rate, rate_of, seconds};
use crate::probe::judge::{Answer, Judged, share_of_time};
use crate::probe::{Probed, Resource, Segment, Watched};

/// How text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct TextStyle {
    /// Columns.
    pub width: usize,
    /// Whether to colour it.
    pub color: bool,
    /// Also resources that are well, with their numbers.
    pub verbose: bool,
}

/// The width of the column of names.
const NAMES: usize = 10;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The page.
#[must_use]
pub fn text(probed: &Probed, style: TextStyle) -> String {
    let mut out = String::new();
    headline(probed, style, &mut out);
    let shown = |judged: &&Judged| {
        style.verbose
            || judged.answer == Answer::Leak
            || (judged.answer == Answer::Inconclusive && judged.head.is_some())
            || judged.level_change.is_some()
            || match &judged.resource {
                Watched::Resource(resource) => {
                    matches!(resource, Resource::Rss | Resource::Fds | Resource::Threads)
                }
                Watched::Gauge { named, .. } => *named,
            }
    };
    for judged in probed.judged.iter().filter(shown) {
        resource(probed, judged, style, &mut out);
    }
    counters(probed, style, &mut out);
    if let Some(attributed) = &probed.attributed {
        out.push('\n');
        super::attribution::text(attributed, style.width, &mut out);
    }
    for (name, side) in [("base", &probed.run.base), ("head", &probed.run.head)] {
        for trouble in &side.troubles {
            let _ = writeln!(out, "\nthe {name} {trouble}");
            let end = last_lines(&side.printed.stderr);
            for line in end.lines() {
                let _ = writeln!(out, "  | {line}");
            }
        }
    }
    busy(probed, &mut out);
    if style.verbose {
        for gap in &probed.run.head.gaps {
            let _ = writeln!(out, "\nnot seen: {gap}");
        }
    }
    let mut lives = Vec::new();
    for (name, side) in [("base", &probed.run.base), ("head", &probed.run.head)] {
        let count = side.segments.len();
        if count > 1 {
            lives.push(format!(
                "the {name} ended and was started again: {count} lives"
            ));
        }
    }
    if !lives.is_empty() {
        let _ = writeln!(out, "\n{}", lives.join("\n"));
    }
    out
}

/// The answer on one line.
#[must_use]
pub fn summary(probed: &Probed) -> String {
    let parts: Vec<String> = probed
        .judged
        .iter()
        .filter(|judged| judged.answer == Answer::Leak)
        .filter_map(|judged| {
            let head = judged.head.as_ref()?;
            let name = &judged.resource;
            Some(format!(
                "{} grows by {}",
                name.as_str(),
                rate(name, head.slope)
            ))
        })
        .collect();
    if parts.is_empty() {
        probed.decision.as_str().to_owned()
    } else {
        parts.join(", ")
    }
}

fn paint(text: &str, answer: Answer, color: bool) -> String {
    if !color {
        return text.to_owned();
    }
    let color = match answer {
        Answer::Leak => anstyle::AnsiColor::Red,
        Answer::Inconclusive => anstyle::AnsiColor::Yellow,
        Answer::NoLeak => anstyle::AnsiColor::Green,
    };
    let style = anstyle::Style::new().bold().fg_color(Some(color.into()));
    format!("{}{text}{}", style.render(), style.render_reset())
}

fn headline(probed: &Probed, style: TextStyle, out: &mut String) {
    let words = match probed.decision {
        Answer::Leak => "leak",
        Answer::NoLeak => "no leak",
        Answer::Inconclusive => "inconclusive",
    };
    let rest = match probed.decision {
        Answer::Leak => {
            let leaking: Vec<&str> = probed
                .judged
                .iter()
                .filter(|judged| judged.answer == Answer::Leak)
                .map(|judged| judged.resource.as_str())
                .collect();
            format!("the head grows in {}", leaking.join(", "))
        }
        Answer::NoLeak => probed
            .judged
            .iter()
            .find(|judged| judged.resource == Resource::Rss)
            .and_then(|judged| judged.smallest_visible)
            .map_or_else(String::new, |visible| {
                format!("none larger than {}", rate(&Resource::Rss.into(), visible))
            }),
        Answer::Inconclusive => "this run does not decide".to_owned(),
    };
    let _ = writeln!(
        out,
        "{}: {rest}\n",
        paint(words, probed.decision, style.color)
    );
}

fn resource(probed: &Probed, judged: &Judged, style: TextStyle, out: &mut String) {
    let name = &judged.resource;
    let answer = match judged.answer {
        Answer::NoLeak => "no leak",
        Answer::Inconclusive => "open",
        Answer::Leak => "leak",
    };
    let mut title = name.as_str().to_owned();
    if title.len() >= NAMES {
        // A name that needs a line of its own.
        let shown: String = title.chars().take(style.width.max(NAMES)).collect();
        let _ = writeln!(out, "{shown}");
        title.clear();
    }
    let _ = writeln!(
        out,
        "{title:<NAMES$}{}{}  {}",
        paint(answer, judged.answer, style.color),
        " ".repeat(8_usize.saturating_sub(answer.len())),
        judged.because
    );
    let columns = style.width.saturating_sub(42).clamp(10, 60);
    for (side, growth, segments) in [
        ("base", &judged.base, &probed.run.base.segments),
        ("head", &judged.head, &probed.run.head.segments),
    ] {
        let Some(growth) = growth else { continue };
        let scale = [&judged.base, &judged.head]
            .into_iter()
            .flatten()
            .map(|growth| growth.peak)
            .fold(0.0, f64::max);
        let _ = writeln!(
            out,
            "  {side}  {}  {:>10}  {}",
            sparkline(&points(segments, name), columns, scale),
            rate(name, growth.slope),
            amount(name, growth.last)
        );
    }
    notes(judged, style, out);
}

fn notes(judged: &Judged, style: TextStyle, out: &mut String) {
    let name = &judged.resource;
    if let (Answer::Leak, Some(head)) = (judged.answer, &judged.head) {
        let _ = write!(
            out,
            "  {} to {}",
            rate(name, head.low),
            rate(name, head.high)
        );
        if let Some(left) = judged.seconds_to_limit {
            let _ = write!(
                out,
                "; at this rate the limit is reached in {}",
                seconds(left)
            );
        }
        out.push('\n');
    }
    if let (Answer::Leak, [of_base, Some(of_head)]) = (judged.answer, judged.per_work) {
        let _ = write!(out, "  with each unit of work: {}", per_unit(name, of_head));
        if let Some(of_base) = of_base {
            let _ = write!(out, "; base: {}", per_unit(name, of_base));
        }
        out.push('\n');
    }
    if let Some(change) = judged.level_change {
        let word = if change > 0.0 { "higher" } else { "lower" };
        let _ = writeln!(
            out,
            "  the level is {} {word} than in the base",
            amount(name, change.abs())
        );
    }
    if let Some(needed) = judged.seconds_to_decide {
        let _ = writeln!(out, "  a run of {} would decide", seconds(needed));
    }
    if style.verbose
        && judged.answer != Answer::Leak
        && let Some(visible) = judged.smallest_visible
    {
        let _ = writeln!(
            out,
            "  smallest slope that shows here: {}",
            rate(name, visible)
        );
    }
}

/// The points of a resource or gauge over a run: time and value.
fn points(segments: &[Segment], watched: &Watched) -> Vec<(f64, f64)> {
    segments
        .iter()
        .flat_map(|segment| {
            let began = segment.began.as_secs_f64();
            let points = watched.points(segment).into_iter();
            points.map(move |(at, value)| (began + at, value))
        })
        .collect()
}

/// What the program told of itself: how many gauges, and how much work.
fn counters(probed: &Probed, style: TextStyle, out: &mut String) {
    let Some(counters) = &probed.made.counters else {
        return;
    };
    let gauges = probed
        .judged
        .iter()
        .filter(|judged| matches!(judged.resource, Watched::Gauge { .. }));
    let (grow, all) = gauges.fold((0, 0), |(grow, all), judged| {
        (grow + usize::from(judged.answer == Answer::Leak), all + 1)
    });
    let of = if all == 1 { "gauge" } else { "gauges" };
    let _ = match (all, grow) {
        (0, _) => writeln!(
            out,
            "\nno gauge looks like something held: name one with `--watch`"
        ),
        (_, 0) => writeln!(out, "\n{all} {of} watched, none leaks"),
        (_, 1) => writeln!(out, "\n{all} {of} watched, 1 leaks"),
        _ => writeln!(out, "\n{all} {of} watched, {grow} leak"),
    };
    if let Some(per) = &counters.per {
        let shown: String = per.to_string().chars().take(style.width).collect();
        let rate = |rate: Option<f64>| {
            rate.map_or_else(|| "none".to_owned(), |rate| rate_of("units", rate))
        };
        let [base, head] = probed.work;
        let _ = writeln!(
            out,
            "work by {shown}\n  base {}, head {}",
            rate(base),
            rate(head)
        );
    }
}

/// Says how much of its time a side had that had to wait for the machine.
fn busy(probed: &Probed, out: &mut String) {
    let run = &probed.run;
    let sides = [("base", &run.base), ("head", &run.head)];
    let shares: Vec<String> = sides
        .into_iter()
        .filter_map(|(name, side)| {
            let share = share_of_time(&side.segments)?;
            let waited = share < probed.made.unhindered;
            waited.then(|| format!("the {name} at least {:.0} %", (100.0 * share).floor()))
        })
        .collect();
    if !shares.is_empty() {
        let _ = writeln!(
            out,
            "
the machine was busy: {} of its time; slopes are by the time that it had",
            shares.join(", ")
        );
    }
}

/// The course of something over time, given as (time, value) in order, in blocks of
/// eight heights; `highest` is the height of the tallest.
#[must_use]
pub fn sparkline(points: &[(f64, f64)], columns: usize, highest: f64) -> String {
    let end = points
        .last()
        .map_or(0.0, |(at, _)| *at)
        .max(f64::MIN_POSITIVE);
    let mut heights: Vec<Option<f64>> = vec![None; columns];
    for (at, value) in points {
        if let Some(slot) = heights.get_mut(place(at / end, columns)) {
            *slot = Some(slot.map_or(*value, |old: f64| old.max(*value)));
        }
    }
    heights
        .into_iter()
        .map(|height| match height {
            None => ' ',
            Some(height) => BARS
                .get(place(height / highest.max(f64::MIN_POSITIVE), BARS.len()))
                .copied()
                .unwrap_or(' '),
        })
        .collect()
}

/// The place of a share (0 to 1) among `count` slots.
fn place(share: f64, count: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a small number, not negative"
    )]
    let place = (share.clamp(0.0, 1.0) * count as f64) as usize;
    place.min(count.saturating_sub(1))
}

/// The last lines of what a workload said, made harmless.
fn last_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines
        .into_iter()
        .rev()
        .map(|line| {
            line.chars()
                .take(200)
                .map(|c| {
                    if c.is_control() || is_format(c) {
                        '\u{fffd}'
                    } else {
                        c
                    }
                })
                .collect::<String>()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Characters that change the direction of text or cannot be seen.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
