//! The model and a policy against history: real changes of lock files are
//! audited as of their day, through the same code as `check`, and held against
//! what became of them. Fits the weights of the model, too. Reads a corpus
//! only; archives of a sample are had from the registry where that is asked for.
//!
//! Imports: pkg, host, facts, stats, registry, snapshot, advisories, risk, policy, audit.

mod corpus;
mod curves;
mod fit;
mod journal;
mod measure;
mod plain;
mod regression;
mod replay;
mod show;
pub mod sources;
mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::audit::PolicyChoice;
use crate::policy::Decision;
use crate::risk::{Column, Fault};

pub use curves::curves;
pub use fit::{Fitted, fit};
pub use measure::{Calibration, Figures, IncidentDay, Interval, LabelFigures, measure};
pub use replay::replay;
pub use show::{json, text};
pub use written::weights;

/// Why there is no backtest.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// A file of the corpus cannot be read.
    #[error("`{path}` of the corpus cannot be read: {detail}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why, with the line where there is one.
        detail: String,
    },
    /// The policy or the model is not usable.
    #[error("nothing can be judged")]
    Judge(#[source] Box<crate::audit::AuditError>),
    /// What was done before cannot be gone on with.
    #[error("the journal `{path}` cannot be used: {detail}")]
    Journal {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// There is nothing to replay.
    #[error("no event of the corpus is left to replay")]
    Nothing,
}

/// What is replayed.
#[derive(Clone, Debug)]
pub struct Request {
    /// The folder of the corpus.
    pub corpus: PathBuf,
    /// The policy that judges.
    pub policy: PolicyChoice,
    /// Only repositories with one of these in their name; all, when empty.
    pub repositories: Vec<String>,
    /// Only one event of so many, evenly.
    pub one_of: usize,
    /// Where what is done is kept, so that a replay that is stopped can go on.
    pub journal: Option<PathBuf>,
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Events that are done.
    pub done: usize,
    /// All events.
    pub all: usize,
}

/// One upgrade of history, as it was judged on its day, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The event, counted from 0.
    pub event: usize,
    /// The repository.
    pub repository: String,
    /// The release family of the crate.
    pub family: String,
    /// The package and its step, for people.
    pub name: String,
    /// The score before it was cut to 0 to 100: by this, rows are ordered.
    pub score: f64,
    /// The probability that the model gives it.
    pub likelihood: f64,
    /// By kind of fault how likely it is.
    pub faults: Vec<(Fault, f64)>,
    /// Its place in its own difference by score, all changes counted: the mean
    /// where several share one, from 1; and how many changes there are.
    pub place: (f64, usize),
    /// What the policy made of this upgrade.
    pub decision: Decision,
    /// What the model saw: the columns of the signals, with their shares.
    pub columns: Vec<(Column, f64)>,
    /// For the baselines.
    pub plain: Plain,
    /// What the corpus itself knew on the day, as numbers, for the baseline of a
    /// plain regression; empty where it has no such fields.
    pub known: Vec<f64>,
    /// By label: what became of it.
    pub labels: BTreeMap<String, bool>,
}

#[cfg(test)]
impl Row {
    /// An upgrade of which nothing is known, in one of so many repositories and families.
    fn made(at: usize, repositories: usize, families: usize) -> Self {
        Self {
            event: at,
            repository: format!("r{}", at % repositories),
            family: format!("f{}", at % families),
            name: String::new(),
            score: 0.0,
            likelihood: 0.0,
            faults: Vec::new(),
            place: (1.0, 1),
            decision: crate::policy::Decision::Pass,
            columns: Vec::new(),
            plain: Plain {
                step: 1.0,
                age_days: 1.0,
                changed: 1.0,
            },
            known: Vec::new(),
            labels: BTreeMap::new(),
        }
    }
}

/// What simple rules would go by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plain {
    /// 3 for a major step, 2 for a minor one, 1 for a patch.
    pub step: f64,
    /// Days since the release.
    pub age_days: f64,
    /// How many packages changed in the event.
    pub changed: f64,
}

/// All rows of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The rows, in the order of the corpus.
    pub rows: Vec<Row>,
    /// How many events were replayed.
    pub events: usize,
    /// Events that could not be audited, with the reason, for people.
    pub failed: Vec<String>,
    /// Upgrades of the corpus that the difference did not show as such.
    pub unmatched: usize,
}
