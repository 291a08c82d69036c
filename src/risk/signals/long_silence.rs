//! A fresh release after a long silence.

use super::{Definition, Docs, Input, Parameters, Raised, freshness};
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
    parameters: &["full-at-days", "half-after-days", "over-days", "until-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let published = input.dossier.published.seen()?;
    let gap = input.dossier.history.seen()?.gap_before_days?;
    let (over, full) = (parameters.get("over-days"), parameters.get("full-at-days"));
    if gap <= over {
        return None;
    }
    // From one to the other by the logarithm: the first year matters most.
    let silence = ((gap / over).ln() / (full / over).ln()).min(1.0);
    let share = silence * freshness(input, parameters)?;
    let gap = wording::days(gap);
    let because = format!("the first release after {gap} of silence");
    Some(
        Raised::new(because)
            .share(share)
            .fact(input.published(published))
            .fact(format!("index: the release before came {gap} earlier")),
    )
}
