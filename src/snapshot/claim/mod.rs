//! What an artifact says that it is made of: an executable with the list that
//! `cargo auditable` puts into it, or a CycloneDX SBOM. Such a list is a claim.
//! Where there is a lock file beside the artifact, the claim is held against
//! it, and what the lock file does not have is said; where there is none, that
//! is said.
//!
//! Imports: pkg, facts.

mod auditable;
mod cyclonedx;
mod graph;

use crate::pkg::PackageId;

use super::Workspace;
use super::lock::LockFile;

/// A list may decompress to this many bytes. That of a large program has 100 KiB.
const LIST_LIMIT: usize = 16 * 1024 * 1024;
/// A list may have this many packages.
const MOST_PACKAGES: usize = 100_000;
/// A list may have this many dependencies.
const MOST_EDGES: usize = 2_000_000;

/// Which kind of artifact it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Artifact {
    /// An ELF, PE or Mach-O file.
    Executable,
    /// A CycloneDX document in JSON.
    Sbom,
}

/// Why an artifact's list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The executable carries no list.
    #[error("this executable carries no list of its packages")]
    NoList,
    /// The list in an executable is damaged, or larger than the limit.
    #[error("the list of packages in this executable cannot be read: {reason}")]
    Unreadable {
        /// The reason.
        reason: String,
    },
    /// The document is not the JSON of an SBOM.
    #[error("the SBOM is not well-formed")]
    Json {
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// The document has a version whose fields are not known here.
    #[error("the SBOM is of CycloneDX version `{version}`; 1.3 to 1.7 can be read")]
    Version {
        /// The version that it names.
        version: String,
    },
    /// The list names no Rust package.
    #[error("it names no Rust package")]
    Empty,
    /// There are more packages or dependencies than any real list has.
    #[error("it has more than {limit} {what}")]
    TooMany {
        /// Packages or dependencies.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

/// One package as an artifact claims it.
struct Claimed {
    id: PackageId,
    checksum: Option<String>,
    /// It is what was built.
    root: bool,
    /// It is compiled for the build only.
    build_only: bool,
    /// The artifact does not name the place that the package comes from.
    vague_source: bool,
    /// Places of its dependencies in the list; some may be nowhere.
    dependencies: Vec<usize>,
}

/// Which artifact these bytes are, by their beginning.
#[must_use]
pub fn detect(bytes: &[u8]) -> Option<Artifact> {
    let executable = bytes.starts_with(b"\x7fELF")
        || bytes.starts_with(b"MZ")
        || [
            b"\xfe\xed\xfa\xce",
            b"\xfe\xed\xfa\xcf",
            b"\xce\xfa\xed\xfe",
            b"\xcf\xfa\xed\xfe",
        ]
        .iter()
        .any(|magic| bytes.starts_with(*magic));
    if executable {
        return Some(Artifact::Executable);
    }
    cyclonedx::is_one(bytes).then_some(Artifact::Sbom)
}

/// What a list holds besides packages.
pub(super) struct Read {
    /// The graph of the claimed packages.
    pub(super) workspace: Workspace,
    /// What the list names that is no Rust package, in words.
    pub(super) left_out: Option<String>,
}

/// The graph that an artifact claims, held against the lock file beside it.
///
/// # Errors
/// See [`ClaimError`].
pub(super) fn read(
    artifact: Artifact,
    bytes: &[u8],
    lock: Option<&LockFile>,
) -> Result<Read, ClaimError> {
    let (packages, left_out) = match artifact {
        Artifact::Executable => (auditable::packages(bytes)?, None),
        Artifact::Sbom => cyclonedx::packages(bytes)?,
    };
    if packages.is_empty() {
        return Err(ClaimError::Empty);
    }
    if packages.len() > MOST_PACKAGES {
        return Err(ClaimError::TooMany {
            what: "packages",
            limit: MOST_PACKAGES,
        });
    }
    let edges: usize = packages
        .iter()
        .map(|package| package.dependencies.len())
        .sum();
    if edges > MOST_EDGES {
        return Err(ClaimError::TooMany {
            what: "dependencies",
            limit: MOST_EDGES,
        });
    }
    Ok(Read {
        workspace: graph::workspace(packages, lock),
        left_out,
    })
}
