//! From a refresh that does not pass as a whole to the largest part of it that
//! does. A search over lock files that hold, each put before the policy.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::bench::Bench;
use super::cost::Cost;
use super::rollback::{is_of, returned};
use super::scene::{Scene, first_line};
use super::{RemedyError, Reopened, UpdateCommand, Way};
use crate::audit::{self, Audit};
use crate::host::Host;
use crate::lockfile::{Move, Set, moves};
use crate::policy::{Decision, Reason};

/// So many lock files are put before the policy, unless another number is asked for.
pub const TRIES: usize = 64;
/// Where there are more sets than this, not all of them are looked at.
const LOOKED_AT: usize = 512;

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
    let mut search = Search {
        request,
        host,
        bench: &mut bench,
        judged: BTreeMap::new(),
        left: request.tries.max(1),
    };
    let found = search.largest(&whole)?;
    subset.tries += request.tries.max(1) - search.left;
    match found {
        Found::None(because) => subset.way = Way::None { because },
        Found::Set { best, proven } => {
            subset.proven = proven;
            fill(&mut subset, &best, &whole, &scene, &mut bench, request)?;
        }
    }
    Ok(subset)
}

/// What the search ends with.
enum Found {
    /// No lock file passes.
    None(String),
    /// This one passes, and is the largest that was found.
    Set { best: Candidate, proven: bool },
}

/// One lock file that holds.
struct Candidate {
    lock: String,
    /// The updates that it holds back, by number.
    held: Set,
    /// Why one of them comes along, and with which other.
    because: BTreeMap<usize, (String, Option<usize>)>,
}

struct Search<'s, 'h> {
    request: &'s SubsetRequest,
    host: &'h Host,
    bench: &'s mut Bench<'h>,
    /// What the policy said, by the updates that are held back.
    judged: BTreeMap<Set, (Decision, Set)>,
    /// How often the policy may still be asked.
    left: usize,
}

impl Search<'_, '_> {
    fn largest(&mut self, whole: &Audit) -> Result<Found, RemedyError> {
        if whole.verdict.decision == Decision::Pass {
            return Ok(Found::Set {
                best: Candidate {
                    lock: self.bench.ground.head_lock.clone(),
                    held: Set::new(),
                    because: BTreeMap::new(),
                },
                proven: true,
            });
        }
        let best = match self.first(whole)? {
            Ok(best) => best,
            Err(because) => return Ok(Found::None(because)),
        };
        let (mut best, proven) = self.improved(best)?;
        // Told anew from what does not pass by itself: the rest comes along.
        let own: Set = self
            .held_by(whole)
            .intersection(&best.held)
            .copied()
            .collect();
        if let Ok(again) = self.settle(&own)?
            && again.held == best.held
        {
            best.because = again.because;
        }
        Ok(Found::Set { best, proven })
    }

    /// A first set that passes: what the policy does not let pass is held back,
    /// until it lets all of the rest. The inner error says why there is none.
    fn first(&mut self, whole: &Audit) -> Result<Result<Candidate, String>, RemedyError> {
        let mut back = self.held_by(whole);
        let mut risky = self.by_risk(whole);
        loop {
            let candidate = match self.settle(&back)? {
                Ok(candidate) => candidate,
                Err(because) => return Ok(Err(because)),
            };
            let Some((decision, more)) = self.judge(&candidate)? else {
                return Ok(Err(format!(
                    "none passed among {} lock files",
                    self.request.tries
                )));
            };
            if decision == Decision::Pass {
                return Ok(Ok(candidate));
            }
            let before = back.len();
            back.extend(candidate.held.iter().copied());
            back.extend(more);
            // A reason that concerns the whole difference: the riskiest goes first.
            if back.len() == before {
                let next = risky.iter().position(|number| !back.contains(number));
                let Some(next) = next else {
                    return Ok(Err(
                        "the difference does not pass with all updates held back".to_owned(),
                    ));
                };
                back.insert(risky.remove(next));
            }
        }
    }

    /// Tries what is larger: first each held-back update on top of the best, then
    /// every set that holds back fewer. Says whether all of these were tried.
    fn improved(&mut self, mut best: Candidate) -> Result<(Candidate, bool), RemedyError> {
        let mut again = true;
        while again {
            again = false;
            for number in best.held.clone() {
                let mut fewer = best.held.clone();
                fewer.remove(&number);
                let Ok(candidate) = self.settle(&fewer)? else {
                    continue;
                };
                if candidate.held.len() >= best.held.len() {
                    continue;
                }
                match self.judge(&candidate)? {
                    None => return Ok((best, false)),
                    Some((Decision::Pass, _)) => {
                        best = candidate;
                        again = true;
                        break;
                    }
                    Some(_) => {}
                }
            }
        }
        let updates: Vec<usize> = self.updates();
        if choices(updates.len(), best.held.len()) > LOOKED_AT {
            return Ok((best, false));
        }
        for size in 1..best.held.len() {
            let mut chosen: Vec<usize> = (0..size).collect();
            loop {
                let back: Set = chosen
                    .iter()
                    .filter_map(|at| updates.get(*at))
                    .copied()
                    .collect();
                if let Ok(candidate) = self.settle(&back)?
                    && candidate.held.len() == size
                {
                    match self.judge(&candidate)? {
                        None => return Ok((best, false)),
                        Some((Decision::Pass, _)) => return Ok((candidate, true)),
                        Some(_) => {}
                    }
                }
                if !next_choice(&mut chosen, updates.len()) {
                    break;
                }
            }
        }
        Ok((best, true))
    }

    /// The moves that put one version in the place of another.
    fn updates(&self) -> Vec<usize> {
        let all = self.bench.ground.moves().iter().enumerate();
        all.filter(|(_, it)| is_update(it))
            .map(|(number, _)| number)
            .collect()
    }

    fn settle(&mut self, back: &Set) -> Result<Result<Candidate, String>, RemedyError> {
        let settled = match self.bench.settle(back, &Set::new())? {
            Ok(settled) => settled,
            Err(stuck) => return Ok(Err(stuck.because)),
        };
        let left = moves(&settled.lock, &self.bench.ground.head_lock)?;
        let all = self.bench.ground.moves();
        let held = left.iter().filter(|it| is_update(it)).filter_map(|it| {
            all.iter()
                .position(|other| other.package == it.package && other.to == it.to)
        });
        Ok(Ok(Candidate {
            held: held.collect(),
            lock: settled.lock,
            because: settled.because,
        }))
    }

    /// What the policy says to a lock file, and which of its updates it does not
    /// let pass; `None` when it was asked often enough.
    fn judge(&mut self, candidate: &Candidate) -> Result<Option<(Decision, Set)>, RemedyError> {
        if let Some(known) = self.judged.get(&candidate.held) {
            return Ok(Some(known.clone()));
        }
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let lock = match &self.bench.ground.paper {
            Some(paper) => paper.restored(&candidate.lock),
            None => candidate.lock.clone(),
        };
        let audit = audit::run_with_lock(&self.request.audit, &lock, self.host, &|_| {})?;
        let judged = (audit.verdict.decision, self.held_by(&audit));
        self.judged.insert(candidate.held.clone(), judged.clone());
        Ok(Some(judged))
    }

    /// The moves that an audit does not let pass, and those that forced them where
    /// they are no updates themselves.
    fn held_by(&self, audit: &Audit) -> Set {
        let all = self.bench.ground.moves();
        let judged = audit.changes.iter();
        let held = judged.filter(|judged| judged.decision != Decision::Pass);
        held.flat_map(|judged| {
            let numbers = all.iter().enumerate();
            numbers
                .filter(|(_, it)| is_of(it, &judged.change))
                .map(|(number, _)| number)
        })
        .collect()
    }

    /// All updates, those of the highest risk first.
    fn by_risk(&self, audit: &Audit) -> Vec<usize> {
        let all = self.bench.ground.moves();
        let mut ranked: Vec<usize> = Vec::new();
        for judged in audit.ranked() {
            let numbers = all.iter().enumerate();
            ranked.extend(
                numbers
                    .filter(|(_, it)| is_update(it) && is_of(it, &judged.change))
                    .map(|(number, _)| number),
            );
        }
        let known: BTreeSet<usize> = ranked.iter().copied().collect();
        ranked.extend(
            self.updates()
                .into_iter()
                .filter(|number| !known.contains(number)),
        );
        ranked
    }
}

fn is_update(it: &Move) -> bool {
    it.from.is_some() && it.to.is_some()
}

/// How many choices of fewer than `most` there are out of `count`, without the
/// empty one; at most one more than can be looked at.
fn choices(count: usize, most: usize) -> usize {
    let mut all = 0_usize;
    let mut of_size = 1_usize;
    for size in 1..most {
        of_size = of_size.saturating_mul(count + 1 - size) / size;
        all = all.saturating_add(of_size);
        if all > LOOKED_AT {
            return LOOKED_AT + 1;
        }
    }
    all
}

/// The next choice of as many places out of `count`, in order; `false` at the end.
fn next_choice(chosen: &mut [usize], count: usize) -> bool {
    let size = chosen.len();
    for at in (0..size).rev() {
        let limit = count - (size - at);
        let Some(place) = chosen.get(at).copied().filter(|place| *place < limit) else {
            continue;
        };
        for (step, slot) in chosen.iter_mut().skip(at).enumerate() {
            *slot = place + 1 + step;
        }
        return true;
    }
    false
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
    subset.held_back = all_held_back(best, bench.ground.moves(), whole);
    Ok(())
}

/// What each update waits for.
fn all_held_back(best: &Candidate, all: &[Move], whole: &Audit) -> Vec<HeldBack> {
    let mut found: BTreeMap<usize, HeldBack> = BTreeMap::new();
    for number in &best.held {
        if let Some(held) = all.get(*number).and_then(|it| held_back(it, whole)) {
            found.insert(*number, held);
        }
    }
    // What comes along waits as long as what it comes with.
    for _ in 0..found.len() {
        for (number, (text, with)) in &best.because {
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
    found.into_values().collect()
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
        because.push(match of_whole.next() {
            Some(reason) => format!(
                "{} ({}): {}, and this one is left out",
                reason.decision.as_str(),
                reason.rule,
                reason.because
            ),
            None => "cannot be without another update that waits".to_owned(),
        });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_comes_once_and_in_order() {
        let mut chosen = vec![0, 1];
        let mut all = vec![chosen.clone()];
        while next_choice(&mut chosen, 4) {
            all.push(chosen.clone());
        }
        assert_eq!(
            all,
            [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]].map(Vec::from)
        );
        // One of four, two of four.
        assert_eq!(choices(4, 3), 4 + 6);
        assert_eq!(choices(4, 1), 0);
        assert_eq!(choices(200, 100), LOOKED_AT + 1);
        let mut whole = vec![0, 1, 2];
        assert!(!next_choice(&mut whole, 3));
    }
}
