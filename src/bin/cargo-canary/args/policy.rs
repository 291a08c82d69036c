//! Commands about policies.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::audit::{DataArgs, Graph};
use super::output::OutputArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Write a commented policy to start from, fitted to the repository
    ///
    /// Takes over the ignored advisories, allowed sources and bans of a `deny.toml`.
    Init {
        /// The repository
        #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
        repository: PathBuf,
        /// Write there, in the place of `canary.toml` in the repository
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Print it, and write nothing
        #[arg(long, conflicts_with = "output")]
        print: bool,
    },
    /// Check a policy file as a whole
    Check {
        /// The policy file
        #[arg(default_value = "canary.toml")]
        file: PathBuf,
        /// Say of each value where it comes from
        #[arg(long)]
        explain: bool,
        /// Fetch nothing: a policy from a URL has to be in the cache
        #[arg(long)]
        offline: bool,
    },
    /// Judge the cases beside a policy, and show what differs from what they expect
    ///
    /// Exit code 1: a case does not hold.
    Test {
        /// The policy file, or `builtin:NAME`
        #[arg(default_value = "canary.toml")]
        policy: String,
        /// Files of cases; otherwise the one beside the policy, such as `canary.test.toml`
        #[arg(long, value_name = "FILE")]
        cases: Vec<PathBuf>,
    },
    /// Show what a policy would have stopped of the repository's own past
    ///
    /// Each change of a lock file that was merged into the branch is judged as of the
    /// time of its commit. The exit code is 0 whatever would have been stopped.
    #[command(after_long_help = super::examples::REPLAY)]
    Replay(Box<ReplayArgs>),
    /// Record what the repository lives with, so that nothing new of its kind comes in
    ///
    /// Writes build scripts, procedural macros, packages with unsafe code, duplicates,
    /// git sources and advisories that apply. The base's `.canary/baseline.toml` is
    /// held against every change.
    Baseline {
        /// The build that is recorded
        #[arg(long, value_name = "BUILD", default_value = "WORKTREE")]
        head: String,
        /// The repository
        #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
        repository: PathBuf,
        /// Only take from the record what is gone, and add nothing
        #[arg(long)]
        shrink: bool,
        /// Judge advisories with only what was known on that day
        #[arg(long, value_name = "DATE")]
        as_of: Option<String>,
        #[command(flatten)]
        data: DataArgs,
        /// Write there, in the place of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print the JSON schema of policies, for editors
    Schema {
        /// That of the cases beside a policy
        #[arg(long)]
        cases: bool,
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

/// Options of `policy replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The revision whose past is replayed, along the first parents
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    pub(crate) head: String,
    /// The repository
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    pub(crate) repository: PathBuf,
    /// A policy file, or `builtin:default` or `builtin:strict`
    /// [default: `canary.toml` of the working tree, else `builtin:default`]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<String>,
    /// At most so many lock changes, the newest ones
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) limit: u16,
    /// A target triple that is shipped, in the place of the policy's; may be repeated
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Vec<String>,
    /// `default`, `all`, `none`, or names, in the place of the policy's
    #[arg(long, value_name = "FEATURES")]
    pub(crate) features: Option<String>,
    /// The way to the build graph
    #[arg(long, value_enum, default_value_t = Graph::Auto)]
    pub(crate) graph: Graph,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
