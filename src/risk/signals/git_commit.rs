//! A commit comes in, not a release.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::pkg::Source;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "git-commit",
    title: "a commit comes in, not a release",
    docs: Docs {
        what: "What comes in is a commit of a git repository.",
        why: "A commit has no publish time, no withdrawal and often no advisory: less is known of it, and fewer run it.",
        example: "A `git` dependency that moves to the newest commit of its branch.",
    },
    looks_at: &[],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let incoming = input.change.incoming()?;
    let Source::Git { .. } = &incoming.source else {
        return None;
    };
    let because = format!(
        "{} comes from a commit, not from a release",
        wording::named(input.change, incoming)
    );
    Some(Raised::new(because).fact(format!("lock file: {}", incoming.source)))
}
