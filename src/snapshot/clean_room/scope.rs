//! Which files of the tree belong to a workspace: its manifest, those of its
//! members and of the path dependencies of all of them, and what their targets
//! are found by. Finds out before cargo does whether something leads out.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::CleanRoomError;
use super::paths::{is_copied_empty, is_plain_path, join, may_be_empty, resolve};
use crate::pkg::Source;
use crate::snapshot::lock::LockFile;
use crate::snapshot::tree::{Tree, TreeKind};

/// The largest manifest that is copied, in bytes.
const MANIFEST_LIMIT: u64 = 8 << 20;
/// The largest lock file that is copied, in bytes.
const LOCK_LIMIT: u64 = 64 << 20;
/// The most bytes of manifests in one workspace.
const TOTAL_LIMIT: u64 = 256 << 20;
/// The most packages in one workspace.
const PACKAGES_LIMIT: usize = 20_000;
/// The most files that are copied empty.
const EMPTY_LIMIT: usize = 500_000;
/// The deepest directory that is copied.
const DEPTH_LIMIT: usize = 100;

/// What of a tree is copied for one workspace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// Manifests and the lock file, by path below the tree's root.
    pub(super) filled: BTreeMap<String, Vec<u8>>,
    /// Files that are copied without their content.
    pub(super) empty: BTreeSet<String>,
    /// The directories of the packages that cargo may name, `""` for the root.
    pub(super) packages: BTreeSet<String>,
}

/// The packages of the lock file that come from nowhere the clean room looks.
pub(super) fn check_lock(lock: &LockFile, workspace: &str) -> Result<(), CleanRoomError> {
    for package in &lock.packages {
        match &package.id.source {
            Source::CratesIo | Source::Local => {}
            source @ (Source::Git { .. } | Source::Registry { .. }) => {
                return Err(CleanRoomError::unsupported(
                    &join(workspace, "Cargo.lock"),
                    &package.id.to_string(),
                    source,
                ));
            }
        }
    }
    Ok(())
}

impl Scope {
    /// Reads the manifests of the workspace in this directory (`""` for the root).
    pub(super) fn find(tree: &dyn Tree, workspace: &str) -> Result<Self, CleanRoomError> {
        let index = Index::new(tree);
        let mut search = Search {
            index: &index,
            workspace,
            shared: Table::new(),
            scope: Self::default(),
            bytes: 0,
            members: Vec::new(),
        };
        search.lock_file()?;
        search.packages()?;
        search.ancestors()?;
        search.empty_files()?;
        Ok(search.scope)
    }
}

/// The tree's files by path.
struct Index<'t> {
    tree: &'t dyn Tree,
    kinds: BTreeMap<&'t str, TreeKind>,
}

impl<'t> Index<'t> {
    fn new(tree: &'t dyn Tree) -> Self {
        let kinds = tree.files().iter().map(|f| (f.path.as_str(), f.kind));
        Self {
            tree,
            kinds: kinds.collect(),
        }
    }

    /// The directories that hold a regular manifest.
    fn manifest_directories(&self) -> impl Iterator<Item = &'t str> {
        self.kinds.iter().filter_map(|(path, kind)| {
            let directory = path.strip_suffix("Cargo.toml")?;
            let directory = match directory.strip_suffix('/') {
                Some(directory) => directory,
                None if directory.is_empty() => "",
                None => return None,
            };
            (*kind == TreeKind::Regular).then_some(directory)
        })
    }

    /// Whether a file may be copied: it is there, regular, and below nothing that
    /// stays behind.
    fn check(&self, path: &str) -> Result<(), CleanRoomError> {
        let not_followed = |path: &str, what| {
            Err(CleanRoomError::NotFollowed {
                path: path.to_owned(),
                what,
            })
        };
        if !is_plain_path(path) {
            return Err(CleanRoomError::BadPath {
                path: path.to_owned(),
            });
        }
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let above = path.get(..end).unwrap_or(path);
            if above == ".cargo" || above.ends_with("/.cargo") {
                return not_followed(above, "a directory of cargo's configuration");
            }
            match self.kinds.get(above) {
                Some(TreeKind::Link) => return not_followed(above, "a symbolic link"),
                Some(TreeKind::Submodule) => return not_followed(above, "a submodule"),
                Some(TreeKind::Regular) | None => {}
            }
        }
        if self.kinds.contains_key(path) {
            return Ok(());
        }
        Err(CleanRoomError::Missing {
            path: path.to_owned(),
        })
    }

    /// Several files at once, because each round may start a program.
    fn read(&self, paths: &[String], limit: u64) -> Result<Vec<Vec<u8>>, CleanRoomError> {
        for path in paths {
            self.check(path)?;
        }
        let named: Vec<&str> = paths.iter().map(String::as_str).collect();
        self.tree
            .read_many(&named, limit)
            .into_iter()
            .zip(paths)
            .map(|(content, path)| {
                content.map_err(|source| CleanRoomError::Read {
                    path: path.clone(),
                    source,
                })
            })
            .collect()
    }
}

/// One search, package by package.
struct Search<'s, 't> {
    index: &'s Index<'t>,
    workspace: &'s str,
    /// `[workspace.dependencies]`.
    shared: Table,
    scope: Scope,
    bytes: u64,
    /// Directories that are still to be read.
    members: Vec<String>,
}

impl Search<'_, '_> {
    fn lock_file(&mut self) -> Result<(), CleanRoomError> {
        let paths = vec![join(self.workspace, "Cargo.lock")];
        let contents = self.index.read(&paths, LOCK_LIMIT)?;
        self.scope.filled.extend(paths.into_iter().zip(contents));
        Ok(())
    }

    /// Reads manifests level by level: first the workspace's own, then those it
    /// leads to, then those they lead to.
    fn packages(&mut self) -> Result<(), CleanRoomError> {
        self.members.push(self.workspace.to_owned());
        while !self.members.is_empty() {
            let found: BTreeSet<String> = std::mem::take(&mut self.members).into_iter().collect();
            let level: Vec<String> = found
                .into_iter()
                .filter(|directory| !self.scope.packages.contains(directory))
                .collect();
            self.scope.packages.extend(level.iter().cloned());
            if self.scope.packages.len() > PACKAGES_LIMIT {
                return Err(too_large("packages", PACKAGES_LIMIT as u64));
            }
            let paths: Vec<String> = level.iter().map(|d| join(d, "Cargo.toml")).collect();
            let contents = self.copy(&paths)?;
            for ((directory, path), content) in level.iter().zip(&paths).zip(&contents) {
                let manifest = parse(path, content)?;
                if directory == self.workspace {
                    self.workspace_table(path, &manifest)?;
                }
                self.dependencies(directory, path, &manifest)?;
            }
        }
        Ok(())
    }

    fn copy(&mut self, paths: &[String]) -> Result<Vec<Vec<u8>>, CleanRoomError> {
        if paths
            .iter()
            .any(|path| path.matches('/').count() > DEPTH_LIMIT)
        {
            return Err(too_large("directories in one path", DEPTH_LIMIT as u64));
        }
        let contents = self.index.read(paths, MANIFEST_LIMIT)?;
        self.bytes += contents
            .iter()
            .map(|content| content.len() as u64)
            .sum::<u64>();
        if self.bytes > TOTAL_LIMIT {
            return Err(too_large("bytes of manifests", TOTAL_LIMIT));
        }
        let copies = paths.iter().cloned().zip(contents.iter().cloned());
        self.scope.filled.extend(copies);
        Ok(contents)
    }

    /// The members that the workspace's own manifest lists.
    fn workspace_table(&mut self, path: &str, manifest: &Table) -> Result<(), CleanRoomError> {
        let Some(table) = manifest.get("workspace").and_then(Value::as_table) else {
            return Ok(());
        };
        if let Some(shared) = table.get("dependencies").and_then(Value::as_table) {
            self.shared = shared.clone();
        }
        let list = |key: &str| {
            let entries = table.get(key).and_then(Value::as_array);
            entries
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
        };
        let excluded = list("exclude");
        let excluded: Vec<String> = excluded
            .into_iter()
            .filter_map(|named| resolve(self.workspace, named))
            .collect();
        for named in list("members").into_iter().chain(list("default-members")) {
            let pattern = resolve(self.workspace, named).ok_or_else(|| outside(path, named))?;
            self.add_members(&pattern, &excluded);
        }
        Ok(())
    }

    fn add_members(&mut self, pattern: &str, excluded: &[String]) {
        let options = glob::MatchOptions {
            require_literal_separator: true,
            ..glob::MatchOptions::default()
        };
        let is_excluded = |directory: &str| {
            excluded.iter().any(|above| {
                directory
                    .strip_prefix(above.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        match glob::Pattern::new(pattern) {
            Ok(glob) if pattern.contains(['*', '?', '[']) => {
                let found = self.index.manifest_directories().filter(|directory| {
                    glob.matches_with(directory, options) && !is_excluded(directory)
                });
                self.members.extend(found.map(str::to_owned));
            }
            // Cargo says what is wrong with a pattern that is none.
            Ok(_) | Err(_) => self.members.push(pattern.to_owned()),
        }
    }

    /// What a manifest's dependencies lead to.
    fn dependencies(
        &mut self,
        directory: &str,
        path: &str,
        manifest: &Table,
    ) -> Result<(), CleanRoomError> {
        if let Some(named) = manifest
            .get("package")
            .and_then(|package| package.get("workspace"))
            .and_then(Value::as_str)
        {
            resolve(directory, named).ok_or_else(|| outside(path, named))?;
        }
        let mut tables = dependency_tables(manifest);
        for target in subtables(manifest.get("target")) {
            tables.extend(dependency_tables(target));
        }
        if directory == self.workspace {
            tables.extend(subtables(manifest.get("patch")));
            tables.extend(manifest.get("replace").and_then(Value::as_table));
        }
        for table in tables {
            for (name, dependency) in table {
                self.dependency(directory, path, name, dependency)?;
            }
        }
        Ok(())
    }

    fn dependency(
        &mut self,
        directory: &str,
        path: &str,
        name: &str,
        dependency: &Value,
    ) -> Result<(), CleanRoomError> {
        let Some(mut table) = dependency.as_table() else {
            return Ok(());
        };
        let mut base = directory;
        if table.get("workspace").and_then(Value::as_bool) == Some(true) {
            let Some(shared) = self.shared.get(name).and_then(Value::as_table) else {
                return Ok(());
            };
            table = shared;
            base = self.workspace;
        }
        let text = |key: &str| table.get(key).and_then(Value::as_str);
        let unsupported = |origin: String| CleanRoomError::UnsupportedSource {
            place: path.to_owned(),
            package: name.to_owned(),
            origin,
        };
        if let Some(url) = text("git") {
            let source = Source::Git {
                url: url.to_owned(),
                reference: None,
                rev: None,
            };
            return Err(CleanRoomError::unsupported(path, name, &source));
        }
        if let Some(url) = text("registry-index") {
            let url = url.to_owned();
            let source = Source::Registry { url };
            return Err(CleanRoomError::unsupported(path, name, &source));
        }
        if let Some(registry) = text("registry").filter(|name| *name != "crates-io") {
            return Err(unsupported(format!("the registry named `{registry}`")));
        }
        if let Some(base) = text("base") {
            return Err(unsupported(format!("the path base `{base}`")));
        }
        if let Some(named) = text("path") {
            let found = resolve(base, named).ok_or_else(|| outside(path, named))?;
            self.members.push(found);
        }
        Ok(())
    }

    /// The manifests above each package, where cargo looks for its workspace.
    fn ancestors(&mut self) -> Result<(), CleanRoomError> {
        let mut above = BTreeSet::new();
        for directory in &self.scope.packages {
            let mut directory = directory.as_str();
            while let Some((parent, _)) = directory.rsplit_once('/') {
                above.insert(parent.to_owned());
                directory = parent;
            }
            above.insert(String::new());
        }
        let regular =
            |path: &String| self.index.kinds.get(path.as_str()) == Some(&TreeKind::Regular);
        let paths: Vec<String> = above
            .difference(&self.scope.packages)
            .map(|directory| join(directory, "Cargo.toml"))
            .filter(regular)
            .collect();
        self.copy(&paths)?;
        Ok(())
    }

    /// The files by which cargo finds the targets of the packages.
    fn empty_files(&mut self) -> Result<(), CleanRoomError> {
        let texts: BTreeMap<&str, String> = self
            .scope
            .packages
            .iter()
            .filter_map(|directory| {
                let content = self.scope.filled.get(&join(directory, "Cargo.toml"))?;
                Some((
                    directory.as_str(),
                    String::from_utf8_lossy(content).into_owned(),
                ))
            })
            .collect();
        let mut empty = BTreeSet::new();
        for (path, kind) in &self.index.kinds {
            if *kind != TreeKind::Regular || !may_be_empty(path) {
                continue;
            }
            let mut above = *path;
            let needed = loop {
                above = above.rsplit_once('/').map_or("", |(parent, _)| parent);
                let rest = match above {
                    "" => *path,
                    _ => path.get(above.len() + 1..).unwrap_or(path),
                };
                if texts
                    .get(above)
                    .is_some_and(|text| is_copied_empty(rest, text))
                {
                    break true;
                }
                if above.is_empty() {
                    break false;
                }
            };
            if needed && self.index.check(path).is_ok() {
                empty.insert((*path).to_owned());
            }
            if empty.len() > EMPTY_LIMIT {
                return Err(too_large("source files", EMPTY_LIMIT as u64));
            }
        }
        self.scope.empty = empty;
        Ok(())
    }
}

fn parse(path: &str, content: &[u8]) -> Result<Table, CleanRoomError> {
    let error = |detail: &str| CleanRoomError::Manifest {
        path: path.to_owned(),
        detail: detail.to_owned(),
    };
    let text = std::str::from_utf8(content).map_err(|_| error("not UTF-8"))?;
    toml::from_str(text).map_err(|source| error(source.message()))
}

/// The dependency sections of a manifest or of one of its targets.
fn dependency_tables(table: &Table) -> Vec<&Table> {
    [
        "dependencies",
        "dev-dependencies",
        "dev_dependencies",
        "build-dependencies",
        "build_dependencies",
    ]
    .iter()
    .filter_map(|key| table.get(*key).and_then(Value::as_table))
    .collect()
}

/// The tables that are the values of a table.
fn subtables(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    let table = value.and_then(Value::as_table);
    table
        .into_iter()
        .flat_map(|table| table.values().filter_map(Value::as_table))
}

fn outside(manifest: &str, named: &str) -> CleanRoomError {
    CleanRoomError::OutsideTree {
        manifest: manifest.to_owned(),
        named: named.to_owned(),
    }
}

fn too_large(what: &'static str, limit: u64) -> CleanRoomError {
    CleanRoomError::TooLarge { what, limit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tree::MemoryTree;

    /// A tree of these files; a content that starts with `->` is a link.
    fn paper(files: &[(&str, &str)]) -> MemoryTree {
        files
            .iter()
            .fold(MemoryTree::new(), |tree, (path, content)| {
                if content.starts_with("->") {
                    tree.other(path, TreeKind::Link)
                } else {
                    tree.file(path, *content)
                }
            })
    }

    fn find(files: &[(&str, &str)]) -> Result<Scope, String> {
        Scope::find(&paper(files), "").map_err(|error| error.to_string())
    }

    fn one(manifest: &str) -> Result<Scope, String> {
        find(&[("Cargo.toml", manifest), ("Cargo.lock", "")])
    }

    #[test]
    fn members_and_path_dependencies_are_found_and_nothing_else() {
        let scope = find(&[
            ("Cargo.toml", "[workspace]\nmembers = ['crates/*']\nexclude = ['crates/out']\n[workspace.dependencies]\nshared = { path = 'lib/shared' }"),
            ("Cargo.lock", "version = 4"),
            ("crates/a/Cargo.toml", "[dependencies]\nshared.workspace = true"),
            ("crates/a/src/lib.rs", "code"),
            ("crates/a/src/inner/deep.rs", "code"),
            ("crates/a/.cargo/config.toml", "evil"),
            ("crates/b/Cargo.toml", "[target.'cfg(unix)'.build-dependencies]\nx = { path = '../../lib/x' }"),
            ("crates/out/Cargo.toml", "[dependencies]\nx = { git = 'https://x.example' }"),
            ("crates/deep/er/Cargo.toml", "[package]"),
            ("lib/shared/Cargo.toml", "[package]"),
            ("lib/x/Cargo.toml", "[package]"),
            ("lib/Cargo.toml", "[package]"),
            ("rust-toolchain.toml", "evil"),
        ])
        .unwrap();
        assert_eq!(
            scope.packages.iter().collect::<Vec<_>>(),
            ["", "crates/a", "crates/b", "lib/shared", "lib/x"]
        );
        assert_eq!(
            scope.filled.keys().collect::<Vec<_>>(),
            [
                "Cargo.lock",
                "Cargo.toml",
                "crates/a/Cargo.toml",
                "crates/b/Cargo.toml",
                "lib/Cargo.toml",
                "lib/shared/Cargo.toml",
                "lib/x/Cargo.toml"
            ]
        );
        assert_eq!(
            scope.empty.iter().collect::<Vec<_>>(),
            ["crates/a/src/lib.rs"]
        );
    }

    #[test]
    fn what_leads_out_of_the_tree_is_refused_by_name() {
        for manifest in [
            "[dependencies]\nx = { path = '../x' }",
            "[dependencies]\nx = { path = '/abs' }",
            "[dependencies]\nx = { path = 'C:\\x' }",
            "[dependencies]\nx = { path = 'a/../../x' }",
            "[target.x.dev-dependencies]\nx = { path = '..' }",
            "[patch.crates-io]\nx = { path = '../x' }",
            "[replace]\n'x:1.0.0' = { path = '../x' }",
            "[workspace]\nmembers = ['../*']",
            "[workspace]\ndefault-members = ['/etc']",
            "[package]\nworkspace = '../..'",
        ] {
            let error = one(manifest).unwrap_err();
            assert!(
                error.contains("outside of the audited tree"),
                "{manifest}: {error}"
            );
        }
    }

    #[test]
    fn sources_that_are_not_covered_are_refused_by_name_and_without_secrets() {
        for (manifest, origin) in [
            (
                "[dependencies]\nx = { git = 'https://me:pw@x.example/y' }",
                "git+https://x.example/y",
            ),
            (
                "[dependencies]\nx = { version = '1', registry = 'evil' }",
                "`evil`",
            ),
            (
                "[dependencies]\nx = { version = '1', registry-index = 'sparse+http://x.example' }",
                "sparse+http://x.example",
            ),
            ("[patch.crates-io]\nx = { git = 'file:///y' }", "file:///y"),
        ] {
            let error = one(manifest).unwrap_err();
            assert!(error.contains(origin) && !error.contains("pw"), "{error}");
        }
        assert!(one("[workspace.dependencies]\nx = { git = 'https://x.example/y' }").is_ok());
    }

    #[test]
    fn links_and_hidden_directories_are_not_followed() {
        let files = |extra: (&'static str, &'static str), manifest: &'static str| {
            find(&[("Cargo.toml", manifest), ("Cargo.lock", ""), extra])
        };
        let depends = "[dependencies]\nx = { path = 'x' }";
        for extra in [("x", "-> /outside"), ("x/Cargo.toml", "-> /outside")] {
            let error = files(extra, depends).unwrap_err();
            assert!(error.contains("symbolic link"), "{error}");
        }
        let hidden = "[dependencies]\nx = { path = '.cargo/x' }";
        let error = files((".cargo/x/Cargo.toml", ""), hidden).unwrap_err();
        assert!(error.contains("configuration"), "{error}");
        let error = find(&[("Cargo.toml", ""), ("Cargo.lock", "-> /x")]).unwrap_err();
        assert!(error.contains("symbolic link"), "{error}");
        assert!(
            find(&[("Cargo.toml", "")])
                .unwrap_err()
                .contains("Cargo.lock")
        );
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        for manifest in [
            format!("a = {}{}", "[".repeat(200_000), "]".repeat(200_000)),
            format!("a{} = 1", ".a".repeat(200_000)),
            format!("[a{}]", ".a".repeat(200_000)),
        ] {
            assert!(one(&manifest).unwrap_err().contains("not a manifest"));
        }
    }
}
