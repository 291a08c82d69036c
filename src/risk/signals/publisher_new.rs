//! Published by somebody who never published it before.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "publisher-new",
    title: "published by somebody new",
    docs: Docs {
        what: "None of the earlier releases was published by the same account or workflow; or the release before came out of a trusted workflow and this one from an account.",
        why: "A stolen account, or a handover that nobody announced, shows here. So does a new maintainer.",
        example: "Forty releases by one account, and the forty-first by another.",
    },
    looks_at: &[FactKind::Publisher],
    grades: &["left-trusted", "new"],
    parameters: &["earlier-at-least"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let found = input.dossier.publisher.seen()?;
    let fact = format!("registry: published by {}", found.incoming);
    if found.left_trusted_publishing()
        && let Some(before) = &found.outgoing
    {
        let because = format!(
            "published by {}, and the release before by {before}",
            found.incoming
        );
        return Some(Raised::graded("left-trusted", because).fact(fact));
    }
    // Moving to a trusted workflow is a step up, not a stranger.
    let by_account = matches!(found.incoming, crate::facts::Publisher::Account(_));
    let enough = found.earlier as f64 >= parameters.get("earlier-at-least");
    (found.is_new() && by_account && enough).then(|| {
        let because = format!(
            "published by {}, who published none of the {} earlier releases on record",
            found.incoming, found.earlier
        );
        Raised::graded("new", because).fact(fact)
    })
}
