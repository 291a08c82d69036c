//! What was seen, sample by sample, as CSV.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use crate::probe::Run;

/// The columns, in order. Times are in seconds, memory in bytes. What was not
/// looked at is empty; `ended` stands in the last line of a life that ended. Gauges
/// that the program told follow, one column for each, in lines of their own.
const COLUMNS: &str = "side,life,began_s,at_s,cpu_s,processes,rss,pss,private,vsz,threads,fds,sockets,ended,ran_s,waited_s,group,group_anon,group_shmem";

/// The samples of both sides.
#[must_use]
pub fn samples(run: &Run) -> String {
    let sides = || [("base", &run.base), ("head", &run.head)].into_iter();
    let readings = sides().flat_map(|(_, side)| side.segments.iter().flat_map(|s| &s.told));
    let names: BTreeSet<&str> = readings
        .flat_map(|reading| reading.gauges.keys().map(|name| &**name))
        .collect();
    let mut out = COLUMNS.to_owned();
    for name in &names {
        let _ = write!(out, ",\"{}\"", name.replace('"', "\"\""));
    }
    out.push('\n');
    let nothing = ",".repeat(names.len());
    let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    let time = |value: Option<Duration>| {
        value.map_or_else(String::new, |value| format!("{:.3}", value.as_secs_f64()))
    };
    for (name, side) in sides() {
        for (life, segment) in (1..).zip(&side.segments) {
            for (place, sample) in segment.samples.iter().enumerate() {
                let last = place + 1 == segment.samples.len();
                let ended = segment.ending.filter(|_| last);
                let _ = writeln!(
                    out,
                    "{name},{life},{:.3},{:.3},{:.2},{},{},{},{},{},{},{},{},{},{},{},{},{},{}{nothing}",
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
                    time(sample.turns.map(|turns| turns.ran)),
                    time(sample.turns.map(|turns| turns.waited)),
                    number(sample.group.map(|group| group.current)),
                    number(sample.group.map(|group| group.anon)),
                    number(sample.group.map(|group| group.shmem)),
                );
            }
            for reading in &segment.told {
                let (began, at) = (segment.began.as_secs_f64(), reading.at.as_secs_f64());
                let _ = write!(out, "{name},{life},{began:.3},{at:.3},,,,,,,,,,,,,,,");
                for name in &names {
                    let value = reading.gauges.get(*name);
                    let _ = write!(out, ",{}", value.map_or_else(String::new, f64::to_string));
                }
                out.push('\n');
            }
        }
    }
    out
}
