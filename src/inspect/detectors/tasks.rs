//! Tasks and threads that nobody waits for.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{How as Said, Mention, View};
use crate::inspect::lex::Kind;
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "tasks",
    what: "More tasks or threads that are started and whose handle is thrown away.",
    topics: &[Topic::Task],
    of_new: false,
    how: How::Item(look, Counting::Net),
};

const SPAWNS: &[&str] = &["spawn", "spawn_blocking", "spawn_local", "spawn_on"];

fn look(view: &View<'_, '_>, mentions: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    let tokens = &view.file.tokens;
    for mention in mentions {
        let spawns = mention.how == Said::Call
            && mention.path.contains("::")
            && SPAWNS.contains(&mention.last());
        if !spawns || mention.at == 0 {
            continue;
        }
        // `spawn(…);` as a statement, or `let _ = spawn(…);`
        let before = mention.at - 1;
        let starts = matches!(
            tokens.kind(before),
            Kind::Punct(b';') | Kind::Open(b'{') | Kind::Close(b'}')
        );
        let ignored = tokens.punct(before, b'=') && before > 0 && tokens.is(before - 1, "_");
        let ends = tokens.punct(tokens.close(mention.end) + 1, b';');
        if (starts || ignored) && ends {
            sink.hit(Topic::Task, &mention.path, mention.at, mention.end);
        }
    }
}
