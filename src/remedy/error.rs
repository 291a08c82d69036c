//! Why there is no answer.

use crate::audit::AuditError;
use crate::lockfile::MixtureError;
use crate::snapshot::LoadError;
use crate::snapshot::clean_room::CleanRoomError;
use crate::snapshot::tree::GitError;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RemedyError {
    /// The builds cannot be compared.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A build cannot be read.
    #[error("failed to read the {side}")]
    Load {
        /// Which one.
        side: &'static str,
        /// The reason.
        #[source]
        source: Box<LoadError>,
    },
    /// A build has no lock file at its root.
    #[error("the {side} has no Cargo.lock at its root")]
    NoLock {
        /// Which one.
        side: &'static str,
    },
    /// A lock file cannot be read.
    #[error("{detail}")]
    Lock {
        /// What is wrong with it.
        detail: String,
    },
    /// The lock files cannot be mixed.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// Nothing of that name changed.
    #[error("`{name}` did not change between these builds")]
    NoSuchChange {
        /// What was asked for.
        name: String,
        /// The packages that changed, sorted.
        changed: Vec<String>,
    },
    /// No release moved between the lock files.
    #[error("no package of others moved between the two lock files")]
    NothingMoved,
    /// The clean room broke down in the middle.
    #[error("failed to ask cargo")]
    CleanRoom(#[from] CleanRoomError),
    /// Git cannot make the branch.
    #[error("failed to make the branch `{}`", name.escape_debug())]
    Branch {
        /// The branch.
        name: String,
        /// The reason.
        #[source]
        source: GitError,
    },
}
