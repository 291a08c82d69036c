//! Reference counts and allocations by hand.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{How as Said, Mention, View};
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "manual-memory",
    what: "Another number of calls that count references or allocate and free by hand, increments against decrements.",
    topics: &[Topic::ManualMemory],
    of_new: false,
    how: How::Item(look, Counting::Net),
};

const UP: &[&str] = &[
    "ref_inc",
    "inc_ref",
    "incref",
    "add_ref",
    "increment_strong_count",
    "Py_INCREF",
    "retain_ref",
];
const DOWN: &[&str] = &[
    "ref_dec",
    "ref_dec_twice",
    "dec_ref",
    "decref",
    "drop_ref",
    "drop_reference",
    "decrement_strong_count",
    "Py_DECREF",
    "release_ref",
];

fn look(_: &View<'_, '_>, mentions: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    for mention in mentions {
        let (from, to) = (mention.at, mention.end);
        if !matches!(mention.how, Said::Call | Said::Method | Said::Path) {
            continue;
        }
        let last = mention.last();
        if UP.contains(&last) {
            sink.hit(
                Topic::ManualMemory,
                "references taken against given back",
                from,
                to,
            );
        } else if DOWN.contains(&last) {
            sink.against(
                Topic::ManualMemory,
                "references taken against given back",
                from,
                to,
            );
        } else if mention.how == Said::Call {
            match mention.path.as_str() {
                "std::alloc::alloc"
                | "std::alloc::alloc_zeroed"
                | "libc::malloc"
                | "libc::calloc" => {
                    sink.hit(Topic::ManualMemory, "allocations against frees", from, to);
                }
                "std::alloc::dealloc" | "libc::free" => {
                    sink.against(Topic::ManualMemory, "allocations against frees", from, to);
                }
                _ => {}
            }
        }
    }
}
