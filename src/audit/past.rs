//! What the ledger has of earlier updates of the packages that change.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Component, Path};

use jiff::{SignedDuration, Timestamp};

use crate::diff::Change;
use crate::facts::{FactKind, Finding, Gap, GapReason, Outcomes};
use crate::host::Host;
use crate::ledger::{self, LedgerError, Lines, Mode, Place, PlaceError, Store};
use crate::policy::{Notice, Subject, Verdict};
use crate::risk::UPDATE_UNDONE;
use crate::snapshot::LoadError;

use super::data::PolicyOrigin;
use super::run::{Builds, LedgerChoice, Request};

/// How large a ledger in a revision may be, in bytes.
const LARGEST: u64 = 64 << 20;

/// What is known of the past.
pub(super) enum Past {
    /// No ledger is named.
    NotAsked,
    /// What was asked, in words, and what came of the updates of which harm is recorded.
    Known(String, BTreeMap<String, Outcomes>),
    /// The ledger could not be read.
    Unknown(Gap),
}

/// The ledger that a request and the policy that judges name.
///
/// # Errors
/// When the policy names one in a form that is not known.
pub fn ledger_place(request: &Request, policy: &PolicyOrigin) -> Result<Option<Place>, PlaceError> {
    match (&request.ledger, &policy.ledger.url) {
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
        changes: &[Change],
        as_of: Timestamp,
        host: &Host,
    ) -> Self {
        let place = match ledger_place(request, policy) {
            Ok(Some(place)) => place,
            Ok(None) => return Self::NotAsked,
            Err(error) => return Self::gap(GapReason::Malformed, error.to_string()),
        };
        // The day of judgement has no fractions of a second, and entries have.
        let until = as_of
            .checked_add(SignedDuration::from_nanos(999_999_999))
            .unwrap_or(as_of);
        let asked = format!("the ledger `{place}`");
        let packages = changes.iter().map(|change| change.package.as_str());
        let found = Self::open(&place, request, builds, host).and_then(|store| match store {
            Some(mut store) => Ok(ledger::history(store.as_mut(), &asked, packages, until)?),
            None => Ok(BTreeMap::new()),
        });
        match found {
            Ok(known) => Self::Known(asked, known),
            Err(Failed::Ledger(LedgerError::NotThere { .. })) => {
                Self::Known(asked, BTreeMap::new())
            }
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
            Self::Known(asked, known) => match known.get(&change.package) {
                Some(outcomes) => Finding::Seen(outcomes.clone()),
                None => Finding::Seen(Outcomes {
                    asked: asked.clone(),
                    updates: Vec::new(),
                }),
            },
        }
    }
}

/// Says in the verdict what came of earlier updates, whatever weight a model
/// and a policy give to it.
pub(super) fn speak(subjects: &[Subject<'_>], verdict: &mut Verdict) {
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
        let mut error: &dyn Error = match self {
            Self::Ledger(error) => error,
            Self::Base(error) => error.as_ref(),
        };
        let mut words = error.to_string();
        while let Some(source) = error.source() {
            words = format!("{words}: {source}");
            error = source;
        }
        words
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
