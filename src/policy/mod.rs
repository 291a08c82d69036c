//! The policy file, checked as a whole, and what it makes of an assessment.
//! Pure: the file's content is handed in.
//!
//! Imports: pkg, facts, snapshot, diff, incidents, risk.

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
}
