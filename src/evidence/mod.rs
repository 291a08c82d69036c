//! Signed records of trials: how a record is made, where records are found,
//! which signatures hold, and which records count for a difference. The rules
//! are the policy's; whether a requirement is met is for the verdict.
//!
//! Imports: host, policy.

mod dsse;
mod find;
mod glob;
mod judge;
mod refusal;
mod result;
mod sign;
mod signature;
mod signers;
mod statement;

use std::time::Duration;

use jiff::Timestamp;

use crate::policy::EvidenceKind;

pub use find::{FOLDER, Found, Place, RECORD_LIMIT, find_in, of_files, read_file};
pub use judge::{Context, judge};
pub use refusal::Refusal;
pub use result::{ResultError, TrialResult};
pub use sign::{Key, SignError, git_key, sign};
pub use signers::{SIGNERS_LIMIT, Signers, SignersError};
pub use statement::{About, Statement, StatementError, Word};

/// The namespace of our signatures: one made for another purpose, such as a
/// commit, is no evidence.
pub const NAMESPACE: &str = "cargo-canary-evidence";

/// What a record says of itself, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Record {
    /// Where it was found.
    pub name: String,
    /// What it is a record of.
    pub kind: Option<EvidenceKind>,
    /// What the trial came to.
    pub decision: Option<String>,
    /// Why a person approves.
    pub reason: Option<String>,
    /// Who signed it, as the list of signers names the key.
    pub signer: Option<String>,
    /// The fingerprint of the key.
    pub key: Option<String>,
    /// When it was signed, as it says itself.
    pub signed_at: Option<Timestamp>,
    /// From when on it no longer counts.
    pub expires: Option<Timestamp>,
    /// How long the trial ran.
    pub duration: Option<Duration>,
}

/// A record that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// The record.
    pub record: Record,
    /// The rules for which it counts, of those that were asked about.
    pub rules: Vec<String>,
    /// What the reader should know of it, in words.
    pub notes: Vec<String>,
}

/// A record that does not count.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The record.
    pub record: Record,
    /// Why.
    pub because: Refusal,
}

/// What became of all records that were found.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Outcome {
    /// The records that count, by name.
    pub accepted: Vec<Accepted>,
    /// The records that do not, by name.
    pub refused: Vec<Refused>,
    /// What could not be looked at, in words: places, and lines of the list of signers.
    pub gaps: Vec<String>,
}

impl Outcome {
    /// The record that meets a rule, the first by name.
    #[must_use]
    pub fn record_for(&self, rule: &str) -> Option<&Accepted> {
        self.accepted
            .iter()
            .find(|accepted| accepted.rules.iter().any(|id| id == rule))
    }
}
