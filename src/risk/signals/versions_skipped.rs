//! Many releases taken at once.

use super::{Definition, Docs, Input, Parameters, Raised};
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
    grades: &["some", "many"],
    parameters: &["some-at-least", "many-at-least"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    if input.change.kind != ChangeKind::Upgraded {
        return None;
    }
    let skipped = input.dossier.history.seen()?.versions_skipped;
    let number = skipped as f64;
    let grade = if number >= parameters.get("many-at-least") {
        "many"
    } else if number >= parameters.get("some-at-least") {
        "some"
    } else {
        return None;
    };
    let told = wording::count(skipped, "release");
    Some(
        Raised::graded(grade, format!("{told} between the two are skipped"))
            .fact(format!("index: {told} in between")),
    )
}
