//! Code that runs on the build machine changes.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::diff::ChangeKind;
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "build-code-changed",
    title: "code that runs on the build machine changes",
    docs: Docs {
        what: "The incoming release is a procedural macro, or has a build script that the outgoing had too.",
        why: "Such code runs where the product is built, and what it writes becomes part of the product.",
        example: "A new release of a derive macro.",
    },
    looks_at: &[FactKind::Manifest],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let change = input.change;
    let after = change.manifest_after.as_ref()?;
    let code_differs = match change.kind {
        ChangeKind::Upgraded
        | ChangeKind::Downgraded
        | ChangeKind::Duplicated
        | ChangeKind::SourceMoved
        | ChangeKind::ContentChanged => change.incoming().is_some(),
        ChangeKind::Added
        | ChangeKind::Removed
        | ChangeKind::Merged
        | ChangeKind::FeaturesChanged
        | ChangeKind::PlacementChanged => false,
    };
    let script_stays = after.build_script
        && change
            .manifest_before
            .as_ref()
            .is_none_or(|before| before.build_script);
    if !code_differs || !(after.proc_macro || script_stays) {
        return None;
    }
    let name = wording::incoming(change);
    let what = if after.proc_macro {
        "is a procedural macro"
    } else {
        "has a build script"
    };
    Some(
        Raised::new(format!("{name} {what}, which runs where it is built"))
            .fact(format!("manifest: {name} {what}")),
    )
}
