//! The search for the updates that do it. Pure: it asks a bench for the outcome
//! of a set of updates, and the fewer it asks the better.
//!
//! A divide-and-conquer search for a minimal conflict (Junker, *QuickXPlain*,
//! AAAI 2004): it finds one guilty update as well as several that only fail
//! together. Each split is where half of the suspicion lies, so that a model
//! that is right needs fewer trials than halving by number would.

use crate::lockfile::Set;

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Good,
    /// It fails.
    Bad,
    /// It cannot be told, for this reason.
    Skipped(String),
}

/// Tries sets of updates.
pub trait Bench {
    /// Why it broke down.
    type Error;

    /// The set that is really in place when this one is asked for: updates that
    /// others need come with them.
    ///
    /// # Errors
    /// When the bench breaks down.
    fn closed(&mut self, set: &Set) -> Result<Set, Self::Error>;

    /// Builds and tries a set. Asked again for a set with the same outcome, it
    /// remembers.
    ///
    /// # Errors
    /// When the bench breaks down.
    fn outcome(&mut self, set: &Set) -> Result<Verdict, Self::Error>;
}

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Found {
    /// Sets of updates that fail, none of which can be left out of its set.
    pub guilty: Vec<Set>,
    /// All the others together are well.
    pub others_are_well: bool,
    /// Each set fails alone.
    pub fails_alone: bool,
    /// Updates that stand in the sets only because nothing could be built
    /// without them.
    pub inseparable: Set,
}

/// At most so many sets of guilty updates are looked for.
const MOST_CULPRITS: usize = 6;

/// Finds the guilty updates among `suspicion.len()`, of which none is well and
/// all fail. Suspicion is a positive weight.
///
/// # Errors
/// When the bench breaks down.
pub fn find<B: Bench>(bench: &mut B, suspicion: &[f64]) -> Result<Found, B::Error> {
    let mut left: Set = (0..suspicion.len()).collect();
    let mut found = Found {
        fails_alone: true,
        ..Found::default()
    };
    let mut search = Search {
        bench,
        suspicion,
        inseparable: Set::new(),
    };
    while found.guilty.len() < MOST_CULPRITS && !left.is_empty() {
        let mut guilty = search.minimal(&Set::new(), &left)?;
        guilty = search.without_company(guilty)?;
        found.fails_alone &= search.bench.outcome(&guilty)? == Verdict::Bad;
        left = search.others(&left, &guilty)?;
        found.guilty.push(guilty);
        match search.bench.outcome(&left)? {
            Verdict::Good => {
                found.others_are_well = true;
                break;
            }
            Verdict::Bad => {}
            Verdict::Skipped(_) => break,
        }
    }
    found.inseparable = search.inseparable;
    Ok(found)
}

struct Search<'b, B> {
    bench: &'b mut B,
    suspicion: &'b [f64],
    inseparable: Set,
}

impl<B: Bench> Search<'_, B> {
    fn weight(&self, update: usize) -> f64 {
        self.suspicion
            .get(update)
            .copied()
            .filter(|weight| weight.is_finite() && *weight > 0.0)
            .unwrap_or(1e-3)
    }

    /// The smallest part of `set` that fails on top of `ground`; `ground` alone
    /// is well, and with all of `set` it fails.
    fn minimal(&mut self, ground: &Set, set: &Set) -> Result<Set, B::Error> {
        if set.len() <= 1 {
            return Ok(set.clone());
        }
        for (first, second) in self.splits(set) {
            match self.bench.outcome(&union(ground, &first))? {
                Verdict::Bad => return self.minimal(ground, &first),
                Verdict::Good => {
                    let with_first = union(ground, &first);
                    let late = self.minimal(&with_first, &second)?;
                    let early = match self.bench.outcome(&union(ground, &late))? {
                        Verdict::Bad => Set::new(),
                        Verdict::Good => self.minimal(&union(ground, &late), &first)?,
                        Verdict::Skipped(_) => self.needed(ground, &late, &first)?,
                    };
                    return Ok(union(&early, &late));
                }
                Verdict::Skipped(_) => {}
            }
        }
        self.inseparable.extend(set);
        Ok(set.clone())
    }

    /// `late` cannot be tried without some of `first`: leaves out of `first` what
    /// can be left out, one after the other.
    fn needed(&mut self, ground: &Set, late: &Set, first: &Set) -> Result<Set, B::Error> {
        let mut kept = first.clone();
        for update in first {
            let mut less = kept.clone();
            less.remove(update);
            let tried = union(&union(ground, late), &less);
            if self.bench.outcome(&tried)? == Verdict::Bad {
                kept = less;
            }
        }
        self.inseparable.extend(&kept);
        Ok(kept)
    }

    /// Ways to split a set in two, the one at half of the suspicion first. The
    /// first part is the more suspicious one.
    fn splits(&self, set: &Set) -> Vec<(Set, Set)> {
        let mut order: Vec<usize> = set.iter().copied().collect();
        order.sort_by(|a, b| {
            self.weight(*b)
                .total_cmp(&self.weight(*a))
                .then_with(|| a.cmp(b))
        });
        let total: f64 = order.iter().map(|update| self.weight(*update)).sum();
        let mut sum = 0.0;
        let mut best = (f64::INFINITY, 1);
        for (place, update) in order.iter().enumerate() {
            sum += self.weight(*update);
            let off = (sum - total / 2.0).abs();
            if off < best.0 - 1e-12 && place + 1 < order.len() {
                best = (off, place + 1);
            }
        }
        let mut places: Vec<usize> = (1..order.len()).collect();
        places.sort_by_key(|place| (place.abs_diff(best.1), *place));
        places
            .into_iter()
            .map(|place| {
                (
                    order.iter().take(place).copied().collect(),
                    order.iter().skip(place).copied().collect(),
                )
            })
            .collect()
    }

    /// A guilty update may bring others along: then it may be one of those.
    fn without_company(&mut self, mut guilty: Set) -> Result<Set, B::Error> {
        loop {
            let with = self.bench.closed(&guilty)?;
            let company: Set = with.difference(&guilty).copied().collect();
            if company.is_empty() || self.bench.outcome(&company)? != Verdict::Bad {
                return Ok(guilty);
            }
            guilty = self.minimal(&Set::new(), &company)?;
        }
    }

    /// All but the guilty ones, and but those that would bring them back.
    fn others(&mut self, left: &Set, guilty: &Set) -> Result<Set, B::Error> {
        let mut others: Set = left.difference(guilty).copied().collect();
        if self.bench.closed(&others)?.is_disjoint(guilty) {
            return Ok(others);
        }
        let mut kept = Set::new();
        for update in std::mem::take(&mut others) {
            if self.bench.closed(&Set::from([update]))?.is_disjoint(guilty) {
                kept.insert(update);
            }
        }
        Ok(kept)
    }
}

fn union(a: &Set, b: &Set) -> Set {
    a.union(b).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;

    /// Fails when one of the conflicts is in place as a whole.
    struct Made {
        conflicts: Vec<Set>,
        needs: Vec<(usize, usize)>,
        broken: Vec<(usize, usize)>,
        tried: BTreeMap<Set, Verdict>,
    }

    fn made(conflicts: &[&[usize]]) -> Made {
        Made {
            conflicts: conflicts
                .iter()
                .map(|conflict| conflict.iter().copied().collect())
                .collect(),
            needs: Vec::new(),
            broken: Vec::new(),
            tried: BTreeMap::new(),
        }
    }

    impl Bench for Made {
        type Error = Infallible;

        fn closed(&mut self, set: &Set) -> Result<Set, Infallible> {
            let mut closed = set.clone();
            for _ in 0..10 {
                for (update, needed) in &self.needs {
                    if closed.contains(update) {
                        closed.insert(*needed);
                    }
                }
            }
            Ok(closed)
        }

        fn outcome(&mut self, set: &Set) -> Result<Verdict, Infallible> {
            let set = self.closed(set)?;
            let skipped = self
                .broken
                .iter()
                .any(|(a, b)| set.contains(a) != set.contains(b));
            let verdict = if skipped {
                Verdict::Skipped("does not compile".to_owned())
            } else if self
                .conflicts
                .iter()
                .any(|conflict| conflict.is_subset(&set))
            {
                Verdict::Bad
            } else {
                Verdict::Good
            };
            self.tried.insert(set, verdict.clone());
            Ok(verdict)
        }
    }

    fn guilty(found: &Found) -> Vec<Vec<usize>> {
        found
            .guilty
            .iter()
            .map(|set| set.iter().copied().collect())
            .collect()
    }

    #[test]
    fn every_single_culprit_of_seventy_is_found() {
        for culprit in 0..70 {
            let mut bench = made(&[&[culprit]]);
            let found = find(&mut bench, &[1.0; 70]).unwrap();
            assert_eq!(guilty(&found), [[culprit]]);
            assert!(found.others_are_well && found.fails_alone);
            assert!(bench.tried.len() <= 15, "{culprit}: {}", bench.tried.len());
        }
    }

    #[test]
    fn right_suspicion_needs_fewer_trials_than_halving() {
        let mut total = 0;
        for culprit in 0..21 {
            let mut weights = [1.0; 21];
            weights[culprit] = 40.0;
            let mut bench = made(&[&[culprit]]);
            assert_eq!(guilty(&find(&mut bench, &weights).unwrap()), [[culprit]]);
            total += bench.tried.len();
        }
        // Alone it fails, without it all is well: two trials, where log2 21 = 4.4.
        assert_eq!(total, 2 * 21);
    }

    #[test]
    fn two_that_only_fail_together_are_found_together() {
        for (a, b) in [(0, 1), (3, 17), (19, 20), (0, 20)] {
            let mut bench = made(&[&[a, b]]);
            let found = find(&mut bench, &[1.0; 21]).unwrap();
            assert_eq!(guilty(&found), [[a, b]]);
            assert!(found.others_are_well && found.fails_alone);
            assert!(bench.tried.len() <= 25, "{}", bench.tried.len());
        }
    }

    #[test]
    fn two_that_fail_apart_are_both_found() {
        let found = find(&mut made(&[&[4], &[15]]), &[1.0; 21]).unwrap();
        let mut all = guilty(&found);
        all.sort();
        assert_eq!(all, [[4], [15]]);
        assert!(found.others_are_well);
    }

    #[test]
    fn an_update_that_brings_the_guilty_one_along_is_not_blamed() {
        let mut bench = made(&[&[7]]);
        bench.needs = vec![(2, 7), (3, 2)];
        let mut weights = [1.0; 12];
        weights[3] = 50.0;
        let found = find(&mut bench, &weights).unwrap();
        assert_eq!(guilty(&found), [[7]]);
        assert!(found.others_are_well);
    }

    #[test]
    fn what_does_not_compile_is_gone_around() {
        let mut bench = made(&[&[5]]);
        bench.broken = vec![(1, 2), (8, 9)];
        let found = find(&mut bench, &[1.0; 12]).unwrap();
        assert_eq!(guilty(&found), [[5]]);
        assert!(found.inseparable.is_empty());
    }

    #[test]
    fn what_cannot_be_built_apart_is_named_together() {
        let mut bench = made(&[&[5]]);
        bench.broken = vec![(5, 6)];
        let found = find(&mut bench, &[1.0; 12]).unwrap();
        assert_eq!(guilty(&found), [[5, 6]]);
        assert_eq!(found.inseparable, Set::from([5, 6]));
    }
}
