//! From a difference to the way back: what must move together, the commands, and
//! what going back costs.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::bench::{Bench, Settled, command, target};
use super::cost::Cost;
use super::scene::{Scene, first_line};
use super::{RemedyError, Returned, Rollback, UpdateCommand, Way, alternatives};
use crate::audit::{self, Comparison};
use crate::diff::Change;
use crate::host::Host;
use crate::lockfile::{Locked, Move, Set, moves};
use crate::pkg::Source;
use crate::snapshot::clean_room::CleanRoomError;

/// A rollback that is asked for.
#[derive(Clone, Debug)]
pub struct RollbackRequest {
    /// The two builds, as `check` takes them.
    pub audit: audit::Request,
    /// The changes, by id or package; none for the whole difference.
    pub changes: Vec<String>,
}

/// Finds the way back. What was asked for goes back, and what cannot stay beside
/// it; everything else stays.
///
/// # Errors
/// When a build cannot be read, or nothing of that name changed. That there is no
/// way, or that it cannot be checked, is no error.
pub fn rollback(
    request: &RollbackRequest,
    host: &Host,
    on_event: &dyn Fn(audit::Event),
) -> Result<Rollback, RemedyError> {
    let comparison = audit::compare(&request.audit, host, on_event)?;
    let scene = Scene::open(&request.audit, host)?;
    let all = moves(&scene.locks.base_text, &scene.locks.head_text)?;
    let (mut asked, ids) = asked(&request.changes, &comparison, &all)?;
    let wanted = asked.clone();
    let out = out_of_reach(&mut asked, &all);
    let whole = request.changes.is_empty();
    let cost = Cost::new(&scene, &comparison, &request.audit);
    let mut rollback = Rollback {
        builds: (
            comparison.base.input.given.clone(),
            comparison.head.input.given.clone(),
        ),
        asked: ids,
        way: Way::Commands,
        commands: Vec::new(),
        lock: None,
        returned: Vec::new(),
        reopened: Vec::new(),
        breaks: Vec::new(),
        alternatives: Vec::new(),
        notes: Vec::new(),
        head_lock: scene.locks.head_text.clone(),
        onto: scene.onto(),
        runs: 0,
    };
    let mut bench = None;
    if let (Some((number, because)), true) = (out.first(), asked.is_empty() || !whole) {
        let by_commit = all.get(*number).is_some_and(
            |it| matches!((&it.from, &it.to), (Some(from), Some(to)) if target(to, from).is_some()),
        );
        if by_commit {
            unchecked(&mut rollback, because.clone(), &wanted, &all, &scene);
        } else {
            rollback.way = Way::None {
                because: because.clone(),
            };
        }
    } else {
        match scene.bench(whole) {
            Err(because) => unchecked(&mut rollback, because, &asked, &all, &scene),
            Ok((mut opened, notes)) => {
                rollback.notes = notes;
                let there: Set = opened.ground.numbers(&asked, &all);
                find(&mut rollback, &mut opened, &there, whole)?;
                bench = Some(opened);
            }
        }
    }
    if rollback.returned.is_empty() {
        let wanted = wanted.iter().filter_map(|number| all.get(*number));
        rollback.returned = wanted.map(|change| returned(change, true, None)).collect();
    }
    rollback.reopened = cost.reopened(&rollback.returned);
    // Where cargo has resolved on the manifests, every feature that is asked for is there.
    let features_hold = rollback.lock.is_some() && rollback.notes.is_empty();
    let breaks = cost.breaks(&rollback.returned, !features_hold);
    rollback.breaks.extend(breaks);
    rollback
        .breaks
        .extend(out.into_iter().map(|(_, because)| because));
    let worse = !rollback.reopened.is_empty() || cost.any_yanked(&rollback.returned);
    if !whole && (worse || matches!(rollback.way, Way::None { .. })) {
        let look = alternatives::Look {
            request: &request.audit,
            scene: &scene,
            comparison: &comparison,
            advisories: &cost.advisories,
        };
        rollback.alternatives = look.all(&asked, &all, bench.as_mut())?;
    }
    rollback.runs = bench.map_or(0, |bench| bench.runs());
    Ok(rollback)
}

/// The moves that are asked for, and the ids of their changes.
fn asked(
    names: &[String],
    comparison: &Comparison,
    all: &[Move],
) -> Result<(Set, Vec<String>), RemedyError> {
    let changes = &comparison.diff.changes;
    if names.is_empty() {
        let back = all.iter().enumerate().filter(|(_, it)| it.from.is_some());
        return Ok((back.map(|(number, _)| number).collect(), Vec::new()));
    }
    let mut set = Set::new();
    let mut ids = BTreeSet::new();
    for name in names {
        let found: Vec<&Change> = changes
            .iter()
            .filter(|change| change.id == *name || change.package == *name)
            .collect();
        if found.is_empty() {
            let changed: BTreeSet<String> = changes
                .iter()
                .map(|change| change.package.clone())
                .collect();
            return Err(RemedyError::NoSuchChange {
                name: name.clone(),
                changed: changed.into_iter().collect(),
            });
        }
        for change in found {
            ids.insert(change.id.clone());
            set.extend(
                all.iter()
                    .enumerate()
                    .filter_map(|(number, it)| is_of(it, change).then_some(number)),
            );
        }
    }
    if set.is_empty() {
        return Err(RemedyError::NothingMoved);
    }
    Ok((set, ids.into_iter().collect()))
}

/// Whether a move of the lock file is this change.
pub(super) fn is_of(it: &Move, change: &Change) -> bool {
    let same = |locked: &Option<Locked>, version: Option<&Version>| matches!((locked, version), (Some(locked), Some(version)) if locked.version == *version);
    it.package == change.package
        && (same(&it.to, change.incoming().map(|release| &release.version))
            || same(&it.from, change.outgoing().map(|release| &release.version)))
}

/// Takes out of what was asked for what cargo cannot undo: packages that moved to
/// another place, which the manifest decides, and commits of git, which the clean
/// room does not reach. Says why.
fn out_of_reach(asked: &mut Set, all: &[Move]) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    for number in asked.iter().copied() {
        let Some(it) = all.get(number) else { continue };
        let (Some(from), Some(to)) = (&it.from, &it.to) else {
            continue;
        };
        if from.source == to.source {
            continue;
        }
        out.push((
            number,
            if target(to, from).is_some() {
                format!(
                    "{} comes from git, which the check does not reach",
                    it.package
                )
            } else {
                format!(
                    "{} moved from {} to {}, which the manifest decides",
                    it.package,
                    place(from),
                    place(to)
                )
            },
        ));
    }
    asked.retain(|number| !out.iter().any(|(other, _)| other == number));
    out
}

fn place(locked: &Locked) -> String {
    let source = locked.source.as_deref().map(Source::parse);
    let source = source.and_then(Result::ok);
    source.map_or_else(|| "elsewhere".to_owned(), |source| source.to_string())
}

fn find(
    rollback: &mut Rollback,
    bench: &mut Bench<'_>,
    asked: &Set,
    whole: bool,
) -> Result<(), CleanRoomError> {
    let mut asked = asked.clone();
    let mut kept = Set::new();
    let settled = loop {
        let stuck = match bench.settle(&asked, &kept)? {
            Ok(settled) => break settled,
            Err(stuck) => stuck,
        };
        // Of a whole difference, what the manifests need stays, and what that needs.
        let blocked = stuck.blocked.filter(|number| whole && kept.insert(*number));
        let Some(change) = blocked.and_then(|number| bench.ground.moves().get(number)) else {
            rollback.way = Way::None {
                because: stuck.because,
            };
            return Ok(());
        };
        // What was not there before comes in with what needs it, and is no news.
        if blocked.is_some_and(|number| asked.remove(&number)) {
            let stays = format!("{} stays as it is: {}", change.package, stuck.because);
            rollback.breaks.push(stays);
        }
        if asked.is_empty() {
            rollback.way = Way::None {
                because: stuck.because,
            };
            return Ok(());
        }
    };
    let asked = &asked;
    let start = bench.ground.head_lock.clone();
    // What needs the newer release goes first, what was asked for last.
    let name = |number: &usize| {
        let change = bench.ground.moves().get(*number);
        change.map(|change| change.package.clone())
    };
    let first: Vec<String> = settled
        .order
        .iter()
        .rev()
        .chain(asked)
        .filter_map(name)
        .collect();
    let walk = bench.walk(&start, &settled.lock, &first)?;
    let lock = if walk.complete {
        &walk.lock
    } else {
        &settled.lock
    };
    rollback.returned = all_returned(bench, &settled, lock, &start, asked);
    let held = if bench.ground.paper.is_some() && whole {
        Ok(())
    } else {
        bench.holds(lock)?
    };
    if let Err(because) = held {
        rollback.way = Way::Unchecked { because };
        return Ok(());
    }
    rollback.lock = Some(match &bench.ground.paper {
        Some(paper) => paper.restored(lock),
        None => lock.clone(),
    });
    if walk.complete {
        rollback.commands = walk.commands;
    } else {
        let because = walk.complaint.unwrap_or_default();
        rollback.way = Way::LockFile {
            because: first_line(&because),
        };
    }
    Ok(())
}

/// All that moves between the head and the lock file that was found.
fn all_returned(
    bench: &Bench<'_>,
    settled: &Settled,
    lock: &str,
    head: &str,
    asked: &Set,
) -> Vec<Returned> {
    let numbers = bench.ground.moves().iter().enumerate();
    let by_place: BTreeMap<(&str, Option<&Version>), usize> = numbers
        .map(|(number, it)| {
            let now = it.to.as_ref().map(|to| &to.version);
            ((it.package.as_str(), now), number)
        })
        .collect();
    let found = moves(lock, head).unwrap_or_default();
    found
        .iter()
        .map(|it| {
            let now = it.to.as_ref().map(|to| &to.version);
            let number = by_place.get(&(it.package.as_str(), now));
            let is_asked = number.is_some_and(|number| asked.contains(number));
            let because = number.and_then(|number| settled.because.get(number));
            returned(it, is_asked, because.map(|(text, _)| text.clone()))
        })
        .collect()
}

pub(super) fn returned(it: &Move, asked: bool, because: Option<String>) -> Returned {
    let version = |side: &Option<Locked>| side.as_ref().map(|locked| locked.version.clone());
    Returned {
        package: it.package.clone(),
        now: version(&it.to),
        then: version(&it.from),
        asked,
        because,
    }
}

/// Commands that nobody has tried.
fn unchecked(
    rollback: &mut Rollback,
    because: String,
    asked: &Set,
    all: &[Move],
    scene: &Scene<'_>,
) {
    rollback.way = Way::Unchecked { because };
    let wanted = asked.iter().filter_map(|number| all.get(*number));
    rollback.commands = wanted
        .filter_map(|it| -> Option<UpdateCommand> {
            let (from, to) = (it.from.as_ref()?, it.to.as_ref()?);
            command(&scene.locks.head_text, &it.package, to, from)
        })
        .collect();
}
