//! The release declares other features than the one before.

use super::{Definition, Docs, Input, Parameters, Raised, of_many};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "feature-list-changed",
    title: "the release declares other features than before",
    docs: Docs {
        what: "How many features the release declares that the one it replaces does not, and the other way round.",
        why: "A changed list of features means that the library was cut differently inside, in code that is compiled or not.",
        example: "A TLS library gains `fips` and loses `dangerous_configuration`.",
    },
    looks_at: &[FactKind::History],
    grades: &[],
    parameters: &["full-at"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let declared = input.dossier.declared.seen()?;
    let (gained, lost) = (&declared.features_gained, &declared.features_lost);
    let names = |of: &[String]| wording::some_of(of.iter().map(String::as_str));
    let features = |of: &[String]| match of.len() {
        1 => format!("the feature {}", names(of)),
        _ => format!("the features {}", names(of)),
    };
    let because = match (gained.is_empty(), lost.is_empty()) {
        (true, true) => return None,
        (false, true) => format!("it now has {}", features(gained)),
        (true, false) => format!("it no longer has {}", features(lost)),
        (false, false) => format!(
            "it now has {}, and no longer {}",
            features(gained),
            names(lost)
        ),
    };
    let count = gained.len() + lost.len();
    Some(
        Raised::new(because)
            .share(of_many(count, parameters.get("full-at")))
            .fact(format!(
                "index: {} gained, {} lost",
                gained.len(),
                lost.len()
            )),
    )
}
