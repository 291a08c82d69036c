//! The command line as it is written; nothing is decided and nothing is read here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Audits dependency changes between two builds.
///
/// Compares the graphs that are compiled, scores every third-party update by
/// risk, links it to past incidents, and says under a policy whether it may go
/// in: pass (exit code 0), block (1), canary rollout required (3), or
/// incomplete (4) when a required fact could not be had.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-canary",
    bin_name = "cargo-canary",
    version,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Audit the difference between two builds and give a verdict
    Check(AuditArgs),
    /// Write the release manager's page: the audit as one HTML file
    Report(ReportArgs),
    /// Write the changelog of the libraries between two builds
    Changelog(AuditArgs),
    /// Show what changed between two builds, without judgement
    Diff(AuditArgs),
    /// Show all that is known about the changes of one package
    Explain(ExplainArgs),
    /// Check policies and look up what they can say
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Look into the catalogue of incidents
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Tell which revisions of which lock files ever held a release, and when
    Exposure(ExposureArgs),
    /// Show and update the advisory facts
    #[command(subcommand)]
    Db(DbCommand),
    /// Run the same workload on two builds and say whether the head leaks
    ///
    /// RUNS what it is given. Exit code 0: no leak; 1: a leak; 4: this run does
    /// not decide. Needs Linux.
    Probe(ProbeArgs),
    /// Find the update that makes a command fail, or a probe find a leak
    ///
    /// RUNS code of the builds. Builds mixtures of the two lock files, only such
    /// that cargo accepts, and ends with the proof: without the guilty update
    /// all is well, with it alone it is not. Exit code 0: found.
    Bisect(BisectArgs),
    /// Two deploys and a symptom: the suspects in order, and the way to prove it
    Triage(TriageArgs),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// Write a page for each command into this directory
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TriageArgs {
    /// What goes wrong
    #[arg(long, value_enum)]
    pub(crate) symptom: SymptomArg,
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SymptomArg {
    /// Memory grows
    Memory,
    /// Descriptors, sockets or threads grow
    Handles,
    /// It stops making progress
    Hang,
    /// It panics or crashes
    Panic,
    /// It answers slowly
    Latency,
}

/// Options of the commands that build.
#[derive(Debug, Args)]
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
    /// Further arguments of `cargo build`
    #[arg(
        long,
        value_name = "ARGS",
        default_value = "--release",
        allow_hyphen_values = true
    )]
    pub(crate) build_args: String,
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
#[derive(Debug, Args)]
pub(crate) struct WorkloadArgs {
    /// How long each side runs: `60s`, `5m`
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = crate::amounts::duration)]
    pub(crate) duration: std::time::Duration,
    /// Time between samples
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = crate::amounts::duration)]
    pub(crate) interval: std::time::Duration,
    /// A shell command that makes work for the program, started with it
    #[arg(long, value_name = "COMMAND")]
    pub(crate) load: Option<String>,
    /// Run one side after the other, so many rounds, for workloads that cannot run twice at once
    #[arg(long, value_name = "ROUNDS", num_args = 0..=1, default_missing_value = "1")]
    pub(crate) alternate: Option<u32>,
    /// End a side that holds more memory than this
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = crate::amounts::bytes)]
    pub(crate) max_memory: u64,
    /// The most processes and threads that the user may have
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
    /// Write the course of each resource as an SVG picture
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Arguments of the program
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<std::ffi::OsString>,
}

/// Options of the commands that compare two builds.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The build that is known: a revision, directory, Cargo.lock or metadata file
    /// [default: the merge base of HEAD with the remote's default branch]
    #[arg(long, value_name = "BUILD")]
    pub(crate) base: Option<String>,
    /// The build that is asked about
    #[arg(long, value_name = "BUILD", default_value = "WORKTREE")]
    pub(crate) head: String,
    /// The repository that revisions are looked up in
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    pub(crate) repository: PathBuf,
    /// A policy file, or `builtin:default` or `builtin:strict`
    /// [default: `canary.toml` of the base, else `builtin:default`]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<String>,
    /// A target triple that is shipped, in the place of the policy's; may be repeated
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Vec<String>,
    /// `default`, `all`, `none`, or names, in the place of the policy's
    #[arg(long, value_name = "FEATURES")]
    pub(crate) features: Option<String>,
    /// The way to the build graph
    #[arg(long, value_enum, default_value_t = Graph::Auto)]
    pub(crate) graph: Graph,
    /// Judge with only what was known on that day: `2026-11-20`, or a time in RFC 3339
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) output: AuditOutputArgs,
}

/// Options about where facts come from.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Reach no network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Use only what is cached, never fetch
    #[arg(long)]
    pub(crate) locked_data: bool,
    /// Where fetched data is kept [default: the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
}

/// Options about what is printed.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// The format of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
    /// Write the report to this file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show what is otherwise folded
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Whether to colour the text
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// Options about what is printed of an audit.
#[derive(Debug, Args)]
pub(crate) struct AuditOutputArgs {
    /// The format of the report
    /// [default: text; for `report` html, for `changelog` markdown]
    #[arg(long, value_enum)]
    pub(crate) format: Option<AuditFormat>,
    /// Write the report to this file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show what is otherwise folded
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Whether to colour the text
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

impl AuditOutputArgs {
    /// The same without the format.
    pub(crate) fn plain(&self) -> OutputArgs {
        OutputArgs {
            format: ReportFormat::Text,
            output: self.output.clone(),
            verbose: self.verbose,
            color: self.color,
            no_progress: self.no_progress,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Print the schema of the JSON report, and compare nothing
    #[arg(long)]
    pub(crate) schema: bool,
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The package, or the id of one change
    pub(crate) package: String,
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExposureArgs {
    /// The package, with `@VERSION` or `@RANGE` where not every version is meant
    pub(crate) package: String,
    /// A repository; may be repeated
    #[arg(
        long = "repository",
        short = 'C',
        value_name = "DIR",
        default_value = "."
    )]
    pub(crate) repositories: Vec<PathBuf>,
    /// Only what was held at or after this day
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Only what was held at or before this day
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a policy file as a whole
    Check {
        /// The policy file
        #[arg(default_value = "canary.toml")]
        file: PathBuf,
    },
    /// Print a built-in policy, to read or to start from
    Show {
        /// `default` or `strict`
        #[arg(default_value = "default")]
        name: String,
    },
    /// List the variables that a condition may use
    Variables,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// List the incidents
    List(IncidentListArgs),
    /// Show one incident
    Show {
        /// Its id
        id: String,
        /// The format of the answer
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
    /// Show which incidents apply to a release or a lock file
    Match {
        /// The package, with `@VERSION` where one is meant; or a Cargo.lock
        package: String,
        /// The format of the answer
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
    /// Check incident files and name every defect
    Lint {
        /// Files, or directories with them [default: .canary/incidents]
        paths: Vec<PathBuf>,
    },
    /// Read a postmortem and draft its record
    Import {
        /// The postmortem, in Markdown or plain text
        file: PathBuf,
        /// The format of the draft: `text` is an incident file
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
        /// Write the draft to this file
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct IncidentListArgs {
    /// Only those of this component
    #[arg(long)]
    pub(crate) component: Option<String>,
    /// Only those that failed in this way
    #[arg(long)]
    pub(crate) failure: Option<String>,
    /// Only those with this cause
    #[arg(long)]
    pub(crate) cause: Option<String>,
    /// Only those that name this crate
    #[arg(long = "crate", value_name = "NAME")]
    pub(crate) package: Option<String>,
    /// Only the repository's own
    #[arg(long, conflicts_with = "built_in")]
    pub(crate) own: bool,
    /// Only those that come with the program
    #[arg(long)]
    pub(crate) built_in: bool,
    /// The format of the answer
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Show which advisory facts are used and how old they are
    Status {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Bring the newest advisory facts
    Update {
        /// A checkout of the advisory database, or a .tar.gz of one
        /// [default: RustSec's repository, over the network]
        #[arg(long, value_name = "PATH")]
        from: Option<PathBuf>,
        #[command(flatten)]
        data: DataArgs,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Text,
    Json,
}

/// The formats of a report about two builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditFormat {
    /// For people at a terminal
    Text,
    /// For programs
    Json,
    /// For a comment on a pull request, or the summary of a job
    Markdown,
    /// For the log of a GitHub workflow: annotations at lines of lock files
    Github,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For a GitLab merge request: a code-quality report
    Gitlab,
    /// For a release manager: one page that stands for itself
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Graph {
    /// From lock file, manifests and index; by cargo where that does not suffice
    Auto,
    /// From lock file, manifests and index
    Direct,
    /// By cargo, in a clean room
    Cargo,
    /// From the lock file alone
    LockOnly,
}
