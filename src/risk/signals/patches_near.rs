//! On many days of the last year a patch was near.

use super::{Definition, Docs, Input, Parameters, Raised, of_many};
use crate::facts::FactKind;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "patches-near",
    title: "a patch is often near",
    docs: Docs {
        what: "On how many days of the year before the day of judgement a patch of the package was at most three days away.",
        why: "It is how often whoever took an update in that year had to take another one within three days. It counts in the likelihood of another patch, and gives no points.",
        example: "Twenty patches in a year, none within three days of another: sixty days.",
    },
    looks_at: &[FactKind::History],
    grades: &[],
    parameters: &["full-at"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let days = input.dossier.history.seen()?.pace.days_near_patch_365d;
    let days = days.round() as usize;
    if days == 0 {
        return None;
    }
    let told = format!("on {days} of the last 365 days a patch was at most three days away");
    Some(
        Raised::new(told.clone())
            .share(of_many(days, parameters.get("full-at")))
            .fact(format!("index: {told}")),
    )
}
