//! Commands about the log of updates, verdicts and effects.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::output::{OutputArgs, ReportFormat};

/// Which ledger an audit asks, and is recorded in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ledger")]
pub(crate) struct AuditLedgerArgs {
    /// The ledger that `check` adds the audit to, and that tells what came of earlier
    /// updates: `postgres://...`, or a path that ends in .db or .jsonl
    /// [default: CARGO_CANARY_LEDGER, else `[ledger]` of the policy, else none]
    #[arg(long, value_name = "PLACE")]
    pub(crate) ledger: Option<String>,
    /// What this repository is called in the ledger
    /// [default: `name` of `[ledger]`, else the remote `origin`, else the directory]
    #[arg(long, value_name = "NAME")]
    pub(crate) ledger_name: Option<String>,
    /// Record nothing and ask no ledger, whatever the policy says
    #[arg(long, conflicts_with_all = ["ledger", "ledger_name"])]
    pub(crate) no_ledger: bool,
}

/// Where a ledger is.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// The ledger: `postgres://...`, or a path that ends in .db or .jsonl
    /// [default: CARGO_CANARY_LEDGER, else a .jsonl that canary.toml names, else
    /// cargo-canary/ledger.db in the user's data directory]
    #[arg(long, value_name = "PLACE")]
    pub(crate) ledger: Option<String>,
    /// The repository that relative paths and canary.toml are looked up in
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    pub(crate) repository: PathBuf,
}

/// Which entries are meant.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// The package
    #[arg(long, value_name = "NAME")]
    pub(crate) package: Option<String>,
    /// The version, exactly
    #[arg(long, value_name = "VERSION", requires = "package")]
    pub(crate) version: Option<String>,
    /// The repository or service, as the ledger calls it
    #[arg(long = "in", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Recorded on this day or later
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Recorded on this day or earlier
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    /// The decision, outcome or effect: pass, canary, incomplete, block, fail, rolled-back, ...
    #[arg(long, value_name = "WORD")]
    pub(crate) verdict: Option<String>,
    /// The kind of entry
    #[arg(long, value_enum)]
    pub(crate) kind: Option<EntryKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EntryKind {
    /// Judged differences
    Audit,
    /// Trials that discharge a requirement
    Evidence,
    /// What rollouts ended with
    Rollout,
    /// What came of updates later
    Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrialKind {
    /// A trial that discharges a requirement, such as a probe
    Evidence,
    /// What a rollout ended with
    Rollout,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outcome {
    Pass,
    Fail,
    Inconclusive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EffectArg {
    /// It was taken back
    RolledBack,
    /// It caused an incident
    Incident,
    /// A later release had to repair what it did
    FixedForward,
    /// It was looked at afterwards, and all was well
    Fine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One entry on each line, as a ledger in one file has them
    Jsonl,
    /// One record for each version of each package
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// At most so many, the newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerShowArgs {
    /// The id of the entry, or how it begins
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerRecordArgs {
    /// What is recorded
    #[arg(value_enum)]
    pub(crate) kind: TrialKind,
    /// The package that was tried
    #[arg(long, value_name = "NAME")]
    pub(crate) package: String,
    /// Its version
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: String,
    /// How it ended
    #[arg(long, value_enum)]
    pub(crate) outcome: Outcome,
    /// The record of it; its name and its SHA-256 are kept
    #[arg(long, value_name = "FILE")]
    pub(crate) document: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) said: SaidArgs,
    /// The repository or service [default: as `check` calls it]
    #[arg(long = "in", value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// What a person adds.
#[derive(Debug, Args)]
pub(crate) struct SaidArgs {
    /// Anything that the next reader should know
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Who records it
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerImpactArgs {
    /// The package
    #[arg(long, value_name = "NAME")]
    pub(crate) package: String,
    /// The version that came in with the update
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: String,
    /// What came of it [default: incident, where one is named]
    #[arg(long, value_enum, required_unless_present = "incident")]
    pub(crate) effect: Option<EffectArg>,
    /// The incident, by its id
    #[arg(long, value_name = "ID")]
    pub(crate) incident: Option<String>,
    /// The repository or service, where several took the version
    #[arg(long = "in", value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) said: SaidArgs,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// List entries; with `--package`, who took which version when, with which verdict
    #[command(after_long_help = super::examples::LEDGER_LIST)]
    List(LedgerListArgs),
    /// Show one entry, and what came of it
    Show(LedgerShowArgs),
    /// Add the outcome of a trial or a rollout
    Record(LedgerRecordArgs),
    /// Tie an incident or another effect to the update that caused it
    #[command(after_long_help = super::examples::LEDGER_IMPACT)]
    Impact(LedgerImpactArgs),
    /// Write entries out, the oldest first
    Export {
        #[command(flatten)]
        filter: FilterArgs,
        /// The format
        #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
        format: ExportFormat,
        /// Write to this file
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Add the entries of another ledger, or of an export; what is there already stays once
    Import {
        /// The other ledger, as `--ledger` takes it
        from: String,
        #[command(flatten)]
        place: PlaceArgs,
        /// The format of the answer
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
}
