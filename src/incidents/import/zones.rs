//! Zones of time by name and by offset.

use jiff::civil::Date;

/// A zone as a text names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Minutes east of UTC.
    Fixed(i32),
    /// Winter time, in minutes east of UTC, of a place with the summer time of North America.
    American(i32),
    /// Winter time, in minutes east of UTC, of a place with the summer time of Europe.
    European(i32),
}

/// Abbreviations that are written in capitals, with their offset in minutes.
/// Those that stand for several zones are read as their most common meaning
/// in accounts of outages.
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("MEZ", 60),
    ("MESZ", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("TRT", 180),
    ("WAT", 60),
    ("CAT", 120),
    ("SAST", 120),
    ("EAT", 180),
    ("GST", 240),
    ("PKT", 300),
    ("IST", 330),
    ("NPT", 345),
    ("ICT", 420),
    ("WIB", 420),
    ("SGT", 480),
    ("HKT", 480),
    ("PHT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("NST", -210),
    ("AST", -240),
    ("BRT", -180),
    ("ART", -180),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
];

/// Names in words, in lower case.
const NAMES: &[(&str, Zone)] = &[
    ("pacific", Zone::American(-480)),
    ("eastern", Zone::American(-300)),
    ("central european", Zone::European(60)),
    ("mountain time", Zone::American(-420)),
    ("us central", Zone::American(-360)),
    ("central time", Zone::American(-360)),
    ("zurich time", Zone::European(60)),
    ("berlin time", Zone::European(60)),
    ("paris time", Zone::European(60)),
    ("london time", Zone::European(0)),
    ("uk time", Zone::European(0)),
    ("uk local time", Zone::European(0)),
    ("europe/berlin", Zone::European(60)),
    ("europe/paris", Zone::European(60)),
    ("europe/zurich", Zone::European(60)),
    ("europe/amsterdam", Zone::European(60)),
    ("europe/madrid", Zone::European(60)),
    ("europe/rome", Zone::European(60)),
    ("europe/vienna", Zone::European(60)),
    ("europe/london", Zone::European(0)),
    ("america/new_york", Zone::American(-300)),
    ("america/chicago", Zone::American(-360)),
    ("america/los_angeles", Zone::American(-480)),
    ("asia/kolkata", Zone::Fixed(330)),
    ("asia/tokyo", Zone::Fixed(540)),
    ("indian standard time", Zone::Fixed(330)),
    ("west africa time", Zone::Fixed(60)),
];

/// Two letters for a zone of North America.
const SHORT: &[(&str, Zone)] = &[
    ("PT", Zone::American(-480)),
    ("ET", Zone::American(-300)),
    ("CT", Zone::American(-360)),
    ("MT", Zone::American(-420)),
];

impl Zone {
    /// The offset on a day, in minutes east of UTC.
    pub(super) fn offset(self, day: Date) -> i32 {
        match self {
            Self::Fixed(minutes) => minutes,
            Self::American(minutes) => {
                let summer = between(day, sunday(day.year(), 3, 2), sunday(day.year(), 11, 1));
                minutes + if summer { 60 } else { 0 }
            }
            Self::European(minutes) => {
                let summer = between(day, last_sunday(day.year(), 3), last_sunday(day.year(), 10));
                minutes + if summer { 60 } else { 0 }
            }
        }
    }
}

/// Whether a day is from the first, and before the second.
fn between(day: Date, from: Option<Date>, to: Option<Date>) -> bool {
    from.is_some_and(|from| day >= from) && to.is_some_and(|to| day < to)
}

/// The first, second, … Sunday of a month.
fn sunday(year: i16, month: i8, which: i8) -> Option<Date> {
    Date::new(year, month, 1)
        .ok()?
        .nth_weekday_of_month(which, jiff::civil::Weekday::Sunday)
        .ok()
}

/// The last Sunday of a month.
fn last_sunday(year: i16, month: i8) -> Option<Date> {
    sunday(year, month, -1)
}

/// Reads a zone at the beginning of a text, after spaces and an opening
/// bracket; with the bytes that it takes.
pub(super) fn zone_at(text: &str) -> Option<(Zone, usize)> {
    let rest = text.trim_start_matches([' ', '(', ',', '[']);
    let skipped = text.len() - rest.len();
    if skipped > 3 {
        return None;
    }
    let end = |used: usize| {
        let closed = rest
            .get(used..)
            .is_some_and(|after| after.starts_with([')', ']']));
        skipped + used + usize::from(closed)
    };
    if skipped == 0 && rest.starts_with(['Z', 'z']) && !next_is_word(rest, 1) {
        return Some((Zone::Fixed(0), 1));
    }
    if let Some((minutes, used)) = offset(rest, skipped > 0) {
        return Some((Zone::Fixed(minutes), end(used)));
    }
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let word = rest.get(..letters)?;
    let after = rest.get(letters..).unwrap_or_default();
    if matches!(word, "UTC" | "GMT" | "utc" | "gmt")
        && let Some((minutes, used)) = offset(after.trim_start(), false)
    {
        let spaces = after.len() - after.trim_start().len();
        return Some((Zone::Fixed(minutes), end(letters + spaces + used)));
    }
    let known = ABBREVIATIONS
        .iter()
        .find(|(name, _)| {
            *name == word || (matches!(*name, "UTC" | "GMT") && name.eq_ignore_ascii_case(word))
        })
        .map(|(_, minutes)| Zone::Fixed(*minutes))
        .or_else(|| {
            SHORT
                .iter()
                .find(|(name, _)| *name == word)
                .map(|(_, zone)| *zone)
        });
    if let Some(zone) = known {
        // `IST (UTC+05:30)`: the offset says it for certain.
        let more = after.strip_prefix(" (").and_then(|inner| {
            let (zone, used) = zone_at(inner)?;
            matches!(zone, Zone::Fixed(_)).then_some((zone, letters + 2 + used))
        });
        return Some(more.map_or((zone, end(letters)), |(zone, used)| (zone, end(used))));
    }
    let lower: String = rest.chars().take(24).collect::<String>().to_lowercase();
    NAMES
        .iter()
        .find(|(name, _)| lower.starts_with(name))
        .map(|(name, zone)| {
            let with_time = lower
                .get(name.len()..)
                .is_some_and(|after| after.starts_with(" time"));
            (*zone, end(name.len() + if with_time { 5 } else { 0 }))
        })
}

/// The zone that a statement such as "all times in CET" names anywhere.
pub(super) fn zone_in(text: &str) -> Option<Zone> {
    let mut best = None;
    for (at, letter) in text.char_indices() {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        if !letter.is_alphabetic()
            || before.is_some_and(|before| before.is_alphanumeric() || before == '_')
        {
            continue;
        }
        if let Some((zone, used)) = text.get(at..).and_then(zone_at)
            && !next_is_word(text, at + used)
        {
            let certain = text
                .get(at..at + used)
                .is_some_and(|text| text.contains(['+', '-']));
            if certain {
                return Some(zone);
            }
            best = best.or(Some(zone));
        }
    }
    best
}

/// Whether a word goes on at a byte.
fn next_is_word(text: &str, at: usize) -> bool {
    text.get(at..)
        .and_then(|after| after.chars().next())
        .is_some_and(char::is_alphanumeric)
}

/// Reads `+01:00`, `+0100`, `+1`, `-5`; with a colon only where it stands
/// apart from a time, as a dash does.
fn offset(text: &str, apart: bool) -> Option<(i32, usize)> {
    let (sign, rest) = match text.chars().next()? {
        '+' => (1, text.get(1..)?),
        '-' => (-1, text.get(1..)?),
        '−' => (-1, text.get('−'.len_utf8()..)?),
        _ => return None,
    };
    let mark = text.len() - rest.len();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number: i32 = rest.get(..digits)?.parse().ok()?;
    let after = rest.get(digits..).unwrap_or_default();
    let (minutes, used) = match digits {
        1 | 2 => {
            let part = after
                .strip_prefix(':')
                .and_then(|after| after.get(..2))
                .and_then(|part| part.parse::<i32>().ok());
            match part {
                Some(part) => (number * 60 + part, digits + 3),
                None if apart && sign < 0 => return None,
                None => (number * 60, digits),
            }
        }
        4 => (number / 100 * 60 + number % 100, 4),
        _ => return None,
    };
    (minutes <= 14 * 60).then_some((sign * minutes, mark + used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_by_name_and_by_offset() {
        let read = |text: &str| zone_at(text).map(|(zone, used)| (zone, text[used..].to_owned()));
        assert_eq!(read(" (UTC) x"), Some((Zone::Fixed(0), " x".to_owned())));
        assert_eq!(read(" GMT+01:00"), Some((Zone::Fixed(60), String::new())));
        assert_eq!(read("+05:30"), Some((Zone::Fixed(330), String::new())));
        assert_eq!(
            read(" IST (UTC+05:30) to"),
            Some((Zone::Fixed(330), " to".to_owned()))
        );
        assert_eq!(
            read(" Pacific time on"),
            Some((Zone::American(-480), " on".to_owned()))
        );
        assert_eq!(read(" est."), None);
        assert_eq!(read(" - 09:30"), None);
        assert_eq!(zone_in("All times in CET (GMT+1)"), Some(Zone::Fixed(60)));
        assert_eq!(zone_in("Cats at noon"), None);
    }

    #[test]
    fn summer_time_follows_the_rules_of_its_continent() {
        let day = |text: &str| text.parse().unwrap();
        assert_eq!(Zone::American(-480).offset(day("2023-03-20")), -420);
        assert_eq!(Zone::American(-480).offset(day("2023-03-11")), -480);
        assert_eq!(Zone::European(60).offset(day("2025-03-03")), 60);
        assert_eq!(Zone::European(60).offset(day("2025-07-03")), 120);
    }
}
