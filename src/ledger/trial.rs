//! Trials: the outcome of one, and which failed ones concern an update that is
//! judged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entry::{Body, Kind, Stored};
use super::filter::Filter;
use super::{LedgerError, Store};

/// How many trials of one package are looked at, and how many of no known package.
const MOST: usize = 200;
/// The word for a trial that did not go well.
const FAIL: &str = "fail";

/// The outcome of a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trial {
    /// The package that was tried; empty where a difference was tried as a whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub package: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub package_version: String,
    /// `pass`, `fail` or `inconclusive`.
    pub outcome: String,
    /// What was done: `probe`, `rollout`, `approval` or `audit`; nothing where a
    /// person recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The digest of the difference that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff_digest: Option<String>,
    /// The updates of that difference, as far as they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<Tried>,
    /// The record of the trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// Anything else, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One update of a difference that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tried {
    /// The package.
    pub package: String,
    /// The version that comes in.
    pub version: String,
    /// The update that forced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced_by: Option<String>,
}

impl Trial {
    /// The one update that was tried: a trial of several is not the word on any of
    /// them. What came along with it does not count.
    #[must_use]
    pub fn alone(&self) -> Option<(&str, &str)> {
        if self.updates.is_empty() {
            let named = !self.package.is_empty();
            return named.then_some((self.package.as_str(), self.package_version.as_str()));
        }
        let mut roots = self.updates.iter().filter(|it| it.forced_by.is_none());
        match (roots.next(), roots.next()) {
            (Some(one), None) => Some((&one.package, &one.version)),
            _ => None,
        }
    }

    /// What was tried: package and version of each.
    pub(super) fn tried(&self) -> Vec<(&str, &str)> {
        let named = [(self.package.as_str(), self.package_version.as_str())];
        let updates = self.updates.iter();
        let mut tried: Vec<(&str, &str)> = named
            .into_iter()
            .filter(|(package, _)| !package.is_empty())
            .chain(updates.map(|it| (it.package.as_str(), it.version.as_str())))
            .collect();
        tried.sort_unstable();
        tried.dedup();
        tried
    }
}

/// A document that an entry rests on; it is not kept in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    /// What it was called.
    pub name: String,
    /// `sha256:…` of its bytes.
    pub digest: String,
}

/// A failed trial of several updates at once, some of which are judged now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedTrial {
    /// What was done, in words: "canary", "probe" or "trial".
    pub what: &'static str,
    /// When it was recorded.
    pub at: Timestamp,
    /// The repository or service.
    pub repository: String,
    /// The entry of the ledger.
    pub entry: String,
    /// Whether it was the very difference that is judged now.
    pub same: bool,
    /// How many updates were tried; 0 where that is not known.
    pub of: usize,
    /// Those of them that are judged now, by package and version.
    pub shared: Vec<(String, String)>,
}

/// The trial of an entry, where it is one.
pub(super) fn of(stored: &Stored) -> Option<&Trial> {
    match &stored.entry.body {
        Body::Evidence(trial) | Body::Rollout(trial) => Some(trial),
        Body::Audit(_) | Body::Effect(_) => None,
    }
}

/// What was done, in words.
pub(super) fn what(stored: &Stored) -> &'static str {
    let method = of(stored).and_then(|trial| trial.method.as_deref());
    match (stored.kind(), method) {
        (Kind::Rollout, _) | (_, Some("rollout")) => "canary",
        (_, Some("probe")) => "probe",
        (Kind::Evidence | Kind::Audit | Kind::Effect, _) => "trial",
    }
}

/// What a later trial has to be of to be the last word: the same difference where
/// it is known, else the same version of the package.
pub(super) fn subject(stored: &Stored) -> (&'static str, String) {
    let of = of(stored).map_or_else(String::new, |trial| match &trial.diff_digest {
        Some(digest) => digest.clone(),
        None => format!("{} {}", trial.package, trial.package_version),
    });
    (what(stored), of)
}

/// The failed trials of this difference, and those of several updates of which
/// some come in with it, recorded up to `as_of`; the latest first. One that was
/// passed later does not count, nor does one that `history` tells of its one update.
///
/// # Errors
/// When the ledger cannot be read.
pub fn failed_trials(
    store: &mut dyn Store,
    digest: &str,
    updates: &[(String, String)],
    as_of: Timestamp,
) -> Result<Vec<FailedTrial>, LedgerError> {
    let up_to = Filter {
        until: Some(as_of.as_microsecond()),
        limit: MOST,
        ..Filter::default()
    };
    let failed = Filter {
        verdict: Some(FAIL.to_owned()),
        ..up_to.clone()
    };
    let mut ids = BTreeSet::new();
    for (package, version) in updates {
        let rows = store.rows(&Filter {
            package: Some(package.clone()),
            version: Some(version.clone()),
            ..failed.clone()
        })?;
        ids.extend(rows.into_iter().map(|row| row.entry));
    }
    // Of some only the digest is known.
    let mut found: BTreeMap<String, Stored> = BTreeMap::new();
    for stored in store.entries(&failed)? {
        let digest_is = |trial: &Trial| trial.diff_digest.as_deref() == Some(digest);
        if ids.remove(&stored.id) || of(&stored).is_some_and(digest_is) {
            found.insert(stored.id.clone(), stored);
        }
    }
    for id in ids {
        for stored in store.starting_with(&id)? {
            found.insert(stored.id.clone(), stored);
        }
    }
    let mut trials = Vec::new();
    let mut told = BTreeSet::new();
    let mut latest: Vec<Stored> = found.into_values().collect();
    latest.sort_by(|a, b| (b.entry.at, &b.id).cmp(&(a.entry.at, &a.id)));
    for stored in latest {
        let Some(trial) = of(&stored) else { continue };
        let same = trial.diff_digest.as_deref() == Some(digest);
        // A judge and the record that is signed of it are one trial.
        if (!same && trial.alone().is_some())
            || !told.insert(subject(&stored))
            || passed_later(store, &stored, &up_to)?
        {
            continue;
        }
        let tried = trial.tried();
        let here = |(package, version): &&(String, String)| {
            tried.contains(&(package.as_str(), version.as_str()))
        };
        trials.push(FailedTrial {
            what: what(&stored),
            at: stored.entry.at,
            repository: stored.entry.repository.clone(),
            entry: stored.id.clone(),
            same,
            of: tried.len(),
            shared: updates.iter().filter(here).cloned().collect(),
        });
    }
    Ok(trials)
}

/// Whether the same was tried again since, and passed.
fn passed_later(
    store: &mut dyn Store,
    failed: &Stored,
    up_to: &Filter,
) -> Result<bool, LedgerError> {
    let of_whom =
        of(failed).and_then(|trial| trial.tried().first().map(|(name, _)| (*name).to_owned()));
    let later = store.entries(&Filter {
        package: of_whom,
        verdict: Some("pass".to_owned()),
        since: Some(failed.entry.at.as_microsecond()),
        ..up_to.clone()
    })?;
    Ok(later
        .iter()
        .any(|it| of(it).is_some() && subject(it) == subject(failed)))
}

/// The updates of a difference, as the latest audit of it has them.
///
/// # Errors
/// When the ledger cannot be read.
pub fn updates_of(
    store: &mut dyn Store,
    repository: &str,
    digest: &str,
) -> Result<Vec<Tried>, LedgerError> {
    let audits = store.entries(&Filter {
        repository: Some(repository.to_owned()),
        kind: Some(Kind::Audit.as_str().to_owned()),
        limit: MOST,
        ..Filter::default()
    })?;
    let audited = audits.iter().find_map(|stored| match &stored.entry.body {
        Body::Audit(audited) if audited.diff_digest == digest => Some(audited),
        Body::Audit(_) | Body::Evidence(_) | Body::Rollout(_) | Body::Effect(_) => None,
    });
    let Some(audited) = audited else {
        return Ok(Vec::new());
    };
    Ok(audited
        .changes
        .iter()
        .flat_map(|changed| {
            let incoming = changed.to.iter().filter(|it| !changed.from.contains(it));
            incoming.map(|it| Tried {
                package: changed.package.clone(),
                version: it.version.clone(),
                forced_by: changed.forced_by.clone(),
            })
        })
        .collect())
}
