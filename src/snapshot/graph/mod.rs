//! The resolved graph of one workspace: a `cargo metadata` document goes in,
//! packages with their places in the build come out. Simulates Cargo's feature
//! resolution through `guppy` and reads no file. All workspace members are
//! built, as with `cargo build --workspace`.
//!
//! Imports: pkg, facts.

mod assemble;
mod choice;
mod places;

use std::panic::{AssertUnwindSafe, catch_unwind};

use guppy::CargoMetadata;
use guppy::graph::PackageGraph;
use guppy::graph::cargo::CargoResolverVersion;

use super::lock::LockFile;
use super::{BuildSettings, GraphKind, Workspace};
use crate::pkg::PackageId;

/// Which of Cargo's feature resolvers a workspace uses
/// (<https://doc.rust-lang.org/cargo/reference/resolver.html#resolver-versions>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolver {
    /// Features are unified over all kinds and targets.
    V1,
    /// Features of build and dev dependencies and of other targets are kept apart.
    V2,
    /// As the second; differs in the choice of versions only.
    V3,
}

impl Resolver {
    /// The resolver that a root package of this edition uses when its manifest
    /// does not say.
    #[must_use]
    pub fn of_edition(edition: &str) -> Self {
        match edition {
            "2015" | "2018" => Self::V1,
            "2021" => Self::V2,
            _ => Self::V3,
        }
    }

    /// The resolver that a manifest's `resolver` key names.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        match key {
            "1" => Some(Self::V1),
            "2" => Some(Self::V2),
            "3" => Some(Self::V3),
            _ => None,
        }
    }

    fn to_guppy(self) -> CargoResolverVersion {
        match self {
            Self::V1 => CargoResolverVersion::V1,
            Self::V2 => CargoResolverVersion::V2,
            Self::V3 => CargoResolverVersion::V3,
        }
    }
}

/// Why a `cargo metadata` document gives no graph.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// It is no `cargo metadata` document, or contradicts itself.
    #[error("read the `cargo metadata` document of workspace `{workspace}`")]
    Metadata {
        /// The workspace's directory.
        workspace: String,
        /// What is wrong with it.
        #[source]
        source: Box<guppy::Error>,
    },
    /// The feature simulation refused it.
    #[error("resolve the features of workspace `{workspace}`")]
    Features {
        /// The workspace's directory.
        workspace: String,
        /// Why.
        #[source]
        source: Box<guppy::Error>,
    },
    /// No target triple was given.
    #[error("resolve workspace `{workspace}`: no target triple is given")]
    NoTargets {
        /// The workspace's directory.
        workspace: String,
    },
    /// A target triple that is not known.
    #[error("resolve for target `{triple}`: {detail}")]
    UnknownTarget {
        /// The triple.
        triple: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A package's source has a form that Cargo does not write.
    #[error("read package `{package}` of the `cargo metadata` document")]
    Source {
        /// Its name.
        package: String,
        /// What is wrong with it.
        #[source]
        source: crate::pkg::SourceError,
    },
    /// Two packages have the same name, version and source.
    #[error(
        "read the `cargo metadata` document of workspace `{workspace}`: `{package}` occurs twice"
    )]
    Twice {
        /// The workspace's directory.
        workspace: String,
        /// The package.
        package: Box<PackageId>,
    },
    /// The simulation failed on a document that it should have refused.
    #[error("resolve workspace `{workspace}`: the feature simulation broke off")]
    BrokeOff {
        /// The workspace's directory.
        workspace: String,
    },
}

/// Resolves a `cargo metadata` document (made with `--all-features`) for the
/// builds that are shipped.
///
/// `lock` adds checksums, lines and the packages that the document does not
/// have. `resolver` is not part of the document: `None` takes the one that the
/// edition of the root package (without one, the newest edition of a member)
/// stands for, and leaves a gap that says so. The first target counts as the
/// machine that builds.
///
/// # Errors
/// When the document is malformed or a target is not known.
pub fn resolve(
    metadata_json: &str,
    lock: Option<&LockFile>,
    workspace_path: &str,
    kind: GraphKind,
    resolver: Option<Resolver>,
    settings: &BuildSettings,
) -> Result<Workspace, GraphError> {
    // The simulation has assertions over its input; a hostile document must not
    // end the process.
    let work = AssertUnwindSafe(|| {
        resolve_checked(
            metadata_json,
            lock,
            workspace_path,
            kind,
            resolver,
            settings,
        )
    });
    catch_unwind(work).unwrap_or_else(|_| {
        Err(GraphError::BrokeOff {
            workspace: workspace_path.to_owned(),
        })
    })
}

fn resolve_checked(
    metadata_json: &str,
    lock: Option<&LockFile>,
    workspace_path: &str,
    kind: GraphKind,
    resolver: Option<Resolver>,
    settings: &BuildSettings,
) -> Result<Workspace, GraphError> {
    let graph = parse(metadata_json, workspace_path)?;
    let mut gaps = Vec::new();
    let resolver = resolver.unwrap_or_else(|| choice::guess_resolver(&graph, &mut gaps));
    let initials = choice::initials(&graph, &settings.features, &mut gaps);
    let skeleton = assemble::skeleton(&graph, lock, workspace_path, kind)?;
    let places = places::places(
        &graph,
        &initials,
        resolver,
        &settings.targets,
        &skeleton,
        workspace_path,
    )?;
    let mut workspace = skeleton.into_workspace(places, workspace_path, kind);
    workspace.gaps = gaps;
    Ok(workspace)
}

fn parse(metadata_json: &str, workspace_path: &str) -> Result<PackageGraph, GraphError> {
    let wrong = |source| GraphError::Metadata {
        workspace: workspace_path.to_owned(),
        source: Box::new(source),
    };
    CargoMetadata::parse_json(metadata_json)
        .map_err(wrong)?
        .build_graph()
        .map_err(wrong)
}

/// The key in a package's `metadata` table by which the direct way says how
/// much of the package it has read. Honoured for [`GraphKind::Direct`] only.
pub(in crate::snapshot) const READ_MARK: &str = "cargo-canary-read";
/// Only the lock file's entry was read.
pub(in crate::snapshot) const READ_LOCK: &str = "lock";
/// The index entry was read, the manifest was not.
pub(in crate::snapshot) const READ_INDEX: &str = "index";
