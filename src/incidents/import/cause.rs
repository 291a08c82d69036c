//! What kind of thing was at the root: third parties or the own team.

use super::page::{Page, Section, Sentence};
use super::times::Read;
use super::weigh::{is_doubted, weigh, weights};
use super::words::{Words, phrases, says};
use crate::incidents::vocabulary::Cause;

/// Reads the cause.
pub(super) fn cause(page: &Page, words: &Words) -> Option<Read<Cause>> {
    let mut library: Option<(u32, u32)> = None;
    let mut library_points = 0;
    let mut update: Option<(u32, u32)> = None;
    let mut denied = false;
    let told: Vec<&Sentence> = page.told().collect();
    let failed = all(words);
    let weights = weights(page);
    for (at, sentence) in told.iter().enumerate() {
        denied |= says(&sentence.lower, phrases(&words.roots, "not-third-party"));
        // What a sentence begins, the next one of its paragraph may end.
        let next = told
            .get(at + 1)
            .filter(|next| next.block == sentence.block)
            .map_or("", |next| next.lower.as_str());
        let Some((is_update, weight)) =
            third_party(sentence, weights(sentence.section), next, words, &failed)
        else {
            continue;
        };
        library_points += weight;
        let slot = if is_update { &mut update } else { &mut library };
        if slot.is_none_or(|(other, _)| weight > other) {
            *slot = Some((weight, sentence.line));
        }
    }
    let own = weigh(page, &words.cause, |sentence, _| {
        !is_doubted(sentence, &words.suspected)
    });
    let own_points = own.first().map_or(0, |weighed| weighed.points);
    let best_library = library.max(update);
    if let Some((weight, line)) =
        best_library.filter(|(weight, _)| *weight >= 3 && library_points * 2 >= own_points)
    {
        return Some(
            match update.filter(|(of_update, _)| !denied && *of_update >= 3) {
                Some((_, line)) => (Cause::ThirdPartyUpdate, line),
                None => {
                    debug_assert!(weight >= 3, "filtered above");
                    (Cause::ThirdPartyFault, line)
                }
            },
        );
    }
    let best = own.into_iter().find(|weighed| weighed.points >= 3)?;
    Cause::parse(&best.word).map(|cause| (cause, best.line))
}

/// Whether a sentence lays it on a third party, whether on an update of it,
/// and how much it counts.
fn third_party(
    sentence: &Sentence,
    weight: u32,
    next: &str,
    words: &Words,
    failed: &[String],
) -> Option<(bool, u32)> {
    let lower = &sentence.lower;
    if weight == 0 || is_doubted(sentence, &words.suspected) && sentence.section != Section::Cause {
        return None;
    }
    let says = |key| says(lower, phrases(&words.roots, key));
    if !says("library") {
        return None;
    }
    let causal = [lower.as_str(), next].iter().any(|text| {
        super::words::says(text, phrases(&words.roots, "causal"))
            || super::words::says(text, failed)
    });
    if !causal {
        return None;
    }
    Some((says("update"), weight))
}

/// All phrases for what failed.
fn all(words: &Words) -> Vec<String> {
    words.failure.values().flatten().cloned().collect()
}
