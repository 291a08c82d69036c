//! A tree with another lock file at its root.

use std::path::Path;

use super::{Tree, TreeError, TreeFile, TreeKind};

const LOCK: &str = "Cargo.lock";

/// A tree whose `Cargo.lock` at the root is another one.
pub struct Relocked<'t> {
    inner: Box<dyn Tree + 't>,
    files: Vec<TreeFile>,
    lock: Vec<u8>,
}

impl<'t> Relocked<'t> {
    /// The tree with this lock file.
    #[must_use]
    pub fn new(inner: Box<dyn Tree + 't>, lock: Vec<u8>) -> Self {
        let entry = TreeFile {
            path: LOCK.to_owned(),
            kind: TreeKind::Regular,
            size: lock.len() as u64,
        };
        let mut files = inner.files().to_vec();
        match files.binary_search_by(|file| file.path.as_str().cmp(LOCK)) {
            Ok(at) => {
                if let Some(file) = files.get_mut(at) {
                    *file = entry;
                }
            }
            Err(at) => files.insert(at, entry),
        }
        Self { inner, files, lock }
    }
}

impl Tree for Relocked<'_> {
    fn files(&self) -> &[TreeFile] {
        &self.files
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        if path != LOCK {
            return self.inner.read(path, limit);
        }
        let size = self.lock.len() as u64;
        if size > limit {
            return Err(TreeError::TooLarge {
                path: path.to_owned(),
                size,
                limit,
            });
        }
        Ok(self.lock.clone())
    }

    fn read_many(&self, paths: &[&str], limit: u64) -> Vec<Result<Vec<u8>, TreeError>> {
        let inner: Vec<&str> = paths.iter().copied().filter(|path| *path != LOCK).collect();
        let mut read = self.inner.read_many(&inner, limit).into_iter();
        paths
            .iter()
            .map(|path| {
                if *path == LOCK {
                    return self.read(path, limit);
                }
                let missing = TreeError::NotFound {
                    path: (*path).to_owned(),
                };
                read.next().unwrap_or(Err(missing))
            })
            .collect()
    }

    fn root(&self) -> Option<&Path> {
        self.inner.root()
    }

    fn left_out(&self) -> &[super::LeftOut] {
        self.inner.left_out()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tree::MemoryTree;

    #[test]
    fn only_the_lock_file_is_another() {
        let inner = MemoryTree::new()
            .file("Cargo.lock", "old")
            .file("Cargo.toml", "[package]");
        let tree = Relocked::new(Box::new(inner), b"newer".to_vec());
        assert_eq!(tree.file("Cargo.lock").map(|file| file.size), Some(5));
        let read: Vec<Vec<u8>> = tree
            .read_many(&["Cargo.toml", "Cargo.lock"], 100)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(read, [b"[package]".to_vec(), b"newer".to_vec()]);
        assert!(tree.read("Cargo.lock", 4).is_err());
    }

    #[test]
    fn a_tree_without_one_has_it_in_its_place_of_the_order() {
        let inner = MemoryTree::new().file("a", "").file("B", "");
        let tree = Relocked::new(Box::new(inner), Vec::new());
        let paths: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["B", "Cargo.lock", "a"]);
    }
}
