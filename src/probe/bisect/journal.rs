//! The log of a bisection: every trial with its outcome, written whole after
//! each, so that a run that was stopped goes on where it was.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::search::Verdict;
use crate::host::Host;

/// A log may have this many bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// One trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    /// What the trial is for, in words.
    pub what: String,
    /// The updates that were in place, sorted.
    pub updates: Vec<String>,
    /// `sha256:…` of the lock file.
    pub lock: String,
    /// `good`, `bad` or `skipped`.
    pub outcome: String,
    /// Why, in words.
    pub because: String,
    /// Whether something was built for it.
    pub built: bool,
    /// How long it took, in seconds.
    pub seconds: u64,
}

impl Step {
    pub(super) fn verdict(&self) -> Verdict {
        match self.outcome.as_str() {
            "good" => Verdict::Good,
            "bad" => Verdict::Bad,
            _ => Verdict::Skipped(self.because.clone()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    version: u32,
    key: String,
    steps: Vec<Step>,
}

/// The log, and where it is kept.
pub(super) struct Journal {
    path: PathBuf,
    key: String,
    pub(super) steps: Vec<Step>,
    /// How many steps an earlier run had made.
    pub(super) resumed: usize,
}

impl Journal {
    /// Takes up the log of an earlier run for the same key; any other, or one
    /// that cannot be read, is begun anew.
    pub(super) fn open(directory: &Path, key: &str, host: &Host) -> Self {
        let path = directory.join("bisect.json");
        let steps = host
            .files
            .read(&path, LIMIT)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<File>(&bytes).ok())
            .filter(|file| file.version == 1 && file.key == key)
            .map(|file| file.steps)
            .unwrap_or_default();
        Self {
            path,
            key: key.to_owned(),
            resumed: steps.len(),
            steps,
        }
    }

    pub(super) fn remembered(&self, lock: &str) -> Option<Verdict> {
        self.steps
            .iter()
            .find(|step| step.lock == lock)
            .map(Step::verdict)
    }

    pub(super) fn add(&mut self, step: Step, host: &Host) -> std::io::Result<()> {
        self.steps.push(step);
        let file = File {
            version: 1,
            key: self.key.clone(),
            steps: self.steps.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&file).map_err(std::io::Error::other)?;
        host.files.write(&self.path, &bytes)
    }
}
