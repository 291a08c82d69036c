//! Doors to the outside that a part of the package did not use before.

use std::sync::LazyLock;

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{How as Said, Mention, View};
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "capabilities",
    what: "The first use of network, processes, files, environment, loaded code or machine instructions in the library, the macro or the build script.",
    topics: &[
        Topic::Network,
        Topic::Process,
        Topic::DynamicLoading,
        Topic::Assembly,
        Topic::Files,
        Topic::Environment,
    ],
    of_new: true,
    how: How::Item(look, Counting::First),
};

/// The paths and what they open: a topic and a path on each line.
static DOORS: LazyLock<Vec<(Topic, &'static str)>> = LazyLock::new(|| {
    include_str!("doors.txt")
        .lines()
        .filter_map(|line| {
            let (topic, path) = line.split_once(' ')?;
            let topic = Topic::ALL.into_iter().find(|t| t.as_str() == topic)?;
            Some((topic, path))
        })
        .collect()
});

fn look(_: &View<'_, '_>, mentions: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    for mention in mentions {
        match mention.how {
            Said::Method => {}
            Said::Macro => {
                if ["asm", "global_asm", "naked_asm"].contains(&mention.last()) {
                    let what = format!("{}!", mention.last());
                    sink.hit(Topic::Assembly, &what, mention.at, mention.end);
                }
            }
            Said::Path | Said::Call => {
                for (topic, path) in DOORS.iter() {
                    if opens(mention, path) {
                        sink.hit(*topic, path, mention.at, mention.end);
                    }
                }
            }
        }
    }
}

/// Whether a mention is of this path. The name of a crate alone may be a
/// module or a value of that name.
fn opens(mention: &Mention, path: &str) -> bool {
    mention.below(path) && mention.path.contains("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("doors.txt")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .count();
        assert_eq!(DOORS.len(), lines);
        for topic in DETECTOR.topics {
            assert!(DOORS.iter().any(|(other, _)| other == topic));
        }
    }
}
