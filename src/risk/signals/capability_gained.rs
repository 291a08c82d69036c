//! The library opens doors that it did not open before.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, Part, SourceFinding, Topic};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "capability-gained",
    title: "the library opens doors that it did not open before",
    docs: Docs {
        what: "The library uses the network, other programs, loaded code, files or the environment for the first time.",
        why: "A library that starts to do so does something new, and can reach what it could not reach before.",
        example: "A parser that opens a socket.",
    },
    looks_at: &[FactKind::Source],
    grades: &["network", "process", "loading", "files", "environment"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    // What a new package can do is what it is for.
    delta.before?;
    let grades: [(&str, &[Topic]); 5] = [
        ("network", &[Topic::Network]),
        ("process", &[Topic::Process]),
        ("loading", &[Topic::DynamicLoading, Topic::Assembly]),
        ("files", &[Topic::Files]),
        ("environment", &[Topic::Environment]),
    ];
    let (grade, found) = grades.into_iter().find_map(|(grade, topics)| {
        let gains = |finding: &SourceFinding| {
            finding.part == Part::Library && topics.contains(&finding.topic)
        };
        Some((grade, wording::source_findings(delta, gains)?))
    })?;
    let because = format!("its library uses {} for the first time", found.names);
    Some(Raised::graded(grade, because).facts(found.facts))
}
