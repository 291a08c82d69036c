//! What instances that are alike tell of the noise: how those of one side differ, in the
//! window and before it.

use std::collections::BTreeMap;

use crate::rollout::series::{Life, common};

/// Of so many instances of a side the differences tell of the noise.
const MOST: usize = 4;
/// So many earlier windows are looked at, the last ones.
const MOST_PIECES: usize = 24;
/// A piece that is shorter than this share of the window is left out.
const SHORT: f64 = 0.5;

/// How the instances of a side differ: each from what those before it have in common,
/// so that no difference tells what another has told. Growth that they share is gone.
/// `step` is in seconds.
pub(super) fn differences(lives: &[Life], step: f64) -> Vec<Vec<(f64, f64)>> {
    let mut lives: Vec<&Life> = lives.iter().collect();
    lives.sort_by_key(|life| std::cmp::Reverse(life.samples.len()));
    (1..lives.len().min(MOST))
        .filter_map(|place| {
            let before: Vec<Life> = lives
                .iter()
                .take(place)
                .map(|life| (*life).clone())
                .collect();
            let one = lives.get(place)?;
            let less = |middle: &BTreeMap<i64, f64>| -> Vec<(f64, f64)> {
                let shared =
                    |(tick, value): &(i64, f64)| Some((at(*tick, step), value - middle.get(tick)?));
                one.samples.iter().filter_map(shared).collect()
            };
            common(&before).iter().map(less).max_by_key(Vec::len)
        })
        .filter(|series| {
            let first = series.first().map(|(_, value)| *value);
            series.iter().any(|(_, value)| Some(*value) != first)
        })
        .collect()
}

/// Cuts series into pieces as long as the window (seconds), from their end.
pub(super) fn pieces(series: &[Vec<(f64, f64)>], window: f64) -> Vec<Vec<(f64, f64)>> {
    if window <= 0.0 {
        return Vec::new();
    }
    let mut pieces: Vec<Vec<(f64, f64)>> = series
        .iter()
        .flat_map(|one| {
            let end = one.last().map_or(0.0, |last| last.0);
            let place = move |at: f64| ((end - at) / window).floor();
            one.chunk_by(move |a, b| place(a.0) == place(b.0))
                .map(<[(f64, f64)]>::to_vec)
        })
        .filter(|piece| match (piece.first(), piece.last()) {
            (Some(first), Some(last)) => last.0 - first.0 >= SHORT * window,
            _ => false,
        })
        .collect();
    let end = |piece: &Vec<(f64, f64)>| piece.last().map_or(0.0, |last| last.0);
    pieces.sort_by(|a, b| end(b).total_cmp(&end(a)));
    pieces.truncate(MOST_PIECES);
    pieces
}

/// The time of a step, in seconds since the first one.
pub(super) fn at(tick: i64, step: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
    let at = tick as f64;
    at * step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(instance: &str, ticks: std::ops::Range<i64>, value: impl Fn(f64) -> f64) -> Life {
        Life {
            instance: instance.to_owned(),
            samples: ticks.map(|tick| (tick, value(tick as f64))).collect(),
        }
    }

    #[test]
    fn what_all_share_is_no_difference() {
        let wave = |tick: f64| (tick / 9.0).sin();
        let lives = [
            life("a", 0..60, wave),
            life("b", 0..50, |tick| wave(tick) + 7.0 + tick),
            life("c", 0..40, |tick| wave(tick) - 3.0),
        ];
        let found = differences(&lives, 10.0);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].len(), 50);
        for (at, value) in &found[0] {
            assert!((value - 7.0 - at / 10.0).abs() < 1e-9, "{at} {value}");
        }
        // One that is the same everywhere tells nothing of noise.
        let same = [life("a", 0..60, wave), life("b", 0..60, wave)];
        assert!(differences(&same, 10.0).is_empty());
        assert!(differences(&lives[..1], 10.0).is_empty());
    }

    #[test]
    fn pieces_are_as_long_as_the_window_and_the_last_ones() {
        let series = |count: i64| -> Vec<(f64, f64)> {
            (0..count).map(|tick| (at(tick, 1.0), 0.0)).collect()
        };
        let found = pieces(&[series(100)], 40.0);
        // The first 20 are half of a window, the rest two whole ones.
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].last().unwrap().0, 99.0);
        assert_eq!(found[1].len(), 40);
        assert_eq!(pieces(&[series(121)], 40.0).len(), 3);
        assert_eq!(pieces(&[series(10_000)], 40.0).len(), MOST_PIECES);
        assert!(pieces(&[series(100)], 0.0).is_empty());
        assert!(pieces(&[series(10)], 40.0).is_empty());
    }
}
