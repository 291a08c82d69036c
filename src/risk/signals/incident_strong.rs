//! Next to versions that have hurt before.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::incidents::{Direction, Strength};

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "incident-strong",
    title: "next to versions that have hurt before",
    docs: Docs {
        what: "The same crate as in an incident, next to the versions that were bad, or a bad range that could not be checked in full.",
        why: "A repair under pressure often needs a second one.",
        example: "The first patch after a leak was repaired.",
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
        .filter(|link| link.strength == Strength::Strong && link.direction != Direction::Leaves);
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
