//! Growth of the canary by how long noise is remembered.
//!
//! The judge by ranks takes neighbours that resemble each other for hardly more than one
//! value, and knows no better. Here the noise is one that forgets itself with some time,
//! and how likely each time is told by all that is no growth of the canary: by what is
//! left of the canary around its line, and by how instances of one side differ from each
//! other. It sees sooner, and believes in a form of noise; so whatever it finds must rise
//! by ranks, too. Nothing is called growth that is a single jump as likely.

use super::Scene;
use super::trend::Stratum;
use crate::probe::judge::whole_of_series;
use crate::rollout::series::{Life, common};
use crate::stats::{LikelySlope, jump_is_likelier, likely_slope, normal_quantile};

/// Noise is remembered no longer than this, in seconds. Noise that is remembered for
/// longer looks like growth in a window of hours: who allows for it sees nothing there.
const LONGEST: f64 = 3_600.0;
/// The confidence of an interval that proves growth: with it fewer than 2 of 100
/// canaries are called worse that are not, for noise of half an hour and less
/// (`tests/it/rollout/simulated.rs`).
const PROVES: f64 = 0.97;
/// It proves nothing where noise is likely to be remembered for more than this share of
/// the window: such noise is hardly told from growth. Without it noise of two hours made
/// 9 false alarms of 100 in a window of four, and with it 4 (the same table).
const SHARE: f64 = 1.0 / 6.0;
/// The confidence of an interval that must not speak against what ranks have proven.
const ALLOWS: f64 = 0.95;
/// A start is left out when the slope is smaller without it by so many deviations.
const CLEAR: f64 = 2.0;
/// Of so many instances of a side the differences tell of the noise.
const MOST: usize = 4;

/// What the memory of the noise says of the growth.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByMemory {
    /// The slope, with an interval that proves growth.
    pub(super) slope: LikelySlope,
    /// The noise is forgotten soon enough for the slope to prove anything.
    pub(super) forgotten: bool,
    /// Growth may be called one.
    pub(super) allows: bool,
    /// It may be called one, and yet is a single jump rather than growth.
    pub(super) jump: bool,
}

impl Scene<'_> {
    /// By the memory of the noise; `None` when too little was seen.
    pub(super) fn by_memory(
        &self,
        sides: (&[Life], &[Life]),
        strata: &[Stratum],
        least_step: f64,
    ) -> Option<ByMemory> {
        let of = |series: &Vec<(f64, f64)>| whole_of_series(series, least_step, &self.thresholds);
        let mut beside = self.differences(sides.0);
        beside.extend(self.differences(sides.1));
        let beside: Vec<Vec<(f64, f64)>> = beside.iter().map(of).collect();
        let whole: Vec<Vec<(f64, f64)>> = strata.iter().map(|one| one.whole.clone()).collect();
        let kept: Vec<Vec<(f64, f64)>> = strata.iter().map(|one| one.kept.clone()).collect();
        let slope = |series: &[Vec<(f64, f64)>], confidence: f64| {
            likely_slope(series, &beside, LONGEST, confidence)
        };
        let (of_whole, of_kept) = (slope(&whole, PROVES)?, slope(&kept, PROVES)?);
        // The slope of fewer values is less sharp by just what it may differ (Hausman,
        // *Econometrica* 46, 1978).
        let width = |slope: &LikelySlope| (slope.high - slope.low) / 2.0;
        let deviations = normal_quantile(0.5 + PROVES / 2.0);
        let differs = (width(&of_kept).powi(2) - width(&of_whole).powi(2)).max(0.0);
        let started = of_whole.slope - of_kept.slope > CLEAR * differs.sqrt() / deviations;
        let (proves, series) = if started {
            (of_kept, &kept)
        } else {
            (of_whole, &whole)
        };
        let window = series
            .iter()
            .filter_map(|one| Some(one.last()?.0 - one.first()?.0))
            .fold(0.0, f64::max);
        let allows = slope(series, ALLOWS)?.low > 0.0 && of_kept.slope > 0.0;
        Some(ByMemory {
            slope: proves,
            forgotten: proves.memory <= SHARE * window,
            allows,
            jump: allows && jump_is_likelier(series, LONGEST),
        })
    }

    /// How the instances of a side differ: each from what those before it have in common,
    /// so that no difference tells what another has told. Growth that they share is gone.
    fn differences(&self, lives: &[Life]) -> Vec<Vec<(f64, f64)>> {
        let mut lives: Vec<&Life> = lives.iter().collect();
        lives.sort_by_key(|life| std::cmp::Reverse(life.samples.len()));
        (1..lives.len().min(MOST))
            .filter_map(|place| {
                let before: Vec<Life> = lives
                    .iter()
                    .take(place)
                    .map(|life| (*life).clone())
                    .collect();
                let middle = common(&before);
                let one = lives.get(place)?;
                let of = |middle: &std::collections::BTreeMap<i64, f64>| -> Vec<(f64, f64)> {
                    let shared = |(tick, value): &(i64, f64)| {
                        Some((self.at(*tick), value - middle.get(tick)?))
                    };
                    one.samples.iter().filter_map(shared).collect()
                };
                middle.iter().map(of).max_by_key(Vec::len)
            })
            .filter(|series| {
                let first = series.first().map(|(_, value)| *value);
                series.iter().any(|(_, value)| Some(*value) != first)
            })
            .collect()
    }
}
