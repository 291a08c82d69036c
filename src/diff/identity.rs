//! Ids of changes, and the digest of a difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::draft::{Draft, Pair};
use super::{Change, ChangeKind, FeatureDelta};
use crate::pkg::{Release, Source};
use crate::snapshot::Placement;

/// Gives each draft its id: the shortest form that none of the drafts of its
/// name shares. The drafts come in the order of packages.
pub(super) fn name_all(drafts: &mut [Draft]) {
    let mut taken = BTreeSet::new();
    for same_name in drafts.chunk_by_mut(|a, b| a.change.package == b.change.package) {
        let ids = shortest(same_name);
        for (draft, id) in same_name.iter_mut().zip(ids) {
            let mut unique = id.clone();
            let mut further = 1;
            while !taken.insert(unique.clone()) {
                further += 1;
                unique = format!("{id} #{further}");
            }
            draft.change.id = unique;
        }
    }
}

fn shortest(drafts: &[Draft]) -> Vec<String> {
    if let [only] = drafts {
        return vec![only.change.package.clone()];
    }
    let mut ids: Vec<String> = drafts
        .iter()
        .map(|draft| spelled(draft, u8::from(has_twin(draft))))
        .collect();
    for detail in 1..=MOST_DETAIL {
        let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
        for id in &ids {
            *uses.entry(id).or_default() += 1;
        }
        let shared: Vec<bool> = ids
            .iter()
            .map(|id| uses.get(id.as_str()).is_some_and(|n| *n > 1))
            .collect();
        for ((id, draft), _) in ids
            .iter_mut()
            .zip(drafts)
            .zip(shared)
            .filter(|(_, shared)| *shared)
        {
            *id = spelled(draft, detail);
        }
    }
    ids
}

/// Whether the lists of all live versions hold the draft's version from another source too.
fn has_twin(draft: &Draft) -> bool {
    let Change { kind, from, to, .. } = &draft.change;
    let all_versions = matches!(kind, ChangeKind::Duplicated | ChangeKind::Merged);
    let own = draft
        .into
        .as_ref()
        .or(draft.out.as_ref())
        .filter(|_| all_versions);
    own.is_some_and(|own| {
        from.iter()
            .chain(to)
            .any(|it| it.version == own.version && it.source != own.source)
    })
}

/// The last of the forms of [`spelled`].
const MOST_DETAIL: u8 = 3;

/// `name@version`, then with the source, then with what it replaces, then with the kind.
fn spelled(draft: &Draft, detail: u8) -> String {
    let Some(release) = draft.into.as_ref().or(draft.out.as_ref()) else {
        return draft.change.package.clone();
    };
    let mut id = at_version(&draft.change.package, release);
    if detail >= 1 {
        let _ = write!(id, " ({})", release.source);
    }
    if detail >= 2
        && let (Some(out), Some(_)) = (&draft.out, &draft.into)
    {
        let _ = write!(id, " from {}", out.version);
    }
    if detail >= 3 {
        let _ = write!(id, " {}", draft.change.kind.as_str());
    }
    id
}

fn at_version(package: &str, release: &Release) -> String {
    format!("{package}@{}", release.version)
}

/// The release of several that an id names: the only one, or the one whose
/// version, and source where it is given, the id bears.
pub(super) fn named_by<'a>(change: &Change, candidates: Vec<&'a Release>) -> Option<&'a Release> {
    if let [only] = candidates.as_slice() {
        return Some(only);
    }
    let bears = |release: &&Release| {
        let short = at_version(&change.package, release);
        let Some(rest) = change.id.strip_prefix(&short) else {
            return false;
        };
        rest.is_empty() || rest.starts_with(&format!(" ({})", release.source))
    };
    candidates.into_iter().find(bears)
}

/// `sha256:…` over all that a difference is made of, one line for each: every
/// change (its id and kind, both sides' releases, features gained and lost,
/// whether it is left out of the build), and for every workspace all
/// third-party packages of both sides with version, source and checksum: a
/// trial of one difference says nothing of the same update among other
/// packages. Paths and local packages are not part of it. The changes come
/// sorted by id, the packages as [`packages`] writes them.
pub(super) fn digest(changes: &[Change], packages: &str) -> String {
    let mut text = String::new();
    for change in changes {
        // The debug form quotes and escapes, so that no name can imitate a line.
        let _ = write!(text, "change {:?} {}", change.id, change.kind.as_str());
        for (side, releases) in [("from", &change.from), ("to", &change.to)] {
            let _ = write!(text, " {side}");
            for release in releases {
                let _ = write!(text, " {} ", release.version);
                origin(&mut text, &release.source, release.checksum.as_deref());
            }
        }
        let FeatureDelta {
            target_gained,
            target_lost,
            host_gained,
            host_lost,
        } = &change.features;
        let gained: BTreeSet<_> = target_gained.union(host_gained).collect();
        let lost: BTreeSet<_> = target_lost.union(host_lost).collect();
        if !gained.is_empty() || !lost.is_empty() {
            let _ = write!(text, " gained {gained:?} lost {lost:?}");
        }
        // A lock file alone does not tell; it is read as if all were built.
        let left_out = |placement: &Placement| placement.resolved && !placement.is_built();
        if change.placement_before.as_ref().is_some_and(left_out) {
            text.push_str(" was not built");
        }
        if left_out(&change.placement) {
            text.push_str(" is not built");
        }
        text.push('\n');
    }
    let mut hash = Sha256::new();
    hash.update(&text);
    hash.update(packages);
    let mut digest = String::from("sha256:");
    for byte in hash.finalize() {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// The third-party packages of all workspaces, as they stand in a digest.
pub(super) fn packages(pairs: &[Pair<'_>]) -> String {
    let mut workspaces: Vec<String> = pairs.iter().map(of_workspace).collect();
    workspaces.sort_unstable();
    workspaces.concat()
}

/// The third-party packages of both sides of a workspace.
fn of_workspace(pair: &Pair<'_>) -> String {
    let mut text = "workspace\n".to_owned();
    for (word, side) in [("base", &pair.base), ("head", &pair.head)] {
        // The packages come in the order of their ids.
        for (_, package) in side.packages() {
            if package.id.source != Source::Local {
                let _ = write!(text, "{word} {:?} {} ", package.id.name, package.id.version);
                origin(&mut text, &package.id.source, package.checksum.as_deref());
                text.push('\n');
            }
        }
    }
    text
}

/// Source and checksum of a release, as they stand in a line.
fn origin(text: &mut String, source: &Source, checksum: Option<&str>) {
    let source = source.to_lock().unwrap_or_else(|| "local".to_owned());
    let _ = write!(text, "{source:?} {:?}", checksum.unwrap_or("-"));
}
