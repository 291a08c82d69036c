//! Which release of the base became which release of the head.
//!
//! Most names have one live version on each side. For the others the strongest
//! evidence is taken first: the same release; the same place and compatibility
//! class; the same dependants; the nearest version; and last another place. Every
//! rule treats both sides alike, so that the pairs of a difference read
//! backwards are the same pairs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use semver::Version;

use super::side::{Node, Side, by_name};
use crate::pkg::{PackageId, Source, canonical_git_url, compatible};

/// Above this many combinations of one name's versions they are paired in
/// order only, so that a made-up lock file costs no quadratic time. Real lock
/// files stay below a hundred.
const MAX_COMBINATIONS: usize = 1024;

/// Which packages belong together; members of a pair bear the same name.
pub(super) struct Pairing {
    head_of: Vec<Option<Node>>,
    base_of: Vec<Option<Node>>,
}

impl Pairing {
    /// What a package of the base became.
    pub(super) fn head_of(&self, base: Node) -> Option<Node> {
        self.head_of.get(base).copied().flatten()
    }

    /// What a package of the head was.
    pub(super) fn base_of(&self, head: Node) -> Option<Node> {
        self.base_of.get(head).copied().flatten()
    }

    fn join(&mut self, base: Node, head: Node) {
        self.head_of[base] = Some(head);
        self.base_of[head] = Some(base);
    }
}

/// Pairs the packages of two sides.
pub(super) fn pair(base: &Side<'_>, head: &Side<'_>) -> Pairing {
    let mut pairing = Pairing {
        head_of: vec![None; base.len()],
        base_of: vec![None; head.len()],
    };
    for (lefts, rights) in by_name(base, head) {
        if !lefts.is_empty() && !rights.is_empty() {
            pair_name(base, head, lefts, rights, &mut pairing);
        }
    }
    pairing
}

fn pair_name(
    base: &Side<'_>,
    head: &Side<'_>,
    lefts: Range<Node>,
    rights: Range<Node>,
    out: &mut Pairing,
) {
    let mut open = exact(base, head, lefts, rights, out);
    match (open.lefts.as_slice(), open.rights.as_slice()) {
        ([], _) | (_, []) => {}
        (&[left], &[right]) => out.join(left, right),
        (a, b) if a.len().saturating_mul(b.len()) > MAX_COMBINATIONS => {
            open.in_order(base, head, out);
        }
        _ => {
            open.by_evidence(base, head, out, |evidence| evidence.line);
            open.by_evidence(base, head, out, |evidence| {
                evidence.shared > 0 && (evidence.place || evidence.version)
            });
            open.by_nearness(base, head, out);
            open.by_evidence(base, head, out, |_| true);
        }
    }
}

/// The packages of one name that have no partner yet, in the order of ids.
struct Open {
    lefts: Vec<Node>,
    rights: Vec<Node>,
}

/// Pairs the releases that are on both sides, and returns the others.
fn exact(
    base: &Side<'_>,
    head: &Side<'_>,
    lefts: Range<Node>,
    rights: Range<Node>,
    out: &mut Pairing,
) -> Open {
    let mut open = Open {
        lefts: Vec::new(),
        rights: Vec::new(),
    };
    let (mut left, mut right) = (lefts.start, rights.start);
    while left < lefts.end && right < rights.end {
        match base.package(left).id.cmp(&head.package(right).id) {
            std::cmp::Ordering::Less => {
                open.lefts.push(left);
                left += 1;
            }
            std::cmp::Ordering::Greater => {
                open.rights.push(right);
                right += 1;
            }
            std::cmp::Ordering::Equal => {
                out.join(left, right);
                left += 1;
                right += 1;
            }
        }
    }
    open.lefts.extend(left..lefts.end);
    open.rights.extend(right..rights.end);
    open
}

/// What speaks for one pair.
struct Evidence {
    /// The same place and compatibility class, or both local.
    line: bool,
    /// The same place.
    place: bool,
    /// The same version.
    version: bool,
    /// How many names depend on both.
    shared: usize,
    /// How far apart the versions are.
    distance: u128,
}

impl Evidence {
    fn of(a: &PackageId, b: &PackageId, shared: usize) -> Self {
        let place = a.source.same_place(&b.source);
        Self {
            line: place && (a.source == Source::Local || compatible(&a.version, &b.version)),
            place,
            version: a.version == b.version,
            shared,
            distance: position(&a.version).abs_diff(position(&b.version)),
        }
    }
}

impl Open {
    /// Pairs greedily, best evidence first, among the pairs that qualify.
    fn by_evidence(
        &mut self,
        base: &Side<'_>,
        head: &Side<'_>,
        out: &mut Pairing,
        qualifies: impl Fn(&Evidence) -> bool,
    ) {
        if self.lefts.is_empty() || self.rights.is_empty() {
            return;
        }
        let left_names: Vec<_> = self
            .lefts
            .iter()
            .map(|node| dependant_names(base, *node))
            .collect();
        let right_names: Vec<_> = self
            .rights
            .iter()
            .map(|node| dependant_names(head, *node))
            .collect();
        let mut candidates = Vec::new();
        for (left, of_left) in self.lefts.iter().zip(&left_names) {
            for (right, of_right) in self.rights.iter().zip(&right_names) {
                let (a, b) = (&base.package(*left).id, &head.package(*right).id);
                let evidence = Evidence::of(a, b, of_left.intersection(of_right).count());
                if qualifies(&evidence) {
                    // The two ids stand in order, whichever side they are on.
                    let ids = if a <= b { (a, b) } else { (b, a) };
                    let rank = (
                        Reverse(evidence.shared),
                        !evidence.version,
                        evidence.distance,
                        ids,
                    );
                    candidates.push((rank, *left, *right));
                }
            }
        }
        candidates.sort();
        for (_, left, right) in candidates {
            if out.head_of(left).is_none() && out.base_of(right).is_none() {
                out.join(left, right);
            }
        }
        self.retain(out);
    }

    /// Pairs the versions of one place so that the distances add up to the
    /// least, without crossing, until one side has none left.
    fn by_nearness(&mut self, base: &Side<'_>, head: &Side<'_>, out: &mut Pairing) {
        for (lefts, rights) in self.by_place(base, head) {
            let positions = |side: &Side<'_>, nodes: &[Node]| -> Vec<u128> {
                nodes
                    .iter()
                    .map(|node| position(&side.package(*node).id.version))
                    .collect()
            };
            let (a, b) = (positions(base, &lefts), positions(head, &rights));
            if a.len() <= b.len() {
                for (few, many) in nearest(&a, &b).into_iter().enumerate() {
                    out.join(lefts[few], rights[many]);
                }
            } else {
                for (few, many) in nearest(&b, &a).into_iter().enumerate() {
                    out.join(lefts[many], rights[few]);
                }
            }
        }
        self.retain(out);
    }

    /// Pairs within lines, then within places, then whatever is left, each from
    /// the highest version down.
    fn in_order(&mut self, base: &Side<'_>, head: &Side<'_>, out: &mut Pairing) {
        self.descending(base, head, out, |id| (place(&id.source), line(id)));
        self.descending(base, head, out, |id| place(&id.source));
        self.descending(base, head, out, |_| ());
    }

    fn descending<K: Ord>(
        &mut self,
        base: &Side<'_>,
        head: &Side<'_>,
        out: &mut Pairing,
        key: impl Fn(&PackageId) -> K,
    ) {
        for (lefts, rights) in self.grouped(base, head, key) {
            for (left, right) in lefts.into_iter().rev().zip(rights.into_iter().rev()) {
                out.join(left, right);
            }
        }
        self.retain(out);
    }

    fn by_place(&self, base: &Side<'_>, head: &Side<'_>) -> Vec<(Vec<Node>, Vec<Node>)> {
        self.grouped(base, head, |id| place(&id.source))
    }

    fn grouped<K: Ord>(
        &self,
        base: &Side<'_>,
        head: &Side<'_>,
        key: impl Fn(&PackageId) -> K,
    ) -> Vec<(Vec<Node>, Vec<Node>)> {
        let mut groups: BTreeMap<K, (Vec<Node>, Vec<Node>)> = BTreeMap::new();
        for left in &self.lefts {
            groups
                .entry(key(&base.package(*left).id))
                .or_default()
                .0
                .push(*left);
        }
        for right in &self.rights {
            groups
                .entry(key(&head.package(*right).id))
                .or_default()
                .1
                .push(*right);
        }
        groups.into_values().collect()
    }

    fn retain(&mut self, out: &Pairing) {
        self.lefts.retain(|left| out.head_of(*left).is_none());
        self.rights.retain(|right| out.base_of(*right).is_none());
    }
}

/// A source without what of it is locked, as [`Source::same_place`] compares.
fn place(source: &Source) -> (u8, String) {
    match source {
        Source::CratesIo => (0, String::new()),
        Source::Registry { url } => (1, url.clone()),
        Source::Git { url, .. } => (2, canonical_git_url(url)),
        Source::Local => (3, String::new()),
    }
}

/// The numbers that [`compatible`] versions share; none for local packages.
fn line(id: &PackageId) -> (u64, u64, u64) {
    let Version {
        major,
        minor,
        patch,
        ..
    } = id.version;
    match (&id.source, major, minor) {
        (Source::Local, _, _) => (0, 0, 0),
        (_, 0, 0) => (0, 0, patch),
        (_, 0, _) => (0, minor, 0),
        (_, _, _) => (major, 0, 0),
    }
}

fn dependant_names<'a>(side: &Side<'a>, node: Node) -> BTreeSet<&'a str> {
    side.dependants(node)
        .iter()
        .map(|(parent, _)| side.package(*parent).id.name.as_str())
        .collect()
}

/// A version as a point on a line, on which the last `1.x` is nearer to `2.0.0`
/// than the first one is. Numbers above 2^40 count as 2^40.
fn position(version: &Version) -> u128 {
    let part = |number: u64| u128::from(number.min((1 << 40) - 1));
    let numbers = (part(version.major) << 80) | (part(version.minor) << 40) | part(version.patch);
    (numbers << 1) | u128::from(version.pre.is_empty())
}

/// For each of the few the one of the many that it goes with; both ascending,
/// and so is the answer. The sum of the distances is the least possible; of
/// equal sums the one with the higher of the many wins.
fn nearest(few: &[u128], many: &[u128]) -> Vec<usize> {
    // cost[i][j]: the first i of the few among the first j of the many.
    let mut cost = vec![vec![None::<u128>; many.len() + 1]; few.len() + 1];
    cost[0].fill(Some(0));
    for i in 1..=few.len() {
        for j in i..=many.len() {
            let joined =
                cost[i - 1][j - 1].map(|sum| sum.saturating_add(few[i - 1].abs_diff(many[j - 1])));
            cost[i][j] = [joined, cost[i][j - 1]].into_iter().flatten().min();
        }
    }
    let mut chosen = Vec::with_capacity(few.len());
    let (mut i, mut j) = (few.len(), many.len());
    while i > 0 && j > 0 {
        let joined =
            cost[i - 1][j - 1].map(|sum| sum.saturating_add(few[i - 1].abs_diff(many[j - 1])));
        if joined == cost[i][j] {
            chosen.push(j - 1);
            i -= 1;
        }
        j -= 1;
    }
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_release_of_a_line_is_nearest_to_the_next_line() {
        let to = position(&version("2.0.0"));
        let near = to.abs_diff(position(&version("1.9.3")));
        assert!(near < to.abs_diff(position(&version("1.0.0"))));
        assert!(near < to.abs_diff(position(&version("3.0.0"))));
        assert!(position(&version("2.0.0-rc.1")) < to);
    }

    #[test]
    fn the_nearest_partners_do_not_cross() {
        assert_eq!(nearest(&[1, 2], &[3, 4]), [0, 1]);
        assert_eq!(nearest(&[10], &[1, 9, 30]), [1]);
        assert_eq!(nearest(&[10, 11], &[1, 9, 30]), [0, 1]);
        assert_eq!(nearest(&[5], &[4, 6]), [1]);
        assert_eq!(nearest(&[], &[4, 6]), Vec::<usize>::new());
    }
}
