//! Cases beside a policy: made-up changes, and what the policy has to make of
//! them. A case states variables by name; everything that it does not state is
//! that of an ordinary update.

mod made;
mod outcome;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::around::{Around, Given};
use super::decide::judge;
use super::file::At;
use super::problem::SourceFile;
use super::validated::Policy;
use super::{Decision, PolicyError, Subject};

use made::Made;

pub use outcome::{CaseOutcome, CasesOutcome};

/// The cases of the built-in policies.
const BUILT_IN: [(&str, &str); 2] = [
    (
        "default",
        include_str!("../../../policies/tests/default.toml"),
    ),
    (
        "strict",
        include_str!("../../../policies/tests/strict.toml"),
    ),
];

/// The text of the cases that come with a built-in policy.
#[must_use]
pub fn built_in_cases(name: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// A file of cases that was read.
#[derive(Debug)]
pub struct Cases {
    file: Arc<SourceFile>,
    as_of: Date,
    cases: Vec<Case>,
}

/// One case.
#[derive(Debug)]
struct Case {
    name: At<String>,
    changes: Vec<Made>,
    /// Variables of the whole difference that are stated, by place in the table.
    totals: Given<'static>,
    expected: Expected,
}

/// What the policy has to make of a case.
#[derive(Debug)]
struct Expected {
    decision: Decision,
    /// The rules that give reasons; not looked at when it is not stated.
    rules: Option<BTreeSet<String>>,
    /// The rules that give notices; not looked at when it is not stated.
    notices: Option<BTreeSet<String>>,
    /// Words that one of the ways out has to have.
    way_out: Option<String>,
}

impl Cases {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// When anything in it is wrong; all problems are named with their places.
    pub fn read(text: &str, path: &str) -> Result<Self, PolicyError> {
        read::read(text, path)
    }

    /// How many cases there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.cases.len()
    }

    /// Judges every case by a policy.
    #[must_use]
    pub fn run(&self, policy: &Policy) -> CasesOutcome {
        let mut spoke = BTreeSet::new();
        let cases = self
            .cases
            .iter()
            .map(|case| self.judge(case, policy, &mut spoke))
            .collect();
        let known: BTreeSet<&str> = policy.rules().map(|(id, _)| id).collect();
        CasesOutcome {
            cases,
            silent: known
                .into_iter()
                .filter(|id| !spoke.contains(*id))
                .map(str::to_owned)
                .collect(),
        }
    }

    fn judge(&self, case: &Case, policy: &Policy, spoke: &mut BTreeSet<String>) -> CaseOutcome {
        let subjects: Vec<Subject<'_>> = case.changes.iter().map(Made::subject).collect();
        let given: Vec<Given<'_>> = case.changes.iter().map(Made::given).collect();
        let verdict = judge(
            policy,
            &subjects,
            &given,
            &case.totals,
            &Around::default(),
            self.as_of,
        );
        spoke.extend(verdict.reasons.iter().map(|reason| reason.rule.clone()));
        spoke.extend(verdict.notices.iter().map(|notice| notice.rule.clone()));
        let line = self.file.line(case.name.span.start);
        outcome::compare(
            &case.name.value,
            format!("{}:{line}", self.file.path),
            &case.expected,
            &verdict,
        )
    }
}

/// The variables that a case states over those of the made-up change, by place.
type Stated = BTreeMap<usize, super::variables::Reading<'static>>;
