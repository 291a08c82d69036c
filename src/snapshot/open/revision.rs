//! Revisions by name, and what to say when there is none.

use std::path::Path;

use jiff::Timestamp;

use super::LoadError;
use crate::host::Host;
use crate::snapshot::tree::GitError;
use crate::snapshot::tree::git::{Git, Object};

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: String,
    /// The committer's time.
    pub(super) time: Option<Timestamp>,
}

/// The base that is meant when none is named.
pub(super) struct MergeBase<'h> {
    pub(super) git: Git<'h>,
    pub(super) commit: Commit,
    pub(super) given: String,
    pub(super) is_head: bool,
}

/// What [`commits`] says of one name.
enum Lookup {
    Found(Commit),
    Missing,
    Ambiguous,
}

/// The commit that a revision names.
pub(super) fn find<'h>(
    revision: &str,
    given: &str,
    repository: &Path,
    host: &'h Host,
) -> Result<(Git<'h>, Commit), LoadError> {
    let no_repository = |source| LoadError::NoRepository {
        given: given.to_owned(),
        source,
    };
    let git = Git::at(host, repository).map_err(no_repository)?;
    // A line end would make two names of it; git allows none in a name.
    let is_name = !revision.is_empty() && !revision.chars().any(char::is_control);
    let found = if is_name {
        let found = commits(&git, &[revision]).map_err(|source| match source {
            GitError::NotARepository { .. } => no_repository(source),
            GitError::NotInstalled
            | GitError::Process { .. }
            | GitError::Failed { .. }
            | GitError::Unexpected { .. } => LoadError::Git { source },
        })?;
        found.into_iter().next().unwrap_or(Lookup::Missing)
    } else {
        Lookup::Missing
    };
    match found {
        Lookup::Found(commit) => Ok((git, commit)),
        Lookup::Ambiguous => Err(LoadError::AmbiguousRevision {
            given: given.to_owned(),
        }),
        Lookup::Missing => Err(LoadError::NoRevision {
            given: given.escape_debug().to_string(),
            repository: repository.to_owned(),
            near: near(revision, &git.references()),
            shallow: git
                .is_shallow()
                .map_err(|source| LoadError::Git { source })?,
        }),
    }
}

/// The merge base of `HEAD` with the remote's default branch.
pub(super) fn merge_base<'h>(
    repository: &Path,
    host: &'h Host,
) -> Result<MergeBase<'h>, LoadError> {
    const DEFAULT: &str = "refs/remotes/origin/HEAD";
    const NAMES: [&str; 3] = [
        DEFAULT,
        "refs/remotes/origin/main",
        "refs/remotes/origin/master",
    ];
    let failed = |source| LoadError::Git { source };
    let git = Git::at(host, repository).map_err(failed)?;
    let mut found = commits(&git, &["HEAD", NAMES[0], NAMES[1], NAMES[2]])
        .map_err(failed)?
        .into_iter();
    let Some(Lookup::Found(head)) = found.next() else {
        return Err(LoadError::NoRevision {
            given: "HEAD".to_owned(),
            repository: repository.to_owned(),
            near: Vec::new(),
            shallow: git.is_shallow().map_err(failed)?,
        });
    };
    let branch = NAMES
        .into_iter()
        .zip(found)
        .find_map(|(name, found)| match found {
            Lookup::Found(commit) => Some((name, commit)),
            Lookup::Missing | Lookup::Ambiguous => None,
        });
    let Some((name, tip)) = branch else {
        return Err(LoadError::NoDefaultBranch {
            tried: NAMES.iter().map(|name| short(name).to_owned()).collect(),
            shallow: git.is_shallow().map_err(failed)?,
        });
    };
    let target = if name == DEFAULT {
        git.symbolic_ref(name).map_err(failed)?
    } else {
        None
    };
    let branch = short(target.as_deref().unwrap_or(name)).to_owned();
    let Some(base) = git.merge_base(&head.id, &tip.id).map_err(failed)? else {
        return Err(LoadError::NoMergeBase {
            branch,
            shallow: git.is_shallow().map_err(failed)?,
        });
    };
    let commit = match [&head, &tip].into_iter().find(|commit| commit.id == base) {
        Some(known) => known.clone(),
        None => match commits(&git, &[&base]).map_err(failed)?.into_iter().next() {
            Some(Lookup::Found(commit)) => commit,
            _ => Commit {
                id: base,
                time: None,
            },
        },
    };
    let is_head = commit.id == head.id;
    Ok(MergeBase {
        git,
        commit,
        given: format!("merge base of HEAD and {branch}"),
        is_head,
    })
}

/// Looks up commits by name, by one process. The names go to standard input,
/// where none can be taken for an option.
fn commits(git: &Git<'_>, names: &[&str]) -> Result<Vec<Lookup>, GitError> {
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("{name}^{{commit}}"))
        .collect();
    let objects = git.objects(&names)?;
    Ok(objects
        .into_iter()
        .map(|object| match object {
            Object::Found { id, content, .. } => Lookup::Found(Commit {
                id,
                time: committed(&content),
            }),
            Object::Missing => Lookup::Missing,
            Object::Ambiguous => Lookup::Ambiguous,
        })
        .collect())
}

/// The committer's time in a commit object.
fn committed(content: &[u8]) -> Option<Timestamp> {
    let header = content
        .split(|&b| b == b'\n')
        .take_while(|line| !line.is_empty());
    let line = header
        .into_iter()
        .find(|line| line.starts_with(b"committer "))?;
    let line = String::from_utf8_lossy(line);
    let (_, times) = line.rsplit_once("> ")?;
    let seconds = times.split(' ').next()?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// A reference as one would type it.
fn short(reference: &str) -> &str {
    ["refs/heads/", "refs/tags/", "refs/remotes/"]
        .iter()
        .find_map(|prefix| reference.strip_prefix(prefix))
        .unwrap_or(reference)
}

/// References that may have been meant: the same branch of a remote, then
/// those that differ in a few characters.
fn near(name: &str, references: &[String]) -> Vec<String> {
    const MOST: usize = 3;
    const LONGEST: usize = 100;
    let wanted = name
        .trim_end_matches(['^', '~'])
        .split(['~', '^', '@', ':'])
        .next()
        .unwrap_or(name);
    let last = wanted.rsplit('/').next().unwrap_or(wanted);
    if wanted.is_empty() || wanted.len() > LONGEST {
        return Vec::new();
    }
    let mut found: Vec<(usize, &str)> = references
        .iter()
        .map(|reference| short(reference))
        .filter(|reference| reference.len() <= LONGEST)
        .filter_map(|reference| {
            let end = reference.rsplit('/').next().unwrap_or(reference);
            let allowed = (wanted.chars().count() / 2).clamp(1, 3);
            let far = distance(wanted, reference).min(distance(last, end) + 1);
            (far <= allowed || end == last).then_some((far, reference))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST);
    found
        .into_iter()
        .map(|(_, reference)| reference.to_owned())
        .collect()
}

/// How many characters must be put in, taken out or exchanged.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            left = (above + 1)
                .min(left + 1)
                .min(diagonal + usize::from(x != *y));
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let references = [
            "refs/heads/main",
            "refs/remotes/origin/release-2",
            "refs/tags/v1.2.0",
        ]
        .map(str::to_owned);
        assert_eq!(near("mian", &references), ["main"]);
        assert_eq!(near("maim", &references), ["main"]);
        assert_eq!(near("release-2", &references), ["origin/release-2"]);
        assert_eq!(near("v1.2.1~3", &references), ["v1.2.0"]);
        assert!(near("something", &references).is_empty());
        assert!(near("", &references).is_empty());
    }

    #[test]
    fn distances_count_single_characters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn the_commit_time_is_the_committers() {
        let text = b"tree aa\nauthor A <a@x> 1 +0000\ncommitter B> <b@x> 1700000000 +0200\n\ncommitter C <c> 5 +0000\n";
        assert_eq!(
            committed(text).map(|time| time.as_second()),
            Some(1_700_000_000)
        );
        assert_eq!(committed(b"tree aa\n\ncommitter C <c> 5 +0000\n"), None);
    }
}
