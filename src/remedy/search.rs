//! The search of `subset`: lock files that hold, each put before the policy, from a
//! first one that passes to the largest.

use std::collections::{BTreeMap, BTreeSet};

use super::RemedyError;
use super::bench::Bench;
use super::rollback::is_of;
use super::subset::SubsetRequest;
use crate::audit::{self, Audit};
use crate::host::Host;
use crate::lockfile::{Move, Set, moves};
use crate::policy::Decision;

/// Where there are more sets than this, not all of them are looked at.
const LOOKED_AT: usize = 512;

/// What the search ends with.
pub(super) enum Found {
    /// No lock file passes: why, and which updates stand in the way by number.
    None { because: String, refused: Set },
    /// This one passes, and is the largest that was found.
    Set { best: Candidate, proven: bool },
}

/// One lock file that holds.
pub(super) struct Candidate {
    pub(super) lock: String,
    /// The updates that it holds back, by number.
    pub(super) held: Set,
    /// Why one of them comes along, and with which other.
    pub(super) because: BTreeMap<usize, (String, Option<usize>)>,
}

pub(super) struct Search<'s, 'h> {
    request: &'s SubsetRequest,
    host: &'h Host,
    bench: &'s mut Bench<'h>,
    /// The updates that the head's manifests cannot be without, and why.
    needed: BTreeMap<usize, String>,
    /// Those of them that do not pass even with all others held back.
    refused: Set,
    /// What the policy said, by the updates that are held back.
    judged: BTreeMap<Set, (Decision, Set)>,
    /// How often the policy may still be asked.
    left: usize,
}

impl<'s, 'h> Search<'s, 'h> {
    pub(super) fn new(
        request: &'s SubsetRequest,
        host: &'h Host,
        bench: &'s mut Bench<'h>,
    ) -> Self {
        Self {
            request,
            host,
            bench,
            needed: BTreeMap::new(),
            refused: Set::new(),
            judged: BTreeMap::new(),
            left: request.tries.max(1),
        }
    }

    /// How often the policy was asked.
    pub(super) fn tries(&self) -> usize {
        self.request.tries.max(1) - self.left
    }

    /// The updates that the policy does not let pass by themselves and that have to
    /// come in all the same, each with the reason.
    pub(super) fn unavoidable(&self, whole: &Audit) -> Vec<String> {
        let held = self.held_by(whole);
        let needed = self.needed.iter();
        let needed = needed.filter(|(number, _)| held.contains(number));
        needed.map(|(_, because)| because.clone()).collect()
    }

    pub(super) fn largest(&mut self, whole: &Audit) -> Result<Found, RemedyError> {
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
            Err(because) => {
                let refused = std::mem::take(&mut self.refused);
                return Ok(Found::None { because, refused });
            }
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
        let mut least_asked = false;
        loop {
            let candidate = match self.settle(&back)? {
                Ok(candidate) => candidate,
                Err(because) => return Ok(Err(because)),
            };
            let Some((decision, more)) = self.judge(&candidate)? else {
                return Ok(Err(self.out_of_tries()));
            };
            if decision == Decision::Pass {
                return Ok(Ok(candidate));
            }
            // What has to come in does not pass: perhaps with nothing beside it.
            let unavoidable = more.iter().find(|number| self.needed.contains_key(number));
            if let Some(number) = unavoidable.filter(|_| !least_asked) {
                least_asked = true;
                if let Err(because) = self.least(*number)? {
                    return Ok(Err(because));
                }
            }
            back.retain(|number| !self.needed.contains_key(number));
            let before = back.len();
            back.extend(candidate.held.iter().copied());
            back.extend(more);
            back.retain(|number| !self.needed.contains_key(number));
            // A reason that concerns the whole difference: the riskiest goes first.
            if back.len() == before {
                let next = risky
                    .iter()
                    .position(|it| !back.contains(it) && !self.needed.contains_key(it));
                let Some(next) = next else {
                    return Ok(Err(
                        "the difference does not pass with all updates held back".to_owned(),
                    ));
                };
                back.insert(risky.remove(next));
            }
        }
    }

    /// Whether anything passes with an update that has to come in: all others are
    /// held back. The inner error says why not.
    fn least(&mut self, number: usize) -> Result<Result<(), String>, RemedyError> {
        let all = self.updates().into_iter().collect();
        let candidate = match self.settle(&all)? {
            Ok(candidate) => candidate,
            Err(because) => return Ok(Err(because)),
        };
        let Some((decision, held)) = self.judge(&candidate)? else {
            return Ok(Err(self.out_of_tries()));
        };
        if decision == Decision::Pass {
            return Ok(Ok(()));
        }
        let is_needed = |it: &usize| self.needed.contains_key(it);
        self.refused = held.iter().copied().filter(is_needed).collect();
        let number = self.refused.first().copied().unwrap_or(number);
        let because = self.needed.get(&number).map_or("", String::as_str);
        Ok(Err(format!(
            "{because}, which does not pass with all others held back"
        )))
    }

    fn out_of_tries(&self) -> String {
        format!("none passed among {} lock files", self.request.tries)
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
        let mut updates = self.updates();
        updates.retain(|number| !self.needed.contains_key(number));
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

    /// The lock file that holds these back, except for what the head's manifests
    /// need. The inner error says why there is none.
    fn settle(&mut self, back: &Set) -> Result<Result<Candidate, String>, RemedyError> {
        let mut asked = back.clone();
        asked.retain(|number| !self.needed.contains_key(number));
        let settled = loop {
            let kept = self.needed.keys().copied().collect();
            let stuck = match self.bench.settle(&asked, &kept)? {
                Ok(settled) => break settled,
                Err(stuck) => stuck,
            };
            // What is asked for, or what would have to come along with it.
            match stuck
                .blocked
                .filter(|number| !self.needed.contains_key(number))
            {
                Some(number) => {
                    asked.remove(&number);
                    self.needed.insert(number, stuck.because);
                }
                None => return Ok(Err(stuck.because)),
            }
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

pub(super) fn is_update(it: &Move) -> bool {
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
