//! Many releases taken at once.

use super::{Definition, Docs, Input, Parameters, Raised, of_many};
use crate::diff::ChangeKind;
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "versions-skipped",
    title: "many releases taken at once",
    docs: Docs {
        what: "How many releases of the line lie between the outgoing and the incoming one.",
        why: "The more is taken at once, the more code is new, and the harder it is to say which release did it.",
        example: "From `1.7.1` to `1.10.0`, past nine others.",
    },
    looks_at: &[FactKind::History],
    grades: &[],
    parameters: &["full-at"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    if input.change.kind != ChangeKind::Upgraded {
        return None;
    }
    let skipped = input.dossier.history.seen()?.versions_skipped;
    if skipped == 0 {
        return None;
    }
    let told = wording::count(skipped, "release");
    Some(
        Raised::new(format!("{told} between the two are skipped"))
            .share(of_many(skipped, parameters.get("full-at")))
            .fact(format!("index: {told} in between")),
    )
}
