//! One TOML document, read key by key; what does not fit becomes a defect
//! with its place, and reading goes on.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::incidents::defect::{Defect, Problem, nearest};
use crate::incidents::record::{Moment, Percent};

/// A value and where it stands, in bytes.
pub(super) type Placed<T> = (T, Range<usize>);

/// The most characters of a text that stands on one line.
pub(super) const MAX_LINE: usize = 200;
/// The most entries of one list.
const MAX_ENTRIES: usize = 64;

/// A document that is being read.
pub(super) struct Sheet<'t> {
    file: &'t str,
    text: &'t str,
    /// What was found wrong so far.
    pub(super) defects: Vec<Defect>,
}

impl<'t> Sheet<'t> {
    /// A sheet over the text of a file.
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            file,
            text,
            defects: Vec::new(),
        }
    }

    /// The name of the file.
    pub(super) fn file(&self) -> &str {
        self.file
    }

    /// Notes a defect at a byte of the text.
    pub(super) fn defect(&mut self, at: usize, problem: Problem) {
        let (line, column) = place(self.text, at);
        self.defects.push(Defect {
            file: self.file.to_owned(),
            line,
            column,
            problem,
        });
    }

    /// Notes keys that are not in the list.
    pub(super) fn check_keys(&mut self, table: &DeTable<'_>, known: &[&'static str]) {
        for key in table.keys() {
            if !known.contains(&key.as_ref().as_ref()) {
                let name = short(key.as_ref());
                let nearest = nearest(&name, known.iter().copied());
                self.defect(key.span().start, Problem::UnknownKey { key: name, nearest });
            }
        }
    }

    /// Notes that a value is not what it should be.
    pub(super) fn bad(&mut self, at: usize, key: &str, expected: impl Into<String>) {
        self.defect(
            at,
            Problem::BadValue {
                key: short(key),
                expected: expected.into(),
            },
        );
    }

    /// Notes that two things cannot both be true.
    pub(super) fn contradiction(&mut self, at: usize, what: String) {
        self.defect(at, Problem::Contradiction { what });
    }

    /// Reads a value that must be there; notes that it is missing.
    pub(super) fn required<T>(
        &mut self,
        table: &Spanned<DeTable<'_>>,
        key: &'static str,
        value: Option<T>,
    ) -> Option<T> {
        if !table.get_ref().contains_key(key) {
            self.defect(table.span().start, Problem::MissingKey { key });
        }
        value
    }

    /// A text of one to `limit` characters, without control characters.
    pub(super) fn text(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        limit: usize,
    ) -> Option<Placed<String>> {
        let value = table.get(key)?;
        self.text_of(key, value, limit)
    }

    /// A text as [`Sheet::text`], from a value that is at hand.
    pub(super) fn text_of(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        limit: usize,
    ) -> Option<Placed<String>> {
        let fits = |text: &str| {
            !text.trim().is_empty()
                && text.chars().count() <= limit
                && !text
                    .chars()
                    .any(|letter| is_hidden(letter) && (letter != '\n' || limit <= MAX_LINE))
        };
        match value.get_ref().as_str() {
            Some(text) if fits(text) => Some((text.trim().to_owned(), value.span())),
            _ => {
                self.bad(
                    value.span().start,
                    key,
                    format!("a text of 1 to {limit} characters"),
                );
                None
            }
        }
    }

    /// A whole number between bounds.
    pub(super) fn number(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        bounds: std::ops::RangeInclusive<u32>,
    ) -> Option<Placed<u32>> {
        let value = table.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|integer| u32::from_str_radix(integer.as_str(), integer.radix()).ok())
            .filter(|number| bounds.contains(number));
        if number.is_none() {
            let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
            self.bad(value.span().start, key, expected);
        }
        number.map(|number| (number, value.span()))
    }

    /// A day without a time.
    pub(super) fn date(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
    ) -> Option<Placed<jiff::civil::Date>> {
        let value = table.get(key)?;
        let date = value
            .get_ref()
            .as_datetime()
            .filter(|at| at.time.is_none() && at.offset.is_none())
            .and_then(|at| at.to_string().parse().ok());
        if date.is_none() {
            self.bad(
                value.span().start,
                key,
                "a date without quotes, such as 2024-06-14",
            );
        }
        date.map(|date| (date, value.span()))
    }

    /// A point in time; its offset from UTC may be unknown.
    pub(super) fn moment(&mut self, table: &DeTable<'_>, key: &str) -> Option<Placed<Moment>> {
        let value = table.get(key)?;
        let moment = value
            .get_ref()
            .as_datetime()
            .filter(|at| at.date.is_some() && at.time.is_some())
            .and_then(|at| {
                let civil = toml::value::Datetime {
                    offset: None,
                    ..*at
                };
                let local = civil.to_string().parse().ok()?;
                let offset_minutes = at.offset.map(|offset| match offset {
                    toml::value::Offset::Z => 0,
                    toml::value::Offset::Custom { minutes } => i32::from(minutes),
                });
                Some(Moment {
                    local,
                    offset_minutes,
                })
            });
        if moment.is_none() {
            self.bad(
                value.span().start,
                key,
                "a time without quotes, such as 2024-06-14T13:00:00+01:00, or without `+01:00` where no zone is told",
            );
        }
        moment.map(|moment| (moment, value.span()))
    }

    /// A part of 100, with at most one digit after the point.
    pub(super) fn percent(&mut self, table: &DeTable<'_>, key: &str) -> Option<Placed<Percent>> {
        let value = table.get(key)?;
        let written = match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str()),
            DeValue::Float(float) => Some(float.as_str()),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        let percent = written.and_then(tenths).map(|tenths| Percent { tenths });
        if percent.is_none() {
            self.bad(
                value.span().start,
                key,
                "a number from 0 to 100, with at most one digit after the point",
            );
        }
        percent.map(|percent| (percent, value.span()))
    }

    /// A word of a closed list.
    pub(super) fn word<T: Copy>(
        &mut self,
        table: &DeTable<'_>,
        key: &'static str,
        known: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let (text, span) = self.text(table, key, 100)?;
        self.word_of(key, &text, span.start, known, name)
    }

    /// A word of a closed list, from a text that is at hand.
    pub(super) fn word_of<T: Copy>(
        &mut self,
        key: &'static str,
        text: &str,
        at: usize,
        known: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = known.iter().copied().find(|item| name(*item) == text);
        if found.is_none() {
            let nearest = nearest(text, known.iter().map(|item| name(*item)));
            self.defect(
                at,
                Problem::UnknownWord {
                    key,
                    word: short(text),
                    nearest,
                },
            );
        }
        found
    }

    /// A list of texts; empty when the key is not there.
    pub(super) fn texts(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        limit: usize,
    ) -> Vec<Placed<String>> {
        match table.get(key) {
            Some(value) => self.texts_of(key, value, limit),
            None => Vec::new(),
        }
    }

    /// A list of texts, from a value that is at hand.
    pub(super) fn texts_of(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        limit: usize,
    ) -> Vec<Placed<String>> {
        let Some(array) = value
            .get_ref()
            .as_array()
            .filter(|array| array.len() <= MAX_ENTRIES)
        else {
            self.bad(
                value.span().start,
                key,
                format!("a list of at most {MAX_ENTRIES} texts"),
            );
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(array.len());
        let mut seen = BTreeSet::new();
        for entry in array.iter() {
            if let Some((text, span)) = self.text_of(key, entry, limit) {
                if seen.insert(text.clone()) {
                    texts.push((text, span));
                } else {
                    self.contradiction(
                        span.start,
                        format!("`{}` stands twice in `{key}`", short(&text)),
                    );
                }
            }
        }
        texts
    }
}

/// Tenths of a number such as `12` or `1.2`, at most 100.
fn tenths(written: &str) -> Option<u16> {
    let (whole, part) = written.split_once('.').unwrap_or((written, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 1 || whole.len() > 3 {
        return None;
    }
    let tenths = whole.parse::<u16>().ok()? * 10 + part.parse::<u16>().ok()?;
    (tenths <= 1000).then_some(tenths)
}

/// Whether a character does something to a terminal or a page that a reader
/// does not see: control characters, and those that turn the direction of text.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Line and column of a byte, from 1; the column counts characters.
pub(in crate::incidents) fn place(text: &str, at: usize) -> (u32, u32) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = text.get(..at).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (
        u32::try_from(line).unwrap_or(u32::MAX),
        u32::try_from(column).unwrap_or(u32::MAX),
    )
}

/// A text that fits into a message: its first 60 characters, on one line.
pub(super) fn short(text: &str) -> String {
    clip(text, 60)
}

/// The first characters of a text, on one line and without hidden ones.
pub(in crate::incidents) fn clip(text: &str, limit: usize) -> String {
    let shown = |letter| if is_hidden(letter) { ' ' } else { letter };
    let mut out: String = text.trim().chars().take(limit).map(shown).collect();
    if text.trim().chars().nth(limit).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters() {
        assert_eq!(place("a\nbß c", 0), (1, 1));
        assert_eq!(place("a\nbß c", 5), (2, 3));
        assert_eq!(place("a\nbß c", 4), (2, 2), "inside of a character");
        assert_eq!(place("a", 99), (1, 2));
    }

    #[test]
    fn long_texts_are_cut_in_messages() {
        assert_eq!(short("a\nb"), "a b");
        assert_eq!(short(&"ä".repeat(61)).chars().count(), 61);
    }
}
