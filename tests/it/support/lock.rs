//! Lock files as snapshots, without anything around them.

use cargo_canary::snapshot::lock::{LockError, parse};
use cargo_canary::snapshot::{Snapshot, lock_only};

use super::graph::of_workspaces;

/// The graph of one lock file as the workspace at the root.
pub(crate) fn snapshot(text: &str) -> Result<Snapshot, LockError> {
    let file = parse(text, "Cargo.lock")?;
    let snapshot = of_workspaces(vec![lock_only::workspace(".", &file)]);
    assert_eq!(snapshot.verify(), Ok(()));
    Ok(snapshot)
}
