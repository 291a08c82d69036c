//! More of the package is switched on.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;
use std::collections::BTreeSet;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "features-gained",
    title: "more of the package is switched on",
    docs: Docs {
        what: "Features that are on in the head and were not in the base.",
        why: "A feature compiles code that was there and was not part of the build.",
        example: "A web framework gains `multipart` because another package asks for it.",
    },
    looks_at: &[FactKind::Features],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let gained = &input.change.features;
    let names: BTreeSet<&str> = gained
        .target_gained
        .iter()
        .chain(&gained.host_gained)
        .map(String::as_str)
        .collect();
    if names.is_empty() {
        return None;
    }
    let names = wording::some_of(names);
    Some(
        Raised::new(format!("features switched on: {names}"))
            .fact(format!("resolved features: {names}")),
    )
}
