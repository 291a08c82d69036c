//! What a program told of itself in a life: the lives within it, and its work.

use std::time::Duration;

use crate::host::Sample;
use crate::probe::Segment;
use crate::probe::counters::Reading;

/// A life of the whole, cut where the program that tells its gauges began anew: times
/// count from there.
pub(super) fn lives_within(segment: &Segment) -> Vec<Segment> {
    let parts: Vec<_> = segment.told.chunk_by(|_, next| !next.anew).collect();
    let count = parts.len();
    let starts: Vec<Duration> = parts
        .iter()
        .enumerate()
        .map(|(place, part)| match part.first() {
            Some(first) if place > 0 => first.at,
            Some(_) | None => Duration::ZERO,
        })
        .collect();
    let ends = starts.iter().skip(1).copied().chain([Duration::MAX]);
    (1..)
        .zip(parts.iter().zip(&starts).zip(ends))
        .map(|(place, ((part, start), end))| Segment {
            samples: segment
                .samples
                .iter()
                .filter(|sample| (*start..end).contains(&sample.at))
                .map(|sample| Sample {
                    at: sample.at - *start,
                    ..*sample
                })
                .collect(),
            told: part
                .iter()
                .map(|reading| Reading {
                    at: reading.at - *start,
                    ..reading.clone()
                })
                .collect(),
            ending: segment.ending.filter(|_| place == count),
            ..Segment::default()
        })
        .collect()
}

/// The work that a program told in a life: time in seconds and units done.
pub(super) fn work_told(segment: &Segment) -> Vec<(f64, f64)> {
    segment
        .told
        .iter()
        .filter_map(|reading| Some((reading.at.as_secs_f64(), reading.work?)))
        .collect()
}

/// How much work a side did each second, by its own counter, over all its lives.
#[must_use]
pub fn work_rate(segments: &[Segment]) -> Option<f64> {
    let (mut seconds, mut units) = (0.0, 0.0);
    for segment in segments {
        let told = work_told(segment);
        if let (Some(first), Some(last)) = (told.first(), told.last()) {
            seconds += last.0 - first.0;
            units += last.1 - first.1;
        }
    }
    (seconds > 0.0 && units > 0.0).then_some(units / seconds)
}
