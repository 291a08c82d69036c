//! What was seen, sample by sample, as CSV.

use std::fmt::Write as _;

use crate::probe::Run;

/// The columns, in order. Times are in seconds, memory in bytes. What was not
/// looked at is empty; `ended` stands in the last line of a life that ended.
const COLUMNS: &str =
    "side,life,began_s,at_s,cpu_s,processes,rss,pss,private,vsz,threads,fds,sockets,ended";

/// The samples of both sides.
#[must_use]
pub fn samples(run: &Run) -> String {
    let mut out = format!("{COLUMNS}\n");
    let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    for (name, side) in [("base", &run.base), ("head", &run.head)] {
        for (life, segment) in (1..).zip(&side.segments) {
            for (place, sample) in segment.samples.iter().enumerate() {
                let last = place + 1 == segment.samples.len();
                let ended = segment.ending.filter(|_| last);
                let _ = writeln!(
                    out,
                    "{name},{life},{:.3},{:.3},{:.2},{},{},{},{},{},{},{},{},{}",
                    segment.began.as_secs_f64(),
                    sample.at.as_secs_f64(),
                    sample.cpu.as_secs_f64(),
                    sample.processes,
                    sample.rss,
                    number(sample.pss),
                    number(sample.private),
                    sample.vsz,
                    sample.threads,
                    sample.fds,
                    number(sample.sockets),
                    ended.map_or_else(String::new, |ending| ending.to_string()),
                );
            }
        }
    }
    out
}
