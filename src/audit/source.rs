//! The source facts of every change: archives fetched at once, compared in
//! parallel, and what was found kept for the next run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::diff::{Change, ChangeKind};
use crate::facts::{FactKind, Finding, Gap, GapReason, SourceDelta};
use crate::host::Host;
use crate::inspect;
use crate::pkg::{PackageId, Release};
use crate::registry::{Registry, SourceTree, UnpackLimits};

/// A file of kept findings with more bytes than this is not read.
const LARGEST_KEPT: u64 = 8 << 20;

/// Why there is nothing to compare.
type WhyNot = Box<Finding<SourceDelta>>;

/// What two archives are compared for.
struct Job {
    old: Option<(PackageId, String)>,
    new: (PackageId, String),
}

/// The source facts of the changes, in their order. What is found is kept in
/// the cache where `keep` says so.
pub(super) fn findings(
    changes: &[Change],
    registry: &Registry<'_>,
    host: &Host,
    cache: Option<&Path>,
    keep: bool,
) -> Vec<Finding<SourceDelta>> {
    let jobs: Vec<Result<Job, WhyNot>> =
        changes.iter().map(|change| job(change, registry)).collect();
    let known: Vec<Option<SourceDelta>> = jobs
        .par_iter()
        .map(|job| kept(host, &path(cache?, job.as_ref().ok()?)))
        .collect();
    let open: Vec<(PackageId, String)> = jobs
        .iter()
        .zip(&known)
        .filter(|(_, known)| known.is_none())
        .filter_map(|(job, _)| job.as_ref().ok())
        .flat_map(|job| job.old.iter().chain([&job.new]).cloned())
        .collect();
    registry.prefetch_archives(&open);
    jobs.into_par_iter()
        .zip(known)
        .map(|(job, known)| {
            let job = match (job, known) {
                (_, Some(delta)) => return Finding::Seen(delta),
                (Err(finding), None) => return *finding,
                (Ok(job), None) => job,
            };
            let found = compare(&job, registry);
            if let (Finding::Seen(delta), Some(cache), true) = (&found, cache, keep) {
                // Without the cache the next run is slower, and no worse.
                drop(
                    host.files
                        .write(&path(cache, &job), &inspect::encode(delta)),
                );
            }
            found
        })
        .collect()
}

/// What is to be compared for a change, or why nothing is.
fn job(change: &Change, registry: &Registry<'_>) -> Result<Job, WhyNot> {
    let absent = |scope: &str| Err(Box::new(Finding::Absent(scope.to_owned())));
    let incoming = match change.kind {
        ChangeKind::Removed | ChangeKind::Merged => {
            return absent("nothing comes in with this change");
        }
        ChangeKind::FeaturesChanged | ChangeKind::PlacementChanged => {
            return absent("the release is the same on both sides");
        }
        ChangeKind::Added
        | ChangeKind::Upgraded
        | ChangeKind::Downgraded
        | ChangeKind::Duplicated
        | ChangeKind::SourceMoved
        | ChangeKind::ContentChanged => change.incoming(),
    };
    let Some(incoming) = incoming else {
        return absent("nothing comes in with this change");
    };
    if change.placement.resolved && !change.placement.is_built() {
        return absent("it is compiled for no target");
    }
    // A further version is compared with the one before it that stays.
    let outgoing = change.outgoing().or_else(|| {
        let below = |release: &&Release| release.version < incoming.version;
        change.from.iter().rfind(below)
    });
    let old = outgoing
        .map(|release| named(change, release, registry))
        .transpose()?;
    Ok(Job {
        old,
        new: named(change, incoming, registry)?,
    })
}

/// A release with its checksum: that of the lock file, else, for what an artifact
/// lists, the one that the index has.
fn named(
    change: &Change,
    release: &Release,
    registry: &Registry<'_>,
) -> Result<(PackageId, String), WhyNot> {
    let id = PackageId {
        name: change.package.clone(),
        version: release.version.clone(),
        source: release.source.clone(),
    };
    if !release.source.is_registry() {
        let detail = format!("{id} comes from {}, which has no archives", release.source);
        return Err(Box::new(unknown(GapReason::NotApplicable, detail)));
    }
    let of_index = || {
        let record = registry.record(&release.source, &change.package);
        let entry = record.seen()?.release(&release.version)?.ok()?;
        Some(entry.checksum)
    };
    match release.checksum.clone().or_else(of_index) {
        Some(checksum) => Ok((id, checksum)),
        None => {
            let detail = format!("the checksum of {id} is not known");
            Err(Box::new(unknown(GapReason::NotRecorded, detail)))
        }
    }
}

fn unknown(reason: GapReason, detail: String) -> Finding<SourceDelta> {
    Finding::Unknown(Gap {
        fact: FactKind::Source,
        reason,
        detail,
    })
}

fn compare(job: &Job, registry: &Registry<'_>) -> Finding<SourceDelta> {
    let tree = |(id, checksum): &(PackageId, String)| {
        let bytes = match registry.archive(id, checksum) {
            Finding::Seen(bytes) => bytes,
            Finding::Absent(scope) => return Err(Box::new(Finding::Absent(scope))),
            Finding::Unknown(gap) => return Err(Box::new(unknown(gap.reason, gap.detail))),
        };
        SourceTree::unpack(id, &bytes, &UnpackLimits::default())
            .map_err(|error| Box::new(unknown(error.reason(), error.to_string())))
    };
    let new = match tree(&job.new) {
        Ok(new) => new,
        Err(finding) => return *finding,
    };
    let old = match job.old.as_ref().map(tree).transpose() {
        Ok(old) => old,
        Err(finding) => return *finding,
    };
    let before = job.old.as_ref().map(|(id, _)| id).zip(old.as_ref());
    Finding::Seen(inspect::inspect(before, (&job.new.0, &new)))
}

/// Where the findings of a comparison are kept: by both packages with their
/// checksums, and by the version of what the detectors say.
fn path(cache: &Path, job: &Job) -> PathBuf {
    let mut text = format!("{}", inspect::VERSION);
    for (id, checksum) in job.old.iter().chain([&job.new]) {
        // Writing into a string cannot fail.
        let _ = write!(text, "\n{id}\n{}\n{checksum}", id.source);
    }
    let mut name = String::new();
    for byte in Sha256::digest(text) {
        let _ = write!(name, "{byte:02x}");
    }
    let start: String = name.chars().take(2).collect();
    cache.join("source").join(start).join(name)
}

fn kept(host: &Host, path: &Path) -> Option<SourceDelta> {
    inspect::decode(&host.files.read(path, LARGEST_KEPT).ok()?)
}
