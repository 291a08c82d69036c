//! The library may hold on to more than before.

use std::collections::BTreeSet;

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, SourceFinding};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "memory-behaviour",
    title: "the library may hold on to more than before",
    docs: Docs {
        what: "Memory given away on purpose, a `Drop` that is gone or does less, channels without a bound, tasks that nobody waits for, growing global state, calls that no longer let go, other limits. The points grow with how many kinds of these there are.",
        why: "This is what known leaks look like in a difference. Most such changes are harmless, so that the points are few.",
        example: "More calls of `mem::forget`, and a `Drop` that does less.",
    },
    looks_at: &[FactKind::Source],
    grades: &[],
    parameters: &["full-at-kinds"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    delta.before?;
    let found = wording::source_findings(delta, SourceFinding::may_grow)?;
    let kinds: BTreeSet<_> = delta
        .findings
        .iter()
        .filter(|finding| finding.may_grow())
        .map(|finding| finding.topic)
        .collect();
    let share = kinds.len() as f64 / parameters.get("full-at-kinds");
    Some(
        Raised::new(format!(
            "it may hold on to more than before: {}",
            found.names
        ))
        .share(share)
        .facts(found.facts),
    )
}
