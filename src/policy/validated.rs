//! A policy that was checked as a whole. Nothing here is optional in the sense
//! of "decided later".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::facts::{FactKind, Gap};
use crate::pkg::Source;
use crate::snapshot::BuildSettings;

use super::check::Scope;
use super::condition::Condition;
use super::cooldown::{CargoWaits, Cooldown, Wait};
use super::exempt::Exemption;
use super::file::GapKey;
use super::problem::SourceFile;
use super::provenance::{self, Provenance};
use super::template::Template;
use super::{Effect, GapSetting};

/// A policy that was checked as a whole.
#[derive(Debug)]
pub struct Policy {
    pub(super) name: String,
    pub(super) layers: Vec<String>,
    pub(super) build: BuildSettings,
    pub(super) risk: Thresholds,
    pub(super) gaps: Gaps,
    pub(super) cooldown: Cooldown,
    /// What something new that the base's record does not have does.
    pub(super) ratchet: Effect,
    pub(super) stale: Stale,
    /// The files, in the order of `layers`.
    pub(super) files: Vec<Arc<SourceFile>>,
    pub(super) rules: Vec<Rule>,
    pub(super) exemptions: Vec<Exemption>,
    pub(super) canary: CanaryTerms,
    pub(super) ledger: LedgerTerms,
    /// Every variable that a rule reads, by place in the table.
    pub(super) reads: BTreeSet<usize>,
}

/// What exemptions do that are of no use any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stale {
    /// Those that have expired.
    pub(super) expired: Effect,
    /// Those that match nothing.
    pub(super) unused: Effect,
}

impl Default for Stale {
    fn default() -> Self {
        Self {
            expired: Effect::Warn,
            unused: Effect::Warn,
        }
    }
}

impl Policy {
    /// What it is called: a path, or the name of a built-in policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The files and built-in policies it is made of, the first one lowest.
    #[must_use]
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// The builds that are shipped.
    #[must_use]
    pub fn build(&self) -> &BuildSettings {
        &self.build
    }

    /// The scores from which a change needs a canary or is blocked.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        self.risk
    }

    /// What a canary must be like to count.
    #[must_use]
    pub fn canary(&self) -> &CanaryTerms {
        &self.canary
    }

    /// Where verdicts are recorded.
    #[must_use]
    pub fn ledger(&self) -> &LedgerTerms {
        &self.ledger
    }

    /// The exemptions of all layers, in the order of the layers.
    #[must_use]
    pub fn exemptions(&self) -> &[Exemption] {
        &self.exemptions
    }

    /// The rules that are in force: id, and file and line, in order.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules
            .iter()
            .map(|rule| (rule.id.as_str(), rule.origin.as_str()))
    }

    /// Takes what Cargo is set to wait as the default of `[cooldown]`.
    #[must_use]
    pub fn with_cargo_waits(mut self, waits: CargoWaits) -> Self {
        self.cooldown.cargo = waits;
        self
    }

    /// How long releases of a package have to wait; `None` for not at all.
    #[must_use]
    pub fn wait(&self, package: &str, source: &Source) -> Option<Wait> {
        self.cooldown.of_package(package, source)
    }

    /// Where each value comes from, by key, and each rule.
    #[must_use]
    pub fn provenance(&self) -> Vec<Provenance> {
        provenance::of(self.files.iter().map(|file| &**file))
    }

    /// What follows from one gap.
    #[must_use]
    pub fn on_gap(&self, gap: &Gap) -> GapSetting {
        self.gaps.setting(gap.fact, Some(gap))
    }
}

/// Scores, 1 to 100; `None` for never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Thresholds {
    /// From this score on a change needs a canary.
    pub canary: Option<u8>,
    /// From this score on a change is blocked.
    pub block: Option<u8>,
}

/// What a record of a trial can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKind {
    /// The result of `probe`.
    Probe,
    /// The result of `rollout judge`.
    Rollout,
    /// The word of a person.
    Approval,
    /// The report of `check`, under whatever policy it was made.
    Audit,
}

impl EvidenceKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Probe, Self::Rollout, Self::Approval, Self::Audit];

    /// The name used in policies and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Rollout => "rollout",
            Self::Approval => "approval",
            Self::Audit => "audit",
        }
    }

    /// Whether it is a trial, which takes time.
    #[must_use]
    pub fn is_trial(self) -> bool {
        match self {
            Self::Probe | Self::Rollout => true,
            Self::Approval | Self::Audit => false,
        }
    }
}

/// What evidence must be like to take the place of a canary.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CanaryTerms {
    /// How long a trial has to run at least.
    pub min_duration: Option<Duration>,
    /// How long after a trial its record still counts.
    pub max_age: Option<Duration>,
    /// The path of the list of signers whose evidence is accepted.
    pub signers: Option<String>,
    /// The policy file that names it; the path is one beside that file.
    pub signers_named_in: Option<String>,
    /// The address below which records are looked up, besides the repository.
    pub location: Option<String>,
    /// Which evidence is accepted; where nothing is said, trials and approvals
    /// by everyone in the list of signers, for every rule.
    pub accept: Vec<Acceptance>,
}

/// Which evidence discharges which rules.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Acceptance {
    /// What kinds of evidence.
    pub kinds: BTreeSet<EvidenceKind>,
    /// For which rules; `None` for all.
    pub rules: Option<BTreeSet<String>>,
    /// Patterns of the signers' names; `None` for everyone in the list.
    pub signers: Option<Vec<String>>,
    /// In the place of the general one.
    pub min_duration: Option<Duration>,
    /// In the place of the general one.
    pub max_age: Option<Duration>,
}

/// Where verdicts are recorded, and under which name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LedgerTerms {
    /// The place, as it is written; it names a known kind of ledger and holds no
    /// password. Relative paths stand below the repository.
    pub url: Option<String>,
    /// What the repository is called in the ledger.
    pub name: Option<String>,
}

/// What a missing fact does, by kind and by reason.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Gaps {
    settings: BTreeMap<GapKey, GapSetting>,
}

impl Gaps {
    /// Takes over the keys of a later layer.
    pub(super) fn extend(&mut self, settings: &[(GapKey, GapSetting)]) {
        self.settings.extend(settings.iter().copied());
    }

    /// What follows from a missing fact: what is set for the reason, else for
    /// the kind, else for every kind; `incomplete` where nothing is set.
    pub(super) fn setting(&self, fact: FactKind, gap: Option<&Gap>) -> GapSetting {
        gap.and_then(|gap| self.settings.get(&GapKey::Reason(gap.reason)))
            .or_else(|| self.settings.get(&GapKey::Kind(fact)))
            .or_else(|| self.settings.get(&GapKey::Default))
            .copied()
            .unwrap_or(GapSetting::Incomplete)
    }
}

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) then: Effect,
    pub(super) reason: Template,
    pub(super) scope: Scope,
    /// Days after the publication from which it no longer applies.
    pub(super) wait_days: Option<f64>,
    /// Rules whose findings it stands for when it applies.
    pub(super) summarises: Vec<String>,
    pub(super) condition: Condition,
    /// The file and line it was read from.
    pub(super) origin: String,
}
