//! The outgoing release was withdrawn.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "yanked-left",
    title: "the outgoing release was withdrawn",
    docs: Docs {
        what: "Whether the change leaves a withdrawn release for one that is not.",
        why: "Leaving a withdrawn release is what its authors ask for.",
        example: "From `0.8.4`, which was withdrawn, to `0.8.5`.",
    },
    looks_at: &[FactKind::Yanked],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let outgoing = input.change.outgoing()?;
    let yanked = input.dossier.yanked.seen()?;
    if yanked.incoming || !yanked.outgoing {
        return None;
    }
    let name = wording::named(input.change, outgoing);
    Some(
        Raised::new(format!("{name} was withdrawn, and goes"))
            .fact(format!("index: {name} is yanked")),
    )
}
