//! Which commits changed a lock file, newest first.

use std::path::Path;

use jiff::Timestamp;

use super::ReplayError;
use crate::host::Host;
use crate::snapshot::tree::git::Git;
use crate::snapshot::tree::git::history::Commit;
use crate::snapshot::{self, BuildName};

/// Lock files wherever they lie.
const LOCK_FILES: &str = ":(glob)**/Cargo.lock";
/// How many commits are looked at in one go.
const BATCH: usize = 2_000;

/// One commit that changed a lock file against its first parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) commit: String,
    pub(super) parent: String,
    pub(super) time: Timestamp,
    pub(super) subject: String,
}

/// What a branch says of its past.
pub(super) struct Past {
    /// The commit at its tip.
    pub(super) tip: String,
    /// The newest ones first, at most as many as asked for.
    pub(super) steps: Vec<Step>,
    /// How many commits were looked at.
    pub(super) commits: usize,
    /// Whether the history is cut off before the first commit.
    pub(super) shallow: bool,
}

pub(super) fn read(
    revision: &str,
    limit: usize,
    repository: &Path,
    host: &Host,
) -> Result<Past, ReplayError> {
    let name = BuildName::Named(format!("git:{revision}"));
    let opened = snapshot::open(&name, repository, host);
    let opened = opened.map_err(|source| ReplayError::Revision(Box::new(source)))?;
    let tip = opened.commit().unwrap_or_default().to_owned();
    let git = Git::at(host, repository)?;
    let commits = git.first_parents(&tip)?;
    let mut found: Vec<&Commit> = Vec::new();
    let mut looked_at = 0;
    for batch in commits.chunks(BATCH) {
        let touched = git.touched(batch, LOCK_FILES)?;
        for commit in batch {
            looked_at += 1;
            // What has nothing before it changes nothing.
            if touched.contains_key(&commit.id) && !commit.parents.is_empty() {
                found.push(commit);
            }
            if found.len() == limit {
                break;
            }
        }
        if found.len() == limit {
            break;
        }
    }
    let ids: Vec<String> = found.iter().map(|commit| commit.id.clone()).collect();
    let subjects = git.subjects(&ids)?;
    let steps = found
        .into_iter()
        .zip(subjects)
        .map(|(commit, subject)| Step {
            commit: commit.id.clone(),
            parent: commit.parents.first().cloned().unwrap_or_default(),
            time: Timestamp::from_second(commit.time).unwrap_or_default(),
            subject,
        });
    Ok(Past {
        tip,
        steps: steps.collect(),
        commits: looked_at,
        shallow: git.is_shallow()?,
    })
}
