//! What went wrong before: the catalogue of incidents, and the links from a
//! change to them. Knows no severity and no policy, and looks nothing up: the
//! files of a repository are handed in.
//!
//! Imports: pkg, facts, snapshot, diff.

mod built_in;
mod catalogue;
mod components;
mod defect;
mod import;
mod link;
mod range;
mod read;
mod record;
mod reference;
mod resemblance;
mod written;
mod vocabulary;

use std::collections::BTreeMap;

use jiff::civil::Date;
use semver::Version;

use crate::pkg::Source;
use crate::snapshot::Snapshot;
use crate::snapshot::lock::LockFile;

pub use built_in::BUILT_IN;
pub use catalogue::{Catalogue, MAX_FILES, Match, lint};
pub use components::{Component, Components, Role};
pub use defect::{CatalogueError, Defect, Problem};
pub use import::{Draft, ImportError, MAX_TEXT_BYTES, Value, import};
pub use link::link;
pub use read::{MAX_BYTES, read};
pub use record::{Affected, Affects, Moment, Origin, Percent, Record};
pub use reference::{reference, schema};
pub use vocabulary::{Cause, Detection, Failure, Resolution};

/// How much a link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// The same component, or the same crate far from the versions that hurt.
    Weak,
    /// The same crate next to the versions that hurt; or the same component as in
    /// an incident of the team's own, with a finding of the same kind in its source.
    Strong,
    /// The change enters, stays in or leaves a range that is known to be bad.
    Repeat,
}

impl Strength {
    /// The name used in reports and policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
            Self::Repeat => "repeat",
        }
    }
}

/// How a change stands to a known bad range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// It enters the range.
    Enters,
    /// It was in the range and still is.
    Stays,
    /// It leaves the range: a fix.
    Leaves,
    /// The link is not about a range.
    Resembles,
}

impl Direction {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enters => "enters",
            Self::Stays => "stays",
            Self::Leaves => "leaves",
            Self::Resembles => "resembles",
        }
    }
}

/// Why a change resembles an incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The incident: a record's id, or an advisory's.
    pub id: String,
    /// How much the link says.
    pub strength: Strength,
    /// How the change stands to the incident's range.
    pub direction: Direction,
    /// The package of the change.
    pub package: String,
    /// The reason, in words that a person can check.
    pub because: String,
}

impl Link {
    /// Whether it is an advisory that is linked, and no record: the ids of
    /// records are in lower case.
    #[must_use]
    pub fn is_advisory(&self) -> bool {
        self.id.starts_with(|c: char| c.is_ascii_uppercase())
    }
}

/// The published versions in one graph, by package name: what a rule over
/// several crates is held against.
pub type Versions = BTreeMap<String, Vec<Version>>;

/// What stands around a change: both graphs, and the day of judgement.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The versions of the base graph.
    pub base: &'a Versions,
    /// The versions of the head graph.
    pub head: &'a Versions,
    /// The day of judgement; later incidents are not known yet.
    pub as_of: Date,
}

/// Whether records speak of a package from this place: the default registry,
/// or a git repository under the same name.
fn is_public(source: &Source) -> bool {
    match source {
        Source::CratesIo | Source::Git { .. } => true,
        Source::Registry { .. } | Source::Local => false,
    }
}

/// The versions in a lock file that incident records can speak of, each list sorted.
#[must_use]
pub fn versions_of_lock(lock: &LockFile) -> Versions {
    let mut all = Versions::new();
    for package in &lock.packages {
        if is_public(&package.id.source) {
            let known: &mut Vec<Version> = all.entry(package.id.name.clone()).or_default();
            if !known.contains(&package.id.version) {
                known.push(package.id.version.clone());
            }
        }
    }
    for known in all.values_mut() {
        known.sort();
    }
    all
}

/// The versions in a snapshot that incident records can speak of, each list sorted.
#[must_use]
pub fn versions(snapshot: &Snapshot) -> Versions {
    let mut all = Versions::new();
    for package in snapshot
        .workspaces
        .iter()
        .flat_map(|workspace| &workspace.packages)
    {
        if is_public(&package.id.source) {
            let known: &mut Vec<Version> = all.entry(package.id.name.clone()).or_default();
            if !known.contains(&package.id.version) {
                known.push(package.id.version.clone());
            }
        }
    }
    for known in all.values_mut() {
        known.sort();
    }
    all
}
