//! Runs the same workload on two builds, watches what both hold, and says
//! whether the head leaks; finds the update that does it. The only module,
//! with the readers of snapshots, that starts programs. Never judges an update
//! by anything but what it was seen to do.
//!
//! Imports: host, stats, snapshot, lockfile.

pub mod attribution;
pub mod bisect;
pub mod counters;
pub mod judge;
pub mod plan;
mod run;
pub mod show;
mod side;
mod thresholds;
pub mod triage;
mod troubles;
pub mod workshop;

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::host::{Ending, GroupMemory, Sample};

use counters::Reading;

pub use run::{Event, Made, Order, ProbeError, Probed, Request, Run, SideRun, run};
pub use thresholds::{GaugeRules, ResourceThresholds, Thresholds, ThresholdsError};

/// `sha256:…` of these bytes.
fn sha256(bytes: &[u8]) -> String {
    let mut out = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        out.push_str(&format_args!("{byte:02x}").to_string());
    }
    out
}

/// Something that a program holds and should give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Resident memory, in bytes.
    Rss,
    /// Memory with shared pages counted by share, in bytes.
    Pss,
    /// Memory that no other process shares, in bytes.
    Private,
    /// Memory that the account of the control group knows and that is no page of a
    /// file, in bytes.
    Group,
    /// Shared memory and files that are kept in memory alone (tmpfs), by the account of
    /// the control group, in bytes.
    Shmem,
    /// Address space, in bytes.
    Vsz,
    /// File descriptors.
    Fds,
    /// Sockets among the descriptors.
    Sockets,
    /// Threads.
    Threads,
    /// Processes.
    Processes,
}

impl Resource {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Rss,
        Self::Pss,
        Self::Private,
        Self::Group,
        Self::Shmem,
        Self::Vsz,
        Self::Fds,
        Self::Sockets,
        Self::Threads,
        Self::Processes,
    ];

    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Pss => "pss",
            Self::Private => "private",
            Self::Group => "group",
            Self::Shmem => "shmem",
            Self::Vsz => "vsz",
            Self::Fds => "fds",
            Self::Sockets => "sockets",
            Self::Threads => "threads",
            Self::Processes => "processes",
        }
    }

    /// What one of it is called.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Rss | Self::Pss | Self::Private | Self::Group | Self::Shmem | Self::Vsz => {
                "bytes"
            }
            Self::Fds => "descriptors",
            Self::Sockets => "sockets",
            Self::Threads => "threads",
            Self::Processes => "processes",
        }
    }

    /// What a sample has of it.
    #[must_use]
    pub fn of(self, sample: &Sample) -> Option<f64> {
        let value = match self {
            Self::Rss => sample.rss,
            Self::Pss => sample.pss?,
            Self::Private => sample.private?,
            Self::Group => sample.group?.anon,
            Self::Shmem => sample.group?.shmem,
            Self::Vsz => sample.vsz,
            Self::Fds => sample.fds,
            Self::Sockets => sample.sockets?,
            Self::Threads => sample.threads,
            Self::Processes => sample.processes,
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "a byte more or less at 8 PiB does not matter"
        )]
        let value = value as f64;
        Some(value)
    }
}

/// What is watched of a program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// A resource, seen from outside.
    Resource(Resource),
    /// A gauge that the program tells of itself.
    Gauge {
        /// Its name, with the labels that were asked for.
        name: Arc<str>,
        /// It was asked for by name.
        named: bool,
    },
}

impl From<Resource> for Watched {
    fn from(resource: Resource) -> Self {
        Self::Resource(resource)
    }
}

impl PartialEq<Resource> for Watched {
    fn eq(&self, other: &Resource) -> bool {
        match self {
            Self::Resource(resource) => resource == other,
            Self::Gauge { .. } => false,
        }
    }
}

impl Watched {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Resource(resource) => resource.as_str(),
            Self::Gauge { name, .. } => name,
        }
    }

    /// What one of it is called; nothing for gauges that do not say it.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Resource(resource) => resource.unit(),
            Self::Gauge { name, .. } => {
                let metric = name.split('{').next().unwrap_or_default();
                if metric.ends_with("_bytes") {
                    "bytes"
                } else {
                    ""
                }
            }
        }
    }

    /// What was seen of it in a life: time in seconds since its start, and value.
    #[must_use]
    pub fn points(&self, segment: &Segment) -> Vec<(f64, f64)> {
        match self {
            Self::Resource(resource) => segment
                .samples
                .iter()
                .filter_map(|sample| Some((sample.at.as_secs_f64(), resource.of(sample)?)))
                .collect(),
            Self::Gauge { name, .. } => segment
                .told
                .iter()
                .filter_map(|reading| Some((reading.at.as_secs_f64(), *reading.gauges.get(name)?)))
                .collect(),
        }
    }
}

/// One life of a workload: from its start to its end.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Segment {
    /// When it began, since the start of the run.
    pub began: Duration,
    /// What was seen; times count from its own start.
    pub samples: Vec<Sample>,
    /// What it told of itself; times count from its own start.
    pub told: Vec<Reading>,
    /// How it ended; `None` when it was stopped at the end of the run.
    pub ending: Option<Ending>,
    /// What its control group said at the end.
    pub group: Option<GroupMemory>,
    /// It ended because it could not have more memory.
    pub exhausted: bool,
    /// Its part of the processors of the machine; 0 where that is not known.
    pub processors: f64,
}
