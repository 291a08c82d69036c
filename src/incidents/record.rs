//! One incident, as it is after its file was checked.

use std::fmt;

use jiff::civil::{Date, DateTime};
use semver::{Version, VersionReq};

use super::vocabulary::{Cause, Detection, Failure, Resolution};
use crate::facts::AdvisoryFact;

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

/// A point in time as an account tells it: by its clock, with the offset where
/// the account names a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// By the clock of the account.
    pub local: DateTime,
    /// Minutes east of UTC; [`None`] when no zone is told.
    pub offset_minutes: Option<i32>,
}

impl Moment {
    /// Minutes from another moment to this one; [`None`] when only one of them
    /// has a zone.
    #[must_use]
    pub fn minutes_since(&self, earlier: &Self) -> Option<i64> {
        let between = self
            .local
            .duration_since(earlier.local)
            .as_secs()
            .div_euclid(60);
        match (self.offset_minutes, earlier.offset_minutes) {
            (Some(here), Some(there)) => Some(between - i64::from(here) + i64::from(there)),
            (None, None) => Some(between),
            (Some(_), None) | (None, Some(_)) => None,
        }
    }
}

impl fmt::Display for Moment {
    /// As TOML writes it: `2024-06-14T13:00:00+01:00`, without an offset where
    /// none is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local)?;
        match self.offset_minutes {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(
                    f,
                    "{sign}{:02}:{:02}",
                    minutes.abs() / 60,
                    minutes.abs() % 60
                )
            }
        }
    }
}

/// A part of 100, in tenths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    /// Tenths of a percent, from 0 to 1000.
    pub tenths: u16,
}

impl Percent {
    /// A whole number of percent, at most 100.
    #[must_use]
    pub fn whole(percent: u8) -> Self {
        Self {
            tenths: u16::from(percent.min(100)) * 10,
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tenths % 10 {
            0 => write!(f, "{}", self.tenths / 10),
            part => write!(f, "{}.{part}", self.tenths / 10),
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
    /// Features that have to be off for the fault to show, sorted.
    pub features_off: Vec<String>,
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
    pub started: Option<Moment>,
    /// When it was over.
    pub ended: Option<Moment>,
    /// How long it lasted, in minutes, as its account sums it up.
    pub duration_minutes: Option<u32>,
    /// How long it took until the cause was known, in minutes.
    pub minutes_to_cause: Option<u32>,
    /// How many of 100 users felt it.
    pub impact_percent: Option<Percent>,
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
    /// What its account says in two ways; with any, times and durations need not agree.
    pub contradictions: Vec<String>,
    /// What a reader of the record should know.
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

    /// Whether it names an advisory, or one of its aliases, among its sources.
    #[must_use]
    pub fn restates(&self, advisory: &AdvisoryFact) -> bool {
        let names = |id: &String| self.sources.iter().any(|source| source.contains(id));
        names(&advisory.id) || advisory.aliases.iter().any(names)
    }
}
