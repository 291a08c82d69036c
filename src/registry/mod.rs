//! What was published: the index entries of crates with their publish times
//! and withdrawals, and the manifests inside of archives. Reads Cargo's own
//! caches, then a cache of its own, then the network. Judges nothing, and
//! writes nowhere but into the own cache.
//!
//! Below the directory of the own cache stand:
//! - `index/IDENT/PREFIX/NAME` and `index/IDENT/config.json`: answers of registries;
//! - `crates/XX/SHA256`: archives, by their content;
//! - `publishers/SHA256`: who published what, by the address that was asked;
//! - `manifests/X`: what the manifests in archives say, by the archives' content;
//! - `local-registry/IDENT/`: read only. Who has no network may put a local
//!   registry there (archives, and beside them `index/PREFIX/NAME`).
//!
//! `IDENT` is the name that Cargo gives the registry below `$CARGO_HOME/registry/index`.
//!
//! Imports: pkg, host, facts.

mod archive;
mod cache;
mod config;
mod disk;
mod download;
mod index;
mod line;
mod manifest;
mod manifests;
mod place;
mod publishers;
mod record;
mod scan;
mod source_tree;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use semver::{Version, VersionReq};

use crate::facts::{Finding, GapReason};
use crate::host::Host;
use crate::pkg::{DependencyKind, Source};

pub use publishers::{Asked, PublisherApi};
pub use record::CrateRecord;
pub use source_tree::{Oddity, OddityKind, SourceFile, SourceTree, UnpackError, UnpackLimits};

use config::UserConfig;
use disk::CargoEntry;
use index::Remembered;
use manifests::Known;
use place::Place;

/// What a registry may read and do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The directory of the own cache; without it nothing is kept.
    pub cache_dir: Option<PathBuf>,
    /// Cargo's home: its caches, and the user's configuration of registries.
    pub cargo_home: Option<PathBuf>,
    /// The user's home; `.cargo` in it stands for a Cargo home that is not given.
    pub user_home: Option<PathBuf>,
    /// Whether anything may be fetched.
    pub fetch: bool,
    /// What the own cache has fetched within this time counts as current.
    pub max_age: Duration,
}

/// An index entry that will be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The registry.
    pub source: Source,
    /// The crate's name, as the lock file spells it.
    pub name: String,
    /// The releases that the entry must have.
    pub holding: Vec<Version>,
    /// How new it must be.
    pub freshness: Freshness,
}

/// Where a record was read, and of what time it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Cargo's own cache of the index.
    CargoCache {
        /// When Cargo last wrote the entry; it may have been confirmed since.
        modified: Timestamp,
    },
    /// A local registry on disk.
    LocalRegistry {
        /// When the entry was last written.
        modified: Timestamp,
    },
    /// The own cache.
    OwnCache {
        /// When it was fetched, or last confirmed by the registry.
        fetched: Timestamp,
    },
    /// The registry, in this run.
    Network {
        /// When.
        fetched: Timestamp,
    },
}

/// Why one release in an index entry cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The line is no JSON object with the fields of a release.
    #[error("the index entry of `{name}` has a line that is not well-formed")]
    Json {
        /// The crate.
        name: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// A field of the line has a value that it cannot have.
    #[error("the index entry of {name}@{version} has the {field} `{value}`, which cannot be read")]
    Field {
        /// The crate.
        name: String,
        /// Its version, as the line spells it.
        version: String,
        /// The field.
        field: &'static str,
        /// The start of its value.
        value: String,
    },
    /// The line is of another crate.
    #[error("the index entry of `{wanted}` has a line of `{found}`")]
    OtherName {
        /// The crate that was asked for.
        wanted: String,
        /// The crate that the line names.
        found: String,
    },
    /// The line follows a schema that is not understood.
    #[error(
        "the index entry of {name}@{version} has schema {schema}, of which 2 is the newest that is understood"
    )]
    Schema {
        /// The crate.
        name: String,
        /// Its version, as the line spells it.
        version: String,
        /// The schema.
        schema: u32,
    },
    /// The record may be too old to have the release.
    #[error(
        "the copy of the index entry of `{name}` does not have {version} and may be old: {why}"
    )]
    NotHeld {
        /// The crate.
        name: String,
        /// The release.
        version: Version,
        /// Why there is no newer copy, as the reason of a gap.
        reason: GapReason,
        /// Why there is no newer copy, in words.
        why: String,
    },
    /// The release may stand in a line that cannot be read.
    #[error(
        "the index entry of `{name}` does not have {version}, but has lines that cannot be read ({lines})"
    )]
    Unreadable {
        /// The crate.
        name: String,
        /// The release.
        version: Version,
        /// How many lines.
        lines: usize,
    },
}

impl RecordError {
    /// The reason of the gap that this error makes.
    #[must_use]
    pub fn reason(&self) -> GapReason {
        match self {
            Self::NotHeld { reason, .. } => *reason,
            Self::Json { .. }
            | Self::Field { .. }
            | Self::OtherName { .. }
            | Self::Schema { .. }
            | Self::Unreadable { .. } => GapReason::Malformed,
        }
    }
}

/// What registries published, as far as it can be had here. Remembers for its
/// lifetime what it has read, so that one run judges by one state.
pub struct Registry<'h> {
    host: &'h Host,
    access: Access,
    user: OnceLock<UserConfig>,
    places: Mutex<BTreeMap<Source, Option<Arc<Place>>>>,
    records: Mutex<BTreeMap<(Source, String), Remembered>>,
    manifests: Mutex<Known>,
    download_places: Mutex<BTreeMap<Source, download::Found>>,
    cargo_archives: OnceLock<Vec<PathBuf>>,
    /// The names of the indexes that Cargo has cached, where they can be listed.
    cargo_indexes: OnceLock<Option<BTreeSet<OsString>>>,
    /// By path and name, as names that differ in case share a file.
    cargo_entries: Mutex<BTreeMap<(PathBuf, String), ReadOnce>>,
}

/// A file of Cargo's cache, read by the first who asks for it.
type ReadOnce = Arc<OnceLock<CargoEntry>>;

impl<'h> Registry<'h> {
    /// A registry with this access. Nothing is read yet.
    #[must_use]
    pub fn open(host: &'h Host, mut access: Access) -> Self {
        if access.cargo_home.is_none() {
            access.cargo_home = access.user_home.as_ref().map(|home| home.join(".cargo"));
        }
        Self {
            host,
            access,
            user: OnceLock::new(),
            places: Mutex::default(),
            records: Mutex::default(),
            manifests: Mutex::default(),
            download_places: Mutex::default(),
            cargo_archives: OnceLock::new(),
            cargo_indexes: OnceLock::new(),
            cargo_entries: Mutex::default(),
        }
    }

    /// The index entry of a crate, as [`Self::prefetch`] found it; without
    /// that, any entry that is at hand. A gap is one of the kind
    /// [`FactKind::History`](crate::facts::FactKind::History).
    #[must_use]
    pub fn record(&self, source: &Source, name: &str) -> Finding<Arc<CrateRecord>> {
        let key = (source.clone(), name.to_owned());
        if let Some(remembered) = lock(&self.records).get(&key) {
            return remembered.finding.clone();
        }
        self.prefetch(&[Wanted {
            source: source.clone(),
            name: name.to_owned(),
            holding: Vec::new(),
            freshness: Freshness::Holding,
        }]);
        match lock(&self.records).get(&key) {
            Some(remembered) => remembered.finding.clone(),
            None => Finding::Absent(format!("the index of {source}")),
        }
    }

    /// The index entry of a crate, if it was looked up before and found.
    #[must_use]
    pub fn remembered(&self, source: &Source, name: &str) -> Option<Arc<CrateRecord>> {
        let key = (source.clone(), name.to_owned());
        lock(&self.records).get(&key)?.finding.seen().cloned()
    }

    /// The time of the oldest entry that was asked for as
    /// [`Freshness::Current`] and found; `None` when there was none.
    #[must_use]
    pub fn oldest_data(&self) -> Option<Timestamp> {
        lock(&self.records)
            .values()
            .filter(|remembered| remembered.current)
            .filter_map(|remembered| Some(remembered.finding.seen()?.origin().time()))
            .min()
    }

    /// The places of a registry; `None` when the source is no registry.
    fn place(&self, source: &Source) -> Option<Arc<Place>> {
        let user = self
            .user
            .get_or_init(|| UserConfig::read(self.host, self.access.cargo_home.as_deref()));
        lock(&self.places)
            .entry(source.clone())
            .or_insert_with(|| Place::of(source, user).map(Arc::new))
            .clone()
    }

    /// Why nothing is fetched at all, in words.
    fn no_network(&self) -> Option<&'static str> {
        if !self.access.fetch {
            Some("nothing may be fetched")
        } else if self.host.net.is_none() {
            Some("there is no network")
        } else {
            None
        }
    }
}

/// What a panic in another thread leaves behind is whole: values are only
/// ever replaced.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this error says that there is no such file.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Whether this is a SHA-256 sum in lower-case hex.
fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// How new an index entry must be for its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Any entry that has this version will do: what a release depends on never changes.
    Holding,
    /// As new as can be had: withdrawals and later releases are asked for.
    Current,
}

/// A dependency as an index entry or a manifest declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name that the code uses (after a rename).
    pub name: String,
    /// The name of the package in its registry.
    pub package: String,
    /// The accepted versions.
    pub req: VersionReq,
    /// The section it stands in.
    pub kind: DependencyKind,
    /// Whether it is built only when a feature asks for it.
    pub optional: bool,
    /// Whether its `default` feature is on.
    pub default_features: bool,
    /// Its features that are asked for, sorted.
    pub features: Vec<String>,
    /// The platform it is restricted to: a `cfg(…)` expression or a target triple.
    pub target: Option<String>,
    /// Where it comes from; `None` is the registry of the package that declares it.
    pub source: Option<Source>,
}

/// What the index says of one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRelease {
    /// Its version.
    pub version: Version,
    /// SHA-256 of its archive, lower-case hex.
    pub checksum: String,
    /// What it depends on, in the order of the index.
    pub dependencies: Vec<Dependency>,
    /// Its features, with those of the second format merged in, without the
    /// implicit ones of optional dependencies.
    pub features: BTreeMap<String, Vec<String>>,
    /// The native library that it links.
    pub links: Option<String>,
    /// The oldest compiler it declares to support.
    pub rust_version: Option<String>,
}

/// The line of one release that is needed to judge time and withdrawal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseLine {
    /// Its version.
    pub version: Version,
    /// When it was published, where the index says so.
    pub published: Option<Timestamp>,
    /// Whether it is withdrawn.
    pub yanked: bool,
}

/// What the manifest in an archive says that the index does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFacts {
    /// The name of its library target, if it has one.
    pub library: Option<String>,
    /// Whether that library is a procedural macro.
    pub proc_macro: bool,
    /// The path of its build script inside of the archive.
    pub build_script: Option<String>,
    /// Its edition.
    pub edition: String,
}
