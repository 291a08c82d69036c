//! The policy file, checked as a whole, and what it makes of an assessment.
//! Pure: the file's content is handed in.
//!
//! Imports: pkg, facts, snapshot, diff, incidents, ledger, risk.

mod around;
mod cases;
mod check;
mod condition;
mod cooldown;
mod decide;
mod discharge;
mod exempt;
mod file;
mod load;
mod nearest;
mod problem;
mod provenance;
mod ratchet;
mod schema;
mod start;
mod template;
mod validated;
mod variables;
mod vet;
mod waived;
mod way_out;

use crate::diff::Change;
use crate::facts::Dossier;
use crate::incidents::Link;
use crate::risk::Assessment;

pub use around::{Around, Present};
pub use cases::{CaseOutcome, Cases, CasesOutcome, built_in_cases};
pub use cooldown::{CargoWaits, Wait};
pub use decide::{decide, decide_among};
pub use discharge::Discharged;
pub use exempt::Exemption;
pub use load::{Resolve, built_in_text, load};
pub use nearest::nearest;
pub use problem::{PolicyError, Problem, RenderStyle};
pub use provenance::{LayerKind, Provenance};
pub use ratchet::{Baseline, Novelty, RatchetKind, RatchetNews};
pub use schema::{cases_schema, schema};
pub use start::{DenyError, Surroundings, starting_policy};
pub use validated::{Acceptance, CanaryTerms, EvidenceKind, LedgerTerms, Policy, Thresholds};
pub use variables::reference;
pub use vet::{Vet, Vetted};
pub use way_out::{against_going_back, exemption_lines};

/// The id under which the canary threshold of the score gives its reason.
pub const RISK_CANARY: &str = "risk-canary";
/// The id under which the block threshold of the score gives its reason.
pub const RISK_BLOCK: &str = "risk-block";
/// The id under which `[cooldown]` gives its reason.
pub const MIN_PUBLISH_AGE: &str = "min-publish-age";

/// One change with all that is known and thought about it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The change.
    pub change: &'a Change,
    /// Its facts.
    pub dossier: &'a Dossier,
    /// Incidents that it resembles.
    pub links: &'a [Link],
    /// What the risk model makes of it.
    pub assessment: &'a Assessment,
}

/// What a rule does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// A notice; decides nothing.
    Warn,
    /// A canary is needed.
    Canary,
    /// The verdict is incomplete.
    Incomplete,
    /// Forbidden.
    Block,
}

impl Effect {
    /// The decision it makes; `None` for a notice.
    #[must_use]
    pub fn decision(self) -> Option<Decision> {
        match self {
            Self::Warn => None,
            Self::Canary => Some(Decision::Canary),
            Self::Incomplete => Some(Decision::Incomplete),
            Self::Block => Some(Decision::Block),
        }
    }
}

/// What a missing fact does where a rule depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapSetting {
    /// Nothing: the rule is taken not to apply, and nothing is said here. The
    /// gap itself is still in the report.
    Pass,
    /// A notice.
    Warn,
    /// A canary is needed.
    Canary,
    /// The verdict is incomplete.
    Incomplete,
    /// Forbidden.
    Block,
}

impl GapSetting {
    /// The effect it has; `None` for none.
    #[must_use]
    pub fn effect(self) -> Option<Effect> {
        match self {
            Self::Pass => None,
            Self::Warn => Some(Effect::Warn),
            Self::Canary => Some(Effect::Canary),
            Self::Incomplete => Some(Effect::Incomplete),
            Self::Block => Some(Effect::Block),
        }
    }
}

/// What may happen with a change, or with all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Allowed; warnings may be shown.
    Pass,
    /// Allowed only with a canary rollout.
    Canary,
    /// A fact that the policy requires could not be had.
    Incomplete,
    /// Forbidden.
    Block,
}

impl Decision {
    /// The name used in reports and policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Canary => "canary",
            Self::Incomplete => "incomplete",
            Self::Block => "block",
        }
    }
}

/// Why the verdict is not plainly a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The rule's id.
    pub rule: String,
    /// The change's id; `None` when the reason concerns the whole difference.
    pub change: Option<String>,
    /// What the rule makes of it.
    pub decision: Decision,
    /// Why, in words.
    pub because: String,
    /// The shortest way out, such as a date to wait for or a command to run.
    pub way_out: Option<String>,
}

/// Something that the reader should know and that decides nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The rule's id, or the name of the check that speaks.
    pub rule: String,
    /// The change's id, where it concerns one.
    pub change: Option<String>,
    /// What, in words.
    pub text: String,
}

/// What the policy makes of the whole difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The highest decision of all reasons.
    pub decision: Decision,
    /// The reasons, the highest decision first, then by risk, then by change and rule.
    pub reasons: Vec<Reason>,
    /// Warnings, exemptions that were used, expired or match nothing.
    pub notices: Vec<Notice>,
    /// The decision for each change, by place in the list of changes.
    pub by_change: Vec<Decision>,
    /// The exemptions that were used, by change and place.
    pub exempted: Vec<Exempted>,
}

/// An exemption that was used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exempted {
    /// The change's id.
    pub change: String,
    /// The rules that did not apply.
    pub rules: Vec<String>,
    /// Why, as it is written.
    pub reason: String,
    /// Who answers for it.
    pub by: Option<String>,
    /// The last day on which it applies.
    pub until: jiff::civil::Date,
    /// The file and line it was read from.
    pub origin: String,
    /// All of it in words.
    pub text: String,
}
