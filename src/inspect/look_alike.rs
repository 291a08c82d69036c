//! Names that are made to be taken for others, and packages that are copies.

use std::collections::BTreeSet;

use crate::registry::SourceTree;

/// Names with fewer letters are too often close to each other by chance.
const SHORTEST: usize = 5;
/// Lines with fewer bytes say nothing of where they come from.
const SHORTEST_LINE: usize = 12;
/// Source of more bytes than this is compared by its beginning.
const MOST_BYTES: usize = 8 << 20;

/// The known name that a name is one slip away from, and how they differ.
/// A name that is known itself is taken for no other.
#[must_use]
pub fn look_alike<'k>(
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<(&'k str, &'static str)> {
    let mut best: Option<(&str, &'static str)> = None;
    let folded = folded(name);
    for other in known {
        if other == name {
            return None;
        }
        if let Some(how) = slip(&folded, other)
            && best.is_none_or(|(known, _)| other < known)
        {
            best = Some((other, how));
        }
    }
    best
}

/// How one name becomes another by one slip of the hand or of the eye.
fn slip(a: &[char], other: &str) -> Option<&'static str> {
    // Most names are of another length.
    let letters = other.chars().filter(|letter| !joins(*letter)).count();
    if a.len().min(letters) < SHORTEST || a.len().abs_diff(letters) > 1 {
        return None;
    }
    let b = folded(other);
    if a == b {
        return Some("in hyphens or letters that look the same");
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(start..)?, b.get(start..)?);
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let (a, b) = (a.get(..a.len() - end)?, b.get(..b.len() - end)?);
    match (a, b) {
        // A number counts up; it is no slip.
        ([x], [y]) if x.is_ascii_digit() && y.is_ascii_digit() => None,
        ([x], []) | ([], [x]) if x.is_ascii_digit() => None,
        ([_], [_]) => Some("in one letter"),
        ([_], []) => Some("by one letter more"),
        ([], [_]) => Some("by one letter less"),
        ([p, q], [r, s]) if p == s && q == r => Some("by two letters swapped"),
        _ => None,
    }
}

/// Whether a letter only joins words.
fn joins(letter: char) -> bool {
    matches!(letter, '-' | '_')
}

/// A name without hyphens, and with letters for the digits that look like them.
fn folded(name: &str) -> Vec<char> {
    name.chars()
        .filter(|letter| !joins(*letter))
        .map(|letter| match letter.to_ascii_lowercase() {
            '0' => 'o',
            '1' => 'l',
            other => other,
        })
        .collect()
}

/// The share of one package's lines of code that stand in another one, too:
/// from 0 to 1, by distinct lines of at least some length.
#[must_use]
pub fn same_lines(tree: &SourceTree, other: &SourceTree) -> f64 {
    let (own, theirs) = (lines(tree), lines(other));
    if own.is_empty() {
        return 0.0;
    }
    own.intersection(&theirs).count() as f64 / own.len() as f64
}

fn lines(tree: &SourceTree) -> BTreeSet<&[u8]> {
    let mut left = MOST_BYTES;
    let mut found = BTreeSet::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
    {
        let content = tree.content(file);
        let content = content.get(..content.len().min(left)).unwrap_or_default();
        left -= content.len();
        found.extend(
            content
                .split(|byte| *byte == b'\n')
                .map(<[u8]>::trim_ascii)
                .filter(|line| line.len() >= SHORTEST_LINE),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_found_and_two_are_not() {
        let known = [
            "futures",
            "log",
            "rand_core",
            "serde_json",
            "tokio",
            "base64",
        ];
        let found = |name: &str| look_alike(name, known);
        assert_eq!(found("tokoi"), Some(("tokio", "by two letters swapped")));
        assert_eq!(found("tokio2"), None, "a number counts up");
        assert_eq!(found("base32"), None, "two digits differ");
        assert_eq!(found("tokioo"), Some(("tokio", "by one letter more")));
        assert_eq!(
            found("serde_jon"),
            Some(("serde_json", "by one letter less"))
        );
        assert_eq!(found("serde_jsom"), Some(("serde_json", "in one letter")));
        let eye = "in hyphens or letters that look the same";
        assert_eq!(found("serdejson"), Some(("serde_json", eye)));
        assert_eq!(found("t0kio"), Some(("tokio", eye)));
        assert_eq!(found("tokio"), None, "it is known itself");
        assert_eq!(found("lob"), None, "too short to tell");
        assert_eq!(found("serde-yaml"), None);
    }

    #[test]
    fn what_is_known_itself_is_taken_for_no_other_in_any_order() {
        assert_eq!(look_alike("bytes", ["byted", "bytes"]), None);
        assert_eq!(look_alike("bytes", ["bytes", "byted"]), None);
        let first = look_alike("bytez", ["bytey", "bytes"]).map(|(name, _)| name);
        assert_eq!(
            first,
            Some("bytes"),
            "the order of the input does not matter"
        );
    }
}
