//! From the files of a build to its snapshot: finds all workspaces and lock
//! files, builds the graph of each, and names what is left out. Knows nothing
//! of how a graph is built; that is for the routes.
//!
//! Imports: pkg, facts.

mod coverage;
mod digest;
mod routes;
#[cfg(test)]
mod tests;

use std::error::Error as _;

use crate::facts::{FactKind, GapReason};
use crate::host::with_causes;
use crate::pkg::PackageId;

use super::claim::{self, Artifact};
use super::lock::{self, LockFile};
use super::lock_only;
use super::open::{Content, LoadError, Opened, RouteError};
use super::tree::Tree;
use super::{GraphMode, Input, NotCovered, Snapshot, Workspace};
use coverage::Finds;
use digest::Digest;

pub use routes::Routes;

/// The lock files of a build, read, and what is left out. The first half of
/// loading, which asks no registry.
pub(in crate::snapshot) struct Locks {
    found: Vec<Found>,
    not_covered: Vec<NotCovered>,
}

impl Locks {
    /// The lock files that have a manifest beside them, from which more than
    /// their own content can be learnt.
    pub(in crate::snapshot) fn with_manifest(&self) -> impl Iterator<Item = &LockFile> {
        self.found
            .iter()
            .filter(|found| found.manifest)
            .map(|found| &found.lock)
    }
}

/// Finds and reads the lock files of a build.
///
/// # Errors
/// When there is no lock file, or one is not well-formed.
pub(in crate::snapshot) fn read(opened: &Opened<'_>) -> Result<Locks, LoadError> {
    let mut not_covered = Vec::new();
    let found = match &opened.content {
        Content::Lock(bytes) => vec![Found {
            directory: ".".to_owned(),
            lock: parse_lock(opened, bytes, opened.given())?,
            manifest: false,
        }],
        Content::Metadata(_) | Content::Artifact { .. } => Vec::new(),
        Content::Tree(tree) => locks(opened, &**tree, &mut not_covered)?,
    };
    Ok(Locks { found, not_covered })
}

/// Loads a build by the given routes.
///
/// # Errors
/// When there is no lock file, one is not well-formed or behind its manifest,
/// or a graph cannot be built the way that `mode` asks for.
pub fn load_by(
    opened: &Opened<'_>,
    mode: GraphMode,
    routes: &dyn Routes,
) -> Result<Snapshot, LoadError> {
    build(opened, read(opened)?, mode, routes)?.unless_behind(None)
}

/// A build, and the lock files in it that are behind their manifests.
pub(in crate::snapshot) struct Built {
    snapshot: Snapshot,
    behind: Vec<Behind>,
}

/// A lock file that contradicts its manifest. Its workspace is read from the
/// lock file alone, which is not what is built.
struct Behind {
    workspace: String,
    error: LoadError,
}

impl Behind {
    /// The same workspace, with the same contradictions.
    fn same(&self, other: &Self) -> bool {
        let why = |it: &Self| it.error.source().map(with_causes);
        self.workspace == other.workspace && why(self) == why(other)
    }
}

impl Built {
    /// The build that a change leads away from. What is behind in it is
    /// history; nothing can be done about it.
    pub(in crate::snapshot) fn into_base(self) -> Snapshot {
        self.snapshot
    }

    /// The build under judgement, with only such lock files behind their
    /// manifests as were so in the base already.
    ///
    /// # Errors
    /// When another one is behind: Cargo would refuse it with `--locked`, and
    /// build something else without.
    pub(in crate::snapshot) fn unless_behind(
        self,
        base: Option<&Self>,
    ) -> Result<Snapshot, LoadError> {
        let before = base.map_or(&[][..], |base| &base.behind);
        let new = |behind: &Behind| !before.iter().any(|before| before.same(behind));
        match self.behind.into_iter().find(new) {
            None => Ok(self.snapshot),
            Some(behind) => Err(behind.error),
        }
    }
}

/// Builds the graphs of a build whose lock files are read: the second half of loading.
///
/// # Errors
/// When a graph cannot be built the way that `mode` asks for.
pub(in crate::snapshot) fn build(
    opened: &Opened<'_>,
    locks: Locks,
    mode: GraphMode,
    routes: &dyn Routes,
) -> Result<Built, LoadError> {
    let Locks {
        found,
        mut not_covered,
    } = locks;
    let mut digest = Digest::default();
    let mut workspaces = Vec::with_capacity(found.len());
    let mut behind = Vec::new();
    for found in &found {
        digest.lock(&found.directory, &found.lock);
        workspaces.push(match &opened.content {
            Content::Tree(tree) => workspace(opened, &**tree, found, mode, routes, &mut behind)?,
            Content::Lock(_) | Content::Metadata(_) | Content::Artifact { .. } => {
                lock_only::workspace(&found.directory, &found.lock)
            }
        });
    }
    if let Content::Metadata(bytes) = &opened.content {
        let json = std::str::from_utf8(bytes).map_err(|error| LoadError::NotText {
            given: opened.given().to_owned(),
            offset: error.valid_up_to(),
        })?;
        let workspace = routes
            .document(json.trim_start_matches('\u{feff}'))
            .map_err(|source| graph_error(opened, ".", "metadata", source))?;
        digest.workspace(&workspace);
        workspaces.push(workspace);
    }
    if let Content::Artifact {
        artifact,
        bytes,
        lock,
    } = &opened.content
    {
        let workspace = claimed(opened, *artifact, bytes, lock.as_ref(), &mut not_covered)?;
        digest.workspace(&workspace);
        workspaces.push(workspace);
    }
    workspaces.sort_by(|a, b| a.path.cmp(&b.path));
    workspaces.iter_mut().for_each(place_gaps);
    not_covered.sort_unstable();
    not_covered.dedup();
    let snapshot = Snapshot {
        input: Input {
            given: opened.given().to_owned(),
            kind: opened.kind(),
            commit: opened.commit().map(str::to_owned),
            digest: digest.finish(),
        },
        workspaces,
        not_covered,
    };
    match snapshot.verify() {
        Ok(()) => Ok(Built { snapshot, behind }),
        Err(broken) => Err(LoadError::Broken {
            given: snapshot.input.given,
            broken,
        }),
    }
}

/// What an artifact says of itself, held against the lock file beside it.
fn claimed(
    opened: &Opened<'_>,
    artifact: Artifact,
    bytes: &[u8],
    lock: Option<&(String, Vec<u8>)>,
    not_covered: &mut Vec<NotCovered>,
) -> Result<Workspace, LoadError> {
    let lock = lock.and_then(|(path, bytes)| match lock::parse_bytes(bytes, path) {
        Ok(lock) => Some(lock),
        Err(error) => {
            not_covered.push(NotCovered {
                path: path.clone(),
                reason: format!("it is beside the artifact and cannot be read: {error}"),
            });
            None
        }
    });
    let read = claim::read(artifact, bytes, lock.as_ref()).map_err(|source| LoadError::Claim {
        given: opened.given().to_owned(),
        source,
    })?;
    not_covered.extend(read.left_out.map(|reason| NotCovered {
        path: opened.given().to_owned(),
        reason,
    }));
    Ok(read.workspace)
}

/// One lock file that is covered.
struct Found {
    /// Its directory below the root, `.` for the root.
    directory: String,
    lock: LockFile,
    /// There is a manifest beside it.
    manifest: bool,
}

/// Finds and reads all lock files, and notes what is not covered.
fn locks(
    opened: &Opened<'_>,
    tree: &dyn Tree,
    not_covered: &mut Vec<NotCovered>,
) -> Result<Vec<Found>, LoadError> {
    let finds = Finds::of(tree);
    let paths: Vec<String> = finds
        .locks
        .iter()
        .map(|directory| coverage::join(directory, "Cargo.lock"))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let contents = tree.read_many(&paths, lock::MAX_BYTES);
    let mut found = Vec::with_capacity(paths.len());
    for ((directory, path), content) in finds.locks.iter().zip(&paths).zip(contents) {
        let manifest = finds.manifests.contains(directory);
        let lock = content
            .map_err(|source| LoadError::Tree {
                given: opened.given().to_owned(),
                source,
            })
            .and_then(|bytes| parse_lock(opened, &bytes, path));
        match lock {
            Ok(lock) => {
                found.push(Found {
                    directory: shown(directory),
                    lock,
                    manifest,
                });
            }
            Err(error) if manifest => return Err(error),
            // Beside no manifest it is of no build; test data is often broken on purpose.
            Err(error) => not_covered.push(NotCovered {
                path: (*path).to_owned(),
                reason: format!(
                    "no manifest beside it, and it cannot be read: {}",
                    with_causes(&error)
                ),
            }),
        }
    }
    let locks: Vec<&LockFile> = found.iter().map(|found| &found.lock).collect();
    not_covered.extend(coverage::not_covered(tree, &finds, &locks));
    if found.is_empty() {
        not_covered.sort_unstable();
        return Err(LoadError::NoLock {
            given: opened.given().to_owned(),
            commit: opened.commit().map(str::to_owned),
            manifests: finds.manifests.len(),
            not_covered: std::mem::take(not_covered),
        });
    }
    Ok(found)
}

fn shown(directory: &str) -> String {
    if directory.is_empty() {
        ".".to_owned()
    } else {
        directory.to_owned()
    }
}

fn parse_lock(opened: &Opened<'_>, bytes: &[u8], path: &str) -> Result<LockFile, LoadError> {
    lock::parse_bytes(bytes, path).map_err(|error| LoadError::Lock {
        given: opened.given().to_owned(),
        source: Box::new(error),
    })
}

/// Builds the graph of one workspace.
fn workspace(
    opened: &Opened<'_>,
    tree: &dyn Tree,
    found: &Found,
    mode: GraphMode,
    routes: &dyn Routes,
    behind: &mut Vec<Behind>,
) -> Result<Workspace, LoadError> {
    let (directory, lock) = (found.directory.as_str(), &found.lock);
    if !found.manifest {
        return Ok(lock_only::workspace(directory, lock));
    }
    match mode {
        GraphMode::LockOnly => Ok(lock_only::workspace(directory, lock)),
        GraphMode::Direct => routes
            .direct(tree, directory, lock)
            .map_err(|source| graph_error(opened, directory, "direct", source)),
        GraphMode::Cargo => routes
            .cargo(tree, directory, lock)
            .map_err(|source| graph_error(opened, directory, "cargo", source)),
        GraphMode::Auto => {
            let (workspace, contradiction) = automatic(tree, directory, lock, routes);
            behind.extend(contradiction.map(|source| Behind {
                workspace: directory.to_owned(),
                error: graph_error(opened, directory, "direct", source),
            }));
            Ok(workspace)
        }
    }
}

/// The direct way, else cargo, else the lock file alone, which then says why.
/// With it the reason of the direct way, when the lock file is behind.
fn automatic(
    tree: &dyn Tree,
    directory: &str,
    lock: &LockFile,
    routes: &dyn Routes,
) -> (Workspace, Option<RouteError>) {
    let direct = match routes.direct(tree, directory, lock) {
        Ok(workspace) => return (workspace, None),
        Err(error) => error,
    };
    let cargo = match routes.cargo(tree, directory, lock) {
        Ok(workspace) => return (workspace, None),
        Err(error) => error,
    };
    let mut workspace = lock_only::workspace(directory, lock);
    let why = format!(
        "only the lock file could be used; the direct way: {}; the way by cargo: {}",
        with_causes(&*direct),
        with_causes(&*cargo)
    );
    for (_, gap) in &mut workspace.gaps {
        let coarse = gap.reason == GapReason::CoarseGraph;
        if coarse && matches!(gap.fact, FactKind::Placement | FactKind::Features) {
            gap.detail.clone_from(&why);
        }
    }
    let behind = routes.is_behind(&direct);
    (workspace, behind.then_some(direct))
}

/// A gap about a package that did not make it into the graph is one of the
/// whole workspace.
fn place_gaps(workspace: &mut Workspace) {
    let packages = &workspace.packages;
    for (id, _) in &mut workspace.gaps {
        let known = |id: &PackageId| packages.binary_search_by(|p| p.id.cmp(id)).is_ok();
        *id = id.take().filter(known);
    }
}

fn graph_error(
    opened: &Opened<'_>,
    workspace: &str,
    route: &'static str,
    source: RouteError,
) -> LoadError {
    let given = opened.given().to_owned();
    LoadError::Graph {
        given,
        workspace: workspace.to_owned(),
        route,
        source,
    }
}
