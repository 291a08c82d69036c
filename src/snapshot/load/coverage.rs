//! What there is to cover, and what is left out of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::pkg::Source;
use crate::snapshot::NotCovered;
use crate::snapshot::lock::LockFile;
use crate::snapshot::tree::{Tree, TreeKind};

/// Larger manifests are not read.
const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// `cargo vendor` puts this file beside the manifest of each package.
const VENDORED: &str = ".cargo-checksum.json";

/// More manifests than this in one place are named together.
const NAMED_APART: usize = 3;

/// The directories with lock files and manifests that can be read, `""` for the root.
#[derive(Debug, Default)]
pub(super) struct Finds {
    pub(super) locks: Vec<String>,
    pub(super) manifests: BTreeSet<String>,
    /// Directories of packages that `cargo vendor` has put there, by the file
    /// that it leaves in each of them.
    vendored: BTreeSet<String>,
}

impl Finds {
    pub(super) fn of(tree: &dyn Tree) -> Self {
        let mut finds = Self::default();
        let files = tree
            .files()
            .iter()
            .filter(|file| file.kind == TreeKind::Regular);
        let paths: Vec<(&str, &str)> = files.map(|file| split(&file.path)).collect();
        for (directory, name) in &paths {
            if *name == VENDORED && !directory.is_empty() {
                finds.vendored.insert((*directory).to_owned());
            }
        }
        for (directory, name) in paths {
            if finds.vendored.contains(directory) {
                continue;
            }
            match name {
                "Cargo.lock" => finds.locks.push(directory.to_owned()),
                "Cargo.toml" => {
                    finds.manifests.insert(directory.to_owned());
                }
                _ => {}
            }
        }
        finds.locks.sort_unstable();
        finds
    }
}

/// The directory and the name of a path.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// Everything that looks like a part of a build and is in no covered workspace.
pub(super) fn not_covered(tree: &dyn Tree, finds: &Finds, locks: &[&LockFile]) -> Vec<NotCovered> {
    let mut out: Vec<NotCovered> = tree
        .left_out()
        .iter()
        .map(|left| NotCovered {
            path: left.path.clone(),
            reason: left.reason.clone(),
        })
        .collect();
    for file in tree.files() {
        let reason = match (file.kind, split(&file.path).1) {
            (TreeKind::Submodule, _) => "it is a git repository of its own, which is not entered",
            (TreeKind::Link, "Cargo.lock" | "Cargo.toml") => {
                "it is a symbolic link, which is not followed"
            }
            (TreeKind::Link | TreeKind::Regular, _) => continue,
        };
        out.push(NotCovered {
            path: file.path.clone(),
            reason: reason.to_owned(),
        });
    }
    out.extend(manifests(tree, finds, locks));
    out
}

/// Why a manifest is not covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Package,
    Workspace,
    Unreadable,
    Vendored,
}

impl Why {
    fn of_one(self) -> &'static str {
        match self {
            Self::Package => "no `Cargo.lock` beside it, and its package is in no lock file here",
            Self::Workspace => "a workspace with no `Cargo.lock` beside it",
            Self::Unreadable => "no `Cargo.lock` beside it, and it cannot be read as a manifest",
            Self::Vendored => "a vendored copy, which is built as a package and not on its own",
        }
    }

    fn of_many(self) -> &'static str {
        match self {
            Self::Package => {
                "manifests with no `Cargo.lock` beside them, whose packages are in no lock file here"
            }
            Self::Workspace => "workspaces with no `Cargo.lock` beside them",
            Self::Unreadable => {
                "files with no `Cargo.lock` beside them that cannot be read as manifests"
            }
            Self::Vendored => "vendored copies, which are built as packages and not on their own",
        }
    }
}

/// The manifests that have no lock file and whose package no lock file lists.
fn manifests(tree: &dyn Tree, finds: &Finds, locks: &[&LockFile]) -> Vec<NotCovered> {
    let local: BTreeSet<&str> = locks
        .iter()
        .flat_map(|lock| &lock.packages)
        .filter(|package| package.id.source == Source::Local)
        .map(|package| package.id.name.as_str())
        .collect();
    let paths: Vec<String> = finds
        .manifests
        .iter()
        .filter(|directory| finds.locks.binary_search(directory).is_err())
        .map(|directory| join(directory, "Cargo.toml"))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut groups: BTreeMap<(Why, &str), Vec<&str>> = BTreeMap::new();
    for (path, content) in paths.iter().zip(tree.read_many(&paths, MANIFEST_LIMIT)) {
        let why = match content.ok().and_then(|bytes| read(&bytes)) {
            Some(Manifest {
                name: Some(name), ..
            }) if local.contains(name.as_str()) => continue,
            Some(Manifest { name: Some(_), .. }) => Why::Package,
            Some(Manifest {
                workspace: true, ..
            }) => Why::Workspace,
            Some(Manifest { .. }) | None => Why::Unreadable,
        };
        groups.entry((why, first(path))).or_default().push(path);
    }
    let vendored: Vec<String> = finds
        .vendored
        .iter()
        .map(|directory| join(directory, "Cargo.toml"))
        .collect();
    for path in &vendored {
        groups
            .entry((Why::Vendored, first(path)))
            .or_default()
            .push(path);
    }
    let mut out = Vec::new();
    for ((why, first), paths) in groups {
        match paths.first() {
            Some(example) if paths.len() > NAMED_APART => out.push(NotCovered {
                path: if first.is_empty() {
                    ".".to_owned()
                } else {
                    first.to_owned()
                },
                reason: format!(
                    "{} {}; one of them is {example}",
                    paths.len(),
                    why.of_many()
                ),
            }),
            _ => out.extend(paths.into_iter().map(|path| NotCovered {
                path: path.to_owned(),
                reason: why.of_one().to_owned(),
            })),
        }
    }
    out
}

/// The first component of a path, empty for a file in the root.
fn first(path: &str) -> &str {
    path.split_once('/').map_or("", |(first, _)| first)
}

/// As much of a manifest as it takes to know whose it is.
struct Manifest {
    name: Option<String>,
    workspace: bool,
}

fn read(bytes: &[u8]) -> Option<Manifest> {
    #[derive(Deserialize)]
    struct Tables {
        #[serde(alias = "project")]
        package: Option<PackageTable>,
        workspace: Option<IgnoredAny>,
    }
    #[derive(Deserialize)]
    struct PackageTable {
        name: Option<String>,
    }
    let text = std::str::from_utf8(bytes).ok()?;
    if let Some(name) = quick_name(text) {
        return Some(Manifest {
            name: Some(name.to_owned()),
            workspace: false,
        });
    }
    let tables: Tables = toml::from_str(text).ok()?;
    Some(Manifest {
        name: tables.package.and_then(|package| package.name),
        workspace: tables.workspace.is_some(),
    })
}

/// The name of the package in a manifest of the usual form, without reading
/// all of it: `[package]` is the first table, and `name` a plain string in it.
fn quick_name(text: &str) -> Option<&str> {
    let mut inside = false;
    for line in text.lines() {
        let line = line.trim();
        if line == "[package]" && !inside {
            inside = true;
        } else if line.is_empty() || line.starts_with('#') {
            continue;
        } else if !inside
            || line.starts_with('[')
            || line.contains("\"\"\"")
            || line.contains("'''")
        {
            return None;
        } else if let Some(value) = line.strip_prefix("name") {
            let value = value
                .trim_start()
                .strip_prefix('=')?
                .trim_start()
                .strip_prefix('"')?;
            let (name, rest) = value.split_once('"')?;
            let rest = rest.trim_start();
            let plain = !name.contains('\\') && (rest.is_empty() || rest.starts_with('#'));
            return plain.then_some(name);
        }
    }
    None
}
