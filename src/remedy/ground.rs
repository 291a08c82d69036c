//! What cargo is given to resolve on: manifests, lock files and lines of the
//! index. Either the build's own manifests, or, where there are none or they
//! cannot be used, manifests and lines that say what the two lock files show.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::paper::{self, Paper};
use crate::facts::Finding;
use crate::lockfile::{Locked, Move, Pair, Set};
use crate::pkg::Source;
use crate::registry::{CrateRecord, Freshness, IndexRelease, Registry, Wanted};
use crate::snapshot::lock::{self, LockFile};
use crate::snapshot::tree::Tree;

/// Both lock files, read twice: as text to be mixed, and as graphs.
pub(super) struct Locks {
    pub(super) base_text: String,
    pub(super) head_text: String,
    pub(super) base: LockFile,
    pub(super) head: LockFile,
}

impl Locks {
    pub(super) fn read(base_text: String, head_text: String) -> Result<Self, String> {
        let read = |side: &str, text: &str| {
            lock::parse(text, &format!("Cargo.lock of the {side}"))
                .map_err(|error| error.to_string())
        };
        Ok(Self {
            base: read("base", &base_text)?,
            head: read("head", &head_text)?,
            base_text,
            head_text,
        })
    }
}

/// What the registry says of the packages of both lock files.
pub(super) struct Published {
    records: BTreeMap<(Source, String), std::sync::Arc<CrateRecord>>,
    /// Releases of which nothing can be had, sorted.
    pub(super) missing: BTreeSet<String>,
}

impl Published {
    /// Looks up every package of both lock files that a registry has.
    pub(super) fn read(locks: &Locks, registry: &Registry<'_>) -> Self {
        let mut wanted: BTreeMap<(Source, String), BTreeSet<Version>> = BTreeMap::new();
        for package in locks.base.packages.iter().chain(&locks.head.packages) {
            if package.id.source.is_registry() {
                let key = (package.id.source.clone(), package.id.name.clone());
                let versions = wanted.entry(key).or_default();
                versions.insert(package.id.version.clone());
            }
        }
        let asked: Vec<Wanted> = wanted
            .iter()
            .map(|((source, name), versions)| Wanted {
                source: source.clone(),
                name: name.clone(),
                holding: versions.iter().cloned().collect(),
                freshness: Freshness::Holding,
            })
            .collect();
        registry.prefetch(&asked);
        let mut published = Self {
            records: BTreeMap::new(),
            missing: BTreeSet::new(),
        };
        for ((source, name), versions) in wanted {
            let record = match registry.record(&source, &name) {
                Finding::Seen(record) => record,
                Finding::Absent(_) | Finding::Unknown(_) => {
                    let all = versions.iter().map(|version| format!("{name} {version}"));
                    published.missing.extend(all);
                    continue;
                }
            };
            let absent = versions
                .iter()
                .filter(|version| record.raw(version).is_none())
                .map(|version| format!("{name} {version}"));
            published.missing.extend(absent);
            published.records.insert((source, name), record);
        }
        published
    }

    /// The record of a package.
    pub(super) fn record(&self, source: &Source, name: &str) -> Option<&CrateRecord> {
        let key = (source.clone(), name.to_owned());
        self.records.get(&key).map(|record| &**record)
    }

    /// What the index says of a release.
    pub(super) fn release(
        &self,
        source: &Source,
        name: &str,
        version: &Version,
    ) -> Option<IndexRelease> {
        self.record(source, name)?.release(version)?.ok()
    }
}

/// What cargo is given.
pub(super) struct Ground {
    /// The lock files as cargo sees them.
    pub(super) pair: Pair,
    pub(super) head_lock: String,
    /// The line of each release.
    lines: BTreeMap<(String, Version), String>,
    /// All lines of the packages that move; empty on paper.
    full: BTreeMap<String, String>,
    /// The way back from what cargo sees, where that is made of paper.
    pub(super) paper: Option<Paper>,
}

impl Ground {
    /// The build's own manifests.
    pub(super) fn own(locks: &Locks, published: &Published) -> Result<Self, String> {
        let foreign = locks.base.packages.iter().chain(&locks.head.packages);
        let foreign = foreign
            .map(|package| &package.id)
            .find(|id| !matches!(id.source, Source::CratesIo | Source::Local));
        if let Some(id) = foreign {
            return Err(format!("{id} comes from {}", id.source));
        }
        let pair = Pair::new(&locks.base_text, &locks.head_text).map_err(|e| e.to_string())?;
        let mut lines = BTreeMap::new();
        let mut full = BTreeMap::new();
        for (name, versions) in pair.all() {
            let Some(record) = published.record(&Source::CratesIo, &name) else {
                continue;
            };
            for version in versions {
                if let Some(raw) = record.raw(&version) {
                    let line = String::from_utf8_lossy(raw).into_owned();
                    lines.insert((name.clone(), version), line);
                }
            }
            if pair.moves().iter().any(|change| change.package == name) {
                let all = String::from_utf8_lossy(&record.to_lines()).into_owned();
                full.insert(name, all);
            }
        }
        Ok(Self {
            pair,
            head_lock: locks.head_text.clone(),
            lines,
            full,
            paper: None,
        })
    }

    /// Manifests and lines that say what the lock files show. Packages that are
    /// in both are taken to depend on what the first (`of_base`) or the second
    /// lock file shows.
    pub(super) fn paper(
        locks: &Locks,
        published: &Published,
        of_base: bool,
    ) -> Result<(Self, Box<dyn Tree>), String> {
        let paper = Paper::new(locks);
        let (base, head) = (paper.flat(&locks.base), paper.flat(&locks.head));
        let pair = Pair::new(&base, &head).map_err(|error| error.to_string())?;
        let lines = paper::lines(locks, published, of_base);
        let tree = paper::tree(locks, &head);
        let ground = Self {
            pair,
            head_lock: head,
            lines,
            full: BTreeMap::new(),
            paper: Some(paper),
        };
        Ok((ground, tree))
    }

    /// The lines among which cargo may choose with these moves undone.
    pub(super) fn choice(&self, back: &Set) -> BTreeMap<String, String> {
        self.index(self.pair.choice(back))
    }

    /// The lines of both lock files.
    pub(super) fn both(&self) -> BTreeMap<String, String> {
        self.index(self.pair.all())
    }

    /// The lines as whoever runs the commands has them.
    pub(super) fn as_it_is(&self) -> BTreeMap<String, String> {
        let mut index = self.both();
        index.extend(self.full.clone());
        index
    }

    /// Whether other releases than those of the two lock files are known.
    pub(super) fn knows_more(&self) -> bool {
        self.paper.is_none()
    }

    fn index(&self, versions: BTreeMap<String, BTreeSet<Version>>) -> BTreeMap<String, String> {
        let mut index = BTreeMap::new();
        for (name, versions) in versions {
            let mut text = String::new();
            for version in versions {
                if let Some(line) = self.lines.get(&(name.clone(), version)) {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            index.insert(name, text);
        }
        index
    }

    /// The numbers that moves have here which have others in another list.
    pub(super) fn numbers(&self, of: &Set, list: &[Move]) -> Set {
        let same = |a: &Move, b: &Move| {
            let versions = |it: &Move| {
                let version = |side: &Option<Locked>| side.as_ref().map(|it| it.version.clone());
                (version(&it.from), version(&it.to))
            };
            a.package == b.package && versions(a) == versions(b)
        };
        of.iter()
            .filter_map(|number| list.get(*number))
            .filter_map(|wanted| self.moves().iter().position(|here| same(here, wanted)))
            .collect()
    }

    /// The moves between the lock files.
    pub(super) fn moves(&self) -> &[Move] {
        self.pair.moves()
    }
}
