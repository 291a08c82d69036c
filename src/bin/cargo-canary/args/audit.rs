//! Commands that compare two builds.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ledger::AuditLedgerArgs;
use super::output::AuditOutputArgs;

/// Options of the commands that compare two builds.
#[derive(Debug, Args)]
#[command(next_help_heading = "Builds and rules")]
pub(crate) struct AuditArgs {
    /// The build that is known: a revision, directory, Cargo.lock, metadata document,
    /// executable or SBOM
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
    /// Ask the registry's site who published what comes in, one request a second;
    /// another site than crates.io may be named
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "https://crates.io")]
    pub(crate) publishers: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) evidence: EvidenceArgs,
    #[command(flatten)]
    pub(crate) ledger: AuditLedgerArgs,
    #[command(flatten)]
    pub(crate) output: AuditOutputArgs,
}

/// Options about signed records of trials.
#[derive(Debug, Args)]
#[command(next_help_heading = "Evidence")]
pub(crate) struct EvidenceArgs {
    /// A directory or an http(s) address with records of trials, besides
    /// `.canary/evidence` of the repository; may be repeated
    #[arg(long, value_name = "PLACE")]
    pub(crate) evidence: Vec<String>,
    /// The keys whose records count, in the place of the policy's `signers`: an
    /// `allowed_signers` file of OpenSSH
    #[arg(long, value_name = "FILE")]
    pub(crate) signers: Option<PathBuf>,
}

/// Options about where facts come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
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
    /// A cache that machines share, `s3://BUCKET/PREFIX` or `file:///DIRECTORY`
    /// [default: the variable CARGO_CANARY_SHARED_CACHE, else none]
    #[arg(long, value_name = "URL")]
    pub(crate) shared_cache: Option<String>,
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
