//! The package comes in many shapes.

use super::{Definition, Docs, Input, Parameters, Raised, of_many};
use crate::facts::FactKind;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "many-options",
    title: "the package comes in many shapes",
    docs: Docs {
        what: "How many of the dependencies of the release are optional.",
        why: "A library with many optional parts does many things, and few of its users run the same combination.",
        example: "A database client with fifteen optional dependencies.",
    },
    looks_at: &[FactKind::History],
    grades: &[],
    parameters: &["full-at"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let options = input.dossier.declared.seen()?.optional_dependencies;
    if options == 0 {
        return None;
    }
    let told = if options == 1 {
        "1 optional dependency".to_owned()
    } else {
        format!("{options} optional dependencies")
    };
    Some(
        Raised::new(format!("it has {told}"))
            .share(of_many(options, parameters.get("full-at")))
            .fact(format!("index: {told}")),
    )
}
