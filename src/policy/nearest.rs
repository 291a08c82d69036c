//! The known word that is nearest to a misspelt one.

/// How many characters of a word are compared; a longer one is no misspelling.
const LONGEST: usize = 64;

/// The candidate with the fewest edits to `word`, when it is near enough to be
/// meant: at most a third of the word's length, and at least one edit.
/// Of several equally near ones the first in order.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The number of insertions, removals, replacements and swaps of neighbours
/// between two words (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().take(LONGEST + 1).collect();
    let b: Vec<char> = b.to_lowercase().chars().take(LONGEST + 1).collect();
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = last;
        last = row;
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("targts", ["targets", "features"]), Some("targets"));
        assert_eq!(nearest("taregts", ["targets"]), Some("targets"));
        assert_eq!(nearest("Reason", ["reason"]), Some("reason"));
        assert_eq!(nearest("owner", ["targets", "features"]), None);
        assert_eq!(nearest("", ["targets"]), None);
        assert_eq!(nearest(&"x".repeat(5_000), ["targets"]), None);
    }

    #[test]
    fn of_equally_near_words_the_first_in_order_is_offered() {
        assert_eq!(nearest("jsox", ["json", "jsob"]), Some("jsob"));
        assert_eq!(nearest("json", ["jsonx", "json"]), Some("json"));
        assert_eq!(nearest("json", []), None);
    }
}
