//! Two builds that are one by accident are an error, never an empty diff.
//!
//! Two revisions that are the same commit, or two paths that are the same
//! place, have been named by mistake. A revision and the files as they are may
//! well be equal: who names `HEAD` as the base asks what is not committed, and
//! "nothing" is an answer. But when no base was named, and the merge base turns
//! out to be `HEAD` itself, then on a build server the default branch is being
//! compared with itself; unless some manifest or lock file differs, that is no
//! answer to anything.

use super::{Content, LoadError, Opened};
use crate::snapshot::tree::{Tree, TreeFile, TreeKind};

/// Manifests and lock files over this size count as different when their sizes differ.
const COMPARE_LIMIT: u64 = 64 * 1024 * 1024;

/// Refuses a base that equals the head by accident.
///
/// # Errors
/// When both are the same commit or the same place, and when the default base
/// is `HEAD` itself and nothing differs from it.
pub fn ensure_distinct(base: &Opened<'_>, head: &Opened<'_>) -> Result<(), LoadError> {
    if let (Some(a), Some(b)) = (base.commit(), head.commit())
        && a == b
    {
        return Err(LoadError::SameCommit {
            base: base.given.clone(),
            head: head.given.clone(),
            commit: a.to_owned(),
        });
    }
    if let (Some(a), Some(b)) = (&base.place, &head.place)
        && a == b
    {
        return Err(LoadError::SamePlace {
            base: base.given.clone(),
            head: head.given.clone(),
            place: a.clone(),
        });
    }
    if base.fallen_together
        && head.kind == super::InputKind::Worktree
        && let (Content::Tree(a), Content::Tree(b)) = (&base.content, &head.content)
        && same_dependencies(&**a, &**b)
    {
        return Err(LoadError::NothingOfItsOwn {
            base: base.given.clone(),
            commit: base.commit().unwrap_or_default().to_owned(),
        });
    }
    Ok(())
}

/// Whether all manifests and lock files are the same, whatever their line ends.
fn same_dependencies(a: &dyn Tree, b: &dyn Tree) -> bool {
    let of_a: Vec<&TreeFile> = a.files().iter().filter(|file| is_relevant(file)).collect();
    let of_b: Vec<&TreeFile> = b.files().iter().filter(|file| is_relevant(file)).collect();
    let alike = of_a.len() == of_b.len()
        && of_a
            .iter()
            .zip(&of_b)
            .all(|(a, b)| a.path == b.path && a.kind == b.kind);
    if !alike {
        return false;
    }
    let paths: Vec<&str> = of_a
        .iter()
        .filter(|file| file.kind == TreeKind::Regular)
        .map(|file| file.path.as_str())
        .collect();
    let contents = a.read_many(&paths, COMPARE_LIMIT).into_iter();
    contents
        .zip(b.read_many(&paths, COMPARE_LIMIT))
        .all(|pair| match pair {
            (Ok(a), Ok(b)) => a == b || lines(&a).eq(lines(&b)),
            _ => false,
        })
}

fn is_relevant(file: &TreeFile) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    matches!(name, "Cargo.toml" | "Cargo.lock")
}

fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content
        .split(|&b| b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}
