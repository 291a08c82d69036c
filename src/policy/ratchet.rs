//! The ratchet: what a repository lives with today is recorded once, and nothing
//! new of its kind comes in. The record is one entry a line and sorted, so that
//! it merges well; what is no longer there no longer counts, whatever it says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use toml::de::DeTable;

use crate::facts::{AdvisoryFact, Gap};
use crate::pkg::Source;
use crate::snapshot::{Package, Role, Snapshot};

use super::PolicyError;
use super::file::LARGEST;
use super::file::values::{Reader, integer};
use super::problem::{Problem, SourceFile};

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RatchetKind {
    /// Advisories that apply, each with the package.
    Advisories,
    /// Packages with a build script.
    BuildScripts,
    /// Names of which several versions are compiled or tested.
    Duplicates,
    /// Packages from git, each with the repository.
    GitSources,
    /// Procedural macros.
    ProcMacros,
    /// Packages with `unsafe` code.
    Unsafe,
}

impl RatchetKind {
    /// All kinds, by name.
    pub const ALL: [Self; 6] = [
        Self::Advisories,
        Self::BuildScripts,
        Self::Duplicates,
        Self::GitSources,
        Self::ProcMacros,
        Self::Unsafe,
    ];

    /// The key in the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Advisories => "advisories",
            Self::BuildScripts => "build-scripts",
            Self::Duplicates => "duplicates",
            Self::GitSources => "git-sources",
            Self::ProcMacros => "proc-macros",
            Self::Unsafe => "unsafe",
        }
    }

    /// The id under which a new entry gives its reason.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::Advisories => "ratchet-advisories",
            Self::BuildScripts => "ratchet-build-scripts",
            Self::Duplicates => "ratchet-duplicates",
            Self::GitSources => "ratchet-git-sources",
            Self::ProcMacros => "ratchet-proc-macros",
            Self::Unsafe => "ratchet-unsafe",
        }
    }

    fn says(self, entry: &str) -> String {
        match self {
            Self::Advisories => format!("{entry}: an advisory that did not apply before"),
            Self::BuildScripts => {
                format!("{entry} has a build script, which runs on the build machine")
            }
            Self::Duplicates => format!("there are several versions of {entry} now"),
            Self::GitSources => format!("comes from git: {entry}"),
            Self::ProcMacros => {
                format!("{entry} is a procedural macro, which runs in the compiler")
            }
            Self::Unsafe => format!("{entry} has `unsafe` code"),
        }
    }
}

/// What there is of each kind, or what a record says there is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Baseline {
    entries: BTreeMap<RatchetKind, BTreeSet<String>>,
}

/// Something that the record does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Novelty {
    /// What it is.
    pub kind: RatchetKind,
    /// The package it is about.
    pub package: String,
    /// What, in words.
    pub because: String,
}

/// What is new, and what could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RatchetNews {
    /// What the record does not have, sorted.
    pub news: Vec<Novelty>,
    /// What could not be looked at, by package.
    pub gaps: Vec<(String, Gap)>,
    /// How many entries of the record are gone.
    pub gone: usize,
}

impl Baseline {
    /// What a build has of every kind but [`RatchetKind::Unsafe`], which is not in
    /// the graph. Packages that are compiled for none of the targets do not count.
    #[must_use]
    pub fn of(snapshot: &Snapshot, advisories: &[AdvisoryFact]) -> Self {
        let mut found = Self {
            entries: RatchetKind::ALL.map(|kind| (kind, BTreeSet::new())).into(),
        };
        for advisory in advisories {
            let entry = format!("{} {}", advisory.id, advisory.package);
            found.add(RatchetKind::Advisories, entry);
        }
        for workspace in &snapshot.workspaces {
            let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
            for package in workspace.packages.iter().filter(|it| counts(it)) {
                let name = &package.id.name;
                *versions.entry(name).or_default() += 1;
                if let Source::Git { url, .. } = &package.id.source {
                    found.add(RatchetKind::GitSources, format!("{name} {url}"));
                }
                let Some(manifest) = &package.manifest else {
                    continue;
                };
                if manifest.build_script {
                    found.add(RatchetKind::BuildScripts, name.clone());
                }
                if manifest.proc_macro {
                    found.add(RatchetKind::ProcMacros, name.clone());
                }
            }
            for (name, count) in versions {
                if count > 1 {
                    found.add(RatchetKind::Duplicates, name.to_owned());
                }
            }
        }
        found
    }

    /// The packages of a build that count, by name, and whether the manifest of
    /// each was read.
    #[must_use]
    pub fn packages(snapshot: &Snapshot) -> Vec<&Package> {
        let all = snapshot.workspaces.iter().flat_map(|it| &it.packages);
        all.filter(|package| counts(package)).collect()
    }

    /// Adds an entry.
    pub fn add(&mut self, kind: RatchetKind, entry: String) {
        self.entries.entry(kind).or_default().insert(entry);
    }

    /// Whether a kind is held at all: a record without its key holds it not.
    #[must_use]
    pub fn holds(&self, kind: RatchetKind) -> bool {
        self.entries.contains_key(&kind)
    }

    /// Whether there is such an entry.
    #[must_use]
    pub fn has(&self, kind: RatchetKind, entry: &str) -> bool {
        self.entries
            .get(&kind)
            .is_some_and(|all| all.contains(entry))
    }

    /// How many entries there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.values().map(BTreeSet::len).sum()
    }

    /// What of a record is still there; never more than the record has.
    #[must_use]
    pub fn within(&self, there: &Self) -> Self {
        let entries = self.entries.iter().map(|(kind, entries)| {
            let still = entries.iter().filter(|entry| there.has(*kind, entry));
            (*kind, still.cloned().collect())
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// What may stay, of the kinds that a record holds: what the base has. Whether
    /// the base's packages have `unsafe` code is not looked up again: there the
    /// record counts, as far as its packages are still there.
    #[must_use]
    pub fn held(&self, base: &Self) -> Self {
        let still = self.within(base);
        let entries = self.entries.keys().map(|kind| {
            let of = if *kind == RatchetKind::Unsafe {
                &still
            } else {
                base
            };
            (*kind, of.entries.get(kind).cloned().unwrap_or_default())
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// How many entries of a record are gone.
    #[must_use]
    pub fn gone(&self, now: &Self) -> usize {
        self.count() - self.within(now).count()
    }

    /// What there is now and was not before, of the kinds that are held.
    #[must_use]
    pub fn news(&self, now: &Self) -> Vec<Novelty> {
        let mut news = Vec::new();
        for (kind, entries) in &now.entries {
            if !self.holds(*kind) {
                continue;
            }
            for entry in entries.iter().filter(|entry| !self.has(*kind, entry)) {
                let package = match kind {
                    RatchetKind::Advisories => entry.split_once(' ').map(|(_, name)| name),
                    RatchetKind::GitSources => entry.split_once(' ').map(|(name, _)| name),
                    RatchetKind::BuildScripts
                    | RatchetKind::Duplicates
                    | RatchetKind::ProcMacros
                    | RatchetKind::Unsafe => Some(entry.as_str()),
                };
                news.push(Novelty {
                    kind: *kind,
                    package: package.unwrap_or(entry).to_owned(),
                    because: kind.says(entry),
                });
            }
        }
        news
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When anything in it is wrong; all problems are named with their places.
    pub fn read(text: &str, path: &str) -> Result<Self, PolicyError> {
        let file = Arc::new(SourceFile::new(path, text));
        let mut found = Self::default();
        let mut problems = Vec::new();
        if text.len() > LARGEST {
            let label = format!("a record has at most {LARGEST} bytes");
            problems.push(Problem::new(&file, 0..0, "baseline", label));
        } else {
            let (root, errors) = DeTable::parse_recoverable(text);
            problems.extend(errors.iter().map(|error| {
                let said = error.message().replace('\n', ", ");
                Problem::new(
                    &file,
                    error.span().unwrap_or(0..0),
                    "the file is not TOML",
                    said,
                )
            }));
            if problems.is_empty() {
                let mut reader = Reader::new(&file);
                found.fill(&mut reader, root.get_ref());
                problems = reader.into_problems();
            }
        }
        match PolicyError::of(problems) {
            Some(error) => Err(error),
            None => Ok(found),
        }
    }

    fn fill(&mut self, reader: &mut Reader, root: &DeTable<'_>) {
        let title = "baseline";
        let keys = RatchetKind::ALL.map(RatchetKind::as_str);
        let known: Vec<&str> = ["version"].into_iter().chain(keys).collect();
        reader.known(title, root, &known);
        match root
            .get("version")
            .map(|it| (it.span(), integer(it.get_ref())))
        {
            Some((_, Some(1))) => {}
            Some((span, _)) => reader.problem(span, title, "this program reads `version = 1`"),
            None => reader.missing(title, "version", &(0..0)),
        }
        for kind in RatchetKind::ALL {
            let Some(value) = root.get(kind.as_str()) else {
                continue;
            };
            let empty = value.get_ref().as_array().is_some_and(|all| all.is_empty());
            let entries = if empty {
                Some(Vec::new())
            } else {
                reader.texts(title, kind.as_str(), root)
            };
            let entries = entries.unwrap_or_default().into_iter().map(|at| at.value);
            self.entries.insert(kind, entries.collect());
        }
    }

    /// The record as a file: sorted, one entry a line.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::from(
            "# What this repository lives with. A change brings in nothing new of these kinds;\n\
             # what is gone no longer counts. Written by `cargo-canary policy baseline`.\n\
             version = 1\n",
        );
        for (kind, entries) in &self.entries {
            if entries.is_empty() {
                let _ = writeln!(text, "\n{} = []", kind.as_str());
                continue;
            }
            let _ = writeln!(text, "\n{} = [", kind.as_str());
            for entry in entries {
                let _ = writeln!(text, "  {},", toml::Value::from(entry.as_str()));
            }
            text.push_str("]\n");
        }
        text
    }
}

/// Whether a package is somebody else's and compiled for something.
fn counts(package: &Package) -> bool {
    let placement = &package.placement;
    let unbuilt = placement.resolved && placement.roles.iter().all(|role| *role == Role::Unbuilt);
    package.id.source != Source::Local && !unbuilt
}
