//! A known fault goes.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::{advisory_grade, wording};

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "advisory-fixed",
    title: "a known fault goes",
    docs: Docs {
        what: "Advisories that apply to what goes out and not to what comes in.",
        why: "Delaying such an update keeps the fault.",
        example: "An update to the patched version of an advisory.",
    },
    looks_at: &[FactKind::Advisories],
    grades: advisory_grade::GRADES,
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let advisories = &input.dossier.advisories.seen()?.fixed;
    let grade = advisory_grade::worst(advisories)?;
    let ids = wording::some_of(advisories.iter().map(|advisory| advisory.id.as_str()));
    Some(
        Raised::graded(grade, format!("{ids} is repaired by it"))
            .facts(advisory_grade::facts(advisories)),
    )
}
