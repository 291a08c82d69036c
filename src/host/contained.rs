//! A program that runs for a while and is watched: how it is started, what is
//! seen of it, and that it ends with all it started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// A program to run under watch. Nothing of the caller's environment is passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The command that starts a keeper: a program that calls
    /// [`keep`](super::keep) with the arguments after these.
    pub keeper: Vec<OsString>,
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The whole environment it gets.
    pub env: BTreeMap<OsString, OsString>,
    /// Its working directory.
    pub directory: PathBuf,
    /// What it and all it starts may take.
    pub limits: Limits,
    /// Give it a control group of its own, where the system allows it.
    pub own_group: bool,
}

/// Bounds that the operating system holds for each process of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes of address space of one process.
    pub address_space: Option<u64>,
    /// Processes and threads of the user; the super-user is not bound by it.
    pub processes: Option<u64>,
    /// Bytes of one file that is written.
    pub file_size: Option<u64>,
    /// Seconds of processor time of one process.
    pub processor_seconds: Option<u64>,
}

/// What a tree of processes holds at one moment. Sums over the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sample {
    /// Since the program was started.
    pub at: Duration,
    /// How many processes there are.
    pub processes: u64,
    /// Bytes of resident memory, shared pages counted for each process.
    pub rss: u64,
    /// Bytes of address space.
    pub vsz: u64,
    /// Threads.
    pub threads: u64,
    /// Open file descriptors.
    pub fds: u64,
    /// How many of them are sockets; looked at now and then.
    pub sockets: Option<u64>,
    /// Bytes of memory with shared pages counted by share; looked at now and then.
    pub pss: Option<u64>,
    /// Bytes of memory that no other process shares; looked at now and then.
    pub private: Option<u64>,
    /// Processor time used so far, that of ended children included for which
    /// their parent has waited.
    pub cpu: Duration,
    /// How its threads got their turns so far; looked at now and then.
    pub turns: Option<Turns>,
    /// The account of its control group; looked at now and then.
    pub group: Option<GroupMemory>,
}

/// What the kernel says of the memory of a control group, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct GroupMemory {
    /// All of it, with the pages of files that were read.
    pub current: u64,
    /// That which is no page of a file.
    pub anon: u64,
    /// Pages of shared memory, and of files that are kept in memory alone (tmpfs).
    pub shmem: u64,
    /// The most that there was.
    pub peak: Option<u64>,
    /// How many processes were ended for want of memory.
    pub oom_kills: u64,
}

/// How long threads ran, and how long they could have run and waited for a processor.
/// Sums over threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Turns {
    /// Ran.
    pub ran: Duration,
    /// Waited.
    pub waited: Duration,
}

/// How much is looked at for one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What costs microseconds.
    Counts,
    /// Also which descriptors are sockets.
    Sockets,
    /// Also the memory by share, which holds a lock of the watched program while its
    /// pages are counted.
    Shares,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Ending {
    /// Whether it ended as programs do that have no complaint.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// What a program printed: the last bytes, and how many there were in all.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Printed {
    /// The end of standard output.
    pub stdout: Vec<u8>,
    /// The end of standard error.
    pub stderr: Vec<u8>,
    /// The bytes of both in all.
    pub bytes: u64,
}

/// A program under watch. Dropping the value ends the program and all that it
/// started.
pub trait Running: Send {
    /// What the tree holds now; `None` when nothing of it is left, or nothing
    /// can be seen.
    fn sample(&mut self, detail: Detail) -> Option<Sample>;

    /// How it ended, when it has.
    fn ended(&mut self) -> Option<Ending>;

    /// The account of its control group, also when nothing of the tree is left.
    fn group(&self) -> Option<GroupMemory> {
        None
    }

    /// Why it has no control group of its own, when one was asked for.
    fn group_gap(&self) -> Option<&str> {
        None
    }

    /// Time since it was started.
    fn elapsed(&self) -> Duration;

    /// Ends it and all that it started, and waits for that.
    fn stop(&mut self);

    /// What it printed so far.
    fn printed(&self) -> Printed;
}
