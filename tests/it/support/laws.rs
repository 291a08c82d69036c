//! What holds for every difference.

use std::collections::{BTreeMap, BTreeSet};

use cargo_canary::diff::{Change, GraphDiff, MAX_PATHS, diff};
use cargo_canary::snapshot::{DeclaredRequirements, Snapshot, Workspace};

/// Holds the difference of two snapshots against all laws, and returns it.
#[track_caller]
pub(crate) fn hold(base: &Snapshot, head: &Snapshot, declared: &DeclaredRequirements) -> GraphDiff {
    let forward = diff(base, head, declared);
    assert_eq!(
        diff(base, base, declared).changes,
        [],
        "a snapshot does not differ from itself"
    );
    assert_eq!(
        mirror(&forward),
        facts(&diff(head, base, declared)),
        "backwards is the mirror image"
    );
    assert_eq!(
        diff(&reversed(base), &reversed(head), declared),
        forward,
        "the order of input does not matter"
    );
    ids(&forward);
    chains(&forward);
    shape(&forward);
    forward
}

/// What of a change has a mirror image, as text that sorts.
fn facts(diff: &GraphDiff) -> BTreeSet<String> {
    diff.changes.iter().map(fact).collect()
}

fn fact(change: &Change) -> String {
    let Change {
        package,
        kind,
        from,
        to,
        placement,
        placement_before,
        features,
        ..
    } = change;
    let Change {
        workspaces,
        dependencies_gained,
        dependencies_lost,
        manifest_before,
        manifest_after,
        ..
    } = change;
    let (incoming, outgoing) = (change.incoming(), change.outgoing());
    format!(
        "{package} {kind:?} {from:?} {to:?} {outgoing:?} {incoming:?} {placement_before:?} {placement:?} {features:?} \
         {workspaces:?} {dependencies_gained:?} {dependencies_lost:?} {manifest_before:?} {manifest_after:?}"
    )
}

fn mirror(diff: &GraphDiff) -> BTreeSet<String> {
    let turned = diff.changes.iter().cloned().map(|mut change| {
        change.kind = change.kind.mirrored();
        std::mem::swap(&mut change.from, &mut change.to);
        std::mem::swap(&mut change.manifest_before, &mut change.manifest_after);
        std::mem::swap(
            &mut change.dependencies_gained,
            &mut change.dependencies_lost,
        );
        let features = &mut change.features;
        std::mem::swap(&mut features.target_gained, &mut features.target_lost);
        std::mem::swap(&mut features.host_gained, &mut features.host_lost);
        if let Some(before) = &mut change.placement_before {
            std::mem::swap(before, &mut change.placement);
        }
        fact(&change)
    });
    turned.collect()
}

/// The same snapshot with its workspaces, packages and edges handed in backwards.
fn reversed(snapshot: &Snapshot) -> Snapshot {
    let mut snapshot = snapshot.clone();
    snapshot.workspaces.reverse();
    for Workspace {
        packages,
        lock_lines,
        ..
    } in &mut snapshot.workspaces
    {
        let last = packages.len().saturating_sub(1);
        packages.reverse();
        lock_lines.reverse();
        for package in packages {
            package.edges.reverse();
            for edge in &mut package.edges {
                edge.to = last - edge.to;
            }
        }
    }
    snapshot
}

fn ids(diff: &GraphDiff) {
    assert!(
        diff.changes.windows(2).all(|pair| pair[0].id < pair[1].id),
        "ids are unique and sorted"
    );
    for change in &diff.changes {
        assert!(change.id.starts_with(&change.package));
        assert_eq!(diff.change(&change.id), Some(change));
    }
}

fn chains(diff: &GraphDiff) {
    let roots: BTreeSet<&str> = diff.roots().map(|change| change.id.as_str()).collect();
    let mut forces: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for change in &diff.changes {
        let Some(by) = &change.forced_by else {
            continue;
        };
        assert!(
            roots.contains(by.root.as_str()),
            "`{}` is led back to a root",
            change.id
        );
        assert_eq!(by.chain.first(), Some(&by.root));
        assert!(!by.because.is_empty());
        let distinct: BTreeSet<_> = by.chain.iter().chain([&change.id]).collect();
        assert_eq!(
            distinct.len(),
            by.chain.len() + 1,
            "the chain of `{}` has no circle",
            change.id
        );
        let (before, rest) = by.chain.split_last().unwrap();
        let before = diff.change(before).unwrap();
        let up = before
            .forced_by
            .as_ref()
            .map(|by| by.chain.clone())
            .unwrap_or_default();
        assert_eq!(
            up, rest,
            "the chain of `{}` goes on the chain before it",
            change.id
        );
        for ancestor in &by.chain {
            forces.entry(ancestor).or_default().insert(&change.id);
        }
    }
    for change in &diff.changes {
        let listed: Vec<&str> = change.forces.iter().map(String::as_str).collect();
        let expected: Vec<&str> = forces
            .remove(change.id.as_str())
            .unwrap_or_default()
            .into_iter()
            .collect();
        assert_eq!(listed, expected, "`{}` lists what it forced", change.id);
    }
    let in_decisions: usize = diff
        .decisions()
        .iter()
        .map(|decision| 1 + decision.forced.len())
        .sum();
    assert_eq!(in_decisions, diff.changes.len());
}

fn shape(diff: &GraphDiff) {
    for change in &diff.changes {
        assert!(!change.from.is_empty() || !change.to.is_empty());
        assert!(change.paths.len() <= MAX_PATHS);
        assert!(
            change
                .paths
                .windows(2)
                .all(|pair| pair[0].len() <= pair[1].len() && pair[0] != pair[1])
        );
        let ends = |path: &Vec<String>| {
            path.last()
                .is_some_and(|last| last.starts_with(&change.package))
        };
        assert!(change.paths.iter().all(ends));
        assert!(
            change.workspaces.windows(2).all(|pair| pair[0] < pair[1])
                && !change.workspaces.is_empty()
        );
    }
}
