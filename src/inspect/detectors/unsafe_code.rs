//! Code outside of the memory rules of the language, item by item.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{Mention, View};
use crate::inspect::items::ItemKind;
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "unsafe-code",
    what: "Items with `unsafe` in them that are new, or that were changed.",
    topics: &[Topic::Unsafe],
    of_new: false,
    how: How::Item(look, Counting::Items),
};

fn look(view: &View<'_, '_>, _: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    if view.item.kind == ItemKind::Use {
        return;
    }
    let tokens = &view.file.tokens;
    if let Some(at) = view.range().find(|at| tokens.is(*at, "unsafe")) {
        sink.hit(Topic::Unsafe, "unsafe code", at, at + 5);
    }
}
