//! A judgement for a person at a terminal.

use std::fmt::Write as _;

use super::{highest, points};
use crate::probe::show::{TextStyle, amount_of, rate_of, seconds, slow_rate_of, sparkline};
use crate::rollout::judge::{Figures, Growth, Judged, MetricJudged, Shift};
use crate::rollout::outcome::Outcome;
use crate::rollout::{Answer, Kind};

/// The page.
#[must_use]
pub fn text(judged: &Judged, style: TextStyle) -> String {
    let mut out = String::new();
    headline(judged.decision, &judged.because, style, &mut out);
    if judged.instances == (0, 0) && judged.absent.is_empty() {
        return out;
    }
    let window = judged.window;
    let plural = |count: usize| if count == 1 { "instance" } else { "instances" };
    let _ = writeln!(
        out,
        "{} to {}: {} {} of the baseline, {} of the canary",
        window.start.strftime("%Y-%m-%d %H:%M:%S"),
        window.end.strftime("%H:%M:%S UTC"),
        judged.instances.0,
        plural(judged.instances.0),
        judged.instances.1,
    );
    if let (Some(baseline), Some(canary)) = judged.rates {
        let _ = writeln!(
            out,
            "requests of an instance: {} in the baseline, {} in the canary",
            rate_of("requests", baseline),
            rate_of("requests", canary),
        );
    }
    for metric in &judged.metrics {
        out.push('\n');
        one(judged, metric, style, &mut out);
    }
    let mut rest: Vec<String> = judged.notes.clone();
    if !judged.absent.is_empty() {
        rest.push(format!("neither side has {}", judged.absent.join(", ")));
    }
    notes(&rest, style, &mut out);
    out
}

/// What a rollout engine came to, for a person.
#[must_use]
pub fn outcome_text(outcome: &Outcome, style: TextStyle) -> String {
    let mut out = String::new();
    headline(outcome.decision, &outcome.because, style, &mut out);
    for (name, answer, because) in &outcome.metrics {
        line(name, *answer, because, Kind::Level, style, &mut out);
    }
    notes(&outcome.notes, style, &mut out);
    out
}

fn notes(notes: &[String], style: TextStyle, out: &mut String) {
    if notes.is_empty() {
        return;
    }
    out.push('\n');
    for note in notes {
        folded("note: ", note, style.width, out);
    }
}

/// A line, continued below itself where it is too long, without what could change
/// the terminal.
fn folded(start: &str, text: &str, width: usize, out: &mut String) {
    let indent = start.chars().count();
    let mut line = start.to_owned();
    let mut length = indent;
    let mut fresh = true;
    for word in text.split_whitespace() {
        let word: String = word.chars().map(harmless).collect();
        let more = word.chars().count() + usize::from(!fresh);
        if !fresh && length + more > width {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(indent);
            length = indent;
            fresh = true;
        }
        if !fresh {
            line.push(' ');
        }
        length += word.chars().count() + usize::from(!fresh);
        line.push_str(&word);
        fresh = false;
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

fn harmless(c: char) -> char {
    let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if c.is_control() || hidden {
        '\u{fffd}'
    } else {
        c
    }
}

fn paint(text: &str, answer: Answer, color: bool) -> String {
    if !color {
        return text.to_owned();
    }
    let color = match answer {
        Answer::Fail => anstyle::AnsiColor::Red,
        Answer::Inconclusive => anstyle::AnsiColor::Yellow,
        Answer::Pass => anstyle::AnsiColor::Green,
    };
    let style = anstyle::Style::new().bold().fg_color(Some(color.into()));
    format!("{}{text}{}", style.render(), style.render_reset())
}

fn headline(decision: Answer, because: &str, style: TextStyle, out: &mut String) {
    let word = decision.as_str();
    let mut plain = String::new();
    folded(&format!("{word}: "), because, style.width, &mut plain);
    // The first word is painted after the line was measured.
    let rest = plain.get(word.len()..).unwrap_or_default();
    let _ = writeln!(out, "{}{rest}", paint(word, decision, style.color));
}

fn line(name: &str, answer: Answer, because: &str, kind: Kind, style: TextStyle, out: &mut String) {
    let word = match (kind, answer) {
        (_, Answer::Inconclusive) => "open",
        (Kind::Trend, Answer::Pass) => "no leak",
        (Kind::Trend, Answer::Fail) => "leak",
        (_, Answer::Pass) => "no worse",
        (_, Answer::Fail) => "worse",
    };
    let name: String = name.chars().map(harmless).collect();
    let start = format!("{name:<17} {word:<9} ");
    let mut plain = String::new();
    folded(&start, because, style.width, &mut plain);
    let (before, after) = plain.split_once(word).unwrap_or((&plain, ""));
    let _ = write!(out, "{before}{}{after}", paint(word, answer, style.color));
}

fn one(judged: &Judged, metric: &MetricJudged, style: TextStyle, out: &mut String) {
    line(
        &metric.metric.id,
        metric.answer,
        &metric.because,
        metric.metric.kind,
        style,
        out,
    );
    let unit = metric.metric.unit.as_str();
    let columns = style.width.saturating_sub(45).clamp(10, 60);
    let highest = highest(metric);
    let step = judged.window.step.as_secs_f64();
    let growth = match &metric.figures {
        Figures::Growth(growth) => Some(growth),
        Figures::None | Figures::Shift(_) | Figures::Restarts(..) => None,
    };
    let shift = match &metric.figures {
        Figures::Shift(shift) => Some(shift),
        Figures::None | Figures::Growth(_) | Figures::Restarts(..) => None,
    };
    for (side, lives, slope, level) in [
        (
            "baseline",
            &metric.baseline,
            growth.and_then(|growth| growth.baseline),
            growth
                .map(|growth| growth.levels.1)
                .or(shift.map(|shift| shift.baseline)),
        ),
        (
            "canary",
            &metric.canary,
            growth.and_then(|growth| growth.own),
            growth
                .map(|growth| growth.levels.0)
                .or(shift.map(|shift| shift.canary)),
        ),
    ] {
        if lives.is_empty() {
            continue;
        }
        let _ = writeln!(
            out,
            "  {side:<8}  {}  {:>12}  {}",
            sparkline(&points(lives, step), columns, highest),
            slope.map_or_else(String::new, |slope| slow_rate_of(unit, slope)),
            level.map_or_else(String::new, |level| amount_of(unit, level)),
        );
    }
    if let Some(growth) = growth {
        of_growth(growth, metric, style, out);
    }
    if let Some(shift) = shift {
        of_shift(shift, unit, style, out);
    }
    if let Some(needed) = metric.seconds_to_decide {
        let _ = writeln!(out, "  a window of {} would decide", seconds(needed));
    }
}

fn of_growth(growth: &Growth, metric: &MetricJudged, style: TextStyle, out: &mut String) {
    let unit = metric.metric.unit.as_str();
    let mut said = format!(
        "against the baseline {} ({} to {})",
        slow_rate_of(unit, growth.slope),
        slow_rate_of(unit, growth.low),
        slow_rate_of(unit, growth.high)
    );
    if let Some(per_request) = growth.per_request
        && metric.answer == Answer::Fail
    {
        let _ = write!(said, ", {} per request", amount_of(unit, per_request));
    }
    if growth.by_memory {
        said.push_str(", by how long noise is remembered");
        if let Some(memory) = growth.noise_memory {
            let _ = write!(said, " (about {}", seconds(memory));
            match growth.windows_before {
                0 => {}
                1 => said.push_str(", as one window before this one tells, too"),
                windows => {
                    let _ = write!(said, ", as {windows} windows before this one tell, too");
                }
            }
            said.push(')');
        }
    }
    if growth.over_requests {
        said.push_str(", counted over requests since the loads differ");
    }
    if let Some(left) = growth.seconds_to_limit {
        let _ = write!(
            said,
            "; at this rate {} are used up in {}",
            amount_of(unit, metric.metric.headroom),
            seconds(left)
        );
    }
    if metric.answer != Answer::Fail || style.verbose {
        let _ = write!(
            said,
            "; this window shows {} or more, and {} matters",
            slow_rate_of(unit, growth.smallest_visible),
            slow_rate_of(unit, growth.matters)
        );
    }
    folded("  ", &said, style.width, out);
    let above = growth.levels.0 - growth.levels.1;
    if above.abs() >= metric.metric.least && above.abs() >= 0.1 * growth.levels.1.abs() {
        let word = if above > 0.0 { "higher" } else { "lower" };
        let _ = writeln!(
            out,
            "  its level is {} {word} than the baseline's",
            amount_of(unit, above.abs())
        );
    }
}

fn of_shift(shift: &Shift, unit: &str, style: TextStyle, out: &mut String) {
    let said = format!(
        "shifted by {} ({} to {}); {} counts",
        amount_of(unit, shift.shift),
        amount_of(unit, shift.low),
        amount_of(unit, shift.high),
        amount_of(unit, shift.matters)
    );
    folded("  ", &said, style.width, out);
}
