//! The advisory database: an embedded snapshot of facts, its update, and the
//! advisories of each change. Carries ids, crates, ranges, dates, categories
//! and severities; no prose. Judges nothing.
//!
//! The embedded file `data/advisories.facts` is what [`update()`] makes of an
//! archive of the RustSec advisory database; a test holds it against one. To
//! renew it, run `cargo canary db update --from ARCHIVE.tar.gz` and copy
//! `advisories.facts` from the cache directory. The format is described in
//! the `facts_file` module.
//!
//! Imports: pkg, host, facts.

mod affected;
mod archive;
mod facts_file;
mod front_matter;
mod record;
mod report;
mod store;
mod update;

use std::fmt;
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

pub use facts_file::FileError;
pub use report::Report;
pub use store::Store;
pub use update::{DEFAULT_URL, UpdateError, UpdateSource, update};

/// The name of the file of facts in the cache directory.
pub const FILE_NAME: &str = "advisories.facts";

/// Where the facts in use come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The snapshot that is part of the program.
    Embedded,
    /// A file that an update wrote.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("the snapshot that is part of this program"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

/// Something in the database that could not be used. It never keeps the rest
/// from being used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The crate that it is about, where that is known.
    pub package: Option<String>,
    /// The advisory that it is about, where that is known.
    pub advisory: Option<String>,
    /// What is wrong.
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.advisory, &self.package) {
            (Some(id), Some(package)) => write!(f, "{id} (`{package}`): {}", self.detail),
            (Some(id), None) => write!(f, "{id}: {}", self.detail),
            (None, Some(package)) => write!(f, "`{package}`: {}", self.detail),
            (None, None) => f.write_str(&self.detail),
        }
    }
}

/// What the facts in use are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where they come from.
    pub origin: Origin,
    /// The day whose state of the database they are: of an archive the day it
    /// was made, of a directory the newest date in it.
    pub snapshot_date: Date,
    /// The commit of the database, where the archive names it.
    pub commit: Option<String>,
    /// SHA-256 over the records: `sha256:` and lower-case hex.
    pub digest: String,
    /// How many advisories there are, the unreadable ones included.
    pub advisories: usize,
    /// What could not be used, sorted.
    pub problems: Vec<Problem>,
}

impl Status {
    /// Whole days from the snapshot to this time (UTC); negative when the
    /// snapshot is later.
    #[must_use]
    pub fn age_days(&self, now: Timestamp) -> i32 {
        let days = |date: Date| date.since(self.snapshot_date).map(|span| span.get_days());
        days(utc_date(now)).unwrap_or(0)
    }
}

/// The day of a time, in UTC.
fn utc_date(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}
