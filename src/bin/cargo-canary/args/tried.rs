//! Options of the commands that try a difference.

use std::path::PathBuf;

use clap::Args;

/// Which difference is tried.
#[derive(Debug, Args)]
pub(crate) struct DifferenceArgs {
    /// The difference that is tried, `diff-digest` of `check --format json`: the result
    /// is then evidence for this one only
    /// [default: that of the builds, where `--base` or `--head` names them]
    #[arg(long, value_name = "DIGEST", value_parser = crate::amounts::digest)]
    pub(crate) diff_digest: Option<String>,
    /// The same, read from the JSON report of `check`
    #[arg(long, value_name = "FILE", conflicts_with = "diff_digest")]
    pub(crate) report: Option<PathBuf>,
}

/// In which ledger the result of a trial is recorded.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ledger")]
pub(crate) struct TrialLedgerArgs {
    /// The ledger that the result is added to: `postgres://...`, or a path that ends in
    /// .db or .jsonl [default: CARGO_CANARY_LEDGER, else `[ledger]` of the policy, else none]
    #[arg(long, value_name = "PLACE")]
    pub(crate) ledger: Option<String>,
    /// What this repository is called in the ledger
    /// [default: `name` of `[ledger]`, else the remote `origin`, else the directory]
    #[arg(long, value_name = "NAME")]
    pub(crate) ledger_name: Option<String>,
    /// Record nothing, whatever the policy says
    #[arg(long, conflicts_with_all = ["ledger", "ledger_name"])]
    pub(crate) no_ledger: bool,
}
