//! The two releases are close together in time.

use super::{Definition, Docs, Input, Parameters, Raised, apart};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "close-together",
    title: "the two releases are close together in time",
    docs: Docs {
        what: "How soon after the release that goes out the one that comes in was published.",
        why: "Where one update follows the other within days, the next one is near. It counts in the likelihood of another patch, and gives no points.",
        example: "From a release of Monday to one of Friday.",
    },
    looks_at: &[FactKind::PublishTime],
    grades: &[],
    parameters: &["full-at-days", "over-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let (days, far) = apart(input, parameters)?;
    if far >= 1.0 {
        return None;
    }
    let told = wording::days(days);
    Some(
        Raised::new(format!("published {told} after the release that goes out"))
            .share(1.0 - far)
            .fact(format!("index: {told} between the two releases")),
    )
}
