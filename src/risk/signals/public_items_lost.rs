//! Public items are gone from a release that says to be compatible.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, Topic};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "public-items-lost",
    title: "public items are gone from a release that says to be compatible",
    docs: Docs {
        what: "Public items of the library whose name is nowhere in the incoming release, though its version says that it is compatible.",
        why: "Code that uses them no longer compiles, and such releases are often withdrawn.",
        example: "`1.4.1` has no function `parse`, and `1.4.0` had one.",
    },
    looks_at: &[FactKind::Source],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    let found = wording::source_findings(delta, |finding| finding.topic == Topic::Api)?;
    Some(Raised::new(format!("it no longer has {}", found.names)).facts(found.facts))
}
