//! Long encoded text in code: a program in disguise looks like that.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{Mention, View};
use crate::inspect::lex::Kind;
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "encoded-text",
    what: "Literals of a kilobyte and more that are base64, hexadecimal or escaped bytes.",
    topics: &[Topic::Opaque],
    of_new: true,
    how: How::Item(look, Counting::Net),
};

/// Shorter literals are keys and test values.
const SHORTEST: usize = 1024;

fn look(view: &View<'_, '_>, _: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    let tokens = &view.file.tokens;
    for at in view.range() {
        if tokens.kind(at) == Kind::Text && is_encoded(tokens.text(at)) {
            let what = "long encoded text in code";
            sink.hit(Topic::Opaque, what, at, at);
        }
    }
}

fn is_encoded(literal: &[u8]) -> bool {
    if literal.len() < SHORTEST {
        return false;
    }
    let dense = literal
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric() || b"+/=_-\\\n".contains(byte))
        .count();
    let spaces = memchr::memchr_iter(b' ', literal).count();
    // Prose has a space in every six characters; tables of names have commas.
    let letters = literal.iter().filter(|byte| byte.is_ascii_digit()).count();
    dense * 100 >= literal.len() * 98
        && spaces * 100 < literal.len()
        && letters * 20 > literal.len()
}
