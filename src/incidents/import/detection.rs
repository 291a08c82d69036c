//! How it was noticed.

use super::page::{Page, Section, Sentence};
use super::page_lines::leads_with_time;
use super::times::Read;
use super::words::{Words, first, phrases, says};
use crate::incidents::vocabulary::Detection;

/// Words of a sentence that tells how something came to notice.
const NOTICED: &[&str] = &[
    "notice",
    "detect",
    "alert",
    "report",
    "heard",
    "found out",
    "paged",
    "told us",
    "saw",
    "observ",
    "complain",
    "pager",
    "triggered",
];

/// Reads how it was noticed.
pub(super) fn detection(page: &Page, words: &Words) -> Option<Read<Detection>> {
    let of = |sentence: &Sentence| {
        Detection::ALL
            .iter()
            .filter_map(|word| {
                let known = phrases(&words.detection, word.as_str());
                if !says(&sentence.lower, known) {
                    return None;
                }
                first(&sentence.lower, known).map(|(at, _)| (at, *word))
            })
            .min()
            .map(|(_, word)| (word, sentence.line))
    };
    let own = page
        .sentences
        .iter()
        .filter(|sentence| sentence.section == Section::Detection)
        .find_map(of);
    let noticed = |sentence: &&Sentence| {
        NOTICED
            .iter()
            .any(|word| super::words::find(&sentence.lower, word).is_some())
    };
    own.or_else(|| {
        let events = page.told().filter(|sentence| {
            leads_with_time(&sentence.text)
                || sentence.section == Section::Timeline && sentence.leads
        });
        events.take(4).filter(noticed).find_map(of)
    })
    .or_else(|| {
        page.told()
            .filter(|sentence| {
                !matches!(
                    sentence.section,
                    Section::Resolution | Section::Front | Section::Cause | Section::Suspected
                )
            })
            .filter(noticed)
            .find_map(of)
    })
}
