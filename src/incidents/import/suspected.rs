//! What was thought to be the cause, and was not.

use super::page::{Page, Section, Sentence};
use super::page_lines::Kind;
use super::times::Read;
use super::words::{Words, find, phrases};
use crate::incidents::vocabulary::Failure;

/// The most that are kept.
const MAX: usize = 8;
/// The most words of one.
const MAX_WORDS: usize = 10;

/// Reads what was suspected wrongly, in order.
pub(super) fn suspected(page: &Page, words: &Words, failure: Option<Failure>) -> Vec<Read<String>> {
    let mut out: Vec<Read<String>> = Vec::new();
    let right = failure.map(|failure| phrases(&words.failure, failure.as_str())).unwrap_or_default();
    for sentence in page.sentences.iter().filter(|sentence| sentence.section != Section::Actions && !matches!(sentence.kind, Kind::Heading(_) | Kind::Front)) {
        if sentence.section == Section::Suspected && sentence.kind == Kind::Item && sentence.leads && said(&sentence.lower, words).is_none() {
            add(&mut out, &sentence.text, sentence.line, right);
            continue;
        }
        if sentence.section == Section::Lessons {
            continue;
        }
        if let Some((start, end)) = said(&sentence.lower, words)
            && let Some(piece) = piece(sentence, start, end)
        {
            add(&mut out, piece, sentence.line, right);
        }
        if out.len() >= MAX {
            break;
        }
    }
    out
}

/// Where in a sentence that which was suspected stands.
fn said(lower: &str, words: &Words) -> Option<(usize, usize)> {
    let after = phrases(&words.suspected, "after")
        .iter()
        .filter_map(|phrase| find(lower, phrase).map(|at| (at, at + phrase.len())))
        .min_by_key(|(at, end)| (*at, std::cmp::Reverse(*end)));
    let before = phrases(&words.suspected, "before")
        .iter()
        .filter_map(|phrase| find(lower, phrase))
        .min();
    match (after, before) {
        // `The load balancer was ruled out`, and not `ruled out` what comes next.
        (Some((at, _)), Some(before)) if before <= at => Some((0, before)),
        (None, Some(before)) => Some((0, before)),
        (Some((_, end)), _) => Some((end, lower.len())),
        (None, None) => None,
    }
}

/// The words of it: up to the next mark, and not too many.
fn piece(sentence: &Sentence, start: usize, end: usize) -> Option<&str> {
    // Lower case can have other lengths than the text; then the text is left.
    if sentence.lower.len() != sentence.text.len() {
        return None;
    }
    let text = sentence.text.get(start..end)?;
    let text = if start == 0 {
        // What stands before: after the time and the last mark.
        let from = text.rfind([':', ';', '|', ',', '–', '(']).map_or(0, |at| at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
        text.get(from..)?
    } else {
        let to = text.find([';', '|', '.', '?', '!', '(']).unwrap_or(text.len());
        let to = text.find(", ").map_or(to, |comma| comma.min(to));
        text.get(..to)?
    };
    let text = text.trim_matches(|letter: char| !letter.is_alphanumeric());
    (!text.is_empty()).then_some(text)
}

/// Adds one, unless it says what the failure really was, or is there already.
fn add(out: &mut Vec<Read<String>>, piece: &str, line: u32, right: &[String]) {
    let mut words: Vec<&str> = piece.split_whitespace().collect();
    while words.first().is_some_and(|word| matches!(word.to_lowercase().as_str(), "the" | "a" | "an" | "that" | "its" | "it" | "was" | "our" | "possible" | "potential" | "and" | "with" | "to" | "of" | "by" | "like" | "is" | "we" | "they" | "this" | "there")) {
        words.remove(0);
    }
    words.truncate(MAX_WORDS);
    let short = words.join(" ");
    let lower = short.to_lowercase();
    let is_right = right.iter().any(|phrase| find(&lower, phrase).is_some()) || lower.contains("memory leak");
    let hollow = short.len() < 3 || !lower.contains(char::is_alphabetic) || matches!(lower.as_str(), "issue" | "this" | "cause" | "they" | "problem" | "confirmed");
    let known = out.iter().any(|(other, _)| {
        let other = other.to_lowercase();
        other.contains(&lower) || lower.contains(&other)
    });
    if !is_right && !hollow && !known {
        out.push((short, line));
    }
}
