//! The ways in which noise may be remembered, and how much each weighs before anything
//! is seen.

/// So many memories are tried, from half the distance of two values to the longest.
const MEMORIES: usize = 12;
/// What of each value is not remembered at all: the variance of that beside the
/// variance of what is.
const FORGOTTEN: [f64; 3] = [0.0, 0.25, 1.0];
/// The longest memory has this weight more, where the window is as long as it is; less in
/// a longer one. A memory weighs by its root less, about as the reference prior has it
/// (Berger, De Oliveira and Sansó, *JASA* 96, 2001). By simulation (`tests/it/rollout`):
/// with less there are more false alarms where the noise is remembered for long.
const LONGEST: f64 = 0.05;

/// One way in which the noise may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// The time in which it forgets itself, in the units of the series.
    pub(super) memory: f64,
    /// The variance of what is not remembered, beside that of what is.
    pub(super) forgotten: f64,
    /// How much weight it has before anything is seen.
    pub(super) weight: f64,
}

/// All of them; `None` when the values have no distance.
pub(super) fn ways(series: &[&[(f64, f64)]], longest: f64) -> Option<Vec<Way>> {
    let mut gaps: Vec<f64> = series
        .iter()
        .flat_map(|one| one.windows(2))
        .filter_map(|pair| Some(pair.get(1)?.0 - pair.first()?.0))
        .collect();
    gaps.sort_by(f64::total_cmp);
    let gap = gaps.get(gaps.len() / 2).filter(|gap| **gap > 0.0)?;
    let first = (0.5 * gap).min(longest / 8.0);
    #[expect(clippy::cast_precision_loss, reason = "a dozen")]
    let ratio = (longest / first).powf(1.0 / (MEMORIES - 1) as f64);
    let memories: Vec<f64> = (0..MEMORIES)
        .map(|place| {
            #[expect(clippy::cast_precision_loss, reason = "a dozen")]
            let place = place as f64;
            first * ratio.powf(place)
        })
        .collect();
    let plain: f64 = memories.iter().map(|memory| memory.powf(-0.5)).sum();
    let extra = (LONGEST * longest / super::window(series).max(f64::MIN_POSITIVE)).min(0.5);
    Some(
        memories
            .iter()
            .enumerate()
            .flat_map(|(place, memory)| {
                let mut weight = (1.0 - extra) * memory.powf(-0.5) / plain;
                if place + 1 == MEMORIES {
                    weight += extra;
                }
                let count = FORGOTTEN.len();
                #[expect(clippy::cast_precision_loss, reason = "a few")]
                let weight = weight / count as f64;
                FORGOTTEN.map(|forgotten| Way {
                    memory: *memory,
                    forgotten,
                    weight,
                })
            })
            .collect(),
    )
}
