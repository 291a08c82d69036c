//! The command line as it is written; nothing is decided and nothing is read here.

mod audit;
mod backtest;
mod evidence;
mod examples;
mod execute;
mod fitted;
mod incident;
mod ledger;
mod output;
mod policy;
mod remedy;
mod rollout;
mod stores;
mod tried;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use audit::{
    AuditArgs, DataArgs, ExplainArgs, Graph, ReportArgs, SymptomArg, TriageArgs,
};
pub(crate) use backtest::BacktestArgs;
pub(crate) use evidence::{EvidenceCommand, ListArgs, SignArgs, VerifyArgs};
pub(crate) use execute::{BisectArgs, BuildArgs, ProbeArgs, WorkloadArgs};
pub(crate) use incident::{IncidentCommand, IncidentListArgs};
pub(crate) use ledger::{
    EffectArg, EntryKind, ExportFormat, FilterArgs, LedgerCommand, LedgerImpactArgs,
    LedgerListArgs, LedgerRecordArgs, LedgerShowArgs, Outcome, PlaceArgs, TrialKind,
};
pub(crate) use output::{AuditFormat, Color, OutputArgs, ReportFormat};
pub(crate) use policy::{PolicyCommand, ReplayArgs};
pub(crate) use remedy::{LockOutputArgs, RollbackArgs, SubsetArgs};
pub(crate) use rollout::{JudgeArgs, PlanArgs, RolloutCommand};
pub(crate) use stores::{DbCommand, ExposureArgs};
pub(crate) use tried::{DifferenceArgs, TrialLedgerArgs};

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
    ///
    /// Exit code 0: the policy lets it pass; 1: it is blocked; 3: it needs a canary;
    /// 4: a fact that the policy requires could not be had; 2: the command line, the
    /// policy or an input is wrong.
    #[command(after_long_help = examples::CHECK, mut_args(fitted::check))]
    Check(AuditArgs),
    /// Write the release manager's page: the audit as one HTML file
    #[command(after_long_help = examples::REPORT, mut_args(fitted::report))]
    Report(ReportArgs),
    /// Write the changelog of the libraries between two builds
    #[command(after_long_help = examples::CHANGELOG, mut_args(fitted::changelog))]
    Changelog(AuditArgs),
    /// Show what changed between two builds, without judgement
    #[command(after_long_help = examples::DIFF, mut_args(fitted::diff))]
    Diff(AuditArgs),
    /// Show all that is known about the changes of one package
    #[command(after_long_help = examples::EXPLAIN, mut_args(fitted::explain))]
    Explain(ExplainArgs),
    /// Check policies and look up what they can say
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Look into the catalogue of incidents
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Tell which revisions of which lock files ever held a release, and when
    #[command(after_long_help = examples::EXPOSURE)]
    Exposure(ExposureArgs),
    /// Look into the log of updates, verdicts and what came of them, and add to it
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Hold the risk model and a policy against real history
    ///
    /// Replays the changes of a corpus as of their day, and tells how well the
    /// score would have found what later went wrong.
    Backtest(BacktestArgs),
    /// Show and update the advisory facts
    #[command(subcommand)]
    Db(DbCommand),
    /// Run the same workload on two builds and say whether the head leaks
    ///
    /// RUNS what it is given. Exit code 0: no leak; 1: a leak; 4: this run does
    /// not decide. Needs Linux.
    #[command(after_long_help = examples::PROBE)]
    Probe(ProbeArgs),
    /// Find the update that makes a command fail, or a probe find a leak
    ///
    /// RUNS code of the builds. Builds mixtures of the two lock files, only such
    /// that cargo accepts, and ends with the proof: without the guilty update
    /// all is well, with it alone it is not. Exit code 0: found.
    #[command(after_long_help = examples::BISECT)]
    Bisect(BisectArgs),
    /// Two deploys and a symptom: the suspects in order, and the way to prove it
    #[command(after_long_help = examples::TRIAGE, mut_args(fitted::plain))]
    Triage(TriageArgs),
    /// Find the commands that undo updates, checked to resolve
    ///
    /// Undoes one change, or the whole difference, in a copy: what cannot stay
    /// beside it goes back too, and nothing else. Names the advisories that apply
    /// again. Exit code 0: a way was found and checked; 1: there is none; 4: it
    /// could not be checked.
    #[command(after_long_help = examples::ROLLBACK, mut_args(fitted::rollback))]
    Rollback(RollbackArgs),
    /// Find the largest set of updates that the policy lets pass now
    ///
    /// Holds back what does not pass and what cannot be without it, and says what
    /// each waits for and until when. The lock file that is found resolves, and
    /// passes `check` with the same policy. Exit code 0: at least one update can go
    /// in; the verdict's code where none can; 4: it could not be checked.
    #[command(after_long_help = examples::SUBSET, mut_args(fitted::plain))]
    Subset(SubsetArgs),
    /// Sign, check and list records of trials, which take the place of a canary
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Plan a canary, and judge one that runs beside its baseline
    #[command(subcommand)]
    Rollout(RolloutCommand),
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
