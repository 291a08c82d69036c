//! Which packages of a tree belong to a workspace.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::manifest::{MANIFEST_LIMIT, Manifest};
use super::{DirectError, paths};
use crate::snapshot::tree::{Tree, TreeKind};

/// More manifests than this are not read ahead.
const READ_AHEAD: usize = 4000;

type Parsed = Result<Rc<Manifest>, String>;

/// The manifests of a tree, each read and parsed once.
pub(super) struct Manifests<'t> {
    tree: &'t dyn Tree,
    ahead: RefCell<BTreeMap<String, Result<Vec<u8>, String>>>,
    parsed: RefCell<BTreeMap<String, Parsed>>,
}

impl<'t> Manifests<'t> {
    /// The manifests of a tree; those below `dir` are read in one go.
    pub(super) fn new(tree: &'t dyn Tree, dir: &str) -> Self {
        let below: Vec<&str> = tree
            .files()
            .iter()
            .filter(|file| file.kind == TreeKind::Regular && is_manifest(&file.path))
            .map(|file| file.path.as_str())
            .filter(|path| paths::below(path, dir))
            .collect();
        let mut ahead = BTreeMap::new();
        if below.len() <= READ_AHEAD {
            for (path, content) in below.iter().zip(tree.read_many(&below, MANIFEST_LIMIT)) {
                ahead.insert(
                    (*path).to_owned(),
                    content.map_err(|error| error.to_string()),
                );
            }
        }
        Self {
            tree,
            ahead: RefCell::new(ahead),
            parsed: RefCell::default(),
        }
    }

    /// Whether the tree has a regular file at this path.
    pub(super) fn has(&self, path: &str) -> bool {
        let files = self.tree.files();
        files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .is_ok_and(|place| {
                files
                    .get(place)
                    .is_some_and(|f| f.kind == TreeKind::Regular)
            })
    }

    /// The directories that have a manifest, in the order of their paths.
    pub(super) fn directories(&self) -> impl Iterator<Item = &str> {
        self.tree
            .files()
            .iter()
            .filter(|file| file.kind == TreeKind::Regular && is_manifest(&file.path))
            .map(|file| paths::parent(&file.path).unwrap_or(""))
    }

    /// The manifest of a directory; `None` when it has none.
    pub(super) fn get(&self, dir: &str) -> Result<Option<Rc<Manifest>>, DirectError> {
        let path = paths::file(dir, "Cargo.toml");
        if !self.has(&path) {
            return Ok(None);
        }
        if let Some(known) = self.parsed.borrow().get(dir) {
            return known
                .clone()
                .map(Some)
                .map_err(|detail| malformed(&path, detail));
        }
        let content = self.ahead.borrow_mut().remove(&path).unwrap_or_else(|| {
            self.tree
                .read(&path, MANIFEST_LIMIT)
                .map_err(|error| error.to_string())
        });
        let parsed: Parsed = content
            .and_then(|bytes| Manifest::parse(&bytes))
            .map(Rc::new);
        self.parsed
            .borrow_mut()
            .insert(dir.to_owned(), parsed.clone());
        parsed.map(Some).map_err(|detail| malformed(&path, detail))
    }
}

fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || path.ends_with("/Cargo.toml")
}

fn malformed(path: &str, detail: String) -> DirectError {
    DirectError::Manifest {
        path: path.to_owned(),
        detail,
    }
}

/// A workspace: its root directory and its members.
pub(super) struct Members {
    /// The root's manifest.
    pub(super) root: Rc<Manifest>,
    /// The directories of all members.
    pub(super) dirs: BTreeSet<String>,
    /// The directories of the members that are built without `--workspace`.
    pub(super) default: BTreeSet<String>,
}

/// Finds the members of the workspace whose root is `dir`
/// (<https://doc.rust-lang.org/cargo/reference/workspaces.html#the-members-and-exclude-fields>).
pub(super) fn members(manifests: &Manifests<'_>, dir: &str) -> Result<Members, DirectError> {
    let root = manifests.get(dir)?.ok_or_else(|| DirectError::NoManifest {
        path: paths::file(dir, "Cargo.toml"),
    })?;
    if let Some(elsewhere) = root
        .package
        .as_ref()
        .and_then(|package| package.workspace.as_ref())
    {
        let elsewhere = paths::join(dir, elsewhere);
        if elsewhere.as_deref() != Some(dir) {
            return Err(DirectError::NotARoot {
                path: paths::file(dir, "Cargo.toml"),
                root: elsewhere.unwrap_or_else(|| "a directory outside of the tree".to_owned()),
            });
        }
    }
    let mut dirs = BTreeSet::new();
    if root.workspace.is_none() {
        dirs.insert(dir.to_owned());
        return Ok(Members {
            root,
            default: dirs.clone(),
            dirs,
        });
    }
    let section = root.workspace.as_ref();
    let listed = section
        .map(|section| section.members.as_slice())
        .unwrap_or_default();
    let mut waiting: Vec<(String, bool)> = expand(manifests, dir, listed)?
        .into_iter()
        .map(|dir| (dir, false))
        .collect();
    waiting.push((dir.to_owned(), false));
    while let Some((candidate, by_path)) = waiting.pop() {
        if dirs.contains(&candidate) || (by_path && !joins_by_path(manifests, &candidate, dir)?) {
            continue;
        }
        if is_excluded(&root, dir, &candidate) {
            continue;
        }
        let Some(manifest) = manifests.get(&candidate)? else {
            if by_path {
                continue;
            }
            return Err(DirectError::NoManifest {
                path: paths::file(&candidate, "Cargo.toml"),
            });
        };
        if manifest.package.is_some() {
            dirs.insert(candidate.clone());
            waiting.extend(
                path_dependencies(&manifest, &root, &candidate, dir).map(|dir| (dir, true)),
            );
        }
    }
    let default = default_members(manifests, &root, dir, &dirs)?;
    Ok(Members {
        root,
        dirs,
        default,
    })
}

fn default_members(
    manifests: &Manifests<'_>,
    root: &Manifest,
    dir: &str,
    dirs: &BTreeSet<String>,
) -> Result<BTreeSet<String>, DirectError> {
    let listed = root
        .workspace
        .as_ref()
        .map(|w| w.default_members.as_slice())
        .unwrap_or_default();
    if !listed.is_empty() {
        let expanded: BTreeSet<String> = expand(manifests, dir, listed)?.into_iter().collect();
        return Ok(expanded.intersection(dirs).cloned().collect());
    }
    if root.package.is_some() {
        return Ok(BTreeSet::from([dir.to_owned()]));
    }
    Ok(dirs.clone())
}

/// The directories that entries of `members` name; those of a glob pattern only
/// where there is a manifest.
fn expand(
    manifests: &Manifests<'_>,
    root: &str,
    entries: &[String],
) -> Result<Vec<String>, DirectError> {
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: false,
    };
    let mut found = Vec::new();
    for entry in entries {
        let Some(path) = paths::join(root, entry) else {
            return Err(DirectError::OutsideMember {
                root: paths::file(root, "Cargo.toml"),
                member: entry.clone(),
            });
        };
        if !path.contains(['*', '?', '[']) {
            found.push(path);
            continue;
        }
        let pattern = glob::Pattern::new(&path).map_err(|error| DirectError::Manifest {
            path: paths::file(root, "Cargo.toml"),
            detail: format!("workspace member `{entry}`: {error}"),
        })?;
        found.extend(
            manifests
                .directories()
                .filter(|dir| pattern.matches_with(dir, options))
                .map(str::to_owned),
        );
    }
    Ok(found)
}

/// Whether a path dependency of a member is a member, too: it lies below the
/// root, or names the root as its workspace.
fn joins_by_path(
    manifests: &Manifests<'_>,
    candidate: &str,
    root: &str,
) -> Result<bool, DirectError> {
    if paths::below(candidate, root) {
        return Ok(true);
    }
    let named = manifests
        .get(candidate)?
        .and_then(|manifest| manifest.package.as_ref()?.workspace.clone())
        .and_then(|workspace| paths::join(candidate, &workspace));
    Ok(named.as_deref() == Some(root))
}

/// Whether `exclude` keeps a directory out; an entry of `members` that names it
/// or a directory above it wins.
fn is_excluded(root: &Manifest, root_dir: &str, candidate: &str) -> bool {
    let Some(section) = &root.workspace else {
        return false;
    };
    let names = |entries: &[String]| {
        entries
            .iter()
            .filter_map(|entry| paths::join(root_dir, entry))
            .any(|entry| paths::below(candidate, &entry))
    };
    names(&section.exclude) && !names(&section.members)
}

/// The directories inside of the tree that a package's path dependencies name.
fn path_dependencies(
    manifest: &Manifest,
    root: &Manifest,
    dir: &str,
    root_dir: &str,
) -> impl Iterator<Item = String> {
    let shared = root
        .workspace
        .as_ref()
        .map(|workspace| &workspace.dependencies);
    let mut found = Vec::new();
    for sections in std::iter::once(&manifest.sections).chain(manifest.target.values()) {
        let entries = sections
            .dependencies
            .iter()
            .chain(sections.dev())
            .chain(sections.build());
        for (name, spec) in entries {
            let table = spec.to_table();
            let path = if table.workspace {
                shared
                    .and_then(|shared| shared.get(name))
                    .and_then(|spec| spec.to_table().path)
                    .and_then(|path| paths::join(root_dir, &path))
            } else {
                table.path.and_then(|path| paths::join(dir, &path))
            };
            found.extend(path);
        }
    }
    found.into_iter()
}

/// The root manifest that a package inherits from, with its directory: the
/// nearest one above it with `[workspace]`, or the one its manifest names.
pub(super) fn root_of(
    manifests: &Manifests<'_>,
    dir: &str,
) -> Result<Option<(String, Rc<Manifest>)>, DirectError> {
    let own = manifests.get(dir)?;
    if let Some(manifest) = own.filter(|manifest| manifest.workspace.is_some()) {
        return Ok(Some((dir.to_owned(), manifest)));
    }
    let named = manifests
        .get(dir)?
        .and_then(|manifest| manifest.package.as_ref()?.workspace.clone())
        .and_then(|workspace| paths::join(dir, &workspace));
    if let Some(named) = named {
        let manifest = manifests.get(&named)?;
        return Ok(manifest
            .filter(|m| m.workspace.is_some())
            .map(|m| (named, m)));
    }
    let mut above = paths::parent(dir);
    while let Some(candidate) = above {
        // A manifest above that cannot be read is not this package's concern.
        if let Ok(Some(manifest)) = manifests.get(candidate)
            && manifest.workspace.is_some()
            && !is_excluded(&manifest, candidate, dir)
        {
            return Ok(Some((candidate.to_owned(), manifest)));
        }
        above = paths::parent(candidate);
    }
    Ok(None)
}
