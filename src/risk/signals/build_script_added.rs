//! Code that runs on the build machine comes in.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::diff::ChangeKind;
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "build-script-added",
    title: "code that runs on the build machine comes in",
    docs: Docs {
        what: "A build script that the outgoing release had not, or that comes with a new package.",
        why: "A build script runs with the rights of whoever builds, before any test. It is where many malicious releases begin.",
        example: "`2.1.0` has a `build.rs`, and `2.0.9` had none.",
    },
    looks_at: &[FactKind::Manifest, FactKind::Placement],
    grades: &["gained", "new-package"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let change = input.change;
    if !change.manifest_after.as_ref()?.build_script
        || !change.placement.is_built() && change.placement.resolved
    {
        return None;
    }
    let name = wording::incoming(change);
    let (grade, because) = match (&change.manifest_before, change.kind) {
        (Some(before), _) if before.build_script => return None,
        (Some(_), _) => (
            "gained",
            format!("{name} runs a build script, and the release before did not"),
        ),
        (None, ChangeKind::Added) => (
            "new-package",
            format!("{name} is new and runs a build script"),
        ),
        (None, _) => return None,
    };
    Some(Raised::graded(grade, because).fact(format!("manifest: {name} has a build script")))
}
