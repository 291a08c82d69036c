//! Which lock entry each declared dependency stands for.

use std::collections::{BTreeMap, BTreeSet};

use semver::VersionReq;

use super::package::{Declared, Origin};
use crate::pkg::{DependencyKind, Source};
use crate::snapshot::lock::{LockFile, LockPackage};

/// The names of packages that the root manifest replaces with others.
#[derive(Debug, Default)]
pub(super) struct Patched(pub(super) BTreeSet<String>);

/// The lock entries that a package's declarations stand for.
#[derive(Debug, Default)]
pub(super) struct Matched {
    /// For each declaration its lock entry.
    pub(super) entries: Vec<Option<usize>>,
    /// The lock entry's dependencies that no declaration asks for.
    pub(super) unasked: Vec<usize>,
}

/// The dependencies of a lock entry; one that is replaced stands for its replacement.
pub(super) fn locked_dependencies(lock: &LockFile, package: &LockPackage) -> Vec<usize> {
    package
        .dependencies
        .iter()
        .filter_map(|&to| {
            let entry = lock.packages.get(to)?;
            Some(
                entry
                    .replace
                    .filter(|&to| to < lock.packages.len())
                    .unwrap_or(to),
            )
        })
        .collect()
}

/// Matches declarations with the dependencies of one lock entry.
///
/// Among several that fit, the one from the place that is asked comes first,
/// then the highest version. Where that leaves an entry without any
/// declaration, a declaration that shares its entry with another moves there.
pub(super) fn matched(
    lock: &LockFile,
    package: &LockPackage,
    declared: &[Declared],
    patched: &Patched,
) -> Matched {
    let locked = locked_dependencies(lock, package);
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &to in &locked {
        by_name
            .entry(lock.packages[to].id.name.as_str())
            .or_default()
            .push(to);
    }
    let candidates: Vec<Vec<usize>> = declared
        .iter()
        .map(|declared| {
            let named = by_name.get(declared.dependency.package.as_str());
            let mut fitting: Vec<(u8, usize)> = named
                .into_iter()
                .flatten()
                .filter_map(|&to| {
                    let rank = fit(declared, &lock.packages[to], &package.id.source, patched)?;
                    Some((rank, to))
                })
                .collect();
            fitting.sort_by(|(rank_a, a), (rank_b, b)| {
                let version = |place: &usize| &lock.packages[*place].id.version;
                rank_a
                    .cmp(rank_b)
                    .then_with(|| version(b).cmp(version(a)))
                    .then(a.cmp(b))
            });
            fitting.into_iter().map(|(_, to)| to).collect()
        })
        .collect();
    let mut entries: Vec<Option<usize>> = candidates.iter().map(|c| c.first().copied()).collect();
    let mut unasked = Vec::new();
    for &to in &locked {
        if entries.contains(&Some(to)) {
            continue;
        }
        let movable = (0..entries.len()).find(|&place| {
            candidates[place].contains(&to)
                && entries
                    .iter()
                    .filter(|entry| **entry == entries[place])
                    .count()
                    > 1
        });
        match movable {
            Some(place) => entries[place] = Some(to),
            None => unasked.push(to),
        }
    }
    Matched { entries, unasked }
}

/// How well a lock entry fits a declaration: 0 is the place that is asked,
/// higher is a place that it may have been moved to.
fn fit(declared: &Declared, entry: &LockPackage, asker: &Source, patched: &Patched) -> Option<u8> {
    let any = declared.dependency.req == VersionReq::STAR;
    if !any && !declared.dependency.req.matches(&entry.id.version) {
        return None;
    }
    let found = &entry.id.source;
    let rank = match &declared.origin {
        Origin::Any => Some(0),
        Origin::NamedRegistry => match found {
            Source::Registry { .. } => Some(0),
            Source::CratesIo | Source::Git { .. } | Source::Local => None,
        },
        // A path inside of a git repository is that repository.
        Origin::Path(_) => match asker {
            Source::Git { .. } => found.same_place(asker).then_some(0),
            Source::CratesIo | Source::Registry { .. } | Source::Local => {
                (*found == Source::Local).then_some(0)
            }
        },
        Origin::Source(asked) => same_source(asked, found),
    };
    rank.or_else(|| patched.0.contains(&entry.id.name).then_some(2))
}

fn same_source(asked: &Source, found: &Source) -> Option<u8> {
    match (asked, found) {
        (
            Source::Git {
                url: asked,
                reference: asked_reference,
                ..
            },
            Source::Git {
                url: found,
                reference: found_reference,
                ..
            },
        ) => {
            let same = canonical(asked) == canonical(found);
            same.then_some(u8::from(asked_reference != found_reference))
        }
        (asked, found) => (asked == found).then_some(0),
    }
}

/// A repository's URL in the form in which Cargo compares them.
fn canonical(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url);
    if url.contains("://github.com/") {
        url.to_lowercase()
    } else {
        url.to_owned()
    }
}

/// What is wrong with a lock entry, in the words of the two files: a declared
/// dependency that it lacks and, for a member, one that is no longer declared.
pub(super) fn contradictions(
    lock: &LockFile,
    declared: &[Declared],
    matched: &Matched,
    member: bool,
) -> Vec<String> {
    let mut found = Vec::new();
    for (declared, entry) in declared.iter().zip(&matched.entries) {
        let dependency = &declared.dependency;
        let needed = member || !(dependency.optional || dependency.kind == DependencyKind::Dev);
        if entry.is_none() && needed {
            let name = &dependency.package;
            let req = &dependency.req;
            found.push(format!(
                "`{name} = \"{req}\"` is declared, and the lock file has none that fits"
            ));
        }
    }
    if member {
        for &to in &matched.unasked {
            found.push(format!(
                "`{}` is locked, and not declared",
                lock.packages[to].id
            ));
        }
    }
    found
}
