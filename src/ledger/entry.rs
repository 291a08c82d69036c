//! One entry of the ledger, and its text. The shapes here are the stored
//! format; keys may be added to them, none is renamed.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::trial::Trial;

/// The version of the entries that this program writes.
pub const FORMAT: u32 = 1;

/// An entry with more bytes than this is not read.
const LARGEST: usize = 64 << 20;

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// The version of its format.
    pub version: u32,
    /// When it was recorded, to the microsecond.
    pub at: Timestamp,
    /// The repository or service it is about.
    pub repository: String,
    /// Who recorded it, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What was recorded.
    #[serde(flatten)]
    pub body: Body,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Body {
    /// A judged difference.
    Audit(Box<Audited>),
    /// A trial that discharges a requirement, such as a probe.
    Evidence(Trial),
    /// What a rollout ended with.
    Rollout(Trial),
    /// What came of an update later.
    Effect(EffectEntry),
}

/// The kinds of entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A judged difference.
    Audit,
    /// A trial that discharges a requirement.
    Evidence,
    /// What a rollout ended with.
    Rollout,
    /// What came of an update later.
    Effect,
}

impl Kind {
    /// The word in the stored format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Evidence => "evidence",
            Self::Rollout => "rollout",
            Self::Effect => "effect",
        }
    }
}

/// A judged difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Audited {
    /// The program and its version.
    pub tool: String,
    /// The day of judgement.
    pub as_of: Timestamp,
    /// The build that was known.
    pub base: Build,
    /// The build that was asked about.
    pub head: Build,
    /// The digest of the difference.
    pub diff_digest: String,
    /// The policy that judged.
    pub policy: Judge,
    /// The verdict.
    pub decision: String,
    /// The rules that decided, the weightiest first.
    pub reasons: Vec<Rule>,
    /// The exemptions that were used.
    pub exemptions: Vec<Waived>,
    /// The requirements that records of trials met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Met>,
    /// What changed.
    pub changes: Vec<Changed>,
}

/// One of two builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Build {
    /// As it was named.
    pub input: String,
    /// What kind of input it is.
    pub kind: String,
    /// The commit, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The digest of what was read.
    pub digest: String,
}

/// The policy that judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Judge {
    /// Its name.
    pub name: String,
    /// Where it was read, in words.
    pub read_from: String,
    /// Whether the head changes it.
    pub edited_by_change: bool,
}

/// A rule that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rule {
    /// Its id.
    pub rule: String,
    /// The change, where it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// What it decided.
    pub decision: String,
    /// Why, in words.
    pub because: String,
}

/// An exemption that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Waived {
    /// The change.
    pub change: String,
    /// Which rules, until when, why and by whom, in words.
    pub because: String,
    /// The rules that did not apply; empty in entries of earlier versions, as is
    /// all below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Why, as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The last day on which it applies, such as `2026-12-15`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The file and line it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// A requirement that a record of a trial met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Met {
    /// The rule that required a canary.
    pub rule: String,
    /// The change, where it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The record that met it.
    pub record: String,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Changed {
    /// Its id within the difference.
    pub id: String,
    /// The package.
    pub package: String,
    /// What kind of change it is.
    pub change: String,
    /// The releases before.
    pub from: Vec<Released>,
    /// The releases after.
    pub to: Vec<Released>,
    /// The update that forced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced_by: Option<String>,
    /// The risk score, 0 to 100.
    pub score: u8,
    /// What the policy made of it.
    pub decision: String,
    /// The incidents it was linked to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<String>,
}

/// One release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Released {
    /// The version.
    pub version: String,
    /// Where it comes from.
    pub source: String,
    /// SHA-256 of the archive, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// What came of an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EffectEntry {
    /// The effect; see [`Effect`](super::Effect).
    pub effect: String,
    /// The package.
    pub package: String,
    /// The version that had the effect.
    pub package_version: String,
    /// The entry of the audit that let it in.
    pub cause: String,
    /// The incident, where it has an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Anything else, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Where a version stands in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It came in.
    In,
    /// It went out.
    Out,
    /// It is on both sides.
    Stays,
    /// The entry is a trial or an effect of it.
    About,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::In, Self::Out, Self::Stays, Self::About];

    /// The word in the stored format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Stays => "stays",
            Self::About => "about",
        }
    }
}

/// One version of one package in one entry: what is asked for by package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The id of the entry.
    pub entry: String,
    /// When it was recorded, in microseconds since 1970.
    pub at: i64,
    /// The repository or service.
    pub repository: String,
    /// The kind of the entry.
    pub kind: String,
    /// The package.
    pub package: String,
    /// The version.
    pub version: String,
    /// Where it stands in the entry.
    pub step: String,
    /// The versions that went out when this one came in, apart by commas.
    pub before: String,
    /// The decision about this change, the outcome of the trial, or the effect.
    pub verdict: String,
    /// The risk score; `None` for a trial or an effect.
    pub score: Option<i64>,
}

/// Why a text is no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// It is not in the format.
    #[error("it is not an entry of a ledger: {0}")]
    Format(String),
    /// A newer program has written it.
    #[error("it has version {0} of the format, and this program reads version {FORMAT}")]
    Newer(u32),
    /// The text is not what the id says.
    #[error("its text was changed: it does not have the id {0}")]
    Changed(String),
    /// It has more bytes than are read.
    #[error("it is longer than {LARGEST} bytes")]
    TooLong,
}

/// An entry with its text and its id, which is the SHA-256 of the text in hex.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The id.
    pub id: String,
    /// The text, as it was first written.
    pub text: String,
    /// What it says.
    pub entry: Entry,
}

/// A line of a ledger in one file, and of an export.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    entry: &'a RawValue,
}

impl Stored {
    /// Gives an entry its text and its id.
    #[must_use]
    pub fn new(mut entry: Entry) -> Self {
        // Finer than this no database keeps it.
        let micros = entry.at.as_microsecond();
        entry.at = Timestamp::from_microsecond(micros).unwrap_or(entry.at);
        // Strings, numbers and lists always have a JSON form.
        let text = serde_json::to_string(&entry).unwrap_or_default();
        Self {
            id: id_of(&text),
            text,
            entry,
        }
    }

    /// Reads an entry, and holds its text against its id.
    ///
    /// # Errors
    /// When the text is no entry, is of a newer version, or was changed.
    pub fn read(id: &str, text: &str) -> Result<Self, EntryError> {
        if text.len() > LARGEST {
            return Err(EntryError::TooLong);
        }
        if id_of(text) != id {
            return Err(EntryError::Changed(id.chars().take(64).collect()));
        }
        let version = serde_json::from_str::<Versioned>(text)
            .map_err(|error| EntryError::Format(error.to_string()))?
            .version;
        if version > FORMAT {
            return Err(EntryError::Newer(version));
        }
        let entry =
            serde_json::from_str(text).map_err(|error| EntryError::Format(error.to_string()))?;
        Ok(Self {
            id: id.to_owned(),
            text: text.to_owned(),
            entry,
        })
    }

    /// Reads a line as [`Stored::line`] writes it.
    ///
    /// # Errors
    /// As [`Stored::read`].
    pub fn read_line(line: &str) -> Result<Self, EntryError> {
        if line.len() > LARGEST {
            return Err(EntryError::TooLong);
        }
        let Line { id, entry } =
            serde_json::from_str(line).map_err(|error| EntryError::Format(error.to_string()))?;
        Self::read(&id, entry.get())
    }

    /// The line for this entry, without the line's end.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{{\"id\":\"{}\",\"entry\":{}}}", self.id, self.text)
    }

    /// The kind of the entry.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.entry.body {
            Body::Audit(_) => Kind::Audit,
            Body::Evidence(_) => Kind::Evidence,
            Body::Rollout(_) => Kind::Rollout,
            Body::Effect(_) => Kind::Effect,
        }
    }

    /// The decision, the outcome, or the effect.
    #[must_use]
    pub fn verdict(&self) -> &str {
        match &self.entry.body {
            Body::Audit(audited) => &audited.decision,
            Body::Evidence(trial) | Body::Rollout(trial) => &trial.outcome,
            Body::Effect(effect) => &effect.effect,
        }
    }

    /// The rows under which the entry is found by package.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let row = |package: &str, version: &str, step: Step, verdict: &str| Row {
            entry: self.id.clone(),
            at: self.entry.at.as_microsecond(),
            repository: self.entry.repository.clone(),
            kind: self.kind().as_str().to_owned(),
            package: package.to_owned(),
            version: version.to_owned(),
            step: step.as_str().to_owned(),
            before: String::new(),
            verdict: verdict.to_owned(),
            score: None,
        };
        match &self.entry.body {
            Body::Audit(audited) => {
                let mut rows: Vec<Row> = Vec::new();
                for changed in &audited.changes {
                    let before = versions_only_in(&changed.from, &changed.to).join(", ");
                    for (release, step) in steps(changed) {
                        let known = rows.iter().any(|row| {
                            row.package == changed.package
                                && row.version == release
                                && row.step == step.as_str()
                        });
                        // Two sources of one version in one difference are one row.
                        if known {
                            continue;
                        }
                        rows.push(Row {
                            score: Some(i64::from(changed.score)),
                            before: if step == Step::In {
                                before.clone()
                            } else {
                                String::new()
                            },
                            ..row(&changed.package, release, step, &changed.decision)
                        });
                    }
                }
                rows
            }
            Body::Evidence(trial) | Body::Rollout(trial) => trial
                .tried()
                .into_iter()
                .map(|(package, version)| row(package, version, Step::About, &trial.outcome))
                .collect(),
            Body::Effect(effect) => vec![row(
                &effect.package,
                &effect.package_version,
                Step::About,
                &effect.effect,
            )],
        }
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

fn versions_only_in<'a>(side: &'a [Released], other: &[Released]) -> Vec<&'a str> {
    side.iter()
        .filter(|release| !other.contains(release))
        .map(|release| release.version.as_str())
        .collect()
}

/// Each release of a change, and where it stands.
fn steps(changed: &Changed) -> Vec<(&str, Step)> {
    let mut steps: Vec<(&str, Step)> = Vec::new();
    for release in &changed.to {
        let step = if changed.from.contains(release) {
            Step::Stays
        } else {
            Step::In
        };
        steps.push((&release.version, step));
    }
    for version in versions_only_in(&changed.from, &changed.to) {
        steps.push((version, Step::Out));
    }
    steps
}

/// SHA-256 of a text in hex.
fn id_of(text: &str) -> String {
    let mut id = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        // Writing into a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}
