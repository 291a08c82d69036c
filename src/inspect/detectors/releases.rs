//! Functions that stay and let go of less.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{How as Said, Mention, View};
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "releases",
    what: "A function that stays has lost a call that clears, closes, removes or drops something, and the crate has fewer of these calls.",
    topics: &[Topic::Release],
    of_new: false,
    how: How::Item(look, Counting::LostFromKept),
};

const METHODS: &[&str] = &[
    "clear",
    "shrink_to_fit",
    "shrink_to",
    "evict",
    "close",
    "shutdown",
    "abort",
    "cancel",
    "release",
    "deregister",
    "unregister",
    "dealloc",
    "free",
    "destroy",
    "prune",
    "purge",
    "cleanup",
    "clean_up",
    "drop_in_place",
    "drop_slow",
    "dispose",
    "reclaim",
];

fn look(_: &View<'_, '_>, mentions: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    for mention in mentions {
        let last = mention.last();
        let explicit_drop =
            mention.how == Said::Call && matches!(mention.path.as_str(), "drop" | "std::mem::drop");
        let method = matches!(mention.how, Said::Method | Said::Call) && METHODS.contains(&last);
        if explicit_drop || method {
            sink.hit(Topic::Release, last, mention.at, mention.end);
        }
    }
}
