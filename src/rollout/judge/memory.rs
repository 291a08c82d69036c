//! Growth of the canary by how long noise is remembered.
//!
//! The judge by ranks takes neighbours that resemble each other for hardly more than one
//! value, and knows no better. Here the noise is one that forgets itself with some time,
//! and how likely each time is told by all that is no growth of the canary: by what is
//! left of the canary around its line, and by how instances of one side differ from each
//! other, in the window and before it. It sees sooner, and believes in a form of noise; so
//! whatever it finds must rise by ranks, too. Nothing is called growth that a single jump
//! or a start that settles explains as well.

use super::Scene;
use super::alike::{differences, pieces};
use super::trend::Stratum;
use crate::probe::judge::whole_of_series;
use crate::rollout::series::Life;
use crate::stats::{likely_slope, shared_trend};

/// Noise is remembered no longer than this, in seconds, as far as the window alone tells.
/// Noise that is remembered for longer looks like growth in a window of hours: who allows
/// for it sees nothing there.
const LONGEST: f64 = 3_600.0;
/// And no longer than this share of the window, where the time before it tells.
const LONGEST_SHARE: f64 = 0.5;
/// So many windows before this one tell enough of the noise.
const TELL: usize = 4;
/// The confidence of an interval that proves growth, or its absence: with it fewer than 2
/// of 100 canaries are called worse that are not, for noise of half an hour and less
/// (`tests/it/rollout/simulated.rs`).
const PROVES: f64 = 0.95;
/// Where only the window tells, it proves nothing when noise is likely to be remembered
/// for more than this share of it: such noise is hardly told from growth. Without it noise
/// of two hours made 9 false alarms of 100 in a window of four, and with it 4.
const SHARE: f64 = 1.0 / 6.0;
/// The confidence of an interval that must not speak against what ranks have proven.
const ALLOWS: f64 = 0.9;
/// Nothing is called growth of which a jump makes most with this probability, or more.
pub(super) const JUMPS: f64 = 0.25;

/// With less probability than this a start that settles is ruled out: it is that of any
/// start before something is seen.
const STARTS: f64 = 0.1;

/// What the memory of the noise says of the growth.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByMemory {
    /// The slope.
    pub(super) slope: f64,
    /// Its interval, which proves growth or its absence.
    pub(super) interval: (f64, f64),
    /// How long noise is remembered, in seconds.
    pub(super) memory: f64,
    /// So many windows before this one told of the noise.
    pub(super) windows: usize,
    /// They are enough to say that there is no growth.
    pub(super) known: bool,
    /// The interval proves growth: noise is forgotten soon enough, and it rises by ranks.
    pub(super) proves: bool,
    /// Growth may be called one.
    pub(super) allows: bool,
    /// How likely it is that a single jump makes most of the growth.
    pub(super) jumps: f64,
    /// How likely it is that a start settles.
    pub(super) starts: f64,
}

impl ByMemory {
    /// Next to nothing speaks for a start that settles.
    pub(super) const fn goes_on(self) -> bool {
        self.starts < STARTS
    }
}

/// What is known of a metric besides the canary's own lives.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// The lives of both sides in the window.
    pub(super) sides: [&'a [Life]; 2],
    /// Those of the baseline before it.
    pub(super) before: &'a [Life],
}

impl Scene<'_> {
    /// By the memory of the noise; `None` when too little was seen.
    pub(super) fn by_memory(
        &self,
        beside: Beside<'_>,
        strata: &[Stratum],
        least_step: f64,
    ) -> Option<ByMemory> {
        let window = strata
            .iter()
            .filter_map(|one| Some(one.whole.last()?.0 - one.whole.first()?.0))
            .fold(0.0, f64::max);
        let [baseline, canary] = beside.sides;
        let mut alike = differences(baseline, self.step);
        alike.extend(differences(canary, self.step));
        let before = pieces(&differences(beside.before, self.step_before), window);
        let windows = before.len();
        alike.extend(before);
        let of = |series: &Vec<(f64, f64)>| whole_of_series(series, least_step, &self.thresholds);
        let alike: Vec<Vec<(f64, f64)>> = alike.iter().map(of).collect();
        let known = windows >= TELL;
        let longest = if known {
            LONGEST.max(LONGEST_SHARE * window)
        } else {
            LONGEST
        };
        let whole: Vec<Vec<(f64, f64)>> = strata.iter().map(|one| one.whole.clone()).collect();
        let slope = likely_slope(&whole, &alike, longest)?;
        let forgotten = known || slope.memory() <= SHARE * window;
        Some(ByMemory {
            slope: slope.middle(),
            interval: slope.interval(PROVES),
            memory: slope.memory(),
            windows,
            known,
            proves: forgotten && shared_trend(&whole, PROVES)?.slope > 0.0,
            allows: slope.interval(ALLOWS).0 > 0.0 && slope.jumps() < JUMPS,
            jumps: slope.jumps(),
            starts: slope.starts(),
        })
    }
}
