//! Nothing but a new dependency.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "hollow-update",
    title: "the code is the same, and a dependency is new",
    docs: Docs {
        what: "The library and the build script are the same byte for byte, and the release needs a package that it did not need before.",
        why: "A dependency that no code uses is there for its build script. Known attacks came in exactly so.",
        example: "`1.0.1` has the code of `1.0.0` and depends on `tiny-helper`.",
    },
    looks_at: &[FactKind::Source],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    let gained = &input.change.dependencies_gained;
    if !delta.same_code || delta.before.is_none() || gained.is_empty() {
        return None;
    }
    let names = wording::some_of(gained.iter().map(String::as_str));
    let files = delta.after.compiled_files;
    let because = format!("its code is the same as before, and it newly depends on {names}");
    Some(Raised::new(because).fact(format!("source: {files} compiled files compared")))
}
