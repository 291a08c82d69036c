//! The package depends on others than before.

use super::{Definition, Docs, Input, Parameters, Raised, of_many};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "dependencies-changed",
    title: "the package depends on others than before",
    docs: Docs {
        what: "How many dependencies the update brings to the package, and how many it takes from it.",
        why: "What a library is built on changes when it is rebuilt inside, and each new dependency is code that nobody chose.",
        example: "An update that takes `http-body` and `want` and brings `http-body-util`.",
    },
    looks_at: &[],
    grades: &[],
    parameters: &["full-at"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    if input.change.outgoing().is_none() || input.change.incoming().is_none() {
        return None;
    }
    let (gained, lost) = (
        &input.change.dependencies_gained,
        &input.change.dependencies_lost,
    );
    let names = |of: &[String]| wording::some_of(of.iter().map(String::as_str));
    let because = match (gained.is_empty(), lost.is_empty()) {
        (true, true) => return None,
        (false, true) => format!("it newly depends on {}", names(gained)),
        (true, false) => format!("it no longer depends on {}", names(lost)),
        (false, false) => format!(
            "it newly depends on {}, and no longer on {}",
            names(gained),
            names(lost)
        ),
    };
    let share = of_many(gained.len() + lost.len(), parameters.get("full-at"));
    let mut raised = Raised::new(because).share(share);
    for (what, of) in [("gained", gained), ("lost", lost)] {
        if !of.is_empty() {
            raised = raised.fact(format!("dependencies {what}: {}", names(of)));
        }
    }
    Some(raised)
}
