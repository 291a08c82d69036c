//! A crate that has not been around for long.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "young-crate",
    title: "a crate that has not been around for long",
    docs: Docs {
        what: "How long ago the first release of the crate was.",
        why: "A young crate changes fast, and has few users who would notice. New names are also how look-alikes come in.",
        example: "A crate whose first release is three weeks old.",
    },
    looks_at: &[FactKind::History],
    grades: &[],
    parameters: &["below-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let history = input.dossier.history.seen()?;
    if history.crate_age_days >= parameters.get("below-days") {
        return None;
    }
    let age = wording::days(history.crate_age_days.max(0.0));
    let because = format!(
        "the first release of {} was {age} before",
        input.change.package
    );
    Some(Raised::new(because).fact(format!("index: {} exists for {age}", input.change.package)))
}
