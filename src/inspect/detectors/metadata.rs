//! What the manifest says of the package: licence, edition, repository.

use std::collections::BTreeSet;

use super::{Detector, How};
use crate::facts::{Part, Shift, SourceFinding, Topic, Witness};
use crate::inspect::compare::Comparison;
use crate::inspect::tally::finding;

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "metadata",
    what: "Another licence, edition, oldest compiler, repository or native library in the manifest.",
    topics: &[Topic::Metadata],
    of_new: false,
    how: How::Whole(whole),
};

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let Some(old) = &comparison.old else {
        return Vec::new();
    };
    let (before, after) = (&old.manifest.described, &comparison.new.manifest.described);
    let names: BTreeSet<&&str> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let (direction, what) = match (before.get(*name), after.get(*name)) {
            (Some(a), Some(b)) if a != b => (Shift::Changed, format!("{name}: {a} -> {b}")),
            (None, Some(b)) => (Shift::Gained, format!("{name}: {b}")),
            (Some(a), None) => (Shift::Lost, format!("{name}: {a}")),
            _ => continue,
        };
        let place = Witness {
            file: "Cargo.toml".to_owned(),
            line: 0,
            item: String::new(),
            text: String::new(),
        };
        found.push(finding(
            Topic::Metadata,
            direction,
            Part::Metadata,
            &what,
            vec![place],
        ));
    }
    found
}
