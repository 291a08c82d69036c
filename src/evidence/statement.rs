//! The content of a record: an in-toto Statement
//! (<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>)
//! with predicates of our own, which `docs/evidence.md` describes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::result::TrialResult;
use crate::policy::EvidenceKind;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The subject that a difference is.
const DIFFERENCE: &str = "dependency-difference";
/// The subjects that the executables of a trial are.
const BASE_EXECUTABLE: &str = "base-executable";
const HEAD_EXECUTABLE: &str = "head-executable";
/// The word of a person that approves.
const APPROVED: &str = "approved";
/// How many subjects one statement may have.
const MOST_SUBJECTS: usize = 16;

/// A statement that was read, or is to be signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    pub(super) predicate: Predicate,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    digest: BTreeMap<String, String>,
}

/// What is stated of the subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Predicate {
    pub(super) decision: String,
    pub(super) signed_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trial: Option<Trial>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    difference: Option<Difference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<Tool>,
}

/// What was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Trial {
    /// SHA-256 of the result's file.
    pub(super) result_digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) duration_seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<Timestamp>,
    /// The answers for each resource or metric, for people who read the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<String>,
}

/// The builds as they were named, for people who read the record. The digest
/// among the subjects is what counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Difference {
    base: String,
    head: String,
    changes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tool {
    name: String,
    version: String,
}

/// What a record is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The digest of the difference, `sha256:…`.
    pub digest: String,
    /// SHA-256 of the executables of base and head in hex, where they are known.
    pub executables: (Option<String>, Option<String>),
    /// The builds as they were named.
    pub builds: (String, String),
    /// The changes in a few words each.
    pub changes: Vec<String>,
}

/// What is stated.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// The result of a trial, or a report.
    Result(TrialResult),
    /// A person approves, for this reason.
    Approval(String),
}

/// Why something is no statement of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It is no JSON of this shape.
    #[error("it is no in-toto statement: {0}")]
    Shape(String),
    /// It is a statement of another version.
    #[error("it is a `{0}`, not a `{STATEMENT}`")]
    Version(String),
    /// It states something else.
    #[error("its predicate is `{0}`, which is none of ours")]
    Predicate(String),
    /// It does not say which difference it is about.
    #[error("it does not have exactly one subject `{DIFFERENCE}` with a SHA-256 digest")]
    Subject,
}

impl Statement {
    /// A statement of this time.
    #[must_use]
    pub fn new(about: &About, word: &Word, now: Timestamp, expires: Option<Timestamp>) -> Self {
        let now = whole_second(now);
        let subject = |name: &str, digest: &str| Subject {
            name: name.to_owned(),
            digest: [("sha256".to_owned(), digest.to_owned())].into(),
        };
        let difference = about.digest.trim_start_matches("sha256:");
        let (base, head) = &about.executables;
        let executables = [(BASE_EXECUTABLE, base), (HEAD_EXECUTABLE, head)];
        let (kind, decision, reason, trial) = match word {
            Word::Result(result) => {
                let trial = Trial {
                    result_digest: result.digest.clone(),
                    duration_seconds: result.duration.map(|duration| duration.as_secs_f64()),
                    ended: result.ended.map(whole_second),
                    answers: result.answers.clone(),
                };
                (result.kind, result.decision.clone(), None, Some(trial))
            }
            Word::Approval(reason) => (
                EvidenceKind::Approval,
                APPROVED.to_owned(),
                Some(reason.clone()),
                None,
            ),
        };
        Self {
            kind: STATEMENT.to_owned(),
            subject: [subject(DIFFERENCE, difference)]
                .into_iter()
                .chain(executables.into_iter().filter_map(|(name, digest)| {
                    digest.as_deref().map(|digest| subject(name, digest))
                }))
                .collect(),
            predicate_type: predicate_type(kind),
            predicate: Predicate {
                decision,
                signed_at: now,
                expires: expires.map(whole_second),
                reason,
                trial,
                difference: Some(Difference {
                    base: about.builds.0.clone(),
                    head: about.builds.1.clone(),
                    changes: about.changes.clone(),
                }),
                tool: Some(Tool {
                    name: env!("CARGO_PKG_NAME").to_owned(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                }),
            },
        }
    }

    /// Reads a statement. Keys that are not known are left alone, as the
    /// specification asks.
    ///
    /// # Errors
    /// When it is none, or none of ours.
    pub fn read(content: &[u8]) -> Result<Self, StatementError> {
        let head: Head = serde_json::from_slice(content).map_err(|error| shape(&error))?;
        if head.kind != STATEMENT {
            return Err(StatementError::Version(shown(&head.kind)));
        }
        if kind_of(&head.predicate_type).is_none() {
            return Err(StatementError::Predicate(shown(&head.predicate_type)));
        }
        let statement: Self = serde_json::from_slice(content).map_err(|error| shape(&error))?;
        if statement.subject.len() > MOST_SUBJECTS || statement.digest_of(DIFFERENCE).is_none() {
            return Err(StatementError::Subject);
        }
        Ok(statement)
    }

    /// The bytes that are signed.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // Plain data with text for keys can always be written.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// What it is a record of.
    #[must_use]
    pub fn evidence(&self) -> EvidenceKind {
        kind_of(&self.predicate_type).unwrap_or(EvidenceKind::Audit)
    }

    /// The digest of the difference it is about, `sha256:…`.
    #[must_use]
    pub fn difference(&self) -> String {
        format!("sha256:{}", self.digest_of(DIFFERENCE).unwrap_or_default())
    }

    /// SHA-256 of the executable of the head in hex, where it is stated.
    #[must_use]
    pub fn head_executable(&self) -> Option<&str> {
        self.digest_of(HEAD_EXECUTABLE)
    }

    /// The builds as they were named when it was made.
    #[must_use]
    pub fn builds(&self) -> Option<(&str, &str)> {
        let difference = self.predicate.difference.as_ref()?;
        Some((&difference.base, &difference.head))
    }

    /// How long the trial ran, where that is stated.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let seconds = self.predicate.trial.as_ref()?.duration_seconds?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Whether the trial went well.
    pub(super) fn is_pass(&self) -> bool {
        self.predicate.decision == pass_word(self.evidence())
    }

    /// The digest of the one subject of that name.
    fn digest_of(&self, name: &str) -> Option<&str> {
        let mut named = self.subject.iter().filter(|subject| subject.name == name);
        let only = named.next().filter(|_| named.next().is_none())?;
        let digest = only.digest.get("sha256")?;
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (digest.len() == 64 && digest.bytes().all(hex)).then_some(digest.as_str())
    }
}

/// What tells whether the rest is worth reading.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

fn shape(error: &serde_json::Error) -> StatementError {
    StatementError::Shape(error.to_string())
}

/// Text of others in a message: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars()
        .take(80)
        .collect::<String>()
        .escape_debug()
        .to_string()
}

fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// The word that says that all is well.
pub(super) fn pass_word(kind: EvidenceKind) -> &'static str {
    match kind {
        EvidenceKind::Probe => "no-leak",
        EvidenceKind::Rollout | EvidenceKind::Audit => "pass",
        EvidenceKind::Approval => APPROVED,
    }
}

/// The type of a predicate. It is a name and leads to no page.
fn predicate_type(kind: EvidenceKind) -> String {
    format!("urn:cargo-canary:{}:v1", kind.as_str())
}

fn kind_of(predicate_type: &str) -> Option<EvidenceKind> {
    EvidenceKind::ALL
        .into_iter()
        .find(|kind| self::predicate_type(*kind) == predicate_type)
}
