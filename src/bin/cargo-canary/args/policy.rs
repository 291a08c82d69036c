//! Commands about policies.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a policy file as a whole
    Check {
        /// The policy file
        #[arg(default_value = "canary.toml")]
        file: PathBuf,
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
