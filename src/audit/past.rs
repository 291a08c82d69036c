//! What the ledger has of earlier updates of the packages that change.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use jiff::SignedDuration;

use crate::diff::Change;
use crate::facts::{FactKind, Finding, Gap, GapReason, Outcomes};
use crate::host::{Host, with_causes};
use crate::ledger::{self, FailedTrial, LedgerError, Lines, Mode, Place, PlaceError, Store};
use crate::policy::{LedgerTerms, Notice, Subject, Verdict};
use crate::risk::UPDATE_UNDONE;
use crate::snapshot::LoadError;

use super::data::{Comparison, PolicyOrigin};
use super::run::{Builds, LedgerChoice, Request};

/// How large a ledger in a revision may be, in bytes.
const LARGEST: u64 = 64 << 20;

/// What is known of the past.
pub(super) enum Past {
    /// No ledger is named.
    NotAsked,
    /// What is recorded.
    Known(Recorded),
    /// The ledger could not be read.
    Unknown(Gap),
}

/// What a ledger has about the changes of a difference.
pub(super) struct Recorded {
    /// What was asked, in words.
    asked: String,
    /// What came of the updates of which harm is recorded, by package.
    outcomes: BTreeMap<String, Outcomes>,
    /// Trials of several updates at once that failed.
    trials: Vec<FailedTrial>,
}

/// The ledger that a request and the policy that judges name.
///
/// # Errors
/// When the policy names one in a form that is not known.
pub fn ledger_place(request: &Request, terms: &LedgerTerms) -> Result<Option<Place>, PlaceError> {
    match (&request.ledger, &terms.url) {
        (LedgerChoice::Never, _) | (LedgerChoice::OfPolicy, None) => Ok(None),
        (LedgerChoice::At(place), _) => Ok(Some(place.clone())),
        (LedgerChoice::OfPolicy, Some(url)) => {
            Place::parse_public(url, &request.repository).map(Some)
        }
    }
}

impl Past {
    pub(super) fn read(
        request: &Request,
        builds: &Builds<'_>,
        policy: &PolicyOrigin,
        comparison: &Comparison,
        host: &Host,
    ) -> Self {
        let (diff, as_of) = (&comparison.diff, comparison.as_of);
        let place = match ledger_place(request, &policy.ledger) {
            Ok(Some(place)) => place,
            Ok(None) => return Self::NotAsked,
            Err(error) => return Self::gap(GapReason::Malformed, error.to_string()),
        };
        // The day of judgement has no fractions of a second, and entries have.
        let until = as_of
            .checked_add(SignedDuration::from_nanos(999_999_999))
            .unwrap_or(as_of);
        let asked = format!("the ledger `{place}`");
        let packages = diff.changes.iter().map(|change| change.package.as_str());
        let incoming: Vec<(String, String)> = diff
            .changes
            .iter()
            .filter_map(|it| Some((it.package.clone(), it.incoming()?.version.to_string())))
            .collect();
        let found = Self::open(&place, request, builds, host).and_then(|store| match store {
            Some(mut store) => Ok((
                ledger::history(store.as_mut(), &asked, packages, until)?,
                ledger::failed_trials(store.as_mut(), &diff.digest, &incoming, until)?,
            )),
            None => Ok(Default::default()),
        });
        let known = |(outcomes, trials)| {
            Self::Known(Recorded {
                asked,
                outcomes,
                trials,
            })
        };
        match found {
            Ok(found) => known(found),
            Err(Failed::Ledger(LedgerError::NotThere { .. })) => known(Default::default()),
            Err(failed) => Self::gap(failed.reason(), failed.in_words()),
        }
    }

    /// A ledger that stands in the repository is read as the base has it: what
    /// is under judgement must not rewrite the past.
    fn open<'h>(
        place: &Place,
        request: &Request,
        builds: &Builds<'_>,
        host: &'h Host,
    ) -> Result<Option<Box<dyn Store + 'h>>, Failed> {
        if let Place::Lines(path) = place
            && let Some(inside) = inside(path, &request.repository, host)
        {
            let content = builds
                .base
                .read_file(&inside, LARGEST)
                .map_err(|error| Failed::Base(Box::new(error)))?;
            return match content {
                Some(content) => Ok(Some(Box::new(Lines::of_content(path, &content)?))),
                None => Ok(None),
            };
        }
        Ok(Some(ledger::open(place, Mode::Read, host)?))
    }

    fn gap(reason: GapReason, detail: String) -> Self {
        Self::Unknown(Gap {
            fact: FactKind::Outcomes,
            reason,
            detail,
        })
    }

    /// What came of earlier updates of the package of a change.
    pub(super) fn of(&self, change: &Change) -> Finding<Outcomes> {
        match self {
            Self::NotAsked => Finding::Absent("no ledger is named".to_owned()),
            Self::Unknown(gap) => Finding::Unknown(gap.clone()),
            Self::Known(known) => match known.outcomes.get(&change.package) {
                Some(outcomes) => Finding::Seen(outcomes.clone()),
                None => Finding::Seen(Outcomes {
                    asked: known.asked.clone(),
                    updates: Vec::new(),
                }),
            },
        }
    }

    /// What is said of trials of several updates that failed: which of them is at
    /// fault is not known, so none has points for it.
    fn notices(&self) -> Vec<Notice> {
        let Self::Known(known) = self else {
            return Vec::new();
        };
        known.trials.iter().map(notice).collect()
    }
}

fn notice(trial: &FailedTrial) -> Notice {
    let what = trial.what;
    let when = format!(
        "on {} in {}, entry {}",
        trial.at.strftime("%Y-%m-%d"),
        trial.repository,
        trial.entry.get(..12).unwrap_or(&trial.entry),
    );
    let text = match (trial.same, trial.shared.as_slice()) {
        (true, _) => {
            format!("the last {what} of this very difference failed {when}")
        }
        (false, [(package, version)]) => format!(
            "{package} {version} was one of {} updates whose {what} failed {when}",
            trial.of
        ),
        (false, several) => format!(
            "{} of these updates were among {} whose {what} failed {when}",
            several.len(),
            trial.of
        ),
    };
    Notice {
        rule: "failed-trial".to_owned(),
        change: None,
        text,
    }
}

/// Says in the verdict what came of earlier updates, whatever weight a model
/// and a policy give to it.
pub(super) fn speak(past: &Past, subjects: &[Subject<'_>], verdict: &mut Verdict) {
    verdict.notices.extend(past.notices());
    for subject in subjects {
        let signals = subject.assessment.signals.iter();
        for signal in signals.filter(|signal| signal.id == UPDATE_UNDONE) {
            verdict.notices.push(Notice {
                rule: signal.id.to_owned(),
                change: Some(subject.change.id.clone()),
                text: signal.because.clone(),
            });
        }
    }
    verdict
        .notices
        .sort_by(|a, b| (&a.rule, &a.change, &a.text).cmp(&(&b.rule, &b.change, &b.text)));
}

enum Failed {
    Ledger(LedgerError),
    Base(Box<LoadError>),
}

impl From<LedgerError> for Failed {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl Failed {
    fn reason(&self) -> GapReason {
        match self {
            Self::Ledger(LedgerError::Offline { .. }) => GapReason::OfflineAndNotCached,
            Self::Ledger(LedgerError::TooLarge { .. }) => GapReason::OverLimit,
            Self::Ledger(
                LedgerError::NotALedger { .. }
                | LedgerError::Newer { .. }
                | LedgerError::Line { .. }
                | LedgerError::Damaged { .. }
                | LedgerError::NotPlain { .. },
            ) => GapReason::Malformed,
            Self::Ledger(
                LedgerError::NotThere { .. }
                | LedgerError::NoPostgres { .. }
                | LedgerError::Io { .. }
                | LedgerError::Database { .. },
            )
            | Self::Base(_) => GapReason::FetchFailed,
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Ledger(error) => with_causes(error),
            Self::Base(error) => with_causes(error.as_ref()),
        }
    }
}

/// The path of a file inside the repository, with `/` between its parts.
fn inside(path: &Path, repository: &Path, host: &Host) -> Option<String> {
    let below = |path: &Path, root: &Path| {
        let rest = path.strip_prefix(root).ok()?;
        let mut parts = Vec::new();
        for part in rest.components() {
            match part {
                Component::Normal(part) => parts.push(part.to_str()?.to_owned()),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(parts.join("/"))
    };
    let root = host.files.canonical(repository).ok()?;
    let parent = host.files.canonical(path.parent()?).ok();
    match (parent, path.file_name()) {
        (Some(parent), Some(name)) => below(&parent.join(name), &root),
        _ => below(path, repository),
    }
}
