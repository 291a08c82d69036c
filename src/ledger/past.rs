//! What came of earlier updates of a package, as facts about the next one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::facts::{EarlierUpdate, Harm, Outcomes};

use super::entry::{Body, Kind, Step, Stored};
use super::filter::Filter;
use super::trial::{self, Trial};
use super::{LedgerError, Store};

/// How many records of one package are looked at.
const MOST: usize = 500;
/// How many earlier updates are kept for a judgement.
const KEPT: usize = 20;

/// What can come of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It was taken back.
    RolledBack,
    /// It caused an incident.
    Incident,
    /// A later release had to repair what it did.
    FixedForward,
    /// It was looked at afterwards, and all was well.
    Fine,
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::RolledBack,
        Self::Incident,
        Self::FixedForward,
        Self::Fine,
    ];

    /// The word in the stored format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RolledBack => "rolled-back",
            Self::Incident => "incident",
            Self::FixedForward => "fixed-forward",
            Self::Fine => "fine",
        }
    }

    /// What is said of an update that had it; `None` when it did no harm.
    #[must_use]
    pub fn harm(self) -> Option<&'static str> {
        match self {
            Self::RolledBack => Some("rolled back"),
            Self::Incident => Some("the cause of an incident"),
            Self::FixedForward => Some("repaired by a later release"),
            Self::Fine => None,
        }
    }
}

/// What came of the earlier updates of some packages, recorded up to `as_of`.
/// A package of which nothing bad is recorded is not among them. `asked` names
/// the ledger in words.
///
/// # Errors
/// When the ledger cannot be read.
pub fn history<'p>(
    store: &mut dyn Store,
    asked: &str,
    packages: impl Iterator<Item = &'p str>,
    as_of: Timestamp,
) -> Result<BTreeMap<String, Outcomes>, LedgerError> {
    let mut found = BTreeMap::new();
    for package in packages {
        if found.contains_key(package) {
            continue;
        }
        let harms = harms(store, package, as_of)?;
        if harms.is_empty() {
            continue;
        }
        let updates = updates(store, package, as_of, harms)?;
        let asked = asked.to_owned();
        found.insert(package.to_owned(), Outcomes { asked, updates });
    }
    Ok(found)
}

fn of_package(package: &str, kind: Kind, as_of: Timestamp) -> Filter {
    Filter {
        package: Some(package.to_owned()),
        kind: Some(kind.as_str().to_owned()),
        until: Some(as_of.as_microsecond()),
        limit: MOST,
        ..Filter::default()
    }
}

/// What is recorded of harm, by version.
fn harms(
    store: &mut dyn Store,
    package: &str,
    as_of: Timestamp,
) -> Result<BTreeMap<String, Vec<Harm>>, LedgerError> {
    let mut harms: BTreeMap<String, Vec<Harm>> = BTreeMap::new();
    let mut add = |version: &str, what: &str, stored: &Stored, incident: Option<&String>| {
        harms.entry(version.to_owned()).or_default().push(Harm {
            what: what.to_owned(),
            at: stored.entry.at,
            repository: stored.entry.repository.clone(),
            incident: incident.cloned(),
            entry: stored.id.clone(),
        });
    };
    for stored in store.entries(&of_package(package, Kind::Effect, as_of))? {
        let Body::Effect(effect) = &stored.entry.body else {
            continue;
        };
        let known = Effect::ALL
            .into_iter()
            .find(|it| it.as_str() == effect.effect);
        if let Some(what) = known.and_then(Effect::harm) {
            let version = &effect.package_version;
            add(version, what, &stored, effect.incident.as_ref());
        }
    }
    // Of what was tried again the latest word counts: entries come the newest first.
    let mut trials = store.entries(&of_package(package, Kind::Rollout, as_of))?;
    trials.extend(store.entries(&of_package(package, Kind::Evidence, as_of))?);
    trials.sort_by(|a, b| (b.entry.at, &b.id).cmp(&(a.entry.at, &a.id)));
    let mut told = BTreeSet::new();
    for stored in trials.iter().filter(|it| it.verdict() != "inconclusive") {
        let alone = trial::of(stored).and_then(Trial::alone);
        let Some((_, version)) = alone.filter(|(name, _)| *name == package) else {
            continue;
        };
        if told.insert(trial::subject(stored)) && stored.verdict() == "fail" {
            let what = format!("in a {} that failed", trial::what(stored));
            add(version, &what, stored, None);
        }
    }
    Ok(harms)
}

/// The versions that were taken, the latest to be taken for the first time
/// first. A difference that was blocked took nothing.
fn updates(
    store: &mut dyn Store,
    package: &str,
    as_of: Timestamp,
    mut harms: BTreeMap<String, Vec<Harm>>,
) -> Result<Vec<EarlierUpdate>, LedgerError> {
    let taken = store.rows(&Filter {
        step: Some(Step::In.as_str().to_owned()),
        ..of_package(package, Kind::Audit, as_of)
    })?;
    let mut first: BTreeMap<String, i64> = BTreeMap::new();
    for row in taken.into_iter().filter(|row| row.verdict != "block") {
        let at = first.entry(row.version).or_insert(row.at);
        *at = row.at.min(*at);
    }
    // What did harm was taken, even where its audit is older than what is looked at.
    for (version, harm) in &harms {
        if let Some(earliest) = harm.iter().map(|harm| harm.at.as_microsecond()).min() {
            first.entry(version.clone()).or_insert(earliest);
        }
    }
    let mut updates: Vec<EarlierUpdate> = first
        .into_iter()
        .map(|(version, at)| EarlierUpdate {
            at: Timestamp::from_microsecond(at).unwrap_or(as_of),
            harms: harms.remove(&version).unwrap_or_default(),
            version,
        })
        .collect();
    updates.sort_by(|a, b| (b.at, &b.version).cmp(&(a.at, &a.version)));
    updates.truncate(KEPT);
    Ok(updates)
}
