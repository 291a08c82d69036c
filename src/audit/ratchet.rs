//! The base's record of what the repository lives with, and what is new.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rayon::prelude::*;

use crate::advisories::Store;
use crate::facts::{FactKind, Finding, Gap, GapReason};
use crate::host::Host;
use crate::inspect;
use crate::pkg::{PackageId, Source};
use crate::policy::{Baseline, RatchetKind, RatchetNews};
use crate::registry::{Registry, SourceTree, UnpackLimits};
use crate::snapshot::{self, Opened, Package, Snapshot};

use super::AuditError;
use super::run::{Request, access, settings};

/// Where a repository keeps its record.
pub const BASELINE_FILE: &str = ".canary/baseline.toml";
/// How large a record may be, in bytes.
const LIMIT: u64 = 1 << 20;

/// What the head has that is neither in the base's record nor was there before.
pub(super) fn news(
    record: Option<Baseline>,
    (base, head): (&Snapshot, &Snapshot),
    registry: &Registry<'_>,
    advisories: &Store,
    as_of: Timestamp,
) -> RatchetNews {
    let Some(record) = record else {
        return RatchetNews::default();
    };
    let mut before = state(base, advisories, as_of);
    let mut still = state(head, advisories, as_of);
    let mut now = state(head, advisories, as_of);
    let old: BTreeSet<&PackageId> = Baseline::packages(base)
        .into_iter()
        .map(|it| &it.id)
        .collect();
    let names: BTreeSet<&str> = old.iter().map(|id| id.name.as_str()).collect();
    let new: Vec<&Package> = Baseline::packages(head)
        .into_iter()
        .filter(|package| !old.contains(&package.id))
        .collect();
    let mut gaps = Vec::new();
    if record.holds(RatchetKind::Unsafe) {
        // Whether an unchanged package has any was settled when it was recorded.
        for name in names {
            before.add(RatchetKind::Unsafe, name.to_owned());
        }
        let open: Vec<&Package> = new
            .iter()
            .copied()
            .filter(|package| !record.has(RatchetKind::Unsafe, &package.id.name))
            .collect();
        gaps.extend(add_unsafe(&mut now, &open, registry));
    }
    let of_manifests = [RatchetKind::BuildScripts, RatchetKind::ProcMacros];
    if of_manifests.iter().any(|kind| record.holds(*kind)) {
        gaps.extend(unread_manifests(&new));
    }
    for package in Baseline::packages(head) {
        still.add(RatchetKind::Unsafe, package.id.name.clone());
    }
    RatchetNews {
        news: record.held(&before).news(&now),
        gaps,
        gone: record.gone(&still),
    }
}

/// The base's record; `None` when it has none.
///
/// # Errors
/// When it cannot be read, or is not valid.
pub(super) fn record(base: &Opened<'_>) -> Result<Option<Baseline>, AuditError> {
    let content =
        base.read_file(BASELINE_FILE, LIMIT)
            .map_err(|source| AuditError::PolicyOfBase {
                source: Box::new(source),
            })?;
    content
        .map(|content| Baseline::read(&String::from_utf8_lossy(&content), BASELINE_FILE))
        .transpose()
        .map_err(AuditError::Policy)
}

/// What a build lives with, and what could not be read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What there is.
    pub baseline: Baseline,
    /// What could not be looked at; it is not in the record.
    pub gaps: Vec<(String, Gap)>,
    /// The record that the build has itself, where it has one.
    pub kept: Option<Baseline>,
}

/// Records what the head of a request lives with.
///
/// # Errors
/// When the build cannot be read, or its policy or its record is not valid.
pub fn baseline(request: &Request, host: &Host) -> Result<Recorded, AuditError> {
    let failed = |source| AuditError::Head {
        source: Box::new(source),
    };
    let opened = snapshot::open(&request.head, &request.repository, host).map_err(failed)?;
    let policy = super::rules::of_head(request, &opened, host)?;
    let registry = Registry::open(host, access(request, host));
    let settings = settings(request, policy.build());
    let snapshot =
        snapshot::load(&opened, &settings, request.graph, &registry, host).map_err(failed)?;
    let advisories = Store::open(host, request.cache_dir(host).as_deref());
    let as_of = request.as_of.unwrap_or_else(|| host.clock.now());
    let mut found = state(&snapshot, &advisories, as_of);
    let packages = Baseline::packages(&snapshot);
    let mut gaps = add_unsafe(&mut found, &packages, &registry);
    gaps.extend(unread_manifests(&packages));
    Ok(Recorded {
        baseline: found,
        gaps,
        kept: record(&opened)?,
    })
}

fn state(snapshot: &Snapshot, advisories: &Store, as_of: Timestamp) -> Baseline {
    let applying: Vec<_> = Baseline::packages(snapshot)
        .into_iter()
        .flat_map(|package| advisories.applying(&package.id, as_of))
        .collect();
    Baseline::of(snapshot, &applying)
}

fn unread_manifests(packages: &[&Package]) -> Vec<(String, Gap)> {
    let unread = packages.iter().filter(|package| package.manifest.is_none());
    let gap = |package: &&Package| {
        let gap = Gap {
            fact: FactKind::Manifest,
            reason: GapReason::CoarseGraph,
            detail: format!("the manifest of {} was not read", package.id),
        };
        (package.id.name.clone(), gap)
    };
    unread.map(gap).collect()
}

/// Adds the packages that have `unsafe` code; returns what could not be read.
fn add_unsafe(
    found: &mut Baseline,
    packages: &[&Package],
    registry: &Registry<'_>,
) -> Vec<(String, Gap)> {
    let wanted: Vec<(PackageId, String)> = packages
        .iter()
        .filter(|package| package.id.source.is_registry())
        .filter_map(|package| Some((package.id.clone(), package.checksum.clone()?)))
        .collect();
    registry.prefetch_archives(&wanted);
    let looked_at: Vec<(&Package, Result<bool, Gap>)> = packages
        .par_iter()
        .map(|package| (*package, has_unsafe(package, registry)))
        .collect();
    let mut gaps = Vec::new();
    for (package, answer) in looked_at {
        match answer {
            Ok(true) => found.add(RatchetKind::Unsafe, package.id.name.clone()),
            Ok(false) => {}
            Err(gap) => gaps.push((package.id.name.clone(), gap)),
        }
    }
    gaps
}

fn has_unsafe(package: &Package, registry: &Registry<'_>) -> Result<bool, Gap> {
    let gap = |reason, detail: String| Gap {
        fact: FactKind::Source,
        reason,
        detail,
    };
    let id = &package.id;
    let Some(checksum) = package
        .checksum
        .as_ref()
        .filter(|_| id.source.is_registry())
    else {
        let detail = format!("{id} has no archive in a registry");
        let reason = if matches!(id.source, Source::Git { .. }) {
            GapReason::NotApplicable
        } else {
            GapReason::NotRecorded
        };
        return Err(gap(reason, detail));
    };
    match registry.archive(id, checksum) {
        Finding::Seen(bytes) => SourceTree::unpack(id, &bytes, &UnpackLimits::default())
            .map(|tree| inspect::has_unsafe(&tree))
            .map_err(|error| gap(error.reason(), error.to_string())),
        Finding::Absent(scope) => Err(gap(GapReason::NotInRegistry, scope)),
        Finding::Unknown(found) => Err(gap(found.reason, found.detail)),
    }
}
