//! What is asked of a ledger.

use super::entry::{Row, Stored};

/// In which order the answer comes; entries of one time are in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

/// What is asked of a ledger: everything that is set has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The package.
    pub package: Option<String>,
    /// The version, exactly.
    pub version: Option<String>,
    /// The repository, exactly.
    pub repository: Option<String>,
    /// Recorded at this time or later, in microseconds since 1970.
    pub since: Option<i64>,
    /// Recorded at this time or earlier, in microseconds since 1970.
    pub until: Option<i64>,
    /// The decision, outcome or effect: of the entry, or, for rows, of the row.
    pub verdict: Option<String>,
    /// The kind of the entry.
    pub kind: Option<String>,
    /// Where the version stands; of rows only.
    pub step: Option<String>,
    /// The order.
    pub order: Order,
    /// What comes after this time and id in the order.
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            package: None,
            version: None,
            repository: None,
            since: None,
            until: None,
            verdict: None,
            kind: None,
            step: None,
            order: Order::Newest,
            after: None,
            limit: usize::MAX,
        }
    }
}

fn is(wanted: Option<&String>, found: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

impl Filter {
    /// Whether a row passes, its place in the order and the limit aside.
    #[must_use]
    pub fn takes_row(&self, row: &Row) -> bool {
        is(self.package.as_ref(), &row.package)
            && is(self.version.as_ref(), &row.version)
            && is(self.repository.as_ref(), &row.repository)
            && is(self.kind.as_ref(), &row.kind)
            && is(self.step.as_ref(), &row.step)
            && is(self.verdict.as_ref(), &row.verdict)
            && self.in_time(row.at)
    }

    /// Whether an entry passes, its place in the order and the limit aside.
    pub(super) fn takes_entry(&self, stored: &Stored) -> bool {
        is(self.repository.as_ref(), &stored.entry.repository)
            && is(self.kind.as_ref(), stored.kind().as_str())
            && is(self.verdict.as_ref(), stored.verdict())
            && self.in_time(stored.entry.at.as_microsecond())
            && (!self.by_package()
                || stored.rows().iter().any(|row| {
                    is(self.package.as_ref(), &row.package)
                        && is(self.version.as_ref(), &row.version)
                }))
    }

    /// Whether something is asked that only the rows of an entry tell.
    pub(super) fn by_package(&self) -> bool {
        self.package.is_some() || self.version.is_some()
    }

    fn in_time(&self, at: i64) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
    }

    /// Whether something comes after the place from which on is asked.
    pub(super) fn is_after(&self, at: i64, id: &str) -> bool {
        self.after
            .as_ref()
            .is_none_or(|(from, last)| match self.order {
                Order::Newest => (at, id) < (*from, last.as_str()),
                Order::Oldest => (at, id) > (*from, last.as_str()),
            })
    }
}
