//! The files of one state of a project: a directory, a git revision, or memory
//! in tests. Lists paths and sizes, and reads what is asked for. Follows no
//! link, checks nothing out, runs nothing but git's plumbing.
//!
//! Imports: host.

mod directory;
#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod git;
mod memory;
mod relocked;
mod revision;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

pub use directory::DirectoryTree;
pub use git::GitError;
pub use memory::MemoryTree;
pub use relocked::Relocked;
pub use revision::GitTree;

/// A tree with more files is refused.
pub const MAX_FILES: usize = 1_000_000;
/// A tree with deeper directories is refused.
pub const MAX_DEPTH: usize = 128;

/// What a path of a tree names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TreeKind {
    /// A regular file.
    Regular,
    /// A symbolic link, which is not followed.
    Link,
    /// A git repository of its own, which is not entered.
    Submodule,
}

impl TreeKind {
    /// What it is, in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "a regular file",
            Self::Link => "a symbolic link",
            Self::Submodule => "a git repository of its own",
        }
    }
}

/// One path of a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeFile {
    /// Below the root, separated by `/`, of normal components only, without
    /// control characters and backslashes.
    pub path: String,
    /// What it is.
    pub kind: TreeKind,
    /// Its size in bytes; zero for what is no regular file.
    pub size: u64,
}

/// A path that is not part of the listing, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The path, escaped where it is not plain text.
    pub path: String,
    /// Why, in words.
    pub reason: String,
}

/// The files of one state of a project.
pub trait Tree: Sync {
    /// All files, sorted by path.
    fn files(&self) -> &[TreeFile];

    /// A whole file.
    ///
    /// # Errors
    /// When it is not there, is not regular, or has more than `limit` bytes.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError>;

    /// Several files, in the order that they are asked for.
    fn read_many(&self, paths: &[&str], limit: u64) -> Vec<Result<Vec<u8>, TreeError>>;

    /// The directory, if it is one.
    fn root(&self) -> Option<&Path>;

    /// What may hold manifests or lock files and is not listed, sorted.
    fn left_out(&self) -> &[LeftOut] {
        &[]
    }

    /// The file with this path.
    fn file(&self, path: &str) -> Option<&TreeFile> {
        let files = self.files();
        let at = files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .ok()?;
        files.get(at)
    }
}

/// Why a tree or a file of it could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// No file has this path.
    #[error("there is no `{path}`")]
    NotFound {
        /// The path below the root.
        path: String,
    },
    /// It is a link or a repository.
    #[error("`{path}` is {}, which is not followed", kind.as_str())]
    NotRegular {
        /// The path below the root.
        path: String,
        /// What it is.
        kind: TreeKind,
    },
    /// It has more bytes than the reader wants.
    #[error("`{path}` has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// The path below the root.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A partial clone does not have its content, and none is fetched.
    #[error("the content of `{path}` is not in this clone (object {object})")]
    NotFetched {
        /// The path below the root.
        path: String,
        /// The object's id.
        object: String,
    },
    /// The operating system refuses.
    #[error("cannot read `{path}`")]
    Io {
        /// The path.
        path: String,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// There are more files than [`MAX_FILES`].
    #[error("there are more than {MAX_FILES} files")]
    TooMany,
    /// A directory is deeper than [`MAX_DEPTH`].
    #[error("`{path}` is more than {MAX_DEPTH} directories deep")]
    TooDeep {
        /// The path below the root.
        path: String,
    },
    /// Git fails.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// The file, if it is regular and within the limit.
fn regular<'t>(tree: &'t dyn Tree, path: &str, limit: u64) -> Result<&'t TreeFile, TreeError> {
    let file = tree.file(path).ok_or_else(|| TreeError::NotFound {
        path: path.to_owned(),
    })?;
    if file.kind != TreeKind::Regular {
        return Err(TreeError::NotRegular {
            path: path.to_owned(),
            kind: file.kind,
        });
    }
    if file.size > limit {
        return Err(TreeError::TooLarge {
            path: path.to_owned(),
            size: file.size,
            limit,
        });
    }
    Ok(file)
}

/// Whether all components of a path are plain names.
fn is_plain(path: &str) -> bool {
    let normal = |part: &str| {
        !(part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git"))
    };
    path.split('/').all(normal) && !path.chars().any(|c| c.is_control() || c == '\\')
}

/// Whether a name is one that the search for workspaces looks for, also where
/// a file system takes other case as the same.
fn is_wanted(name: &str) -> bool {
    name.eq_ignore_ascii_case("cargo.toml") || name.eq_ignore_ascii_case("cargo.lock")
}

/// The entry for a path that cannot be listed, if anyone would look for it.
fn odd_path(path: &str) -> Option<LeftOut> {
    let name = path.rsplit('/').next().unwrap_or(path);
    is_wanted(name).then(|| LeftOut {
        path: path.escape_debug().to_string(),
        reason: "its path is not plain text".to_owned(),
    })
}
