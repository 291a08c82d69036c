//! The build script as such: there, gone, or another one.

use super::{Detector, How};
use crate::facts::{Part, Shift, SourceFinding, Topic, Witness};
use crate::inspect::compare::{Comparison, Side};
use crate::inspect::tally::{finding, shown, witness};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "build-script",
    what: "A build script that is new, gone or changed, with all the files it is made of.",
    topics: &[Topic::BuildScript],
    of_new: false,
    how: How::Whole(whole),
};

fn roots<'s>(side: &'s Side<'_>) -> Vec<&'s String> {
    side.manifest
        .build_scripts
        .iter()
        .filter(|path| side.tree.read(path).is_some())
        .collect()
}

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let Some(old) = &comparison.old else {
        return Vec::new();
    };
    let (before, after) = (roots(old), roots(&comparison.new));
    let whole_file = |path: &str| Witness {
        file: shown(path),
        line: 0,
        item: String::new(),
        text: String::new(),
    };
    let mut found = Vec::new();
    let mut say = |direction, what: &str, places| {
        found.push(finding(
            Topic::BuildScript,
            direction,
            Part::BuildScript,
            what,
            places,
        ));
    };
    if before.is_empty() && !after.is_empty() {
        let places = after.iter().map(|path| whole_file(path)).collect();
        say(Shift::Gained, "build script", places);
    } else if after.is_empty() && !before.is_empty() {
        let places = before.iter().map(|path| whole_file(path)).collect();
        say(Shift::Lost, "build script", places);
    } else if !after.is_empty() {
        let places: Vec<Witness> = comparison
            .gained()
            .filter(|view| view.file.part == Part::BuildScript)
            .map(|view| witness(view, view.item.start, view.item.start + 10))
            .collect();
        if !places.is_empty() {
            say(Shift::Changed, "build script", places);
        }
    }
    found
}
