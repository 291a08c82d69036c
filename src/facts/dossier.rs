//! All facts of one change.

use jiff::Timestamp;
use semver::Version;

use super::{FactKind, Finding, Gap, LookAlike, PublisherDelta, SourceDelta};

/// All facts of one change. A field that does not apply to the change (the
/// publish time of a removed package) is `Absent` and says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Dossier {
    /// When the release that comes in was published.
    pub published: Finding<Published>,
    /// When the release that goes out was published.
    pub previous_published: Finding<Published>,
    /// Whether the release that comes in is withdrawn now.
    pub yanked: Finding<Yanked>,
    /// Releases of the same line after the one that comes in.
    pub later: Finding<LaterReleases>,
    /// Older releases of the same line withdrawn around a fresh one.
    pub yank_cluster: Finding<YankCluster>,
    /// The crate's release history before the day of judgement.
    pub history: Finding<History>,
    /// What the release that comes in declares, beside the one that goes out.
    pub declared: Finding<Declared>,
    /// Advisories, compared between the two sides.
    pub advisories: Finding<AdvisoryDelta>,
    /// How many faults the database had on record for the package on the day of
    /// judgement, whether or not they apply to these releases.
    pub advisories_on_record: usize,
    /// What the update does to the source of the package.
    pub source: Finding<SourceDelta>,
    /// What came of earlier updates of the package; absent where no ledger is named.
    pub outcomes: Finding<Outcomes>,
    /// Who published the releases; `Absent` where that was not asked for.
    pub publisher: Finding<PublisherDelta>,
    /// The known package that a new one may be taken for.
    pub look_alike: Option<LookAlike>,
    /// What else could not be learnt about this change (manifest, placement).
    pub other_gaps: Vec<Gap>,
}

impl Dossier {
    /// Every gap of this dossier, sorted.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = [
            self.published.gap(),
            self.yanked.gap(),
            self.later.gap(),
            self.yank_cluster.gap(),
            self.history.gap(),
            self.advisories.gap(),
            self.source.gap(),
            self.outcomes.gap(),
            self.publisher.gap(),
        ]
        .into_iter()
        .flatten()
        .cloned()
        .chain(self.other_gaps.iter().cloned())
        .collect();
        gaps.sort();
        gaps.dedup();
        gaps
    }

    /// The gap of one kind, if there is one.
    #[must_use]
    pub fn gap(&self, kind: FactKind) -> Option<Gap> {
        self.gaps().into_iter().find(|gap| gap.fact == kind)
    }
}

/// When a release was published, and how old that was on the day of judgement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// The registry's time of publication.
    pub at: Timestamp,
    /// Days between publication and judgement; negative when the registry's
    /// clock, or the day of judgement, says it is in the future.
    pub age_days: f64,
}

/// Whether a release is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Yanked {
    /// The release that comes in is withdrawn.
    pub incoming: bool,
    /// The release that goes out is withdrawn.
    pub outgoing: bool,
}

/// One release after the one in question.
#[derive(Clone, Debug, PartialEq)]
pub struct LaterRelease {
    /// Its version.
    pub version: Version,
    /// Days between the release in question and this one.
    pub after_days: f64,
    /// Whether it is withdrawn now.
    pub yanked: bool,
}

/// What came after a release in its own compatibility line.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LaterReleases {
    /// Later releases in version order, at most those known on the day of judgement.
    pub releases: Vec<LaterRelease>,
}

/// Older releases of the same line that are withdrawn although a fresh one is out:
/// the pattern of a lure that leaves only one version to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YankCluster {
    /// The withdrawn predecessors in version order.
    pub withdrawn: Vec<Version>,
    /// How many predecessors of the line there are.
    pub predecessors: usize,
    /// Whether the release that comes in is the only one of its line, except for
    /// later ones, that is not withdrawn.
    pub only_one_left: bool,
}

/// A crate's release history before the day of judgement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct History {
    /// How many releases there were, without the one that comes in.
    pub prior_releases: usize,
    /// Days since the first release.
    pub crate_age_days: f64,
    /// Days between the release that comes in and the one before it, in time.
    pub gap_before_days: Option<f64>,
    /// How many releases came in the 90 days before the one that comes in.
    pub releases_90d: usize,
    /// Releases of the same line that were skipped by this change.
    pub versions_skipped: usize,
    /// How fast its patches came in the last year.
    pub pace: Pace,
}

/// How fast the patches of a package came in the 365 days before the day of judgement.
/// Pre-releases do not count.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Pace {
    /// How many releases the minor version of the one that comes in had, with itself.
    pub minor_releases_365d: usize,
    /// A release of a newer minor version is out.
    pub newer_minor: bool,
    /// On how many of these days a patch, of whichever minor version, was at most
    /// three days away.
    pub days_near_patch_365d: f64,
}

/// What the index says that a release declares, beside the one that goes out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Declared {
    /// How many of its dependencies are optional.
    pub optional_dependencies: usize,
    /// Features that the release that goes out does not have, sorted; none when
    /// nothing goes out.
    pub features_gained: Vec<String>,
    /// Features that only the release that goes out has, sorted.
    pub features_lost: Vec<String>,
    /// The oldest compiler that it declares to support.
    pub rust_version: Option<String>,
    /// It asks for a newer compiler than the release that goes out, or for one for
    /// the first time; false when nothing goes out.
    pub rust_version_raised: bool,
}

/// The advisories of one change, in three groups.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AdvisoryDelta {
    /// They apply to what comes in and not to what goes out.
    pub introduced: Vec<AdvisoryFact>,
    /// They apply to what goes out and not to what comes in.
    pub fixed: Vec<AdvisoryFact>,
    /// They apply to both.
    pub remaining: Vec<AdvisoryFact>,
}

/// How bad an advisory says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// CVSS below 0.1.
    None,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS from 9.0.
    Critical,
}

impl Severity {
    /// The word used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// The facts of one advisory that apply to one package.
#[derive(Clone, Debug, PartialEq)]
pub struct AdvisoryFact {
    /// `RUSTSEC-…`
    pub id: String,
    /// `CVE-…`, `GHSA-…`, sorted.
    pub aliases: Vec<String>,
    /// The package it names.
    pub package: String,
    /// The version it was matched with.
    pub version: Version,
    /// The day it was reported.
    pub date: jiff::civil::Date,
    /// `unsound`, `unmaintained`, `notice`; none for a vulnerability.
    pub informational: Option<String>,
    /// The categories it is filed under, sorted.
    pub categories: Vec<String>,
    /// From its CVSS vector, where it has one.
    pub severity: Option<Severity>,
    /// Version requirements of the releases that are not affected, as written.
    pub patched: Vec<String>,
}

impl AdvisoryFact {
    /// Whether this is a vulnerability or an unsoundness, not a mere notice.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        match self.informational.as_deref() {
            None | Some("unsound") => true,
            Some(_) => false,
        }
    }
}

/// What came of earlier updates of a package, as a ledger has it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// The ledger that was asked, in words.
    pub asked: String,
    /// The earlier updates, the latest first.
    pub updates: Vec<EarlierUpdate>,
}

/// One earlier update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierUpdate {
    /// The version that came in.
    pub version: String,
    /// When it was first let in.
    pub at: Timestamp,
    /// The harm that it did, the latest first; empty when none is recorded.
    pub harms: Vec<Harm>,
}

/// One harm that an update did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harm {
    /// What happened to the update, in words that follow "was".
    pub what: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// The repository or service it was recorded for.
    pub repository: String,
    /// The incident, where it has an id.
    pub incident: Option<String>,
    /// The entry of the ledger.
    pub entry: String,
}
