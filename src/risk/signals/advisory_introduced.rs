//! A known fault comes in.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::{advisory_grade, wording};

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "advisory-introduced",
    title: "a known fault comes in",
    docs: Docs {
        what: "Advisories that apply to what comes in and not to what goes out.",
        why: "It is known to be faulty, and the build did not have the fault before.",
        example: "A downgrade to a version that an advisory names.",
    },
    looks_at: &[FactKind::Advisories],
    grades: advisory_grade::GRADES,
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let advisories = &input.dossier.advisories.seen()?.introduced;
    let grade = advisory_grade::worst(advisories)?;
    let ids = wording::some_of(advisories.iter().map(|advisory| advisory.id.as_str()));
    Some(
        Raised::graded(grade, format!("{ids} comes in with it"))
            .facts(advisory_grade::facts(advisories)),
    )
}
