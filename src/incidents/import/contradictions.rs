//! What an account says in two ways.

use jiff::civil::Date;

use super::clock::stamps;
use super::dates::days;
use super::page::{Page, Section};
use super::page_lines::Kind;
use super::times::{Times, recovery};
use super::words::{Words, phrases, says};

/// The most that are told.
const MAX: usize = 20;

/// Looks for them.
pub(super) fn contradictions(page: &Page, times: &Times, words: &Words) -> Vec<String> {
    let mut out = times.contradictions.clone();
    weekdays(page, times, &mut out);
    span(times, &mut out);
    summary_and_timeline(times, words, &mut out);
    order(times, &mut out);
    labels(page, times, &mut out);
    other_days(page, times, &mut out);
    out.truncate(MAX);
    out
}

/// A day of the week that is not that of its date.
fn weekdays(page: &Page, times: &Times, out: &mut Vec<String>) {
    let year = times.date.map(|(date, _)| date.year());
    for sentence in page.told() {
        for day in days(&sentence.text) {
            if let (Some(weekday), Some(date)) = (day.weekday, day.date(year))
                && date.weekday() != weekday
            {
                out.push(format!(
                    "line {} calls {date} a {weekday:?}; it is a {:?}",
                    sentence.line,
                    date.weekday()
                ));
            }
        }
    }
}

/// A duration in words that is not the time from start to end.
fn span(times: &Times, out: &mut Vec<String>) {
    let Some((span, line, written)) = &times.stated else {
        return;
    };
    let (Some((from, _)), Some((to, at))) = (times.started, times.ended) else {
        return;
    };
    let Some(minutes) = to.minutes_since(&from) else {
        return;
    };
    if minutes < 0 {
        return;
    }
    let stated = i64::from(span.minutes);
    if (stated - minutes).abs() > (stated.max(minutes) / 10).max(5) {
        let how = if span.working {
            ", in hours of work"
        } else {
            ""
        };
        out.push(format!(
            "line {line} says that it lasted `{written}` ({stated} minutes{how}); from start to end (line {at}) it is {minutes} minutes"
        ));
    }
}

/// A start or an end that the summary and the timeline tell in two ways.
fn summary_and_timeline(times: &Times, words: &Words, out: &mut Vec<String>) {
    let Some((to, line)) = times.ended.filter(|_| times.from_summary.1) else {
        return;
    };
    let over = recovery(&times.events, words).filter(|event| event.line != line);
    if let Some(event) = over
        && let Some(at) = event.at
    {
        let minutes = at.duration_since(to.local).as_mins();
        let long = times.duration.map_or(60, |(minutes, _)| i64::from(minutes));
        // What is said of days before or after is another story.
        if minutes.abs() > (long / 10).max(10) && minutes.abs() < 36 * 60 {
            out.push(format!(
                "line {line} ends it at {}, and the timeline at {} (line {})",
                clock(to.local),
                clock(at),
                event.line
            ));
            return;
        }
    }
    let late = times.events.iter().find(|event| {
        event
            .at
            .is_some_and(|at| (5..24 * 60).contains(&at.duration_since(to.local).as_mins()))
            && event.line != line
            && says(&event.text, phrases(&words.events, "still-bad"))
    });
    if let Some(event) = late
        && let Some(at) = event.at
    {
        out.push(format!(
            "line {line} ends it at {}, and at {} (line {}) it goes on",
            clock(to.local),
            clock(at),
            event.line
        ));
    }
    let (Some((from, line)), Some(first)) = (
        times.started.filter(|_| times.from_summary.0),
        times
            .events
            .iter()
            .find(|event| says(&event.text, phrases(&words.events, "begins"))),
    ) else {
        return;
    };
    if let Some(at) = first.at
        && at.duration_since(from.local).as_mins().abs() > 10
        && first.line != line
    {
        out.push(format!(
            "line {line} starts it at {}, and the timeline at {} (line {})",
            clock(from.local),
            clock(at),
            first.line
        ));
    }
}

/// A time of day for a message.
fn clock(at: jiff::civil::DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// Events that are told before those that came first.
fn order(times: &Times, out: &mut Vec<String>) {
    for pair in times.events.windows(2) {
        let [first, second] = pair else { continue };
        // A summary and a timeline each have an order of their own.
        if first.section != second.section || first.labelled != second.labelled {
            continue;
        }
        let (Some(a), Some(b)) = (first.at, second.at) else {
            continue;
        };
        let back = a.duration_since(b).as_mins();
        if back > 0 && second.own_day && back > 200 * 24 * 60 {
            out.push(format!(
                "line {} is dated {}, among events of {}",
                second.line,
                b.date(),
                a.date()
            ));
        } else if back > 0
            && back < 24 * 60
            && (first.line..=first.line + 12).contains(&second.line)
        {
            out.push(format!(
                "line {} tells of {}, after {} in line {}",
                second.line,
                clock(b),
                clock(a),
                first.line
            ));
        }
    }
    // A damaged time between two others hides the order from the pairs.
    for three in times.events.windows(3) {
        let [first, hidden, last] = three else {
            continue;
        };
        if let (Some(a), None, Some(b)) = (first.at, hidden.at, last.at)
            && hidden.stamp.hour_left.is_some()
            && b <= a
            && hidden.line != last.line
        {
            out.push(format!(
                "line {} tells of {} again, after the damaged time in line {}",
                last.line,
                clock(b),
                hidden.line
            ));
        }
    }
}

/// Declared, detected or repaired after it was over; ended before it began.
fn labels(page: &Page, times: &Times, out: &mut Vec<String>) {
    if let (Some((from, at)), Some((to, line))) = (times.started, times.ended)
        && to.minutes_since(&from).is_some_and(|minutes| minutes < 0)
    {
        out.push(format!(
            "it ends (line {line}) before it starts (line {at})"
        ));
    }
    let Some((to, line)) = times.ended.filter(|_| times.from_summary.1) else {
        return;
    };
    for sentence in page.told().filter(|sentence| {
        sentence.leads && sentence.line != line && sentence.section != Section::Timeline
    }) {
        let found = stamps(&sentence.text);
        let [stamp] = found.as_slice() else { continue };
        let label = sentence.label.clone().unwrap_or_default()
            + " "
            + sentence.lower.get(..stamp.start).unwrap_or_default();
        let Some(word) = [
            "declared",
            "detected",
            "acknowledged",
            "escalated",
            "started",
            "repaired",
            "mitigated",
        ]
        .into_iter()
        .find(|word| label.contains(word)) else {
            continue;
        };
        let day = stamp
            .day
            .as_ref()
            .and_then(|day| day.date(Some(to.local.year())))
            .unwrap_or(to.local.date());
        let Some(time) = stamp
            .hour
            .and_then(|hour| jiff::civil::Time::new(hour, stamp.minute, 0, 0).ok())
        else {
            continue;
        };
        let at = day.to_datetime(time);
        let late = at.duration_since(to.local).as_mins();
        if late > 0 {
            out.push(format!(
                "it was {word} at {} (line {}), after its end at {} (line {line})",
                clock(at),
                sentence.line,
                clock(to.local)
            ));
        }
    }
}

/// A title or summary of another day or month than the times.
fn other_days(page: &Page, times: &Times, out: &mut Vec<String>) {
    let Some((date, line)) = times.date else {
        return;
    };
    let last = times.ended.map_or(date, |(at, _)| at.local.date());
    let year = Some(date.year());
    let near = |day: Date| day >= date && day <= last.max(date);
    let all: Vec<(Section, Kind, u32, Date)> = page
        .sentences
        .iter()
        .filter(|sentence| {
            matches!(
                sentence.section,
                Section::Title
                    | Section::Date
                    | Section::Duration
                    | Section::Start
                    | Section::Summary
                    | Section::Timeline
            )
        })
        .flat_map(|sentence| {
            days(&sentence.text)
                .into_iter()
                .filter(|day| !day.ambiguous)
                .filter_map(|day| day.date(year))
                .map(|day| (sentence.section, sentence.kind, sentence.line, day))
                .collect::<Vec<_>>()
        })
        .collect();
    // A title that names a day names that of the incident; a summary may speak of days before.
    for (section, _, at, day) in &all {
        let same_day_of_month = day.day() == date.day();
        let distance = day.duration_since(date).as_hours().abs() / 24;
        let title = matches!(section, Section::Title | Section::Date | Section::Duration)
            && distance <= 400;
        let typo = distance > 20 && same_day_of_month && *section != Section::Timeline;
        if !near(*day)
            && *at != line
            && (title && (distance > 2 || distance >= 1 && *section != Section::Duration) || typo)
        {
            out.push(format!(
                "line {at} speaks of {day}, and the start is on {date} (line {line})"
            ));
            return;
        }
    }
}
