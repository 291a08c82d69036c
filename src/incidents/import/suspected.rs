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

/// Reads what was suspected wrongly, in order. `elsewhere` says that the fault
/// was a third party's.
pub(super) fn suspected(
    page: &Page,
    words: &Words,
    failure: Option<Failure>,
    elsewhere: bool,
) -> Vec<Read<String>> {
    let mut out: Vec<Read<String>> = Vec::new();
    let right = failure
        .map(|failure| phrases(&words.failure, failure.as_str()))
        .unwrap_or_default();
    for sentence in page.sentences.iter().filter(|sentence| {
        sentence.section != Section::Actions
            && !matches!(sentence.kind, Kind::Heading(_) | Kind::Front)
    }) {
        if sentence.section == Section::Suspected
            && sentence.kind == Kind::Item
            && sentence.leads
            && said(&sentence.lower, words).is_none()
        {
            add(&mut out, &sentence.text, sentence.line, right, elsewhere);
            continue;
        }
        if sentence.section == Section::Lessons {
            continue;
        }
        let mut from = 0;
        // `focused on the network (assumed the provider was down)` says two things.
        for _ in 0..3 {
            let Some((start, end)) = sentence
                .lower
                .get(from..)
                .and_then(|rest| said(rest, words))
            else {
                break;
            };
            let Some(piece) = piece(sentence, from + start, from + end) else {
                break;
            };
            add(&mut out, piece, sentence.line, right, elsewhere);
            if start == 0 {
                break;
            }
            from += start;
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
    let text = if end < sentence.text.len() {
        // What stands before: after the time and the last mark.
        let cut = |text: &str| {
            text.rfind([':', ';', '|', ',', '–', '(']).map_or(0, |at| {
                at + text
                    .get(at..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(1, char::len_utf8)
            })
        };
        let from = cut(text);
        let last = text.get(from..)?.trim();
        // `The database was restarted; that changed nothing`: what it points back to.
        if sentence.section == Section::Suspected
            && matches!(last, "" | "that" | "this" | "it" | "which")
        {
            let before = text.get(..from)?.trim_end_matches([';', ',', ':', ' ']);
            before.get(cut(before)..)?
        } else {
            last
        }
    } else {
        let to = text
            .find([';', '|', '.', '?', '!', '('])
            .unwrap_or(text.len());
        let to = text.find(", ").map_or(to, |comma| comma.min(to));
        text.get(..to)?
    };
    let text = text.trim_matches(|letter: char| !letter.is_alphanumeric());
    (!text.is_empty()).then_some(text)
}

/// Adds one, unless it says what the failure really was, or is there already.
fn add(out: &mut Vec<Read<String>>, piece: &str, line: u32, right: &[String], elsewhere: bool) {
    let mut words: Vec<&str> = piece.split_whitespace().collect();
    while words.first().is_some_and(|word| {
        matches!(
            word.to_lowercase().as_str(),
            "the"
                | "a"
                | "an"
                | "that"
                | "its"
                | "it"
                | "was"
                | "our"
                | "possible"
                | "potential"
                | "and"
                | "with"
                | "to"
                | "of"
                | "by"
                | "like"
                | "is"
                | "we"
                | "they"
                | "this"
                | "there"
        )
    }) {
        words.remove(0);
    }
    words.truncate(MAX_WORDS);
    let short = words.join(" ");
    let lower = short.to_lowercase();
    // A leak in the own code was suspected, and was elsewhere.
    let own = ["application code", "own code", "our code"]
        .iter()
        .find(|own| lower.contains(*own));
    if let Some(own) = own.filter(|_| elsewhere) {
        out.push(((*own).to_owned(), line));
        return;
    }
    let is_right =
        right.iter().any(|phrase| find(&lower, phrase).is_some()) || lower.contains("memory leak");
    let hollow = short.len() < 3
        || !lower.contains(char::is_alphabetic)
        || [
            "other",
            "their",
            "this",
            "that",
            "but",
            "which",
            "these",
            "they",
            "issue",
            "problem",
            "cause",
            "confirmed",
            "others",
            "none",
            "as",
            "it",
            "nothing",
            "everything",
            "all",
            "no",
        ]
        .contains(&lower.split(' ').next().unwrap_or_default());
    let known = out.iter().any(|(other, _)| {
        let other = other.to_lowercase();
        other.contains(&lower) || lower.contains(&other)
    });
    if !is_right && !hollow && !known {
        out.push((short, line));
    }
}
