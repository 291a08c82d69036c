//! Finding manifests: the own table, then archives on disk, then fetched ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::archive::{Missing, finding, not_applicable};
use super::{Freshness, ManifestFacts, Registry, Wanted, is_sha256, lock, manifest, place, table};
use crate::facts::{Finding, GapReason};
use crate::pkg::PackageId;

/// So many archives are fetched before the first of them is looked at, so
/// that few are in memory at once.
const FETCHED_AT_ONCE: usize = 16;

/// What was found, by the key of the own table.
pub(super) type Known = BTreeMap<String, Result<Arc<ManifestFacts>, Missing>>;

impl Registry<'_> {
    /// What the manifests of these packages say, in the order of the packages.
    /// Where no checksum is given, that of the index is taken. A gap is one of
    /// the kind [`FactKind::Manifest`](crate::facts::FactKind::Manifest).
    #[must_use]
    pub fn manifests(
        &self,
        wanted: &[(PackageId, Option<String>)],
    ) -> Vec<Finding<Arc<ManifestFacts>>> {
        let keys: Vec<Result<String, Missing>> = self
            .checksums(wanted)
            .into_iter()
            .zip(wanted)
            .map(|(sum, (id, _))| Ok(table::key(id, &sum?)))
            .collect();
        let directory = self
            .access
            .cache_dir
            .as_ref()
            .map(|dir| dir.join("manifests"));
        let mut known = self.remembered_manifests(&keys);
        if let Some(directory) = &directory {
            let readable = keys
                .iter()
                .filter_map(|key| key.as_deref().ok())
                .filter(|key| !known.contains_key(*key))
                .map(str::to_owned)
                .collect::<Vec<_>>();
            let readable = readable.iter().map(String::as_str);
            let table = table::read(self.host, directory, readable);
            known.extend(
                table
                    .into_iter()
                    .map(|(key, facts)| (key, Ok(Arc::new(facts)))),
            );
        }
        let open: BTreeMap<&str, &PackageId> = keys
            .iter()
            .zip(wanted)
            .filter_map(|(key, (id, _))| Some((key.as_deref().ok()?, id)))
            .filter(|(key, _)| !known.contains_key(*key))
            .collect();
        let open: Vec<(&str, &PackageId)> = open.into_iter().collect();
        let read: Vec<_> = self
            .read_manifests(&open)
            .into_iter()
            .zip(&open)
            .map(|(facts, (key, _))| ((*key).to_owned(), facts.map(Arc::new)))
            .collect();
        if let Some(directory) = &directory {
            let added: BTreeMap<&str, &ManifestFacts> = read
                .iter()
                .filter_map(|(key, facts)| Some((key.as_str(), &**facts.as_ref().ok()?)))
                .collect();
            table::add(self.host, directory, &added);
        }
        known.extend(read);
        lock(&self.manifests).extend(
            known
                .iter()
                .map(|(key, facts)| (key.clone(), facts.clone())),
        );
        keys.into_iter()
            .map(|key| {
                finding(key.and_then(|key| match known.get(&key) {
                    Some(facts) => facts.clone(),
                    None => Err((GapReason::Malformed, format!("`{key}` was not looked for"))),
                }))
            })
            .collect()
    }

    /// What earlier calls have found, or not found.
    fn remembered_manifests(&self, keys: &[Result<String, Missing>]) -> Known {
        let remembered = lock(&self.manifests);
        keys.iter()
            .filter_map(|key| remembered.get_key_value(key.as_ref().ok()?))
            .map(|(key, facts)| (key.clone(), facts.clone()))
            .collect()
    }

    /// The checksum of each package: the one given, else that of the index.
    fn checksums(&self, wanted: &[(PackageId, Option<String>)]) -> Vec<Result<String, Missing>> {
        let unnamed: Vec<Wanted> = wanted
            .iter()
            .filter(|(id, sum)| sum.is_none() && id.source.is_registry())
            .map(|(id, _)| Wanted {
                source: id.source.clone(),
                name: id.name.clone(),
                holding: vec![id.version.clone()],
                freshness: Freshness::Holding,
            })
            .collect();
        if !unnamed.is_empty() {
            self.prefetch(&unnamed);
        }
        wanted
            .iter()
            .map(|(id, sum)| match sum {
                _ if !id.source.is_registry() => Err(not_applicable(id)),
                _ if !place::is_crate_name(&id.name) => Err((
                    GapReason::Malformed,
                    format!(
                        "`{}` is no name that a package in a registry can have",
                        id.name
                    ),
                )),
                Some(sum) if is_sha256(sum) => Ok(sum.clone()),
                Some(_) => Err((
                    GapReason::Malformed,
                    format!("the checksum of {id} is no SHA-256 sum in lower-case hex"),
                )),
                None => self.checksum_in_index(id),
            })
            .collect()
    }

    fn checksum_in_index(&self, id: &PackageId) -> Result<String, Missing> {
        let record = match self.record(&id.source, &id.name) {
            Finding::Seen(record) => record,
            Finding::Absent(scope) => {
                let text = format!("{id} has no checksum; searched: {scope}");
                return Err((GapReason::NotRecorded, text));
            }
            Finding::Unknown(gap) => {
                let text = format!("the checksum of {id} is not known: {}", gap.detail);
                return Err((gap.reason, text));
            }
        };
        match record.release(&id.version) {
            Some(Ok(release)) => Ok(release.checksum),
            Some(Err(error)) => Err((error.reason(), error.to_string())),
            None => Err((
                GapReason::NotInRegistry,
                format!("{} has no {id}", id.source),
            )),
        }
    }

    /// Reads manifests out of archives, on disk first, then fetched ones. The
    /// packages come with their keys, which start with the checksum.
    fn read_manifests(&self, open: &[(&str, &PackageId)]) -> Vec<Result<ManifestFacts, Missing>> {
        let checksum = |key: &'_ str| key.split(' ').next().unwrap_or_default().to_owned();
        let on_disk: Vec<Result<Result<ManifestFacts, Missing>, Missing>> = open
            .par_iter()
            .map(|(key, id)| {
                let bytes = self.archive_on_disk(id, &checksum(key))?;
                Ok(manifest::facts(id, &bytes))
            })
            .collect();
        let mut read: Vec<Result<ManifestFacts, Missing>> = Vec::with_capacity(open.len());
        let mut to_fetch = Vec::new();
        for (place, ((key, id), result)) in open.iter().zip(on_disk).enumerate() {
            match result {
                Ok(facts) => read.push(facts),
                Err(missing) => {
                    to_fetch.push((place, *id, checksum(key), missing.clone()));
                    read.push(Err(missing));
                }
            }
        }
        for part in to_fetch.chunks(FETCHED_AT_ONCE) {
            let jobs: Vec<_> = part
                .iter()
                .map(|(_, id, sum, missing)| (*id, sum.as_str(), missing.clone()))
                .collect();
            let facts: Vec<_> = self
                .fetch_archives(&jobs)
                .into_par_iter()
                .zip(part)
                .map(|(bytes, (_, id, _, _))| manifest::facts(id, &bytes?))
                .collect();
            for ((place, ..), facts) in part.iter().zip(facts) {
                if let Some(slot) = read.get_mut(*place) {
                    *slot = facts;
                }
            }
        }
        read
    }
}
