//! The ways from the files of a workspace to its graph.

use crate::snapshot::Workspace;
use crate::snapshot::lock::LockFile;
use crate::snapshot::open::RouteError;
use crate::snapshot::tree::Tree;

/// The ways from the files of a workspace to its graph.
pub(crate) trait Routes {
    /// From manifests, lock file and index entries.
    fn direct(
        &self,
        tree: &dyn Tree,
        directory: &str,
        lock: &LockFile,
    ) -> Result<Workspace, RouteError>;

    /// By cargo, in a clean room.
    fn cargo(
        &self,
        tree: &dyn Tree,
        directory: &str,
        lock: &LockFile,
    ) -> Result<Workspace, RouteError>;

    /// From a `cargo metadata` document.
    fn document(&self, json: &str) -> Result<Workspace, RouteError>;
}
