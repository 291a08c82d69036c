//! A package that was not there before.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::diff::ChangeKind;
use crate::pkg::Source;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "package-added",
    title: "a package that was not there before",
    docs: Docs {
        what: "A name that is new in the graph, chosen by a workspace member or brought by another change.",
        why: "It is the code of people whom nobody had to trust so far.",
        example: "A first update of an image library brings twelve new names.",
    },
    looks_at: &[],
    grades: &["chosen", "brought"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    if input.change.kind != ChangeKind::Added {
        return None;
    }
    let incoming = input.change.incoming()?;
    if incoming.source == Source::Local {
        return None;
    }
    let name = wording::named(input.change, incoming);
    let (grade, because) = match &input.change.forced_by {
        Some(forced) => (
            "brought",
            format!("{name} is new, brought by {}", forced.root),
        ),
        None => ("chosen", format!("{name} is new")),
    };
    Some(Raised::graded(grade, because).fact(format!("lock file: {name} from {}", incoming.source)))
}
