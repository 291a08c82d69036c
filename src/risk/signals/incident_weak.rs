//! Like something that has hurt before.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::incidents::Strength;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "incident-weak",
    title: "like something that has hurt before",
    docs: Docs {
        what: "The same crate in a far version, or a library of the same kind as in an incident.",
        why: "What a library is for says how its faults show; it does not say that there is one.",
        example: "Any update of a JSON library, after one that leaked.",
    },
    looks_at: &[],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let mut links = input
        .links
        .iter()
        .filter(|link| link.strength == Strength::Weak);
    let link = links.next()?;
    let more = links.count();
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" (and {more} more)")
    };
    let because = format!("{}{rest}", link.because);
    let fact = format!("incident catalogue: {}", link.id);
    Some(Raised::new(because).fact(fact))
}
