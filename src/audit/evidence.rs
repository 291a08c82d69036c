//! Evidence for a difference: where records, the list of signers and the terms
//! come from. Records may come from anywhere, for they are signed; the list of
//! signers comes from the base or from outside, as the policy does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::evidence::{self, About, Context, Found, Outcome, Place, Signers};
use crate::host::Host;
use crate::policy::{CanaryTerms, Decision, Discharged, LedgerTerms, Policy, Verdict};
use crate::snapshot::{InputKind, Opened};

use super::AuditError;
use super::data::Comparison;
use super::rules;
use super::run::{self, Builds, Event, PolicyChoice, Request};

/// The largest executable whose digest is taken, in bytes.
const EXECUTABLE_LIMIT: u64 = 1 << 30;
/// How many changes a record names for its readers.
const MOST_CHANGES: usize = 50;

/// Where evidence is looked for besides the repository and the policy's location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceSources {
    /// Directories, and addresses that begin with `http://` or `https://`.
    pub places: Vec<String>,
    /// A list of signers in the place of the policy's.
    pub signers: Option<PathBuf>,
}

/// What evidence did for a verdict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EvidenceFound {
    /// Whether something asked for a canary; if not, nothing was looked for.
    pub needed: bool,
    /// How long a trial has to run at least, by the policy.
    pub min_duration: Option<Duration>,
    /// Where the list of signers was read from, in words, with the number of keys.
    pub signers: Option<(String, usize)>,
    /// What became of the records.
    pub outcome: Outcome,
    /// What was met, with the record that met it.
    pub discharged: Vec<Discharged>,
}

/// All that records of one difference are held against.
#[derive(Debug)]
pub struct EvidenceDesk {
    terms: CanaryTerms,
    ledger: LedgerTerms,
    signers: Result<(Signers, String), String>,
    digest: Option<String>,
    executable: Option<String>,
    as_of: Timestamp,
    places: Vec<Place>,
    /// Records among the files of the head, and what of them could not be read.
    of_head: (Vec<Found>, Vec<String>),
}

impl EvidenceDesk {
    /// For the difference between two builds, without judging the difference.
    ///
    /// # Errors
    /// When a build cannot be read, or the policy is not valid.
    pub fn of_builds(
        request: &Request,
        host: &Host,
        on_event: &dyn Fn(Event),
    ) -> Result<(Self, Comparison), AuditError> {
        let (builds, policy, comparison) = run::compare_with_policy(request, host, on_event)?;
        let desk = Self::new(request, &builds, &policy, &comparison, host);
        Ok((desk, comparison))
    }

    /// For records alone, with nothing to compare their difference with. The
    /// policy is the one that is named, else the built-in one.
    ///
    /// # Errors
    /// When the policy is not valid.
    pub fn without_builds(request: &Request, host: &Host) -> Result<Self, AuditError> {
        let policy = rules::outside(request, host)?;
        Ok(Self {
            signers: signers(request, None, policy.canary(), host),
            terms: policy.canary().clone(),
            ledger: policy.ledger().clone(),
            digest: None,
            executable: None,
            as_of: request.as_of.unwrap_or_else(|| host.clock.now()),
            places: Vec::new(),
            of_head: (Vec::new(), Vec::new()),
        })
    }

    pub(super) fn new(
        request: &Request,
        builds: &Builds<'_>,
        policy: &Policy,
        comparison: &Comparison,
        host: &Host,
    ) -> Self {
        let terms = policy.canary().clone();
        Self {
            signers: signers(request, Some(&builds.base), &terms, host),
            digest: Some(comparison.diff.digest.clone()),
            executable: executable(&builds.head, host),
            as_of: comparison.as_of,
            places: places(request, &terms, host),
            of_head: of_head(&builds.head),
            ledger: policy.ledger().clone(),
            terms,
        }
    }

    /// What a record of this difference is about. The executables are those of
    /// the builds where they are executables.
    #[must_use]
    pub fn about(comparison: &Comparison, host: &Host) -> About {
        let of = |input: &crate::snapshot::Input| {
            (input.kind == InputKind::Executable)
                .then(|| digest_of(Path::new(&input.given), host))
                .flatten()
        };
        About {
            digest: comparison.diff.digest.clone(),
            executables: (of(&comparison.base.input), of(&comparison.head.input)),
            builds: (
                comparison.base.input.given.clone(),
                comparison.head.input.given.clone(),
            ),
            changes: comparison
                .diff
                .changes
                .iter()
                .take(MOST_CHANGES)
                .map(in_words)
                .collect(),
        }
    }

    /// The records of all places, and what could not be looked at.
    #[must_use]
    pub fn look(&self, host: &Host) -> (Vec<Found>, Vec<String>) {
        let (mut found, mut gaps) = self.of_head.clone();
        let digest = self.digest.as_deref().unwrap_or_default();
        for place in &self.places {
            let (more, missing) = evidence::find_in(place, digest, host);
            found.extend(more);
            gaps.extend(missing);
        }
        (found, gaps)
    }

    /// Judges records for rules that ask for a canary; without rules, for none
    /// in particular.
    #[must_use]
    pub fn judge(
        &self,
        found: Vec<Found>,
        rules: Option<&BTreeSet<String>>,
        host: &Host,
    ) -> Outcome {
        evidence::judge(
            found,
            &Context {
                digest: self.digest.as_deref(),
                executable: self.executable.as_deref(),
                terms: &self.terms,
                signers: match &self.signers {
                    Ok((signers, _)) => Ok(signers),
                    Err(why) => Err(why.clone()),
                },
                rules,
                as_of: self.as_of,
                now: host.clock.now(),
            },
        )
    }

    /// The ledger that the policy names.
    #[must_use]
    pub fn ledger(&self) -> &LedgerTerms {
        &self.ledger
    }

    /// Where the list of signers was read from, and how many keys it has.
    #[must_use]
    pub fn signers(&self) -> Option<(String, usize)> {
        let (signers, read_from) = self.signers.as_ref().ok()?;
        Some((read_from.clone(), signers.count()))
    }

    /// Looks for records where a verdict asks for a canary, and takes out of it
    /// what they meet.
    pub(super) fn apply(
        &self,
        verdict: &mut Verdict,
        changes: &[&str],
        host: &Host,
    ) -> EvidenceFound {
        let (found, gaps) = self.look(host);
        let rules: BTreeSet<String> = canaries(verdict).map(str::to_owned).collect();
        let mut outcome = self.judge(found, Some(&rules), host);
        outcome.gaps.splice(0..0, gaps);
        let discharged = verdict.discharge(changes, |rule| {
            let accepted = outcome.record_for(rule)?;
            Some(accepted.record.name.clone())
        });
        EvidenceFound {
            needed: true,
            min_duration: self.terms.min_duration,
            signers: self.signers(),
            outcome,
            discharged,
        }
    }
}

/// The rules that ask for a canary.
pub(super) fn canaries(verdict: &Verdict) -> impl Iterator<Item = &str> {
    verdict
        .reasons
        .iter()
        .filter(|reason| reason.decision == Decision::Canary)
        .map(|reason| reason.rule.as_str())
}

/// The list of signers: the one that is named, else the one that the policy
/// names, which is looked for beside the policy and then in the base.
fn signers(
    request: &Request,
    base: Option<&Opened<'_>>,
    terms: &CanaryTerms,
    host: &Host,
) -> Result<(Signers, String), String> {
    let parsed = |content: Vec<u8>, read_from: String| match Signers::parse(&content) {
        Ok(signers) => Ok((signers, read_from)),
        Err(error) => Err(format!("the list of signers `{read_from}`: {error}")),
    };
    let of_file = |path: &Path| {
        host.files
            .read(path, evidence::SIGNERS_LIMIT)
            .map_err(|error| {
                (
                    error.kind() == std::io::ErrorKind::NotFound,
                    format!("the list of signers `{}`: {error}", path.display()),
                )
            })
    };
    if let Some(path) = &request.evidence.signers {
        let content = of_file(path).map_err(|(_, why)| why)?;
        return parsed(content, path.display().to_string());
    }
    let Some(named) = &terms.signers else {
        return Err(
            "the policy names no list of signers (`signers` under `[canary]`), and none was given"
                .to_owned(),
        );
    };
    let by = terms.signers_named_in.as_deref().unwrap_or_default();
    let beside = rules::beside(named, by);
    let from_outside = matches!(request.policy, Some(PolicyChoice::File(_)));
    if from_outside || beside.starts_with('/') {
        match of_file(Path::new(&beside)) {
            Ok(content) => return parsed(content, beside),
            Err((true, _)) if base.is_some_and(|base| base.tree().is_some()) => {}
            Err((_, why)) => return Err(why),
        }
    }
    let in_base = if from_outside { named } else { &beside };
    let Some(base) = base else {
        return Err(format!("there is no base to read `{in_base}` from"));
    };
    let shown = format!("{in_base} of the base {}", base.given());
    match base.read_file(in_base, evidence::SIGNERS_LIMIT) {
        Ok(Some(content)) => parsed(content, shown),
        Ok(None) => Err(format!(
            "the base {} has no list of signers `{in_base}`",
            base.given()
        )),
        Err(error) => Err(format!("the list of signers `{shown}`: {error}")),
    }
}

/// The directory of the repository, what was asked for, and the policy's address.
fn places(request: &Request, terms: &CanaryTerms, host: &Host) -> Vec<Place> {
    let own = Place::Directory {
        path: repository_root(&request.repository, host).join(evidence::FOLDER),
        shown: evidence::FOLDER.to_owned(),
        wanted: false,
    };
    let asked = request.evidence.places.iter().map(|place| {
        if place.starts_with("https://") || place.starts_with("http://") {
            return Place::Address(place.clone());
        }
        Place::Directory {
            path: place.into(),
            shown: place.trim_end_matches('/').to_owned(),
            wanted: true,
        }
    });
    let by_policy = terms.location.iter().cloned().map(Place::Address);
    let mut places = vec![own];
    for place in asked.chain(by_policy) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The top of the repository that a directory is in, else the directory.
#[must_use]
pub fn repository_root(directory: &Path, host: &Host) -> PathBuf {
    let start = host.files.canonical(directory);
    let start = start.unwrap_or_else(|_| directory.to_owned());
    start
        .ancestors()
        .find(|above| host.files.kind(&above.join(".git")).is_ok())
        .map_or_else(|| start.clone(), Path::to_owned)
}

/// The records among the files of the head. Those of the working tree are read
/// as the directory of the repository.
fn of_head(head: &Opened<'_>) -> (Vec<Found>, Vec<String>) {
    if head.kind() == InputKind::Worktree {
        return (Vec::new(), Vec::new());
    }
    let mut files = Vec::new();
    for ending in [".json", ".json.sig"] {
        match head.read_folder(evidence::FOLDER, ending, evidence::RECORD_LIMIT) {
            Ok(more) => files.extend(more),
            Err(error) => {
                let gap = format!("{} of {}: {error}", evidence::FOLDER, head.given());
                return (Vec::new(), vec![gap]);
            }
        }
    }
    (evidence::of_files(files), Vec::new())
}

/// SHA-256 of the head, when it is an executable.
fn executable(head: &Opened<'_>, host: &Host) -> Option<String> {
    (head.kind() == InputKind::Executable)
        .then(|| digest_of(Path::new(head.given()), host))
        .flatten()
}

/// SHA-256 of a file in hex.
pub fn digest_of(path: &Path, host: &Host) -> Option<String> {
    let content = host.files.read(path, EXECUTABLE_LIMIT).ok()?;
    let mut digest = String::new();
    for byte in Sha256::digest(&content) {
        let _ = write!(digest, "{byte:02x}");
    }
    Some(digest)
}

/// `serde_json 1.0.117 -> 1.0.118`.
fn in_words(change: &crate::diff::Change) -> String {
    let versions = |releases: &[crate::pkg::Release]| {
        let versions: Vec<String> = releases
            .iter()
            .map(|release| release.version.to_string())
            .collect();
        versions.join(", ")
    };
    match (change.from.is_empty(), change.to.is_empty()) {
        (true, _) => format!("{} {} added", change.package, versions(&change.to)),
        (_, true) => format!("{} {} removed", change.package, versions(&change.from)),
        (false, false) => format!(
            "{} {} -> {}",
            change.package,
            versions(&change.from),
            versions(&change.to)
        ),
    }
}
