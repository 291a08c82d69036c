//! What goes wrong with a side besides growth: it hangs, or dies for want of
//! memory. Pure.

use std::time::Duration;

use super::Segment;
use crate::host::{Ending, Printed};

/// What programs print that end because an allocation failed: Rust's standard
/// library (`handle_alloc_error`), and C++.
const FAILED_ALLOCATION: [(&str, &str); 2] = [
    ("memory allocation of ", " bytes failed"),
    ("std::bad_alloc", ""),
];
/// The signal of `abort`.
const ABORT: i32 = 6;
/// The signal by which the system ends a program for want of memory.
const KILL: i32 = 9;

/// A side that works this little, as a share of the other one's work, is idle.
const IDLE: f64 = 0.05;
/// Less work than this of the other side says nothing.
const LEAST_WORK: Duration = Duration::from_millis(100);

/// Why a program that ended like this could not have more memory, where that is why it
/// ended. `kills` counts the processes of its group that the system ended for want of
/// memory.
pub(super) fn exhausted(ending: Ending, printed: &Printed, kills: u64) -> Option<&'static str> {
    let end = String::from_utf8_lossy(&printed.stderr);
    let failed = FAILED_ALLOCATION.into_iter().any(|(before, after)| {
        end.split_once(before)
            .is_some_and(|(_, rest)| rest.contains(after))
    });
    match ending {
        Ending::Signal(ABORT) if failed => Some("since an allocation failed"),
        ending if is_killed(ending, kills) => Some("by the system, for want of memory"),
        Ending::Signal(_) | Ending::Code(_) => None,
    }
}

/// Whether a program that ended like this was ended by the system for want of memory.
pub(super) fn is_killed(ending: Ending, kills: u64) -> bool {
    ending == Ending::Signal(KILL) && kills > 0
}

/// Says that processes were ended for want of memory. That of the program itself, if it
/// was one of them, is told with its end.
pub(super) fn ended_for_memory(kills: u64, program: bool) -> Option<String> {
    let (processes, other) = if program {
        (kills.saturating_sub(1), "other ")
    } else {
        (kills, "")
    };
    let plural = if processes == 1 { "" } else { "es" };
    (processes > 0).then(|| {
        format!("had {processes} {other}process{plural} that the system ended for want of memory")
    })
}

/// The processor time used in the second half of a run, by a side that lived
/// through all of it in one life.
fn late_work(segments: &[Segment], duration: Duration) -> Option<Duration> {
    let last = segments.last()?;
    let half = (duration / 2).checked_sub(last.began)?;
    let from = last.samples.iter().find(|sample| sample.at >= half)?;
    let to = last.samples.last()?;
    let whole = last.ending.is_none() && from.at < half + duration / 8;
    whole.then(|| to.cpu.saturating_sub(from.cpu))
}

/// The processor time used in the second half of a run, whatever the lives.
fn all_late_work(segments: &[Segment], duration: Duration) -> Duration {
    let half = duration / 2;
    segments
        .iter()
        .filter_map(|segment| {
            let from = segment
                .samples
                .iter()
                .find(|sample| segment.began + sample.at >= half)?;
            Some(segment.samples.last()?.cpu.saturating_sub(from.cpu))
        })
        .sum()
}

/// Says that a side seems to hang: it does next to nothing in the second half of
/// the run, while the other works.
pub(super) fn hang(
    segments: &[Segment],
    (other_name, other): (&str, &[Segment]),
    duration: Duration,
) -> Option<String> {
    let work = late_work(segments, duration)?;
    let of_other = all_late_work(other, duration);
    let hangs = of_other >= LEAST_WORK && work.as_secs_f64() <= IDLE * of_other.as_secs_f64();
    hangs.then(|| {
        format!(
            "seems to hang: {:.2} s of processor time in the second half of the run, where the {other_name} used {:.2} s",
            work.as_secs_f64(),
            of_other.as_secs_f64()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Sample;

    fn worked(share: f64, stops_at: f64) -> Vec<Segment> {
        let samples = (0..100).map(|tick| {
            let at = f64::from(tick) * 0.1;
            Sample {
                at: Duration::from_secs_f64(at),
                cpu: Duration::from_secs_f64(share * at.min(stops_at)),
                ..Sample::default()
            }
        });
        vec![Segment {
            samples: samples.collect(),
            ..Segment::default()
        }]
    }

    const RUN: Duration = Duration::from_secs(10);

    #[test]
    fn a_side_that_stops_working_seems_to_hang_and_a_slower_one_does_not() {
        let base = worked(0.2, 10.0);
        let said = hang(&worked(0.2, 4.0), ("base", &base), RUN).unwrap();
        assert!(said.contains("0.00 s of processor time"), "{said}");
        assert_eq!(hang(&worked(0.1, 10.0), ("base", &base), RUN), None);
        assert_eq!(hang(&base, ("head", &worked(0.2, 4.0)), RUN), None);
        // Two that only sleep.
        let sleeps = worked(0.001, 10.0);
        assert_eq!(hang(&worked(0.0, 10.0), ("base", &sleeps), RUN), None);
    }

    #[test]
    fn a_failed_allocation_is_told_from_other_ends() {
        let said = |text: &str| Printed {
            stderr: text.as_bytes().to_vec(),
            ..Printed::default()
        };
        let failed = said("memory allocation of 17179869184 bytes failed\n");
        let is_exhausted = |ending, said: &Printed| exhausted(ending, said, 0).is_some();
        assert!(is_exhausted(Ending::Signal(6), &failed));
        assert!(is_exhausted(
            Ending::Signal(6),
            &said("what():  std::bad_alloc")
        ));
        assert!(!is_exhausted(Ending::Code(1), &failed));
        assert!(!is_exhausted(Ending::Signal(6), &said("assertion failed")));
        assert!(!is_exhausted(Ending::Signal(9), &failed));
        // A child alone may have been ended, and the program lived on.
        let quiet = Printed::default();
        let killed = exhausted(Ending::Signal(9), &quiet, 1);
        assert_eq!(killed, Some("by the system, for want of memory"));
        assert_eq!(exhausted(Ending::Code(0), &quiet, 1), None);
    }

    #[test]
    fn processes_that_were_ended_for_want_of_memory_are_each_told_once() {
        let said = |kills, program| ended_for_memory(kills, program).unwrap_or_default();
        assert_eq!(said(0, false) + &said(1, true), "");
        assert!(said(1, false).starts_with("had 1 process that"));
        assert!(said(2, false).starts_with("had 2 processes that"));
        assert!(said(2, true).starts_with("had 1 other process that"));
    }
}
