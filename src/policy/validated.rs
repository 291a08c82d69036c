//! A policy that was checked as a whole. Nothing here is optional in the sense
//! of "decided later".

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::facts::{FactKind, Gap};
use crate::snapshot::BuildSettings;

use super::check::Scope;
use super::condition::Condition;
use super::exempt::Exemption;
use super::file::GapKey;
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
    pub(super) rules: Vec<Rule>,
    pub(super) exemptions: Vec<Exemption>,
    pub(super) canary: CanaryTerms,
    /// Every variable that a rule reads, by place in the table.
    pub(super) reads: BTreeSet<usize>,
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

/// What a canary must be like to count.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CanaryTerms {
    /// How long it has to run at least.
    pub min_duration: Option<Duration>,
    /// The path of the list of signers whose evidence is accepted.
    pub signers: Option<String>,
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
