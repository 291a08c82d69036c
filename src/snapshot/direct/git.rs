//! The repositories of git dependencies, as Cargo keeps them below its home.
//! Nothing is checked out and nothing is fetched.

use std::path::{Path, PathBuf};

use crate::facts::{FactKind, Gap, GapReason};
use crate::host::Host;
use crate::snapshot::tree::git::Git;
use crate::snapshot::tree::{GitTree, TreeError};

/// Opens the repository of a git source at its locked commit, from Cargo's own
/// store.
pub(super) fn open<'h>(host: &'h Host, url: &str, rev: &str) -> Result<GitTree<'h>, Gap> {
    let gap = |reason, detail: String| Gap {
        fact: FactKind::Manifest,
        reason,
        detail,
    };
    // It becomes an argument of git.
    if rev.len() < 40 || !rev.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let detail = format!("the locked commit `{}` is not one", rev.escape_debug());
        return Err(gap(GapReason::Malformed, detail));
    }
    let Some(home) = host.env.cargo_home() else {
        let detail = "there is no Cargo home to look for git dependencies in".to_owned();
        return Err(gap(GapReason::OfflineAndNotCached, detail));
    };
    let store = home.join("git").join("db");
    let mut failed = None;
    for repository in repositories(host, &store, url) {
        match Git::at(host, &repository)
            .map_err(TreeError::from)
            .and_then(|git| GitTree::open(git, rev))
        {
            Ok(tree) => return Ok(tree),
            Err(error) => failed = Some(error),
        }
    }
    let commit = rev.get(..12).unwrap_or(rev);
    let why = failed
        .map(|error| format!(" ({error})"))
        .unwrap_or_default();
    Err(gap(
        GapReason::OfflineAndNotCached,
        format!("Cargo's store lacks commit {commit} of it{why}; `cargo fetch` puts it there"),
    ))
}

/// The repositories in Cargo's store that may be the one of this URL: they are
/// named after the last part of its path.
fn repositories(host: &Host, store: &Path, url: &str) -> Vec<PathBuf> {
    let url = url.trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url);
    let last = url.rsplit(['/', ':']).next().unwrap_or("").to_lowercase();
    let entries = host.files.list(store).unwrap_or_default();
    entries
        .into_iter()
        .filter(|entry| {
            let name = entry.name.to_string_lossy().to_lowercase();
            name.rsplit_once('-')
                .is_some_and(|(ident, _)| ident == last)
        })
        .map(|entry| store.join(entry.name))
        .collect()
}
