//! From lock entries to packages: each is looked up where it comes from.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};

use super::document::Node;
use super::edges::{self, Patched};
use super::package::{self, Body, Declared, Local, Origin};
use super::workspace::{Manifests, Members};
use super::{DirectError, Published, git, names, paths};
use crate::facts::{FactKind, Finding, Gap, GapReason};
use crate::host::Host;
use crate::pkg::{DependencyKind, PackageId, Source};
use crate::registry::{Dependency, IndexRelease, ManifestFacts};
use crate::snapshot::graph::{READ_INDEX, READ_LOCK};
use crate::snapshot::lock::{LockFile, LockPackage};
use crate::snapshot::tree::GitTree;

type Gaps = Vec<(Option<PackageId>, Gap)>;
type Locals = BTreeMap<(String, Version), Local>;

/// How many contradictions an error lists.
const LISTED: usize = 10;

/// What the packages of one workspace are put together from.
pub(super) struct Nodes<'w> {
    pub(super) manifests: &'w Manifests<'w>,
    pub(super) members: &'w Members,
    pub(super) dir: &'w str,
    pub(super) lock: &'w LockFile,
}

impl Nodes<'_> {
    /// All packages of the lock file, except those that are replaced.
    pub(super) fn all(
        &self,
        published: &dyn Published,
        host: &Host,
        gaps: &mut Gaps,
    ) -> Result<Vec<Node>, DirectError> {
        let mut locals = self.locals()?;
        let mut details = self.unlocked_members(&locals);
        let mut bodies: Vec<Option<(Body, Option<String>)>> = Vec::new();
        bodies.resize_with(self.lock.packages.len(), || None);
        for (body, package) in bodies.iter_mut().zip(&self.lock.packages) {
            if package.id.source == Source::Local {
                let key = (package.id.name.clone(), package.id.version.clone());
                *body = Some(match locals.remove(&key) {
                    Some(local) => (local.body, Some(local.dir)),
                    None => (self.coarse(package, outside(), gaps), None),
                });
            }
        }
        self.registry_bodies(published, &mut bodies, gaps);
        self.git_bodies(host, &mut bodies, gaps);
        let patched = self.patched();
        let mut nodes = Vec::with_capacity(bodies.len());
        for (locked, (package, body)) in self.lock.packages.iter().zip(bodies).enumerate() {
            let Some((mut body, dir)) = body else {
                continue;
            };
            let member = dir
                .as_ref()
                .is_some_and(|dir| self.members.dirs.contains(dir));
            let matched = edges::matched(self.lock, package, &body.declared, &patched);
            let wrong = edges::contradictions(self.lock, &body.declared, &matched, member);
            details.extend(
                wrong
                    .into_iter()
                    .map(|wrong| format!("`{}`: {wrong}", package.id)),
            );
            names::unify(&mut body, &matched);
            let default_member = dir
                .as_ref()
                .is_some_and(|dir| self.members.default.contains(dir));
            nodes.push(Node {
                locked,
                id: package.id.clone(),
                member,
                default_member: member && default_member,
                dir,
                body,
                matched,
            });
        }
        if details.is_empty() {
            return Ok(nodes);
        }
        details.truncate(LISTED);
        let workspace = if self.dir.is_empty() { "." } else { self.dir };
        Err(DirectError::LockOutOfDate {
            workspace: workspace.to_owned(),
            details,
        })
    }

    /// The packages of the tree: members, what their paths lead to, and what
    /// the root replaces packages with.
    fn locals(&self) -> Result<Locals, DirectError> {
        let mut waiting: Vec<String> = self.members.dirs.iter().cloned().collect();
        for (_, spec) in self.replacements() {
            let path = spec.to_table().path;
            waiting.extend(path.and_then(|path| paths::join(self.dir, &path)));
        }
        let mut seen = BTreeSet::new();
        let mut locals = Locals::new();
        // Members come last in the list, and so first out of it.
        waiting.reverse();
        while let Some(dir) = waiting.pop() {
            if !seen.insert(dir.clone()) {
                continue;
            }
            let member = self.members.dirs.contains(&dir);
            let local = match package::read(self.manifests, &dir, member) {
                Ok(Some(local)) => local,
                Ok(None) => continue,
                Err(error) if member => return Err(error),
                // One that is not a member may be unused; if it is used, its
                // lock entry stays without a manifest and says so.
                Err(_) => continue,
            };
            for declared in &local.body.declared {
                if let Origin::Path(Some(dir)) = &declared.origin {
                    waiting.push(dir.clone());
                }
            }
            locals
                .entry((local.name.clone(), local.version.clone()))
                .or_insert(local);
        }
        Ok(locals)
    }

    /// The entries of `[patch]` and `[replace]`.
    fn replacements(&self) -> impl Iterator<Item = (String, &super::manifest::DependencySpec)> {
        let root = &self.members.root;
        let patches = root.patch.values().flatten().map(|(name, spec)| {
            (
                spec.to_table().package.unwrap_or_else(|| name.clone()),
                spec,
            )
        });
        // `name:1.0.0`, or a URL that ends in it.
        let replaced = root.replace.iter().map(|(key, spec)| {
            let name = key.rsplit(['#', '/']).next().unwrap_or(key);
            (
                name.split([':', '@']).next().unwrap_or(name).to_owned(),
                spec,
            )
        });
        patches.chain(replaced)
    }

    fn patched(&self) -> Patched {
        Patched(self.replacements().map(|(name, _)| name).collect())
    }

    fn unlocked_members(&self, locals: &Locals) -> Vec<String> {
        let locked: BTreeSet<(&str, &Version)> = self
            .lock
            .packages
            .iter()
            .filter(|package| package.id.source == Source::Local)
            .map(|package| (package.id.name.as_str(), &package.id.version))
            .collect();
        locals
            .values()
            .filter(|local| self.members.dirs.contains(&local.dir))
            .filter(|local| !locked.contains(&(local.name.as_str(), &local.version)))
            .map(|local| {
                format!(
                    "`{}@{}` is a member, and the lock file lacks it",
                    local.name, local.version
                )
            })
            .collect()
    }

    fn registry_bodies(
        &self,
        published: &dyn Published,
        bodies: &mut [Option<(Body, Option<String>)>],
        gaps: &mut Gaps,
    ) {
        let wanted: Vec<(usize, &LockPackage)> = self
            .lock
            .packages
            .iter()
            .enumerate()
            .filter(|(_, package)| package.id.source.is_registry() && package.replace.is_none())
            .collect();
        let ids: Vec<PackageId> = wanted
            .iter()
            .map(|(_, package)| package.id.clone())
            .collect();
        let sums: Vec<(PackageId, Option<String>)> = wanted
            .iter()
            .map(|(_, package)| (package.id.clone(), package.checksum.clone()))
            .collect();
        let (releases, manifests) =
            rayon::join(|| published.releases(&ids), || published.manifests(&sums));
        for (((place, package), release), manifest) in
            wanted.into_iter().zip(releases).zip(manifests)
        {
            let body = match release {
                Finding::Seen(release) => released(&package.id, release, manifest, gaps),
                Finding::Absent(searched) => {
                    let gap = Gap {
                        fact: FactKind::Manifest,
                        reason: GapReason::NotInRegistry,
                        detail: format!("no index entry: {searched}"),
                    };
                    self.coarse(package, gap, gaps)
                }
                Finding::Unknown(gap) => self.coarse(package, gap, gaps),
            };
            bodies[place] = Some((body, None));
        }
    }

    fn git_bodies(
        &self,
        host: &Host,
        bodies: &mut [Option<(Body, Option<String>)>],
        gaps: &mut Gaps,
    ) {
        let mut repositories: BTreeMap<(&str, &str), Result<GitTree<'_>, Gap>> = BTreeMap::new();
        for (_, url, rev) in self.git_packages() {
            repositories
                .entry((url, rev))
                .or_insert_with(|| git::open(host, url, rev));
        }
        let manifests: BTreeMap<(&str, &str), Result<Manifests<'_>, &Gap>> = repositories
            .iter()
            .map(|(key, tree)| (*key, tree.as_ref().map(|tree| Manifests::new(tree, ""))))
            .collect();
        for (place, url, rev) in self.git_packages() {
            let package = &self.lock.packages[place];
            let body = match manifests.get(&(url, rev)) {
                Some(Ok(manifests)) => in_repository(manifests, &package.id).unwrap_or_else(|| {
                    let gap = Gap {
                        fact: FactKind::Manifest,
                        reason: GapReason::Malformed,
                        detail: "its repository has no readable manifest of that name and version"
                            .to_owned(),
                    };
                    self.coarse(package, gap, gaps)
                }),
                Some(Err(gap)) => self.coarse(package, (*gap).clone(), gaps),
                None => continue,
            };
            bodies[place] = Some((body, None));
        }
    }

    /// The packages out of git repositories: place, URL, commit.
    fn git_packages(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        self.lock
            .packages
            .iter()
            .enumerate()
            .filter(|(_, package)| package.replace.is_none())
            .filter_map(|(place, package)| match &package.id.source {
                Source::Git { url, rev, .. } => {
                    Some((place, url.as_str(), rev.as_deref().unwrap_or("")))
                }
                Source::CratesIo | Source::Registry { .. } | Source::Local => None,
            })
    }

    /// What the lock file alone says: dependencies, as if all were normal ones.
    fn coarse(&self, package: &LockPackage, why: Gap, gaps: &mut Gaps) -> Body {
        for fact in [FactKind::Placement, FactKind::Features] {
            let detail = format!(
                "only its lock entry was read, so what is below it counts as built: {}",
                why.detail
            );
            let gap = Gap {
                fact,
                reason: GapReason::CoarseGraph,
                detail,
            };
            gaps.push((Some(package.id.clone()), gap));
        }
        let manifest = Gap {
            fact: FactKind::Manifest,
            ..why
        };
        gaps.push((Some(package.id.clone()), manifest));
        let declared = edges::locked_dependencies(self.lock, package)
            .into_iter()
            .map(|to| lock_declared(&self.lock.packages[to].id))
            .collect();
        Body {
            declared,
            features: BTreeMap::new(),
            links: None,
            library: Some(package.id.name.replace('-', "_")),
            proc_macro: false,
            build_script: false,
            edition: "2021".to_owned(),
            mark: Some(READ_LOCK),
        }
    }
}

fn outside() -> Gap {
    Gap {
        fact: FactKind::Manifest,
        reason: GapReason::NotApplicable,
        detail: "no readable manifest of that name and version inside of the tree; \
                 paths that lead out of it are not followed"
            .to_owned(),
    }
}

/// A dependency that only the lock file states.
fn lock_declared(id: &PackageId) -> Declared {
    let exact = semver::Comparator {
        op: semver::Op::Exact,
        major: id.version.major,
        minor: Some(id.version.minor),
        patch: Some(id.version.patch),
        pre: id.version.pre.clone(),
    };
    let dependency = Dependency {
        name: id.name.clone(),
        package: id.name.clone(),
        req: VersionReq {
            comparators: vec![exact],
        },
        kind: DependencyKind::Normal,
        optional: false,
        default_features: true,
        features: Vec::new(),
        target: None,
        source: None,
    };
    Declared {
        dependency,
        origin: Origin::Any,
    }
}

/// A package out of the index; what the index lacks comes from its manifest.
fn released(
    id: &PackageId,
    release: IndexRelease,
    manifest: Finding<std::sync::Arc<ManifestFacts>>,
    gaps: &mut Gaps,
) -> Body {
    let declared: Vec<Declared> = release
        .dependencies
        .into_iter()
        .filter(|dependency| dependency.kind != DependencyKind::Dev)
        .map(|mut dependency| {
            let asked = dependency
                .source
                .take()
                .unwrap_or_else(|| id.source.clone());
            Declared {
                dependency,
                origin: Origin::Source(asked),
            }
        })
        .collect();
    let assumed_script = release.links.is_some()
        || declared
            .iter()
            .any(|declared| declared.dependency.kind == DependencyKind::Build);
    let mut body = Body {
        declared,
        features: release.features,
        links: release.links,
        library: Some(id.name.replace('-', "_")),
        proc_macro: false,
        build_script: assumed_script,
        edition: "2021".to_owned(),
        mark: Some(READ_INDEX),
    };
    match manifest {
        Finding::Seen(facts) => {
            body.library.clone_from(&facts.library);
            body.proc_macro = facts.proc_macro;
            body.build_script = facts.build_script.is_some();
            body.edition.clone_from(&facts.edition);
            body.mark = None;
        }
        Finding::Unknown(gap) => gaps.push((Some(id.clone()), gap)),
        Finding::Absent(searched) => gaps.push((
            Some(id.clone()),
            Gap {
                fact: FactKind::Manifest,
                reason: GapReason::NotRecorded,
                detail: format!("no manifest: {searched}"),
            },
        )),
    }
    body
}

/// The package of that name and version in a repository.
fn in_repository(manifests: &Manifests<'_>, id: &PackageId) -> Option<Body> {
    let dirs: Vec<String> = manifests.directories().map(str::to_owned).collect();
    dirs.iter()
        .filter(|dir| {
            // Reading it whole only when its name is right.
            let manifest = manifests.get(dir).ok().flatten();
            manifest.is_some_and(|manifest| {
                manifest.package.as_ref().and_then(|p| p.name.as_deref()) == Some(id.name.as_str())
            })
        })
        .filter_map(|dir| package::read(manifests, dir, false).ok().flatten())
        .find(|local| local.version == id.version)
        .map(|local| local.body)
}
