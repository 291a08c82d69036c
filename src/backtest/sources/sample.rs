//! Which upgrades are replayed with archives: of those that went wrong as many as
//! there are, up to three fifths of all archives; beside them ordinary ones of the
//! same years. Each step of a package is taken once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Sample;
use crate::backtest::corpus::{Corpus, Event, Upgrade};
use crate::backtest::measure::{ANY, splitmix};
use crate::pkg::{PackageId, Source};

/// What the sources of an update could foretell. A hot-fix is not among it: that
/// is told by the age of the release, by construction.
pub(super) const LABELS: [&str; 2] = ["bad_adv", "bad_yank_isolated"];

/// One upgrade that was drawn.
pub(super) struct Pick<'c> {
    /// The place of its event.
    pub(super) at: usize,
    pub(super) event: &'c Event,
    pub(super) upgrade: &'c Upgrade,
    /// Whether it was drawn as one of which nothing is known to have gone wrong.
    pub(super) ordinary: bool,
    /// What goes out and what comes in, with their checksums.
    pub(super) archives: Vec<(PackageId, String)>,
}

/// One time that a step was taken.
type Taken<'c> = (usize, &'c Event, &'c Upgrade);

/// The upgrades by step, each with the times it was taken, in an order that the
/// seed draws.
struct Steps<'c> {
    steps: Vec<Vec<Taken<'c>>>,
    seed: u64,
}

/// Draws a sample.
pub(super) fn picks<'c>(
    corpus: &'c Corpus,
    wanted: &[(usize, &'c Event)],
    sample: Sample,
) -> Vec<Pick<'c>> {
    let steps = Steps::new(corpus, wanted, sample.seed);
    let mut drawn = Drawn {
        corpus,
        seen: BTreeSet::new(),
        picks: Vec::new(),
    };
    let bad: Vec<Vec<Taken<'c>>> = LABELS.iter().map(|label| steps.with(label)).collect();
    let longest = bad.iter().map(Vec::len).max().unwrap_or(0);
    // In turn, so that a rare fault is not crowded out by a frequent one.
    for at in 0..longest {
        for taken in bad.iter().filter_map(|of_label| of_label.get(at)) {
            drawn.take(*taken, false, sample.archives * 3 / 5);
        }
    }
    let years: Vec<i16> = drawn.picks.iter().map(|pick| year(pick.event)).collect();
    let mut ordinary = steps.ordinary();
    // Years in the order in which they were drawn, again and again, until nothing fits.
    let mut took = true;
    while took {
        took = false;
        for of in &years {
            let left = ordinary.entry(*of).or_default();
            while let Some(taken) = left.pop() {
                if drawn.take(taken, true, sample.archives) {
                    took = true;
                    break;
                }
            }
        }
    }
    drawn.picks
}

/// What was drawn so far.
struct Drawn<'c> {
    corpus: &'c Corpus,
    /// The archives that are needed.
    seen: BTreeSet<(String, String)>,
    picks: Vec<Pick<'c>>,
}

impl<'c> Drawn<'c> {
    /// Takes an upgrade, unless it was taken or needs more archives than allowed.
    fn take(&mut self, (at, event, upgrade): Taken<'c>, ordinary: bool, most: usize) -> bool {
        let known = |pick: &Pick<'_>| {
            let it = pick.upgrade;
            (&it.name, &it.old, &it.new) == (&upgrade.name, &upgrade.old, &upgrade.new)
        };
        let versions = [&upgrade.old, &upgrade.new];
        let needed = versions.map(|version| (upgrade.name.clone(), version.clone()));
        let more = needed.iter().filter(|it| !self.seen.contains(*it)).count();
        if self.picks.iter().any(known) || self.seen.len() + more > most {
            return false;
        }
        let archives = versions.map(|version| archive(self.corpus, &upgrade.name, version));
        let Some(archives) = archives.into_iter().collect::<Option<Vec<_>>>() else {
            return false;
        };
        self.seen.extend(needed);
        self.picks.push(Pick {
            at,
            event,
            upgrade,
            ordinary,
            archives,
        });
        true
    }
}

impl<'c> Steps<'c> {
    fn new(corpus: &'c Corpus, wanted: &[(usize, &'c Event)], seed: u64) -> Self {
        let mut by_step: BTreeMap<(&str, &str, &str), Vec<Taken<'c>>> = BTreeMap::new();
        for (at, event) in wanted {
            for upgrade in corpus.upgrades.get(&event.event_id).into_iter().flatten() {
                let step = (
                    upgrade.name.as_str(),
                    upgrade.old.as_str(),
                    upgrade.new.as_str(),
                );
                by_step
                    .entry(step)
                    .or_default()
                    .push((*at, *event, upgrade));
            }
        }
        let mut steps: Vec<_> = by_step.into_iter().collect();
        steps.sort_by_key(|((name, old, new), _)| (draw(seed, &[name, old, new]), *name, *old));
        Self {
            steps: steps.into_iter().map(|(_, taken)| taken).collect(),
            seed,
        }
    }

    /// One of some times, by the seed.
    fn once(&self, mut times: Vec<Taken<'c>>) -> Option<Taken<'c>> {
        times.sort_by_key(|(at, event, _)| (draw(self.seed, &[&event.event_id]), *at));
        times.first().copied()
    }

    /// Steps that went wrong so, once each.
    fn with(&self, label: &str) -> Vec<Taken<'c>> {
        let bad = |steps: &Vec<Taken<'c>>| {
            let each = steps.iter().copied();
            self.once(
                each.filter(|(_, _, it)| it.labels.get(label) == Some(&true))
                    .collect(),
            )
        };
        self.steps.iter().filter_map(bad).collect()
    }

    /// By year the steps that never went wrong, once each; the first that is to be
    /// taken stands last.
    fn ordinary(&self) -> BTreeMap<i16, Vec<Taken<'c>>> {
        let mut by_year: BTreeMap<i16, Vec<Taken<'c>>> = BTreeMap::new();
        for times in self.steps.iter().rev() {
            let fine = |(_, _, it): &Taken<'_>| {
                it.labels.get(ANY) == Some(&false)
                    && LABELS
                        .iter()
                        .all(|label| it.labels.get(*label) != Some(&true))
            };
            if times.iter().all(fine)
                && let Some(taken) = self.once(times.clone())
            {
                by_year.entry(year(taken.1)).or_default().push(taken);
            }
        }
        by_year
    }
}

fn year(event: &Event) -> i16 {
    event.commit_time.to_zoned(jiff::tz::TimeZone::UTC).year()
}

/// A number that depends on the seed and on some words.
fn draw(seed: u64, words: &[&str]) -> u64 {
    let mut state = splitmix(seed);
    for word in words {
        for byte in word.bytes() {
            state = splitmix(state ^ u64::from(byte));
        }
        state = splitmix(state);
    }
    state
}

/// A line of an index entry, as far as it is used.
#[derive(Deserialize)]
struct Line {
    vers: String,
    cksum: String,
}

/// A release with the checksum that the index has.
fn archive(corpus: &Corpus, name: &str, version: &str) -> Option<(PackageId, String)> {
    let entry = corpus.index.get(name)?;
    let lines = entry.split(|byte| *byte == b'\n');
    let line = lines
        .filter_map(|line| serde_json::from_slice::<Line>(line).ok())
        .find(|line| line.vers == version)?;
    let id = PackageId {
        name: name.to_owned(),
        version: version.parse().ok()?,
        source: Source::CratesIo,
    };
    Some((id, line.cksum.to_ascii_lowercase()))
}
