//! Versions that have hurt before go.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::incidents::Direction;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "incident-left",
    title: "versions that have hurt before go",
    docs: Docs {
        what: "The change leaves a range of versions that an incident record names as bad.",
        why: "Such an update is the repair.",
        example: "An update from the release that leaked to the one that repairs it.",
    },
    looks_at: &[],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    // Advisories are signals of their own.
    let mut links = input
        .links
        .iter()
        .filter(|link| link.direction == Direction::Leaves && !link.is_advisory());
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
