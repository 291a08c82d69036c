//! A compiled program comes along.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, Part, Topic};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "executable-gained",
    title: "a compiled program comes along with the sources",
    docs: Docs {
        what: "The archive has a file that is a compiled program or library by its content, outside of test data, which the release before did not have.",
        why: "Nobody can read it, and nobody can tell whether it was made from the sources.",
        example: "A derive crate that ships its macro as a compiled program.",
    },
    looks_at: &[FactKind::Source],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    // Many packages of native libraries are made of these; when such a package
    // is new, its own signals say so.
    delta.before?;
    let found = wording::source_findings(delta, |finding| {
        finding.topic == Topic::Executable && finding.part != Part::Data
    })?;
    Some(Raised::new(format!("its archive has {}", found.names)).facts(found.facts))
}
