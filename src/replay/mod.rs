//! The repository's own history of lock changes through a policy: what it
//! would have stopped, so that a rule can be tuned before it is turned on. Each
//! change is judged by the same code as `check`, as of the time of its commit.
//! Reads git objects; checks nothing out.
//!
//! Imports: host, facts, snapshot, policy, audit.

mod history;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use rayon::prelude::*;

use crate::audit::{self, Audit, AuditError, Known, PolicyChoice};
use crate::facts::{FactKind, GapReason};
use crate::host::{Host, with_causes};
use crate::policy::{Decision, Policy, Reason};
use crate::snapshot::tree::GitError;
use crate::snapshot::{BuildName, LoadError};
use history::Step;

/// Where a working tree keeps its policy.
const POLICY_FILE: &str = "canary.toml";
/// How many reasons of one lock change are kept; all are counted.
const REASONS: usize = 20;

/// What is replayed.
#[derive(Clone, Debug)]
pub struct Request {
    /// How each lock change is audited; its builds and its day are set anew for
    /// each. Without a policy the working tree's judges, else the built-in one:
    /// to try a policy that is not merged yet is what this is for.
    pub audit: audit::Request,
    /// The revision whose first parents are looked at.
    pub revision: String,
    /// At most so many lock changes, the newest ones.
    pub limit: usize,
}

/// Why there is no replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The revision cannot be read.
    #[error("failed to read the revision")]
    Revision(#[source] Box<LoadError>),
    /// Git gives no answer.
    #[error("failed to read the history")]
    Git(#[from] GitError),
    /// The policy or the incidents of the working tree cannot be used.
    #[error("nothing can be judged")]
    Judge(#[from] AuditError),
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Lock changes that are done.
    pub done: usize,
    /// All that are replayed.
    pub all: usize,
}

/// One lock change of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockChange {
    /// The commit's id.
    pub commit: String,
    /// When it was committed.
    pub time: Timestamp,
    /// The first paragraph of its message. The text is a stranger's.
    pub subject: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What a policy makes of a lock change of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was judged.
    Judged(Judgement),
    /// It could not be read, and why.
    NotJudged(String),
}

/// A verdict of hindsight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub decision: Decision,
    /// Why, as in the verdict; the first ones.
    pub reasons: Vec<Reason>,
    /// How many reasons there are.
    pub all_reasons: usize,
    /// How many changes of packages there are, by what the policy makes of them.
    pub changes: BTreeMap<Decision, usize>,
    /// By rule: how many reasons it gave.
    pub rules: BTreeMap<String, usize>,
    /// The rules that gave a notice, and exemptions that spoke.
    pub notices: BTreeSet<String>,
    /// Facts that could not be had: how many of each kind, for each reason.
    pub gaps: BTreeMap<(FactKind, GapReason), usize>,
    /// Whether signed evidence took the place of a canary.
    pub discharged: bool,
}

/// How often a rule spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RuleCount {
    /// Lock changes that it stopped.
    pub stopped: usize,
    /// Lock changes that no other rule stopped.
    pub alone: usize,
    /// Reasons that it gave: changes of packages, over all lock changes.
    pub reasons: usize,
    /// Lock changes for which it gave a notice only.
    pub noticed: usize,
}

/// A finished replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The policy: its name, and where it was read from, in words.
    pub policy: (String, String),
    /// The revision as it was named, and its commit.
    pub revision: (String, String),
    /// How many commits were looked at.
    pub commits: usize,
    /// At most how many lock changes were asked for.
    pub limit: usize,
    /// Whether the clone's history is cut off.
    pub shallow: bool,
    /// The lock changes, newest first.
    pub lock_changes: Vec<LockChange>,
    /// The rules that spoke, by id.
    pub rules: BTreeMap<String, RuleCount>,
    /// The rules of the policy that never did, in the order of the policy.
    pub silent: Vec<String>,
    /// The day of the advisory snapshot.
    pub advisories_of: jiff::civil::Date,
    /// The time of the oldest index entry that was used, where one was.
    pub index_of: Option<Timestamp>,
}

impl Replay {
    /// The lock changes that were judged, newest first.
    pub fn judged(&self) -> impl Iterator<Item = (&LockChange, &Judgement)> {
        self.lock_changes.iter().filter_map(|it| match &it.outcome {
            Outcome::Judged(judgement) => Some((it, judgement)),
            Outcome::NotJudged(_) => None,
        })
    }

    /// The lock changes that could not be read, with the reason, newest first.
    pub fn not_judged(&self) -> impl Iterator<Item = (&LockChange, &str)> {
        self.lock_changes.iter().filter_map(|it| match &it.outcome {
            Outcome::Judged(_) => None,
            Outcome::NotJudged(reason) => Some((it, reason.as_str())),
        })
    }

    /// How many lock changes have this verdict.
    #[must_use]
    pub fn with(&self, decision: Decision) -> usize {
        self.judged()
            .filter(|(_, judgement)| judgement.decision == decision)
            .count()
    }

    /// How many changes of packages have this decision, over all lock changes.
    #[must_use]
    pub fn changes_with(&self, decision: Decision) -> usize {
        self.judged()
            .filter_map(|(_, judgement)| judgement.changes.get(&decision))
            .sum()
    }

    /// Facts that could not be had: in how many lock changes, and how often.
    #[must_use]
    pub fn gaps(&self) -> BTreeMap<(FactKind, GapReason), (usize, usize)> {
        let mut all: BTreeMap<_, (usize, usize)> = BTreeMap::new();
        for (_, judgement) in self.judged() {
            for (gap, count) in &judgement.gaps {
                let entry = all.entry(*gap).or_default();
                entry.0 += 1;
                entry.1 += count;
            }
        }
        all
    }
}

/// Replays the history of a repository.
///
/// # Errors
/// When the history, the policy or the working tree's incidents cannot be read.
/// A lock change that cannot be audited is no error: it is in the result.
pub fn replay(
    request: &Request,
    host: &Host,
    on_progress: &(dyn Fn(Progress) + Sync),
) -> Result<Replay, ReplayError> {
    let (request, name) = with_policy(request, host);
    let policy = policy_of(&request.audit, host)?;
    let known = Known::of_worktree(&request.audit, host)?;
    let repository = &request.audit.repository;
    let past = history::read(&request.revision, request.limit, repository, host)?;
    let done = AtomicUsize::new(0);
    let all = past.steps.len();
    on_progress(Progress { done: 0, all });
    let audited: Vec<(LockChange, Option<Timestamp>)> = past
        .steps
        .par_iter()
        .map(|step| {
            let audited = one(&request.audit, step, &known, host);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            on_progress(Progress { done, all });
            audited
        })
        .collect();
    let index_of = audited.iter().filter_map(|(_, at)| *at).min();
    let lock_changes: Vec<LockChange> = audited.into_iter().map(|(it, _)| it).collect();
    let rules = by_rule(&lock_changes);
    let silent = policy
        .rules()
        .map(|(id, _)| id.to_owned())
        .filter(|id| !rules.contains_key(id))
        .collect();
    Ok(Replay {
        policy: name,
        revision: (request.revision.clone(), past.tip),
        commits: past.commits,
        limit: request.limit,
        shallow: past.shallow,
        lock_changes,
        rules,
        silent,
        advisories_of: known.advisories.snapshot_date(),
        index_of,
    })
}

/// The policy that is named, else the working tree's, else the built-in one.
fn with_policy(request: &Request, host: &Host) -> (Request, (String, String)) {
    let mut request = request.clone();
    let audit = &mut request.audit;
    let (choice, from) = match audit.policy.take() {
        Some(choice) => (choice, "given on the command line"),
        None => {
            let file = audit::repository_root(&audit.repository, host).join(POLICY_FILE);
            if host.files.kind(&file).is_ok() {
                (PolicyChoice::File(file), "of the working tree")
            } else {
                (PolicyChoice::BuiltIn("default".to_owned()), "built in")
            }
        }
    };
    let name = match &choice {
        PolicyChoice::BuiltIn(name) => (name.clone(), "built in"),
        PolicyChoice::File(_) if from == "of the working tree" => (POLICY_FILE.to_owned(), from),
        PolicyChoice::File(file) => (file.display().to_string(), from),
    };
    audit.policy = Some(choice);
    (request, (name.0, name.1.to_owned()))
}

/// The policy alone, so that one that is not valid is an error at once.
fn policy_of(request: &audit::Request, host: &Host) -> Result<Policy, AuditError> {
    match &request.policy {
        Some(PolicyChoice::File(path)) => audit::read_policy(path, host),
        Some(PolicyChoice::BuiltIn(name)) if crate::policy::built_in_text(name).is_none() => {
            Err(AuditError::NoBuiltIn { name: name.clone() })
        }
        Some(PolicyChoice::BuiltIn(name)) => Policy::built_in(name).map_err(AuditError::Policy),
        None => Policy::built_in("default").map_err(AuditError::Policy),
    }
}

/// One lock change, and the age of the data that it was judged by.
fn one(
    request: &audit::Request,
    step: &Step,
    known: &Known,
    host: &Host,
) -> (LockChange, Option<Timestamp>) {
    let request = audit::Request {
        base: BuildName::Named(format!("git:{}", step.parent)),
        head: BuildName::Named(format!("git:{}", step.commit)),
        as_of: Some(step.time),
        ..request.clone()
    };
    let (outcome, index_of) = match audit::run_knowing(&request, host, known, &|_| ()) {
        Ok(audit) => (Outcome::Judged(judgement(&audit)), audit.data.index_of),
        Err(error) => (Outcome::NotJudged(with_causes(&error)), None),
    };
    let change = LockChange {
        commit: step.commit.clone(),
        time: step.time,
        subject: step.subject.clone(),
        outcome,
    };
    (change, index_of)
}

fn judgement(audit: &Audit) -> Judgement {
    let verdict = &audit.verdict;
    let mut rules = BTreeMap::new();
    for reason in &verdict.reasons {
        *rules.entry(reason.rule.clone()).or_default() += 1;
    }
    let mut changes = BTreeMap::new();
    for judged in &audit.changes {
        *changes.entry(judged.decision).or_default() += 1;
    }
    let mut gaps = BTreeMap::new();
    for (_, gap) in audit.gaps() {
        *gaps.entry((gap.fact, gap.reason)).or_default() += 1;
    }
    Judgement {
        decision: verdict.decision,
        reasons: verdict.reasons.iter().take(REASONS).cloned().collect(),
        all_reasons: verdict.reasons.len(),
        changes,
        rules,
        notices: verdict.notices.iter().map(|it| it.rule.clone()).collect(),
        gaps,
        discharged: !audit.evidence.discharged.is_empty(),
    }
}

fn by_rule(lock_changes: &[LockChange]) -> BTreeMap<String, RuleCount> {
    let mut rules: BTreeMap<String, RuleCount> = BTreeMap::new();
    for change in lock_changes {
        let Outcome::Judged(judgement) = &change.outcome else {
            continue;
        };
        for (rule, reasons) in &judgement.rules {
            let count = rules.entry(rule.clone()).or_default();
            count.stopped += 1;
            count.reasons += reasons;
            if judgement.rules.len() == 1 {
                count.alone += 1;
            }
        }
        for rule in &judgement.notices {
            if !judgement.rules.contains_key(rule) {
                rules.entry(rule.clone()).or_default().noticed += 1;
            }
        }
    }
    rules
}
