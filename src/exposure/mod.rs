//! Which revisions of which lock files ever held a release, and when: over
//! all commits that any branch or tag of a repository reaches. Judges nothing.
//!
//! Imports: pkg, host, snapshot.

mod history;
mod spans;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use semver::{Version, VersionReq};

use crate::host::Host;
use crate::pkg::Source;
use crate::snapshot::tree::GitError;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The package.
    pub package: String,
    /// The versions; all when not given. A pre-release counts as any other
    /// version: what is asked is what was held, not what would be chosen.
    pub versions: Option<VersionReq>,
}

/// One release in one lock file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The repository, as it was named.
    pub repository: PathBuf,
    /// The lock file's path in the repository.
    pub lock: String,
    /// The version.
    pub version: Version,
    /// Where it came from.
    pub source: Source,
    /// SHA-256 of its archive, where the lock file had one.
    pub checksum: Option<String>,
    /// The earliest commit time at which it came in.
    pub from: Timestamp,
    /// The latest commit time at which it went out; `None` while a branch or
    /// tag still holds it.
    pub to: Option<Timestamp>,
    /// The commits that hold it while no parent does, by time.
    pub entered: Vec<String>,
    /// The commits that do not hold it while a parent does, by time.
    pub left: Vec<String>,
    /// How many commits hold it.
    pub commits: usize,
    /// The branches and tags that hold it now, sorted.
    pub refs: Vec<String>,
}

/// The answer for one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was held, sorted.
    pub held: Vec<Held>,
    /// How many commits were looked at.
    pub commits: usize,
    /// How many different states of lock files were read.
    pub locks: usize,
    /// What could not be looked at, in words; empty when all of it was.
    pub gaps: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExposureError {
    /// The repository cannot be read.
    #[error("failed to read the history of `{}`", repository.display())]
    Git {
        /// The repository.
        repository: PathBuf,
        /// The reason.
        #[source]
        source: GitError,
    },
}

/// Looks through the whole history of one repository.
///
/// # Errors
/// When git does not answer. A lock file that cannot be read is a gap in the answer.
pub fn search(
    question: &Question,
    repository: &Path,
    host: &Host,
) -> Result<Answer, ExposureError> {
    let history =
        history::read(question, repository, host).map_err(|source| ExposureError::Git {
            repository: repository.to_owned(),
            source,
        })?;
    Ok(Answer {
        held: spans::of(&history, repository),
        commits: history.commits.len(),
        locks: history.locks,
        gaps: history.gaps,
    })
}
