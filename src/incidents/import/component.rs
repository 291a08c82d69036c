//! What the part that failed is for.

use super::page::Page;
use super::times::Read;
use super::weigh::weigh;
use super::words::{Words, find, phrases};
use crate::incidents::components::Components;

/// Reads the component.
pub(super) fn component(
    page: &Page,
    words: &Words,
    components: &Components,
) -> Option<Read<String>> {
    let counts = |sentence: &super::page::Sentence, word: &str| {
        let hides = phrases(&words.component_not, word)
            .iter()
            .any(|phrase| find(&sentence.lower, phrase).is_some());
        let known = phrases(&words.component_sharp, word);
        // A sentence about container images may speak of pictures as well.
        let hits = known
            .iter()
            .filter(|phrase| find(&sentence.lower, phrase).is_some())
            .count();
        !super::weigh::is_doubted(sentence, &words.suspected) && (!hides || hits > 1)
    };
    let sharp = weigh(page, &words.component_sharp, counts);
    let broad = weigh(page, &words.component_broad, |sentence, _| {
        !super::weigh::is_doubted(sentence, &words.suspected)
    });
    let best = sharp
        .into_iter()
        .find(|weighed| weighed.points >= 3)
        .or_else(|| broad.into_iter().find(|weighed| weighed.points >= 3))?;
    components
        .is_known(&best.word)
        .then_some((best.word, best.line))
}
