//! A lock file as a patch, and as a commit on a branch of its own.

use std::path::Path;

use similar::TextDiff;

use super::RemedyError;
use crate::host::Host;
use crate::snapshot::tree::git::Git;

/// The lines around a difference that a patch shows.
const CONTEXT: usize = 3;

/// The change of `Cargo.lock` from one text to another, for `git apply`.
#[must_use]
pub fn patch(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    unified
        .context_radius(CONTEXT)
        .header("a/Cargo.lock", "b/Cargo.lock")
        .to_string()
}

/// Makes a branch with one commit upon `onto` in which `Cargo.lock` at the root
/// is this one, and returns the commit's id. Work tree and index stay as they
/// are; no hook runs.
///
/// # Errors
/// When there is such a branch already, or git cannot make it.
pub fn branch(
    name: &str,
    onto: &str,
    lock: &str,
    message: &str,
    repository: &Path,
    host: &Host,
) -> Result<String, RemedyError> {
    let failed = |source| RemedyError::Branch {
        name: name.to_owned(),
        source,
    };
    let git = Git::at(host, repository).map_err(failed)?;
    git.branch_with_file(name, onto, ("Cargo.lock", lock), message)
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_one_that_git_applies() {
        let text = patch("a\nb\nc\n", "a\nB\nc\n");
        assert_eq!(
            text,
            "--- a/Cargo.lock\n+++ b/Cargo.lock\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
        );
        assert_eq!(patch("a\n", "a\n"), "");
    }
}
