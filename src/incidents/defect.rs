//! What is wrong with an incident file, and where.

use std::fmt;

/// One thing that is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// What it is.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// The file is larger than it may be.
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// It is not text in UTF-8.
    NotText,
    /// It is not TOML.
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// A key that is not one of the format.
    UnknownKey {
        /// The key.
        key: String,
        /// The known key that is most like it.
        nearest: Option<String>,
    },
    /// A key that must be there is not.
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A word that is not one of its closed list.
    UnknownWord {
        /// The key.
        key: &'static str,
        /// The word.
        word: String,
        /// The known word that is most like it.
        nearest: Option<String>,
    },
    /// A value of another type, or out of its bounds.
    BadValue {
        /// The key.
        key: String,
        /// What it should be.
        expected: String,
    },
    /// Two things in the file, or in two files, that cannot both be true.
    Contradiction {
        /// Which.
        what: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = |f: &mut fmt::Formatter<'_>, nearest: &Option<String>| match nearest {
            Some(nearest) => write!(f, "; the nearest is `{nearest}`"),
            None => Ok(()),
        };
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "it has {bytes} bytes, and at most {limit} are read")
            }
            Self::NotText => f.write_str("it is not text in UTF-8"),
            Self::Syntax { message } => f.write_str(message),
            Self::UnknownKey { key, nearest } => {
                write!(f, "unknown key `{key}`")?;
                near(f, nearest)
            }
            Self::MissingKey { key } => write!(f, "the key `{key}` is missing"),
            Self::UnknownWord { key, word, nearest } => {
                write!(f, "unknown {key} `{word}`")?;
                near(f, nearest)
            }
            Self::BadValue { key, expected } => write!(f, "`{key}` should be {expected}"),
            Self::Contradiction { what } => f.write_str(what),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.problem
        )
    }
}

/// Why there is no catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Files with defects, all of them, by file and place.
    #[error("{} defects in incident files, the first: {}", defects.len(), first(defects))]
    Defects {
        /// The defects, sorted.
        defects: Vec<Defect>,
    },
    /// There are more files than are read.
    #[error("{count} incident files, and at most {limit} are read")]
    TooManyFiles {
        /// How many there are.
        count: usize,
        /// The most that are read.
        limit: usize,
    },
}

/// The first defect in words.
fn first(defects: &[Defect]) -> String {
    defects.first().map(ToString::to_string).unwrap_or_default()
}

/// The known word that is most like a given one, if any is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // A long word is hostile or a mistake of another kind; the distance is quadratic.
    if word.chars().count() > 40 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance * 2 <= candidate.len().max(3))
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// How many letters have to be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for (other, pair) in b.iter().zip(row.windows(2)) {
            let (diagonal, above) = (pair.first().copied(), pair.last().copied());
            let left = next.last().copied();
            let change = diagonal.unwrap_or(0) + usize::from(*other != letter);
            let skip = above.unwrap_or(0).min(left.unwrap_or(0)) + 1;
            next.push(change.min(skip));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_only_when_it_is_near() {
        let known = ["memory-leak", "hang", "crash"];
        assert_eq!(
            nearest("memory-leek", known).as_deref(),
            Some("memory-leak")
        );
        assert_eq!(nearest("hnag", known).as_deref(), Some("hang"));
        assert_eq!(nearest("completely different", known), None);
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }

    #[test]
    fn the_distance_counts_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
