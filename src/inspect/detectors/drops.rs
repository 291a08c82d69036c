//! What happens when a value goes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Detector, How};
use crate::facts::{LESS, Shift, SourceFinding, Topic};
use crate::inspect::compare::{Comparison, View};
use crate::inspect::items::ItemKind;
use crate::inspect::tally::{finding, witness};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "drops",
    what: "A `Drop` that is gone though its type is not, that does less than before, or that is new.",
    topics: &[Topic::Drop],
    of_new: false,
    how: How::Whole(whole),
};

/// The `drop` functions among items, by the name of the type.
fn drops<'v, 'a>(views: impl Iterator<Item = View<'v, 'a>>) -> BTreeMap<String, View<'v, 'a>>
where
    'a: 'v,
{
    views
        .filter(|view| view.item.kind == ItemKind::Fn)
        .filter_map(|view| {
            let head = view.item.name.strip_suffix(" as Drop>::drop")?;
            let name = head.rsplit('<').next()?.to_owned();
            Some((name, view))
        })
        .collect()
}

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let (new, old) = (drops(comparison.gained()), drops(comparison.lost()));
    let names: BTreeSet<&String> = new.keys().chain(old.keys()).collect();
    let place = |view: &View<'_, '_>| witness(*view, view.item.start, view.item.start + 4);
    let mut found = Vec::new();
    for name in names {
        let (direction, what, view) = match (old.get(name), new.get(name)) {
            (Some(before), None) if comparison.new.holds(name.as_bytes()) => {
                (Shift::Lost, format!("Drop of {name}"), before)
            }
            (None, Some(after)) => (Shift::Gained, format!("Drop of {name}"), after),
            (Some(before), Some(after)) if calls(after) < calls(before) => {
                (Shift::Changed, format!("Drop of {name} {LESS}"), after)
            }
            (Some(_), Some(after)) => (Shift::Changed, format!("Drop of {name}"), after),
            (Some(_) | None, None) => continue,
        };
        found.push(finding(
            Topic::Drop,
            direction,
            view.file.part,
            &what,
            vec![place(view)],
        ));
    }
    found
}

/// How many calls and macros an item has.
fn calls(view: &View<'_, '_>) -> usize {
    view.mentions()
        .iter()
        .filter(|mention| mention.how != crate::inspect::compare::How::Path)
        .count()
}
