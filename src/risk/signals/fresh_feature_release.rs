//! A feature release that few have run yet.

use super::{Definition, Docs, Input, Parameters, Raised, freshness};
use crate::diff::ChangeKind;
use crate::facts::FactKind;
use crate::pkg::Step;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "fresh-feature-release",
    title: "a feature release that few have run yet",
    docs: Docs {
        what: "A minor step to a release that is still fresh.",
        why: "Features bring new code, and what breaks others by it is withdrawn in the first days. Later the size of the step tells no more.",
        example: "From `1.7.3` to `1.8.0`, published yesterday.",
    },
    looks_at: &[FactKind::PublishTime],
    grades: &[],
    parameters: &["half-after-days", "until-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    if input.change.kind != ChangeKind::Upgraded {
        return None;
    }
    let (from, to) = (input.change.outgoing()?, input.change.incoming()?);
    if Step::between(&from.version, &to.version) != Step::Minor {
        return None;
    }
    let published = input.dossier.published.seen()?;
    let share = freshness(input, parameters)?;
    let because = format!("{} to {} while it is fresh", from.version, to.version);
    Some(
        Raised::new(because)
            .share(share)
            .fact(input.published(published)),
    )
}
