//! Functions of other languages that are called, or offered to them.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{Mention, View};
use crate::inspect::items::ItemKind;
use crate::inspect::lex::Kind;
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "foreign",
    what: "Functions of other languages that are newly declared in `extern` blocks.",
    topics: &[Topic::Foreign],
    of_new: false,
    how: How::Item(look, Counting::Net),
};

fn look(view: &View<'_, '_>, _: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    if view.item.kind != ItemKind::Extern {
        return;
    }
    let tokens = &view.file.tokens;
    for at in view.range() {
        if tokens.is(at, "fn") && tokens.kind(at + 1) == Kind::Ident {
            sink.hit(Topic::Foreign, "foreign functions", at, at + 1);
        }
    }
}
