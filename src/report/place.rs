//! Which line of which file a reason points to.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::audit::Audit;
use crate::diff::Change;
use crate::pkg::Release;

/// A line of a file of the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, below the root of the repository.
    pub(super) path: String,
    /// The line, from one.
    pub(super) line: u32,
}

/// Where a change is to be shown: at its entry in the lock file; at the
/// beginning of the file when it has none there.
pub(super) fn of(audit: &Audit, change: Option<&Change>) -> Place {
    if let Some((path, line)) = change.and_then(|change| change.lock_line.as_ref()) {
        return Place {
            path: path.clone(),
            line: (*line).max(1),
        };
    }
    let workspace = change.and_then(|change| change.workspaces.first()).or(audit
        .comparison
        .coverage
        .workspaces
        .first());
    let known = audit
        .changes
        .iter()
        .filter_map(|judged| judged.change.lock_line.as_ref())
        .map(|(path, _)| path)
        .next();
    let path = match (workspace.map(String::as_str), known) {
        (Some("." | "") | None, Some(path)) => path.clone(),
        (Some("." | "") | None, None) => "Cargo.lock".to_owned(),
        (Some(workspace), _) => format!("{workspace}/Cargo.lock"),
    };
    Place { path, line: 1 }
}

/// A name for one reason about one change that stays the same when lines move:
/// SHA-256 in lower-case hex over the rule, the change and its releases.
pub(super) fn fingerprint(rule: &str, id: Option<&str>, change: Option<&Change>) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    field(rule);
    field(id.unwrap_or_default());
    if let Some(change) = change {
        let mut releases = |word: &str, releases: &[Release]| {
            field(word);
            for release in releases {
                field(&release.version.to_string());
                field(&release.source.to_string());
            }
        };
        releases("from", &change.from);
        releases("to", &change.to);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
