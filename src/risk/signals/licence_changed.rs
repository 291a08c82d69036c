//! Another licence, or another repository.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, Shift, Topic};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "licence-changed",
    title: "another licence, or another home of the sources",
    docs: Docs {
        what: "The licence or the repository in the manifest is another one than in the release before.",
        why: "A licence binds who ships the code. A project that moves may have other owners.",
        example: "A library that goes from MIT to a licence that asks for money.",
    },
    looks_at: &[FactKind::Source],
    grades: &["licence", "repository"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    let (grade, found) = ["licence", "repository"].into_iter().find_map(|field| {
        let found = wording::source_findings(delta, |finding| {
            finding.topic == Topic::Metadata
                && finding.shift != Shift::Gained
                && finding.what.starts_with(&format!("{field}:"))
        })?;
        Some((field, found))
    })?;
    Some(Raised::graded(grade, format!("another {}", found.names)).facts(found.facts))
}
