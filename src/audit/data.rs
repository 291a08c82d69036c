//! What a finished audit is made of.

use jiff::Timestamp;

use crate::diff::{Change, GraphDiff};
use crate::facts::{AdvisoryFact, Dossier, Gap};
use crate::host::Work;
use crate::incidents::Link;
use crate::pkg::PackageId;
use crate::policy::{Decision, LedgerTerms, Verdict};
use crate::risk::Assessment;
use crate::snapshot::{GraphKind, Input, NotCovered};

use super::evidence::EvidenceFound;

/// One of the two builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Which build it is.
    pub input: Input,
    /// How many packages its lock files hold, local ones not counted.
    pub packages: usize,
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The workspaces of both sides, sorted.
    pub workspaces: Vec<String>,
    /// What was found and left out, with the reason, sorted.
    pub not_covered: Vec<NotCovered>,
    /// How the graph was built; the coarsest way when the workspaces differ.
    pub graph: GraphKind,
}

/// Two builds compared, without judgement.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The day of judgement.
    pub as_of: Timestamp,
    /// The build that is known.
    pub base: Side,
    /// The build that is asked about.
    pub head: Side,
    /// What changed.
    pub diff: GraphDiff,
    /// What was looked at.
    pub coverage: Coverage,
    /// What could not be learnt about the graph, by package where it concerns
    /// one, sorted.
    pub gaps: Vec<(Option<PackageId>, Gap)>,
}

/// One change with all that is known and thought about it.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedChange {
    /// The change.
    pub change: Change,
    /// Its facts.
    pub dossier: Dossier,
    /// Incidents that it resembles.
    pub links: Vec<Link>,
    /// What the risk model makes of it.
    pub assessment: Assessment,
    /// What the policy makes of it.
    pub decision: Decision,
}

/// A package that is in both builds and is withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WithdrawnPackage {
    /// The package.
    pub id: PackageId,
}

/// What was there before this difference: reported, and not judged.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PreExisting {
    /// Advisories that apply to packages of both builds, by package and id.
    pub advisories: Vec<AdvisoryFact>,
    /// Withdrawn packages of both builds.
    pub yanked: Vec<WithdrawnPackage>,
    /// Whether the withdrawal of unchanged packages was looked at.
    pub yanked_looked_at: bool,
}

/// Which policy judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyOrigin {
    /// What it is called: a path, or the name of a built-in policy.
    pub name: String,
    /// Where it was read from, in words.
    pub read_from: String,
    /// Whether the head has another policy file than the base.
    pub edited_by_change: bool,
    /// Where it has verdicts recorded.
    pub ledger: LedgerTerms,
}

/// How old the data is that the judgement rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataStatus {
    /// Where the advisories are from, in words.
    pub advisories_from: String,
    /// The day of the advisory snapshot.
    pub advisories_of: jiff::civil::Date,
    /// How many advisories it holds.
    pub advisories: usize,
    /// The time of the oldest index entry that was used for publish times and
    /// withdrawals; `None` when none was needed or had.
    pub index_of: Option<Timestamp>,
}

/// A finished audit.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// The two builds compared.
    pub comparison: Comparison,
    /// The changes with all that is known about them, in the order of the comparison.
    pub changes: Vec<JudgedChange>,
    /// The verdict.
    pub verdict: Verdict,
    /// What evidence did for the verdict.
    pub evidence: EvidenceFound,
    /// What was there before.
    pub pre_existing: PreExisting,
    /// Which policy judged.
    pub policy: PolicyOrigin,
    /// How old the data is.
    pub data: DataStatus,
    /// How much work it took.
    pub work: Work,
}

impl Audit {
    /// The changes by risk: decision first, then score, then id.
    #[must_use]
    pub fn ranked(&self) -> Vec<&JudgedChange> {
        let mut ranked: Vec<&JudgedChange> = self.changes.iter().collect();
        ranked.sort_by(|a, b| {
            (b.decision, b.assessment.score)
                .cmp(&(a.decision, a.assessment.score))
                .then_with(|| a.change.id.cmp(&b.change.id))
        });
        ranked
    }

    /// Every gap of the audit with the change it concerns, sorted.
    #[must_use]
    pub fn gaps(&self) -> Vec<(Option<&str>, Gap)> {
        let mut gaps: Vec<(Option<&str>, Gap)> = self
            .changes
            .iter()
            .flat_map(|judged| {
                let id = judged.change.id.as_str();
                judged
                    .dossier
                    .gaps()
                    .into_iter()
                    .map(move |gap| (Some(id), gap))
            })
            .chain(
                self.comparison
                    .gaps
                    .iter()
                    .filter(|(package, _)| package.is_none())
                    .map(|(_, gap)| (None, gap.clone())),
            )
            .collect();
        gaps.sort();
        gaps.dedup();
        gaps
    }
}
