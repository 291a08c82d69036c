//! How long the threads of a tree of processes ran, and how long they waited for a
//! processor, as the scheduler of Linux counts it.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to the process table"
)]

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::contained::Turns;

/// At most so many threads of a tree are looked at.
const MOST_THREADS: usize = 512;

/// Adds up the turns of threads that come and go.
#[derive(Debug, Default)]
pub(super) struct Clock {
    seen: BTreeMap<u32, Turns>,
    total: Turns,
}

impl Clock {
    /// Adds what the threads of these processes did since the last look; `None` where
    /// the kernel does not count it. What a thread did after the last look before its
    /// end is not known.
    pub(super) fn look<'p>(&mut self, pids: impl Iterator<Item = &'p u32>) -> Option<Turns> {
        let mut now = BTreeMap::new();
        for pid in pids {
            let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
                continue;
            };
            for thread in threads.flatten() {
                if now.len() >= MOST_THREADS {
                    break;
                }
                let id = thread.file_name().to_str().and_then(|id| id.parse().ok());
                let text = fs::read_to_string(thread.path().join("schedstat"));
                if let (Some(id), Some(turns)) = (id, text.ok().as_deref().and_then(read)) {
                    now.insert(id, turns);
                }
            }
        }
        if now.is_empty() {
            return None;
        }
        self.add(now);
        Some(self.total)
    }

    fn add(&mut self, now: BTreeMap<u32, Turns>) {
        for (id, turns) in &now {
            // A number that was given to another thread begins anew.
            let before = self
                .seen
                .get(id)
                .copied()
                .filter(|before| before.ran <= turns.ran && before.waited <= turns.waited)
                .unwrap_or_default();
            self.total.ran += turns.ran - before.ran;
            self.total.waited += turns.waited - before.waited;
        }
        self.seen = now;
    }
}

/// The first two numbers of `schedstat`, in nanoseconds.
fn read(text: &str) -> Option<Turns> {
    let mut fields = text.split_ascii_whitespace().map(str::parse);
    let mut next = || Some(Duration::from_nanos(fields.next()?.ok()?));
    Some(Turns {
        ran: next()?,
        waited: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(ran: u64, waited: u64) -> Turns {
        Turns {
            ran: Duration::from_secs(ran),
            waited: Duration::from_secs(waited),
        }
    }

    #[test]
    fn the_turns_of_a_thread_are_read() {
        assert_eq!(
            read("2000000000 7000000000 15\n"),
            Some(turns(2, 7)),
            "ran, waited, how often"
        );
        assert_eq!(read("2000000000\n"), None);
        assert_eq!(read("two seven 15\n"), None);
    }

    #[test]
    fn threads_come_and_go_and_the_sum_only_grows() {
        let mut clock = Clock::default();
        clock.add(BTreeMap::from([(1, turns(1, 2)), (2, turns(10, 20))]));
        assert_eq!(clock.total, turns(11, 22));
        // The second has ended; its number is given to another.
        clock.add(BTreeMap::from([(1, turns(2, 2))]));
        assert_eq!(clock.total, turns(12, 22));
        clock.add(BTreeMap::from([(1, turns(2, 5)), (2, turns(1, 1))]));
        assert_eq!(clock.total, turns(13, 26));
        clock.add(BTreeMap::from([(1, turns(1, 1)), (2, turns(1, 1))]));
        assert_eq!(clock.total, turns(14, 27), "the first began anew");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_seen_where_the_kernel_counts() {
        let me = std::process::id();
        if fs::metadata("/proc/self/schedstat").is_ok() {
            let ran = Clock::default().look([me].iter()).unwrap().ran;
            assert!(ran > Duration::ZERO);
        }
        assert_eq!(Clock::default().look([0].iter()), None);
    }
}
