//! From the name of a build to its files: a git revision, the files as they
//! are, a directory, a lock file, a `cargo metadata` document. Says clearly
//! what is not there; never takes one thing for another.
//!
//! Imports: host.

mod error;
mod distinct;
mod revision;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::claim::{self, Artifact};
use super::lock;
use super::tree::git::Git;
use super::tree::{DirectoryTree, GitError, GitTree, Relocked, Tree, TreeError, TreeKind};
use super::{BuildName, InputKind};
use crate::host::{FileKind, Host};
use revision::Commit;

pub use distinct::ensure_distinct;
pub use error::{LoadError, RouteError};

/// A lock file or a `cargo metadata` document that is handed in may have this
/// many bytes.
const FILE_LIMIT: u64 = 256 * 1024 * 1024;

/// A build whose files can be read.
pub struct Opened<'h> {
    given: String,
    kind: InputKind,
    commit: Option<Commit>,
    place: Option<PathBuf>,
    /// The merge base was asked for, and it is `HEAD` itself.
    fallen_together: bool,
    pub(in crate::snapshot) content: Content<'h>,
}

/// What there is to read.
pub(in crate::snapshot) enum Content<'h> {
    Tree(Box<dyn Tree + 'h>),
    Lock(Vec<u8>),
    Metadata(Vec<u8>),
    /// An executable or an SBOM, and the lock file beside it with its path.
    Artifact {
        artifact: Artifact,
        bytes: Vec<u8>,
        lock: Option<(String, Vec<u8>)>,
    },
}

impl<'h> Opened<'h> {
    /// The same build with another lock file at its root. A document or an
    /// executable stays as it is.
    #[must_use]
    pub fn with_lock(self, lock: &str) -> Self {
        let lock = lock.as_bytes().to_vec();
        let content = match self.content {
            Content::Tree(tree) => Content::Tree(Box::new(Relocked::new(tree, lock))),
            Content::Lock(_) => Content::Lock(lock),
            other @ (Content::Metadata(_) | Content::Artifact { .. }) => other,
        };
        Self { content, ..self }
    }
}

impl Opened<'_> {
    /// The build as it was named.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }

    /// What it turned out to be.
    #[must_use]
    pub fn kind(&self) -> InputKind {
        self.kind
    }

    /// The commit, for a git revision.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_ref().map(|commit| commit.id.as_str())
    }

    /// When the commit was made, as it says itself.
    #[must_use]
    pub fn commit_time(&self) -> Option<Timestamp> {
        self.commit.as_ref().and_then(|commit| commit.time)
    }

    /// The files of the build, unless it is a single file.
    #[must_use]
    pub fn tree(&self) -> Option<&dyn Tree> {
        match &self.content {
            Content::Tree(tree) => Some(tree.as_ref()),
            Content::Lock(_) | Content::Metadata(_) | Content::Artifact { .. } => None,
        }
    }

    /// The lock file that the build is, or that stands at its root.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn lock_file(&self) -> Result<Option<Vec<u8>>, LoadError> {
        match &self.content {
            Content::Lock(content) => Ok(Some(content.clone())),
            Content::Metadata(_) | Content::Artifact { .. } => Ok(None),
            Content::Tree(_) => self.read_file("Cargo.lock", FILE_LIMIT),
        }
    }

    /// One file of the build; `None` when there is none of that path, or when
    /// the build is a single file.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read_file(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, LoadError> {
        let Content::Tree(tree) = &self.content else {
            return Ok(None);
        };
        match tree.read(path, limit) {
            Ok(content) => Ok(Some(content)),
            Err(TreeError::NotFound { .. }) => Ok(None),
            Err(source) => Err(LoadError::Tree {
                given: self.given.clone(),
                source,
            }),
        }
    }

    /// The regular files directly in a folder of the build whose names end so,
    /// by path with their content; none when the build is a single file.
    ///
    /// # Errors
    /// When one cannot be read, or is larger than the limit.
    pub fn read_folder(
        &self,
        folder: &str,
        ending: &str,
        limit: u64,
    ) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
        let Content::Tree(tree) = &self.content else {
            return Ok(Vec::new());
        };
        let paths: Vec<&str> = tree
            .files()
            .iter()
            .filter(|file| file.kind == TreeKind::Regular)
            .map(|file| file.path.as_str())
            .filter(|path| {
                path.strip_prefix(folder)
                    .and_then(|rest| rest.strip_prefix('/'))
                    .is_some_and(|name| !name.contains('/') && name.ends_with(ending))
            })
            .collect();
        let contents = tree.read_many(&paths, limit);
        paths
            .into_iter()
            .zip(contents)
            .map(|(path, content)| match content {
                Ok(content) => Ok((path.to_owned(), content)),
                Err(source) => Err(LoadError::Tree {
                    given: self.given.clone(),
                    source,
                }),
            })
            .collect()
    }
}

#[cfg(test)]
impl<'h> Opened<'h> {
    /// A build whose files are given.
    pub(in crate::snapshot) fn of_tree(given: &str, tree: impl Tree + 'h) -> Self {
        Self {
            given: given.to_owned(),
            kind: InputKind::Directory,
            commit: None,
            place: None,
            fallen_together: false,
            content: Content::Tree(Box::new(tree)),
        }
    }
}

/// Finds a build. Relative paths are those of the caller's directory;
/// `repository` is where git looks for revisions, and any directory of it will do.
///
/// # Errors
/// When there is no such build, or it cannot be read.
pub fn open<'h>(
    name: &BuildName,
    repository: &Path,
    host: &'h Host,
) -> Result<Opened<'h>, LoadError> {
    match name {
        BuildName::Worktree => worktree(repository, host),
        BuildName::MergeBase => {
            let found = revision::merge_base(repository, host)?;
            at_commit(found.git, found.commit, found.given, found.is_head)
        }
        BuildName::Named(name) => named(name, repository, host),
    }
}

fn named<'h>(name: &str, repository: &Path, host: &'h Host) -> Result<Opened<'h>, LoadError> {
    let forced = name.strip_prefix("git:");
    if forced.is_none()
        && let Ok(kind) = kind_behind_links(Path::new(name), host)
    {
        return path(name, kind, host);
    }
    let revision = forced.unwrap_or(name);
    let (git, commit) = revision::find(revision, name, repository, host)?;
    at_commit(git, commit, name.to_owned(), false)
}

/// What a path that the user names leads to. Links are followed here, and only here.
fn kind_behind_links(path: &Path, host: &Host) -> std::io::Result<(FileKind, PathBuf)> {
    let place = host.files.canonical(path)?;
    Ok((host.files.kind(&place)?, place))
}

fn at_commit<'h>(
    git: Git<'h>,
    commit: Commit,
    given: String,
    fallen_together: bool,
) -> Result<Opened<'h>, LoadError> {
    let tree = GitTree::open(git, &commit.id).map_err(|source| LoadError::Tree {
        given: given.clone(),
        source,
    })?;
    Ok(Opened {
        given,
        kind: InputKind::Git,
        commit: Some(commit),
        place: None,
        fallen_together,
        content: Content::Tree(Box::new(tree)),
    })
}

fn path<'h>(
    name: &str,
    (kind, place): (FileKind, PathBuf),
    host: &'h Host,
) -> Result<Opened<'h>, LoadError> {
    let opened = |kind, content| Opened {
        given: name.to_owned(),
        kind,
        commit: None,
        place: Some(place.clone()),
        fallen_together: false,
        content,
    };
    match kind {
        FileKind::Directory => {
            let tree = directory(host, &place, name)?;
            Ok(opened(InputKind::Directory, Content::Tree(Box::new(tree))))
        }
        FileKind::File(_) => {
            let bytes = host
                .files
                .read(&place, FILE_LIMIT)
                .map_err(|source| LoadError::File {
                    path: name.to_owned(),
                    source,
                })?;
            Ok(if let Some(artifact) = claim::detect(&bytes) {
                let lock = lock_beside(&place, host);
                let kind = match artifact {
                    Artifact::Executable => InputKind::Executable,
                    Artifact::Sbom => InputKind::Sbom,
                };
                let content = Content::Artifact {
                    artifact,
                    bytes,
                    lock,
                };
                opened(kind, content)
            } else if is_json(&bytes) {
                opened(InputKind::Metadata, Content::Metadata(bytes))
            } else {
                opened(InputKind::Lock, Content::Lock(bytes))
            })
        }
        FileKind::Link | FileKind::Other => Err(LoadError::NotAFile {
            path: name.to_owned(),
        }),
    }
}

/// The lock file that an artifact may come from: in its directory, or beside
/// the `target` directory that it is in.
fn lock_beside(place: &Path, host: &Host) -> Option<(String, Vec<u8>)> {
    let directory = place.parent()?;
    let beside_target = directory
        .ancestors()
        .find(|above| above.file_name().is_some_and(|name| name == "target"))
        .and_then(Path::parent);
    [Some(directory), beside_target]
        .into_iter()
        .flatten()
        .find_map(|directory| {
            let path = directory.join("Cargo.lock");
            let bytes = host.files.read(&path, lock::MAX_BYTES).ok()?;
            Some((path.display().to_string(), bytes))
        })
}

/// A `cargo metadata` document is one JSON object, and no lock file begins like one.
fn is_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.trim_ascii_start().first() == Some(&b'{')
}

/// The files of the repository as they are; outside of git, those of the directory.
fn worktree<'h>(repository: &Path, host: &'h Host) -> Result<Opened<'h>, LoadError> {
    const NAME: &str = "WORKTREE";
    let file = |source| LoadError::File {
        path: repository.display().to_string(),
        source,
    };
    let start = host.files.canonical(repository).map_err(file)?;
    let top = match Git::at(host, &start).and_then(|git| git.top_level()) {
        Ok(top) => top,
        Err(GitError::NotARepository { .. } | GitError::NotInstalled) => None,
        Err(source) => return Err(LoadError::Git { source }),
    };
    // `core.worktree` could name any directory; only one around this one is meant.
    let top = top.and_then(|top| host.files.canonical(&top).ok());
    let place = top.filter(|top| start.starts_with(top)).unwrap_or(start);
    let tree = directory(host, &place, NAME)?;
    Ok(Opened {
        given: NAME.to_owned(),
        kind: InputKind::Worktree,
        commit: None,
        place: Some(place),
        fallen_together: false,
        content: Content::Tree(Box::new(tree)),
    })
}

fn directory<'h>(
    host: &'h Host,
    place: &Path,
    given: &str,
) -> Result<DirectoryTree<'h>, LoadError> {
    let tracked = tracked_directories(host, place);
    DirectoryTree::open(host, place, tracked.as_ref()).map_err(|source| LoadError::Tree {
        given: given.to_owned(),
        source,
    })
}

/// The directories below `place` in which git tracks files; `None` when `place`
/// is not the top of a repository.
fn tracked_directories(host: &Host, place: &Path) -> Option<BTreeSet<String>> {
    host.files.kind(&place.join(".git")).ok()?;
    let output = Git::at(host, place).and_then(|git| git.tracked()).ok()?;
    let mut directories = BTreeSet::new();
    for path in output
        .split(|&b| b == 0)
        .filter_map(|path| std::str::from_utf8(path).ok())
    {
        let mut path = path;
        while let Some((parent, _)) = path.rsplit_once('/') {
            if !directories.insert(parent.to_owned()) {
                break;
            }
            path = parent;
        }
    }
    Some(directories)
}
