//! The package comes from elsewhere.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::diff::ChangeKind;
use crate::pkg::Source;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "source-moved",
    title: "the package comes from elsewhere",
    docs: Docs {
        what: "The same name comes from another place than before.",
        why: "Another place means other people, other checks, and perhaps other code under the same version.",
        example: "From the registry to a fork in a git repository.",
    },
    looks_at: &[],
    grades: &[
        "to-git",
        "to-other-registry",
        "to-default-registry",
        "to-local",
    ],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    if input.change.kind != ChangeKind::SourceMoved {
        return None;
    }
    let (from, to) = (input.change.outgoing()?, input.change.incoming()?);
    let grade = match to.source {
        Source::Git { .. } => "to-git",
        Source::Registry { .. } => "to-other-registry",
        Source::CratesIo => "to-default-registry",
        Source::Local => "to-local",
    };
    let because = format!(
        "{} came from {} and now comes from {}",
        input.change.package, from.source, to.source
    );
    Some(
        Raised::graded(grade, because)
            .fact(format!("lock files: {} and {}", from.source, to.source)),
    )
}
