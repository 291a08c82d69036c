//! The vocabulary of knowing: what is known about a change, where it was
//! learnt, and what could not be learnt. Types only; nothing here looks
//! anything up and nothing judges.
//!
//! Imports: nothing.

mod dossier;
mod origin;
mod source;

pub use dossier::{
    AdvisoryDelta, AdvisoryFact, Declared, Dossier, EarlierUpdate, Harm, History, LaterRelease,
    LaterReleases, Outcomes, Pace, Published, Severity, YankCluster, Yanked,
};
pub use origin::{LookAlike, Publisher, PublisherDelta};
pub use source::{
    ChangelogSection, Extent, LESS, Part, Purpose, Shift, SourceDelta, SourceFinding, Topic,
    Witness,
};

/// The kinds of fact that a dossier holds. A policy may say for each of them
/// what a gap means, by the name that [`FactKind::as_str`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKind {
    /// When a release was published.
    PublishTime,
    /// Whether a release is withdrawn now.
    Yanked,
    /// What was released after it in the same line, and how soon.
    LaterReleases,
    /// Whether older releases were withdrawn around it.
    YankCluster,
    /// How often and how regularly the crate is released.
    History,
    /// Which advisories the change introduces, fixes or keeps.
    Advisories,
    /// What the crate's own manifest says: proc-macro, build script, links.
    Manifest,
    /// Where in the build the package is compiled.
    Placement,
    /// Which features the package is compiled with.
    Features,
    /// What the update does to the source.
    Source,
    /// What came of earlier updates of the package, by the ledger.
    Outcomes,
    /// Who published the releases.
    Publisher,
}

impl FactKind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Self; 12] = [
        Self::PublishTime,
        Self::Yanked,
        Self::LaterReleases,
        Self::YankCluster,
        Self::History,
        Self::Advisories,
        Self::Manifest,
        Self::Placement,
        Self::Features,
        Self::Source,
        Self::Outcomes,
        Self::Publisher,
    ];

    /// The name used in policies and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublishTime => "publish-time",
            Self::Yanked => "yanked",
            Self::LaterReleases => "later-releases",
            Self::YankCluster => "yank-cluster",
            Self::History => "history",
            Self::Advisories => "advisories",
            Self::Manifest => "manifest",
            Self::Placement => "placement",
            Self::Features => "features",
            Self::Source => "source",
            Self::Outcomes => "outcomes",
            Self::Publisher => "publisher",
        }
    }
}

/// Why a fact could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapReason {
    /// There is no network here, and the cache does not hold it.
    OfflineAndNotCached,
    /// The other side was asked and did not give a usable answer.
    FetchFailed,
    /// The registry does not know this package or version.
    NotInRegistry,
    /// The registry's record has no such field.
    NotRecorded,
    /// What was read is not well-formed.
    Malformed,
    /// It is larger than the limit for reading it.
    OverLimit,
    /// The kind of source has no such record (a git dependency has no publish time).
    NotApplicable,
    /// Its value on the day of judgement cannot be known afterwards.
    NotKnownAsOf,
    /// The graph was built from less than it takes to know it.
    CoarseGraph,
    /// Two inputs that should say the same do not.
    Contradicted,
}

impl GapReason {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OfflineAndNotCached => "offline-and-not-cached",
            Self::FetchFailed => "fetch-failed",
            Self::NotInRegistry => "not-in-registry",
            Self::NotRecorded => "not-recorded",
            Self::Malformed => "malformed",
            Self::OverLimit => "over-limit",
            Self::NotApplicable => "not-applicable",
            Self::NotKnownAsOf => "not-known-as-of",
            Self::CoarseGraph => "coarse-graph",
            Self::Contradicted => "contradicted",
        }
    }
}

/// A fact that could not be had, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The kind of fact that is missing.
    pub fact: FactKind,
    /// Why, as a name that scripts can rely on.
    pub reason: GapReason,
    /// Why, in words: what was tried, and what would help.
    pub detail: String,
}

/// What is known about one question.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding<T> {
    /// The answer.
    Seen(T),
    /// There is none, and this is what was searched.
    Absent(String),
    /// It could not be looked up.
    Unknown(Gap),
}

impl<T> Finding<T> {
    /// The answer, if there is one.
    pub fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(value) => Some(value),
            Self::Absent(_) | Self::Unknown(_) => None,
        }
    }

    /// The gap, if it could not be looked up.
    pub fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Unknown(gap) => Some(gap),
            Self::Seen(_) | Self::Absent(_) => None,
        }
    }

    /// A finding over the answer of this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Finding<U> {
        match self {
            Self::Seen(value) => Finding::Seen(f(value)),
            Self::Absent(scope) => Finding::Absent(scope),
            Self::Unknown(gap) => Finding::Unknown(gap),
        }
    }
}
