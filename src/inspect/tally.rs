//! From places in touched items to what was gained or lost. What only moved is
//! neither: places are counted over the whole crate, and what one item lost
//! and another gained cancels out.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Comparison, File, Mention, View};
use crate::facts::{Part, Shift, SourceFinding, Topic, Witness};

/// So many witnesses are kept of one finding.
const WITNESSES: usize = 4;
/// A text is cut to so many characters.
const LONGEST_TEXT: usize = 160;

/// How places become findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// More or fewer of them in the crate.
    Net,
    /// The first of its topic in this part: what was used before is not news.
    First,
    /// Every touched item that has one: new, or changed.
    Items,
    /// Fewer in items that stay.
    LostFromKept,
}

/// A place.
#[derive(Clone, Debug)]
struct Hit {
    weight: i64,
    witness: Witness,
}

/// What was used, with its places.
type Uses<'t> = Vec<(&'t str, &'t [Hit])>;

/// The topic, the part, and what exactly.
type Key = (Topic, Part, String);

/// Where a detector puts what it finds in one item.
pub(super) struct Sink<'s, 'v, 'a> {
    view: View<'v, 'a>,
    hits: &'s mut BTreeMap<Key, Vec<Hit>>,
}

impl Sink<'_, '_, '_> {
    /// Something between two tokens.
    pub(super) fn hit(&mut self, topic: Topic, what: &str, from: usize, to: usize) {
        self.weighed(topic, what, from, to, 1);
    }

    /// Something that counts against what else has this name.
    pub(super) fn against(&mut self, topic: Topic, what: &str, from: usize, to: usize) {
        self.weighed(topic, what, from, to, -1);
    }

    fn weighed(&mut self, topic: Topic, what: &str, from: usize, to: usize, weight: i64) {
        let key = (topic, self.view.file.part, shown(what));
        let witness = witness(self.view, from, to);
        self.hits
            .entry(key)
            .or_default()
            .push(Hit { weight, witness });
    }
}

/// Looks at one item.
pub(super) type Look = fn(&View<'_, '_>, &[Mention], &mut Sink<'_, '_, '_>);

/// A place in an item as a witness.
pub(super) fn witness(view: View<'_, '_>, from: usize, to: usize) -> Witness {
    let last = view.range().end.saturating_sub(1);
    Witness {
        file: shown(view.file.path),
        line: view.file.tokens.line(from),
        item: shown(view.name()),
        text: shown(&view.file.tokens.excerpt(from, to.min(last))),
    }
}

/// Text of an archive without anything that a terminal would obey, cut.
pub(super) fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(LONGEST_TEXT)
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => '\u{fffd}',
            c => c,
        })
        .collect();
    if text.chars().nth(LONGEST_TEXT).is_some() {
        out.push('…');
    }
    out
}

/// All places that detectors found on both sides.
#[derive(Default)]
pub(super) struct Tally {
    new: BTreeMap<Key, Vec<Hit>>,
    old: BTreeMap<Key, Vec<Hit>>,
}

impl Tally {
    /// Shows every touched item to every detector.
    pub(super) fn of(comparison: &Comparison<'_>, looks: &[Look]) -> Self {
        let mut tally = Self::default();
        for view in comparison.gained() {
            look_at(view, looks, &mut tally.new);
        }
        for view in comparison.lost() {
            look_at(view, looks, &mut tally.old);
        }
        tally
    }

    /// The findings on topics that are counted in one way.
    pub(super) fn findings(
        &self,
        comparison: &Comparison<'_>,
        counting: impl Fn(Topic) -> Counting,
        looks: &[Look],
    ) -> Vec<SourceFinding> {
        let keys: BTreeSet<&Key> = self.new.keys().chain(self.old.keys()).collect();
        let mut found = Vec::new();
        let mut first: BTreeMap<(Topic, Part), Uses<'_>> = BTreeMap::new();
        for key in keys {
            let none = Vec::new();
            let new = self.new.get(key).unwrap_or(&none);
            let old = self.old.get(key).unwrap_or(&none);
            match counting(key.0) {
                Counting::Net => found.extend(net(key, new, old)),
                Counting::Items => found.extend(by_item(key, new, old)),
                Counting::LostFromKept => found.extend(from_kept(comparison, key, new, old)),
                Counting::First => {
                    if let Some(hits) = self.new.get(key) {
                        first
                            .entry((key.0, key.1))
                            .or_default()
                            .push((key.2.as_str(), hits));
                    }
                }
            }
        }
        if !first.is_empty() {
            let before = topics_before(comparison, looks);
            for ((topic, part), uses) in first {
                if !before.contains(&(topic, part.runs_in_build())) {
                    found.extend(uses.into_iter().map(|(what, hits)| {
                        let places = hits.iter().map(|hit| hit.witness.clone()).collect();
                        finding(topic, Shift::Gained, part, what, places)
                    }));
                }
            }
        }
        found
    }
}

fn look_at(view: View<'_, '_>, looks: &[Look], hits: &mut BTreeMap<Key, Vec<Hit>>) {
    let mentions = view.mentions();
    let mut sink = Sink { view, hits };
    for look in looks {
        look(&view, &mentions, &mut sink);
    }
}

/// The topics that the outgoing release has anywhere, by whether it is in code
/// that runs in the build.
fn topics_before(comparison: &Comparison<'_>, looks: &[Look]) -> BTreeSet<(Topic, bool)> {
    let mut found = BTreeSet::new();
    let Some(old) = &comparison.old else {
        return found;
    };
    for file in old.whole() {
        let file: File<'_> = file;
        let mut hits = BTreeMap::new();
        for item in &file.items {
            look_at(old.view(&file, item), looks, &mut hits);
        }
        found.extend(
            hits.keys()
                .map(|(topic, part, _)| (*topic, part.runs_in_build())),
        );
    }
    found
}

/// A finding with the first of its places.
pub(super) fn finding(
    topic: Topic,
    shift: Shift,
    part: Part,
    what: &str,
    mut witnesses: Vec<Witness>,
) -> SourceFinding {
    witnesses.sort();
    let count = witnesses.len();
    witnesses.truncate(WITNESSES);
    SourceFinding {
        topic,
        shift,
        part,
        what: shown(what),
        count,
        witnesses,
    }
}

fn sum(hits: &[Hit]) -> i64 {
    hits.iter().map(|hit| hit.weight).sum()
}

fn net((topic, part, what): &Key, new: &[Hit], old: &[Hit]) -> Option<SourceFinding> {
    let difference = sum(new) - sum(old);
    let (direction, more, fewer) = match difference {
        0 => return None,
        1.. => (Shift::Gained, new, old),
        _ => (Shift::Lost, old, new),
    };
    // The places in items that had fewer of them on the other side come first.
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for hit in fewer.iter().filter(|hit| hit.weight > 0) {
        *others.entry(&hit.witness.item).or_default() += 1;
    }
    let mut places: Vec<Witness> = more
        .iter()
        .filter(|hit| hit.weight > 0)
        .filter(|hit| match others.get_mut(hit.witness.item.as_str()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .map(|hit| hit.witness.clone())
        .collect();
    if places.is_empty() {
        // Nothing was added on this side: what stood against it went.
        places = fewer
            .iter()
            .filter(|hit| hit.weight < 0)
            .map(|hit| hit.witness.clone())
            .collect();
    }
    let mut finding = finding(*topic, direction, *part, what, places);
    finding.count = usize::try_from(difference.unsigned_abs()).unwrap_or(usize::MAX);
    Some(finding)
}

fn by_item((topic, part, what): &Key, new: &[Hit], old: &[Hit]) -> Vec<SourceFinding> {
    let had: BTreeSet<&str> = old.iter().map(|hit| hit.witness.item.as_str()).collect();
    let has: BTreeSet<&str> = new.iter().map(|hit| hit.witness.item.as_str()).collect();
    let once = |hits: &[Hit], keep: &dyn Fn(&str) -> bool| {
        let mut seen = BTreeSet::new();
        hits.iter()
            .filter(|hit| keep(&hit.witness.item) && seen.insert(hit.witness.item.clone()))
            .map(|hit| hit.witness.clone())
            .collect::<Vec<_>>()
    };
    let groups = [
        (Shift::Gained, once(new, &|item| !had.contains(item))),
        (Shift::Changed, once(new, &|item| had.contains(item))),
        (Shift::Lost, once(old, &|item| !has.contains(item))),
    ];
    groups
        .into_iter()
        .filter(|(_, places)| !places.is_empty())
        .map(|(direction, places)| finding(*topic, direction, *part, what, places))
        .collect()
}

/// What items that stay have lost, where the crate as a whole has lost it too.
fn from_kept(
    comparison: &Comparison<'_>,
    (topic, part, what): &Key,
    new: &[Hit],
    old: &[Hit],
) -> Option<SourceFinding> {
    if sum(new) >= sum(old) {
        return None;
    }
    let kept: BTreeSet<&str> = comparison.gained().map(|view| view.name()).collect();
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for hit in new {
        *left.entry(hit.witness.item.as_str()).or_default() += 1;
    }
    let places: Vec<Witness> = old
        .iter()
        .filter(|hit| !hit.witness.item.is_empty() && kept.contains(hit.witness.item.as_str()))
        .filter(|hit| match left.get_mut(hit.witness.item.as_str()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .map(|hit| hit.witness.clone())
        .collect();
    (!places.is_empty()).then(|| finding(*topic, Shift::Lost, *part, what, places))
}
