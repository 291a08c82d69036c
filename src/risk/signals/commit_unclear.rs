//! It is not clear any more which commit the release was made from.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, Shift, Topic};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "commit-unclear",
    title: "it is not clear which commit the release was made from",
    docs: Docs {
        what: "The archive no longer names its commit, was made from edited files, or names the commit of the release before though its code differs.",
        why: "A release that was not made in the usual way was perhaps not made by the usual people.",
        example: "`2.1.4` names its commit, and `2.1.5` names none.",
    },
    looks_at: &[FactKind::Source],
    grades: &["missing", "edited", "same"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    let finding = delta.on(&[Topic::Commit]).next()?.clone();
    let (grade, because) = match finding.shift {
        Shift::Lost => (
            "missing",
            "its archive no longer names the commit it was made from",
        ),
        Shift::Gained => (
            "edited",
            "its archive was made from files that were not committed",
        ),
        Shift::Changed => (
            "same",
            "its archive names the commit of the release before, and its code differs",
        ),
    };
    let found = wording::source_findings(delta, |finding| finding.topic == Topic::Commit)?;
    Some(Raised::graded(grade, because.to_owned()).facts(found.facts))
}
