//! What was published: the index entries of crates with their publish times
//! and withdrawals, and the manifests inside of archives. Reads Cargo's own
//! caches, then a cache of its own, then the network. Judges nothing.
//!
//! Imports: pkg, host, facts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use semver::{Version, VersionReq};

use crate::pkg::{DependencyKind, Source};

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
