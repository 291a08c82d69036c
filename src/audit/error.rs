//! Why there is no audit.

use std::path::PathBuf;

use crate::incidents::CatalogueError;
use crate::policy::PolicyError;
use crate::risk::ModelError;
use crate::snapshot::LoadError;

/// Why there is no audit.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The base cannot be read.
    #[error("failed to read the base")]
    Base {
        /// The reason.
        #[source]
        source: Box<LoadError>,
    },
    /// The head cannot be read.
    #[error("failed to read the head")]
    Head {
        /// The reason.
        #[source]
        source: Box<LoadError>,
    },
    /// The policy file cannot be read.
    #[error("failed to read the policy `{}`", path.display())]
    PolicyFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The policy of the base cannot be read.
    #[error("failed to read the policy of the base")]
    PolicyOfBase {
        /// The reason.
        #[source]
        source: Box<LoadError>,
    },
    /// There is no such built-in policy.
    #[error("there is no built-in policy `{name}`")]
    NoBuiltIn {
        /// The name asked for.
        name: String,
    },
    /// The policy is not valid.
    #[error("the policy is not valid")]
    Policy(#[source] PolicyError),
    /// The repository's incident files are not valid.
    #[error("failed to read the incidents of the base")]
    Incidents(#[source] CatalogueError),
    /// The risk model that comes with the program is broken.
    #[error("failed to read the risk model")]
    Model(#[source] ModelError),
}
