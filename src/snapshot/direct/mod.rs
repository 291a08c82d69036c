//! What `cargo metadata --all-features --locked` would have said of a
//! workspace, put together from the lock file, the tree's manifests and the
//! registry's index. Runs nothing but git's plumbing on Cargo's own store, reads
//! nothing outside of the tree and the caches, and does not choose versions:
//! the lock file has done that.
//!
//! Imports: pkg, host, facts, registry.

mod document;
mod edges;
mod git;
mod manifest;
mod names;
mod nodes;
mod package;
mod paths;
mod published;
mod workspace;

use std::collections::BTreeSet;

use super::graph::Resolver;
use super::lock::LockFile;
use super::tree::Tree;
use crate::facts::Gap;
use crate::host::Host;
use crate::pkg::PackageId;

pub use published::Published;
pub(super) use published::prefetch;

use workspace::{Manifests, Members};

/// A `cargo metadata` document that was put together without Cargo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectMetadata {
    /// The document. Its paths lie in a directory that does not exist.
    pub json: String,
    /// The workspace's feature resolver, which the document has no place for.
    pub resolver: Resolver,
    /// What could not be read, by package where it concerns one.
    pub gaps: Vec<(Option<PackageId>, Gap)>,
}

/// What the direct way does not cover.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    /// A directory that has to be a package has no manifest.
    #[error("find `{path}`")]
    NoManifest {
        /// The manifest's path below the tree's root.
        path: String,
    },
    /// A manifest cannot be read.
    #[error("read `{path}`: {detail}")]
    Manifest {
        /// Its path below the tree's root.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The manifest beside the lock file belongs to another workspace.
    #[error("read `{path}` as the root of a workspace: its workspace is `{root}`")]
    NotARoot {
        /// Its path below the tree's root.
        path: String,
        /// The directory that it names as its workspace.
        root: String,
    },
    /// A member lies outside of the tree.
    #[error("read `{root}`: the workspace member `{member}` lies outside of the tree")]
    OutsideMember {
        /// The root manifest's path below the tree's root.
        root: String,
        /// The entry of `members`.
        member: String,
    },
    /// Manifests and lock file contradict each other; Cargo would refuse
    /// `--locked`.
    #[error("match the manifests of workspace `{workspace}` with its lock file, which is out of date: {}", .details.join("; "))]
    LockOutOfDate {
        /// The workspace's directory below the tree's root.
        workspace: String,
        /// Each contradiction, with the package it is about.
        details: Vec<String>,
    },
    /// The document cannot be written.
    #[error("write the document of workspace `{workspace}`")]
    Write {
        /// The workspace's directory below the tree's root.
        workspace: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Puts the document of one workspace together.
///
/// `workspace_dir` is the directory of the lock file below the tree's root, `.`
/// for the root. Packages that cannot be read (a path out of the tree, a git
/// repository or an index entry that is not at hand) keep the dependencies that
/// the lock file gives them, as if all were normal ones, and leave a gap.
///
/// # Errors
/// When the workspace's own manifests cannot be read, or contradict the lock file.
pub fn metadata(
    tree: &dyn Tree,
    workspace_dir: &str,
    lock: &LockFile,
    published: &dyn Published,
    host: &Host,
) -> Result<DirectMetadata, DirectError> {
    let (dir, manifests, members) = open(tree, workspace_dir)?;
    let resolver = resolver(&manifests, &members, &dir)?;
    let mut gaps = Vec::new();
    let nodes = nodes::Nodes {
        manifests: &manifests,
        members: &members,
        dir: &dir,
        lock,
    }
    .all(published, host, &mut gaps)?;
    let json = document::write(&nodes, &dir).map_err(|source| DirectError::Write {
        workspace: workspace_dir.to_owned(),
        source,
    })?;
    gaps.sort();
    gaps.dedup();
    Ok(DirectMetadata {
        json,
        resolver,
        gaps,
    })
}

/// The feature resolver that a workspace's root manifest asks for. A
/// `cargo metadata` document does not name it.
///
/// # Errors
/// When the root manifest cannot be read.
pub fn resolver_of(tree: &dyn Tree, workspace_dir: &str) -> Result<Resolver, DirectError> {
    let (dir, manifests, members) = open(tree, workspace_dir)?;
    resolver(&manifests, &members, &dir)
}

/// The directories of the members of a workspace, below the tree's root.
///
/// # Errors
/// When a manifest of the workspace cannot be read.
pub fn member_dirs(tree: &dyn Tree, workspace_dir: &str) -> Result<BTreeSet<String>, DirectError> {
    open(tree, workspace_dir).map(|(_, _, members)| members.dirs)
}

fn open<'t>(
    tree: &'t dyn Tree,
    workspace_dir: &str,
) -> Result<(String, Manifests<'t>, Members), DirectError> {
    let dir = paths::join("", workspace_dir).ok_or_else(|| DirectError::NoManifest {
        path: format!("{workspace_dir}/Cargo.toml"),
    })?;
    let manifests = Manifests::new(tree, &dir);
    let members = workspace::members(&manifests, &dir)?;
    Ok((dir, manifests, members))
}

fn resolver(
    manifests: &Manifests<'_>,
    members: &Members,
    dir: &str,
) -> Result<Resolver, DirectError> {
    let root = &members.root;
    let key = root
        .workspace
        .as_ref()
        .and_then(|workspace| workspace.resolver.as_ref())
        .or_else(|| {
            root.package
                .as_ref()
                .and_then(|package| package.resolver.as_ref())
        });
    if let Some(key) = key {
        return Resolver::from_key(key).ok_or_else(|| DirectError::Manifest {
            path: paths::file(dir, "Cargo.toml"),
            detail: format!("resolver `{key}` is none of 1, 2, 3"),
        });
    }
    // A virtual workspace has no edition of its own.
    let package = package::read(manifests, dir, false)?;
    Ok(package.map_or(Resolver::V1, |package| {
        Resolver::of_edition(&package.body.edition)
    }))
}
