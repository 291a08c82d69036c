//! Handles taken out of what owns them.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{How as Said, Mention, View};
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "handles",
    what: "More handles, connections or descriptors that are taken out of the pool or the value that would close them.",
    topics: &[Topic::Handle],
    of_new: false,
    how: How::Item(look, Counting::Net),
};

fn look(_: &View<'_, '_>, mentions: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    for mention in mentions {
        if !matches!(mention.how, Said::Method | Said::Call) {
            continue;
        }
        let (from, to) = (mention.at, mention.end);
        let raw = "descriptors taken against given back";
        match mention.last() {
            "into_raw_fd" | "into_raw_handle" | "into_raw_socket" => {
                sink.hit(Topic::Handle, raw, from, to);
            }
            "from_raw_fd" | "from_raw_handle" | "from_raw_socket" => {
                sink.against(Topic::Handle, raw, from, to);
            }
            "detach" => sink.hit(Topic::Handle, "detach", from, to),
            "take"
                if ["Object", "Pooled", "PooledConnection"]
                    .iter()
                    .any(|owner| mention.path.contains(&format!("{owner}::"))) =>
            {
                sink.hit(Topic::Handle, &mention.path, from, to);
            }
            _ => {}
        }
    }
}
