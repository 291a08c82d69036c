//! All records that are known, and which of them speak of a crate.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};

use super::Versions;
use super::built_in::BUILT_IN;
use super::components::Components;
use super::defect::{CatalogueError, Defect, Problem};
use super::range::holds;
use super::read::read;
use super::record::{Affected, Origin, Record};

/// The most files that a repository may add.
pub const MAX_FILES: usize = 2_000;

/// The records that are known, and the roles of crates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    records: Vec<Record>,
    components: Components,
    by_crate: BTreeMap<String, Vec<usize>>,
}

/// A record that speaks of one version of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The record.
    pub record: &'a Record,
    /// The crate and its bad range.
    pub affected: &'a Affected,
    /// What else must be there for the fault, by name with range; empty when
    /// the crate alone is the cause.
    pub together_with: Vec<(&'a str, &'a VersionReq)>,
}

impl Catalogue {
    /// The records that come with the program.
    ///
    /// # Errors
    /// When one of them is broken, which a test rules out.
    pub fn built_in() -> Result<Self, CatalogueError> {
        Self::with_repository(&[])
    }

    /// The records that come with the program and a repository's own, which
    /// are handed in by path and content.
    ///
    /// # Errors
    /// Every defect of every file; two records with one id; too many files.
    pub fn with_repository(files: &[(String, Vec<u8>)]) -> Result<Self, CatalogueError> {
        if files.len() > MAX_FILES {
            return Err(CatalogueError::TooManyFiles {
                count: files.len(),
                limit: MAX_FILES,
            });
        }
        let components = Components::built_in()?;
        let shipped = BUILT_IN
            .iter()
            .map(|(file, text)| (*file, text.as_bytes(), Origin::BuiltIn));
        let own = files
            .iter()
            .map(|(file, bytes)| (file.as_str(), bytes.as_slice(), Origin::Repository));
        let mut records = Vec::new();
        let mut defects = Vec::new();
        for (file, bytes, origin) in shipped.chain(own) {
            match read(file, bytes, origin, &components) {
                Ok(record) => records.push(record),
                Err(found) => defects.extend(found),
            }
        }
        records.sort_by(|a, b| (&a.id, &a.file).cmp(&(&b.id, &b.file)));
        for pair in records.windows(2) {
            if let [first, second] = pair
                && first.id == second.id
            {
                defects.push(used_twice(first, second));
            }
        }
        if !defects.is_empty() {
            defects.sort();
            return Err(CatalogueError::Defects { defects });
        }
        let by_crate = by_crate(&records);
        Ok(Self {
            records,
            components,
            by_crate,
        })
    }

    /// All records, by id.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The record of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Record> {
        self.records
            .binary_search_by(|record| record.id.as_str().cmp(id))
            .ok()
            .and_then(|at| self.records.get(at))
    }

    /// What libraries are for.
    #[must_use]
    pub fn components(&self) -> &Components {
        &self.components
    }

    /// The records that name a crate, in the order of their ids.
    pub fn naming(&self, package: &str) -> impl Iterator<Item = &Record> {
        self.by_crate
            .get(package)
            .into_iter()
            .flatten()
            .filter_map(|at| self.records.get(*at))
    }

    /// The records whose bad range a version of a crate is in, by id, with
    /// what else it takes.
    #[must_use]
    pub fn matching(&self, package: &str, version: &Version) -> Vec<Match<'_>> {
        let mut matches = Vec::new();
        for record in self.naming(package) {
            for rule in &record.affects {
                let affected = rule
                    .crates
                    .iter()
                    .find(|affected| affected.name == package && holds(&affected.range, version));
                if let Some(affected) = affected {
                    let others = rule.crates.iter().filter(|other| other.name != package);
                    let together_with = others
                        .map(|other| (other.name.as_str(), &other.range))
                        .collect();
                    matches.push(Match {
                        record,
                        affected,
                        together_with,
                    });
                }
            }
        }
        matches
    }

    /// The records that hold for a whole graph, by package and version of the
    /// graph, then by id. What a record needs besides is in the graph.
    #[must_use]
    pub fn matching_all(&self, graph: &Versions) -> Vec<(String, Version, Match<'_>)> {
        let present = |(name, range): &(&str, &VersionReq)| {
            graph
                .get(*name)
                .is_some_and(|versions| versions.iter().any(|version| holds(range, version)))
        };
        let mut all = Vec::new();
        for (package, versions) in graph {
            for version in versions {
                for found in self.matching(package, version) {
                    if found.together_with.iter().all(present) {
                        all.push((package.clone(), version.clone(), found));
                    }
                }
            }
        }
        all
    }
}

/// Every defect of some incident files, which are handed in by path and
/// content: those of each file, and ids that are used twice among them or in
/// the built-in catalogue.
#[must_use]
pub fn lint(files: &[(String, Vec<u8>)], components: &Components) -> Vec<Defect> {
    let mut defects = Vec::new();
    let mut records = Vec::new();
    for (file, bytes) in files {
        match read(file, bytes, Origin::Repository, components) {
            Ok(record) => records.push((record, bytes)),
            Err(found) => defects.extend(found),
        }
    }
    records.sort_by(|(a, _), (b, _)| (&a.id, &a.file).cmp(&(&b.id, &b.file)));
    for pair in records.windows(2) {
        if let [(first, _), (second, _)] = pair
            && first.id == second.id
        {
            defects.push(used_twice(first, second));
        }
    }
    for (record, bytes) in &records {
        // The file may be a built-in one itself.
        let taken = BUILT_IN.iter().find(|(file, text)| {
            let stem = file
                .rsplit('/')
                .next()
                .and_then(|name| name.strip_suffix(".toml"));
            stem == Some(record.id.as_str()) && text.as_bytes() != bytes.as_slice()
        });
        if let Some((file, _)) = taken {
            let what = format!("the id `{}` is used in the built-in {file} too", record.id);
            defects.push(Defect {
                file: record.file.clone(),
                line: 1,
                column: 1,
                problem: Problem::Contradiction { what },
            });
        }
    }
    defects.sort();
    defects
}

/// The defect of a record whose id another has.
fn used_twice(first: &Record, second: &Record) -> Defect {
    let what = format!("the id `{}` is used in {} too", first.id, first.file);
    Defect {
        file: second.file.clone(),
        line: 1,
        column: 1,
        problem: Problem::Contradiction { what },
    }
}

/// Which records name a crate.
fn by_crate(records: &[Record]) -> BTreeMap<String, Vec<usize>> {
    let mut by_crate: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        for affected in record.affects.iter().flat_map(|rule| &rule.crates) {
            let places = by_crate.entry(affected.name.clone()).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
    }
    by_crate
}
