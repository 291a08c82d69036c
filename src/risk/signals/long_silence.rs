//! A fresh release after a long silence.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "long-silence",
    title: "a fresh release after a long silence",
    docs: Docs {
        what: "A release that is still fresh and that came after a long time without any.",
        why: "Whoever takes over an account, or a crate that was left, starts with such a release. The code around it has moved on, too.",
        example: "Nothing for two years, and a release three days ago.",
    },
    looks_at: &[FactKind::PublishTime, FactKind::History],
    grades: &[],
    parameters: &["at-least-days", "fresh-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let published = input.dossier.published.seen()?;
    let gap = input.dossier.history.seen()?.gap_before_days?;
    if gap < parameters.get("at-least-days") || published.age_days >= parameters.get("fresh-days") {
        return None;
    }
    let gap = wording::days(gap);
    let because = format!("the first release after {gap} of silence");
    Some(
        Raised::new(because)
            .fact(input.published(published))
            .fact(format!("index: the release before came {gap} earlier")),
    )
}
