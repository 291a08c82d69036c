//! Commands about policies.

use std::path::PathBuf;

use clap::Subcommand;

use super::audit::DataArgs;

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
