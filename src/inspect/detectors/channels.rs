//! Channels without a bound.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{How as Said, Mention, View};
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "channels",
    what: "More channels without a bound, which grow when the reader is slow.",
    topics: &[Topic::UnboundedChannel],
    of_new: false,
    how: How::Item(look, Counting::Net),
};

fn look(_: &View<'_, '_>, mentions: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    for mention in mentions {
        if mention.how != Said::Call {
            continue;
        }
        let path = mention.path.as_str();
        let unbounded = mention.last() == "unbounded_channel"
            || path == "std::sync::mpsc::channel"
            || (mention.last() == "unbounded"
                && ["channel", "flume", "kanal", "mpsc"]
                    .iter()
                    .any(|name| path.contains(name)));
        if unbounded {
            sink.hit(Topic::UnboundedChannel, path, mention.at, mention.end);
        }
    }
}
