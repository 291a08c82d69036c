//! The package is released often.

use super::{Definition, Docs, Input, Parameters, Raised, of_many};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "often-released",
    title: "the package is released often",
    docs: Docs {
        what: "How many releases came in the 90 days before the incoming one, however old that is; from the fourth on.",
        why: "Where releases come often, the next one is near: it may be worth waiting for.",
        example: "Fifteen releases in three months.",
    },
    looks_at: &[FactKind::History],
    grades: &[],
    parameters: &["full-at", "over"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let releases = input.dossier.history.seen()?.releases_90d;
    // A release a month is no haste.
    let over = (releases as f64 - parameters.get("over")).max(0.0);
    if over == 0.0 {
        return None;
    }
    let told = wording::count(releases, "release");
    Some(
        Raised::new(format!("{told} in the 90 days before it"))
            .share(of_many(over as usize, parameters.get("full-at")))
            .fact(format!("index: {told} in 90 days")),
    )
}
