//! The commit that the archive says it was made from.

use serde::Deserialize;

use super::{Detector, How};
use crate::facts::{Part, Shift, SourceFinding, Topic, Witness};
use crate::inspect::compare::{Comparison, Side};
use crate::inspect::tally::finding;

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "commit",
    what: "An archive that no longer names its commit, was made from edited files, or names the commit of the release before though its code differs.",
    topics: &[Topic::Commit],
    of_new: false,
    how: How::Whole(whole),
};

const FILE: &str = ".cargo_vcs_info.json";

#[derive(Deserialize)]
struct Info {
    git: Git,
}

#[derive(Deserialize)]
struct Git {
    sha1: String,
    #[serde(default)]
    dirty: bool,
}

fn info(side: &Side<'_>) -> Option<Git> {
    let bytes = side.tree.read(FILE).filter(|bytes| bytes.len() < 65_536)?;
    serde_json::from_slice::<Info>(bytes)
        .ok()
        .map(|info| info.git)
}

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let Some(old) = &comparison.old else {
        return Vec::new();
    };
    let (direction, what) = match (info(old), info(&comparison.new)) {
        (Some(_), None) => (Shift::Lost, "the commit it was made from".to_owned()),
        (Some(before), Some(after)) if after.dirty && !before.dirty => {
            (Shift::Gained, "it was made from edited files".to_owned())
        }
        (Some(before), Some(after)) if before.sha1 == after.sha1 && !comparison.same_code => (
            Shift::Changed,
            "the same commit as the release before, with other code".to_owned(),
        ),
        _ => return Vec::new(),
    };
    let place = Witness {
        file: FILE.to_owned(),
        line: 0,
        item: String::new(),
        text: String::new(),
    };
    vec![finding(
        Topic::Commit,
        direction,
        Part::Metadata,
        &what,
        vec![place],
    )]
}
