//! What a tree of processes holds, read from `/proc`.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to the process table"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::time::Duration;

use super::contained::{Detail, Sample};
use super::turns::Clock;

/// No file of `/proc` that is read here comes near to this size, in bytes.
const FILE_LIMIT: u64 = 1 << 20;
/// At most this many descriptors of a process are looked at one by one.
const MOST_LINKS: usize = 20_000;
/// At most this many processes belong to a tree.
const MOST_PROCESSES: usize = 10_000;

fn read(path: &str) -> Option<String> {
    let mut text = String::new();
    fs::File::open(path)
        .ok()?
        .take(FILE_LIMIT)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

/// The processes that descend from this one, without itself, sorted.
pub(super) fn descendants(root: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![root];
    while let Some(parent) = waiting.pop() {
        for child in children(parent) {
            if found.len() < MOST_PROCESSES && child != root && found.insert(child) {
                waiting.push(child);
            }
        }
    }
    found
}

/// The children of a process, as the kernel lists them by thread; from the whole
/// process table where the kernel does not.
fn children(parent: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for thread in threads.flatten() {
        let path = thread.path().join("children");
        let Ok(text) = fs::read_to_string(&path) else {
            if fs::symlink_metadata("/proc/self/task").is_ok() && !listed_by_thread() {
                return children_of_table(parent);
            }
            continue;
        };
        found.extend(
            text.split_ascii_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    found
}

/// Whether this kernel lists children by thread.
fn listed_by_thread() -> bool {
    let me = std::process::id();
    fs::symlink_metadata(format!("/proc/self/task/{me}/children")).is_ok()
}

fn children_of_table(parent: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let parent_of =
                |text: &str| -> Option<u32> { fields_of_stat(text)?.get(1)?.parse().ok() };
            read(&format!("/proc/{pid}/stat"))
                .as_deref()
                .and_then(parent_of)
                == Some(parent)
        })
        .collect()
}

/// The fields of a `stat` file after the name, which stands in brackets and may
/// hold anything: the first is the state, the second the parent.
fn fields_of_stat(text: &str) -> Option<Vec<&str>> {
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_ascii_whitespace().collect())
}

/// Samples the descendants of a process; `None` when there are none.
pub(super) fn sample(root: u32, at: Duration, detail: Detail, clock: &mut Clock) -> Option<Sample> {
    let page = rustix::param::page_size() as u64;
    let mut sum = Sample {
        at,
        ..Sample::default()
    };
    let (mut sockets, mut pss, mut private) = (0, 0, 0);
    let mut shares = detail == Detail::Shares;
    let pids = descendants(root);
    for pid in &pids {
        // A process may end while it is looked at; then it does not count.
        let Some((vsz, rss)) = read(&format!("/proc/{pid}/statm"))
            .as_deref()
            .and_then(pages)
        else {
            continue;
        };
        let stat = read(&format!("/proc/{pid}/stat"));
        let Some(threads) = stat.as_deref().and_then(threads) else {
            continue;
        };
        if rss == 0 {
            // It has ended and waits to be asked for its exit code.
            continue;
        }
        sum.processes += 1;
        sum.rss += rss.saturating_mul(page);
        sum.vsz += vsz.saturating_mul(page);
        sum.threads += threads;
        sum.cpu += stat.as_deref().and_then(processor_time).unwrap_or_default();
        let (fds, of_sockets) = descriptors(*pid, detail);
        sum.fds += fds;
        sockets += of_sockets;
        if shares {
            match read(&format!("/proc/{pid}/smaps_rollup"))
                .as_deref()
                .and_then(shared_memory)
            {
                Some((proportional, own)) => {
                    pss += proportional;
                    private += own;
                }
                None => shares = false,
            }
        }
    }
    if sum.processes == 0 {
        return None;
    }
    if detail != Detail::Counts {
        sum.sockets = Some(sockets);
        sum.turns = clock.look(pids.iter());
    }
    if shares {
        sum.pss = Some(pss);
        sum.private = Some(private);
    }
    Some(sum)
}

/// Pages of address space and of resident memory.
fn pages(statm: &str) -> Option<(u64, u64)> {
    let mut fields = statm.split_ascii_whitespace();
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// The number of threads: field 20 of `stat`, the 18th after the name.
fn threads(stat: &str) -> Option<u64> {
    fields_of_stat(stat)?.get(17)?.parse().ok()
}

/// Processor time of a process and of its children that are waited for: fields 14
/// to 17 of `stat`, in ticks.
fn processor_time(stat: &str) -> Option<Duration> {
    let fields = fields_of_stat(stat)?;
    let ticks: u64 = fields
        .get(11..15)?
        .iter()
        .map(|field| field.parse::<u64>().unwrap_or(0))
        .sum();
    let rate = rustix::param::clock_ticks_per_second().max(1);
    ticks
        .saturating_mul(1_000)
        .checked_div(rate)
        .map(Duration::from_millis)
}

/// How many descriptors are open, and how many of them are sockets.
fn descriptors(pid: u32, detail: Detail) -> (u64, u64) {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return (0, 0);
    };
    let (mut fds, mut sockets) = (0, 0);
    for (place, entry) in entries.flatten().enumerate() {
        fds += 1;
        if detail != Detail::Counts
            && place < MOST_LINKS
            && fs::read_link(entry.path())
                .is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
        {
            sockets += 1;
        }
    }
    (fds, sockets)
}

/// Proportional and private bytes of a `smaps_rollup` file.
fn shared_memory(rollup: &str) -> Option<(u64, u64)> {
    let field = |name: &str| -> Option<u64> {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1024)
    };
    let private = field("Private_Clean:")? + field("Private_Dirty:")?;
    Some((field("Pss:")?, private))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 5 0 100";
        assert_eq!(fields_of_stat(stat).unwrap()[1], "7");
        assert_eq!(threads(stat), Some(5));
        assert_eq!(threads("42 broken"), None);
    }

    #[test]
    fn processor_time_is_that_of_the_process_and_of_its_ended_children() {
        let stat = "42 (x) S 7 42 42 0 -1 4194560 1 0 0 0 100 20 3 4 20 0 5 0 100";
        let ticks = rustix::param::clock_ticks_per_second();
        assert_eq!(
            processor_time(stat),
            Some(Duration::from_millis(127 * 1_000 / ticks))
        );
        assert_eq!(processor_time("42 (x) S 7"), None);
    }

    #[test]
    fn memory_by_share_is_read_from_its_lines() {
        let text = "0-1 ---p 0 00:00 0 [rollup]\nRss: 100 kB\nPss:   60 kB\nPrivate_Clean: 8 kB\nPrivate_Dirty: 32 kB\n";
        assert_eq!(shared_memory(text), Some((60 * 1024, 40 * 1024)));
        assert_eq!(shared_memory("Pss: many kB"), None);
    }

    #[test]
    fn pages_are_the_first_two_fields() {
        assert_eq!(pages("10 5 3 1 0 2 0\n"), Some((10, 5)));
        assert_eq!(pages(""), None);
    }

    #[test]
    fn we_descend_from_the_one_that_started_us() {
        let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
        if let Some(parent) = parent.and_then(|pid| u32::try_from(pid).ok()) {
            assert!(descendants(parent).contains(&std::process::id()));
            assert!(children_of_table(parent).contains(&std::process::id()));
        }
    }
}
