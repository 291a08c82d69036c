//! Growth in jumps: a table that doubles, an arena that is added. One jump is a
//! change of level; a jump after each double time is a leak.

use crate::stats::{median, median_absolute_deviation};

/// A jump to a higher level that lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// When, in seconds since the start of the life.
    pub at: f64,
    /// By how much.
    pub size: f64,
}

/// A jump must last for so many blocks on either side.
const REACH: usize = 3;
/// A jump stands out from other differences of neighbours by this factor.
const CLEAR: f64 = 6.0;

fn level(blocks: &[(f64, f64)]) -> Option<f64> {
    let values: Vec<f64> = blocks.iter().map(|(_, value)| *value).collect();
    median(&values)
}

/// The jumps of a series of blocks, each at least `least` high, in order of time.
pub(super) fn steps(blocks: &[(f64, f64)], least: f64) -> Vec<Step> {
    let differences: Vec<f64> = blocks
        .windows(2)
        .filter_map(|pair| Some(pair.last()?.1 - pair.first()?.1))
        .collect();
    let noise = median_absolute_deviation(&differences).unwrap_or(0.0);
    let usual = median(&differences).unwrap_or(0.0).max(0.0);
    let mut found = Vec::new();
    for (place, difference) in differences.iter().enumerate() {
        if *difference < least.max(3.0 * usual).max(usual + CLEAR * noise) {
            continue;
        }
        let before = blocks.get((place + 1).saturating_sub(REACH)..=place);
        let after = blocks.get(place + 1..(place + 1 + REACH).min(blocks.len()));
        let (Some(before), Some(after)) = (before.and_then(level), after.and_then(level)) else {
            continue;
        };
        if after - before < 0.7 * difference {
            continue;
        }
        if let Some((at, _)) = blocks.get(place + 1) {
            found.push(Step {
                at: *at,
                size: *difference,
            });
        }
    }
    found
}

/// The series without the jump: all that comes after is lowered by its size.
pub(super) fn without(blocks: &[(f64, f64)], step: Step) -> Vec<(f64, f64)> {
    blocks
        .iter()
        .map(|(at, value)| {
            let lowered = if *at >= step.at { step.size } else { 0.0 };
            (*at, value - lowered)
        })
        .collect()
}

/// The same jumps, where one that fell into the middle of a span, and shows as two
/// halves in neighbouring spans of this `width`, is one.
fn joined(steps: &[Step], width: f64) -> Vec<Step> {
    let mut joined: Vec<Step> = Vec::new();
    let mut halved = false;
    for step in steps {
        match joined.last_mut() {
            Some(last)
                if !halved
                    && step.at - last.at <= 1.5 * width
                    && (0.8..1.25).contains(&(step.size / last.size)) =>
            {
                last.at = step.at;
                last.size += step.size;
                halved = true;
            }
            Some(_) | None => {
                joined.push(*step);
                halved = false;
            }
        }
    }
    joined
}

/// What jumps of growing size after growing times mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Doubling {
    /// They are no such jumps, or the next one did not come.
    None,
    /// Three or more, and the next one is not due yet. They may come sooner than
    /// after twice the time: then the growth is worse than steady.
    Leak,
    /// Two, and the next one is due only after the end: a life of so many
    /// seconds decides.
    Until(f64),
}

/// Twice, give or take how coarsely jumps are seen.
const MOST_RATIO: f64 = 2.8;

fn doubles(ratio: f64) -> bool {
    (1.5..=MOST_RATIO).contains(&ratio)
}

/// Looks at the last jumps of a life of `seconds`, seen in spans of this `width`.
pub(super) fn doubling(steps: &[Step], seconds: f64, width: f64) -> Doubling {
    let steps = joined(steps, width);
    let [.., a, b] = steps.as_slice() else {
        return Doubling::None;
    };
    let due = b.at + MOST_RATIO * (b.at - a.at);
    if !doubles(b.size / a.size) || due < seconds {
        return Doubling::None;
    }
    let before = steps.len().checked_sub(3).and_then(|at| steps.get(at));
    match before {
        Some(first)
            if doubles(a.size / first.size) && (b.at - a.at) / (a.at - first.at) <= MOST_RATIO =>
        {
            Doubling::Leak
        }
        Some(_) => Doubling::None,
        None => Doubling::Until(due),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stairs(count: u32, value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..count)
            .map(|at| (f64::from(at), value(f64::from(at))))
            .collect()
    }

    #[test]
    fn a_jump_is_found_where_it_is_and_can_be_taken_out() {
        let blocks = stairs(40, |t| if t < 20.0 { 5.0 } else { 105.0 });
        let found = steps(&blocks, 10.0);
        assert_eq!(
            found,
            [Step {
                at: 20.0,
                size: 100.0
            }]
        );
        assert!(
            without(&blocks, found[0])
                .iter()
                .all(|(_, v)| (*v - 5.0).abs() < 1e-9)
        );
    }

    #[test]
    fn a_spike_and_a_ramp_have_no_jumps() {
        assert!(steps(&stairs(40, |t| if t == 20.0 { 100.0 } else { 0.0 }), 10.0).is_empty());
        assert!(steps(&stairs(40, |t| 20.0 * t), 10.0).is_empty());
    }

    #[test]
    fn a_table_that_doubles_is_a_leak_until_the_next_doubling_stays_out() {
        let step = |at: f64| Step { at, size: at * 1e5 };
        let three = [step(7.0), step(14.0), step(28.0)];
        assert_eq!(doubling(&three, 60.0, 1.0), Doubling::Leak);
        assert_eq!(doubling(&three, 80.0, 1.0), Doubling::None);
        assert!(matches!(doubling(&three[1..], 40.0, 0.7), Doubling::Until(s) if s > 50.0));
        assert_eq!(doubling(&three[2..], 40.0, 0.7), Doubling::None);
        // A capacity that doubles with each use.
        let even = [(3.0, 1e6), (4.0, 2e6), (5.0, 4e6)].map(|(at, size)| Step { at, size });
        assert_eq!(doubling(&even, 5.5, 0.1), Doubling::Leak);
        // The last one shows in two halves.
        let half = |at: f64| Step { at, size: 14e5 };
        let halved = [step(7.0), step(14.0), half(27.5), half(28.5)];
        assert_eq!(doubling(&halved, 60.0, 1.0), Doubling::Leak);
    }
}
