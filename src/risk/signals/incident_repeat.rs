//! Versions that have hurt before.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::incidents::{Direction, Strength};

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "incident-repeat",
    title: "versions that have hurt before",
    docs: Docs {
        what: "The change enters, or stays in, a range of versions that an incident record names as bad.",
        why: "The same versions will do the same again.",
        example: "An update to the cache library release that leaked.",
    },
    looks_at: &[],
    grades: &["enters", "stays"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    // Advisories are signals of their own.
    let mut links = input.links.iter().filter(|link| {
        link.strength == Strength::Repeat
            && !link.is_advisory()
            && matches!(link.direction, Direction::Enters | Direction::Stays)
    });
    let link = links.next()?;
    let more = links.count();
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" (and {more} more)")
    };
    let because = format!("{}{rest}", link.because);
    let fact = format!("incident catalogue: {}", link.id);
    let grade = match link.direction {
        Direction::Enters => "enters",
        Direction::Stays | Direction::Leaves | Direction::Resembles => "stays",
    };
    Some(Raised::graded(grade, because).fact(fact))
}
