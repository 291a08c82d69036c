//! Values of a policy file, one type after the other; what is wrong with them
//! is collected.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::nearest::nearest;
use super::super::problem::{Problem, SourceFile};
use super::At;

/// Collects the problems of one file while its values are read.
pub(in crate::policy) struct Reader {
    file: Arc<SourceFile>,
    problems: Vec<Problem>,
}

impl Reader {
    pub(in crate::policy) fn new(file: &Arc<SourceFile>) -> Self {
        Self {
            file: Arc::clone(file),
            problems: Vec::new(),
        }
    }

    pub(in crate::policy) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(in crate::policy) fn problem(
        &mut self,
        span: Range<usize>,
        title: &str,
        label: impl Into<String>,
    ) {
        self.problems
            .push(Problem::new(&self.file, span, title, label));
    }

    fn wrong(&mut self, title: &str, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = value.get_ref().type_str();
        self.problem(
            value.span(),
            title,
            format!("`{key}` must be {wanted}, and this is {found}"),
        );
    }

    /// Complains about every key that is not known, with the nearest that is.
    pub(in crate::policy) fn known(&mut self, title: &str, table: &DeTable<'_>, known: &[&str]) {
        let keys: BTreeSet<&str> = table.keys().map(|key| key.get_ref().as_ref()).collect();
        for key in table.keys() {
            let name: &str = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            // A key that is there already cannot be what was meant.
            let near = nearest(
                name,
                known.iter().copied().filter(|known| !keys.contains(known)),
            );
            let label = match near {
                Some(near) => format!("unknown key `{}`; did you mean `{near}`?", shown(name)),
                None => format!(
                    "unknown key `{}`; known are {}",
                    shown(name),
                    known.join(", ")
                ),
            };
            self.problem(key.span(), title, label);
        }
    }

    pub(in crate::policy) fn table<'t, 'i>(
        &mut self,
        title: &str,
        key: &str,
        parent: &'t DeTable<'i>,
    ) -> Option<&'t DeTable<'i>> {
        let value = parent.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(title, key, value, "a table");
        }
        table
    }

    /// The tables of `[[key]]`, each with its place.
    pub(in crate::policy) fn tables<'t, 'i>(
        &mut self,
        key: &str,
        parent: &'t DeTable<'i>,
        most: usize,
    ) -> Vec<(&'t DeTable<'i>, Range<usize>)> {
        let Some(value) = parent.get(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, key, value, &format!("written `[[{key}]]`"));
            return Vec::new();
        };
        if array.len() > most {
            self.problem(
                value.span(),
                key,
                format!("there are more than {most} of them"),
            );
            return Vec::new();
        }
        let mut tables = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(table) => tables.push((table, item.span())),
                None => self.wrong(key, key, item, &format!("written `[[{key}]]`")),
            }
        }
        tables
    }

    /// A text that is not empty.
    pub(in crate::policy) fn text(
        &mut self,
        title: &str,
        key: &str,
        table: &DeTable<'_>,
    ) -> Option<At<String>> {
        let value = table.get(key)?;
        self.as_text(title, key, value)
    }

    fn as_text(
        &mut self,
        title: &str,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<At<String>> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(title, key, value, "a string");
            return None;
        };
        if text.trim().is_empty() {
            self.problem(value.span(), title, format!("`{key}` is empty"));
            return None;
        }
        Some(At {
            value: text.to_owned(),
            span: value.span(),
        })
    }

    /// A text that must be there.
    pub(in crate::policy) fn required_text(
        &mut self,
        title: &str,
        key: &str,
        table: &DeTable<'_>,
        place: &Range<usize>,
    ) -> Option<At<String>> {
        if table.contains_key(key) {
            return self.text(title, key, table);
        }
        self.missing(title, key, place);
        None
    }

    pub(in crate::policy) fn missing(&mut self, title: &str, key: &str, place: &Range<usize>) {
        self.problem(place.clone(), title, format!("`{key}` is missing"));
    }

    pub(in crate::policy) fn texts(
        &mut self,
        title: &str,
        key: &str,
        table: &DeTable<'_>,
    ) -> Option<Vec<At<String>>> {
        let value = table.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(title, key, value, "a list of strings");
            return None;
        };
        if array.is_empty() {
            self.problem(value.span(), title, format!("`{key}` is empty"));
            return None;
        }
        let texts = array.iter().map(|item| self.as_text(title, key, item));
        let texts: Vec<Option<At<String>>> = texts.collect();
        texts.into_iter().collect()
    }

    pub(in crate::policy) fn bool(
        &mut self,
        title: &str,
        key: &str,
        table: &DeTable<'_>,
    ) -> Option<bool> {
        let value = table.get(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong(title, key, value, "`true` or `false`");
        }
        found
    }

    /// A whole number or one with a fraction.
    pub(in crate::policy) fn number(
        &mut self,
        title: &str,
        key: &str,
        table: &DeTable<'_>,
    ) -> Option<At<f64>> {
        let value = table.get(key)?;
        let found = match value.get_ref().as_float() {
            Some(float) => float.as_str().parse().ok(),
            None => integer(value.get_ref())
                .and_then(|number| i32::try_from(number).ok())
                .map(f64::from),
        };
        let Some(found) = found.filter(|number: &f64| number.is_finite()) else {
            self.wrong(title, key, value, "a number");
            return None;
        };
        Some(At {
            value: found,
            span: value.span(),
        })
    }

    /// One word of a closed list.
    pub(in crate::policy) fn word<T: Copy>(
        &mut self,
        title: &str,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        words: &[(&str, T)],
    ) -> Option<T> {
        let known = || words.iter().map(|(word, _)| *word);
        let Some(text) = value.get_ref().as_str() else {
            let all: Vec<&str> = known().collect();
            self.wrong(title, key, value, &format!("one of {}", all.join(", ")));
            return None;
        };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let label = match nearest(text, known()) {
            Some(near) => format!(
                "`{key}` is never \"{}\"; did you mean \"{near}\"?",
                shown(text)
            ),
            None => {
                let all: Vec<&str> = known().collect();
                format!(
                    "`{key}` is never \"{}\"; it is one of {}",
                    shown(text),
                    all.join(", ")
                )
            }
        };
        self.problem(value.span(), title, label);
        None
    }

    /// A day, as a TOML date or as a string of the same form.
    pub(in crate::policy) fn date(
        &mut self,
        title: &str,
        key: &str,
        table: &DeTable<'_>,
    ) -> Option<Date> {
        let value = table.get(key)?;
        let day = value.get_ref().as_datetime();
        let day = day.filter(|datetime| datetime.time.is_none());
        let text = match day {
            Some(day) => Some(day.to_string()),
            None => value.get_ref().as_str().map(str::to_owned),
        };
        let date = text
            .filter(|text| text.len() == "2026-12-15".len())
            .and_then(|text| text.parse::<Date>().ok());
        if date.is_none() {
            self.problem(
                value.span(),
                title,
                format!("`{key}` must be a day, such as 2026-12-15"),
            );
        }
        date
    }
}

/// A whole number.
pub(in crate::policy) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// A word from the file, short enough to be shown and without control characters.
pub(in crate::policy) fn shown(word: &str) -> String {
    let short: String = word.chars().take(60).collect();
    let more = if short.len() < word.len() { "…" } else { "" };
    format!("{}{more}", short.escape_debug())
}
