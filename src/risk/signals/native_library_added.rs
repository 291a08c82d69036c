//! A native library comes in.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::diff::ChangeKind;
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "native-library-added",
    title: "a native library comes in",
    docs: Docs {
        what: "The incoming release links a native library that the outgoing did not link.",
        why: "Native code is outside of the memory rules of the language, and brings a build of its own.",
        example: "A compression library that starts to bundle a C library.",
    },
    looks_at: &[FactKind::Manifest],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let change = input.change;
    let links = change.manifest_after.as_ref()?.links.as_ref()?;
    let new = match (&change.manifest_before, change.kind) {
        (Some(before), _) => before.links.as_ref() != Some(links),
        (None, kind) => kind == ChangeKind::Added,
    };
    if !new {
        return None;
    }
    let name = wording::incoming(change);
    Some(
        Raised::new(format!("{name} links the native library {links}"))
            .fact(format!("manifest: {name} has links = {links}")),
    )
}
