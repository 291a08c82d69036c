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
    /// Print a built-in policy, to read or to start from
    Show {
        /// `default` or `strict`
        #[arg(default_value = "default")]
        name: String,
    },
    /// List the variables that a condition may use
    Variables,
}
