//! One of many releases in a short time.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "rapid-series",
    title: "one of many releases in a short time",
    docs: Docs {
        what: "How many releases came in the 90 days before this one.",
        why: "In a rapid series each release is tried by few before the next one repairs it.",
        example: "Fifteen releases in three months.",
    },
    looks_at: &[FactKind::History],
    grades: &[],
    parameters: &["at-least", "full-at"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let releases = input.dossier.history.seen()?.releases_90d;
    let number = releases as f64;
    if number < parameters.get("at-least") {
        return None;
    }
    let told = wording::count(releases, "release");
    let because = format!("{told} in the 90 days before");
    Some(
        Raised::new(because)
            .share(number / parameters.get("full-at"))
            .fact(format!("index: {told} in 90 days")),
    )
}
