//! The facts of every change: release facts from the index, advisories from
//! the database.

use std::collections::BTreeMap;

use jiff::Timestamp;
use semver::Version;

use crate::advisories::Store;
use crate::diff::{Change, ChangeKind};
use crate::facts::{Declared, Dossier, FactKind, Finding, Gap, GapReason};
use crate::pkg::{PackageId, Release, Source};
use crate::registry::{CrateRecord, Freshness, IndexRelease, Registry, Wanted};

use super::release::Releases;

/// What the facts are gathered from.
pub(super) struct Sources<'a, 'h> {
    pub(super) registry: &'a Registry<'h>,
    pub(super) advisories: &'a Store,
    pub(super) as_of: Timestamp,
    /// Gaps of the graph, by the package they concern.
    pub(super) graph_gaps: &'a BTreeMap<PackageId, Vec<Gap>>,
}

/// The release that the facts of a change are about: the one that comes in, or,
/// for a release that stays and is placed elsewhere, that one.
pub(super) fn subject(change: &Change) -> Option<&Release> {
    change.incoming().or_else(|| match change.kind {
        ChangeKind::PlacementChanged | ChangeKind::ContentChanged => change.to.last(),
        ChangeKind::Added
        | ChangeKind::Removed
        | ChangeKind::Upgraded
        | ChangeKind::Downgraded
        | ChangeKind::Duplicated
        | ChangeKind::Merged
        | ChangeKind::SourceMoved
        | ChangeKind::FeaturesChanged => None,
    })
}

/// Asks for all index entries that the changes need, at once.
pub(super) fn prefetch(registry: &Registry<'_>, changes: &[Change]) {
    let mut wanted: BTreeMap<(Source, String), Wanted> = BTreeMap::new();
    for change in changes {
        for release in change.from.iter().chain(&change.to) {
            if !release.source.is_registry() || subject(change).is_none() {
                continue;
            }
            let key = (release.source.clone(), change.package.clone());
            let entry = wanted.entry(key).or_insert_with(|| Wanted {
                source: release.source.clone(),
                name: change.package.clone(),
                holding: Vec::new(),
                freshness: Freshness::Current,
            });
            if !entry.holding.contains(&release.version) {
                entry.holding.push(release.version.clone());
            }
        }
    }
    let wanted: Vec<Wanted> = wanted.into_values().collect();
    registry.prefetch(&wanted);
}

/// All facts of one change.
pub(super) fn dossier(change: &Change, sources: &Sources<'_, '_>) -> Dossier {
    let mut dossier = released(change, sources);
    let (package, from, to) = (&change.package, &change.from, &change.to);
    dossier.advisories = sources.advisories.delta(package, from, to, sources.as_of);
    dossier.advisories_on_record = sources.advisories.on_record(package, to, sources.as_of);
    dossier.other_gaps = change
        .from
        .iter()
        .chain(&change.to)
        .flat_map(|release| {
            let id = PackageId {
                name: change.package.clone(),
                version: release.version.clone(),
                source: release.source.clone(),
            };
            sources.graph_gaps.get(&id).cloned().unwrap_or_default()
        })
        .chain(sources.advisories.gaps(package, from, to, sources.as_of))
        .collect();
    dossier.other_gaps.sort();
    dossier.other_gaps.dedup();
    dossier
}

/// The release facts; the advisories are still to come.
fn released(change: &Change, sources: &Sources<'_, '_>) -> Dossier {
    let Some(subject) = subject(change) else {
        return nothing_comes_in(change);
    };
    if !subject.source.is_registry() {
        return not_in_a_registry(subject);
    }
    let record = match sources.registry.record(&subject.source, &change.package) {
        Finding::Seen(record) => record,
        Finding::Absent(scope) => return all_unknown(GapReason::NotInRegistry, &scope),
        Finding::Unknown(gap) => return all_unknown(gap.reason, &gap.detail),
    };
    let outgoing = change
        .outgoing()
        .filter(|release| release.source == subject.source);
    let mut builds = vec![&subject.version];
    builds.extend(outgoing.map(|release| &release.version));
    let later = record
        .origin()
        .time()
        .duration_since(sources.as_of)
        .as_secs()
        > 86_400;
    let releases = Releases::new(record.lines(), &builds, sources.as_of, later);
    let (name, version) = (change.package.as_str(), &subject.version);
    let before = outgoing.map(|release| &release.version);
    Dossier {
        published: releases.published(name, version),
        previous_published: match before {
            Some(before) => releases.published(name, before),
            None => Finding::Absent("nothing of this registry goes out".to_owned()),
        },
        yanked: releases.yanked(name, version, before),
        later: releases.later(name, version),
        yank_cluster: releases.yank_cluster(name, version),
        history: releases.history(name, version, before),
        declared: declared(&record, version, before),
        advisories: Finding::Absent("not asked yet".to_owned()),
        advisories_on_record: 0,
        source: Finding::Absent("not asked yet".to_owned()),
        outcomes: Finding::Absent("no ledger is named".to_owned()),
        publisher: Finding::Absent("not asked for".to_owned()),
        look_alike: None,
        other_gaps: Vec::new(),
    }
}

/// What the index says that the releases declare.
fn declared(
    record: &CrateRecord,
    incoming: &Version,
    outgoing: Option<&Version>,
) -> Finding<Declared> {
    let release = |version: &Version| match record.release(version) {
        Some(Ok(release)) => Ok(release),
        Some(Err(error)) => Err((GapReason::Malformed, error.to_string())),
        None => Err((
            GapReason::NotInRegistry,
            format!("the index entry of {} has no {version}", record.name()),
        )),
    };
    let read = || -> Result<Declared, (GapReason, String)> {
        let new = release(incoming)?;
        let old = outgoing.map(release).transpose()?;
        let only_in = |one: &IndexRelease, other: &IndexRelease| {
            let names = one.features.keys();
            names
                .filter(|name| !other.features.contains_key(*name))
                .cloned()
                .collect()
        };
        let optional = new.dependencies.iter().filter(|it| it.optional);
        Ok(Declared {
            optional_dependencies: optional.count(),
            features_gained: old
                .as_ref()
                .map(|old| only_in(&new, old))
                .unwrap_or_default(),
            features_lost: old
                .as_ref()
                .map(|old| only_in(old, &new))
                .unwrap_or_default(),
            rust_version_raised: old.as_ref().is_some_and(|old| {
                numbers(new.rust_version.as_ref()) > numbers(old.rust_version.as_ref())
            }),
            rust_version: new.rust_version,
        })
    };
    match read() {
        Ok(declared) => Finding::Seen(declared),
        Err((reason, detail)) => Finding::Unknown(Gap {
            fact: FactKind::History,
            reason,
            detail,
        }),
    }
}

/// A version of the compiler as it is compared: `1.60` is `1.60.0`, and none at all
/// is the oldest.
fn numbers(version: Option<&String>) -> Vec<u64> {
    let parts = version.into_iter().flat_map(|version| version.split('.'));
    let mut numbers: Vec<u64> = parts.map_while(|part| part.parse().ok()).collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

fn nothing_comes_in(change: &Change) -> Dossier {
    let scope = if change.kind == ChangeKind::FeaturesChanged {
        "the release is the same on both sides"
    } else {
        "nothing comes in with this change"
    };
    Dossier {
        published: Finding::Absent(scope.to_owned()),
        previous_published: Finding::Absent(scope.to_owned()),
        yanked: Finding::Absent(scope.to_owned()),
        later: Finding::Absent(scope.to_owned()),
        yank_cluster: Finding::Absent(scope.to_owned()),
        history: Finding::Absent(scope.to_owned()),
        declared: Finding::Absent(scope.to_owned()),
        advisories: Finding::Absent(scope.to_owned()),
        advisories_on_record: 0,
        source: Finding::Absent(scope.to_owned()),
        outcomes: Finding::Absent("no ledger is named".to_owned()),
        publisher: Finding::Absent("not asked for".to_owned()),
        look_alike: None,
        other_gaps: Vec::new(),
    }
}

fn not_in_a_registry(release: &Release) -> Dossier {
    let kind = if release.source == Source::Local {
        "a local path"
    } else {
        "a git repository"
    };
    all_unknown(
        GapReason::NotApplicable,
        &format!("it comes from {kind}, which has no record of releases"),
    )
}

fn all_unknown(reason: GapReason, detail: &str) -> Dossier {
    fn unknown<T>(fact: FactKind, reason: GapReason, detail: &str) -> Finding<T> {
        Finding::Unknown(Gap {
            fact,
            reason,
            detail: detail.to_owned(),
        })
    }
    Dossier {
        published: unknown(FactKind::PublishTime, reason, detail),
        previous_published: unknown(FactKind::PublishTime, reason, detail),
        yanked: unknown(FactKind::Yanked, reason, detail),
        later: unknown(FactKind::LaterReleases, reason, detail),
        yank_cluster: unknown(FactKind::YankCluster, reason, detail),
        history: unknown(FactKind::History, reason, detail),
        declared: unknown(FactKind::History, reason, detail),
        advisories_on_record: 0,
        advisories: Finding::Absent("not asked yet".to_owned()),
        source: Finding::Absent("not asked yet".to_owned()),
        outcomes: Finding::Absent("no ledger is named".to_owned()),
        publisher: Finding::Absent("not asked for".to_owned()),
        look_alike: None,
        other_gaps: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_compared_by_their_numbers() {
        let is_raised = |from: Option<&str>, to: Option<&str>| {
            let (from, to) = (from.map(str::to_owned), to.map(str::to_owned));
            numbers(to.as_ref()) > numbers(from.as_ref())
        };
        for (from, to, raised) in [
            (None, Some("1.60"), true),
            (Some("1.60"), None, false),
            (Some("1.9"), Some("1.60"), true),
            (Some("1.60"), Some("1.60.0"), false),
            (Some("1.60.0"), Some("1.60.1"), true),
            (Some("1.70"), Some("1.60"), false),
            (None, None, false),
            (Some("1.60"), Some("odd"), false),
        ] {
            assert_eq!(is_raised(from, to), raised, "{from:?} {to:?}");
        }
    }
}
