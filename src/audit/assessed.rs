//! From the changes of a comparison to facts, links and assessments.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::data::Comparison;
use super::past::Past;
use super::run::{Request, day};
use super::{AuditError, gather, origin, rules, source};
use crate::advisories::Store;
use crate::diff::Change;
use crate::facts::{Dossier, Gap};
use crate::host::Host;
use crate::incidents::{self, Catalogue, Link, Surroundings};
use crate::pkg::PackageId;
use crate::registry::Registry;
use crate::risk::{self, Assessment, Model};
use crate::snapshot::{self, BuildName, Snapshot};

/// What is known before any build is looked at.
#[derive(Clone, Debug)]
pub struct Known {
    /// The advisories.
    pub advisories: Store,
    /// The incidents.
    pub catalogue: Catalogue,
    /// The model.
    pub model: Model,
}

impl Known {
    /// These advisories, with the incidents and the model that come with the program.
    ///
    /// # Errors
    /// When what comes with the program is broken, which tests rule out.
    pub fn with_advisories(advisories: Store) -> Result<Self, AuditError> {
        Ok(Self {
            advisories,
            catalogue: Catalogue::built_in().map_err(AuditError::Incidents)?,
            model: Model::built_in().map_err(AuditError::Model)?,
        })
    }
}

impl Known {
    /// What is known at the working tree of a repository: the newest advisories,
    /// its own incidents beside those that come with the program.
    ///
    /// # Errors
    /// When the working tree cannot be read, or one of its incidents is not valid.
    pub fn of_worktree(request: &Request, host: &Host) -> Result<Self, AuditError> {
        let opened = snapshot::open(&BuildName::Worktree, &request.repository, host);
        let opened = opened.map_err(|source| AuditError::Head {
            source: Box::new(source),
        })?;
        Ok(Self {
            advisories: Store::open(host, request.cache_dir(host).as_deref()),
            catalogue: rules::catalogue(&opened)?,
            model: Model::built_in().map_err(AuditError::Model)?,
        })
    }
}

/// A change with all that is known and thought about it.
pub(super) type Assessed<'c> = (&'c Change, Dossier, Vec<Link>, Assessment);

/// All changes, in the order of the comparison.
pub(super) fn all<'c>(
    request: &Request,
    snapshots: &(Snapshot, Snapshot),
    comparison: &'c Comparison,
    registry: &Registry<'_>,
    known: &Known,
    past: &Past,
    host: &Host,
) -> Vec<Assessed<'c>> {
    let changes = &comparison.diff.changes;
    gather::prefetch(registry, changes);
    let graph_gaps = gaps_by_package(comparison);
    let sources = gather::Sources {
        registry,
        advisories: &known.advisories,
        as_of: comparison.as_of,
        graph_gaps: &graph_gaps,
    };
    let (before, after) = (
        incidents::versions(&snapshots.0),
        incidents::versions(&snapshots.1),
    );
    let surroundings = Surroundings {
        base: &before,
        head: &after,
        as_of: day(comparison.as_of),
    };
    let cache = request.cache_dir(host);
    // Locked data is used and not added to: it may stand in a repository.
    let keep = !request.locked_data;
    let in_sources = source::findings(changes, registry, host, cache.as_deref(), keep);
    let api = request.publishers.as_ref();
    let published = origin::publishers(changes, registry, api, comparison.as_of);
    let components = known.catalogue.components();
    changes
        .par_iter()
        .zip(in_sources.into_par_iter().zip(published))
        .map(|(change, (in_source, publisher))| {
            let mut dossier = gather::dossier(change, &sources);
            dossier.source = in_source;
            dossier.publisher = publisher;
            dossier.outcomes = past.of(change);
            dossier.look_alike =
                origin::look_alike(change, components, &before, &snapshots.1, registry);
            let links = incidents::link(change, &dossier, &surroundings, &known.catalogue);
            let assessment = risk::assess(change, &dossier, &links, &known.model);
            (change, dossier, links, assessment)
        })
        .collect()
}

fn gaps_by_package(comparison: &Comparison) -> BTreeMap<PackageId, Vec<Gap>> {
    let mut by_package: BTreeMap<PackageId, Vec<Gap>> = BTreeMap::new();
    for (package, gap) in &comparison.gaps {
        if let Some(package) = package {
            by_package
                .entry(package.clone())
                .or_default()
                .push(gap.clone());
        }
    }
    by_package
}
