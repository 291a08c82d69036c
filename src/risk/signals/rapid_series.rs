//! One of many releases in a short time.

use super::{Definition, Docs, Input, Parameters, Raised, freshness, of_many};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "rapid-series",
    title: "one of many releases in a short time",
    docs: Docs {
        what: "How many releases came in the 90 days before this one, while it is fresh.",
        why: "In a rapid series each release is tried by few before the next one repairs it.",
        example: "Fifteen releases in three months, the last of them yesterday.",
    },
    looks_at: &[FactKind::PublishTime, FactKind::History],
    grades: &[],
    parameters: &["full-at", "half-after-days", "until-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let releases = input.dossier.history.seen()?.releases_90d;
    if releases == 0 {
        return None;
    }
    let many = of_many(releases, parameters.get("full-at")).min(1.0);
    let share = many * freshness(input, parameters)?;
    let told = wording::count(releases, "release");
    let because = format!("{told} in the 90 days before");
    Some(
        Raised::new(because)
            .share(share)
            .fact(format!("index: {told} in 90 days")),
    )
}
