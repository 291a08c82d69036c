//! In which way it failed.

use super::page::{Page, Section};
use super::times::Read;
use super::weigh::{is_doubted, weigh};
use super::words::Words;
use crate::incidents::vocabulary::Failure;

/// Words for what was seen: they count only where nothing says how it came to that.
const SEEN: &[&str] = &[
    "crash",
    "slowness",
    "hang",
    "breakage",
    "out-of-memory-on-input",
];

/// Reads the failure mode.
pub(super) fn failure(page: &Page, words: &Words) -> Option<Read<Failure>> {
    let all = weigh(page, &words.failure, |sentence, _| {
        !is_doubted(sentence, &words.suspected) || sentence.section == Section::Cause
    });
    // A way in which memory is kept says more than "leak".
    let exact = all.iter().find(|weighed| {
        weighed.points >= 5
            && matches!(
                weighed.word.as_str(),
                "whole-body-buffering"
                    | "connection-leak"
                    | "thread-leak"
                    | "handle-leak"
                    | "task-leak"
                    | "unbounded-growth"
                    | "malicious-release"
            )
    });
    let how = all
        .iter()
        .find(|weighed| weighed.points >= 3 && !SEEN.contains(&weighed.word.as_str()));
    // Memory that ran out explains a crash, and not the other way round.
    let out = all
        .iter()
        .find(|weighed| weighed.word == "out-of-memory-on-input");
    let seen = all.iter().find(|weighed| weighed.points >= 2);
    let best = exact.or(how).or(out).or(seen)?;
    Failure::parse(&best.word).map(|failure| (failure, best.line))
}
