//! The real ways from the files of a workspace to its graph.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use crate::host::Host;
use crate::pkg::{PackageId, Source};
use crate::registry::{Freshness, Registry};

use super::load::{Built, Locks, build, read};
use super::lock::LockFile;
use super::tree::Tree;
use super::{
    BuildSettings, GraphKind, GraphMode, LoadError, Opened, RouteError, Routes, Snapshot,
    Workspace, clean_room, direct, graph, load_by,
};

/// Loads a build: its workspaces, each with its graph, and what is left out.
///
/// # Errors
/// When there is no lock file, one is not well-formed or behind its manifest,
/// or a graph cannot be built the way that `mode` asks for.
pub fn load(
    opened: &Opened<'_>,
    settings: &BuildSettings,
    mode: GraphMode,
    registry: &Registry<'_>,
    host: &Host,
) -> Result<Snapshot, LoadError> {
    let ways = Ways {
        settings,
        registry,
        host,
    };
    load_by(opened, mode, &ways)
}

/// Loads two builds as [`load`] does, at the same time. What the registry is
/// asked for both is asked once, before; for crates that come in as `incoming`
/// says, so that a caller who needs their entries as current ones afterwards
/// does not have them read twice.
///
/// # Errors
/// As [`load`], for each of the two. A lock file that is behind its manifest
/// is an error only in the second, and only where it was not so in the first.
pub fn load_both(
    builds: (&Opened<'_>, &Opened<'_>),
    settings: &BuildSettings,
    mode: GraphMode,
    incoming: Freshness,
    registry: &Registry<'_>,
    host: &Host,
) -> (Result<Snapshot, LoadError>, Result<Snapshot, LoadError>) {
    let (base, head) = rayon::join(|| read(builds.0), || read(builds.1));
    if matches!(mode, GraphMode::Auto | GraphMode::Direct) {
        ask(published(&base), published(&head), incoming, registry);
    }
    let ways = Ways {
        settings,
        registry,
        host,
    };
    let (base, head) = rayon::join(
        || build(builds.0, base?, mode, &ways),
        || build(builds.1, head?, mode, &ways),
    );
    let head = head.and_then(|head| head.unless_behind(base.as_ref().ok()));
    (base.map(Built::into_base), head)
}

/// Releases of registries, each with its checksum.
type Published<'a> = BTreeMap<&'a PackageId, Option<&'a String>>;

/// What the lock files of a build name of registries.
fn published(locks: &Result<Locks, LoadError>) -> Published<'_> {
    let locks = locks.iter().flat_map(Locks::with_manifest);
    locks
        .flat_map(|lock| &lock.packages)
        .filter(|package| package.id.source.is_registry() && package.replace.is_none())
        .map(|package| (&package.id, package.checksum.as_ref()))
        .collect()
}

/// Asks for all that the direct way needs of these releases; the registry
/// remembers it.
fn ask(base: Published<'_>, head: Published<'_>, incoming: Freshness, registry: &Registry<'_>) {
    let current: BTreeSet<(&Source, &str)> = match incoming {
        Freshness::Holding => BTreeSet::new(),
        Freshness::Current => head
            .keys()
            .filter(|id| !base.contains_key(*id))
            .map(|id| (&id.source, id.name.as_str()))
            .collect(),
    };
    let mut all = base.clone();
    all.extend(head.iter().map(|(id, sum)| (*id, *sum)));
    let releases: Vec<PackageId> = all.keys().map(|&id| id.clone()).collect();
    let manifests: Vec<(PackageId, Option<String>)> = all
        .into_iter()
        .map(|(id, sum)| (id.clone(), sum.cloned()))
        .collect();
    rayon::join(
        || direct::prefetch(registry, &releases, &current),
        || registry.manifests(&manifests),
    );
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

    fn is_behind(&self, error: &RouteError) -> bool {
        matches!(
            error.downcast_ref(),
            Some(direct::DirectError::LockOutOfDate { .. })
        )
    }
}
