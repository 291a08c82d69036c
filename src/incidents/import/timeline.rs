//! The events of a timeline, with the day and the zone of each.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};

use super::clock::{Stamp, stamps};
use super::dates::days;
use super::page::{Page, Section, Sentence};
use super::page_lines::Kind;

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) line: u32,
    /// When, by the clock of the account; [`None`] for a time that is damaged or without a day.
    pub(super) at: Option<DateTime>,
    pub(super) stamp: Stamp,
    /// Whether the day is written at the time itself.
    pub(super) own_day: bool,
    /// The part of the account that tells of it.
    pub(super) section: Section,
    /// Whether a word stands before the time: `Repaired: 15:55`.
    pub(super) labelled: bool,
    /// What happened, in lower case.
    pub(super) text: String,
}

/// The most text that is kept of one event, in bytes.
const MAX_TEXT: usize = 4_000;

/// Reads the events; times without a day get the day of those before them,
/// and the first the given one.
pub(super) fn events(page: &Page, first: Option<Date>, year: Option<i16>) -> Vec<Event> {
    let mut out: Vec<Event> = Vec::new();
    let mut day = first;
    let mut block_with_event = None;
    let mut under_heading = false;
    for sentence in &page.sentences {
        if !may_hold_events(sentence.section) {
            under_heading = false;
            continue;
        }
        let heading = matches!(sentence.kind, Kind::Heading(_));
        let inside = sentence.leads || block_with_event == Some(sentence.block);
        let found = if inside { leading(sentence) } else { None };
        if let Some(stamp) = found {
            let at = place(&stamp, &mut day, year, out.last());
            out.push(Event {
                line: sentence.line,
                at,
                own_day: stamp.day.is_some(),
                section: sentence.section,
                labelled: sentence
                    .label
                    .as_ref()
                    .is_some_and(|label| !label.contains(|c: char| c.is_ascii_digit())),
                text: sentence
                    .lower
                    .get(stamp.end..)
                    .unwrap_or(&sentence.lower)
                    .to_owned(),
                stamp,
            });
            block_with_event = Some(sentence.block);
            under_heading = heading;
            continue;
        }
        if heading {
            // A heading with a day alone: the times below it are of that day.
            let own = days(&sentence.text);
            if let Some(date) = own.first().and_then(|day| day.date(year))
                && sentence.section == Section::Timeline
            {
                day = Some(date);
            }
            under_heading = false;
            continue;
        }
        let goes_on = block_with_event == Some(sentence.block)
            || under_heading && sentence.section == Section::Timeline;
        if goes_on
            && let Some(event) = out.last_mut()
            && event.text.len() < MAX_TEXT
        {
            event.text.push(' ');
            event.text.push_str(&sentence.lower);
        }
    }
    out
}

/// Whether times that lead a line are events in this section.
fn may_hold_events(section: Section) -> bool {
    match section {
        Section::Timeline
        | Section::Other
        | Section::Resolution
        | Section::Summary
        | Section::Detection
        | Section::Suspected
        | Section::Trigger
        | Section::Cause => true,
        Section::Front
        | Section::Title
        | Section::Duration
        | Section::Start
        | Section::End
        | Section::Date
        | Section::Impact
        | Section::Actions
        | Section::Lessons => false,
    }
}

/// The time that a sentence begins with.
fn leading(sentence: &Sentence) -> Option<Stamp> {
    let text = &sentence.text;
    let begin = lead(text);
    let head: String = text.chars().take(80).collect();
    let found = stamps(&head);
    let mut stamp = found.first()?.clone();
    if stamp.start <= begin {
        return Some(stamp);
    }
    // In a row, the day may have a cell of its own; in prose, a word may stand before.
    let day = days(&head)
        .into_iter()
        .next()
        .filter(|day| day.start <= begin)?;
    let gap = head.get(day.end..stamp.start)?;
    if sentence.kind == Kind::Row && gap.trim_matches([' ', '|']).is_empty() {
        stamp.day = Some(day);
        return Some(stamp);
    }
    None
}

/// Where a sentence begins in earnest: after marks, and words such as "at".
fn lead(text: &str) -> usize {
    let mut rest = text.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    for word in [
        "At ",
        "By ",
        "Around ",
        "About ",
        "Shortly after ",
        "From ",
        "about ",
        "around ",
        "approximately ",
    ] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    text.len() - rest.len()
}

/// The time of an event on its day.
fn place(
    stamp: &Stamp,
    day: &mut Option<Date>,
    year: Option<i16>,
    last: Option<&Event>,
) -> Option<DateTime> {
    let time = Time::new(stamp.hour?, stamp.minute, 0, 0).ok()?;
    if let Some(own) = stamp.day.as_ref().and_then(|own| own.date(year)) {
        *day = Some(own);
        return Some(own.to_datetime(time));
    }
    let today = (*day)?;
    // Far back on the clock is the next day.
    let next = last
        .and_then(|last| last.at)
        .filter(|last| last.date() == today)
        .is_some_and(|last| i32::from(last.hour()) - i32::from(time.hour()) >= 8);
    let date = if next {
        today.checked_add(1.day()).ok()?
    } else {
        today
    };
    *day = Some(date);
    Some(date.to_datetime(time))
}
