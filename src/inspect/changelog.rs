//! Upstream's changelog, for exactly the versions in between.

use semver::Version;

use super::compare::Comparison;
use super::tally::shown;
use crate::facts::ChangelogSection;

/// A changelog with more bytes than this is cut.
const LARGEST: usize = 512 << 10;
/// The text of a section is cut to so many characters.
const LONGEST_TEXT: usize = 8_000;
/// So many sections are kept.
const MOST_SECTIONS: usize = 60;

const NAMES: &[&str] = &[
    "changelog.md",
    "changes.md",
    "releases.md",
    "history.md",
    "release_notes.md",
    "news.md",
    "release-notes.md",
    "changelog",
    "changelog.txt",
];

/// What upstream writes about the versions after the outgoing one, up to the
/// incoming one, newest first.
pub(super) fn between(comparison: &Comparison<'_>) -> Vec<ChangelogSection> {
    let Some(old) = &comparison.old else {
        return Vec::new();
    };
    let new = &comparison.new;
    let (from, to) = (&old.package.version, &new.package.version);
    let mut found: Vec<ChangelogSection> = Vec::new();
    for file in new.tree.files() {
        if !NAMES.contains(&file.path.to_ascii_lowercase().as_str()) {
            continue;
        }
        let content = new.tree.content(file);
        let content = content.get(..LARGEST).unwrap_or(content);
        let text = String::from_utf8_lossy(content);
        let Ok(releases) = parse_changelog::parse(&text) else {
            continue;
        };
        for release in releases.values() {
            let Ok(version) = release.version.parse::<Version>() else {
                continue;
            };
            let inside = version > *from && version <= *to;
            if inside && found.len() < MOST_SECTIONS && !found.iter().any(|s| s.version == version)
            {
                found.push(ChangelogSection {
                    version,
                    file: shown(&file.path),
                    text: release.notes.trim().chars().take(LONGEST_TEXT).collect(),
                });
            }
        }
    }
    found.sort_by(|a, b| b.version.cmp(&a.version));
    found
}
