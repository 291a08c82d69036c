//! Why there is no answer.

use std::io;
use std::path::PathBuf;

use crate::host::ProcessError;
use crate::pkg::{PackageId, Source};
use crate::snapshot::tree::TreeError;

/// Why cargo's metadata could not be had.
#[derive(Debug, thiserror::Error)]
pub enum CleanRoomError {
    /// Neither a cache directory nor a home is known.
    #[error("no directory for caches is known")]
    NoCacheDirectory,
    /// The private directory could not be made.
    #[error("cannot make a private directory in `{}`", path.display())]
    Scratch {
        /// Where it was to be.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// Cargo's answer, which is text, could not name it.
    #[error("the path `{}` is not UTF-8", path.display())]
    PathNotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// The cache would be part of what is audited.
    #[error("the cache directory `{}` is inside of the audited tree `{}`", cache.display(), tree.display())]
    CacheInsideTree {
        /// The cache.
        cache: PathBuf,
        /// The tree.
        tree: PathBuf,
    },
    /// There is a cargo configuration that is nobody's.
    #[error("cargo would read `{}`, which belongs to no user", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
    },
    /// No cargo that can be run by its own path.
    #[error("no cargo was found that is not a rustup proxy (searched: {searched})")]
    NoToolchain {
        /// The places, in words.
        searched: String,
    },
    /// The cargo that was named cannot be used.
    #[error("`{}` cannot be used as cargo: {reason}", path.display())]
    UnusableToolchain {
        /// The path.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// A file that is needed is not in the tree.
    #[error("there is no `{path}`")]
    Missing {
        /// The file, below the tree's root.
        path: String,
    },
    /// A file that is needed is a link, in a submodule or in a `.cargo` directory.
    #[error("`{path}` is {what}, which is not followed")]
    NotFollowed {
        /// The path, below the tree's root.
        path: String,
        /// What it is, with an article.
        what: &'static str,
    },
    /// A path in the tree has components that are not names.
    #[error("the tree holds the path `{path}`, which is not made of plain names")]
    BadPath {
        /// The path.
        path: String,
    },
    /// A file could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file, below the tree's root.
        path: String,
        /// Why.
        #[source]
        source: TreeError,
    },
    /// The tree is larger than what is copied.
    #[error("the workspace has more than {limit} {what}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A manifest is not TOML.
    #[error("`{path}` is not a manifest: {detail}")]
    Manifest {
        /// The file, below the tree's root.
        path: String,
        /// The parser's words.
        detail: String,
    },
    /// A manifest leads out of the tree.
    #[error("`{manifest}` names `{named}`, which is outside of the audited tree")]
    OutsideTree {
        /// The manifest, below the tree's root.
        manifest: String,
        /// The path as it is written there.
        named: String,
    },
    /// A dependency comes from where the clean room does not look.
    #[error(
        "`{place}` takes `{package}` from {origin}; only crates.io and paths inside of the tree are covered"
    )]
    UnsupportedSource {
        /// The lock file or manifest, below the tree's root.
        place: String,
        /// The dependency.
        package: String,
        /// Where it comes from, without secrets.
        origin: String,
    },
    /// A package of the lock file has no checksum to hold its archive against.
    #[error("the lock file has no checksum for {package}")]
    NoChecksum {
        /// The package.
        package: Box<PackageId>,
    },
    /// Two packages of the lock file would share a directory, or one has no plain name.
    #[error(
        "the lock file has a package with the name `{name}`, which no registry accepts beside the others"
    )]
    BadName {
        /// The name and version.
        name: String,
    },
    /// Archives that are neither in a cache nor to be fetched.
    #[error("{} crates are in no cache, the first is {}", crates.len(), crates.first().map(|(id, _)| id.to_string()).unwrap_or_default())]
    MissingCrates {
        /// Each with the reason, sorted. `cargo fetch --locked` gets them.
        crates: Vec<(PackageId, String)>,
    },
    /// An archive is not what an archive is.
    #[error("the archive of {package} cannot be read: {detail}")]
    Archive {
        /// The package.
        package: Box<PackageId>,
        /// Why.
        detail: String,
    },
    /// The copy could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// Cargo could not be run to its end.
    #[error("cannot run cargo in the clean room")]
    Process {
        /// Why.
        #[source]
        source: ProcessError,
    },
    /// Cargo refused the workspace.
    #[error("cargo failed in the clean room ({}): {message}", code.map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit code {code}")))]
    Cargo {
        /// Its exit code.
        code: Option<i32>,
        /// What it said, without the scratch directory's name.
        message: String,
    },
    /// Cargo's answer is not a metadata document.
    #[error("cargo's answer is not a metadata document")]
    Answer {
        /// The parser's reason.
        #[source]
        source: serde_json::Error,
    },
    /// Cargo's answer names something that it was not given.
    #[error("cargo's answer has {what} `{value}`, which it was not given")]
    Unforeseen {
        /// What kind of thing.
        what: &'static str,
        /// The thing.
        value: String,
    },
}

impl CleanRoomError {
    /// The error for a dependency from this source.
    pub(super) fn unsupported(place: &str, package: &str, source: &Source) -> Self {
        let origin = match source {
            Source::Git { .. } => format!("the git repository {source}"),
            Source::Registry { .. } => format!("the registry {source}"),
            Source::CratesIo | Source::Local => source.to_string(),
        };
        Self::UnsupportedSource {
            place: place.to_owned(),
            package: package.to_owned(),
            origin,
        }
    }
}
