//! Which word of a vocabulary a text says most, and where.

use super::page::{Page, Section, Sentence};
use super::words::{Table, find, phrases, says};

/// What each section counts in an account: where no part of it is about the
/// cause, its context tells of that.
pub(super) fn weights(page: &Page) -> impl Fn(Section) -> u32 + Copy {
    let told = page
        .sentences
        .iter()
        .any(|sentence| sentence.section == Section::Cause);
    move |section| {
        if section == Section::Other && !told {
            3
        } else {
            weight(section)
        }
    }
}

fn weight(section: Section) -> u32 {
    match section {
        Section::Cause => 5,
        Section::Summary | Section::Title | Section::Trigger => 3,
        Section::Resolution | Section::Impact => 2,
        Section::Timeline | Section::Detection | Section::Other | Section::Duration => 1,
        Section::Front
        | Section::Start
        | Section::End
        | Section::Date
        | Section::Suspected
        | Section::Actions
        | Section::Lessons => 0,
    }
}

/// A word, how much the text says it, and the line that says it best.
#[derive(Clone, Debug)]
pub(super) struct Weighed {
    pub(super) word: String,
    pub(super) points: u32,
    pub(super) line: u32,
}

/// Weighs each word of a table, the heaviest first.
pub(super) fn weigh(
    page: &Page,
    table: &Table,
    counts: impl Fn(&Sentence, &str) -> bool,
) -> Vec<Weighed> {
    let weight = weights(page);
    let mut out: Vec<Weighed> = Vec::new();
    for (word, known) in table {
        let mut points = 0;
        let mut best: Option<(u32, u32)> = None;
        for sentence in page.told() {
            let weight = weight(sentence.section);
            if weight > 0 && says(&sentence.lower, known) && counts(sentence, word) {
                // A word that is said everywhere says no more than one said a few times.
                points = (points + weight).min(weight.max(points) + 12);
                if best.is_none_or(|(other, _)| weight > other) {
                    best = Some((weight, sentence.line));
                }
            }
        }
        if let Some((_, line)) = best {
            out.push(Weighed {
                word: word.clone(),
                points,
                line,
            });
        }
    }
    out.sort_by(|a, b| {
        (std::cmp::Reverse(a.points), a.line, &a.word).cmp(&(
            std::cmp::Reverse(b.points),
            b.line,
            &b.word,
        ))
    });
    out
}

/// Whether a sentence tells of a guess that was wrong, or of an attempt.
pub(super) fn is_doubted(sentence: &Sentence, suspected: &Table) -> bool {
    sentence.section == Section::Suspected
        || phrases(suspected, "after")
            .iter()
            .chain(phrases(suspected, "before"))
            .any(|phrase| find(&sentence.lower, phrase).is_some())
}
