//! Days as people write them.

use jiff::civil::{Date, Weekday};

/// A day that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// The year, where it is written.
    pub(super) year: Option<i16>,
    pub(super) month: i8,
    pub(super) day: i8,
    /// The day of the week, where it is written beside.
    pub(super) weekday: Option<Weekday>,
    /// Whether month and day could be the other way round.
    pub(super) ambiguous: bool,
    /// Where it stands, in bytes.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Day {
    /// The date, with a year from elsewhere where none is written.
    pub(super) fn date(&self, year: Option<i16>) -> Option<Date> {
        Date::new(self.year.or(year)?, self.month, self.day).ok()
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// A word or a number of a text.
#[derive(Clone, Copy)]
struct Token<'t> {
    text: &'t str,
    start: usize,
}

impl Token<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    fn number(&self) -> Option<i32> {
        (self.text.len() <= 4)
            .then(|| self.text.parse().ok())
            .flatten()
    }

    /// A number with the ending of an ordinal, or none: `14`, `14th`.
    fn day(&self) -> Option<i8> {
        let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
        let ending = self.text.get(digits..)?.to_lowercase();
        if !matches!(ending.as_str(), "" | "st" | "nd" | "rd" | "th") || digits > 2 {
            return None;
        }
        self.text
            .get(..digits)?
            .parse()
            .ok()
            .filter(|day| (1..=31).contains(day))
    }

    fn year(&self) -> Option<i16> {
        let number = self.number().filter(|_| self.text.len() == 4)?;
        i16::try_from(number)
            .ok()
            .filter(|year| (1990..=2100).contains(year))
    }

    fn month(&self) -> Option<i8> {
        let lower = self.text.to_lowercase();
        if !lower.is_ascii() || lower.len() < 3 {
            return None;
        }
        let at = MONTHS.iter().position(|month| {
            *month == lower
                || (month.get(..3) == Some(lower.as_str()))
                || lower == "sept" && *month == "september"
        })?;
        // `may` and `mar` are words, too; a month is written with a capital.
        let capital = self.text.starts_with(char::is_uppercase);
        if matches!(
            lower.as_str(),
            "may" | "mar" | "march" | "sep" | "dec" | "jan"
        ) && !capital
        {
            return None;
        }
        i8::try_from(at + 1).ok()
    }
}

/// The words and numbers of a text.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices() {
        if letter.is_ascii_alphanumeric() {
            start = start.or(Some(at));
        } else if let Some(begun) = start.take()
            && let Some(text) = text.get(begun..at)
        {
            out.push(Token { text, start: begun });
        }
    }
    if let Some(begun) = start
        && let Some(text) = text.get(begun..)
    {
        out.push(Token { text, start: begun });
    }
    out
}

/// All days in a text, in order.
pub(super) fn days(text: &str) -> Vec<Day> {
    let tokens = tokens(text);
    let mut out: Vec<Day> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let window = tokens.get(at..).unwrap_or_default();
        match numeric(text, window).or_else(|| named(text, window)) {
            Some((mut day, used)) => {
                day.weekday = weekday_beside(text, &tokens, at, used);
                out.push(day);
                at += used;
            }
            None => at += 1,
        }
    }
    out
}

/// What stands between two tokens.
fn gap<'t>(text: &'t str, a: &Token<'_>, b: &Token<'_>) -> &'t str {
    text.get(a.end()..b.start).unwrap_or_default()
}

/// `2024-06-14`, `2024/06/14`, `14.06.2024`, `06/14/2024`.
fn numeric(text: &str, window: &[Token<'_>]) -> Option<(Day, usize)> {
    let [a, b, c, ..] = window else { return None };
    let mark = gap(text, a, b);
    if mark != gap(text, b, c) || !matches!(mark, "-" | "/" | ".") {
        return None;
    }
    let before = text
        .get(..a.start)
        .and_then(|text| text.chars().next_back());
    if before.is_some_and(|before| "-/.".contains(before)) {
        return None;
    }
    let made = |year: i16, month: i32, day: i32, ambiguous, end| {
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        Date::new(year, month, day).ok()?;
        Some((
            Day {
                year: Some(year),
                month,
                day,
                weekday: None,
                ambiguous,
                start: a.start,
                end,
            },
            3,
        ))
    };
    if let Some(year) = a.year() {
        // `2024-06-14T13:00`: the third token may hold the time's hour.
        let third = match c.text.split_once(['T', 't']) {
            Some((day, _)) => Token {
                text: day,
                start: c.start,
            },
            None => *c,
        };
        return made(year, b.number()?, third.number()?, false, third.end());
    }
    if a.text.len() > 2 || b.text.len() > 2 {
        return None;
    }
    let year = c.year()?;
    let (first, second) = (a.number()?, b.number()?);
    if mark == "." || first > 12 {
        return made(year, second, first, false, c.end());
    }
    if second > 12 {
        return made(year, first, second, false, c.end());
    }
    made(year, second, first, first != second, c.end())
}

/// `June 14, 2024`, `14 June 2024`, `14th of June`, `Feb 20 2018`.
fn named(text: &str, window: &[Token<'_>]) -> Option<(Day, usize)> {
    let [a, b, ..] = window else { return None };
    let close = |a: &Token<'_>, b: &Token<'_>| {
        let gap = gap(text, a, b);
        gap.len() <= 3 && gap.chars().all(|letter| " ,.-/".contains(letter))
    };
    let (month, day, mut used, mut end) = if let (Some(month), Some(day)) = (a.month(), b.day()) {
        if !close(a, b) {
            return None;
        }
        (month, day, 2, b.end())
    } else if let (Some(day), Some(month)) = (a.day(), b.month()) {
        if !close(a, b) {
            return None;
        }
        (month, day, 2, b.end())
    } else {
        let c = window.get(2)?;
        let month = c
            .month()
            .filter(|_| b.text == "of" && close(a, b) && close(b, c))?;
        (month, a.day()?, 3, c.end())
    };
    let mut year = None;
    if let (Some(last), Some(next)) = (window.get(used - 1), window.get(used))
        && close(last, next)
        && let Some(found) = next.year()
    {
        year = Some(found);
        end = next.end();
        used += 1;
    }
    // A colon after a number without a year: it is the hour of a time.
    if text.get(end..).is_some_and(|after| after.starts_with(':')) {
        return None;
    }
    Date::new(year.unwrap_or(2024), month, day).ok()?;
    Some((
        Day {
            year,
            month,
            day,
            weekday: None,
            ambiguous: false,
            start: a.start,
            end,
        },
        used,
    ))
}

/// The day of the week that stands next to a date.
fn weekday_beside(text: &str, tokens: &[Token<'_>], at: usize, used: usize) -> Option<Weekday> {
    let of = |token: &Token<'_>| {
        let lower = token.text.to_lowercase();
        WEEKDAYS
            .iter()
            .find(|(name, _)| {
                *name == lower || (lower.len() >= 3 && name.get(..3) == Some(lower.as_str()))
            })
            .map(|(_, day)| *day)
    };
    let near = |a: &Token<'_>, b: &Token<'_>| {
        gap(text, a, b)
            .chars()
            .all(|letter| " ,()".contains(letter))
            && gap(text, a, b).len() <= 3
    };
    let before = at
        .checked_sub(1)
        .and_then(|before| tokens.get(before))
        .zip(tokens.get(at));
    if let Some((before, first)) = before {
        let skip_the = before.text == "the";
        let before = if skip_the {
            at.checked_sub(2).and_then(|at| tokens.get(at))
        } else {
            Some(before)
        };
        if let Some(day) = before
            .filter(|token| skip_the || near(token, first))
            .and_then(of)
        {
            return Some(day);
        }
    }
    let last = tokens.get(at + used - 1)?;
    let after = tokens.get(at + used).filter(|after| near(last, after))?;
    of(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        days(text)
            .into_iter()
            .map(|day| {
                let weekday = day
                    .weekday
                    .map(|day| format!(" {day:?}"))
                    .unwrap_or_default();
                let year = day.year.map_or("?".to_owned(), |year| year.to_string());
                let doubt = if day.ambiguous { "!" } else { "" };
                format!("{year}-{}-{}{weekday}{doubt}", day.month, day.day)
            })
            .collect()
    }

    #[test]
    fn days_are_read_in_many_forms() {
        assert_eq!(read("on June 14, 2024, 1:00 PM"), ["2024-6-14"]);
        assert_eq!(read("on August 10th, 2024."), ["2024-8-10"]);
        assert_eq!(read("14th of June 2024"), ["2024-6-14"]);
        assert_eq!(read("Feb 20 2018 14:17"), ["2018-2-20"]);
        assert_eq!(read("Feb 21, 13:00"), ["?-2-21"]);
        assert_eq!(read("2025-09-17T06:12:00+02:00"), ["2025-9-17"]);
        assert_eq!(read("Friday 23 September 2022"), ["2022-9-23 Friday"]);
        assert_eq!(read("Monday 20 March."), ["?-3-20 Monday"]);
        assert_eq!(
            read("14/11/2024 and 11/14/2024"),
            ["2024-11-14", "2024-11-14"]
        );
        assert_eq!(read("03/04/2025"), ["2025-4-3!"]);
        assert_eq!(read("1.9.2024"), ["2024-9-1"]);
        assert_eq!(
            read("from 30 December 2024, 10:45 PM to 31 December 2024"),
            ["2024-12-30", "2024-12-31"]
        );
    }

    #[test]
    fn what_is_no_day_is_not_read() {
        assert!(read("version 1.2.3, 10.0.0.1, we may 3 times march 5").is_empty());
        assert!(read("31/02/2024 and 2024-13-01").is_empty());
    }
}
