//! State that lives as long as the process or the thread.

use std::collections::BTreeSet;

use super::{Detector, How};
use crate::facts::{Shift, SourceFinding, Topic};
use crate::inspect::compare::{Comparison, View};
use crate::inspect::items::ItemKind;
use crate::inspect::tally::{finding, witness};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "global-state",
    what: "New statics and thread locals that hold more than constants; those with collections can grow without end.",
    topics: &[Topic::GlobalState],
    of_new: false,
    how: How::Whole(whole),
};

const COLLECTIONS: &[&str] = &[
    "HashMap",
    "BTreeMap",
    "HashSet",
    "BTreeSet",
    "Vec",
    "VecDeque",
    "DashMap",
    "Slab",
    "IndexMap",
    "SegQueue",
    "LinkedList",
    "BinaryHeap",
    "SkipMap",
    "FxHashMap",
];
const CELLS: &[&str] = &[
    "Mutex",
    "RwLock",
    "RefCell",
    "Cell",
    "UnsafeCell",
    "OnceCell",
    "OnceLock",
    "LazyLock",
    "Lazy",
    "LazyCell",
    "ReentrantMutex",
    "ArcSwap",
    "AtomicPtr",
    "ThreadLocal",
];

/// How a static can change, if it can.
fn kind(view: &View<'_, '_>) -> Option<&'static str> {
    let tokens = &view.file.tokens;
    let has = |words: &[&str]| {
        view.range()
            .any(|at| words.iter().any(|word| tokens.is(at, word)))
    };
    let thread = view.item.kind == ItemKind::Macro
        && ["thread_local", "lazy_static"]
            .iter()
            .any(|name| view.item.name.ends_with(name));
    if view.item.kind != ItemKind::Static && !thread {
        return None;
    }
    match (has(CELLS) || thread, has(COLLECTIONS)) {
        (true, true) => Some("a collection that can grow"),
        (true, false) => Some("state"),
        (false, _) => view
            .range()
            .any(|at| tokens.is(at, "static") && tokens.is(at + 1, "mut"))
            .then_some("state"),
    }
}

/// The names of the statics in an item.
fn names(view: &View<'_, '_>) -> BTreeSet<String> {
    let tokens = &view.file.tokens;
    view.range()
        .filter(|at| tokens.is(*at, "static"))
        .map(|at| {
            let at =
                at + 1 + usize::from(["mut", "ref"].iter().any(|word| tokens.is(at + 1, word)));
            tokens.str(at).to_owned()
        })
        .collect()
}

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let before: BTreeSet<String> = comparison
        .lost()
        .filter(|view| kind(view).is_some())
        .flat_map(|view| names(&view))
        .collect();
    let mut found = Vec::new();
    for view in comparison.gained() {
        let Some(kind) = kind(&view) else { continue };
        for name in names(&view).difference(&before) {
            let start = view.item.start;
            let what = format!("static {name}: {kind}");
            let place = witness(view, start, start + 12);
            found.push(finding(
                Topic::GlobalState,
                Shift::Gained,
                view.file.part,
                &what,
                vec![place],
            ));
        }
    }
    found
}
