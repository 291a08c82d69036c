//! A release that follows another one closely.

use super::{Definition, Docs, Input, Parameters, Raised, freshness};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "follows-closely",
    title: "a fresh release right after another one",
    docs: Docs {
        what: "How soon after the release before it the incoming one came, while it is fresh.",
        why: "What was made in haste, to repair the last release or to complete it, is often not the last of its row.",
        example: "Published an hour ago, four hours after the release before.",
    },
    looks_at: &[FactKind::PublishTime, FactKind::History],
    grades: &[],
    parameters: &["half-after-days", "until-days", "within-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let gap = input.dossier.history.seen()?.gap_before_days?.max(0.0);
    if gap >= parameters.get("within-days") {
        return None;
    }
    let share = freshness(input, parameters)? / (1.0 + gap);
    let gap = wording::days(gap);
    Some(
        Raised::new(format!("published {gap} after the release before"))
            .share(share)
            .fact(format!("index: the release before came {gap} earlier")),
    )
}
