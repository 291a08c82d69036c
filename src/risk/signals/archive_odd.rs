//! The archive has shapes that have no place in a package.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, Topic};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "archive-odd",
    title: "the archive has shapes that have no place in a package",
    docs: Docs {
        what: "Links, devices, paths that lead outside, duplicate or deceptive paths, or a bomb in the archive that comes in.",
        why: "Cargo makes no such archives. Tools that unpack them were led to write elsewhere before.",
        example: "An archive with a symbolic link to `/etc`.",
    },
    looks_at: &[FactKind::Source],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    let found = wording::source_findings(delta, |finding| finding.topic == Topic::Archive)?;
    Some(Raised::new(format!("its archive has {}", found.names)).facts(found.facts))
}
