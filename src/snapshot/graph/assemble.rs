//! Packages and edges: those of the document, those of the lock file, in one order.

use std::collections::{BTreeMap, BTreeSet};

use guppy::graph::{PackageGraph, PackageLink, PackageMetadata};
use semver::Version;

use super::{GraphError, READ_INDEX, READ_LOCK, READ_MARK};
use crate::pkg::{DependencyKind, PackageId, Source};
use crate::snapshot::lock::{LockFile, LockPackage};
use crate::snapshot::{Edge, GraphKind, Package, PackageManifest, Placement, Workspace};

/// One package, known from the document, the lock file, or both.
struct Part<'g> {
    id: PackageId,
    metadata: Option<PackageMetadata<'g>>,
    locked: Option<usize>,
}

/// All packages, sorted by id, without their places in the build.
pub(super) struct Skeleton<'g> {
    parts: Vec<Part<'g>>,
    lock: Option<&'g LockFile>,
    by_guppy: BTreeMap<&'g guppy::PackageId, usize>,
    trust_marks: bool,
}

/// Merges document and lock file.
pub(super) fn skeleton<'g>(
    graph: &'g PackageGraph,
    lock: Option<&'g LockFile>,
    workspace: &str,
    kind: GraphKind,
) -> Result<Skeleton<'g>, GraphError> {
    let index = lock.map(LockIndex::new);
    let mut taken = vec![false; lock.map_or(0, |lock| lock.packages.len())];
    let mut parts = Vec::with_capacity(taken.len().max(graph.package_count()));
    for metadata in graph.packages() {
        let id = id_of(&metadata)?;
        let locked = index.as_ref().and_then(|index| index.find(&id));
        // The lock file's spelling of a git source wins: both sides of a
        // comparison have one.
        let id = match (locked, lock) {
            (Some(place), Some(lock)) => {
                taken[place] = true;
                lock.packages[place].id.clone()
            }
            _ => id,
        };
        parts.push(Part {
            id,
            metadata: Some(metadata),
            locked,
        });
    }
    for (place, package) in lock
        .iter()
        .flat_map(|lock| lock.packages.iter().enumerate())
    {
        if !taken[place] {
            parts.push(Part {
                id: package.id.clone(),
                metadata: None,
                locked: Some(place),
            });
        }
    }
    parts.sort_by(|a, b| a.id.cmp(&b.id));
    if let Some(pair) = parts.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(GraphError::Twice {
            workspace: workspace.to_owned(),
            package: Box::new(pair[0].id.clone()),
        });
    }
    let by_guppy = parts
        .iter()
        .enumerate()
        .filter_map(|(place, part)| part.metadata.as_ref().map(|m| (m.id(), place)))
        .collect();
    Ok(Skeleton {
        parts,
        lock,
        by_guppy,
        trust_marks: kind == GraphKind::Direct,
    })
}

/// Name, version and source of a package; a document names local packages by
/// their path, which says nothing when two states of a tree are compared.
fn id_of(metadata: &PackageMetadata<'_>) -> Result<PackageId, GraphError> {
    let source = match metadata.source().external_source() {
        Some(text) => Source::parse(text).map_err(|source| GraphError::Source {
            package: metadata.name().to_owned(),
            source,
        })?,
        None => Source::Local,
    };
    Ok(PackageId {
        name: metadata.name().to_owned(),
        version: metadata.version().clone(),
        source,
    })
}

/// Finds lock entries by id, and git ones also when their query is spelled in another way.
struct LockIndex<'l> {
    by_name: BTreeMap<(&'l str, &'l Version), Vec<(usize, &'l LockPackage)>>,
}

impl<'l> LockIndex<'l> {
    fn new(lock: &'l LockFile) -> Self {
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (place, package) in lock.packages.iter().enumerate() {
            by_name
                .entry((package.id.name.as_str(), &package.id.version))
                .or_default()
                .push((place, package));
        }
        Self { by_name }
    }

    fn find(&self, id: &PackageId) -> Option<usize> {
        let same = self.by_name.get(&(id.name.as_str(), &id.version))?;
        same.iter()
            .find(|(_, package)| package.id.source == id.source)
            .or_else(|| {
                let mut alike = same
                    .iter()
                    .filter(|(_, package)| package.id.source.same_place(&id.source));
                alike.next().filter(|_| alike.next().is_none())
            })
            .map(|(place, _)| *place)
    }
}

impl Skeleton<'_> {
    /// How many packages there are.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// The place of a package of the document.
    pub(super) fn place_of(&self, id: &guppy::PackageId) -> Option<usize> {
        self.by_guppy.get(id).copied()
    }

    /// The workspace members with their names.
    pub(super) fn members(&self) -> impl Iterator<Item = (usize, &str)> {
        self.parts
            .iter()
            .enumerate()
            .filter(|(_, part)| part.is_member())
            .map(|(place, part)| (place, part.id.name.as_str()))
    }

    /// Adds edges and places.
    pub(super) fn into_workspace(
        self,
        places: Vec<Placement>,
        path: &str,
        graph: GraphKind,
    ) -> Workspace {
        let locked_place = self.places_of_lock();
        let edges: Vec<Vec<Edge>> = self
            .parts
            .iter()
            .map(|part| self.edges(part, &locked_place))
            .collect();
        let mut direct = vec![false; self.parts.len()];
        for (part, edges) in self.parts.iter().zip(&edges) {
            if part.is_member() {
                edges.iter().for_each(|edge| direct[edge.to] = true);
            }
        }
        let mut lock_lines = Vec::new();
        let mut packages = Vec::with_capacity(self.parts.len());
        for (((part, edges), mut placement), direct) in
            self.parts.into_iter().zip(edges).zip(places).zip(direct)
        {
            let locked = part
                .locked
                .and_then(|place| self.lock.map(|lock| &lock.packages[place]));
            if self.lock.is_some() {
                lock_lines.push(locked.map_or(1, |package| package.line));
            }
            placement.direct = direct;
            let mark = part.mark(self.trust_marks);
            placement.resolved = mark != Some(READ_LOCK) && part.metadata.is_some();
            packages.push(Package {
                checksum: locked.and_then(|package| package.checksum.clone()),
                member: part.is_member(),
                edges,
                placement,
                manifest: part
                    .metadata
                    .filter(|_| mark.is_none())
                    .map(|m| manifest_of(&m)),
                id: part.id,
            });
        }
        Workspace {
            path: path.to_owned(),
            graph,
            packages,
            lock_lines,
            gaps: Vec::new(),
        }
    }

    /// For each lock entry its place here; a replaced package stands for its replacement.
    fn places_of_lock(&self) -> Vec<Option<usize>> {
        let Some(lock) = self.lock else {
            return Vec::new();
        };
        let mut places = vec![None; lock.packages.len()];
        for (place, part) in self.parts.iter().enumerate() {
            if let Some(locked) = part.locked {
                places[locked] = Some(place);
            }
        }
        let replaced = |locked: usize| {
            lock.packages[locked]
                .replace
                .filter(|to| *to < places.len())
        };
        (0..places.len())
            .map(|locked| places[replaced(locked).unwrap_or(locked)])
            .collect()
    }

    fn edges(&self, part: &Part<'_>, locked_place: &[Option<usize>]) -> Vec<Edge> {
        let mut edges: BTreeMap<usize, Edge> = BTreeMap::new();
        let known = part.mark(self.trust_marks) != Some(READ_LOCK);
        if let Some(metadata) = &part.metadata {
            for link in metadata.direct_links() {
                if let Some(to) = self.place_of(link.to().id()) {
                    edges.insert(
                        to,
                        if known {
                            edge_of(&link, to)
                        } else {
                            bare_edge(to)
                        },
                    );
                }
            }
        }
        let locked = part
            .locked
            .and_then(|place| self.lock.map(|lock| &lock.packages[place]));
        for to in locked.iter().flat_map(|package| &package.dependencies) {
            if let Some(to) = locked_place.get(*to).copied().flatten() {
                edges.entry(to).or_insert_with(|| bare_edge(to));
            }
        }
        edges.into_values().collect()
    }
}

impl Part<'_> {
    fn is_member(&self) -> bool {
        self.metadata
            .as_ref()
            .is_some_and(PackageMetadata::in_workspace)
    }

    /// How much of the package the direct way has read, when it is less than all.
    fn mark(&self, trusted: bool) -> Option<&'static str> {
        let mark = self
            .metadata
            .as_ref()
            .filter(|_| trusted)?
            .metadata_table()
            .get(READ_MARK)?;
        match mark.as_str() {
            Some(READ_LOCK) => Some(READ_LOCK),
            Some(READ_INDEX) => Some(READ_INDEX),
            _ => None,
        }
    }
}

/// An edge of which only the ends are known.
fn bare_edge(to: usize) -> Edge {
    Edge {
        to,
        kinds: BTreeSet::new(),
        reqs: Vec::new(),
    }
}

fn edge_of(link: &PackageLink<'_>, to: usize) -> Edge {
    let mut kinds = BTreeSet::new();
    if link.normal().is_present() {
        kinds.insert(DependencyKind::Normal);
    }
    if link.build().is_present() {
        kinds.insert(DependencyKind::Build);
    }
    if link.dev().is_present() {
        kinds.insert(DependencyKind::Dev);
    }
    Edge {
        to,
        kinds,
        reqs: vec![link.version_req().clone()],
    }
}

fn manifest_of(metadata: &PackageMetadata<'_>) -> PackageManifest {
    PackageManifest {
        build_script: metadata.has_build_script(),
        proc_macro: metadata.is_proc_macro(),
        links: metadata.links().map(str::to_owned),
    }
}
