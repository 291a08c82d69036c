//! Signals out of facts, and the model that adds them up. Pure. How much a
//! signal counts is data (`policies/risk-model.toml`), not code.
//!
//! Imports: pkg, facts, diff, incidents, snapshot.

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

/// What the model makes of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// 0 to 100: the sum of the signals' points, which always adds up, since
    /// cutting at the ends is a signal (`limit`) of its own.
    pub score: u8,
    /// The band of the score.
    pub level: Level,
    /// What it is made of, by points, highest first, then by id.
    pub signals: Vec<Signal>,
}
