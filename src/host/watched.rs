//! Programs under watch on this machine, each behind a keeper.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door through which workloads are started"
)]

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::ProcessError;
use super::contained::{Detail, Ending, GroupMemory, Launch, Printed, Running, Sample};
use super::group::Group;
use super::keeper::{NOT_STARTED, limit_args};
use super::process_tree;
use super::turns::Clock;

/// So many bytes of each stream are kept: the last ones.
const KEPT_OUTPUT: usize = 64 * 1024;
/// A keeper that has been told to end its workload gets this long.
const PATIENCE: Duration = Duration::from_secs(10);

struct Watched {
    keeper: Child,
    /// While this is open the keeper lets the workload run.
    leash: Option<ChildStdin>,
    started: Instant,
    /// Counts how its threads get their turns.
    turns: Clock,
    /// Its control group, or why it has none.
    group: Result<Group, String>,
    ending: Option<Ending>,
    stdout: Arc<Mutex<Tail>>,
    stderr: Arc<Mutex<Tail>>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Tail {
    bytes: VecDeque<u8>,
    total: u64,
}

/// Starts a workload behind a keeper.
pub(super) fn start(launch: &Launch) -> Result<Box<dyn Running>, ProcessError> {
    let failed = |source| ProcessError::Start {
        program: launch.program.clone(),
        source,
    };
    let Some((keeper, first)) = launch.keeper.split_first() else {
        return Err(failed(std::io::Error::other("no keeper was named")));
    };
    let group = if launch.own_group {
        Group::make()
    } else {
        Err(String::new())
    };
    let of_group = group
        .as_ref()
        .map_or(OsStr::new("-"), |group| group.path().as_os_str());
    let mut keeper = Command::new(keeper)
        // Not by our own name, see `keeper`.
        .arg0("canary-keeper")
        .args(first)
        .args(limit_args(&launch.limits))
        .arg(of_group)
        .arg(&launch.program)
        .args(&launch.args)
        .env_clear()
        .envs(&launch.env)
        .current_dir(&launch.directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let leash = keeper.stdin.take();
    let (stdout, stderr) = (Arc::default(), Arc::default());
    let mut readers = Vec::new();
    if let Some(stream) = keeper.stdout.take() {
        readers.push(keep_tail(stream, Arc::clone(&stdout)));
    }
    if let Some(stream) = keeper.stderr.take() {
        readers.push(keep_tail(stream, Arc::clone(&stderr)));
    }
    Ok(Box::new(Watched {
        keeper,
        leash,
        started: Instant::now(),
        turns: Clock::default(),
        group,
        ending: None,
        stdout,
        stderr,
        readers,
    }))
}

fn keep_tail(mut stream: impl Read + Send + 'static, tail: Arc<Mutex<Tail>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            tail.total += read as u64;
            tail.bytes.extend(buffer.iter().take(read));
            let over = tail.bytes.len().saturating_sub(KEPT_OUTPUT);
            tail.bytes.drain(..over);
        }
    })
}

impl Running for Watched {
    fn sample(&mut self, detail: Detail) -> Option<Sample> {
        let at = self.started.elapsed();
        let sample = process_tree::sample(self.keeper.id(), at, detail, &mut self.turns)?;
        let group = self
            .group
            .as_ref()
            .ok()
            .filter(|group| detail != Detail::Counts && group.has_members());
        Some(Sample {
            group: group.and_then(Group::memory),
            ..sample
        })
    }

    fn ended(&mut self) -> Option<Ending> {
        if self.ending.is_none()
            && let Ok(Some(status)) = self.keeper.try_wait()
        {
            self.ending = Some(match status.code() {
                Some(code @ 129..=192) => Ending::Signal(code - 128),
                Some(code) => Ending::Code(code),
                None => Ending::Signal(0),
            });
        }
        self.ending
    }

    fn group(&self) -> Option<GroupMemory> {
        self.group.as_ref().ok()?.memory()
    }

    fn group_gap(&self) -> Option<&str> {
        let why = self.group.as_ref().err()?;
        (!why.is_empty()).then_some(why)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn stop(&mut self) {
        self.leash = None;
        let deadline = Instant::now() + PATIENCE;
        while self.ended().is_none() {
            if Instant::now() > deadline {
                // The keeper does not answer: end what can be seen, then itself.
                for pid in process_tree::descendants(self.keeper.id()) {
                    if let Some(pid) = i32::try_from(pid)
                        .ok()
                        .and_then(rustix::process::Pid::from_raw)
                    {
                        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                    }
                }
                drop(self.keeper.kill());
                drop(self.keeper.wait());
                self.ending
                    .get_or_insert(Ending::Code(i32::from(NOT_STARTED)));
                break;
            }
            thread::sleep(Duration::from_millis(2));
        }
        // Everything that held the other ends of the pipes is gone.
        for reader in self.readers.drain(..) {
            drop(reader.join());
        }
    }

    fn printed(&self) -> Printed {
        let copy = |tail: &Mutex<Tail>| {
            let tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            (tail.bytes.iter().copied().collect::<Vec<u8>>(), tail.total)
        };
        let (stdout, first) = copy(&self.stdout);
        let (stderr, second) = copy(&self.stderr);
        Printed {
            stdout,
            stderr,
            bytes: first + second,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stop();
    }
}
