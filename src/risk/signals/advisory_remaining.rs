//! A known fault stays.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::{advisory_grade, wording};

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "advisory-remaining",
    title: "a known fault stays",
    docs: Docs {
        what: "Advisories that apply to both sides.",
        why: "The change does not bring the fault, and does not repair it either.",
        example: "An update that is still below the patched version.",
    },
    looks_at: &[FactKind::Advisories],
    grades: advisory_grade::GRADES,
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let advisories = &input.dossier.advisories.seen()?.remaining;
    let grade = advisory_grade::worst(advisories)?;
    let ids = wording::some_of(advisories.iter().map(|advisory| advisory.id.as_str()));
    Some(Raised::graded(grade, format!("{ids} stays")).facts(advisory_grade::facts(advisories)))
}
