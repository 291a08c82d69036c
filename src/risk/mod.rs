//! Signals out of facts, and the model that adds them up. Pure. How much a
//! signal counts is data (`policies/risk-model.toml`), not code. Turns no gap
//! into a good sign: what is not known adds nothing, and how much was known is
//! part of the result.
//!
//! Imports: pkg, facts, snapshot, diff, incidents.

mod advisory_grade;
mod assess;
mod columns;
mod faults;
mod fitted;
mod model;
mod signals;
mod wording;

use crate::facts::FactKind;

pub use assess::assess;
pub use columns::{Column, columns};
pub use faults::{Fault, Faults, Regression};
pub use model::{LevelBounds, Model, ModelError, Parameters, PlacementWeights};
pub use signals::{Definition, Docs, Input, Raised, SIGNALS};

/// The id of the signal that tells what came of earlier updates here.
pub const UPDATE_UNDONE: &str = "update-undone";

/// The id of the signal that keeps the score between 0 and 100.
pub const LIMIT: &str = "limit";

/// One reason to look at a change, with what it adds to the score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Its name, which is also its file's and its entry's in the model.
    pub id: &'static str,
    /// What it adds to the score; negative for what speaks in favour.
    pub points: i32,
    /// Why it fired, in words with figures.
    pub because: String,
    /// The facts it read, each with its source, such as
    /// "index: serde_json 1.0.118 published 2024-06-24T03:20:52Z".
    pub facts: Vec<String>,
}

/// The band that a score falls into; the bounds are data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing stands out.
    Low,
    /// Something is unusual.
    Moderate,
    /// Worth a careful look.
    Elevated,
    /// Likely to hurt.
    High,
}

impl Level {
    /// The name used in reports and policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::Elevated => "elevated",
            Self::High => "high",
        }
    }
}

/// How much of what the signals look at was known. A low score on little
/// evidence is not a good sign.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Evidence {
    /// The kinds of fact that were known, sorted.
    pub known: Vec<FactKind>,
    /// The kinds of fact that could not be had, sorted.
    pub missing: Vec<FactKind>,
}

impl Evidence {
    /// How many of 100 kinds were known, rounded down; 0 when none was asked for.
    #[must_use]
    pub fn percent(&self) -> u8 {
        let all = self.known.len() + self.missing.len();
        (self.known.len() * 100)
            .checked_div(all)
            .and_then(|percent| u8::try_from(percent).ok())
            .unwrap_or(0)
    }
}

/// What the model makes of one change.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// 0 to 100: the sum of the signals' points, which always adds up, since
    /// cutting at the ends is a signal (`limit`) of its own.
    pub score: u8,
    /// The band of the score.
    pub level: Level,
    /// How likely it is to go wrong, from 0 to 1, wherever it is compiled: from
    /// the same signals before exposure.
    pub likelihood: f64,
    /// By kind of fault how likely it is, by what history teaches of the few
    /// signals that it can teach of; not every kind is among `likelihood`.
    pub faults: Vec<(Fault, f64)>,
    /// How much of what is shipped runs it, from 0 to 1, by where it is compiled.
    pub exposure: f64,
    /// What it is made of, by points, highest first, then by id.
    pub signals: Vec<Signal>,
    /// How much was known.
    pub evidence: Evidence,
}

impl Assessment {
    /// The sum of all points before it is cut to 0 to 100.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.signals
            .iter()
            .filter(|signal| signal.id != LIMIT)
            .map(|signal| f64::from(signal.points))
            .sum()
    }
}
