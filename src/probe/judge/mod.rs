//! From what was seen to an answer for each resource. Pure.
//!
//! Growth is a robust slope after the start (Theil and Sen, with an interval
//! that respects how neighbours repeat each other), of the head beside the base.
//! A higher level that stays is no leak; growth that both sides show alike was
//! there before.

mod growth;
mod own_time;
mod steps;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::counters::Counters;
use super::{Resource, Segment, Thresholds, Watched};

pub use growth::{Growth, growth, growth_of_series, whole_of_series};
pub use own_time::share_of_time;
pub use steps::Step;
pub use told::work_rate;

/// What is known of one resource after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The head does not grow by more than the smallest visible slope.
    NoLeak,
    /// A longer run would decide.
    Inconclusive,
    /// The head grows.
    Leak,
}

impl Answer {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoLeak => "no-leak",
            Self::Inconclusive => "inconclusive",
            Self::Leak => "leak",
        }
    }
}

/// The answer for one resource, with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The resource, or the gauge.
    pub resource: Watched,
    /// Whether an unclear answer makes the whole run unclear.
    pub weighs: bool,
    /// The answer.
    pub answer: Answer,
    /// Why, in words.
    pub because: String,
    /// How the base grew; `None` when too little was seen.
    pub base: Option<Growth>,
    /// How the head grew; `None` when too little was seen.
    pub head: Option<Growth>,
    /// The smallest slope that this run could have seen, in units per second.
    pub smallest_visible: Option<f64>,
    /// How much higher the head's level is, when that is worth a word, in units.
    pub level_change: Option<f64>,
    /// How much a side grows with each unit of work, where it tells its work: base and
    /// head, in units.
    pub per_work: [Option<f64>; 2],
    /// With a leak: seconds until the limit is reached, where there is one.
    pub seconds_to_limit: Option<f64>,
    /// With an open question: the life that would decide, in seconds.
    pub seconds_to_decide: Option<f64>,
}

/// Judges every resource that was seen. `limits` are in units, by resource.
#[must_use]
pub fn judge(
    base: &[Segment],
    head: &[Segment],
    thresholds: &Thresholds,
    limits: &[(Resource, f64)],
) -> Vec<Judged> {
    own_time::held_at_both_ends(base, head, thresholds, |base, head| {
        judge_resources(base, head, thresholds, limits)
    })
}

fn judge_resources(
    base: &[Segment],
    head: &[Segment],
    thresholds: &Thresholds,
    limits: &[(Resource, f64)],
) -> Vec<Judged> {
    let mut judged: Vec<Judged> = Resource::ALL
        .into_iter()
        .filter(|resource| seen(head, *resource))
        .map(|resource| {
            let watched = Watched::from(resource);
            let limit = limits
                .iter()
                .find(|(of, _)| *of == resource)
                .map_or(thresholds.of(&watched).limit, |(_, limit)| *limit);
            let mut judged = of_both(watched, (base, head), thresholds, limit);
            if resource == Resource::Shmem && judged.answer == Answer::Leak {
                judged.because += ": shared memory, or files in tmpfs";
            }
            judged
        })
        .collect();
    of_sharing(&mut judged);
    judged
}

/// Judges the gauges that the two sides told. Those that were named are judged whether
/// they were told or not.
#[must_use]
pub fn judge_gauges(
    base: &[Segment],
    head: &[Segment],
    counters: &Counters,
    thresholds: &Thresholds,
) -> Vec<Judged> {
    own_time::held_at_both_ends(base, head, thresholds, |base, head| {
        judge_told(base, head, counters, thresholds)
    })
}

fn judge_told(
    base: &[Segment],
    head: &[Segment],
    counters: &Counters,
    thresholds: &Thresholds,
) -> Vec<Judged> {
    let told = |segments: &[Segment]| -> BTreeSet<Arc<str>> {
        let readings = segments.iter().flat_map(|segment| &segment.told);
        readings
            .flat_map(|reading| reading.gauges.keys().cloned())
            .collect()
    };
    let (by_base, by_head) = (told(base), told(head));
    let named = !counters.watch.is_empty();
    let names: BTreeSet<Arc<str>> = if named {
        let names = counters.watch.iter();
        names.map(|name| name.to_string().into()).collect()
    } else {
        by_base.intersection(&by_head).cloned().collect()
    };
    let readings = || base.iter().chain(head).flat_map(|segment| &segment.told);
    names
        .into_iter()
        .map(|name| {
            let missing = [("base", &by_base), ("head", &by_head)]
                .into_iter()
                .find(|(_, told)| !told.contains(&name));
            let counts = readings().any(|reading| reading.counters.contains(&name));
            let watched = Watched::Gauge { name, named };
            let limit = thresholds.of(&watched).limit;
            let mut judged = of_both(watched, (base, head), thresholds, limit);
            if counts {
                "it only ever grows: a counter can be named as `per`"
                    .clone_into(&mut judged.because);
                judged.seconds_to_decide = None;
            } else if let Some((side, _)) = missing {
                judged.because = format!("the {side} tells no number of it");
                judged.seconds_to_decide = None;
            }
            judged
        })
        .collect()
}

/// Memory by share and private memory are part of the resident memory. Where that
/// does not grow they only show that others, which may have nothing to do with the
/// program, share fewer of its pages.
fn of_sharing(judged: &mut [Judged]) {
    let flat = judged
        .iter()
        .any(|judged| judged.resource == Resource::Rss && judged.answer == Answer::NoLeak);
    for judged in judged.iter_mut().filter(|judged| {
        (judged.resource == Resource::Pss || judged.resource == Resource::Private)
            && judged.answer != Answer::NoLeak
    }) {
        if flat {
            judged.answer = Answer::NoLeak;
            "only how pages are shared changes: resident memory does not grow"
                .clone_into(&mut judged.because);
            judged.seconds_to_limit = None;
            judged.seconds_to_decide = None;
        }
    }
}

/// The answer for the whole run: a leak of any resource or gauge is one; otherwise
/// what is open among those that weigh leaves the whole open.
#[must_use]
pub fn decision(judged: &[Judged]) -> Answer {
    let weighs = |judged: &&Judged| judged.answer == Answer::Leak || judged.weighs;
    if judged.is_empty() {
        return Answer::Inconclusive;
    }
    judged
        .iter()
        .filter(weighs)
        .map(|judged| judged.answer)
        .max()
        .unwrap_or(Answer::NoLeak)
}

/// Most programs have no shared memory, of which nothing is to be said then.
fn seen(segments: &[Segment], resource: Resource) -> bool {
    segments
        .iter()
        .flat_map(|segment| &segment.samples)
        .filter_map(|sample| resource.of(sample))
        .any(|value| resource != Resource::Shmem || value > 0.0)
}

/// Judges one thing of both sides.
fn of_both(
    watched: Watched,
    (base, head): (&[Segment], &[Segment]),
    thresholds: &Thresholds,
    limit: f64,
) -> Judged {
    let weighs = match &watched {
        Watched::Resource(_) => thresholds.of(&watched).weighs,
        Watched::Gauge { named, .. } => *named || thresholds.of(&watched).weighs,
    };
    let mut judged = Judged {
        answer: Answer::Inconclusive,
        weighs,
        because: String::new(),
        base: growth(base, &watched, thresholds),
        head: growth(head, &watched, thresholds),
        resource: watched,
        smallest_visible: None,
        level_change: None,
        per_work: [None; 2],
        seconds_to_limit: None,
        seconds_to_decide: None,
    };
    let rates = (work_rate(base), work_rate(head));
    let per = |growth: &Option<Growth>, rate: Option<f64>| Some(growth.as_ref()?.slope / rate?);
    judged.per_work = [per(&judged.base, rates.0), per(&judged.head, rates.1)];
    let more_work = match rates {
        (Some(base), Some(head)) => head / base,
        _ => 1.0,
    };
    one(&mut judged, thresholds, limit, more_work);
    judged
}

/// Fills in the answer; `more_work` is how much more work the head did than the base.
fn one(judged: &mut Judged, thresholds: &Thresholds, limit: f64, more_work: f64) {
    let resource = judged.resource.clone();
    let resource = &resource;
    let (Some(base), Some(head)) = (judged.base.clone(), judged.head.clone()) else {
        judged.because = "too little was seen; the workload must live for some seconds".to_owned();
        judged.seconds_to_decide = Some(10.0);
        return;
    };
    let level = head.level - base.level;
    // Growth is compared as if the base had done as much.
    let base = base.with_work(more_work);
    let floor = if head.is_steady(thresholds) {
        thresholds.steady_floor(resource, head.life)
    } else {
        thresholds.floor(resource, head.life)
    };
    // Growth is seen when its interval clears zero; half as much again is seen
    // nearly always.
    let doubt = match head.comes_back() {
        // What fills and empties again is seen where it is empty.
        Some(doubt) if !head.grows() => doubt.min(head.uncertainty()),
        Some(_) | None => head.uncertainty(),
    };
    judged.smallest_visible = Some(floor.max(1.5 * doubt));
    if level.abs() >= thresholds.of(resource).level && level.abs() >= 0.2 * base.level {
        judged.level_change = Some(level);
    }
    let (answer, because, decides) = answer(resource, &base, &head, thresholds, floor);
    judged.answer = answer;
    judged.because = because;
    judged.seconds_to_decide = decides;
    if answer == Answer::Leak && limit.is_finite() {
        judged.seconds_to_limit = Some(((limit - head.last) / head.slope).max(0.0));
    }
}

/// Answer, reason, and the life in seconds that would decide an open question.
fn answer(
    resource: &Watched,
    base: &Growth,
    head: &Growth,
    thresholds: &Thresholds,
    floor: f64,
) -> (Answer, String, Option<f64>) {
    if exhausted(resource, base, head, thresholds) {
        let because = "it grew until it could have no more";
        return (Answer::Leak, because.to_owned(), None);
    }
    match head.doubling {
        steps::Doubling::Leak if base.doubling != steps::Doubling::Leak => {
            let because = "it jumps by twice as much each time";
            return (Answer::Leak, because.to_owned(), None);
        }
        steps::Doubling::Until(seconds) if base.doubling == steps::Doubling::None => {
            let because = "it jumped twice; a third jump would make it a leak";
            return (Answer::Inconclusive, because.to_owned(), Some(seconds));
        }
        steps::Doubling::Leak | steps::Doubling::Until(_) | steps::Doubling::None => {}
    }
    if !head.grows() {
        return flat(resource, head, floor);
    }
    let gauge = matches!(resource, Watched::Gauge { .. });
    if gauge && head.last_third < thresholds.last_third && !head.clearly_slower_at_the_end() {
        // A gauge holds a handful of things, and its last third is mostly noise.
        let because = "it varies too much to see whether the growth goes on";
        let seconds = 2.0 * head.life;
        return (Answer::Inconclusive, because.to_owned(), Some(seconds));
    }
    if let Some(because) = harmless(base, head, thresholds, floor) {
        return (Answer::NoLeak, because.to_owned(), None);
    }
    if head.slope < floor {
        if head.slope < thresholds.of(resource).slope {
            let because = "the growth is too small to count";
            return (Answer::NoLeak, because.to_owned(), None);
        }
        if head.slows {
            return (Answer::NoLeak, SETTLES.to_owned(), None);
        }
        let because = "it grows slowly, as programs do that are still settling";
        let seconds = thresholds.seconds_for(resource, head.slope) * 1.2;
        return (Answer::Inconclusive, because.to_owned(), Some(seconds));
    }
    if head.slows && head.last_third < thresholds.slowing {
        let because = "it grows, but ever more slowly";
        return (
            Answer::Inconclusive,
            because.to_owned(),
            Some(2.0 * head.life),
        );
    }
    if head.pieces {
        let because = "it rose by a few pieces that an allocator reserves for its threads";
        return (
            Answer::Inconclusive,
            because.to_owned(),
            Some(2.0 * head.life),
        );
    }
    let because = if base.grows() && base.slope >= floor {
        if head.slope < base.slope {
            "it grows, though less than the base"
        } else {
            "it grows faster than the base"
        }
    } else {
        "it grows steadily, and the base does not"
    };
    (Answer::Leak, because.to_owned(), None)
}

const SETTLES: &str = "it grows ever more slowly, as programs do that are still settling";

/// Why growth is no leak of the head, when there is a reason.
fn harmless(
    base: &Growth,
    head: &Growth,
    thresholds: &Thresholds,
    floor: f64,
) -> Option<&'static str> {
    if head.last_third < thresholds.last_third {
        return Some("it grew at first and has stopped");
    }
    // On its way to a level: the start was faster by far, and it slows down still.
    if head.slows && head.start_slope >= thresholds.start_ratio * head.slope {
        return Some(SETTLES);
    }
    if head.low_water < thresholds.low_water {
        return Some("it comes back down to the same level");
    }
    let uncertainty = head.uncertainty().hypot(base.uncertainty());
    let difference = head.slope - base.slope;
    let alike = difference.abs() <= uncertainty.max(thresholds.alike * base.slope);
    if base.grows() && base.slope >= floor && alike {
        return Some("both builds grow alike: it was there before");
    }
    if base.grows() && difference.abs() <= floor.max(uncertainty) && head.slope < 2.0 * floor {
        return Some("both builds settle alike");
    }
    None
}

/// Whether the head grew until it could have no more, and the base did not.
fn exhausted(resource: &Watched, base: &Growth, head: &Growth, thresholds: &Thresholds) -> bool {
    base.until_exhausted <= 0.0
        && head.until_exhausted >= thresholds.of(resource).level
        && head.until_exhausted >= base.level
}

fn flat(resource: &Watched, head: &Growth, floor: f64) -> (Answer, String, Option<f64>) {
    // Noise that would hide ten times the smallest growth that counts, or a
    // hundredth of all that is held each second, hides a leak.
    let hidden = (10.0 * floor).max(0.01 * head.level);
    if 1.5 * head.uncertainty() > hidden {
        if head.comes_back().is_some_and(|doubt| 1.5 * doubt <= hidden) {
            let because = "it comes back down to the same level";
            return (Answer::NoLeak, because.to_owned(), None);
        }
        let because = "it varies too much to see growth";
        // The uncertainty of a slope falls with the 1.5th power of the time.
        let factor = (1.5 * head.uncertainty() / hidden).powf(1.0 / 1.5);
        return (
            Answer::Inconclusive,
            because.to_owned(),
            Some(head.life * factor.max(1.5)),
        );
    }
    let because = if head.steps.is_empty() {
        "it does not grow"
    } else if head.steps.len() > 1 && *resource != Resource::Vsz {
        let because = "it rose in a few jumps; a longer run shows whether they go on";
        return (
            Answer::Inconclusive,
            because.to_owned(),
            Some(2.0 * head.life),
        );
    } else {
        "it rose once, and stayed"
    };
    (Answer::NoLeak, because.to_owned(), None)
}
