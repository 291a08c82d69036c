//! The only doors to files, network, processes, environment and clock. A door
//! that is closed is a missing value: offline means there is no [`Net`]. What
//! passes through is counted. Judges nothing and knows nothing of packages.
//!
//! Imports: nothing.

pub mod memory;
mod causes;
mod contained;
#[cfg(target_os = "linux")]
mod group;
mod keeper;
mod net;
#[cfg(target_os = "linux")]
mod process_tree;
mod put;
mod real;
mod scratch;
mod shared;
#[cfg(target_os = "linux")]
mod turns;
#[cfg(target_os = "linux")]
mod watched;
mod work;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

pub(crate) use causes::with_causes;
pub use contained::{Detail, Ending, GroupMemory, Launch, Limits, Printed, Running, Sample, Turns};
pub use keeper::{NOT_STARTED, NOT_STARTED_SAYS, keep};
pub use net::{Identity, NetLimits, RealNet};
pub use shared::{SharedFiles, SharedNews, SharedPlace, SharedPlaceError};
pub use work::{Work, WorkCounter};

/// Everything outside of the program, handed in.
pub struct Host {
    /// The file system.
    pub files: Box<dyn Files>,
    /// The network; `None` when there is to be none.
    pub net: Option<Box<dyn Net>>,
    /// Other programs.
    pub processes: Box<dyn Processes>,
    /// The time of day.
    pub clock: Box<dyn Clock>,
    /// The environment variables that were set at the start.
    pub env: Environment,
}

/// Environment variables, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    vars: BTreeMap<String, OsString>,
}

impl Environment {
    /// An environment with these variables.
    #[must_use]
    pub fn new(vars: impl IntoIterator<Item = (String, OsString)>) -> Self {
        Self {
            vars: vars.into_iter().collect(),
        }
    }

    /// The value of a variable; an empty one counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&std::ffi::OsStr> {
        self.vars
            .get(name)
            .map(OsString::as_os_str)
            .filter(|v| !v.is_empty())
    }

    /// All variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &std::ffi::OsStr)> {
        self.vars
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_os_str()))
    }

    /// The value of a variable as a path.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// The user's home directory.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.path("HOME").or_else(|| self.path("USERPROFILE"))
    }

    /// Cargo's home directory: `CARGO_HOME`, else `.cargo` in the user's home.
    #[must_use]
    pub fn cargo_home(&self) -> Option<PathBuf> {
        self.path("CARGO_HOME")
            .or_else(|| self.home().map(|home| home.join(".cargo")))
    }

    /// The directory for what this program keeps for the user: `cargo-canary` in
    /// `XDG_DATA_HOME` or `~/.local/share`.
    #[must_use]
    pub fn data_dir(&self) -> Option<PathBuf> {
        self.path("XDG_DATA_HOME")
            .or_else(|| self.home().map(|home| home.join(".local/share")))
            .map(|data| data.join("cargo-canary"))
    }

    /// The directory for this program's caches: `CARGO_CANARY_CACHE`, else
    /// `cargo-canary` in `XDG_CACHE_HOME` or `~/.cache`.
    #[must_use]
    pub fn cache_dir(&self) -> Option<PathBuf> {
        self.path("CARGO_CANARY_CACHE").or_else(|| {
            self.path("XDG_CACHE_HOME")
                .or_else(|| self.home().map(|home| home.join(".cache")))
                .map(|cache| cache.join("cargo-canary"))
        })
    }
}

/// What kind of thing a path names; links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A regular file, with its size in bytes.
    File(u64),
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The last component of its path.
    pub name: OsString,
    /// What it is.
    pub kind: FileKind,
}

/// What is done with a last line that has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// It is whole, and is given its end.
    Whole,
    /// It is the beginning of something that was never finished, and goes.
    Torn,
}

/// The file system.
pub trait Files: Send + Sync {
    /// What a path names, without following a link in its last component.
    ///
    /// # Errors
    /// Those of the operating system.
    fn kind(&self, path: &Path) -> io::Result<FileKind>;

    /// A whole file, at most `limit` bytes of it.
    ///
    /// # Errors
    /// Those of the operating system; `FileTooLarge` when it has more than `limit` bytes.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// The entries of a directory, sorted by name.
    ///
    /// # Errors
    /// Those of the operating system.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// The path with all links resolved.
    ///
    /// # Errors
    /// Those of the operating system.
    fn canonical(&self, path: &Path) -> io::Result<PathBuf>;

    /// Writes a file so that a reader sees the old content or the new, never a
    /// part: into a temporary file beside it, which is then renamed. Creates the
    /// directories above it.
    ///
    /// # Errors
    /// Those of the operating system.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// Adds to the end of a file, which is made when it is not there; one writer
    /// at a time, and what was added is on disk when this returns. A last line
    /// without an end, which a writer that was stopped may have left, is handed
    /// to `tail` first. A link is not followed.
    ///
    /// # Errors
    /// Those of the operating system, and those of `tail`; then the file is as
    /// it was.
    fn append(
        &self,
        path: &Path,
        content: &[u8],
        tail: &dyn Fn(&[u8]) -> io::Result<Tail>,
    ) -> io::Result<()>;

    /// When a file was last written.
    ///
    /// # Errors
    /// Those of the operating system.
    fn modified(&self, path: &Path) -> io::Result<Timestamp>;

    /// Creates a new, empty, private directory below `parent`, which is removed
    /// with all it holds when the value is dropped.
    ///
    /// # Errors
    /// Those of the operating system.
    fn scratch(&self, parent: &Path) -> io::Result<Box<dyn Scratch>>;

    /// What has passed through so far.
    fn work(&self) -> Work;
}

/// A private directory that goes when the value is dropped.
pub trait Scratch: Send {
    /// Where it is.
    fn path(&self) -> &Path;
}

/// One request of the HTTP GET kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Get {
    /// The address.
    pub url: String,
    /// Further header fields, in lower case.
    pub headers: Vec<(String, String)>,
    /// At most this many bytes of (decoded) body are read.
    pub limit: u64,
}

/// One request of the HTTP PUT kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The address.
    pub url: String,
    /// What is put there.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header fields, in lower case.
    pub headers: BTreeMap<String, String>,
    /// The decoded body.
    pub body: Vec<u8>,
}

/// Why nothing usable came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// No connection, or it broke.
    #[error("no answer from {url}: {detail}")]
    NoAnswer {
        /// The address asked, without user name and password.
        url: String,
        /// What the client reports.
        detail: String,
    },
    /// It took longer than allowed.
    #[error("no answer from {url} within {seconds} s")]
    TimedOut {
        /// The address asked.
        url: String,
        /// The limit.
        seconds: u64,
    },
    /// The body has more bytes than allowed.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// The address asked.
        url: String,
        /// The limit.
        limit: u64,
    },
}

/// The network.
pub trait Net: Send + Sync {
    /// Answers to all requests in their order; many are under way at once.
    fn get_all(&self, requests: &[Get]) -> Vec<Result<Response, NetError>>;

    /// Puts bytes at an address, and returns the HTTP status.
    ///
    /// # Errors
    /// When no answer comes, or nothing can be put anywhere here.
    fn put(&self, put: &Put) -> Result<u16, NetError> {
        Err(NetError::NoAnswer {
            url: put.url.split('?').next().unwrap_or_default().to_owned(),
            detail: "nothing is put anywhere here".to_owned(),
        })
    }

    /// How many requests were sent so far.
    fn requests(&self) -> u64;
}

/// A program to run. Nothing of the caller's environment is passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The program: an absolute path, or a name that is looked up in the
    /// `PATH` the process was started with.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The whole environment it gets.
    pub env: BTreeMap<OsString, OsString>,
    /// Its working directory.
    pub directory: PathBuf,
    /// What it reads.
    pub stdin: Vec<u8>,
    /// It is ended after this time.
    pub timeout: Duration,
    /// It is ended when it prints more bytes than this.
    pub output_limit: u64,
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: Vec<u8>,
}

/// Why a program could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It is not there, or may not be run.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// It took longer than allowed and was ended.
    #[error("`{program}` did not end within {seconds} s and was stopped")]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// The limit.
        seconds: u64,
    },
    /// It printed more than allowed and was ended.
    #[error("`{program}` printed more than {limit} bytes and was stopped")]
    TooMuchOutput {
        /// The program.
        program: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// This system has no process table that can be read.
    #[error("cannot watch `{program}`: that needs the /proc of Linux")]
    NotWatched {
        /// The program.
        program: PathBuf,
    },
}

/// Other programs.
pub trait Processes: Send + Sync {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// When it cannot be started or breaks a limit. A non-zero exit code is no error.
    fn run(&self, invocation: &Invocation) -> Result<Output, ProcessError>;

    /// Starts a program under watch.
    ///
    /// # Errors
    /// When it cannot be started, or programs cannot be watched here.
    fn start(&self, launch: &Launch) -> Result<Box<dyn Running>, ProcessError> {
        Err(ProcessError::NotWatched {
            program: launch.program.clone(),
        })
    }

    /// A port of the loopback device that nobody uses now; `None` when there is none.
    fn free_port(&self) -> Option<u16> {
        None
    }

    /// How many were started so far.
    fn started(&self) -> u64;
}

/// The time of day.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

impl Host {
    /// What has passed through all doors so far.
    #[must_use]
    pub fn work(&self) -> Work {
        Work {
            requests: self.net.as_ref().map_or(0, |net| net.requests()),
            processes: self.processes.started(),
            ..self.files.work()
        }
    }
}
