//! The time of a program on a busy machine: that in which it was not waiting for a
//! processor. A program that gets a tenth of the machine does a tenth of the work that
//! leaks, and 30 s of it say as much as 3 s elsewhere.
//!
//! How much of its time a program had is not known, since its threads may wait at once
//! or in turn. Three things are known to be no more than that, and the highest counts:
//! what is left of the time when threads wait one after the other, the share of the time
//! in which threads that could run did, and what was used of its part of the machine.

use std::time::Duration;

use super::{Answer, Growth, Judged};
use crate::host::{Sample, Turns};
use crate::probe::counters::Reading;
use crate::probe::{Segment, Thresholds};

/// The share is taken over so many equal spans of a life: a machine may be busy for a
/// part of it.
const SPANS: u32 = 10;
/// A span is no shorter than this: waiting is counted when it ends.
const SHORTEST: Duration = Duration::from_secs(2);
/// The smallest share that is told from none.
const LEAST: f64 = 0.01;

/// Shares that differ by less than this factor are alike.
const ALIKE: f64 = 1.25;

/// What was counted until a time of a life.
type Mark = (Duration, Turns);

fn marks(segment: &Segment) -> Vec<Mark> {
    let samples = segment.samples.iter();
    let counted: Vec<Mark> = samples
        .filter_map(|sample| Some((sample.at, sample.turns?)))
        .collect();
    let (Some(first), Some(last)) = (counted.first(), counted.last()) else {
        return Vec::new();
    };
    let span = ((last.0 - first.0) / SPANS).max(SHORTEST);
    let mut marks = vec![*first];
    for mark in &counted {
        let due = marks.last().is_none_or(|before| mark.0 >= before.0 + span);
        // What is left at the end is no span of its own.
        if due && mark.0 + span / 2 <= last.0 {
            marks.push(*mark);
        }
    }
    marks.push(*last);
    marks
}

/// The share of the time between two marks that a program had, with `processors` as
/// its part of the machine.
fn share(from: Mark, to: Mark, processors: f64) -> f64 {
    let time = to.0.saturating_sub(from.0).as_secs_f64();
    let ran = to.1.ran.saturating_sub(from.1.ran).as_secs_f64();
    let waited = to.1.waited.saturating_sub(from.1.waited).as_secs_f64();
    if time <= 0.0 || waited <= 0.0 {
        return 1.0;
    }
    let in_turn = 1.0 - waited / time;
    let at_once = ran / (ran + waited);
    let used = if processors > 0.0 {
        ran / (time * processors)
    } else {
        0.0
    };
    in_turn.max(at_once).max(used).clamp(LEAST, 1.0)
}

/// The times of a life, and how much of its own time a program had until then; empty
/// where that is not known.
fn course(segment: &Segment) -> Vec<(f64, f64)> {
    let marks = marks(segment);
    let mut own = 0.0;
    let mut course = Vec::new();
    let first = marks.first().map(|mark| (Duration::ZERO, mark.1));
    let all: Vec<Mark> = first.into_iter().chain(marks).collect();
    for pair in all.windows(2) {
        if let [from, to] = pair {
            let time = to.0.saturating_sub(from.0).as_secs_f64();
            own += time * share(*from, *to, segment.processors);
            course.push((to.0.as_secs_f64(), own));
        }
    }
    course
}

/// The share of its time that a program had at least, over all its lives; `None` where
/// the system does not count it.
#[must_use]
pub fn share_of_time(segments: &[Segment]) -> Option<f64> {
    let (mut time, mut own) = (0.0, 0.0);
    for segment in segments {
        if let Some((until, had)) = course(segment).last() {
            time += until;
            own += had;
        }
    }
    (time > 0.0).then(|| own / time)
}

/// How much of their time two sides had.
struct Busy {
    base: Option<f64>,
    head: Option<f64>,
    /// The longest life of the head, by the clock.
    life: f64,
}

/// Judges two sides. Where one had to wait for the machine, the time that it had lies
/// somewhere between its own and that of the clock, and an answer only counts when it
/// holds at both ends: a leak also when the base had little time and the head all of it,
/// no leak also when the head had little. Figures are by the clock.
pub(super) fn held_at_both_ends(
    base: &[Segment],
    head: &[Segment],
    thresholds: &Thresholds,
    judged: impl Fn(&[Segment], &[Segment]) -> Vec<Judged>,
) -> Vec<Judged> {
    let mut by_clock = judged(base, head);
    let lives = head.iter().filter_map(|segment| segment.samples.last());
    let busy = Busy {
        base: share_of_time(base),
        head: share_of_time(head),
        life: lives.map(|last| last.at.as_secs_f64()).fold(0.0, f64::max),
    };
    let had = |share: Option<f64>| share.is_none_or(|share| share >= thresholds.unhindered);
    if had(busy.base) && had(busy.head) {
        return by_clock;
    }
    let own = |segments: &[Segment], share| -> Vec<Segment> {
        if had(share) {
            segments.to_vec()
        } else {
            segments.iter().map(of_life).collect()
        }
    };
    let own_base = own(base, busy.base);
    let against_leak = if busy.are_alike() {
        judged(&own_base, &own(head, busy.head))
    } else {
        judged(&own_base, head)
    };
    let against_clean = judged(base, &own(head, busy.head));
    for one in &mut by_clock {
        let find = |judged: &[Judged]| judged.iter().find(|j| j.resource == one.resource).cloned();
        busy.compare(one, find(&against_leak), find(&against_clean), thresholds);
    }
    by_clock
}

impl Busy {
    /// Both had as much: then what is unknown of it is the same for both.
    fn are_alike(&self) -> bool {
        let shares = self.base.zip(self.head);
        shares.is_some_and(|(base, head)| (1.0 / ALIKE..=ALIKE).contains(&(base / head)))
    }

    fn compare(
        &self,
        one: &mut Judged,
        against_leak: Option<Judged>,
        against_clean: Option<Judged>,
        thresholds: &Thresholds,
    ) {
        let clean = against_clean.as_ref();
        one.smallest_visible = one
            .smallest_visible
            .zip(clean.and_then(|other| other.smallest_visible))
            .map(|(one, other)| one.max(other));
        let too_little = |share: Option<f64>| {
            let share = share.filter(|share| *share < thresholds.least_time);
            share.filter(|share| share * self.life < thresholds.least_own_seconds)
        };
        let same = |other: Option<&Judged>| other.is_some_and(|other| other.answer == one.answer);
        let holds = match one.answer {
            Answer::Leak => {
                same(against_leak.as_ref())
                    && against_leak.as_ref().map(faster) == Some(faster(one))
            }
            Answer::NoLeak => same(clean) && too_little(self.head).is_none(),
            // What is open for another reason stays so.
            Answer::Inconclusive => {
                one.seconds_to_decide.is_none() || too_little(self.head).is_none()
            }
        };
        if holds {
            return;
        }
        let (side, share) = match (self.base, self.head) {
            (Some(base), Some(head)) if base < head => ("base", base),
            (Some(base), None) => ("base", base),
            (_, head) => ("head", head.unwrap_or(1.0)),
        };
        one.answer = Answer::Inconclusive;
        one.because = format!(
            "the machine was busy: the {side} may have had only {:.0} % of its time",
            (100.0 * share).ceil()
        );
        one.seconds_to_limit = None;
        let enough = thresholds.least_own_seconds / share;
        one.seconds_to_decide = Some(enough.max(2.0 * self.life));
    }
}

/// The head grows faster than the base.
fn faster(judged: &Judged) -> bool {
    let slope = |growth: &Option<Growth>| growth.as_ref().map_or(0.0, |growth| growth.slope);
    slope(&judged.head) > slope(&judged.base)
}

fn of_life(segment: &Segment) -> Segment {
    let course = course(segment);
    let own = |at: Duration| {
        let at = at.as_secs_f64();
        let place = course.partition_point(|(time, _)| *time < at);
        let before = place.checked_sub(1).and_then(|place| course.get(place));
        let (from, had) = before.copied().unwrap_or((0.0, 0.0));
        let own = match course.get(place) {
            Some((to, then)) if *to > from => had + (then - had) * (at - from) / (to - from),
            // After the last count, as before it.
            _ if from > 0.0 => had * at / from,
            _ => at,
        };
        Duration::from_secs_f64(own)
    };
    Segment {
        samples: segment
            .samples
            .iter()
            .map(|sample| Sample {
                at: own(sample.at),
                ..*sample
            })
            .collect(),
        told: segment
            .told
            .iter()
            .map(|reading| Reading {
                at: own(reading.at),
                ..reading.clone()
            })
            .collect(),
        ..segment.clone()
    }
}
