//! Shapes in the archive that have no place in a package.

use super::{Detector, How};
use crate::facts::{Part, Shift, SourceFinding, Topic, Witness};
use crate::inspect::compare::Comparison;
use crate::inspect::tally::{finding, shown};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "archive-shape",
    what: "Links, devices, paths that lead outside, duplicate and deceptive paths, and bombs in the archive.",
    topics: &[Topic::Archive],
    of_new: true,
    how: How::Whole(whole),
};

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let before = comparison
        .old
        .as_ref()
        .map(|old| old.tree.oddities())
        .unwrap_or_default();
    comparison
        .new
        .tree
        .oddities()
        .iter()
        .filter(|oddity| !before.contains(oddity))
        .map(|oddity| {
            let place = Witness {
                file: shown(&oddity.path),
                line: 0,
                item: String::new(),
                text: String::new(),
            };
            finding(
                Topic::Archive,
                Shift::Gained,
                Part::Archive,
                oddity.kind.as_str(),
                vec![place],
            )
        })
        .collect()
}
