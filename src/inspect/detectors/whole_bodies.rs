//! Whole bodies or files read into memory.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{How as Said, Mention, View};
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "whole-bodies",
    what: "More places that read a whole body or file into memory, without a bound in sight.",
    topics: &[Topic::WholeBody],
    of_new: false,
    how: How::Item(look, Counting::Net),
};

fn look(view: &View<'_, '_>, mentions: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    let tokens = &view.file.tokens;
    let bounded = mentions
        .iter()
        .any(|mention| mention.how == Said::Method && matches!(mention.last(), "take" | "limit"));
    for mention in mentions {
        let (from, to) = (mention.at, mention.end);
        let last = mention.last();
        let whole = match mention.how {
            Said::Method => match last {
                "read_to_end" => true,
                "bytes" | "collect" | "text" => {
                    let close = tokens.close(mention.end);
                    tokens.punct(close + 1, b'.') && tokens.is(close + 2, "await")
                }
                _ => false,
            },
            Said::Call => {
                mention.path.ends_with("body::to_bytes")
                    || mention.path.ends_with("body::aggregate")
            }
            Said::Path | Said::Macro => false,
        };
        if whole && !bounded {
            sink.hit(Topic::WholeBody, last, from, to);
        }
    }
}
