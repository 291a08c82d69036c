//! What made it end.

use std::collections::BTreeMap;

use super::page::{Page, Section, Sentence};
use super::page_lines::{Kind, leads_with_time};
use super::times::Read;
use super::words::{Words, first, phrases, says};
use crate::incidents::vocabulary::Resolution;

/// Words of a sentence that tells what was done.
const SOLVED: &[&str] = &[
    "to resolve",
    "solution",
    "resolved by",
    "was resolved",
    "permanent fix",
    "fixed by",
    "to fix",
    "to mitigate",
    "was mitigated",
    "as a workaround",
];

/// Reads what made it end, in the order in which the account says it.
pub(super) fn resolution(page: &Page, words: &Words) -> Vec<Read<Resolution>> {
    let own: Vec<&Sentence> = page
        .told()
        .filter(|sentence| sentence.section == Section::Resolution)
        .collect();
    let mut found = collect(&own, words);
    let events: Vec<&Sentence> = page
        .told()
        .filter(|sentence| sentence.section == Section::Timeline || leads_with_time(&sentence.text))
        .collect();
    let from_events = collect(&events, words);
    if found.is_empty() {
        // The cause and what was done may stand under one heading.
        let solved: Vec<&Sentence> = page
            .told()
            .filter(|sentence| {
                sentence.section == Section::Cause
                    && SOLVED
                        .iter()
                        .any(|words| super::words::find(&sentence.lower, words).is_some())
            })
            .collect();
        found = from_events;
        for (word, place) in collect(&solved, words) {
            found.entry(word).or_insert(place);
        }
        let rest: Vec<&Sentence> = page
            .told()
            .filter(|sentence| {
                matches!(
                    sentence.section,
                    Section::Summary | Section::Cause | Section::Other | Section::Impact
                )
            })
            .collect();
        if found.is_empty() {
            found = collect(&rest, words);
        }
    } else {
        // A restart is told where it happened, and seldom again.
        for (word, place) in from_events {
            if matches!(
                word,
                Resolution::Restart | Resolution::Rollback | Resolution::SwitchOff
            ) {
                found.entry(word).or_insert(place);
            }
        }
    }
    let mut all: Vec<(Resolution, (u32, usize))> = found.into_iter().collect();
    all.sort_by_key(|(_, place)| *place);
    all.into_iter()
        .map(|(word, (line, _))| (word, line))
        .collect()
}

/// The words that some sentences say, with line and place.
fn collect(sentences: &[&Sentence], words: &Words) -> BTreeMap<Resolution, (u32, usize)> {
    let mut out = BTreeMap::new();
    for sentence in sentences.iter().filter(|sentence| {
        !matches!(sentence.kind, Kind::Heading(_)) || leads_with_time(&sentence.text)
    }) {
        let lower = &sentence.lower;
        if says(lower, phrases(&words.attempts, "failed"))
            || says(lower, phrases(&words.attempts, "planned"))
        {
            continue;
        }
        for word in Resolution::ALL {
            let known = phrases(&words.resolution, word.as_str());
            if says(lower, known)
                && let Some((at, _)) = first(lower, known)
            {
                out.entry(*word).or_insert((sentence.line, at));
            }
        }
    }
    // `rolled back to the fixed version` and `fix` in one breath: the exact word holds.
    if out.contains_key(&Resolution::Update)
        && out.get(&Resolution::Update) == out.get(&Resolution::Fix)
    {
        out.remove(&Resolution::Fix);
    }
    out
}
