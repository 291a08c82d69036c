//! The title, and the id that is made of it.

use jiff::civil::Date;

use super::page::{Page, Section};
use super::page_lines::Kind;
use super::times::Read;

/// The most characters of a title.
const MAX_CHARS: usize = 140;

/// Words that say only what kind of text it is.
const HOLLOW: &[&str] = &[
    "postmortem",
    "post-mortem",
    "post",
    "mortem",
    "incident",
    "report",
    "review",
    "rca",
    "outage",
    "summary",
    "the",
    "a",
    "on",
    "of",
    "for",
    "root",
    "cause",
    "analysis",
    "account",
    "th",
    "st",
    "issue",
];

/// Reads the title: the heading of the text, or what it first says.
pub(super) fn title(page: &Page) -> Option<Read<String>> {
    let heading = page
        .sentences
        .iter()
        .filter(|sentence| {
            sentence.section == Section::Title
                || sentence.section == Section::Front && sentence.lower.starts_with("title")
        })
        .map(|sentence| (strip(&sentence.text), sentence.line))
        .find(|(text, _)| says_something(text));
    heading.or_else(|| {
        page.sentences
            .iter()
            .filter(|sentence| {
                matches!(
                    sentence.section,
                    Section::Cause | Section::Summary | Section::Impact
                ) && sentence.kind != Kind::Front
                    && sentence.leads
            })
            .filter(|sentence| {
                sentence.text.split_whitespace().count() >= 4 && sentence.label.is_none()
            })
            .min_by_key(|sentence| (sentence.section != Section::Cause, sentence.line))
            .map(|sentence| (clip(&sentence.text), sentence.line))
    })
}

/// A title without the word for its kind of text.
fn strip(text: &str) -> String {
    let text = text
        .strip_prefix("title")
        .map_or(text, |rest| rest.trim_start_matches([' ', ':', '=']));
    let text = text.trim_matches(|letter: char| !letter.is_alphanumeric() && letter != ')');
    let lower = text.to_lowercase();
    let rest = lower
        .find(": ")
        .filter(|at| !says_something(lower.get(..*at).unwrap_or_default()))
        .and_then(|at| text.get(at + 2..))
        .unwrap_or(text);
    clip(rest)
}

/// Whether a text says more than that it is an account.
fn says_something(text: &str) -> bool {
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric() && letter != '-')
        .any(|word| {
            word.len() > 2
                && !HOLLOW.contains(&word)
                && !word.starts_with(|letter: char| letter.is_ascii_digit())
        })
}

/// One line that fits into the format.
fn clip(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches(['.', ' ']);
    if text.chars().count() <= MAX_CHARS {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(MAX_CHARS).collect();
    out.push('…');
    out
}

/// An id of the day and the first words of the title.
pub(super) fn id(title: &str, date: Option<Date>) -> String {
    let words: Vec<String> = title
        .to_lowercase()
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| {
            !word.is_empty()
                && word.len() <= 24
                && !matches!(
                    *word,
                    "the"
                        | "a"
                        | "an"
                        | "of"
                        | "on"
                        | "in"
                        | "and"
                        | "to"
                        | "for"
                        | "postmortem"
                        | "incident"
                )
        })
        .filter(|word| !word.starts_with(|letter: char| letter.is_ascii_digit()))
        .take(5)
        .map(str::to_owned)
        .collect();
    let words = if words.is_empty() {
        "incident".to_owned()
    } else {
        words.join("-")
    };
    match date {
        Some(date) => format!("{date}-{words}"),
        None => words,
    }
}
