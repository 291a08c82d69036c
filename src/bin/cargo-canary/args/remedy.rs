//! Commands about the way back and the way forward.

use std::path::PathBuf;

use clap::Args;

use super::audit::AuditArgs;

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The package, or the id of one change, that goes back; may be repeated
    /// [default: the whole difference]
    #[arg(long, value_name = "NAME")]
    pub(crate) change: Vec<String>,
    #[command(flatten)]
    pub(crate) files: LockOutputArgs,
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SubsetArgs {
    /// How many lock files are put before the policy at most
    #[arg(long, value_name = "COUNT", default_value_t = cargo_canary::remedy::TRIES)]
    pub(crate) tries: usize,
    #[command(flatten)]
    pub(crate) files: LockOutputArgs,
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

/// Where the lock file goes that was found.
#[derive(Debug, Args)]
pub(crate) struct LockOutputArgs {
    /// Write the lock file that was found to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output_lock: Option<PathBuf>,
    /// Write the change of the lock file as a patch for `git apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) patch: Option<PathBuf>,
    /// Make this new branch, with one commit upon the head; the work tree stays as it is
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
}
