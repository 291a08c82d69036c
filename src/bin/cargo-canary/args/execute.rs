//! Commands that run code of the builds.

use std::path::PathBuf;

use clap::Args;

use super::SymptomArg;
use super::output::OutputArgs;
use super::tried::{DifferenceArgs, TrialLedgerArgs};

/// Options of the commands that build.
#[derive(Debug, Args)]
#[command(next_help_heading = "Builds")]
pub(crate) struct BuildArgs {
    /// The build that is known: a revision, a directory, a Cargo.lock
    #[arg(long, value_name = "BUILD")]
    pub(crate) base: Option<String>,
    /// The build that is asked about
    #[arg(long, value_name = "BUILD")]
    pub(crate) head: Option<String>,
    /// The repository: where revisions are looked up, and the sources for builds that are lock files
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    pub(crate) repository: PathBuf,
    /// The executable that is meant, where there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Option<String>,
    /// Further arguments of `cargo build` [default: those of `[probe]`, else `--release`]
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub(crate) build_args: Option<String>,
    /// The file whose table `[probe]` names the workload [default: `canary.toml` of the base]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Run code of the builds also where `CI` is set
    #[arg(long)]
    pub(crate) allow_execution: bool,
    /// Reach no network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Where to work [default: a directory in the user's cache]
    #[arg(long, value_name = "DIR")]
    pub(crate) work: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BisectArgs {
    #[command(flatten)]
    pub(crate) build: BuildArgs,
    /// What goes wrong: suspects that fit are tried first [default with `--probe`: memory]
    #[arg(long, value_enum)]
    pub(crate) symptom: Option<SymptomArg>,
    /// Tell good from bad by a probe, in the place of a command
    #[arg(long)]
    pub(crate) probe: bool,
    /// How long the command may take
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = crate::amounts::duration)]
    pub(crate) timeout: std::time::Duration,
    #[command(flatten)]
    pub(crate) workload: WorkloadArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// The command, which succeeds on the base and fails on the head; with `--probe` the arguments of the program
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<std::ffi::OsString>,
}

/// Options of the commands that run workloads.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Workload")]
pub(crate) struct WorkloadArgs {
    /// How long each side runs: `60s`, `5m` [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = crate::amounts::duration)]
    pub(crate) duration: Option<std::time::Duration>,
    /// Time between samples
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = crate::amounts::duration)]
    pub(crate) interval: std::time::Duration,
    /// A shell command that succeeds when the program is ready for its load
    #[arg(long, value_name = "COMMAND")]
    pub(crate) ready: Option<String>,
    /// How long the program may take to be ready [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = crate::amounts::duration)]
    pub(crate) ready_timeout: Option<std::time::Duration>,
    /// A shell command that makes work for the program, started when it is ready
    #[arg(long, value_name = "COMMAND")]
    pub(crate) load: Option<String>,
    /// Where the program tells its counters, in the text format of Prometheus: `http://127.0.0.1:{port}/metrics`
    #[arg(long, value_name = "URL")]
    pub(crate) metrics: Option<String>,
    /// A gauge that is judged as resources are; can be repeated [default: those that look like something held]
    #[arg(long, value_name = "SERIES")]
    pub(crate) watch: Vec<String>,
    /// The counter that tells how much work was done
    #[arg(long, value_name = "SERIES")]
    pub(crate) per: Option<String>,
    /// Read counters from another machine, too
    #[arg(long)]
    pub(crate) remote_metrics: bool,
    /// Run one side after the other, so many rounds, for workloads that cannot run twice at once
    #[arg(long, value_name = "ROUNDS", num_args = 0..=1, default_missing_value = "1")]
    pub(crate) alternate: Option<u32>,
    /// Cut the program off from any network
    #[arg(long)]
    pub(crate) no_network: bool,
    /// End a side that holds more memory than this [default: 4GiB]
    #[arg(long, value_name = "SIZE", value_parser = crate::amounts::bytes)]
    pub(crate) max_memory: Option<u64>,
    /// End a side that has more processes than this
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_processes: Option<u64>,
    /// The memory at which the service fails, for the time that is left
    #[arg(long, value_name = "SIZE", value_parser = crate::amounts::bytes)]
    pub(crate) memory_limit: Option<u64>,
    /// The number of descriptors at which the service fails
    #[arg(long, value_name = "COUNT")]
    pub(crate) fd_limit: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The executable of the build that is known
    #[arg(long, value_name = "FILE", requires = "head_exe")]
    pub(crate) base_exe: Option<PathBuf>,
    /// The executable of the build that is asked about
    #[arg(long, value_name = "FILE", requires = "base_exe")]
    pub(crate) head_exe: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
    #[command(flatten)]
    pub(crate) workload: WorkloadArgs,
    #[command(flatten)]
    pub(crate) difference: DifferenceArgs,
    /// Write the course of each resource as an SVG picture
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// When memory leaks, run both builds once more under heaptrack, and tell which crates allocated what grew
    #[arg(long)]
    pub(crate) attribute: bool,
    /// Write every sample as CSV
    #[arg(long, value_name = "FILE")]
    pub(crate) samples: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ledger: TrialLedgerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Arguments of the program
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<std::ffi::OsString>,
}
