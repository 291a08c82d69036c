//! The package had faults before.

use super::{Definition, Docs, Input, Parameters, Raised, of_many};
use crate::facts::FactKind;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "advisory-history",
    title: "the package had faults before",
    docs: Docs {
        what: "How many vulnerabilities the advisory database had on record for the package before, whatever versions they are in.",
        why: "Code that takes input from strangers is looked at more, and has more to find: where there were faults, there are more.",
        example: "An HTTP library with four advisories from earlier years.",
    },
    looks_at: &[FactKind::Advisories],
    grades: &[],
    parameters: &["full-at"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let faults = input.dossier.advisories_on_record;
    if faults == 0 {
        return None;
    }
    let told = if faults == 1 {
        "1 advisory".to_owned()
    } else {
        format!("{faults} advisories")
    };
    let because = format!("{told} on record for the package");
    Some(
        Raised::new(because)
            .share(of_many(faults, parameters.get("full-at")))
            .fact(format!("advisory database: {told} for any of its releases")),
    )
}
