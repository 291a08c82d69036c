//! Reads a repository: its commits, the lock files of each, and which releases
//! of the package in question each lock file holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use memchr::memmem;
use rayon::prelude::*;

use crate::host::Host;
use crate::pkg::Release;
use crate::snapshot::lock;
use crate::snapshot::tree::GitError;
use crate::snapshot::tree::git::history::{Commit, Touched};
use crate::snapshot::tree::git::{Git, Object};

use super::Question;

/// Lock files wherever they lie, those under build directories included.
const LOCK_FILES: &str = ":(glob)**/Cargo.lock";
/// How many lock files are in memory at once.
const BATCH: usize = 200;

/// One release in one lock file, by the path's place and the release.
pub(super) type Fact = (Arc<str>, Release);

/// What a repository's history says.
pub(super) struct History {
    /// All commits, parents before children.
    pub(super) commits: Vec<Commit>,
    /// What each of the commits holds.
    pub(super) holds: Vec<Arc<BTreeSet<Fact>>>,
    /// Branches and tags with the commit of each.
    pub(super) tips: Vec<(String, String)>,
    /// How many different states of lock files were read.
    pub(super) locks: usize,
    /// What could not be looked at.
    pub(super) gaps: Vec<String>,
}

pub(super) fn read(
    question: &Question,
    repository: &Path,
    host: &Host,
) -> Result<History, GitError> {
    let git = Git::at(host, repository)?;
    let commits = git.commits()?;
    let touched = git.touched(&commits, LOCK_FILES)?;
    let blobs: BTreeSet<&str> = touched
        .values()
        .flatten()
        .filter_map(|file| file.blob.as_deref())
        .collect();
    let mut gaps = Vec::new();
    if git.is_shallow()? {
        gaps.push(
            "this clone is shallow: commits before its edge were not looked at; `git fetch --unshallow` brings them"
                .to_owned(),
        );
    }
    let releases = releases(question, &git, &blobs, &mut gaps)?;
    let holds = follow(&commits, &touched, &releases);
    Ok(History {
        holds,
        tips: git.tips()?,
        locks: blobs.len(),
        commits,
        gaps,
    })
}

/// The releases of the package that each of the lock files holds.
fn releases(
    question: &Question,
    git: &Git<'_>,
    blobs: &BTreeSet<&str>,
    gaps: &mut Vec<String>,
) -> Result<BTreeMap<String, Vec<Release>>, GitError> {
    let mut found = BTreeMap::new();
    let ids: Vec<String> = blobs.iter().map(|id| (*id).to_owned()).collect();
    for batch in ids.chunks(BATCH) {
        let objects = git.objects(batch)?;
        let read: Vec<_> = batch
            .par_iter()
            .zip(objects)
            .map(|(id, object)| match object {
                Object::Found { content, .. } => (id, in_lock(question, &content)),
                Object::Missing | Object::Ambiguous => {
                    (id, Err("it is not in this clone".to_owned()))
                }
            })
            .collect();
        for (id, releases) in read {
            match releases {
                Ok(releases) => {
                    found.insert(id.clone(), releases);
                }
                Err(reason) => gaps.push(format!("the lock file {id} was not read: {reason}")),
            }
        }
    }
    Ok(found)
}

/// The releases of the package in one lock file.
fn in_lock(question: &Question, content: &[u8]) -> Result<Vec<Release>, String> {
    // Most lock files of a long history do not name the package at all.
    if memmem::find(content, question.package.as_bytes()).is_none() {
        return Ok(Vec::new());
    }
    let lock = lock::listed(content, "Cargo.lock").map_err(|error| error.to_string())?;
    let mut releases: Vec<Release> = lock
        .packages
        .into_iter()
        .filter(|package| package.id.name == question.package)
        .filter(|package| {
            question.versions.as_ref().is_none_or(|versions| {
                let mut version = package.id.version.clone();
                version.pre = semver::Prerelease::EMPTY;
                versions.matches(&package.id.version) || versions.matches(&version)
            })
        })
        .map(|package| Release {
            version: package.id.version,
            source: package.id.source,
            checksum: package.checksum,
        })
        .collect();
    releases.sort();
    // Collected in the room of all packages; thousands of states are kept.
    releases.shrink_to_fit();
    Ok(releases)
}

/// Carries the state of the lock files from parent to child.
fn follow(
    commits: &[Commit],
    touched: &BTreeMap<String, Vec<Touched>>,
    releases: &BTreeMap<String, Vec<Release>>,
) -> Vec<Arc<BTreeSet<Fact>>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut holds: Vec<Arc<BTreeSet<Fact>>> = Vec::with_capacity(commits.len());
    let nothing = Arc::new(BTreeSet::new());
    for (place, commit) in commits.iter().enumerate() {
        let before = commit
            .parents
            .first()
            .and_then(|parent| holds.get(*places.get(parent.as_str())?))
            .unwrap_or(&nothing);
        let now = match touched.get(&commit.id) {
            None => Arc::clone(before),
            Some(files) => changed(before, files, releases),
        };
        holds.push(now);
        places.insert(&commit.id, place);
    }
    holds
}

fn changed(
    before: &Arc<BTreeSet<Fact>>,
    files: &[Touched],
    releases: &BTreeMap<String, Vec<Release>>,
) -> Arc<BTreeSet<Fact>> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut now: BTreeSet<Fact> = before
        .iter()
        .filter(|(path, _)| !paths.contains(&**path))
        .cloned()
        .collect();
    for file in files {
        let held = file.blob.as_ref().and_then(|blob| releases.get(blob));
        let path: Arc<str> = file.path.as_str().into();
        now.extend(
            held.into_iter()
                .flatten()
                .map(|release| (Arc::clone(&path), release.clone())),
        );
    }
    if now == **before {
        Arc::clone(before)
    } else {
        Arc::new(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn what_is_kept_of_a_lock_file_is_no_larger_than_what_it_says() {
        let mut text = "version = 4\n".to_owned();
        for number in 0..300 {
            let _ = write!(
                text,
                "\n[[package]]\nname = \"p{number}\"\nversion = \"1.0.0\"\n"
            );
        }
        let question = Question {
            package: "p7".to_owned(),
            versions: None,
        };
        let releases = in_lock(&question, text.as_bytes()).unwrap();
        assert_eq!(releases.len(), 1);
        assert!(releases.capacity() < 4, "{}", releases.capacity());
    }
}
