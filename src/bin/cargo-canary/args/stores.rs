//! Commands about what is kept: histories and databases.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::audit::DataArgs;
use super::output::OutputArgs;

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
