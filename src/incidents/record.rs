//! One incident, as it is after its file was checked.

use jiff::Timestamp;
use jiff::civil::Date;
use semver::{Version, VersionReq};

use super::vocabulary::{Cause, Detection, Failure, Resolution};

/// Whose incident it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// It came with the program.
    BuiltIn,
    /// It is in the audited repository: the team's own.
    Repository,
}

impl Origin {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Repository => "repository",
        }
    }
}

/// One crate of a rule, with the versions that are part of the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The crate's name.
    pub name: String,
    /// The versions that are bad.
    pub range: VersionReq,
    /// The first bad release, where it is known.
    pub introduced: Option<Version>,
    /// The releases in which it is repaired, one for each line, sorted.
    pub fixed_in: Vec<Version>,
    /// Features that have to be on for the fault to show, sorted.
    pub features: Vec<String>,
}

/// One rule: all of its crates together are the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affects {
    /// The crates, by name; never empty.
    pub crates: Vec<Affected>,
}

/// Something that went wrong once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Unique among all records.
    pub id: String,
    /// One line.
    pub title: String,
    /// The day it happened or became known, in the zone of its account.
    pub date: Date,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// How long it lasted, in minutes, as its account sums it up.
    pub duration_minutes: Option<u32>,
    /// How long it took until the cause was known, in minutes.
    pub minutes_to_cause: Option<u32>,
    /// How many of 100 users felt it.
    pub impact_percent: Option<u8>,
    /// In which way it failed.
    pub failure: Failure,
    /// What the part that failed is for; one of [`super::Components`].
    pub component: String,
    /// What was at the root.
    pub cause: Cause,
    /// What made it end, in order.
    pub resolution: Vec<Resolution>,
    /// How it was noticed.
    pub detection: Option<Detection>,
    /// What was suspected wrongly, in order.
    pub suspected: Vec<String>,
    /// What was to be done so that it does not come back.
    pub actions: Vec<String>,
    /// Where it is told.
    pub sources: Vec<String>,
    /// What a reader of the record should know, such as a contradiction in its account.
    pub note: Option<String>,
    /// The rules; any one of them is the cause. Empty when no crate is named.
    pub affects: Vec<Affects>,
    /// Whose it is.
    pub origin: Origin,
    /// The file it was read from.
    pub file: String,
}

impl Record {
    /// Whether a release that brought the fault is known: then a version
    /// before it was well, and the incident is about an update.
    #[must_use]
    pub fn is_regression(&self) -> bool {
        self.cause == Cause::ThirdPartyUpdate
    }
}
