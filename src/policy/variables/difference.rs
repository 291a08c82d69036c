//! What is known of all changes together.

use crate::diff::ChangeKind;

use super::super::Subject;
use super::{Variable, int};

/// How many changes there are, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::policy) struct Totals {
    changes: usize,
    roots: usize,
    upgraded: usize,
    downgraded: usize,
    added: usize,
    removed: usize,
    duplicated: usize,
}

impl Totals {
    /// Counts the changes.
    pub(in crate::policy) fn of(subjects: &[Subject<'_>]) -> Self {
        let of_kind = |kind: ChangeKind| {
            subjects
                .iter()
                .filter(|subject| subject.change.kind == kind)
                .count()
        };
        Self {
            changes: subjects.len(),
            roots: subjects
                .iter()
                .filter(|subject| subject.change.forced_by.is_none())
                .count(),
            upgraded: of_kind(ChangeKind::Upgraded),
            downgraded: of_kind(ChangeKind::Downgraded),
            added: of_kind(ChangeKind::Added),
            removed: of_kind(ChangeKind::Removed),
            duplicated: of_kind(ChangeKind::Duplicated),
        }
    }
}

pub(super) const TABLE: &[Variable] = &[
    Variable::of_difference("difference.changes", "how many changes there are", |t| {
        int(t.changes)
    }),
    Variable::of_difference(
        "difference.roots",
        "how many of them no other change forced",
        |t| int(t.roots),
    ),
    Variable::of_difference(
        "difference.upgrades",
        "how many packages are upgraded",
        |t| int(t.upgraded),
    ),
    Variable::of_difference(
        "difference.downgrades",
        "how many packages are downgraded",
        |t| int(t.downgraded),
    ),
    Variable::of_difference("difference.added", "how many names are new", |t| {
        int(t.added)
    }),
    Variable::of_difference("difference.removed", "how many names are gone", |t| {
        int(t.removed)
    }),
    Variable::of_difference(
        "difference.duplicated",
        "how many names have a further version",
        |t| int(t.duplicated),
    ),
];
