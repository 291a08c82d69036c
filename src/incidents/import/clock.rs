//! Times of day as people write them, with the day and the zone beside them.

use super::dates::{Day, days};
use super::zones::{Zone, zone_at};

/// A time of day, with what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// From 0 to 23; [`None`] for a time that is damaged.
    pub(super) hour: Option<i8>,
    pub(super) minute: i8,
    /// Whether the half of the day is known: by AM or PM, or by an hour above 12.
    pub(super) half_known: bool,
    pub(super) zone: Option<Zone>,
    pub(super) day: Option<Day>,
    /// Where time, day and zone stand together, in bytes.
    pub(super) start: usize,
    pub(super) end: usize,
    /// What is left of the hour of a time that is damaged.
    pub(super) hour_left: Option<i8>,
    /// As it is written.
    pub(super) written: String,
}

/// All times in a text, in order.
pub(super) fn stamps(text: &str) -> Vec<Stamp> {
    let found = days(text);
    let mut out: Vec<Stamp> = Vec::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(next_start) {
        let start = at + next;
        let in_day = found
            .iter()
            .find(|day| (day.start..day.end).contains(&start));
        match (in_day, time_at(text, start)) {
            (Some(day), _) => at = day.end.max(start + 1),
            (None, Some(stamp)) => {
                at = stamp.end;
                out.push(stamp);
            }
            (None, None) => at = start + run(text, start),
        }
    }
    attach(text, &found, &mut out);
    halves(text, &mut out);
    out
}

/// Where the next number or word for a time begins.
fn next_start(rest: &str) -> Option<usize> {
    let digit = rest.find(|letter: char| letter.is_ascii_digit());
    let before = rest.get(..digit.unwrap_or(rest.len())).unwrap_or_default();
    let word = ["noon", "midnight"]
        .iter()
        .filter_map(|word| before.find(word))
        .min();
    match (digit, word) {
        (Some(digit), Some(word)) => Some(digit.min(word)),
        (digit, word) => digit.or(word),
    }
}

/// How many bytes belong to the number or word that begins at a byte.
fn run(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    rest.bytes()
        .take_while(u8::is_ascii_alphanumeric)
        .count()
        .max(1)
}

/// Reads the time that begins at a byte.
fn time_at(text: &str, start: usize) -> Option<Stamp> {
    let before = text.get(..start).and_then(|text| text.chars().next_back());
    let after_t = before == Some('T')
        && text
            .get(..start.checked_sub(1)?)
            .is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit()));
    if !after_t
        && before.is_some_and(|before| before.is_alphanumeric() || "._:/#$€£+".contains(before))
    {
        return None;
    }
    let rest = text.get(start..)?;
    for (word, hour) in [("noon", 12), ("midnight", 0)] {
        if let Some(after) = rest.strip_prefix(word)
            && !after.starts_with(char::is_alphanumeric)
        {
            return Some(made(text, start, start + word.len(), hour, 0, true));
        }
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number: i32 = rest.get(..digits)?.parse().ok()?;
    let after = rest.get(digits..).unwrap_or_default();
    if (1..=2).contains(&digits) {
        if let Some(minutes) = after.strip_prefix([':', 'h', '.']) {
            return with_minutes(text, start, digits, number, after, minutes);
        }
        if let Some(stamp) = damaged(text, start, after) {
            return Some(stamp);
        }
        let (pm, used) = half(after)?;
        if !(1..=12).contains(&number) {
            return None;
        }
        let hour = number % 12 + if pm { 12 } else { 0 };
        return Some(made(text, start, start + digits + used, hour, 0, true));
    }
    // `1405 UTC`, `0830Z`, `1405 hrs`.
    if digits == 4 && number % 100 < 60 && number / 100 < 24 {
        let zone = zone_at(after).filter(|_| !after.starts_with(['+', '-']));
        let hours = [" hrs", " hours", "hrs"]
            .iter()
            .any(|word| after.starts_with(word));
        let year = (1990..=2100).contains(&number);
        if hours || zone.is_some() && !year {
            return Some(made(
                text,
                start,
                start + 4,
                number / 100,
                number % 100,
                true,
            ));
        }
    }
    None
}

/// Reads what follows the hour: minutes, seconds, AM or PM.
fn with_minutes(
    text: &str,
    start: usize,
    digits: usize,
    hour: i32,
    after: &str,
    minutes: &str,
) -> Option<Stamp> {
    let count = minutes.bytes().take_while(u8::is_ascii_digit).count();
    let minute: i32 = minutes.get(..2).filter(|_| count == 2)?.parse().ok()?;
    let mut used = digits + 3;
    let mut rest = minutes.get(2..).unwrap_or_default();
    // Seconds and their fraction.
    if let Some(seconds) = rest.strip_prefix(':')
        && seconds.bytes().take_while(u8::is_ascii_digit).count() == 2
    {
        used += 3;
        rest = seconds.get(2..).unwrap_or_default();
        if let Some(fraction) = rest.strip_prefix('.') {
            let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
            used += 1 + length;
            rest = fraction.get(length..).unwrap_or_default();
        }
    }
    if rest.starts_with(|next: char| next.is_alphanumeric() && !"ZzaApPhH".contains(next))
        || minute > 59
    {
        return None;
    }
    let half = half(rest);
    // A point is a fraction, a version or a section, unless something says that it is a time.
    if after.starts_with('.') && half.is_none() && zone_at(rest).is_none() {
        return None;
    }
    let hour = match half {
        Some((pm, more)) => {
            used += more;
            match hour {
                1..=12 => hour % 12 + if pm { 12 } else { 0 },
                // `13:05 PM` is said twice.
                13..=23 if pm => hour,
                _ => return None,
            }
        }
        None if hour < 24 => hour,
        None => return None,
    };
    let known = half.is_some() || hour > 12 || hour == 0;
    Some(made(text, start, start + used, hour, minute, known))
}

/// A time with letters in it that do not belong there: `2🕙0 PM`.
fn damaged(text: &str, start: usize, after: &str) -> Option<Stamp> {
    let broken = after
        .chars()
        .take_while(|letter| !letter.is_ascii() && !letter.is_whitespace())
        .map(char::len_utf8)
        .sum::<usize>();
    if broken == 0 || after.starts_with(['–', '—', '-', '−', '%', '°', 'º', '×']) {
        return None;
    }
    let rest = after.get(broken..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (pm, used) = half(rest.get(digits..)?)?;
    let length = text.get(start..)?.len() - after.len();
    if !(1..=2).contains(&digits) {
        return None;
    }
    let hour: i32 = text.get(start..start + length)?.parse().ok()?;
    let mut stamp = made(
        text,
        start,
        start + length + broken + digits + used,
        hour % 12 + if pm { 12 } else { 0 },
        0,
        true,
    );
    // The hour is left, the minutes are not: it is no time.
    stamp.hour_left = stamp.hour.take();
    Some(stamp)
}

/// AM or PM at the beginning of a text, with the bytes that it takes.
fn half(text: &str) -> Option<(bool, usize)> {
    let rest = text.trim_start_matches(' ');
    let skipped = text.len() - rest.len();
    let lower: String = rest
        .chars()
        .take(5)
        .collect::<String>()
        .to_ascii_lowercase();
    for (word, pm) in [
        ("a.m.", false),
        ("p.m.", true),
        ("a.m", false),
        ("p.m", true),
        ("am", false),
        ("pm", true),
    ] {
        if let Some(after) = lower.strip_prefix(word)
            && !after.starts_with(char::is_alphanumeric)
            && skipped <= 1
        {
            return Some((pm, skipped + word.len()));
        }
    }
    None
}

/// A time with the zone that follows it.
fn made(text: &str, start: usize, end: usize, hour: i32, minute: i32, half_known: bool) -> Stamp {
    let zone = text.get(end..).and_then(zone_at);
    let until = zone.map_or(end, |(_, used)| end + used);
    Stamp {
        hour: i8::try_from(hour).ok(),
        minute: i8::try_from(minute).unwrap_or(0),
        half_known,
        zone: zone.map(|(zone, _)| zone),
        day: None,
        hour_left: None,
        start,
        end: until,
        written: text.get(start..until).unwrap_or_default().to_owned(),
    }
}

/// Gives each time the day that stands next to it.
fn attach(text: &str, days: &[Day], stamps: &mut [Stamp]) {
    for day in days {
        let before = |stamp: &Stamp| {
            day.end <= stamp.start && joins(text.get(day.end..stamp.start).unwrap_or_default())
        };
        let after = |stamp: &Stamp| {
            stamp.end <= day.start && joins(text.get(stamp.end..day.start).unwrap_or_default())
        };
        let weekday = |at: usize| at.saturating_sub(14);
        if let Some(stamp) = stamps
            .iter_mut()
            .find(|stamp| stamp.day.is_none() && before(stamp))
        {
            stamp.start = day.start;
            stamp.day = Some(day.clone());
        } else if let Some(stamp) = stamps.iter_mut().find(|stamp| {
            stamp.day.is_none()
                && (after(stamp)
                    || stamp.end <= day.start
                        && with_weekday(text, stamp.end, day.start, weekday(day.start)))
        }) {
            stamp.end = day.end;
            stamp.day = Some(day.clone());
            if stamp.zone.is_none() {
                let zone = text.get(day.end..).and_then(zone_at);
                stamp.zone = zone.map(|(zone, _)| zone);
                stamp.end += zone.map_or(0, |(_, used)| used);
            }
        }
    }
}

/// Whether only words such as "on" or "at" stand between a day and a time.
fn joins(gap: &str) -> bool {
    gap.len() <= 16
        && gap
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .all(|word| {
                matches!(
                    word.to_ascii_lowercase().as_str(),
                    "t" | "on"
                        | "at"
                        | "of"
                        | "the"
                        | "from"
                        | "about"
                        | "around"
                        | "approximately"
                        | "between"
                        | "ca"
                        | "local"
                        | "time"
                        | "o"
                        | "clock"
                )
            })
        && !gap.contains(['|', ';'])
}

/// Whether a weekday stands between a time and the day after it.
fn with_weekday(text: &str, end: usize, start: usize, from: usize) -> bool {
    let gap = text
        .get(end..start)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let gap = gap.trim_matches([' ', ',', '(', ')']);
    let gap = gap.strip_prefix("on ").unwrap_or(gap);
    from <= end && gap.ends_with("day") && gap.len() <= 9 && gap.chars().all(char::is_alphabetic)
}

/// The words that stand between the ends of a range.
const UNTIL: &[&str] = &[
    "-",
    "–",
    "—",
    "to",
    "until",
    "till",
    "and",
    "through",
    "to about",
    "until about",
    "->",
    "→",
    "up to",
    "to approximately",
    "until approximately",
    "and about",
];

/// The pairs of neighbours that are the ends of a range, by index of the first.
pub(super) fn ranges(text: &str, stamps: &[Stamp]) -> Vec<usize> {
    let mut out = Vec::new();
    for (index, pair) in stamps.windows(2).enumerate() {
        let [a, b] = pair else { continue };
        let gap = text.get(a.end..b.start).unwrap_or_default().to_lowercase();
        let gap = gap.trim().trim_matches([',', '(', ')']).trim();
        let before = text.get(..a.end).unwrap_or_default().to_lowercase();
        let opened = before.contains("between") || before.contains("from");
        let words = gap.split_whitespace().last().unwrap_or_default();
        let fits = match gap {
            "and" | "and about" => before.contains("between"),
            _ => {
                UNTIL.contains(&gap)
                    || opened
                        && gap.len() <= 28
                        && !gap.contains(['.', ';', '|'])
                        && UNTIL.contains(&words)
            }
        };
        if fits {
            out.push(index);
        }
    }
    out
}

/// In a range, the half of the day, the zone and the day of one end hold for the other.
fn halves(text: &str, stamps: &mut [Stamp]) {
    for index in ranges(text, stamps) {
        let (Some(a), Some(b)) = (stamps.get(index).cloned(), stamps.get(index + 1).cloned())
        else {
            continue;
        };
        if let Some(first) = stamps.get_mut(index) {
            if let (false, true, Some(hour), Some(until)) =
                (a.half_known, b.half_known, a.hour, b.hour)
                && until >= 12
                && hour < 12
                && (hour + 12, a.minute) <= (until, b.minute)
            {
                first.hour = Some(hour + 12);
                first.half_known = true;
            }
            first.zone = a.zone.or(b.zone);
            if a.day.is_none() {
                first.day = b.day.clone();
            }
        }
        if let Some(second) = stamps.get_mut(index + 1) {
            second.zone = b.zone.or(a.zone);
            if let (true, false, Some(from), Some(hour)) =
                (a.half_known, b.half_known, a.hour, b.hour)
                && from >= 12
                && hour < 12
                && hour + 12 >= from
            {
                second.hour = Some(hour + 12);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        stamps(text)
            .into_iter()
            .map(|stamp| {
                let day = stamp
                    .day
                    .map(|day| format!("{}-{} ", day.month, day.day))
                    .unwrap_or_default();
                let zone = stamp
                    .zone
                    .map(|zone| format!(" {zone:?}"))
                    .unwrap_or_default();
                match stamp.hour {
                    Some(hour) => format!("{day}{hour}:{:02}{zone}", stamp.minute),
                    None => format!("{day}damaged{zone}"),
                }
            })
            .collect()
    }

    #[test]
    fn times_are_read_in_many_forms() {
        assert_eq!(
            read("08:00 AM - 09:30 AM (UTC)"),
            ["8:00 Fixed(0)", "9:30 Fixed(0)"]
        );
        assert_eq!(
            read("June 14, 2024, 1:00 PM GMT+01:00"),
            ["6-14 13:00 Fixed(60)"]
        );
        assert_eq!(read("2025-09-17T06:12:00+02:00"), ["9-17 6:12 Fixed(120)"]);
        assert_eq!(read("2:00 to 4:30 PM"), ["14:00", "16:30"]);
        assert_eq!(
            read("1 a.m. to 10 a.m. Pacific time on Monday 20 March"),
            ["3-20 1:00 American(-480)", "3-20 10:00 American(-480)"]
        );
        assert_eq!(
            read("0830Z, 1405 UTC, 14h05, noon"),
            ["8:30 Fixed(0)", "14:05 Fixed(0)", "14:05", "12:00"]
        );
        assert_eq!(
            read("at about 08:03 UTC on Friday 23 September 2022"),
            ["9-23 8:03 Fixed(0)"]
        );
        assert_eq!(read("Feb 20 2018 14:17"), ["2-20 14:17"]);
    }

    #[test]
    fn a_damaged_time_is_seen_and_not_read() {
        assert_eq!(
            read("from 2🕙0 PM to 4:00 PM (WAT)"),
            ["damaged Fixed(60)", "16:00 Fixed(60)"]
        );
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        assert!(
            read("version 1.10.2, 10.0.0.1:8080, 3:1, 25:00, 12:99, 5 %, 2x:xx, year 2024")
                .is_empty()
        );
    }
}
