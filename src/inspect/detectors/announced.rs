//! Words in upstream's changelog that announce trouble or its end.

use super::{Detector, How};
use crate::facts::{Part, Shift, SourceFinding, Topic, Witness};
use crate::inspect::changelog;
use crate::inspect::compare::Comparison;
use crate::inspect::tally::{finding, shown};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "announced",
    what: "Lines of upstream's changelog for the versions in between that speak of a leak, of memory, of a security fix or of a withdrawal.",
    topics: &[Topic::Announced],
    of_new: false,
    how: How::Whole(whole),
};

/// What a line speaks of, and the words that say so, in lower case.
const SUBJECTS: &[(&str, &[&str])] = &[
    ("a leak", &["leak"]),
    (
        "memory",
        &[
            "memory usage",
            "memory growth",
            "out of memory",
            "unbounded",
            "oom",
        ],
    ),
    (
        "security",
        &[
            "security",
            "cve-",
            "rustsec-",
            "ghsa-",
            "vulnerab",
            "unsound",
            "use-after-free",
            "use after free",
        ],
    ),
    ("a withdrawal", &["yanked", "yank "]),
    ("a regression", &["regression"]),
];

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let mut found = Vec::new();
    let sections = changelog::between(comparison);
    for (subject, words) in SUBJECTS {
        let mut places = Vec::new();
        for section in &sections {
            for line in section.text.lines() {
                let lower = line.to_lowercase();
                let says = words.iter().any(|word| {
                    lower.match_indices(word).any(|(at, _)| {
                        !lower[..at]
                            .chars()
                            .next_back()
                            .is_some_and(char::is_alphanumeric)
                    })
                });
                if says {
                    places.push(Witness {
                        file: section.file.clone(),
                        line: 0,
                        item: section.version.to_string(),
                        text: shown(line.trim()),
                    });
                }
            }
        }
        if !places.is_empty() {
            let what = format!("upstream speaks of {subject}");
            found.push(finding(
                Topic::Announced,
                Shift::Gained,
                Part::Metadata,
                &what,
                places,
            ));
        }
    }
    found
}
