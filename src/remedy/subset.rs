//! From a refresh that does not pass as a whole to the largest part of it that
//! does, as whoever asked for it reads it.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::bench::Bench;
use super::cost::Cost;
use super::rollback::{is_of, returned};
use super::scene::{Scene, first_line};
use super::search::{Candidate, Found, Search, is_update};
use super::{RemedyError, Reopened, UpdateCommand, Way};
use crate::audit::{self, Audit};
use crate::host::Host;
use crate::lockfile::{Move, moves};
use crate::policy::{Decision, Reason};
use crate::snapshot::lock::{self, LockFile, LockPackage};

/// So many lock files are put before the policy, unless another number is asked for.
pub const TRIES: usize = 64;

/// A subset that is asked for.
#[derive(Clone, Debug)]
pub struct SubsetRequest {
    /// The two builds, as `check` takes them.
    pub audit: audit::Request,
    /// How many lock files are put before the policy at most.
    pub tries: usize,
}

/// An update that has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// The package.
    pub package: String,
    /// The version that stays.
    pub stays: semver::Version,
    /// The version that waits.
    pub waits: semver::Version,
    /// What the policy makes of it; `Pass` for one that only comes along.
    pub decision: Decision,
    /// What it waits for: the policy's reasons, or the update that it cannot be
    /// without.
    pub because: Vec<String>,
    /// The first day on which nothing holds it any more, as far as only time does.
    pub until: Option<Date>,
}

/// What came of looking for the largest set.
#[derive(Clone, Debug, PartialEq)]
pub struct Subset {
    /// As the builds were named.
    pub builds: (String, String),
    /// What the policy makes of the whole difference.
    pub whole: Decision,
    /// How far a way was found.
    pub way: Way,
    /// The updates that may go in now, by package, with both versions.
    pub taken: Vec<super::Returned>,
    /// The commands that bring them in, from the base's lock file.
    pub commands: Vec<UpdateCommand>,
    /// The commands that take out the others, from the head's lock file.
    pub from_head: Vec<UpdateCommand>,
    /// The lock file with them.
    pub lock: Option<String>,
    /// The updates that wait, by package.
    pub held_back: Vec<HeldBack>,
    /// Advisories that the updates that wait would fix.
    pub reopened: Vec<Reopened>,
    /// Whether no larger set passes: all were tried, or nothing is held back.
    pub proven: bool,
    /// How many lock files were put before the policy.
    pub tries: usize,
    /// What the reader should know, in words.
    pub notes: Vec<String>,
    /// The lock file of the head.
    pub head_lock: String,
    /// What a commit would stand upon; see [`super::Rollback::onto`].
    pub onto: Option<String>,
}

/// Finds the largest set of updates that the policy lets pass now.
///
/// # Errors
/// When a build cannot be read, or the policy is not valid. That there is no set,
/// or that none can be checked, is no error.
pub fn subset(
    request: &SubsetRequest,
    host: &Host,
    on_event: &dyn Fn(audit::Event),
) -> Result<Subset, RemedyError> {
    let whole = audit::run(&request.audit, host, on_event)?;
    let scene = Scene::open(&request.audit, host)?;
    let mut subset = Subset {
        builds: (
            whole.comparison.base.input.given.clone(),
            whole.comparison.head.input.given.clone(),
        ),
        whole: whole.verdict.decision,
        way: Way::Commands,
        taken: Vec::new(),
        commands: Vec::new(),
        from_head: Vec::new(),
        lock: None,
        held_back: Vec::new(),
        reopened: Vec::new(),
        proven: false,
        tries: 1,
        notes: Vec::new(),
        head_lock: scene.locks.head_text.clone(),
        onto: scene.onto(),
    };
    let mut bench = match scene.bench(false) {
        Ok((bench, notes)) => {
            subset.notes = notes;
            bench
        }
        Err(because) => {
            subset.way = Way::Unchecked { because };
            return Ok(subset);
        }
    };
    let mut search = Search::new(request, host, &mut bench);
    let found = search.largest(&whole)?;
    subset.tries += search.tries();
    let needed = search.unavoidable(&whole);
    match found {
        Found::None { because, refused } => {
            let moves = bench.ground.moves();
            let refused = refused.iter().filter_map(|number| moves.get(*number));
            subset.held_back = refused.filter_map(|it| held_back(it, &whole)).collect();
            for held in &mut subset.held_back {
                held.because
                    .extend(held.because.is_empty().then(|| because.clone()));
            }
            subset.way = Way::None { because };
        }
        Found::Set { best, proven } => {
            subset.proven = proven;
            let comes_in = |because| format!("has to come in: {because}");
            subset.notes.extend(needed.into_iter().map(comes_in));
            fill(&mut subset, &best, &whole, &scene, &mut bench, request)?;
        }
    }
    Ok(subset)
}

fn fill(
    subset: &mut Subset,
    best: &Candidate,
    whole: &Audit,
    scene: &Scene<'_>,
    bench: &mut Bench<'_>,
    request: &SubsetRequest,
) -> Result<(), RemedyError> {
    let lock = best.lock.as_str();
    let paper = bench.ground.paper.as_ref();
    let base = paper.map_or_else(
        || scene.locks.base_text.clone(),
        |paper| paper.flat(&scene.locks.base),
    );
    let head = bench.ground.head_lock.clone();
    let taken = moves(&base, lock)?;
    let updates = taken.iter().filter(|it| is_update(it));
    subset.taken = updates.map(|it| returned(it, false, None)).collect();
    if let Err(because) = bench.holds(lock)? {
        subset.way = Way::Unchecked { because };
        return Ok(());
    }
    let forward = bench.walk(&base, lock, &[])?;
    if forward.complete {
        subset.commands = forward.commands;
    } else {
        subset.way = Way::LockFile {
            because: first_line(forward.complaint.as_deref().unwrap_or_default()),
        };
    }
    let back = bench.walk(&head, lock, &[])?;
    if back.complete {
        subset.from_head = back.commands;
    }
    subset.lock = Some(match &bench.ground.paper {
        Some(paper) => paper.restored(lock),
        None => lock.to_owned(),
    });
    let cost = Cost::new(scene, &whole.comparison, &request.audit);
    let left = moves(lock, &head)?;
    let returned_all: Vec<_> = left.iter().map(|it| returned(it, false, None)).collect();
    subset.reopened = cost.reopened(&returned_all);
    let found = lock::parse(subset.lock.as_deref().unwrap_or(lock), "Cargo.lock").ok();
    subset.held_back = all_held_back(best, bench.ground.moves(), whole, found.as_ref());
    Ok(())
}

/// What each update waits for; `lock` is the lock file that was found.
fn all_held_back(
    best: &Candidate,
    all: &[Move],
    whole: &Audit,
    lock: Option<&LockFile>,
) -> Vec<HeldBack> {
    let mut found: BTreeMap<usize, HeldBack> = BTreeMap::new();
    for number in &best.held {
        if let Some(held) = all.get(*number).and_then(|it| held_back(it, whole)) {
            found.insert(*number, held);
        }
    }
    let mut links = best.because.clone();
    for (number, held) in &found {
        let with = lock.and_then(|lock| needed_by(held, &found, lock));
        if let Some(link) = with.filter(|_| held.because.is_empty()) {
            links.entry(*number).or_insert(link);
        }
    }
    // What comes along waits as long as what it comes with.
    for _ in 0..found.len() {
        for (number, (text, with)) in &links {
            let day = with
                .and_then(|with| found.get(&with))
                .map(|held| held.until);
            let Some(held) = found.get_mut(number) else {
                continue;
            };
            if held.decision == Decision::Pass {
                held.because = vec![format!("comes with an update that waits: {text}")];
                held.until = day.flatten();
            }
        }
    }
    for held in found.values_mut().filter(|held| held.because.is_empty()) {
        let because = "cannot be without another update that waits";
        held.because.push(because.to_owned());
    }
    found.into_values().collect()
}

/// Which other update that waits needs the release that stays, and in which words.
fn needed_by(
    held: &HeldBack,
    found: &BTreeMap<usize, HeldBack>,
    lock: &LockFile,
) -> Option<(String, Option<usize>)> {
    let is = |package: &LockPackage, it: &HeldBack| {
        package.id.name == it.package && package.id.version == it.stays
    };
    let needs = |parent: &&LockPackage| {
        let children = parent.dependencies.iter();
        let mut children = children.filter_map(|at| lock.packages.get(*at));
        children.any(|child| is(child, held))
    };
    lock.packages.iter().filter(needs).find_map(|parent| {
        let (number, _) = found.iter().find(|(_, other)| is(parent, other))?;
        let text = format!(
            "{} {} needs {} {}",
            parent.id.name, parent.id.version, held.package, held.stays
        );
        Some((text, Some(*number)))
    })
}

/// What an update waits for by itself.
fn held_back(it: &Move, whole: &Audit) -> Option<HeldBack> {
    let (stays, waits) = (it.from.as_ref()?, it.to.as_ref()?);
    let judged = whole
        .changes
        .iter()
        .find(|judged| is_of(it, &judged.change));
    let decision = judged.map_or(Decision::Pass, |judged| judged.decision);
    let id = judged.map(|judged| judged.change.id.as_str());
    let reasons: Vec<&Reason> = whole
        .verdict
        .reasons
        .iter()
        .filter(|reason| reason.change.is_some() && reason.change.as_deref() == id)
        .collect();
    let mut because: Vec<String> = reasons
        .iter()
        .map(|reason| {
            format!(
                "{} ({}): {}",
                reason.decision.as_str(),
                reason.rule,
                reason.because
            )
        })
        .collect();
    // All of its reasons have to go away by waiting.
    let days: Option<Vec<Date>> = reasons.iter().map(|reason| reason.waits_until()).collect();
    let until = days.and_then(|days| days.into_iter().max());
    if because.is_empty() {
        let mut of_whole = whole
            .verdict
            .reasons
            .iter()
            .filter(|it| it.change.is_none());
        because.extend(of_whole.next().map(|reason| {
            format!(
                "{} ({}): {}, and this one is left out",
                reason.decision.as_str(),
                reason.rule,
                reason.because
            )
        }));
    }
    Some(HeldBack {
        package: it.package.clone(),
        stays: stays.version.clone(),
        waits: waits.version.clone(),
        decision,
        because,
        until,
    })
}
