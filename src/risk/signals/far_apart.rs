//! The two releases are far apart in time.

use super::{Definition, Docs, Input, Parameters, Raised, apart};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "far-apart",
    title: "the two releases are far apart in time",
    docs: Docs {
        what: "How long after the release that goes out the one that comes in was published.",
        why: "What is left has long been tried by others, and much can have changed since.",
        example: "From a release of 2022 to one of 2024.",
    },
    looks_at: &[FactKind::PublishTime],
    grades: &[],
    parameters: &["full-at-days", "over-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let (days, share) = apart(input, parameters)?;
    if share <= 0.0 {
        return None;
    }
    let told = wording::days(days);
    Some(
        Raised::new(format!("published {told} after the release that goes out"))
            .share(share)
            .fact(format!("index: {told} between the two releases")),
    )
}
