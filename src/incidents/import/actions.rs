//! What was to be done so that it does not come back.

use super::page::{Page, Section, Sentence};
use super::page_lines::Kind;
use super::times::Read;

/// The most that a record holds.
const MAX: usize = 64;
/// The most characters of one.
const MAX_CHARS: usize = 190;

/// Reads the actions, in order, each once.
pub(super) fn actions(page: &Page) -> Vec<Read<String>> {
    let mut out: Vec<Read<String>> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let in_section: Vec<&Sentence> = page
        .sentences
        .iter()
        .filter(|sentence| sentence.section == Section::Actions && sentence.leads)
        .collect();
    // Below a heading of its own, a text may be an action though others are listed.
    let mut parts: Vec<(usize, bool)> = Vec::new();
    let mut part = 0;
    for sentence in &in_section {
        if matches!(sentence.kind, Kind::Heading(_)) {
            part += 1;
        }
        let listed = matches!(sentence.kind, Kind::Item | Kind::Row);
        match parts.last_mut() {
            Some((last, any)) if *last == part => *any |= listed,
            _ => parts.push((part, listed)),
        }
    }
    let is_listed = |part: usize| parts.iter().any(|(other, any)| *other == part && *any);
    part = 0;
    let mut header = true;
    for sentence in in_section {
        if matches!(sentence.kind, Kind::Heading(_)) {
            part += 1;
        }
        let text = match sentence.kind {
            Kind::Item => Some(whole(page, sentence)),
            // The first row of a table names its columns.
            Kind::Row if header => {
                header = false;
                None
            }
            Kind::Row => longest_cell(&sentence.text),
            Kind::Prose if !is_listed(part) && is_sentence(&sentence.text) => {
                Some(whole(page, sentence))
            }
            Kind::Prose | Kind::Heading(_) | Kind::Front | Kind::Blank | Kind::Code => {
                header = true;
                None
            }
        };
        let Some(text) = text.map(|text| clip(&text)) else {
            continue;
        };
        let key: String = text
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .collect();
        if key.len() >= 4 && out.len() < MAX && seen.insert(key) {
            out.push((text, sentence.line));
        }
    }
    if out.is_empty() { announced(page) } else { out }
}

/// What a text without such a section says will be done.
fn announced(page: &Page) -> Vec<Read<String>> {
    page.sentences
        .iter()
        .filter(|sentence| {
            ["we will ", "we are going to ", "in future we "]
                .iter()
                .any(|words| sentence.lower.starts_with(words))
        })
        .take(MAX)
        .map(|sentence| (clip(&sentence.text), sentence.line))
        .collect()
}

/// An entry with all of its sentences.
fn whole(page: &Page, first: &Sentence) -> String {
    page.sentences
        .iter()
        .skip_while(|sentence| sentence.block < first.block)
        .take_while(|sentence| sentence.block == first.block)
        .map(|sentence| sentence.text.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The cell with the most text.
fn longest_cell(row: &str) -> Option<String> {
    row.split(" | ")
        .max_by_key(|cell| cell.chars().count())
        .map(str::to_owned)
}

/// Whether a line without a mark is one action: it begins like a sentence and
/// does not announce a list.
fn is_sentence(text: &str) -> bool {
    text.starts_with(char::is_uppercase)
        && !text.ends_with(':')
        && text.split_whitespace().count() >= 3
}

/// A text that fits into the format.
fn clip(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= MAX_CHARS {
        return text;
    }
    let mut out: String = text.chars().take(MAX_CHARS).collect();
    out.push('…');
    out
}
