//! The changes before they have ids and reasons: what differs in one workspace,
//! and the same difference in several workspaces made one.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::pairing::Pairing;
use super::paths::Paths;
use super::side::{Node, Side, by_name};
use super::{Change, ChangeKind, FeatureDelta, MAX_PATHS, same_state};
use crate::pkg::{DependencyKind, Release, Source};
use crate::snapshot::{Edge, Package, Placement, Role};

/// One workspace on both sides.
pub(super) struct Pair<'a> {
    /// Its path below the root.
    pub(super) path: String,
    /// Its lock file, by path.
    pub(super) lock: String,
    /// Its state in the base.
    pub(super) base: Side<'a>,
    /// Its state in the head.
    pub(super) head: Side<'a>,
    /// Which package became which.
    pub(super) pairing: Pairing,
    /// Whether features and placement are known, in base and head.
    pub(super) resolved: (bool, bool),
}

/// Where a change happens: the packages in one workspace.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    /// The place of the workspace among the pairs.
    pub(super) workspace: usize,
    /// The package in the base.
    pub(super) base: Option<Node>,
    /// The package in the head.
    pub(super) head: Option<Node>,
}

/// A change without id and reason.
pub(super) struct Draft {
    /// The change so far.
    pub(super) change: Change,
    /// The release that goes, unless none does.
    pub(super) out: Option<Release>,
    /// The release that comes, unless none does.
    pub(super) into: Option<Release>,
    /// Where it happens, in the order of the workspaces.
    pub(super) spots: Vec<Spot>,
}

/// The drafts of one workspace.
pub(super) fn drafts(workspace: usize, pair: &Pair<'_>) -> Vec<Draft> {
    let spots = differing(workspace, pair);
    let wanted = |of: fn(&Spot) -> Option<Node>| -> Vec<Node> {
        spots.iter().filter_map(|(spot, _)| of(spot)).collect()
    };
    let head_paths = Paths::to(&pair.head, &wanted(|spot| spot.head));
    let base_paths = Paths::to(
        &pair.base,
        &wanted(|spot| spot.base.filter(|_| spot.head.is_none())),
    );
    let drafted = spots.iter().map(|(spot, kind)| {
        let mut draft = draft(pair, *spot, *kind);
        draft.change.paths = match (spot.head, spot.base) {
            (Some(head), _) => head_paths.of(&pair.head, head),
            (None, Some(base)) => base_paths.of(&pair.base, base),
            (None, None) => Vec::new(),
        };
        draft
    });
    drafted.collect()
}

/// What differs, by name; local packages are left out.
fn differing(workspace: usize, pair: &Pair<'_>) -> Vec<(Spot, ChangeKind)> {
    let mut found = Vec::new();
    for (lefts, rights) in by_name(&pair.base, &pair.head) {
        let in_base = lefts.clone().any(|node| !pair.base.is_local(node));
        let in_head = rights.clone().any(|node| !pair.head.is_local(node));
        for base in lefts {
            let head = pair.pairing.head_of(base);
            let kind = match head {
                Some(head) => kind_of(pair.base.package(base), pair.head.package(head)),
                None if pair.base.is_local(base) => None,
                None if in_head => Some(ChangeKind::Merged),
                None => Some(ChangeKind::Removed),
            };
            found.extend(kind.map(|kind| {
                (
                    Spot {
                        workspace,
                        base: Some(base),
                        head,
                    },
                    kind,
                )
            }));
        }
        for head in rights {
            if pair.pairing.base_of(head).is_none() && !pair.head.is_local(head) {
                let kind = if in_base {
                    ChangeKind::Duplicated
                } else {
                    ChangeKind::Added
                };
                found.push((
                    Spot {
                        workspace,
                        base: None,
                        head: Some(head),
                    },
                    kind,
                ));
            }
        }
    }
    found
}

/// What became of a package that has a partner.
fn kind_of(base: &Package, head: &Package) -> Option<ChangeKind> {
    let (a, b) = (&base.id, &head.id);
    if a.source == Source::Local && b.source == Source::Local {
        return None;
    }
    if !a.source.same_place(&b.source) {
        return Some(ChangeKind::SourceMoved);
    }
    match a.version.cmp_precedence(&b.version) {
        Ordering::Less => return Some(ChangeKind::Upgraded),
        Ordering::Greater => return Some(ChangeKind::Downgraded),
        Ordering::Equal => {}
    }
    // Build metadata is no step up or down, and yet another archive.
    if a.version != b.version || other_content(base, head) {
        return Some(ChangeKind::ContentChanged);
    }
    let (before, after) = (&base.placement, &head.placement);
    if !before.resolved || !after.resolved {
        return None;
    }
    if before.roles != after.roles || before.targets != after.targets {
        return Some(ChangeKind::PlacementChanged);
    }
    (!feature_delta(before, after).is_empty()).then_some(ChangeKind::FeaturesChanged)
}

/// Whether two states of one version are known to differ.
fn other_content(base: &Package, head: &Package) -> bool {
    let checksums = base.checksum.as_ref().zip(head.checksum.as_ref());
    !same_state(&base.id.source, &head.id.source) || checksums.is_some_and(|(a, b)| a != b)
}

fn feature_delta(before: &Placement, after: &Placement) -> FeatureDelta {
    let more = |a: &BTreeSet<String>, b: &BTreeSet<String>| b.difference(a).cloned().collect();
    FeatureDelta {
        target_gained: more(&before.target_features, &after.target_features),
        target_lost: more(&after.target_features, &before.target_features),
        host_gained: more(&before.host_features, &after.host_features),
        host_lost: more(&after.host_features, &before.host_features),
    }
}

fn draft(pair: &Pair<'_>, spot: Spot, kind: ChangeKind) -> Draft {
    let base = spot.base.map(|node| pair.base.package(node));
    let head = spot.head.map(|node| pair.head.package(node));
    let (out, into) = (base.map(release), head.map(release));
    let name = base
        .or(head)
        .map(|package| package.id.name.clone())
        .unwrap_or_default();
    let (from, to) = match kind {
        ChangeKind::Duplicated | ChangeKind::Merged => {
            (live(&pair.base, &name), live(&pair.head, &name))
        }
        ChangeKind::Added
        | ChangeKind::Removed
        | ChangeKind::Upgraded
        | ChangeKind::Downgraded
        | ChangeKind::SourceMoved
        | ChangeKind::ContentChanged
        | ChangeKind::FeaturesChanged
        | ChangeKind::PlacementChanged => (
            out.iter().cloned().collect(),
            into.iter().cloned().collect(),
        ),
    };
    let both = base.zip(head);
    let (gained, lost) = match (spot.base, spot.head) {
        (Some(old), Some(new)) => {
            let (had, has) = (needed(&pair.base, old), needed(&pair.head, new));
            (only_in(&has, &had), only_in(&had, &has))
        }
        _ => Default::default(),
    };
    let resolved = both.filter(|(a, b)| a.placement.resolved && b.placement.resolved);
    let line = spot.head.and_then(|node| pair.head.line(node));
    let change = Change {
        id: String::new(),
        package: name,
        kind,
        from,
        to,
        placement: head
            .or(base)
            .map(|package| package.placement.clone())
            .unwrap_or_default(),
        placement_before: both.map(|(package, _)| package.placement.clone()),
        features: resolved
            .map(|(a, b)| feature_delta(&a.placement, &b.placement))
            .unwrap_or_default(),
        forced_by: None,
        forces: Vec::new(),
        paths: Vec::new(),
        workspaces: vec![pair.path.clone()],
        dependencies_gained: gained,
        dependencies_lost: lost,
        manifest_before: base.and_then(|package| package.manifest.clone()),
        manifest_after: head.and_then(|package| package.manifest.clone()),
        lock_line: line.map(|line| (pair.lock.clone(), line)),
    };
    Draft {
        change,
        out,
        into,
        spots: vec![spot],
    }
}

fn release(package: &Package) -> Release {
    Release {
        version: package.id.version.clone(),
        source: package.id.source.clone(),
        checksum: package.checksum.clone(),
    }
}

/// All third-party releases of a name, in their order.
fn live(side: &Side<'_>, name: &str) -> Vec<Release> {
    let mut releases: Vec<_> = side
        .named(name)
        .filter(|node| !side.is_local(*node))
        .map(|node| release(side.package(node)))
        .collect();
    releases.sort();
    releases
}

/// The names of what a package needs to be built, sorted.
fn needed<'a>(side: &Side<'a>, node: Node) -> Vec<&'a str> {
    let edges = side
        .dependencies(node)
        .iter()
        .filter(|(_, edge)| builds(edge));
    edges
        .map(|(to, _)| side.package(*to).id.name.as_str())
        .collect()
}

/// The sorted names that another sorted list lacks.
fn only_in(names: &[&str], other: &[&str]) -> Vec<String> {
    let mut only: Vec<String> = names
        .iter()
        .filter(|name| other.binary_search(name).is_err())
        .map(|name| (*name).to_owned())
        .collect();
    only.dedup();
    only
}

/// Whether a dependency is more than a development dependency; without kinds
/// it counts as such.
pub(super) fn builds(edge: &Edge) -> bool {
    edge.kinds.is_empty()
        || edge.kinds.contains(&DependencyKind::Normal)
        || edge.kinds.contains(&DependencyKind::Build)
}

/// Makes one draft of those that say the same of several workspaces. The
/// drafts come in the order of the workspaces and leave in the order of packages.
pub(super) fn merged(mut drafts: Vec<Draft>) -> Vec<Draft> {
    fn key(draft: &Draft) -> impl Ord + '_ {
        let Change {
            package,
            kind,
            from,
            to,
            ..
        } = &draft.change;
        (package, &draft.into, &draft.out, kind, from, to)
    }
    drafts.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut merged: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match merged.last_mut() {
            Some(last) if key(last).cmp(&key(&draft)).is_eq() => join(last, draft),
            _ => merged.push(draft),
        }
    }
    merged
}

fn join(into: &mut Draft, other: Draft) {
    into.spots.extend(other.spots);
    let (a, b) = (&mut into.change, other.change);
    join_placement(&mut a.placement, b.placement);
    match (&mut a.placement_before, b.placement_before) {
        (Some(a), Some(b)) => join_placement(a, b),
        (a @ None, b) => *a = b,
        (Some(_), None) => {}
    }
    a.features.target_gained.extend(b.features.target_gained);
    a.features.target_lost.extend(b.features.target_lost);
    a.features.host_gained.extend(b.features.host_gained);
    a.features.host_lost.extend(b.features.host_lost);
    a.workspaces.extend(b.workspaces);
    a.paths.extend(b.paths);
    a.paths
        .sort_by(|x, y| x.len().cmp(&y.len()).then_with(|| x.cmp(y)));
    a.paths.dedup();
    a.paths.truncate(MAX_PATHS);
    union(&mut a.dependencies_gained, b.dependencies_gained);
    union(&mut a.dependencies_lost, b.dependencies_lost);
    a.manifest_before = a.manifest_before.take().or(b.manifest_before);
    a.manifest_after = a.manifest_after.take().or(b.manifest_after);
    a.lock_line = a.lock_line.take().or(b.lock_line);
}

fn union(into: &mut Vec<String>, other: Vec<String>) {
    into.extend(other);
    into.sort();
    into.dedup();
}

fn join_placement(into: &mut Placement, other: Placement) {
    into.direct |= other.direct;
    into.resolved &= other.resolved;
    into.roles.extend(other.roles);
    into.targets.extend(other.targets);
    if !other.members.is_subset(&into.members) {
        Arc::make_mut(&mut into.members).extend(other.members.iter().cloned());
    }
    into.target_features.extend(other.target_features);
    into.host_features.extend(other.host_features);
    if into.is_built() {
        into.roles.remove(&Role::Dev);
    }
    if into.roles.len() > 1 {
        into.roles.remove(&Role::Unbuilt);
    }
}
