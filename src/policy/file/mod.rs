//! The policy file as it is written: every key with its place, nothing decided
//! yet. All problems of a file are collected, not only the first.

mod canary;
mod cooldown;
mod tables;
pub(super) mod values;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use toml::de::DeTable;

use crate::facts::{FactKind, GapReason};
use crate::snapshot::FeatureChoice;

use super::exempt::Versions;
use super::problem::{Problem, SourceFile};
use super::validated::EvidenceKind;
use super::{Effect, GapSetting};

/// The largest policy file, in bytes.
pub(super) const LARGEST: usize = 1 << 20;

pub(super) use tables::{EFFECTS, LATER, REASONS, SETTINGS};

/// A value with its place in the file, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct At<T> {
    /// The value.
    pub(super) value: T,
    /// Where it stands.
    pub(super) span: Range<usize>,
}

/// A threshold of the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threshold {
    /// From this score on.
    From(u8),
    /// At no score.
    Never,
}

/// What a key of `[gaps]` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GapKey {
    /// Every kind without a key of its own.
    Default,
    /// One kind of fact.
    Kind(FactKind),
    /// One reason, whatever the kind.
    Reason(GapReason),
    /// A kind of fact that is not gathered yet; the key is accepted, so that a
    /// policy can be written ahead.
    Later,
}

/// One `[[rule]]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawRule {
    pub(super) id: At<String>,
    pub(super) when: Option<At<String>>,
    pub(super) then: Option<Effect>,
    pub(super) reason: Option<At<String>>,
    pub(super) enabled: Option<bool>,
    pub(super) difference: Option<bool>,
    pub(super) wait_days: Option<f64>,
    pub(super) summarises: Option<Vec<At<String>>>,
}

/// How long releases wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Days {
    /// As long as Cargo is set to.
    Cargo,
    /// Not at all.
    Never,
    /// So many days.
    Of(f64),
}

/// What one file says of waiting.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct RawCooldown {
    pub(super) days: Option<Days>,
    pub(super) then: Option<Effect>,
    pub(super) first_party: Option<Vec<String>>,
    pub(super) fixes_wait: Option<bool>,
    pub(super) packages: Vec<(String, f64)>,
}

/// One `[[exempt]]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawExemption {
    pub(super) package: At<String>,
    pub(super) version: String,
    pub(super) versions: Versions,
    pub(super) rules: Vec<At<String>>,
    pub(super) reason: String,
    pub(super) by: Option<String>,
    pub(super) until: Date,
}

/// One `[[canary.accept]]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawAcceptance {
    pub(super) kinds: Vec<EvidenceKind>,
    pub(super) rules: Option<Vec<At<String>>>,
    pub(super) signers: Option<Vec<String>>,
    pub(super) min_duration: Option<Duration>,
    pub(super) max_age: Option<Duration>,
}

/// One policy file.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) file: Arc<SourceFile>,
    pub(super) extends: Option<At<String>>,
    pub(super) targets: Option<Vec<String>>,
    pub(super) features: Option<FeatureChoice>,
    pub(super) canary: Option<At<Threshold>>,
    pub(super) block: Option<At<Threshold>>,
    pub(super) gaps: Vec<(GapKey, GapSetting)>,
    pub(super) cooldown: RawCooldown,
    pub(super) ratchet: Option<Effect>,
    pub(super) expired: Option<Effect>,
    pub(super) unused: Option<Effect>,
    pub(super) rules: Vec<RawRule>,
    pub(super) exemptions: Vec<RawExemption>,
    pub(super) min_duration: Option<Duration>,
    pub(super) max_age: Option<Duration>,
    pub(super) signers: Option<String>,
    pub(super) location: Option<String>,
    pub(super) acceptances: Vec<RawAcceptance>,
    pub(super) ledger_url: Option<String>,
    pub(super) ledger_name: Option<String>,
}

impl Layer {
    /// Reads one file. What could be read is returned beside the problems.
    pub(super) fn read(path: &str, text: &str) -> (Self, Vec<Problem>) {
        let file = Arc::new(SourceFile::new(path, text));
        let mut layer = Self::empty(Arc::clone(&file));
        if text.len() > LARGEST {
            let label = format!(
                "a policy has at most {LARGEST} bytes; this one has {}",
                text.len()
            );
            return (layer, vec![Problem::new(&file, 0..0, "policy file", label)]);
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let problems = errors.iter().map(|error| {
                let span = error.span().unwrap_or(0..0);
                let said = error.message().replace('\n', ", ");
                Problem::new(&file, span, "the file is not TOML", said)
            });
            return (layer, problems.collect());
        }
        let mut reader = values::Reader::new(&file);
        layer.fill(&mut reader, root.get_ref());
        let problems = reader.into_problems();
        (layer, problems)
    }

    fn empty(file: Arc<SourceFile>) -> Self {
        Self {
            file,
            extends: None,
            targets: None,
            features: None,
            canary: None,
            block: None,
            gaps: Vec::new(),
            cooldown: RawCooldown::default(),
            ratchet: None,
            expired: None,
            unused: None,
            rules: Vec::new(),
            exemptions: Vec::new(),
            min_duration: None,
            max_age: None,
            signers: None,
            location: None,
            acceptances: Vec::new(),
            ledger_url: None,
            ledger_name: None,
        }
    }
}
