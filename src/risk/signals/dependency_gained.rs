//! The release needs packages that it did not need before.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "dependency-gained",
    title: "the release needs packages that it did not need before",
    docs: Docs {
        what: "Direct dependencies that the incoming release has and the outgoing had not.",
        why: "A new dependency is the code of others, and a sign that the release does something new. A malicious release likes to bring its payload so.",
        example: "`0.4.2` needs `tiny-helper`, and `0.4.1` did not.",
    },
    looks_at: &[],
    grades: &["one", "several"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    if input.change.outgoing().is_none() || input.change.incoming().is_none() {
        return None;
    }
    let gained = &input.change.dependencies_gained;
    let grade = match gained.len() {
        0 => return None,
        1 => "one",
        _ => "several",
    };
    let names = wording::some_of(gained.iter().map(String::as_str));
    Some(
        Raised::graded(grade, format!("it newly depends on {names}"))
            .fact(format!("dependencies gained: {names}")),
    )
}
