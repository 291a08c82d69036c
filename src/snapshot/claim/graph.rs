//! A list of claimed packages as a graph, held against a lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use semver::Version;

use crate::facts::{FactKind, Gap, GapReason};
use crate::pkg::{DependencyKind, PackageId, Source};
use crate::snapshot::lock::{LockFile, LockPackage};
use crate::snapshot::{Edge, GraphKind, Package, Placement, Role, Workspace};

use super::Claimed;

/// At most this many contradictions are listed one by one.
const MOST_GAPS: usize = 200;

pub(super) fn workspace(mut claimed: Vec<Claimed>, lock: Option<&LockFile>) -> Workspace {
    let mut gaps = vec![(None, coarse(lock.is_some()))];
    if let Some(lock) = lock {
        gaps.extend(hold_against(&mut claimed, lock));
    }
    let (mut packages, places) = merged(&claimed);
    join(&mut packages, &claimed, &places);
    note_roots(&mut packages);
    let known: BTreeSet<&PackageId> = packages.iter().map(|package| &package.id).collect();
    for (id, _) in &mut gaps {
        *id = id.take().filter(|id| known.contains(id));
    }
    gaps.sort();
    gaps.dedup();
    Workspace {
        path: ".".to_owned(),
        graph: GraphKind::Claim,
        packages,
        lock_lines: Vec::new(),
        gaps,
    }
}

fn coarse(checked: bool) -> Gap {
    let against = if checked {
        "it was held against the lock file beside it"
    } else {
        "there is no lock file beside it to hold it against"
    };
    Gap {
        fact: FactKind::Placement,
        reason: GapReason::CoarseGraph,
        detail: format!(
            "the list in the artifact is a claim; {against}; it tells no features, and only in \
             part what is compiled for the build alone"
        ),
    }
}

/// Takes sources and checksums from the lock file, and says what it does not have.
fn hold_against(claimed: &mut [Claimed], lock: &LockFile) -> Vec<(Option<PackageId>, Gap)> {
    let mut by_name: BTreeMap<(&str, &Version), Vec<&LockPackage>> = BTreeMap::new();
    for package in &lock.packages {
        by_name
            .entry((&package.id.name, &package.id.version))
            .or_default()
            .push(package);
    }
    let mut gaps = Vec::new();
    let mut more = 0_usize;
    for package in claimed.iter_mut() {
        let locked = by_name
            .get(&(package.id.name.as_str(), &package.id.version))
            .map_or(&[][..], Vec::as_slice);
        let alike = locked
            .iter()
            .find(|locked| package.vague_source || locked.id.source.same_place(&package.id.source));
        let wrong = match alike {
            None if locked.is_empty() => Some("the lock file beside it has no such version"),
            None => Some("the lock file beside it has this version from another place"),
            Some(locked) => {
                package.id.source = locked.id.source.clone();
                match (&package.checksum, &locked.checksum) {
                    (Some(claimed), Some(locked)) if claimed != locked => {
                        Some("the lock file beside it has another checksum")
                    }
                    (None, _) => {
                        package.checksum.clone_from(&locked.checksum);
                        None
                    }
                    _ => None,
                }
            }
        };
        let Some(wrong) = wrong.filter(|_| package.id.source != Source::Local) else {
            continue;
        };
        if gaps.len() >= MOST_GAPS {
            more += 1;
            continue;
        }
        gaps.push((
            Some(package.id.clone()),
            contradicted(format!("the artifact claims {}: {wrong}", package.id)),
        ));
    }
    if more > 0 {
        gaps.push((
            None,
            contradicted(format!(
                "the artifact claims {more} further packages that the lock file beside it does not have"
            )),
        ));
    }
    gaps
}

fn contradicted(detail: String) -> Gap {
    Gap {
        fact: FactKind::Placement,
        reason: GapReason::Contradicted,
        detail,
    }
}

/// The packages, each once and sorted, and the new place of each old one.
fn merged(claimed: &[Claimed]) -> (Vec<Package>, Vec<usize>) {
    let ids: BTreeSet<&PackageId> = claimed.iter().map(|package| &package.id).collect();
    let by_id: BTreeMap<&PackageId, usize> = ids.iter().copied().zip(0..).collect();
    let mut packages: Vec<Package> = ids
        .iter()
        .map(|id| Package {
            id: (*id).clone(),
            checksum: None,
            member: id.source == Source::Local,
            edges: Vec::new(),
            placement: Placement::default(),
            manifest: None,
        })
        .collect();
    let mut places = Vec::with_capacity(claimed.len());
    for claim in claimed {
        let place = by_id.get(&claim.id).copied().unwrap_or(0);
        places.push(place);
        if let Some(package) = packages.get_mut(place) {
            package.member |= claim.root;
            if package.checksum.is_none() {
                package.checksum.clone_from(&claim.checksum);
            }
            let role = if claim.build_only {
                Role::Host
            } else {
                Role::Target
            };
            package.placement.roles.insert(role);
        }
    }
    (packages, places)
}

fn join(packages: &mut [Package], claimed: &[Claimed], places: &[usize]) {
    let mut edges: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); packages.len()];
    for (claim, &place) in claimed.iter().zip(places) {
        let to = claim
            .dependencies
            .iter()
            .filter_map(|&to| places.get(to).copied())
            .filter(|&to| to != place);
        if let Some(edges) = edges.get_mut(place) {
            edges.extend(to);
        }
    }
    let direct: BTreeSet<usize> = packages
        .iter()
        .zip(&edges)
        .filter(|(package, _)| package.member)
        .flat_map(|(_, edges)| edges.iter().copied())
        .collect();
    for (place, (package, edges)) in packages.iter_mut().zip(edges).enumerate() {
        package.placement.direct = direct.contains(&place);
        package.edges = edges
            .into_iter()
            .map(|to| Edge {
                to,
                kinds: BTreeSet::<DependencyKind>::new(),
                reqs: Vec::new(),
            })
            .collect();
    }
}

/// How many members are noted at the packages that they need.
const MOST_ROOTS: usize = 64;

/// Notes at each package which members need it.
fn note_roots(packages: &mut [Package]) {
    let members: Vec<usize> = packages
        .iter()
        .enumerate()
        .filter(|(_, package)| package.member)
        .map(|(place, _)| place)
        .take(MOST_ROOTS)
        .collect();
    for member in members {
        let Some(name) = packages.get(member).map(|package| package.id.name.clone()) else {
            continue;
        };
        let mut seen = vec![false; packages.len()];
        let mut open = vec![member];
        while let Some(place) = open.pop() {
            if seen.get(place).copied().unwrap_or(true) {
                continue;
            }
            if let Some(seen) = seen.get_mut(place) {
                *seen = true;
            }
            if let Some(package) = packages.get_mut(place) {
                Arc::make_mut(&mut package.placement.members).insert(name.clone());
                open.extend(package.edges.iter().map(|edge| edge.to));
            }
        }
    }
}
