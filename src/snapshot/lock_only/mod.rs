//! The graph as far as a lock file alone tells it: who depends on whom, and
//! nothing of features, targets and the host side. Everything is assumed to be
//! compiled into what is shipped, and marked as assumed.
//!
//! Imports: pkg, facts.

mod reach;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::{FactKind, Gap, GapReason};
use crate::pkg::Source;
use crate::snapshot::lock::LockFile;
use crate::snapshot::{Edge, GraphKind, Package, Placement, Role, Workspace};

/// At most this many names of members are noted in one workspace, over all
/// packages. It is reached only by workspaces that are made for it.
const MOST_MEMBER_NAMES: usize = 4_000_000;

/// The workspace of a lock file. All local packages count as members, as a lock
/// file does not tell members from path dependencies.
#[must_use]
pub fn workspace(path: &str, lock: &LockFile) -> Workspace {
    let edges: Vec<Vec<usize>> = lock
        .packages
        .iter()
        .map(|package| {
            let mut edges = package.dependencies.clone();
            if let Some(replacement) = package.replace {
                edges.push(replacement);
                edges.sort_unstable();
                edges.dedup();
            }
            edges
        })
        .collect();
    let members: Vec<usize> = lock
        .packages
        .iter()
        .enumerate()
        .filter(|(_, package)| package.id.source == Source::Local)
        .map(|(at, _)| at)
        .collect();
    let mut packages: Vec<Package> = lock
        .packages
        .iter()
        .zip(&edges)
        .map(|(package, edges)| Package {
            id: package.id.clone(),
            checksum: package.checksum.clone(),
            member: package.id.source == Source::Local,
            edges: edges.iter().map(|&to| edge(to)).collect(),
            placement: Placement {
                roles: [Role::Target].into(),
                ..Placement::default()
            },
            manifest: None,
        })
        .collect();
    for &to in members
        .iter()
        .filter_map(|&member| edges.get(member))
        .flatten()
    {
        if let Some(package) = packages.get_mut(to) {
            package.placement.direct = true;
        }
    }
    let mut gaps = gaps();
    if !note_members(&mut packages, &edges, &members) {
        let detail = "so many local packages need each other that who needs what is not noted";
        gaps.push((None, gap(FactKind::Placement, GapReason::OverLimit, detail)));
    }
    Workspace {
        path: path.to_owned(),
        graph: GraphKind::LockOnly,
        packages,
        lock_lines: lock.packages.iter().map(|package| package.line).collect(),
        gaps,
    }
}

fn edge(to: usize) -> Edge {
    Edge {
        to,
        kinds: [].into(),
        reqs: Vec::new(),
    }
}

fn gaps() -> Vec<(Option<crate::pkg::PackageId>, Gap)> {
    let coarse = |fact, detail| (None, gap(fact, GapReason::CoarseGraph, detail));
    vec![
        coarse(
            FactKind::Placement,
            "only the lock file was read: every package is taken as compiled into what is shipped; \
             with the manifests beside it, target, host and test sides are told apart",
        ),
        coarse(
            FactKind::Features,
            "only the lock file was read, and it does not hold features; with the manifests beside \
             it they are resolved",
        ),
    ]
}

fn gap(fact: FactKind, reason: GapReason, detail: &str) -> Gap {
    Gap {
        fact,
        reason,
        detail: detail.to_owned(),
    }
}

/// Notes for each package the members that need it, itself included. Says
/// `false`, and leaves all of them out, when there would be too many.
fn note_members(packages: &mut [Package], edges: &[Vec<usize>], members: &[usize]) -> bool {
    let order = reach::order(edges);
    let mut needed_by: Vec<Vec<u32>> = vec![Vec::new(); packages.len()];
    let mut count = 0;
    let mut first = 0;
    for part in members.chunks(64) {
        for (bits, needed_by) in reach::from(part, edges, &order)
            .into_iter()
            .zip(&mut needed_by)
        {
            count += bits.count_ones() as usize;
            let mut bits = bits;
            while bits != 0 {
                needed_by.push(first + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
        if count > MOST_MEMBER_NAMES {
            return false;
        }
        first += 64;
    }
    let names: Vec<String> = members
        .iter()
        .filter_map(|&at| packages.get(at))
        .map(|package| package.id.name.clone())
        .collect();
    let name = |&member: &u32| names.get(member as usize).cloned();
    let mut sets: BTreeMap<Vec<u32>, Arc<BTreeSet<String>>> = BTreeMap::new();
    for (package, needed_by) in packages.iter_mut().zip(needed_by) {
        let set = sets
            .entry(needed_by)
            .or_insert_with_key(|members| Arc::new(members.iter().filter_map(name).collect()));
        package.placement.members = Arc::clone(set);
    }
    true
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::time::Instant;

    use super::*;
    use crate::snapshot::lock;

    fn lock(entries: &[(&str, bool, &[&str])]) -> LockFile {
        let mut text = String::new();
        for (name, local, on) in entries {
            let source = if *local {
                ""
            } else {
                "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
            };
            let list: String = on.iter().map(|name| format!(" \"{name}\",\n")).collect();
            let _ = write!(
                text,
                "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}dependencies = [\n{list}]\n\n"
            );
        }
        lock::parse(&text, "Cargo.lock").unwrap()
    }

    #[test]
    fn members_are_those_that_reach_a_package_through_cycles_too() {
        let lock = lock(&[
            ("app", true, &["x", "lib"]),
            ("lib", true, &["y", "app"]),
            ("other", true, &["z"]),
            ("unused", false, &[]),
            ("x", false, &["z"]),
            ("y", false, &["z"]),
            ("z", false, &[]),
        ]);
        let workspace = workspace("sub", &lock);
        let seen: Vec<String> = workspace
            .packages
            .iter()
            .map(|p| {
                let members: Vec<_> = p.placement.members.iter().map(String::as_str).collect();
                format!(
                    "{} {} {} {}",
                    p.id.name,
                    p.member,
                    p.placement.direct,
                    members.join(",")
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                "app true true app,lib",
                "lib true true app,lib",
                "other true false other",
                "unused false false ",
                "x false true app,lib",
                "y false true app,lib",
                "z false true app,lib,other",
            ]
        );
        assert!(
            workspace
                .packages
                .iter()
                .all(|p| !p.placement.resolved && p.placement.is_built())
        );
        let gaps: Vec<_> = workspace
            .gaps
            .iter()
            .map(|(_, gap)| (gap.fact, gap.reason))
            .collect();
        assert_eq!(
            gaps,
            [
                (FactKind::Placement, GapReason::CoarseGraph),
                (FactKind::Features, GapReason::CoarseGraph)
            ]
        );
        assert_eq!(workspace.lock_lines.len(), 7);
    }

    #[test]
    fn a_long_chain_of_many_members_is_quick_and_needs_no_deep_stack() {
        let names: Vec<String> = (0..20_000).map(|at| format!("p{at:05}")).collect();
        let entries: Vec<(&str, bool, Vec<&str>)> = names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                (
                    name.as_str(),
                    at % 100 == 0,
                    names.get(at + 1).map(String::as_str).into_iter().collect(),
                )
            })
            .collect();
        let entries: Vec<(&str, bool, &[&str])> = entries
            .iter()
            .map(|(name, local, on)| (*name, *local, on.as_slice()))
            .collect();
        let lock = lock(&entries);
        let start = Instant::now();
        let workspace = workspace(".", &lock);
        assert_eq!(workspace.packages[19_999].placement.members.len(), 200);
        assert!(start.elapsed().as_secs() < 20);
    }

    #[test]
    fn a_workspace_made_to_fill_the_memory_is_cut_off_and_says_so() {
        let names: Vec<String> = (0..4_000).map(|at| format!("p{at:05}")).collect();
        let entries: Vec<(&str, bool, Vec<&str>)> = names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                (
                    name.as_str(),
                    true,
                    names.get(at + 1).map(String::as_str).into_iter().collect(),
                )
            })
            .collect();
        let entries: Vec<(&str, bool, &[&str])> = entries
            .iter()
            .map(|(name, local, on)| (*name, *local, on.as_slice()))
            .collect();
        let workspace = workspace(".", &lock(&entries));
        assert!(
            workspace
                .packages
                .iter()
                .all(|p| p.placement.members.is_empty())
        );
        assert!(
            workspace
                .gaps
                .iter()
                .any(|(_, gap)| gap.reason == GapReason::OverLimit)
        );
    }
}
