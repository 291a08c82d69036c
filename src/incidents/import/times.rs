//! When it happened: the day, the start, the end, and how long it lasted.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};

use super::clock::{Stamp, ranges, stamps};
use super::dates::{Day, days};
use super::page::{Page, Section, Sentence};
use super::page_lines::Kind;
use super::spans::{Span, spans};
use super::timeline::{Event, events};
use super::words::{Words, find, phrases, says};
use super::zones::{Zone, zone_in};
use crate::incidents::record::Moment;

/// A value and the line it was read from.
pub(super) type Read<T> = (T, u32);

/// What an account says of when it happened.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) date: Option<Read<Date>>,
    pub(super) started: Option<Read<Moment>>,
    pub(super) ended: Option<Read<Moment>>,
    pub(super) duration: Option<Read<u32>>,
    /// The duration in words, as it stands.
    pub(super) stated: Option<(Span, u32, String)>,
    /// Whether start and end are what the account sums up, not what its timeline shows.
    pub(super) from_summary: (bool, bool),
    pub(super) events: Vec<Event>,
    pub(super) contradictions: Vec<String>,
    pub(super) remarks: Vec<String>,
}

/// One end of what happened, before day and zone are settled.
#[derive(Clone, Debug)]
struct End {
    stamp: Stamp,
    line: u32,
    /// Told as a time at which somebody noticed it, without a day.
    noticed: bool,
}

impl End {
    fn at(stamp: &Stamp, line: u32) -> Self {
        Self {
            stamp: stamp.clone(),
            line,
            noticed: false,
        }
    }
}

/// Reads all times.
pub(super) fn times(page: &Page, words: &Words) -> Times {
    let mut out = Times::default();
    let year = year(page);
    let (range_start, range_end) = range(page, words);
    let (label_start, label_end) = labelled(page, words);
    let mut start = label_start.or(range_start);
    let mut end = label_end.or(range_end);
    let told_day = start.as_ref().and_then(|end| {
        end.stamp
            .day
            .as_ref()?
            .date(year)
            .map(|day| (day, end.line))
    });
    let base = told_day.or_else(|| base_day(page, year));
    out.events = events(page, base.map(|(day, _)| day), year);
    let zone = zone(page);
    let mut noticed = None;
    if start.is_none() && end.is_none() {
        (start, end) = sentences(page, words);
        // When somebody noticed it, without a day, is when it began only where
        // the timeline does not tell of that.
        if start.as_ref().is_some_and(|found| found.noticed)
            && out
                .events
                .iter()
                .any(|event| tells_of_the_start(event, words))
        {
            noticed = start.take();
        }
    }
    damaged(&start, &out.events, &mut out.remarks);
    let settle = |end: &End, base: Option<Date>| {
        moment(&end.stamp, base, year, zone).map(|at| (at, end.line))
    };
    out.started = start
        .as_ref()
        .and_then(|end| settle(end, base.map(|(day, _)| day)));
    out.from_summary.0 = out.started.is_some();
    let known_start = out.started.map(|(at, _)| at);
    out.ended = end.as_ref().and_then(|end| {
        let base = known_start
            .map(|at| at.local.date())
            .or(base.map(|(day, _)| day));
        settle(end, base).map(|(at, line)| (after(at, known_start, end), line))
    });
    out.from_summary.1 = out.ended.is_some();
    from_timeline(&mut out, words, zone, start.is_none());
    if out.started.is_none() {
        out.started = noticed
            .as_ref()
            .and_then(|end| settle(end, base.map(|(day, _)| day)));
    }
    out.date = out
        .started
        .map(|(at, line)| (at.local.date(), line))
        .or(base);
    duration(page, words, &mut out, start.as_ref());
    out
}

/// The year of days that are written without one: the first that is written.
fn year(page: &Page) -> Option<i16> {
    let all = || {
        page.told()
            .filter(|sentence| sentence.kind != Kind::Front || is_date_label(sentence))
    };
    all().find_map(|sentence| days(&sentence.text).into_iter().find_map(|day| day.year))
}

/// Whether a line of the front matter is its date.
fn is_date_label(sentence: &Sentence) -> bool {
    matches!(sentence.label.as_deref(), Some("date" | "title"))
        || sentence.lower.starts_with("date =")
        || sentence.lower.starts_with("title =")
}

/// The day of the account, where no time says it: from the places where an
/// account says it, the best first.
pub(super) fn base_day(page: &Page, year: Option<i16>) -> Option<Read<Date>> {
    let rank = |sentence: &Sentence| match sentence.section {
        Section::Date | Section::Start => 0,
        Section::Duration => 1,
        Section::Title => 2,
        Section::Summary | Section::Impact => 3,
        Section::Timeline | Section::End => 4,
        Section::Front if is_date_label(sentence) => 5,
        Section::Cause
        | Section::Trigger
        | Section::Resolution
        | Section::Detection
        | Section::Suspected
        | Section::Other => 6,
        Section::Actions | Section::Lessons | Section::Front => 9,
    };
    page.sentences
        .iter()
        .filter(|sentence| rank(sentence) < 9)
        .filter_map(|sentence| {
            let day: Day = days(&sentence.text)
                .into_iter()
                .find(|day| !day.ambiguous)?;
            Some((rank(sentence), sentence.line, day.date(year)?))
        })
        .min_by_key(|(rank, line, _)| (*rank, *line))
        .map(|(_, line, day)| (day, line))
}

/// The zone that holds for times without one.
fn zone(page: &Page) -> Option<Zone> {
    let statement = page.told().find_map(|sentence| {
        let lower = &sentence.lower;
        let speaks = [
            "all times",
            "times in",
            "times are",
            "timezone",
            "time zone",
            "local time",
            "times central",
            "times utc",
        ]
        .iter()
        .any(|words| find(lower, words).is_some())
            || sentence.section == Section::Timeline && matches!(sentence.kind, Kind::Heading(_));
        if speaks {
            zone_in(&sentence.text)
        } else {
            None
        }
    });
    statement.or_else(|| {
        let zones = |wanted: &dyn Fn(&Sentence) -> bool| {
            let mut all: Vec<Zone> = Vec::new();
            for sentence in page.told().filter(|sentence| wanted(sentence)) {
                for zone in stamps(&sentence.text)
                    .into_iter()
                    .filter_map(|stamp| stamp.zone)
                {
                    if !all.contains(&zone) {
                        all.push(zone);
                    }
                }
            }
            all
        };
        let only = |all: Vec<Zone>| match all.as_slice() {
            [zone] => Some(*zone),
            _ => None,
        };
        only(zones(&|sentence| sentence.section.is_summary())).or_else(|| only(zones(&|_| true)))
    })
}

/// The range of times by which the account sums itself up.
fn range(page: &Page, words: &Words) -> (Option<End>, Option<End>) {
    let rank = |sentence: &Sentence| match sentence.section {
        Section::Duration => Some(0),
        Section::Summary | Section::Date => Some(1),
        Section::Impact => Some(2),
        Section::Title => Some(3),
        Section::Cause | Section::Other | Section::Trigger | Section::Detection => Some(4),
        Section::Front
        | Section::Start
        | Section::End
        | Section::Timeline
        | Section::Resolution
        | Section::Suspected
        | Section::Actions
        | Section::Lessons => None,
    };
    let mut best: Option<(u8, End, End)> = None;
    for sentence in &page.sentences {
        let Some(rank) = rank(sentence) else { continue };
        // `10:00-17:00` may be when people work, not when it happened.
        if says(&sentence.lower, phrases(&words.events, "hours-of-work")) {
            continue;
        }
        if best.as_ref().is_some_and(|(other, ..)| *other <= rank) {
            continue;
        }
        let found = stamps(&sentence.text);
        if let Some(first) = ranges(&sentence.text, &found).first()
            && let (Some(from), Some(to)) = (found.get(*first), found.get(first + 1))
        {
            let end = |stamp: &Stamp| End::at(stamp, sentence.line);
            best = Some((rank, end(from), end(to)));
        }
    }
    best.map_or((None, None), |(_, from, to)| (Some(from), Some(to)))
}

/// Start and end that have a label: `Start: …`, `First detected 2020-08-14 10:43`.
fn labelled(page: &Page, words: &Words) -> (Option<End>, Option<End>) {
    let (mut start, mut end) = (None, None);
    for sentence in page.told().filter(|sentence| sentence.leads) {
        let found = stamps(&sentence.text);
        let Some(stamp) = found.first() else { continue };
        let stamp = if stamp.hour.is_none() {
            continue;
        } else {
            stamp
        };
        let before = sentence.lower.get(..stamp.start).unwrap_or_default();
        let before = before.trim_matches(|letter: char| !letter.is_alphanumeric());
        let named = |section: Section, key: &str| {
            sentence.section == section && found.len() == 1
                || (!before.is_empty()
                    && phrases(&words.sections, key)
                        .iter()
                        .any(|phrase| phrase == before)
                    && before.len() > 4)
        };
        let here = || Some(End::at(stamp, sentence.line));
        if start.is_none() && named(Section::Start, "start") {
            start = here();
        } else if named(Section::End, "end") {
            end = here();
        }
    }
    (start, end)
}

/// Start and end from sentences of the summary: "at 08:03 it answered slowly",
/// "restored at 11:04".
fn sentences(page: &Page, words: &Words) -> (Option<End>, Option<End>) {
    let (mut start, mut end) = (None, None);
    let summary = page.sentences.iter().filter(|sentence| {
        matches!(
            sentence.section,
            Section::Summary | Section::Impact | Section::Duration
        ) && !super::page_lines::leads_with_time(&sentence.text)
    });
    for sentence in summary {
        for stamp in stamps(&sentence.text)
            .into_iter()
            .filter(|stamp| stamp.hour.is_some())
        {
            let noticed =
                stamp.day.is_none() && says(&sentence.lower, phrases(&words.events, "noticed"));
            let here = Some(End {
                stamp,
                line: sentence.line,
                noticed,
            });
            if says(&sentence.lower, phrases(&words.events, "recovered")) {
                end = here;
            } else if start.is_none()
                && (says(&sentence.lower, phrases(&words.events, "trouble"))
                    || says(&sentence.lower, phrases(&words.events, "begins")))
            {
                start = here;
            }
        }
    }
    (start, end)
}

/// Says that the start is damaged, and what is left of it.
fn damaged(start: &Option<End>, events: &[Event], remarks: &mut Vec<String>) {
    if let Some(start) = start
        && start.stamp.hour.is_none()
    {
        remarks.push(format!(
            "line {}: the start `{}` is damaged and is left open",
            start.line, start.stamp.written
        ));
    }
    for event in events.iter().filter(|event| event.stamp.hour.is_none()) {
        remarks.push(format!(
            "line {}: the time `{}` is damaged and is not read",
            event.line, event.stamp.written
        ));
    }
}

/// A time with its day and its zone.
fn moment(
    stamp: &Stamp,
    base: Option<Date>,
    year: Option<i16>,
    zone: Option<Zone>,
) -> Option<Moment> {
    let day = match &stamp.day {
        Some(day) => day.date(base.map(Date::year).or(year))?,
        None => base?,
    };
    let local = day.to_datetime(Time::new(stamp.hour?, stamp.minute, 0, 0).ok()?);
    Some(with_zone(local, stamp.zone.or(zone)))
}

/// A time with the offset of its zone on its day.
fn with_zone(local: DateTime, zone: Option<Zone>) -> Moment {
    Moment {
        local,
        offset_minutes: zone.map(|zone| zone.offset(local.date())),
    }
}

/// An end without a day of its own that is before the start is on the next day.
fn after(end: Moment, start: Option<Moment>, written: &End) -> Moment {
    let wraps = written.stamp.day.as_ref().is_none_or(|day| {
        start.is_some_and(|start| (day.month, day.day) == (start.local.month(), start.local.day()))
    });
    match start {
        Some(start) if wraps && end.local < start.local => {
            let gap = start.local.hour() - end.local.hour();
            match end.local.checked_add(1.day()) {
                // A little earlier on the same day is a contradiction, not a night.
                Ok(next) if gap >= 8 => Moment { local: next, ..end },
                Ok(_) | Err(_) => end,
            }
        }
        _ => end,
    }
}

/// Start and end from the timeline, where the account does not sum them up.
fn from_timeline(out: &mut Times, words: &Words, zone: Option<Zone>, may_start: bool) {
    let told = |event: &Event| {
        event
            .at
            .map(|at| (with_zone(at, event.stamp.zone.or(zone)), event.line))
    };
    let is = |event: &Event, key: &str| says(&event.text, phrases(&words.events, key));
    if out.started.is_none() && may_start {
        let end = out.ended.map(|(at, _)| at.local);
        let early = |event: &&Event| end.is_none_or(|end| event.at.is_none_or(|at| at < end));
        let first = out
            .events
            .iter()
            .filter(early)
            .find(|event| is(event, "begins"));
        let first = first.or_else(|| {
            out.events
                .iter()
                .filter(early)
                .find(|event| is(event, "trouble"))
        });
        out.started = first.and_then(told);
    }
    if out.ended.is_none() {
        out.ended = recovery(&out.events, words).and_then(told);
    }
}

/// Whether an event with a day tells that it began, or of the first trouble.
fn tells_of_the_start(event: &Event, words: &Words) -> bool {
    let is = |key: &str| says(&event.text, phrases(&words.events, key));
    event.at.is_some() && (is("begins") || is("trouble"))
}

/// The event by which it was over.
pub(super) fn recovery<'e>(events: &'e [Event], words: &Words) -> Option<&'e Event> {
    events.iter().rev().find(|event| {
        says(&event.text, phrases(&words.events, "recovered"))
            && !says(&event.text, phrases(&words.events, "still-bad"))
            && !says(&event.text, phrases(&words.attempts, "failed"))
    })
}

/// Words beside a span that make it the duration of the whole.
const LASTED: &[&str] = &[
    "lasted",
    "duration",
    "down for",
    "unusable for",
    "unavailable for",
    "offline for",
    "outage of",
    "minute outage",
    "hour outage",
    "minutes of downtime",
    "hours of downtime",
    "unreachable for",
    "hung for",
    "broken for",
    "took us down for",
    "out of service for",
    "downtime of",
    "inaccessible for",
    "interrupted for",
    "went on for",
    "minute incident",
    "in total",
    "for about",
    "degraded for",
    "took in all",
    "was over after",
    "disrupted for",
    "not available for",
    "outage for",
    "back after",
];

/// How long it lasted: as it is stated, or from start to end.
fn duration(page: &Page, words: &Words, out: &mut Times, start: Option<&End>) {
    let stated = |sentence: &Sentence| {
        let mut all = spans(&sentence.lower);
        if says(&sentence.lower, phrases(&words.events, "hours-of-work")) {
            for span in &mut all {
                span.working = true;
            }
        }
        if sentence.section == Section::Duration {
            return all.into_iter().next();
        }
        let fits = matches!(
            sentence.section,
            Section::Summary | Section::Impact | Section::Title | Section::Other | Section::Cause
        );
        all.into_iter().find(|span| {
            let before = sentence.lower.get(..span.start).unwrap_or_default();
            let before: String = before
                .chars()
                .rev()
                .take(48)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            let after: String = sentence
                .lower
                .get(span.end..)
                .unwrap_or_default()
                .chars()
                .take(16)
                .collect();
            let figure = sentence.lower.get(span.start..span.end).unwrap_or_default();
            fits && span.minutes >= 1
                && (LASTED.iter().any(|words| {
                    before.contains(words) || format!("{figure}{after}").contains(words)
                }) || before.trim_end().ends_with(" for") && sentence.section.is_summary()
                    || after
                        .trim_start_matches('-')
                        .trim_start()
                        .starts_with("outage")
                    || after.contains("of downtime"))
        })
    };
    let rank = |sentence: &Sentence| {
        if sentence.section == Section::Duration {
            0
        } else {
            1
        }
    };
    let found = page
        .told()
        .filter_map(|sentence| stated(sentence).map(|span| (rank(sentence), sentence, span)))
        .min_by_key(|(rank, sentence, span)| (*rank, span.working, sentence.line));
    out.stated = found.map(|(_, sentence, span)| {
        let words = sentence
            .text
            .get(span.start..span.end)
            .unwrap_or_default()
            .to_owned();
        (span, sentence.line, words)
    });
    let clock = out
        .started
        .zip(out.ended)
        .and_then(|((from, line), (to, _))| {
            u32::try_from(to.minutes_since(&from)?)
                .ok()
                .filter(|minutes| *minutes > 0)
                .map(|minutes| (minutes, line))
        });
    out.duration = match &out.stated {
        Some((span, line, _)) if !span.working => Some((span.minutes, *line)),
        Some(_) | None => clock.or_else(|| by_damaged_start(out, start)),
    };
}

/// From a damaged start to the end: the first event of the same hour stands
/// for the start, and the remark says so.
fn by_damaged_start(out: &mut Times, start: Option<&End>) -> Option<Read<u32>> {
    let start = start?;
    let hour = start.stamp.hour_left?;
    let event = out
        .events
        .iter()
        .find(|event| event.stamp.hour == Some(hour))?;
    let (end, line) = out.ended?;
    let minutes = end
        .local
        .since(event.at?)
        .ok()?
        .total(jiff::Unit::Minute)
        .ok()?;
    if !(1.0..100_000.0).contains(&minutes) {
        return None;
    }
    out.remarks.push(format!(
        "line {line}: the duration is taken from {:02}:{:02} (line {}), the first event in the hour that is left of the damaged start",
        hour, event.stamp.minute, event.line
    ));
    Some((minutes as u32, line))
}
