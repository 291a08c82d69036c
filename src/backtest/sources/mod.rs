//! What the sources of updates add to the model, on a part of history: archives
//! are had for a sample only, since a whole history of them is out of reach.

mod ablation;
mod sample;
mod show;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rayon::prelude::*;

use super::corpus::Event;
use super::replay::{Desk, judged};
use super::{BacktestError, Progress, Request, Row};
use crate::host::Host;
use crate::registry::{Access, Registry};

use sample::{Pick, picks};

pub use ablation::{Ablation, Arm, Compared, Measure, SignalCount, ablation};
pub use show::{json, text};

/// So many archives are asked for before progress is told.
const ASKED_AT_ONCE: usize = 32;

/// Which part of history is replayed with archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// At most so many archives.
    pub archives: usize,
    /// The same number draws the same sample.
    pub seed: u64,
}

/// How far a replay with archives is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Archives are being had.
    Archives(Progress),
    /// Events are being replayed.
    Events(Progress),
}

/// A sample of history, replayed with archives.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// What was asked for.
    pub sample: Sample,
    /// The upgrades whose sources were compared, in the order of the corpus; with
    /// whether each was drawn as an ordinary one.
    pub rows: Vec<(Row, bool)>,
    /// How many upgrades were drawn.
    pub drawn: usize,
    /// How many archives they need.
    pub archives: usize,
    /// Archives that could not be had, with the reason.
    pub lacking: Vec<String>,
    /// Upgrades that were left out, with the reason.
    pub left_out: Vec<String>,
}

/// Draws a sample, has its archives from where cargo has them, and replays it.
///
/// Nothing is fetched that a cache holds, and nothing at all on a host without
/// a network. The replay itself reaches no network in either case.
///
/// # Errors
/// As [`super::replay()`]. An archive that cannot be had is no error: it is among
/// `lacking`, and the upgrades that need it are left out.
pub fn replay_sample(
    request: &Request,
    sample: Sample,
    access: &Access,
    host: &Host,
    on_progress: &(dyn Fn(Stage) + Sync),
) -> Result<Sampled, BacktestError> {
    let desk = Desk::open(request, host)?;
    let wanted = desk.wanted(request)?;
    let picks = picks(&desk.corpus, &wanted, sample);
    if picks.is_empty() {
        return Err(BacktestError::Nothing);
    }
    let registry = Registry::open(host, access.clone());
    let (archives, lacking) = have(&picks, &registry, on_progress);
    let mut sampled = Sampled {
        sample,
        rows: Vec::new(),
        drawn: picks.len(),
        archives,
        lacking,
        left_out: Vec::new(),
    };
    // What could not be had is not asked for again.
    let at_hand = Registry::open(
        host,
        Access {
            fetch: false,
            ..access.clone()
        },
    );
    let mut by_repository: BTreeMap<&str, Vec<&Pick<'_>>> = BTreeMap::new();
    for pick in &picks {
        let of = by_repository.entry(&pick.event.repo).or_default();
        of.push(pick);
    }
    let done = AtomicUsize::new(0);
    for picks in by_repository.values() {
        let events: Vec<&Event> = picks.iter().map(|pick| pick.event).collect();
        let locks = desk.corpus.locks(&events, host)?;
        let found: Vec<Result<(Row, bool), String>> = picks
            .par_iter()
            .map(|pick| {
                let row = one(&desk, pick, &locks, &at_hand);
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                let all = sampled.drawn;
                on_progress(Stage::Events(Progress { done, all }));
                Ok((row?, pick.ordinary))
            })
            .collect();
        for found in found {
            match found {
                Ok(row) => sampled.rows.push(row),
                Err(reason) => sampled.left_out.push(reason),
            }
        }
    }
    let order = |row: &Row| (row.event, row.name.clone());
    sampled.rows.sort_by_key(|(row, _)| order(row));
    sampled.left_out.sort();
    Ok(sampled)
}

/// What may be read and fetched: what cargo's configuration says, and the cache.
#[must_use]
pub fn access(host: &Host, cache: Option<std::path::PathBuf>) -> Access {
    Access {
        cache_dir: cache.or_else(|| host.env.cache_dir()),
        cargo_home: host.env.cargo_home(),
        user_home: host.env.home(),
        fetch: host.net.is_some(),
        max_age: Duration::ZERO,
    }
}

/// Has all archives into the cache; how many there are, and which are lacking.
fn have(
    picks: &[Pick<'_>],
    registry: &Registry<'_>,
    on_progress: &(dyn Fn(Stage) + Sync),
) -> (usize, Vec<String>) {
    let mut all: Vec<_> = picks.iter().flat_map(|pick| &pick.archives).collect();
    all.sort();
    all.dedup();
    let mut lacking = Vec::new();
    for (at, part) in all.chunks(ASKED_AT_ONCE).enumerate() {
        let part: Vec<_> = part.iter().map(|it| (*it).clone()).collect();
        registry.prefetch_archives(&part);
        for (id, checksum) in &part {
            if let Some(gap) = registry.archive(id, checksum).gap() {
                lacking.push(format!("{id}: {}", gap.detail));
            }
        }
        on_progress(Stage::Archives(Progress {
            done: at * ASKED_AT_ONCE + part.len(),
            all: all.len(),
        }));
    }
    (all.len(), lacking)
}

/// One upgrade of the sample, as of its day, with both archives.
fn one(
    desk: &Desk,
    pick: &Pick<'_>,
    locks: &BTreeMap<String, Vec<u8>>,
    at_hand: &Registry<'_>,
) -> Result<Row, String> {
    let upgrade = pick.upgrade;
    let name = format!("{} {} -> {}", upgrade.name, upgrade.old, upgrade.new);
    let archives: BTreeMap<String, Vec<u8>> = pick
        .archives
        .iter()
        .filter_map(|(id, checksum)| {
            let bytes = at_hand.archive(id, checksum);
            Some((checksum.clone(), bytes.seen()?.to_vec()))
        })
        .collect();
    if archives.len() < pick.archives.len() {
        return Err(format!("{name}: not both archives are at hand"));
    }
    let audit = desk.audit(pick.event, locks, archives)?;
    let judged = judged(&audit, upgrade)
        .ok_or_else(|| format!("{name}: it is no upgrade by our pairing"))?;
    match (judged.dossier.source.seen(), judged.dossier.source.gap()) {
        (Some(_), _) => Ok(desk.row((pick.at, pick.event), upgrade, judged, &audit)),
        (None, Some(gap)) => Err(format!("{name}: {}", gap.detail)),
        (None, None) => Err(format!("{name}: there is no source to compare")),
    }
}
