//! Why a build could not be opened or read.

use std::io;
use std::path::PathBuf;

use crate::snapshot::NotCovered;
use crate::snapshot::claim::ClaimError;
use crate::snapshot::lock::LockError;
use crate::snapshot::tree::{GitError, TreeError};

/// The reason that a route to the graph gives.
pub type RouteError = Box<dyn std::error::Error + Send + Sync>;

/// Why a build could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is neither a path nor a revision.
    #[error("`{given}` is neither a path nor a revision of the repository at {}", repository.display())]
    NoRevision {
        /// The build as it was named.
        given: String,
        /// Where revisions were looked for.
        repository: PathBuf,
        /// Names that are there and look alike, the nearest first.
        near: Vec<String>,
        /// The clone holds only a part of the history.
        shallow: bool,
    },
    /// It is not a path, and there is no repository to look for revisions in.
    #[error("there is no path `{given}`, and no git repository to look for such a revision")]
    NoRepository {
        /// The build as it was named.
        given: String,
        /// Why there is no repository.
        #[source]
        source: GitError,
    },
    /// It begins a short id that several commits have.
    #[error("`{given}` is short for several objects of the repository")]
    AmbiguousRevision {
        /// The build as it was named.
        given: String,
    },
    /// The remote's default branch is not known in this clone.
    #[error("no base is named, and the remote's default branch is not in this clone (looked for {})", tried.join(", "))]
    NoDefaultBranch {
        /// The references looked for.
        tried: Vec<String>,
        /// The clone holds only a part of the history.
        shallow: bool,
    },
    /// `HEAD` and the default branch share no commit in this clone.
    #[error("`HEAD` and `{branch}` have no common commit in this clone")]
    NoMergeBase {
        /// The default branch.
        branch: String,
        /// The clone holds only a part of the history.
        shallow: bool,
    },
    /// Both builds are the same commit.
    #[error("the base `{base}` and the head `{head}` are the same commit, {commit}")]
    SameCommit {
        /// The base as it was named.
        base: String,
        /// The head as it was named.
        head: String,
        /// The commit.
        commit: String,
    },
    /// Both builds are the same file or directory.
    #[error("the base `{base}` and the head `{head}` are the same place, {}", place.display())]
    SamePlace {
        /// The base as it was named.
        base: String,
        /// The head as it was named.
        head: String,
        /// The place.
        place: PathBuf,
    },
    /// No base was named, `HEAD` has no commit of its own, and no manifest and
    /// no lock file differs from it.
    #[error("the {base} is `HEAD` itself ({commit}), and no manifest or lock file differs from it")]
    NothingOfItsOwn {
        /// The base as it was named.
        base: String,
        /// The commit.
        commit: String,
    },
    /// A path is there, and is neither a file nor a directory.
    #[error("`{path}` is neither a file nor a directory")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// A file or directory that was named cannot be read.
    #[error("cannot read `{path}`")]
    File {
        /// The path.
        path: String,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// Git fails.
    #[error("cannot read the git repository")]
    Git {
        /// The reason.
        #[source]
        source: GitError,
    },
    /// The files of a build cannot be read.
    #[error("cannot read the files of `{given}`")]
    Tree {
        /// The build as it was named.
        given: String,
        /// The reason.
        #[source]
        source: TreeError,
    },
    /// There is no lock file that can be used.
    #[error("no usable `Cargo.lock` in `{given}`")]
    NoLock {
        /// The build as it was named.
        given: String,
        /// The commit, for a git revision.
        commit: Option<String>,
        /// How many manifests there are.
        manifests: usize,
        /// What was found and is not usable, and why.
        not_covered: Vec<NotCovered>,
    },
    /// A lock file is not well-formed.
    #[error("cannot read the lock file of `{given}`")]
    Lock {
        /// The build as it was named.
        given: String,
        /// What is wrong with it, and where.
        #[source]
        source: Box<LockError>,
    },
    /// What an executable or an SBOM says of itself cannot be read.
    #[error("cannot read what `{given}` is made of")]
    Claim {
        /// The build as it was named.
        given: String,
        /// The reason.
        #[source]
        source: ClaimError,
    },
    /// A `cargo metadata` document is not UTF-8.
    #[error("`{given}` is not UTF-8 text (byte {offset})")]
    NotText {
        /// The build as it was named.
        given: String,
        /// The first byte that is not part of a character.
        offset: usize,
    },
    /// The graph of a workspace cannot be built the way that was asked for.
    #[error("cannot build the graph of the workspace `{workspace}` of `{given}` ({route})")]
    Graph {
        /// The build as it was named.
        given: String,
        /// The workspace's directory below the root.
        workspace: String,
        /// Which way was tried.
        route: &'static str,
        /// The reason.
        #[source]
        source: RouteError,
    },
    /// What was read contradicts itself: a fault of this program.
    #[error("the graph of `{given}` breaks its own rules: {}", broken.join("; "))]
    Broken {
        /// The build as it was named.
        given: String,
        /// The rules, and where they are broken.
        broken: Vec<String>,
    },
}
