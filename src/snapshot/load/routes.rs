//! The ways from the files of a workspace to its graph.

use crate::snapshot::Workspace;
use crate::snapshot::lock::LockFile;
use crate::snapshot::open::RouteError;
use crate::snapshot::tree::Tree;

/// The ways from the files of a workspace to its graph.
pub trait Routes {
    /// From manifests, lock file and index entries.
    ///
    /// # Errors
    /// What this way does not cover, or could not get.
    fn direct(
        &self,
        tree: &dyn Tree,
        directory: &str,
        lock: &LockFile,
    ) -> Result<Workspace, RouteError>;

    /// By cargo, in a clean room.
    ///
    /// # Errors
    /// Why cargo could not be run, or what it reports.
    fn cargo(
        &self,
        tree: &dyn Tree,
        directory: &str,
        lock: &LockFile,
    ) -> Result<Workspace, RouteError>;

    /// From a `cargo metadata` document that was handed in.
    ///
    /// # Errors
    /// What is wrong with the document.
    fn document(&self, json: &str) -> Result<Workspace, RouteError>;

    /// Whether the direct way's reason is that the lock file is behind its
    /// manifest.
    fn is_behind(&self, error: &RouteError) -> bool;
}
