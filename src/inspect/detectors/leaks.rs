//! Memory that is given away on purpose.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{How as Said, Mention, View};
use crate::inspect::items::ItemKind;
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "leaks",
    what: "More `mem::forget`, `leak`, `ManuallyDrop`, or `into_raw` without a `from_raw` that takes back.",
    topics: &[Topic::Leak],
    of_new: false,
    how: How::Item(look, Counting::Net),
};

/// Types whose `from_raw` takes back what `into_raw` gave away.
const OWNERS: &[&str] = &["Box", "Rc", "Arc", "Weak", "CString"];
const RAW: &str = "into_raw without from_raw";
const KEPT: &str = "mem::forget and ManuallyDrop";

fn look(view: &View<'_, '_>, mentions: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    // An import gives nothing away.
    if view.item.kind == ItemKind::Use {
        return;
    }
    for mention in mentions {
        let (from, to) = (mention.at, mention.end);
        if mention.how == Said::Macro {
            continue;
        }
        let owner = mention.path.rsplit("::").nth(1).unwrap_or_default();
        let owned = OWNERS.contains(&owner);
        let call = mention.how == Said::Call;
        match mention.last() {
            "forget" if mention.path == "std::mem::forget" => {
                sink.hit(Topic::Leak, KEPT, from, to);
            }
            "new" if owner == "ManuallyDrop" => sink.hit(Topic::Leak, KEPT, from, to),
            "drop" | "into_inner" | "take" if owner == "ManuallyDrop" => {
                sink.against(Topic::Leak, KEPT, from, to);
            }
            "leak" if mention.how == Said::Method || (call && owner != "Self") => {
                sink.hit(Topic::Leak, "leak", from, to);
            }
            "into_raw" if mention.how == Said::Method || owned => {
                sink.hit(Topic::Leak, RAW, from, to);
            }
            "from_raw" if owned => sink.against(Topic::Leak, RAW, from, to),
            _ => {}
        }
    }
}
