//! The two releases are far apart in time.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::diff::ChangeKind;
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
    if input.change.kind != ChangeKind::Upgraded {
        return None;
    }
    let from = input.dossier.previous_published.seen()?;
    let to = input.dossier.published.seen()?;
    // It stays what it is however long one waits.
    let days = from.age_days - to.age_days;
    let (over, full) = (parameters.get("over-days"), parameters.get("full-at-days"));
    if days <= over {
        return None;
    }
    // By the logarithm: from nought to 1.
    let share = ((days / over).ln() / (full / over).ln()).min(1.0);
    let told = wording::days(days);
    Some(
        Raised::new(format!("published {told} after the release that goes out"))
            .share(share)
            .fact(format!("index: {told} between the two releases")),
    )
}
