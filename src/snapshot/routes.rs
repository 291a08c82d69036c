//! The real ways from the files of a workspace to its graph.

use std::error::Error;

use crate::host::Host;
use crate::registry::Registry;

use super::lock::LockFile;
use super::tree::Tree;
use super::{
    BuildSettings, GraphKind, GraphMode, LoadError, Opened, RouteError, Routes, Snapshot,
    Workspace, clean_room, direct, graph, load_by,
};

/// Loads a build: its workspaces, each with its graph, and what is left out.
///
/// # Errors
/// When there is no lock file, one is not well-formed, or a graph cannot be
/// built the way that `mode` asks for.
pub fn load(
    opened: &Opened<'_>,
    settings: &BuildSettings,
    mode: GraphMode,
    registry: &Registry<'_>,
    host: &Host,
) -> Result<Snapshot, LoadError> {
    load_by(
        opened,
        mode,
        &Ways {
            settings,
            registry,
            host,
        },
    )
}

struct Ways<'a, 'h> {
    settings: &'a BuildSettings,
    registry: &'a Registry<'h>,
    host: &'a Host,
}

fn boxed(error: impl Error + Send + Sync + 'static) -> RouteError {
    Box::new(error)
}

impl Routes for Ways<'_, '_> {
    fn direct(
        &self,
        tree: &dyn Tree,
        directory: &str,
        lock: &LockFile,
    ) -> Result<Workspace, RouteError> {
        let metadata =
            direct::metadata(tree, directory, lock, self.registry, self.host).map_err(boxed)?;
        let mut workspace = graph::resolve(
            &metadata.json,
            Some(lock),
            directory,
            GraphKind::Direct,
            Some(metadata.resolver),
            self.settings,
        )
        .map_err(boxed)?;
        workspace.gaps.extend(metadata.gaps);
        workspace.gaps.sort();
        workspace.gaps.dedup();
        Ok(workspace)
    }

    fn cargo(
        &self,
        tree: &dyn Tree,
        directory: &str,
        lock: &LockFile,
    ) -> Result<Workspace, RouteError> {
        let metadata =
            clean_room::metadata(tree, directory, lock, self.registry, self.host).map_err(boxed)?;
        let resolver = direct::resolver_of(tree, directory).map_err(boxed)?;
        graph::resolve(
            &metadata.json,
            Some(lock),
            directory,
            GraphKind::Cargo,
            Some(resolver),
            self.settings,
        )
        .map_err(boxed)
    }

    fn document(&self, json: &str) -> Result<Workspace, RouteError> {
        graph::resolve(json, None, ".", GraphKind::Metadata, None, self.settings).map_err(boxed)
    }
}
