//! The phrases by which a postmortem is read. They are data.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::incidents::defect::{CatalogueError, Defect, Problem};
use crate::incidents::read::place;

/// The table that comes with the program.
const BUILT_IN: &str = include_str!("../../../incidents/reading.toml");
/// Its name in errors.
const FILE: &str = "incidents/reading.toml";

/// Phrases by what they stand for.
pub(super) type Table = BTreeMap<String, Vec<String>>;

/// All phrases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Words {
    #[expect(dead_code, reason = "a number for readers of the file")]
    version: u32,
    pub(super) sections: Table,
    pub(super) failure: Table,
    pub(super) cause: Table,
    pub(super) roots: Table,
    pub(super) component_sharp: Table,
    pub(super) component_broad: Table,
    pub(super) component_not: Table,
    pub(super) resolution: Table,
    pub(super) attempts: Table,
    pub(super) detection: Table,
    pub(super) suspected: Table,
    pub(super) events: Table,
}

impl Words {
    /// Reads the table that comes with the program.
    pub(super) fn built_in() -> Result<Self, CatalogueError> {
        toml::from_str(BUILT_IN).map_err(|error| {
            let (line, column) = place(BUILT_IN, error.span().map_or(0, |span| span.start));
            CatalogueError::Defects {
                defects: vec![Defect {
                    file: FILE.to_owned(),
                    line,
                    column,
                    problem: Problem::Syntax {
                        message: error.message().to_owned(),
                    },
                }],
            }
        })
    }
}

/// The phrases of one entry; none where there is no such entry.
pub(super) fn phrases<'a>(table: &'a Table, key: &str) -> &'a [String] {
    table.get(key).map(Vec::as_slice).unwrap_or_default()
}

/// Where a phrase begins in a text in lower case: where a word begins with it.
pub(super) fn find(text: &str, phrase: &str) -> Option<usize> {
    let (phrase, whole) = match phrase.strip_suffix('.') {
        Some(phrase) => (phrase, true),
        None => (phrase, false),
    };
    let starts_in_word = phrase.starts_with(char::is_alphanumeric);
    text.match_indices(phrase).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + phrase.len()..)
            .and_then(|text| text.chars().next());
        let begins = !starts_in_word || !before.is_some_and(char::is_alphanumeric);
        let ends = !whole || !after.is_some_and(char::is_alphanumeric);
        begins && ends
    })
}

/// Whether one of the phrases is in a text in lower case, and is not denied
/// by the word before it.
pub(super) fn says(text: &str, phrases: &[String]) -> bool {
    phrases.iter().any(|phrase| {
        find(text, phrase).is_some_and(|at| {
            let before = text.get(..at).unwrap_or_default().trim_end();
            !["no", "not", "without", "never", "isn't", "wasn't"]
                .iter()
                .any(|deny| before.ends_with(deny) && find(before, deny).is_some())
        })
    })
}

/// The first of the phrases, and where it is.
pub(super) fn first<'a>(text: &str, phrases: &'a [String]) -> Option<(usize, &'a str)> {
    phrases
        .iter()
        .filter_map(|phrase| find(text, phrase).map(|at| (at, phrase.as_str())))
        .min_by_key(|(at, phrase)| (*at, std::cmp::Reverse(phrase.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_where_a_word_begins() {
        assert!(find("it restarted twice", "restart").is_some());
        assert!(find("unrestarted", "restart").is_none());
        assert!(find("a hang. then", "hang.").is_some());
        assert!(find("a change", "hang.").is_none());
    }

    #[test]
    fn a_phrase_that_is_denied_is_not_said() {
        let phrases = vec!["memory leak".to_owned()];
        assert!(says("there was a memory leak", &phrases));
        assert!(!says("there was no memory leak", &phrases));
    }

    #[test]
    fn the_table_that_comes_along_is_clean() {
        let words = Words::built_in().unwrap();
        let all = [
            &words.sections,
            &words.failure,
            &words.cause,
            &words.roots,
            &words.component_sharp,
            &words.component_broad,
            &words.component_not,
            &words.resolution,
            &words.attempts,
            &words.detection,
            &words.suspected,
            &words.events,
        ];
        for phrase in all.iter().flat_map(|table| table.values()).flatten() {
            assert_eq!(*phrase, phrase.to_lowercase());
            assert!(!phrase.trim_end_matches('.').is_empty());
        }
    }
}
