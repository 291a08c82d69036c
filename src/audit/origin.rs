//! Who stands behind the releases: publishers, where that is asked for, and
//! names that may be taken for others.

use jiff::Timestamp;

use crate::diff::{Change, ChangeKind};
use crate::facts::{Finding, LookAlike, PublisherDelta};
use crate::incidents::{Components, Versions};
use crate::inspect;
use crate::pkg::{PackageId, Source};
use crate::registry::{Asked, PublisherApi, Registry, SourceTree, UnpackLimits};
use crate::snapshot::Snapshot;

/// Who published what comes in, in the order of the changes.
pub(super) fn publishers(
    changes: &[Change],
    registry: &Registry<'_>,
    api: Option<&PublisherApi>,
    as_of: Timestamp,
) -> Vec<Finding<PublisherDelta>> {
    let Some(api) = api else {
        let absent = || Finding::Absent("not asked for".to_owned());
        return changes.iter().map(|_| absent()).collect();
    };
    let asked: Vec<Option<Asked>> = changes.iter().map(asked).collect();
    let wanted: Vec<Asked> = asked.iter().flatten().cloned().collect();
    let mut found = registry.publishers(&wanted, api, as_of).into_iter();
    asked
        .into_iter()
        .map(|asked| match asked.and_then(|_| found.next()) {
            Some(finding) => finding,
            None => Finding::Absent("no release of crates.io comes in".to_owned()),
        })
        .collect()
}

fn asked(change: &Change) -> Option<Asked> {
    let incoming = change
        .incoming()
        .filter(|it| it.source == Source::CratesIo)?;
    let outgoing = change.outgoing().filter(|it| it.source == Source::CratesIo);
    Some(Asked {
        name: change.package.clone(),
        incoming: incoming.version.clone(),
        outgoing: outgoing.map(|release| release.version.clone()),
    })
}

/// The known package that a new one may be taken for: one of the maintained
/// table, or one that was in the build before.
pub(super) fn look_alike(
    change: &Change,
    components: &Components,
    base: &Versions,
    head: &Snapshot,
    registry: &Registry<'_>,
) -> Option<LookAlike> {
    if change.kind != ChangeKind::Added || base.contains_key(&change.package) {
        return None;
    }
    let known = components.names().chain(base.keys().map(String::as_str));
    let (of, how) = inspect::look_alike(&change.package, known)?;
    let same_lines =
        archives(change, of, head, registry).map(|(own, other)| inspect::same_lines(&own, &other));
    Some(LookAlike {
        of: of.to_owned(),
        how,
        same_lines,
    })
}

/// The archives of both packages, where the other one is in the build, too.
fn archives(
    change: &Change,
    of: &str,
    head: &Snapshot,
    registry: &Registry<'_>,
) -> Option<(SourceTree, SourceTree)> {
    let incoming = change.incoming()?;
    let own = PackageId {
        name: change.package.clone(),
        version: incoming.version.clone(),
        source: incoming.source.clone(),
    };
    let other = head
        .workspaces
        .iter()
        .flat_map(|workspace| &workspace.packages)
        .find(|package| package.id.name == of && package.id.source.is_registry())?;
    let tree = |id: &PackageId, checksum: &str| {
        let bytes = registry.archive(id, checksum).seen()?.clone();
        SourceTree::unpack(id, &bytes, &UnpackLimits::default()).ok()
    };
    let own = tree(&own, incoming.checksum.as_ref()?)?;
    let other = tree(&other.id, other.checksum.as_ref()?)?;
    Some((own, other))
}
