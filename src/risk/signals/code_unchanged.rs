//! All code that is compiled is the same.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "code-unchanged",
    title: "all code that is compiled is the same as before",
    docs: Docs {
        what: "The library and the build script are the same byte for byte, and no dependency is new.",
        why: "What does not change cannot break. What remains is what the manifest asks of others.",
        example: "A release for documentation only.",
    },
    looks_at: &[FactKind::Source],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    let before = delta.before?;
    if !delta.same_code
        || !input.change.dependencies_gained.is_empty()
        || before.compiled_files == 0
    {
        return None;
    }
    let files = delta.after.compiled_files;
    let because = "all code that is compiled is the same as in the release before".to_owned();
    Some(Raised::new(because).fact(format!("source: {files} compiled files compared")))
}
