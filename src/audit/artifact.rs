//! A build that is an artifact beside one that is a source tree.
//!
//! An executable, or an SBOM of one, lists what is compiled into it. What a tree
//! has besides, for tests and for other targets, is no difference of the two.

use crate::diff::{ChangeKind, GraphDiff};
use crate::snapshot::{InputKind, NotCovered, Snapshot};

/// So many names are told.
const NAMED: usize = 5;

fn is_artifact(snapshot: &Snapshot) -> bool {
    match snapshot.input.kind {
        InputKind::Executable | InputKind::Sbom => true,
        InputKind::Git
        | InputKind::Worktree
        | InputKind::Directory
        | InputKind::Lock
        | InputKind::Metadata => false,
    }
}

/// Of a lock file alone it is not known what is compiled.
fn unplaced_in_words(artifact: &Snapshot, kind: ChangeKind, count: usize) -> Option<NotCovered> {
    let some = match count {
        0 => return None,
        1 => format!("the one that is {} may be", kind.as_str()),
        many => format!("of the {many} that are {} some may be", kind.as_str()),
    };
    Some(NotCovered {
        path: artifact.input.given.clone(),
        reason: format!(
            "it lists only what is compiled into it, and the other build is a lock file alone: \
             {some} for tests or other targets; name a revision or a directory in its place"
        ),
    })
}

/// Takes out of a difference what only the side that is no artifact can know of,
/// and tells what that is. Where it is not known what is compiled, all stays.
pub(super) fn leave_out_uncompiled(
    base: &Snapshot,
    head: &Snapshot,
    diff: &mut GraphDiff,
) -> Option<NotCovered> {
    let (artifact, kind) = match (is_artifact(base), is_artifact(head)) {
        (true, false) => (base, ChangeKind::Added),
        (false, true) => (head, ChangeKind::Removed),
        (true, true) | (false, false) => return None,
    };
    let unplaced = diff
        .changes
        .iter()
        .filter(|change| change.kind == kind && !change.placement.resolved)
        .count();
    let mut left = Vec::new();
    diff.changes.retain(|change| {
        let placement = &change.placement;
        let out = change.kind == kind && placement.resolved && !placement.is_built();
        if out {
            left.push(change.id.clone());
        }
        !out
    });
    if left.is_empty() {
        return unplaced_in_words(artifact, kind, unplaced);
    }
    for change in &mut diff.changes {
        change.forces.retain(|id| !left.contains(id));
    }
    let mut names = left
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if left.len() > NAMED {
        names.push_str(&format_args!(" and {} more", left.len() - NAMED).to_string());
    }
    Some(NotCovered {
        path: artifact.input.given.clone(),
        reason: format!(
            "it lists only what is compiled into it; not compared is what the other build has for tests and other targets: {names}"
        ),
    })
}
