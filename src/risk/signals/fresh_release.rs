//! A release that few have run yet.

use super::{Definition, Docs, Input, Parameters, Raised, freshness};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "fresh-release",
    title: "a release that few have run yet",
    docs: Docs {
        what: "How old the incoming release was on the day of judgement.",
        why: "Faults are found, releases withdrawn and repaired in the first days. The share of the points falls with age.",
        example: "A release of yesterday counts for three quarters, one of a month for a tenth.",
    },
    looks_at: &[FactKind::PublishTime],
    grades: &[],
    parameters: &["half-after-days", "until-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let published = input.dossier.published.seen()?;
    let share = freshness(input, parameters)?;
    let age = published.age_days.max(0.0);
    let because = format!("published {} before", wording::days(age));
    Some(
        Raised::new(because)
            .share(share)
            .fact(input.published(published)),
    )
}
