//! The first release of a new line, still fresh.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "dot-zero",
    title: "the first release of a new line, still fresh",
    docs: Docs {
        what: "A release whose last number is nought, while it is fresh.",
        why: "New features come with the first release of a line, their repairs with the ones after it.",
        example: "`1.10.0`, two days old.",
    },
    looks_at: &[FactKind::PublishTime],
    grades: &[],
    parameters: &["within-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let incoming = input.change.incoming()?;
    let published = input.dossier.published.seen()?;
    let version = &incoming.version;
    if version.patch != 0
        || !version.pre.is_empty()
        || published.age_days >= parameters.get("within-days")
    {
        return None;
    }
    let because = format!(
        "{version} is the first of its line, {} old",
        wording::days(published.age_days.max(0.0))
    );
    Some(Raised::new(because).fact(input.published(published)))
}
