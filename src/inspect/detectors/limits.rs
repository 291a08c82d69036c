//! Bounds: raised, lowered, removed.

use std::collections::BTreeMap;

use super::{Detector, How};
use crate::facts::{Shift, SourceFinding, Topic};
use crate::inspect::compare::{Comparison, View};
use crate::inspect::items::ItemKind;
use crate::inspect::lex::Kind;
use crate::inspect::tally::{finding, witness};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "limits",
    what: "Constants that bound something and have another value, or are gone.",
    topics: &[Topic::Limit],
    of_new: false,
    how: How::Whole(whole),
};

const WORDS: &[&str] = &[
    "MAX",
    "LIMIT",
    "CAPACITY",
    "CAP",
    "BUFFER",
    "BUF",
    "TIMEOUT",
    "WINDOW",
    "THRESHOLD",
    "INTERVAL",
    "TTL",
    "QUOTA",
    "BATCH",
    "DEPTH",
];

/// The bounds among items: where they stand and their value.
fn bounds<'v, 'a>(
    views: impl Iterator<Item = View<'v, 'a>>,
) -> BTreeMap<String, (String, View<'v, 'a>)>
where
    'a: 'v,
{
    views
        .filter(|view| matches!(view.item.kind, ItemKind::Const | ItemKind::Static))
        .filter_map(|view| {
            let last = view.item.name.rsplit("::").next()?;
            let words = || last.split('_');
            // A version is no bound, and what implements a trait bounds its type.
            let bound = words().any(|word| WORDS.contains(&word))
                && !words().any(|word| word == "VERSION")
                && !view.item.name.contains('<');
            let tokens = &view.file.tokens;
            let keyword = view
                .range()
                .find(|at| tokens.is(*at, "const") || tokens.is(*at, "static"))?;
            let equals = (keyword..view.range().end).find(|at| tokens.punct(*at, b'='))?;
            let end = view.range().end;
            let number = (equals..end).any(|at| tokens.kind(at) == Kind::Number);
            let value = tokens.excerpt(equals + 1, end.saturating_sub(2));
            let file = view.file.path;
            (bound && number).then(|| (format!("{file} {}", view.item.name), (value, view)))
        })
        .collect()
}

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let (old, new) = (bounds(comparison.lost()), bounds(comparison.gained()));
    let mut found = Vec::new();
    for (key, (before, view)) in &old {
        let name = &view.item.name;
        let (direction, what, view) = match new.get(key) {
            Some((after, view)) if after != before => {
                (Shift::Changed, format!("{name}: {before} -> {after}"), view)
            }
            Some(_) => continue,
            None if !comparison.new.holds(last(name).as_bytes()) => {
                (Shift::Lost, format!("{name}: {before}"), view)
            }
            None => continue,
        };
        let place = witness(*view, view.item.start, view.item.start + 12);
        found.push(finding(
            Topic::Limit,
            direction,
            view.file.part,
            &what,
            vec![place],
        ));
    }
    found
}

fn last(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}
