//! A tree in memory, for tests.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Tree, TreeError, TreeFile, TreeKind, regular};

/// A tree in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    files: Vec<TreeFile>,
    content: BTreeMap<String, Vec<u8>>,
}

impl MemoryTree {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this regular file; one with the same path is replaced.
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        let content = content.into();
        let mut tree = self.entry(path, TreeKind::Regular, content.len() as u64);
        tree.content.insert(path.to_owned(), content);
        tree
    }

    /// With something that is no regular file at this path.
    #[must_use]
    pub fn other(self, path: &str, kind: TreeKind) -> Self {
        self.entry(path, kind, 0)
    }

    fn entry(mut self, path: &str, kind: TreeKind, size: u64) -> Self {
        let entry = TreeFile {
            path: path.to_owned(),
            kind,
            size,
        };
        match self
            .files
            .binary_search_by(|file| file.path.as_str().cmp(path))
        {
            Ok(at) => {
                if let Some(file) = self.files.get_mut(at) {
                    *file = entry;
                }
            }
            Err(at) => self.files.insert(at, entry),
        }
        self
    }
}

impl Tree for MemoryTree {
    fn files(&self) -> &[TreeFile] {
        &self.files
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        regular(self, path, limit)?;
        self.content
            .get(path)
            .cloned()
            .ok_or_else(|| TreeError::NotFound {
                path: path.to_owned(),
            })
    }

    fn read_many(&self, paths: &[&str], limit: u64) -> Vec<Result<Vec<u8>, TreeError>> {
        paths.iter().map(|path| self.read(path, limit)).collect()
    }

    fn root(&self) -> Option<&Path> {
        None
    }
}
