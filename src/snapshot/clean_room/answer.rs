//! What cargo answered: held against what it was given, and with the scratch
//! directory's name taken out, so that the same tree has the same document.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, Package};
use serde_json::Value;

use super::crates::directory_name;
use super::paths::join;
use super::scope::Scope;
use super::{CRATES_ROOT, CleanRoomError, TREE_ROOT};
use crate::pkg::{PackageId, Source};
use crate::snapshot::lock::LockFile;

/// The document, checked and rewritten.
pub(super) fn check_and_rewrite(
    stdout: &[u8],
    room: &Path,
    workspace: &str,
    scope: &Scope,
    lock: &LockFile,
) -> Result<String, CleanRoomError> {
    let failed = |source| CleanRoomError::Answer { source };
    let metadata: Metadata = serde_json::from_slice(stdout).map_err(failed)?;
    Check {
        tree: room.join("tree"),
        crates: room.join("crates"),
        scope,
        locked: lock.packages.iter().map(|package| &package.id).collect(),
    }
    .document(&metadata, workspace)?;
    drop(metadata);
    // The document itself is rewritten, not the typed value, which knows only
    // the fields of its time.
    let mut document: Value = serde_json::from_slice(stdout).map_err(failed)?;
    let names = Names::new(room)?;
    names.rewrite(&mut document);
    let json = serde_json::to_string(&document).map_err(failed)?;
    if json.contains(&names.directory) {
        return Err(unforeseen("a path in an unknown place", &names.directory));
    }
    Ok(json)
}

fn unforeseen(what: &'static str, value: impl ToString) -> CleanRoomError {
    CleanRoomError::Unforeseen {
        what,
        value: value.to_string(),
    }
}

/// What cargo was given.
struct Check<'a> {
    tree: PathBuf,
    crates: PathBuf,
    scope: &'a Scope,
    locked: BTreeSet<&'a PackageId>,
}

impl Check<'_> {
    fn document(&self, metadata: &Metadata, workspace: &str) -> Result<(), CleanRoomError> {
        if metadata.workspace_root.as_std_path() != self.tree.join(workspace) {
            return Err(unforeseen("the workspace root", &metadata.workspace_root));
        }
        let build = metadata.build_directory.as_ref();
        for directory in [Some(&metadata.target_directory), build]
            .into_iter()
            .flatten()
        {
            if !is_below(directory.as_std_path(), &self.tree) {
                return Err(unforeseen("the build directory", directory));
            }
        }
        let Some(resolve) = &metadata.resolve else {
            return Err(unforeseen("a resolution that is", "missing"));
        };
        let mut ids = BTreeSet::new();
        for package in &metadata.packages {
            self.package(package)?;
            ids.insert(&package.id);
        }
        let nodes = resolve.nodes.iter().map(|node| &node.id);
        if let Some(id) = nodes
            .chain(&metadata.workspace_members)
            .find(|id| !ids.contains(id))
        {
            return Err(unforeseen("the package id", id));
        }
        Ok(())
    }

    fn package(&self, package: &Package) -> Result<(), CleanRoomError> {
        let manifest = package.manifest_path.as_std_path();
        let named = || unforeseen("the manifest", &package.manifest_path);
        let home = match &package.source {
            None => {
                let directory = manifest
                    .parent()
                    .and_then(|directory| directory.strip_prefix(&self.tree).ok())
                    .and_then(|directory| directory.to_str())
                    .ok_or_else(named)?;
                let directory = directory.replace('\\', "/");
                let known = self.scope.packages.contains(&directory)
                    && self
                        .scope
                        .filled
                        .contains_key(&join(&directory, "Cargo.toml"));
                if !known {
                    return Err(named());
                }
                &self.tree
            }
            Some(source) => {
                let id = PackageId {
                    name: package.name.to_string(),
                    version: package.version.clone(),
                    source: Source::parse(&source.repr)
                        .map_err(|_| unforeseen("the source", source))?,
                };
                if id.source != Source::CratesIo || !self.locked.contains(&id) {
                    return Err(unforeseen(
                        "the package",
                        format!("{id} from {}", id.source),
                    ));
                }
                let expected = self.crates.join(directory_name(&id)).join("Cargo.toml");
                if manifest != expected {
                    return Err(named());
                }
                &self.crates
            }
        };
        let sources = package.targets.iter().map(|target| &target.src_path);
        for path in sources {
            if !is_below(path.as_std_path(), home) {
                return Err(unforeseen("the source file", path));
            }
        }
        Ok(())
    }
}

/// Whether a path is below another by its components alone. A manifest may name
/// `../shared/main.rs`, which cargo does not shorten.
fn is_below(path: &Path, directory: &Path) -> bool {
    use std::path::Component;
    let Ok(rest) = path.strip_prefix(directory) else {
        return false;
    };
    let mut depth = 0usize;
    rest.components().all(|component| match component {
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::ParentDir => {
            let inside = depth > 0;
            depth = depth.saturating_sub(1);
            inside
        }
        Component::RootDir | Component::Prefix(_) => false,
    })
}

/// The names that are taken out.
struct Names {
    /// The scratch directory's path.
    room: String,
    /// Its last component. It is random and plain, and so the same in a path
    /// and in a URL.
    directory: String,
}

impl Names {
    fn new(room: &Path) -> Result<Self, CleanRoomError> {
        let not_utf8 = || CleanRoomError::PathNotUtf8 {
            path: room.to_owned(),
        };
        let name = room.file_name().and_then(|name| name.to_str());
        Ok(Self {
            room: room.to_str().ok_or_else(not_utf8)?.to_owned(),
            directory: name.ok_or_else(not_utf8)?.to_owned(),
        })
    }

    fn rewrite(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(new) = self.rewritten(text) {
                    *text = new;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rewrite(item)),
            Value::Object(entries) => entries.values_mut().for_each(|item| self.rewrite(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A path below the room, or a package id with the URL of one.
    fn rewritten(&self, text: &str) -> Option<String> {
        if let Some(rest) = text.strip_prefix(&self.room) {
            return virtual_path(rest);
        }
        let start = text.find("path+file://")? + "path+file://".len();
        let end = text.find(&self.directory)? + self.directory.len();
        let rest = virtual_path(text.get(end..)?)?;
        Some(format!("{}{rest}", text.get(..start)?))
    }
}

/// The path to show for one below the room, given from its separator on.
fn virtual_path(rest: &str) -> Option<String> {
    [("tree", TREE_ROOT), ("crates", CRATES_ROOT)]
        .into_iter()
        .find_map(|(directory, shown)| {
            let rest = rest.strip_prefix(['/', '\\'])?.strip_prefix(directory)?;
            let whole = rest.is_empty() || rest.starts_with(['/', '\\', '#', ')']);
            whole.then(|| format!("{shown}{}", rest.replace('\\', "/")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(Path::new("/home/jo e/.cache/scratch-Ab1")).unwrap()
    }

    #[test]
    fn paths_and_ids_lose_the_scratch_directory() {
        let show = |text: &str| names().rewritten(text);
        assert_eq!(
            show("/home/jo e/.cache/scratch-Ab1/tree/a/Cargo.toml").as_deref(),
            Some("/canary/tree/a/Cargo.toml")
        );
        assert_eq!(
            show("path+file:///home/jo%20e/.cache/scratch-Ab1/tree#x@0.1.0").as_deref(),
            Some("path+file:///canary/tree#x@0.1.0")
        );
        assert_eq!(
            show("x 0.1.0 (path+file:///home/jo%20e/.cache/scratch-Ab1/tree/x)").as_deref(),
            Some("x 0.1.0 (path+file:///canary/tree/x)")
        );
        assert_eq!(
            show("registry+https://github.com/rust-lang/crates.io-index"),
            None
        );
        assert_eq!(show("/home/jo e/.cache/scratch-Ab1/treehouse"), None);
    }

    #[test]
    fn a_path_that_climbs_is_not_below() {
        let tree = Path::new("/room/tree");
        assert!(is_below(Path::new("/room/tree/src/lib.rs"), tree));
        assert!(is_below(Path::new("/room/tree/a/../shared/main.rs"), tree));
        assert!(!is_below(Path::new("/room/tree/../../etc/passwd"), tree));
        assert!(!is_below(Path::new("/room/tree/a/../../x"), tree));
        assert!(!is_below(Path::new("/room/treehouse"), tree));
    }
}
