//! What was seen of each instance, cut into lives of one process, and what the
//! lives of one side have in common.

use std::collections::{BTreeMap, BTreeSet};

use crate::stats::median;

/// One series as it came: values at steps of the window.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Series {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Step and value, in order.
    pub samples: Vec<(i64, f64)>,
}

/// The labels that name an instance, the first that is there.
const INSTANCE: [&str; 2] = ["pod", "instance"];

impl Series {
    /// The instance that it is of: the pod, else the address.
    #[must_use]
    pub fn instance(&self) -> String {
        INSTANCE
            .iter()
            .find_map(|label| self.labels.get(*label))
            .filter(|name| !name.is_empty())
            .cloned()
            .unwrap_or_default()
    }

    /// Its values over seconds since the start of the window.
    #[must_use]
    pub fn points(&self, step: f64) -> Vec<(f64, f64)> {
        over_seconds(&self.samples, step)
    }
}

fn over_seconds(samples: &[(i64, f64)], step: f64) -> Vec<(f64, f64)> {
    samples
        .iter()
        .map(|(tick, value)| {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
            let at = *tick as f64;
            (at * step, *value)
        })
        .collect()
}

/// One process of one instance, as one metric saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    /// The instance.
    pub instance: String,
    /// Step and value without its warm-up, in order.
    pub samples: Vec<(i64, f64)>,
}

impl Life {
    /// Its values over seconds since the start of the window.
    pub(super) fn points(&self, step: f64) -> Vec<(f64, f64)> {
        over_seconds(&self.samples, step)
    }
}

/// When the processes of one side began, and how much they did.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Course {
    /// By instance: the first step at which a new process was seen, and when it began,
    /// in steps. The first entry is the process that was there before, if any.
    begins: BTreeMap<String, Vec<(i64, f64)>>,
    /// By instance: requests since the start of the window, resets taken out.
    requests: BTreeMap<String, Vec<(i64, f64)>>,
}

impl Course {
    /// From the times of start (`None`: nothing is known of them), in seconds since
    /// 1970, and the counters of requests. `origin` is the start of the window in
    /// seconds since 1970, `step` its resolution in seconds.
    pub(super) fn new(starts: &[Series], requests: &[Series], origin: f64, step: f64) -> Self {
        let mut course = Self::default();
        for series in starts {
            let begins = course.begins.entry(series.instance()).or_default();
            let mut last = f64::NEG_INFINITY;
            for (tick, began) in &series.samples {
                // The time of start wavers by some milliseconds where it is computed.
                if began - last > 1.0 {
                    begins.push((*tick, (began - origin) / step));
                    last = *began;
                }
            }
            begins.sort_by_key(|(tick, _)| *tick);
        }
        let mut counted: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
        let mut reset: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for series in requests {
            let instance = series.instance();
            let counted = counted.entry(instance.clone()).or_default();
            let mut last: Option<f64> = None;
            for (tick, value) in &series.samples {
                let more = match last {
                    Some(last) if *value >= last => value - last,
                    // A counter that starts anew has counted what it shows.
                    Some(_) => {
                        reset.entry(instance.clone()).or_default().insert(*tick);
                        *value
                    }
                    None => 0.0,
                };
                *counted.entry(*tick).or_default() += more;
                last = Some(*value);
            }
        }
        for (instance, counted) in counted {
            let mut total = 0.0;
            let sums = counted.into_iter().map(|(tick, more)| {
                total += more;
                (tick, total)
            });
            course.requests.insert(instance, sums.collect());
        }
        // Where no times of start are told, a counter that starts anew tells.
        for (instance, ticks) in reset {
            course.begins.entry(instance).or_insert_with(|| {
                ticks
                    .into_iter()
                    .map(|tick| {
                        #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
                        let at = tick as f64;
                        (tick, at)
                    })
                    .collect()
            });
        }
        course
    }

    /// How many processes began within the window after another one of the same
    /// instance.
    pub(super) fn restarts(&self) -> BTreeMap<&str, usize> {
        self.begins
            .iter()
            .map(|(instance, begins)| {
                let again = begins
                    .iter()
                    .filter(|(tick, began)| *tick > 0 && *began > 0.0);
                let first = begins
                    .first()
                    .is_some_and(|(tick, began)| *tick > 0 && *began > 0.0);
                let known = self
                    .requests
                    .get(instance)
                    .and_then(|counted| counted.first());
                // The first process of an instance that came later is no restart.
                let came = first
                    && known
                        .is_none_or(|(tick, _)| begins.first().is_some_and(|(at, _)| tick >= at));
                (instance.as_str(), again.count() - usize::from(came))
            })
            .collect()
    }

    /// Requests per step of each instance, the median over instances; `None` when
    /// they are not counted.
    pub(super) fn rate(&self) -> Option<f64> {
        let rates: Vec<f64> = self
            .requests
            .values()
            .filter_map(|counted| {
                let (first, last) = (counted.first()?, counted.last()?);
                #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
                let steps = (last.0 - first.0) as f64;
                (steps >= 4.0).then(|| (last.1 - first.1) / steps)
            })
            .collect();
        median(&rates)
    }

    /// Whether there were clearly fewer requests at the end of the window than at its
    /// start or in its middle; `false` when they are not counted.
    pub(super) fn load_falls(&self) -> bool {
        let changes: Vec<f64> = self
            .requests
            .values()
            .filter_map(|counted| {
                let at = |share: usize| counted.get((counted.len() - 1) * share / 4);
                let rate = |from: usize| {
                    let (a, b) = (at(from)?, at(from + 1)?);
                    #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
                    let steps = (b.0 - a.0) as f64;
                    (steps >= 4.0).then(|| (b.1 - a.1) / steps)
                };
                let before = rate(0)?.max(rate(1)?).max(rate(2)?);
                (before > 0.0).then_some(rate(3)? / before)
            })
            .collect();
        median(&changes).is_some_and(|change| change < 0.95)
    }

    /// Requests of an instance until a step, linear between counts.
    pub(super) fn requests_at(&self, instance: &str, tick: i64) -> Option<f64> {
        let counted = self.requests.get(instance)?;
        let place = counted.partition_point(|(at, _)| *at < tick);
        match (
            place.checked_sub(1).and_then(|at| counted.get(at)),
            counted.get(place),
        ) {
            (_, Some((at, total))) if *at == tick => Some(*total),
            (Some(before), Some(after)) => {
                #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
                let share = (tick - before.0) as f64 / (after.0 - before.0) as f64;
                Some(before.1 + share * (after.1 - before.1))
            }
            (Some(last), None) => Some(last.1),
            (None, Some(first)) => Some(first.1),
            (None, None) => None,
        }
    }

    /// Cuts series into lives, without the first `warm_up` steps of each process.
    /// A process that was there at the start of the window and of whose start
    /// nothing is known has warmed up.
    pub(super) fn lives(&self, series: &[Series], warm_up: f64) -> Vec<Life> {
        let mut lives = Vec::new();
        for series in series {
            let instance = series.instance();
            let known = self.begins.get(&instance);
            let first = series.samples.first().map_or(0, |(tick, _)| *tick);
            let mut cuts: Vec<(i64, f64)> = known.cloned().unwrap_or_default();
            if cuts.first().is_none_or(|(tick, _)| *tick > first) {
                // A process before the first that is known, or one that came later.
                #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
                let began = if first > 2 {
                    first as f64
                } else {
                    f64::NEG_INFINITY
                };
                cuts.insert(0, (first, began));
            }
            for (place, (from, began)) in cuts.iter().enumerate() {
                let until = cuts.get(place + 1).map_or(i64::MAX, |(tick, _)| *tick);
                let samples: Vec<(i64, f64)> = series
                    .samples
                    .iter()
                    .copied()
                    .filter(|(tick, _)| (*from..until).contains(tick))
                    .filter(|(tick, _)| {
                        #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
                        let at = *tick as f64;
                        at >= began + warm_up
                    })
                    .collect();
                if !samples.is_empty() {
                    lives.push(Life {
                        instance: instance.clone(),
                        samples,
                    });
                }
            }
        }
        lives
    }
}

/// What the lives of a side have in common: for each group of lives that overlap in
/// time one series, the median of its lives with their levels taken out. Groups that
/// do not overlap have no level in common.
pub(super) fn common(lives: &[Life]) -> Vec<BTreeMap<i64, f64>> {
    let mut waiting: Vec<&Life> = lives.iter().collect();
    // The longest first, so that the others are laid beside it.
    waiting.sort_by_key(|life| std::cmp::Reverse(life.samples.len()));
    let mut groups = Vec::new();
    while !waiting.is_empty() {
        let mut values: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        let mut middle: BTreeMap<i64, f64> = BTreeMap::new();
        let longest = waiting.remove(0);
        add(longest, 0.0, &mut values, &mut middle);
        // The one with the largest overlap, until none overlaps any more.
        while let Some((place, offset)) = nearest(&waiting, &middle) {
            let life = waiting.remove(place);
            add(life, offset, &mut values, &mut middle);
        }
        groups.push(middle);
    }
    groups
}

/// Two series must share so many steps to be laid beside each other.
const LEAST_OVERLAP: usize = 3;

fn nearest(waiting: &[&Life], middle: &BTreeMap<i64, f64>) -> Option<(usize, f64)> {
    waiting
        .iter()
        .enumerate()
        .filter_map(|(place, life)| {
            let above: Vec<f64> = life
                .samples
                .iter()
                .filter_map(|(tick, value)| Some(value - middle.get(tick)?))
                .collect();
            (above.len() >= LEAST_OVERLAP).then(|| (above.len(), place, median(&above)))
        })
        .max_by_key(|(shared, place, _)| (*shared, std::cmp::Reverse(*place)))
        .and_then(|(_, place, offset)| Some((place, offset?)))
}

fn add(
    life: &Life,
    offset: f64,
    values: &mut BTreeMap<i64, Vec<f64>>,
    middle: &mut BTreeMap<i64, f64>,
) {
    for (tick, value) in &life.samples {
        let at = values.entry(*tick).or_default();
        at.push(value - offset);
        if let Some(value) = median(at) {
            middle.insert(*tick, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(pod: &str, samples: &[(i64, f64)]) -> Series {
        Series {
            labels: [("pod".to_owned(), pod.to_owned())].into(),
            samples: samples.to_vec(),
        }
    }

    fn line(pod: &str, ticks: std::ops::Range<i64>, value: impl Fn(f64) -> f64) -> Series {
        let samples: Vec<(i64, f64)> = ticks.map(|tick| (tick, value(tick as f64))).collect();
        series(pod, &samples)
    }

    #[test]
    fn a_restart_cuts_a_life_and_the_new_one_warms_up() {
        // The window starts at 1000; steps of 10 s; the process of 500 gives way to
        // one that began at 1195, which is first seen at step 20.
        let starts = [line(
            "a",
            0..40,
            |tick| if tick < 20.0 { 500.0 } else { 1195.0 },
        )];
        let course = Course::new(&starts, &[], 1000.0, 10.0);
        let lives = course.lives(&[line("a", 0..40, |tick| tick)], 5.0);
        assert_eq!(lives.len(), 2);
        assert_eq!(lives[0].samples.len(), 20);
        assert_eq!(lives[1].samples.first(), Some(&(25, 25.0)));
        assert_eq!(course.restarts(), BTreeMap::from([("a", 1)]));
    }

    #[test]
    fn a_counter_that_starts_anew_is_a_restart_where_nothing_else_tells() {
        let requests = [series(
            "a",
            &[(0, 100.0), (1, 110.0), (2, 4.0), (3, 14.0), (8, 64.0)],
        )];
        let course = Course::new(&[], &requests, 0.0, 1.0);
        let lives = course.lives(&[line("a", 0..9, |tick| tick)], 0.0);
        assert_eq!(lives.len(), 2);
        assert_eq!(course.requests_at("a", 8), Some(74.0));
        assert_eq!(course.requests_at("a", 4), Some(34.0));
        assert_eq!(course.rate(), Some(74.0 / 8.0));
        assert_eq!(course.restarts(), BTreeMap::from([("a", 1)]));
    }

    #[test]
    fn an_instance_that_comes_later_warms_up_and_is_no_restart() {
        let starts = [line("b", 10..40, |_| 1095.0)];
        let course = Course::new(&starts, &[], 1000.0, 10.0);
        assert_eq!(course.restarts(), BTreeMap::from([("b", 0)]));
        let lives = course.lives(&[line("b", 10..40, |tick| tick)], 6.0);
        assert_eq!(lives[0].samples.first(), Some(&(16, 16.0)));
        // Without a known start: the first sample is one.
        let lives = Course::default().lives(&[line("c", 10..40, |tick| tick)], 6.0);
        assert_eq!(lives[0].samples.first(), Some(&(16, 16.0)));
        let lives = Course::default().lives(&[line("d", 0..40, |tick| tick)], 6.0);
        assert_eq!(lives[0].samples.len(), 40);
    }

    #[test]
    fn lives_that_come_and_go_share_one_course() {
        // Three that overlap in pairs, each at a level of its own.
        let life = |ticks: std::ops::Range<i64>, level: f64| Life {
            instance: String::new(),
            samples: ticks
                .map(|tick| (tick, level + 3.0 * tick as f64))
                .collect(),
        };
        let groups = common(&[life(0..50, 100.0), life(40..90, -7e6), life(85..120, 0.0)]);
        assert_eq!(groups.len(), 1);
        let rise = groups[0][&119] - groups[0][&0];
        assert!((rise - 3.0 * 119.0).abs() < 1e-6, "{rise}");
        let apart = common(&[life(0..50, 0.0), life(60..90, 5.0)]);
        assert_eq!(apart.len(), 2);
    }
}
