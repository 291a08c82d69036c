//! From what was seen to an answer for each resource. Pure.
//!
//! Growth is a robust slope after the start (Theil and Sen, with an interval
//! that respects how neighbours repeat each other), of the head beside the base.
//! A higher level that stays is no leak; growth that both sides show alike was
//! there before.

mod growth;
mod steps;

use super::{Resource, Segment, Thresholds};

pub use growth::{Growth, growth};
pub use steps::Step;

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
    /// The resource.
    pub resource: Resource,
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
    /// With a leak: seconds until the limit is reached.
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
    Resource::ALL
        .into_iter()
        .filter(|resource| seen(head, *resource))
        .map(|resource| {
            let limit = limits
                .iter()
                .find(|(of, _)| *of == resource)
                .map_or(thresholds.of(resource).limit, |(_, limit)| *limit);
            let sides = (
                growth(base, resource, thresholds),
                growth(head, resource, thresholds),
            );
            one(resource, sides, thresholds, limit)
        })
        .collect()
}

/// The answer for the whole run: a leak of any resource is one; otherwise what
/// is open among the resources that weigh leaves the whole open.
#[must_use]
pub fn decision(judged: &[Judged], thresholds: &Thresholds) -> Answer {
    let weighs =
        |judged: &&Judged| judged.answer == Answer::Leak || thresholds.of(judged.resource).weighs;
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

fn seen(segments: &[Segment], resource: Resource) -> bool {
    segments
        .iter()
        .flat_map(|segment| &segment.samples)
        .any(|sample| resource.of(sample).is_some())
}

fn one(
    resource: Resource,
    (base, head): (Option<Growth>, Option<Growth>),
    thresholds: &Thresholds,
    limit: f64,
) -> Judged {
    let mut judged = Judged {
        resource,
        answer: Answer::Inconclusive,
        because: String::new(),
        base,
        head,
        smallest_visible: None,
        level_change: None,
        seconds_to_limit: None,
        seconds_to_decide: None,
    };
    let (Some(base), Some(head)) = (judged.base.clone(), judged.head.clone()) else {
        judged.because = "too little was seen; the workload must live for some seconds".to_owned();
        judged.seconds_to_decide = Some(10.0);
        return judged;
    };
    let floor = thresholds.floor(resource, head.life);
    // Growth is seen when its interval clears zero; half as much again is seen
    // nearly always.
    judged.smallest_visible = Some(floor.max(1.5 * head.uncertainty()));
    let level = head.level - base.level;
    if level.abs() >= thresholds.of(resource).level && level.abs() >= 0.2 * base.level {
        judged.level_change = Some(level);
    }
    let (answer, because, decides) = answer(resource, &base, &head, thresholds, floor);
    judged.answer = answer;
    judged.because = because;
    judged.seconds_to_decide = decides;
    if answer == Answer::Leak {
        judged.seconds_to_limit = Some(((limit - head.last) / head.slope).max(0.0));
    }
    judged
}

/// Answer, reason, and the life in seconds that would decide an open question.
fn answer(
    resource: Resource,
    base: &Growth,
    head: &Growth,
    thresholds: &Thresholds,
    floor: f64,
) -> (Answer, String, Option<f64>) {
    match head.doubling {
        steps::Doubling::Leak if base.doubling != steps::Doubling::Leak => {
            let because = "it jumps by twice as much after each double time";
            return (Answer::Leak, because.to_owned(), None);
        }
        steps::Doubling::Until(seconds) if base.doubling == steps::Doubling::None => {
            let because = "it jumped twice; a third jump would make it a leak";
            return (Answer::Inconclusive, because.to_owned(), Some(seconds));
        }
        steps::Doubling::Leak | steps::Doubling::Until(_) | steps::Doubling::None => {}
    }
    if !head.grows() {
        return flat(resource, head, thresholds, floor);
    }
    if head.last_third < thresholds.last_third {
        let because = "it grew at first and has stopped";
        return (Answer::NoLeak, because.to_owned(), None);
    }
    let uncertainty = head.uncertainty().hypot(base.uncertainty());
    let difference = head.slope - base.slope;
    let alike = difference.abs() <= uncertainty.max(thresholds.alike * base.slope);
    if base.grows() && base.slope >= floor && alike {
        let because = "both builds grow alike: it was there before";
        return (Answer::NoLeak, because.to_owned(), None);
    }
    if base.grows() && difference.abs() <= floor.max(uncertainty) && head.slope < 2.0 * floor {
        let because = "both builds settle alike";
        return (Answer::NoLeak, because.to_owned(), None);
    }
    if head.slope < floor {
        if head.slope < thresholds.of(resource).slope {
            let because = "the growth is too small to count";
            return (Answer::NoLeak, because.to_owned(), None);
        }
        let because = "it grows slowly, as programs do that are still settling";
        let seconds = thresholds.seconds_for(resource, head.slope) * 1.2;
        return (Answer::Inconclusive, because.to_owned(), Some(seconds));
    }
    let because = if base.grows() && base.slope >= floor {
        if difference < 0.0 {
            "it grows, though less than the base"
        } else {
            "it grows faster than the base"
        }
    } else {
        "it grows steadily, and the base does not"
    };
    (Answer::Leak, because.to_owned(), None)
}

fn flat(
    resource: Resource,
    head: &Growth,
    thresholds: &Thresholds,
    floor: f64,
) -> (Answer, String, Option<f64>) {
    // Noise that would hide ten times the smallest growth that counts, or a
    // hundredth of all that is held each second, hides a leak.
    let hidden = (10.0 * floor).max(0.01 * head.level);
    if 1.5 * head.uncertainty() > hidden {
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
    } else if head.steps.len() > 1 && resource != Resource::Vsz {
        let because = "it rose in a few jumps; a longer run shows whether they go on";
        return (
            Answer::Inconclusive,
            because.to_owned(),
            Some(2.0 * head.life),
        );
    } else {
        "it rose once, and stayed"
    };
    let _ = thresholds;
    (Answer::NoLeak, because.to_owned(), None)
}
