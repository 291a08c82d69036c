//! What the direct way asks of a registry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use semver::Version;

use crate::facts::{FactKind, Finding, Gap};
use crate::pkg::{PackageId, Source};
use crate::registry::{Freshness, IndexRelease, ManifestFacts, Registry, Wanted};

/// What was published: index entries, and the manifests inside of archives.
pub trait Published: Sync {
    /// The index entries of these releases, in their order.
    fn releases(&self, wanted: &[PackageId]) -> Vec<Finding<IndexRelease>>;

    /// The manifests of these releases, in their order; with each the checksum
    /// that the lock file has.
    fn manifests(&self, wanted: &[(PackageId, Option<String>)])
    -> Vec<Finding<Arc<ManifestFacts>>>;
}

/// Asks a registry for the index entries of these releases, all at once; for
/// those of the crates in `current` as current ones.
pub(in crate::snapshot) fn prefetch(
    registry: &Registry<'_>,
    wanted: &[PackageId],
    current: &BTreeSet<(&Source, &str)>,
) {
    let mut crates: BTreeMap<(&Source, &str), Vec<Version>> = BTreeMap::new();
    for id in wanted {
        crates
            .entry((&id.source, &id.name))
            .or_default()
            .push(id.version.clone());
    }
    let crates: Vec<Wanted> = crates
        .into_iter()
        .map(|((source, name), holding)| Wanted {
            source: source.clone(),
            name: name.to_owned(),
            holding,
            freshness: if current.contains(&(source, name)) {
                Freshness::Current
            } else {
                Freshness::Holding
            },
        })
        .collect();
    registry.prefetch(&crates);
}

impl Published for Registry<'_> {
    fn releases(&self, wanted: &[PackageId]) -> Vec<Finding<IndexRelease>> {
        prefetch(self, wanted, &BTreeSet::new());
        wanted.par_iter().map(|id| release(self, id)).collect()
    }

    fn manifests(
        &self,
        wanted: &[(PackageId, Option<String>)],
    ) -> Vec<Finding<Arc<ManifestFacts>>> {
        self.manifests(wanted)
    }
}

fn release(registry: &Registry<'_>, id: &PackageId) -> Finding<IndexRelease> {
    let record = match registry.record(&id.source, &id.name) {
        Finding::Seen(record) => record,
        Finding::Absent(searched) => return Finding::Absent(searched),
        Finding::Unknown(gap) => return Finding::Unknown(gap),
    };
    match record.release(&id.version) {
        Some(Ok(release)) => Finding::Seen(release),
        Some(Err(error)) => Finding::Unknown(Gap {
            fact: FactKind::History,
            reason: error.reason(),
            detail: error.to_string(),
        }),
        None => Finding::Absent(format!("the index of {}", id.source)),
    }
}
