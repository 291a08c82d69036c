//! Where the start of a series ends.

/// How many samples at the start to leave out, so that the mean of the rest has
/// the smallest standard error (MSER: White, *Simulation* 69, 1997), at most
/// half of them. On a series that only grows this leaves out little, which is
/// what a leak needs.
///
/// The rule looks at the series with its own trend over the second half taken
/// away, since otherwise a steady growth would look like a start without end.
#[must_use]
pub fn warm_up(samples: &[(f64, f64)]) -> usize {
    let half = samples.len() / 2;
    let Some(second) = samples.get(half..) else {
        return 0;
    };
    let Some(slope) = super::trend::slope(second) else {
        return 0;
    };
    let flat: Vec<f64> = samples.iter().map(|(t, x)| x - slope * t).collect();
    let (mut count, mut mean, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut best = (f64::INFINITY, 0);
    for (place, value) in flat.iter().enumerate().rev() {
        count += 1.0;
        let step = value - mean;
        mean += step / count;
        squares += step * (value - mean);
        if place <= half && count >= 4.0 {
            let error = squares / (count * count);
            if error <= best.0 {
                best = (error, place);
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(count: u32, value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..count)
            .map(|i| (f64::from(i), value(f64::from(i))))
            .collect()
    }

    fn wiggle(t: f64) -> f64 {
        (t * 12.9898).sin() * 0.5
    }

    #[test]
    fn a_rise_at_the_start_is_left_out() {
        let samples = series(200, |t| 100.0 * (1.0 - (-t / 10.0).exp()) + wiggle(t));
        let cut = warm_up(&samples);
        assert!((20..=80).contains(&cut), "{cut}");
    }

    #[test]
    fn a_steady_series_and_a_steady_leak_lose_little() {
        assert!(warm_up(&series(200, wiggle)) < 30);
        assert!(warm_up(&series(200, |t| 3.0 * t + wiggle(t))) < 30);
    }

    #[test]
    fn a_leak_after_a_start_keeps_its_growth() {
        let samples = series(300, |t| {
            50.0 * (1.0 - (-t / 8.0).exp()) + 0.7 * t + wiggle(t)
        });
        let cut = warm_up(&samples);
        let slope = super::super::slope(&samples[cut..]).unwrap();
        assert!((slope - 0.7).abs() < 0.02, "{slope}");
    }
}
