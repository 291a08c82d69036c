//! The way back, and the furthest way forward: the commands that undo an update,
//! checked by cargo to resolve in a copy, and the largest set of updates that the
//! policy lets pass now. Writes nothing but into a private directory.
//!
//! Imports: pkg, host, facts, registry, snapshot, lockfile, diff, advisories, policy, audit.

mod alternatives;
mod bench;
mod cost;
mod error;
mod ground;
mod paper;
mod patch;
mod rollback;
mod scene;
mod search;
mod subset;

use semver::Version;

use crate::facts::AdvisoryFact;

pub use bench::UpdateCommand;
pub use error::RemedyError;
pub use patch::{branch, patch};
pub use rollback::{RollbackRequest, rollback};
pub use subset::{HeldBack, Subset, SubsetRequest, TRIES, subset};

/// How far a way was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The commands lead there; cargo ran them in a copy.
    Commands,
    /// The lock file holds, and no order of commands leads to it.
    LockFile {
        /// What cargo said to the command that did not work.
        because: String,
    },
    /// There is none.
    None {
        /// Why.
        because: String,
    },
    /// It could not be checked.
    Unchecked {
        /// Why.
        because: String,
    },
}

/// A release that goes back, comes back or goes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The package.
    pub package: String,
    /// What is there now; `None` for a package that comes back.
    pub now: Option<Version>,
    /// What is there afterwards; `None` for a package that goes away.
    pub then: Option<Version>,
    /// Whether it was asked for.
    pub asked: bool,
    /// Why it moves along, where that is known.
    pub because: Option<String>,
}

/// An advisory that applies again.
#[derive(Clone, Debug, PartialEq)]
pub struct Reopened {
    /// The advisory, with package and version.
    pub advisory: AdvisoryFact,
}

/// Another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// What it is, in words.
    pub text: String,
    /// The command, where there is one.
    pub command: Option<UpdateCommand>,
}

/// What came of looking for a way back.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollback {
    /// As the builds were named.
    pub builds: (String, String),
    /// What was asked to go back, by change; empty for the whole difference.
    pub asked: Vec<String>,
    /// How far a way was found.
    pub way: Way,
    /// The commands, in an order that works.
    pub commands: Vec<UpdateCommand>,
    /// The lock file that they lead to.
    pub lock: Option<String>,
    /// Everything that moves, sorted by package.
    pub returned: Vec<Returned>,
    /// Advisories that apply again, by package and id.
    pub reopened: Vec<Reopened>,
    /// What going back breaks or may break, in words.
    pub breaks: Vec<String>,
    /// Other ways, where this one is none or makes things worse.
    pub alternatives: Vec<Alternative>,
    /// What the reader should know of the check, in words.
    pub notes: Vec<String>,
    /// The lock file of the head, as it is now.
    pub head_lock: String,
    /// What a commit would stand upon: the head's commit, or `HEAD` for the files
    /// as they are; `None` where the head is no state of a repository.
    pub onto: Option<String>,
    /// How often cargo was run.
    pub runs: usize,
}
