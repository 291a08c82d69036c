//! Code with long encoded text in it.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, Shift, Topic};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "opaque-gained",
    title: "long encoded text comes into the code",
    docs: Docs {
        what: "Literals of a kilobyte and more in base64, hexadecimal or escaped bytes that the release before did not have.",
        why: "Nobody can read them, and programs are hidden so. Tables of a codec look like that too.",
        example: "A build script with four kilobytes of base64.",
    },
    looks_at: &[FactKind::Source],
    grades: &["in-build", "in-library"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    let (grade, found) = [("in-build", true), ("in-library", false)]
        .into_iter()
        .find_map(|(grade, build)| {
            let found = wording::source_findings(delta, |finding| {
                finding.topic == Topic::Opaque
                    && finding.shift == Shift::Gained
                    && finding.part.runs_in_build() == build
            })?;
            Some((grade, found))
        })?;
    Some(Raised::graded(grade, format!("it has {}", found.names)).facts(found.facts))
}
