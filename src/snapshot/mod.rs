//! One state of the dependency graph, from any of the inputs: a git revision,
//! a directory, a lock file, a `cargo metadata` document, an executable or an
//! SBOM. Parsing is pure,
//! loading is thin. Runs git's plumbing, and cargo only in a clean room; runs
//! nothing that the audited tree can choose.
//!
//! Imports: pkg, host, facts, registry.

pub mod lock;
pub mod tree;
pub mod lock_only;
pub mod graph;
pub mod direct;
pub mod clean_room;
pub mod claim;
mod open;
mod load;
mod routes;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use semver::VersionReq;

use crate::facts::Gap;
use crate::pkg::{DependencyKind, PackageId};

pub use load::{Routes, load_by};
pub use open::{LoadError, Opened, RouteError, ensure_distinct, open};
pub use routes::{load, load_both};

/// How a build was named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildName {
    /// The files as they are in the repository's directory.
    Worktree,
    /// Anything else: an existing path wins over a revision, `git:NAME` forces a revision.
    Named(String),
    /// The merge base of `HEAD` with the remote's default branch.
    MergeBase,
}

/// What kind of input a build turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputKind {
    /// A git revision.
    Git,
    /// The files of the repository as they are.
    Worktree,
    /// A directory.
    Directory,
    /// A single lock file.
    Lock,
    /// A `cargo metadata` document.
    Metadata,
    /// An executable with a list of its packages.
    Executable,
    /// A CycloneDX document.
    Sbom,
}

impl InputKind {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Worktree => "worktree",
            Self::Directory => "directory",
            Self::Lock => "lock",
            Self::Metadata => "metadata",
            Self::Executable => "executable",
            Self::Sbom => "sbom",
        }
    }
}

/// Which build was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// As it was named.
    pub given: String,
    /// What it turned out to be.
    pub kind: InputKind,
    /// The commit, for a git revision.
    pub commit: Option<String>,
    /// `sha256:…` over the canonical form of the graph's packages
    /// (name, version, source, checksum, dependencies), so that two inputs with the
    /// same packages have the same digest.
    pub digest: String,
}

/// How the graph was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GraphKind {
    /// From lock file, manifests and index entries.
    Direct,
    /// By cargo, in a clean room.
    Cargo,
    /// From the lock file alone: no features, no targets, no host side.
    LockOnly,
    /// From a `cargo metadata` document that was handed in.
    Metadata,
    /// From what an executable or an SBOM says of itself: no features, no targets.
    Claim,
}

impl GraphKind {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Cargo => "cargo",
            Self::LockOnly => "lock-only",
            Self::Metadata => "metadata",
            Self::Claim => "claim",
        }
    }
}

/// Which way to the graph is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GraphMode {
    /// The direct way, with cargo where the direct way does not suffice.
    #[default]
    Auto,
    /// The direct way only.
    Direct,
    /// Cargo, in a clean room.
    Cargo,
    /// The lock file alone.
    LockOnly,
}

/// Which features of the workspace members are built.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum FeatureChoice {
    /// The `default` feature.
    #[default]
    Default,
    /// Every feature.
    All,
    /// None.
    None,
    /// `default` and these; `member/feature` restricts one to a member.
    DefaultAnd(BTreeSet<String>),
    /// These and not `default`.
    Only(BTreeSet<String>),
}

/// The builds that are shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSettings {
    /// Target triples, sorted.
    pub targets: Vec<String>,
    /// Features of the workspace members.
    pub features: FeatureChoice,
}

/// Where in a build a package is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Into what is shipped.
    Target,
    /// Into build scripts and procedural macros, which run on the build machine.
    Host,
    /// Into tests, examples and benchmarks only.
    Dev,
    /// It is in the lock file, and compiled for none of the targets.
    Unbuilt,
}

impl Role {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Host => "host",
            Self::Dev => "dev",
            Self::Unbuilt => "unbuilt",
        }
    }
}

/// Where a package stands in the builds that are shipped.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Placement {
    /// Whether a workspace member depends on it directly.
    pub direct: bool,
    /// What it is compiled into; `Dev` only when neither `Target` nor `Host`;
    /// `Unbuilt` only alone.
    pub roles: BTreeSet<Role>,
    /// The triples for which it is compiled into the target or the host side.
    pub targets: BTreeSet<String>,
    /// The workspace members that need it, by name. Packages that are needed by
    /// the same members share one set.
    pub members: Arc<BTreeSet<String>>,
    /// Its features on the target side.
    pub target_features: BTreeSet<String>,
    /// Its features on the host side.
    pub host_features: BTreeSet<String>,
    /// Whether all this is resolved (`true`), or assumed from a lock file alone.
    pub resolved: bool,
}

impl Placement {
    /// Whether it is compiled into something that is shipped or that runs on
    /// the build machine.
    #[must_use]
    pub fn is_built(&self) -> bool {
        self.roles.contains(&Role::Target) || self.roles.contains(&Role::Host)
    }
}

/// One package of a workspace's graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name, version and source.
    pub id: PackageId,
    /// SHA-256 of its archive, where the lock file has one.
    pub checksum: Option<String>,
    /// Whether it is a workspace member.
    pub member: bool,
    /// What it depends on, sorted by the index of the other package.
    pub edges: Vec<Edge>,
    /// Where it stands in the build.
    pub placement: Placement,
    /// What its manifest says, where it was read.
    pub manifest: Option<PackageManifest>,
}

/// What a package's manifest says and its lock entry does not.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PackageManifest {
    /// It has a build script.
    pub build_script: bool,
    /// It is a procedural macro.
    pub proc_macro: bool,
    /// The native library that it links.
    pub links: Option<String>,
}

/// One dependency of one package on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The other package's place in [`Workspace::packages`].
    pub to: usize,
    /// The sections that ask for it; empty when only the lock file was read.
    pub kinds: BTreeSet<DependencyKind>,
    /// The requirements that the declarations state; empty when only the lock file was read.
    pub reqs: Vec<VersionReq>,
}

/// One workspace: one lock file and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its directory below the root, `.` for the root itself.
    pub path: String,
    /// How its graph was built.
    pub graph: GraphKind,
    /// Its packages, sorted by id.
    pub packages: Vec<Package>,
    /// The line of each package in the lock file, one-based, by place in `packages`;
    /// empty when there is no lock file.
    pub lock_lines: Vec<u32>,
    /// What could not be learnt, by package where it concerns one.
    pub gaps: Vec<(Option<PackageId>, Gap)>,
}

/// A workspace or lock file that is not part of the snapshot, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotCovered {
    /// Its path below the root.
    pub path: String,
    /// Why, in words.
    pub reason: String,
}

/// One state of the dependency graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Which build it is.
    pub input: Input,
    /// Its workspaces, sorted by path.
    pub workspaces: Vec<Workspace>,
    /// What was found and left out, sorted.
    pub not_covered: Vec<NotCovered>,
}

/// Requirements by the package that declares them, for a graph that was built
/// without them.
pub type DeclaredRequirements = BTreeMap<PackageId, Vec<crate::registry::Dependency>>;
