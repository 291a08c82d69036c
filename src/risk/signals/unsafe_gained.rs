//! More code outside of the memory rules.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, Part, Shift, Topic};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "unsafe-gained",
    title: "more code that the compiler does not check",
    docs: Docs {
        what: "New items with `unsafe` in them; the points grow with their number.",
        why: "The compiler does not check what they do with memory. Faults in them are faults of the whole program.",
        example: "A release with four new unsafe functions.",
    },
    looks_at: &[FactKind::Source],
    grades: &[],
    parameters: &["full-at-items"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    let count: usize = delta
        .on(&[Topic::Unsafe])
        .filter(|finding| finding.shift == Shift::Gained && finding.part == Part::Library)
        .map(|finding| finding.count)
        .sum();
    let found = wording::source_findings(delta, |finding| {
        finding.topic == Topic::Unsafe
            && finding.shift == Shift::Gained
            && finding.part == Part::Library
    })?;
    let because = format!("{} with unsafe code", wording::count(count, "new item"));
    Some(
        Raised::new(because)
            .share(count as f64 / parameters.get("full-at-items"))
            .facts(found.facts),
    )
}
