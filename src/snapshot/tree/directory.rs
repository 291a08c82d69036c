//! A directory as it is now.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{
    LeftOut, MAX_DEPTH, MAX_FILES, Tree, TreeError, TreeFile, TreeKind, is_plain, odd_path, regular,
};
use crate::host::{Entry, FileKind, Host};

/// The file by which caches are known (<https://bford.info/cachedir/>). Cargo
/// puts one into each target directory and into its own caches.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// A directory as it is now. Left out are `.git`, and, unless git tracks files
/// in them, directories that are marked as a cache and `node_modules`.
pub struct DirectoryTree<'h> {
    host: &'h Host,
    root: PathBuf,
    files: Vec<TreeFile>,
    left_out: Vec<LeftOut>,
}

impl<'h> DirectoryTree<'h> {
    /// Lists a directory. `tracked` are the directories, below the root and
    /// without the root, in which git tracks files; `None` outside of git.
    ///
    /// # Errors
    /// When a directory cannot be listed, or a limit is broken.
    pub fn open(
        host: &'h Host,
        root: &Path,
        tracked: Option<&BTreeSet<String>>,
    ) -> Result<Self, TreeError> {
        let mut walk = Walk {
            tracked,
            files: Vec::new(),
            left_out: Vec::new(),
        };
        let mut level = vec![String::new()];
        for _ in 0..=MAX_DEPTH {
            let lists: Vec<(String, io::Result<Vec<Entry>>)> = level
                .into_par_iter()
                .map(|directory| {
                    let list = host.files.list(&root.join(&directory));
                    (directory, list)
                })
                .collect();
            level = Vec::new();
            for (directory, list) in lists {
                let entries = list.map_err(|source| TreeError::Io {
                    path: root.join(&directory).display().to_string(),
                    source,
                })?;
                walk.directory(&directory, entries, &mut level)?;
            }
            if level.is_empty() {
                break;
            }
        }
        if let Some(path) = level.into_iter().next() {
            return Err(TreeError::TooDeep { path });
        }
        walk.files.sort_unstable();
        walk.left_out.sort_unstable();
        Ok(Self {
            host,
            root: root.to_owned(),
            files: walk.files,
            left_out: walk.left_out,
        })
    }
}

struct Walk<'t> {
    tracked: Option<&'t BTreeSet<String>>,
    files: Vec<TreeFile>,
    left_out: Vec<LeftOut>,
}

impl Walk<'_> {
    /// Takes the entries of one directory, and adds those to visit to `next`.
    fn directory(
        &mut self,
        directory: &str,
        entries: Vec<Entry>,
        next: &mut Vec<String>,
    ) -> Result<(), TreeError> {
        let has = |wanted: &str| entries.iter().any(|entry| entry.name == wanted);
        if !directory.is_empty() {
            if has(".git") {
                return self.push(directory, TreeKind::Submodule, 0);
            }
            let is_cache = has(CACHE_TAG) || name(directory) == "node_modules";
            if is_cache && !self.is_tracked(directory) {
                self.leave_out_cache(directory);
                return Ok(());
            }
        }
        for entry in entries {
            self.entry(directory, entry, next)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        directory: &str,
        entry: Entry,
        next: &mut Vec<String>,
    ) -> Result<(), TreeError> {
        let name = entry.name.to_string_lossy();
        if name == ".git" {
            return Ok(());
        }
        let path = if directory.is_empty() {
            name.into_owned()
        } else {
            format!("{directory}/{name}")
        };
        if entry.name.to_str().is_none() || !is_plain(&path) {
            self.left_out.extend(match entry.kind {
                FileKind::Directory => Some(LeftOut {
                    path: path.escape_debug().to_string(),
                    reason: "its path is not plain text".to_owned(),
                }),
                FileKind::File(_) | FileKind::Link | FileKind::Other => odd_path(&path),
            });
            return Ok(());
        }
        match entry.kind {
            FileKind::Directory => {
                next.push(path);
                if next.len() > MAX_FILES {
                    Err(TreeError::TooMany)
                } else {
                    Ok(())
                }
            }
            FileKind::File(size) => self.push(&path, TreeKind::Regular, size),
            FileKind::Link => self.push(&path, TreeKind::Link, 0),
            FileKind::Other => Ok(()),
        }
    }

    fn push(&mut self, path: &str, kind: TreeKind, size: u64) -> Result<(), TreeError> {
        if self.files.len() >= MAX_FILES {
            return Err(TreeError::TooMany);
        }
        self.files.push(TreeFile {
            path: path.to_owned(),
            kind,
            size,
        });
        Ok(())
    }

    fn is_tracked(&self, directory: &str) -> bool {
        self.tracked
            .is_some_and(|tracked| tracked.contains(directory))
    }

    /// Where git tells what belongs to the project, and for the usual names,
    /// there is nothing to report.
    fn leave_out_cache(&mut self, directory: &str) {
        if self.tracked.is_none() && !matches!(name(directory), "target" | "node_modules") {
            self.left_out.push(LeftOut {
                path: directory.to_owned(),
                reason: format!("it is marked as a cache by its {CACHE_TAG}"),
            });
        }
    }
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Tree for DirectoryTree<'_> {
    fn files(&self) -> &[TreeFile] {
        &self.files
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        let file = regular(self, path, limit)?;
        self.host
            .files
            .read(&self.root.join(path), limit)
            .map_err(|source| {
                if source.kind() == io::ErrorKind::FileTooLarge {
                    return TreeError::TooLarge {
                        path: path.to_owned(),
                        size: file.size,
                        limit,
                    };
                }
                TreeError::Io {
                    path: path.to_owned(),
                    source,
                }
            })
    }

    fn read_many(&self, paths: &[&str], limit: u64) -> Vec<Result<Vec<u8>, TreeError>> {
        paths
            .par_iter()
            .map(|path| self.read(path, limit))
            .collect()
    }

    fn root(&self) -> Option<&Path> {
        Some(&self.root)
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}
