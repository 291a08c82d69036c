//! Public items that a compatible release no longer has.

use std::collections::BTreeSet;

use super::{Detector, How};
use crate::facts::{Part, Shift, SourceFinding, Topic};
use crate::inspect::compare::{Comparison, View};
use crate::inspect::items::ItemKind;
use crate::inspect::tally::{finding, witness};
use crate::pkg::Step;

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "api",
    what: "Public items whose name is nowhere in the incoming release though it says to be compatible.",
    topics: &[Topic::Api],
    of_new: false,
    how: How::Whole(whole),
};

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let Some(old) = &comparison.old else {
        return Vec::new();
    };
    let step = Step::between(&old.package.version, &comparison.new.package.version);
    if !matches!(step, Step::Patch | Step::Minor) {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let gone = |view: &View<'_, '_>| {
        let kind = matches!(
            view.item.kind,
            ItemKind::Fn | ItemKind::Type | ItemKind::Trait | ItemKind::Const | ItemKind::Static
        );
        let name = view.item.name.rsplit("::").next().unwrap_or_default();
        kind && view.file.part == Part::Library
            && view.file.public
            && view.item.public
            && !name.starts_with("__")
            && !is_hidden(view)
            && !comparison.new.holds(name.as_bytes())
    };
    comparison
        .lost()
        .filter(gone)
        .filter(|view| seen.insert(view.item.name.clone()))
        .map(|view| {
            let place = witness(view, view.item.start, view.item.start + 8);
            finding(
                Topic::Api,
                Shift::Lost,
                view.file.part,
                &view.item.name,
                vec![place],
            )
        })
        .collect()
}

/// Whether an item is not part of the documentation.
fn is_hidden(view: &View<'_, '_>) -> bool {
    let tokens = &view.file.tokens;
    view.range()
        .take(60)
        .any(|at| tokens.is(at, "doc") && tokens.is(at + 2, "hidden"))
}
