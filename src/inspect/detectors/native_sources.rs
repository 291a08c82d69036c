//! Code in C and the like that comes along and is compiled by a build script.

use super::{Detector, How};
use crate::facts::{Part, Shift, SourceFinding, Topic, Witness};
use crate::inspect::compare::{Comparison, Side};
use crate::inspect::compiled::is_for_tests;
use crate::inspect::tally::{finding, shown};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "native-sources",
    what: "Sources in C, C++ or assembler that are new or changed in a package with a build script.",
    topics: &[Topic::NativeSources],
    of_new: false,
    how: How::Whole(whole),
};

const ENDINGS: &[&str] = &[
    "c", "cc", "cpp", "cxx", "h", "hpp", "m", "mm", "s", "S", "asm",
];

fn is_native(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    ENDINGS.contains(&ending) && !is_for_tests(path)
}

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let Some(old) = &comparison.old else {
        return Vec::new();
    };
    let new = &comparison.new;
    if new.manifest.build_scripts.is_empty() {
        return Vec::new();
    }
    let places = |side: &Side<'_>, keep: &dyn Fn(&str, &[u8]) -> bool| -> Vec<Witness> {
        side.tree
            .files()
            .iter()
            .filter(|file| is_native(&file.path) && keep(&file.path, side.tree.content(file)))
            .map(|file| Witness {
                file: shown(&file.path),
                line: 0,
                item: String::new(),
                text: format!("{} bytes", file.size()),
            })
            .collect()
    };
    let groups = [
        (
            Shift::Gained,
            places(new, &|path, _| old.tree.read(path).is_none()),
        ),
        (
            Shift::Lost,
            places(old, &|path, _| new.tree.read(path).is_none()),
        ),
        (
            Shift::Changed,
            places(new, &|path, content| {
                old.tree.read(path).is_some_and(|before| before != content)
            }),
        ),
    ];
    groups
        .into_iter()
        .filter(|(_, places)| !places.is_empty())
        .map(|(direction, places)| {
            finding(
                Topic::NativeSources,
                direction,
                Part::BuildScript,
                "native sources",
                places,
            )
        })
        .collect()
}
