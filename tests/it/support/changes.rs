//! Differences in text.

use std::fmt::Write as _;

use cargo_canary::diff::{Change, GraphDiff, diff};
use cargo_canary::pkg::{Release, Source};
use cargo_canary::snapshot::DeclaredRequirements;

use super::graph::snapshot;

/// The difference of two graphs, without declared requirements.
pub(crate) fn compare(base: &str, head: &str) -> GraphDiff {
    diff(
        &snapshot(base),
        &snapshot(head),
        &DeclaredRequirements::new(),
    )
}

fn releases(releases: &[Release]) -> String {
    let one = |release: &Release| match &release.source {
        Source::CratesIo => release.version.to_string(),
        source @ (Source::Registry { .. } | Source::Git { .. } | Source::Local) => {
            format!("{} ({source})", release.version)
        }
    };
    releases.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// One line for each change: id, kind, releases, root and reason.
pub(crate) fn shown(diff: &GraphDiff) -> String {
    let mut text = String::new();
    for change in &diff.changes {
        let Change {
            id, kind, from, to, ..
        } = change;
        let arrow = format!("{} -> {}", releases(from), releases(to));
        let _ = write!(text, "{id}: {} {}", kind.as_str(), arrow.trim());
        if let Some(by) = &change.forced_by {
            let _ = write!(text, " | {}: {}", by.chain.join(" > "), by.because);
        }
        text.push('\n');
    }
    text
}

/// Compares two graphs, and the lines of [`shown`] with those expected.
#[track_caller]
pub(crate) fn check(base: &str, head: &str, expected: &str) {
    let wanted: String = expected
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(shown(&compare(base, head)), wanted);
}
