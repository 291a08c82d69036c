//! Event by event through the audit, with only what was known on its day.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::corpus::{Corpus, Event, Upgrade};
use super::journal::{Done, Journal};
use super::{BacktestError, History, Plain, Progress, Request, Row};
use crate::audit::{self, Audit, JudgedChange, Known, PolicyChoice};
use crate::host::memory::MemoryHost;
use crate::host::{Clock, Entry, FileKind, Files, Host, Scratch, Tail, Work, with_causes};
use crate::pkg::Step;
use crate::snapshot::{BuildName, GraphMode};

/// Where the builds and the data stand on the host of a replay.
const BASE: &str = "/replay/base/Cargo.lock";
const HEAD: &str = "/replay/head/Cargo.lock";
const CACHE: &str = "/replay/cache";
/// The lock files of so many events are in memory at once.
const PART: usize = 1024;
/// So many events are recorded in one go.
const RECORDED: usize = 64;
/// How much of a policy file counts for a journal, in bytes.
const POLICY_LIMIT: u64 = 1 << 20;

/// Replays a corpus.
///
/// # Errors
/// When the corpus, the policy or the model cannot be read. An event that
/// cannot be audited is no error: it is among `failed`.
pub fn replay(
    request: &Request,
    host: &Host,
    on_progress: &(dyn Fn(Progress) + Sync),
) -> Result<History, BacktestError> {
    let desk = Desk::open(request, host)?;
    let wanted = desk.wanted(request)?;
    let mut by_repository: BTreeMap<&str, Vec<(usize, &Event)>> = BTreeMap::new();
    for (at, event) in &wanted {
        by_repository
            .entry(&event.repo)
            .or_default()
            .push((*at, event));
    }
    let done = AtomicUsize::new(0);
    let mut history = History {
        rows: Vec::new(),
        events: 0,
        failed: Vec::new(),
        unmatched: 0,
    };
    let journal = journal(request, &desk, host)?;
    let before = |event: &Event| journal.as_ref().and_then(|it| it.done(&event.event_id));
    // One repository at a time, so that only its lock files are in memory, and
    // of a long one a part.
    for events in by_repository.values().flat_map(|all| all.chunks(PART)) {
        let (known_before, new): (Vec<_>, Vec<_>) = events
            .iter()
            .partition(|(_, event)| before(event).is_some());
        for (_, event) in known_before {
            history.take(before(event));
        }
        let passed = done.fetch_add(events.len() - new.len(), Ordering::Relaxed);
        on_progress(Progress {
            done: passed + events.len() - new.len(),
            all: wanted.len(),
        });
        if new.is_empty() {
            continue;
        }
        let only: Vec<&Event> = new.iter().map(|(_, event)| *event).collect();
        let locks = desk.corpus.locks(&only, host)?;
        for some in new.chunks(RECORDED) {
            let found: Vec<Done> = some
                .par_iter()
                .map(|(at, event)| {
                    let found = desk.one((*at, event), &locks);
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    on_progress(Progress {
                        done,
                        all: wanted.len(),
                    });
                    found
                })
                .collect();
            if let Some(journal) = &journal {
                let ids = some.iter().map(|(_, event)| event.event_id.as_str());
                journal.record(&ids.zip(&found).collect::<Vec<_>>())?;
            }
            for found in found {
                history.take(Some(found));
            }
        }
    }
    history.rows.sort_by_key(|row| row.event);
    desk.add_known(&mut history.rows);
    history.failed.sort();
    Ok(history)
}

impl History {
    /// Takes what became of one event.
    fn take(&mut self, done: Option<Done>) {
        match done {
            Some(Ok((rows, unmatched))) => {
                self.events += 1;
                self.unmatched += unmatched;
                self.rows.extend(rows);
            }
            Some(Err(reason)) => self.failed.push(reason),
            None => {}
        }
    }
}

/// The journal that was asked for, if it is of the same replay.
fn journal<'h>(
    request: &Request,
    desk: &Desk,
    host: &'h Host,
) -> Result<Option<Journal<'h>>, BacktestError> {
    let Some(path) = &request.journal else {
        return Ok(None);
    };
    let policy = match &request.policy {
        PolicyChoice::BuiltIn(name) => crate::policy::built_in_text(name)
            .unwrap_or_default()
            .as_bytes()
            .to_vec(),
        PolicyChoice::File(file) => host.files.read(file, POLICY_LIMIT).unwrap_or_default(),
    };
    let mut digest = Sha256::new();
    for part in [
        env!("CARGO_PKG_VERSION").as_bytes(),
        &policy,
        format!("{:?}", desk.known.model).as_bytes(),
        desk.corpus.digest.as_bytes(),
    ] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    Journal::open(path, &format!("{:x}", digest.finalize()), host).map(Some)
}

/// What every event of a replay is judged with.
pub(super) struct Desk {
    pub(super) corpus: Corpus,
    policy: PolicyChoice,
    known: Known,
    index: Arc<BTreeMap<String, Vec<u8>>>,
    now: Timestamp,
}

impl Desk {
    pub(super) fn open(request: &Request, host: &Host) -> Result<Self, BacktestError> {
        let corpus = Corpus::open(&request.corpus, host)?;
        Ok(Self {
            known: Known::with_advisories(corpus.advisories.clone())
                .map_err(|error| BacktestError::Judge(Box::new(error)))?,
            index: Arc::new(corpus.index.clone()),
            policy: request.policy.clone(),
            now: host.clock.now(),
            corpus,
        })
    }

    /// The events that are asked for, with their place in the corpus.
    pub(super) fn wanted(&self, request: &Request) -> Result<Vec<(usize, &Event)>, BacktestError> {
        let names = &request.repositories;
        let all = self.corpus.events.iter().enumerate();
        let wanted: Vec<(usize, &Event)> = all
            .filter(|(at, event)| {
                at % request.one_of.max(1) == 0
                    && (names.is_empty()
                        || names.iter().any(|name| event.repo.contains(name.as_str())))
            })
            .collect();
        if wanted.is_empty() {
            return Err(BacktestError::Nothing);
        }
        Ok(wanted)
    }

    /// One event as of its day, with the archives that are at hand.
    pub(super) fn audit(
        &self,
        event: &Event,
        locks: &BTreeMap<String, Vec<u8>>,
        archives: BTreeMap<String, Vec<u8>>,
    ) -> Result<Audit, String> {
        let lock = |digest: &String| {
            locks
                .get(digest)
                .cloned()
                .ok_or_else(|| format!("{}: the lock file {digest} is not there", event.event_id))
        };
        let files = ReplayFiles {
            base: lock(&event.before)?,
            head: lock(&event.after)?,
            index: Arc::clone(&self.index),
            archives,
            now: self.now,
        };
        let host = Host {
            files: Box::new(files),
            clock: Box::new(Still(self.now)),
            ..MemoryHost::new(self.now).host()
        };
        let request = audit::Request {
            repository: PathBuf::from("/replay"),
            base: BuildName::Named(BASE.to_owned()),
            head: BuildName::Named(HEAD.to_owned()),
            policy: Some(self.policy.clone()),
            targets: Vec::new(),
            features: None,
            graph: GraphMode::LockOnly,
            as_of: Some(event.commit_time),
            publishers: None,
            locked_data: true,
            cache_dir: Some(PathBuf::from(CACHE)),
            evidence: audit::EvidenceSources::default(),
            ledger: audit::LedgerChoice::Never,
        };
        audit::run_knowing(&request, &host, &self.known, &|_| ())
            .map_err(|error| format!("{}: {}", event.event_id, with_causes(&error)))
    }

    /// One event: its rows, and how many of its upgrades the difference does not show.
    fn one(
        &self,
        (at, event): (usize, &Event),
        locks: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(Vec<Row>, usize), String> {
        let audit = self.audit(event, locks, BTreeMap::new())?;
        let mut unmatched = 0;
        let mut rows = Vec::new();
        let upgrades = self.corpus.upgrades.get(&event.event_id);
        for upgrade in upgrades.into_iter().flatten() {
            match judged(&audit, upgrade) {
                Some(judged) => rows.push(self.row((at, event), upgrade, judged, &audit)),
                None => unmatched += 1,
            }
        }
        Ok((rows, unmatched))
    }

    /// One upgrade as it was judged.
    pub(super) fn row(
        &self,
        (at, event): (usize, &Event),
        upgrade: &Upgrade,
        judged: &JudgedChange,
        audit: &Audit,
    ) -> Row {
        let step = judged
            .change
            .outgoing()
            .zip(judged.change.incoming())
            .map(|(from, to)| Step::between(&from.version, &to.version));
        let published = judged.dossier.published.seen();
        let families = &self.corpus.families;
        let (change, dossier, links) = (&judged.change, &judged.dossier, &judged.links);
        Row {
            event: at,
            repository: event.repo.clone(),
            family: families.get(&upgrade.name).unwrap_or(&upgrade.name).clone(),
            name: named(upgrade),
            score: judged.assessment.sum(),
            likelihood: judged.assessment.likelihood,
            faults: judged.assessment.faults.clone(),
            place: place(judged, audit),
            decision: judged.decision,
            columns: crate::risk::columns(change, dossier, links, &self.known.model),
            plain: Plain {
                step: match step {
                    Some(Step::Major) => 3.0,
                    Some(Step::Minor | Step::Prerelease) => 2.0,
                    Some(Step::Same | Step::Patch | Step::Downgrade) | None => 1.0,
                },
                age_days: published.map_or(f64::MAX, |published| published.age_days),
                changed: event.n_changed.max(audit.changes.len()) as f64,
            },
            labels: upgrade.labels.clone(),
            known: Vec::new(),
        }
    }

    /// What the corpus itself knew of the upgrades.
    fn add_known(&self, rows: &mut [Row]) {
        for row in rows {
            let event = self.corpus.events.get(row.event);
            let upgrades = event.and_then(|event| self.corpus.upgrades.get(&event.event_id));
            let own = |upgrade: &&Upgrade| named(upgrade) == row.name;
            if let Some(upgrade) = upgrades.into_iter().flatten().find(own) {
                row.known.clone_from(&upgrade.known);
            }
        }
    }
}

/// An upgrade for people.
fn named(upgrade: &Upgrade) -> String {
    format!("{} {} -> {}", upgrade.name, upgrade.old, upgrade.new)
}

/// The change that shows an upgrade.
pub(super) fn judged<'a>(audit: &'a Audit, upgrade: &Upgrade) -> Option<&'a JudgedChange> {
    let comes_in = |judged: &&JudgedChange| {
        judged.change.package == upgrade.name
            && judged
                .change
                .incoming()
                .is_some_and(|release| release.version.to_string() == upgrade.new)
    };
    let goes_out = |judged: &&JudgedChange| {
        judged
            .change
            .outgoing()
            .is_some_and(|release| release.version.to_string() == upgrade.old)
    };
    let all = || audit.changes.iter().filter(comes_in);
    all().find(goes_out).or_else(|| all().next())
}

/// The place of a change in its difference by score.
fn place(judged: &JudgedChange, audit: &Audit) -> (f64, usize) {
    let own = judged.assessment.sum();
    let others = || audit.changes.iter().map(|other| other.assessment.sum());
    let above = others().filter(|other| *other > own).count() as f64;
    let same = others().filter(|other| (*other - own).abs() < f64::EPSILON);
    (
        above + (same.count() as f64 + 1.0) / 2.0,
        audit.changes.len(),
    )
}

/// A clock that stands still.
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Two lock files, the index entries of a corpus, and archives by their checksum.
struct ReplayFiles {
    base: Vec<u8>,
    head: Vec<u8>,
    index: Arc<BTreeMap<String, Vec<u8>>>,
    archives: BTreeMap<String, Vec<u8>>,
    now: Timestamp,
}

impl ReplayFiles {
    fn content(&self, path: &Path) -> io::Result<&[u8]> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        if path == Path::new(BASE) {
            return Ok(&self.base);
        }
        if path == Path::new(HEAD) {
            return Ok(&self.head);
        }
        let below = path.strip_prefix(CACHE).map_err(|_| missing())?;
        let of = if below.starts_with("local-registry") {
            &*self.index
        } else if below.starts_with("crates") {
            &self.archives
        } else {
            return Err(missing());
        };
        let name = path.file_name().and_then(|name| name.to_str());
        name.and_then(|name| of.get(name))
            .map(Vec::as_slice)
            .ok_or_else(missing)
    }
}

impl Files for ReplayFiles {
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        if ["/replay", "/replay/base", "/replay/head"]
            .iter()
            .any(|dir| path == Path::new(dir))
        {
            return Ok(FileKind::Directory);
        }
        self.content(path)
            .map(|content| FileKind::File(content.len() as u64))
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let content = self.content(path)?;
        if content.len() as u64 > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(content.to_vec())
    }

    fn list(&self, _: &Path) -> io::Result<Vec<Entry>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.kind(path).map(|_| path.to_owned())
    }

    fn write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn append(&self, _: &Path, _: &[u8], _: &dyn Fn(&[u8]) -> io::Result<Tail>) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn modified(&self, _: &Path) -> io::Result<Timestamp> {
        Ok(self.now)
    }

    fn scratch(&self, _: &Path) -> io::Result<Box<dyn Scratch>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn work(&self) -> Work {
        Work::default()
    }
}
