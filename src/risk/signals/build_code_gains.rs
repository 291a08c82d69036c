//! Code that runs on the build machine opens doors that it did not open before.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{FactKind, SourceFinding, Topic};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "build-code-gains",
    title: "code that runs on the build machine opens new doors",
    docs: Docs {
        what: "The build script or the macro uses the network, other programs, loaded code, files or the environment, and did not before.",
        why: "This is how a malicious release reads keys and sends them away, before any test runs.",
        example: "`build.rs` opens a connection, and did not in the release before.",
    },
    looks_at: &[FactKind::Source],
    grades: &["network", "process", "other"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let delta = input.dossier.source.seen()?;
    let gains = |topics: &'static [Topic]| {
        move |finding: &SourceFinding| {
            finding.part.runs_in_build() && topics.contains(&finding.topic)
        }
    };
    let grades: [(&str, &[Topic]); 3] = [
        ("network", &[Topic::Network]),
        ("process", &[Topic::Process, Topic::DynamicLoading]),
        (
            "other",
            &[Topic::Files, Topic::Environment, Topic::Assembly],
        ),
    ];
    // Many a build script asks the compiler for its version; in a new package
    // that is no news.
    let told = if delta.before.is_some() { 3 } else { 1 };
    let (grade, found) = grades.into_iter().take(told).find_map(|(grade, topics)| {
        Some((grade, wording::source_findings(delta, gains(topics))?))
    })?;
    let because = format!("code that runs where it is built now uses {}", found.names);
    Some(Raised::graded(grade, because).facts(found.facts))
}
