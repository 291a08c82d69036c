//! Commands about a canary that runs beside a baseline.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::audit::AuditArgs;
use super::output::OutputArgs;
use super::tried::{DifferenceArgs, TrialLedgerArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum RolloutCommand {
    /// Plan a canary for the difference between two builds
    ///
    /// How long it runs follows from the smallest leak that matters and from the
    /// noise; its steps from the risk; what is watched from what the updated
    /// libraries are for. `--write` writes manifests for Argo Rollouts and Flagger,
    /// alerts for Prometheus, a checklist, and notices. Name the builds as for `check`.
    #[command(after_long_help = super::examples::PLAN, mut_args(super::fitted::plain))]
    Plan(Box<PlanArgs>),
    /// Say from its metrics whether a canary is worse than its baseline
    ///
    /// Asks Prometheus for both, as `[rollout]` of the policy file says, and judges
    /// what is held by its trend, latency and errors by their level. Exit code 0:
    /// pass; 1: fail; 4: what was seen does not decide.
    #[command(after_long_help = super::examples::JUDGE)]
    Judge(Box<JudgeArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Write all files of the plan into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) write: Option<PathBuf>,
    /// Ask Prometheus how much the baseline varies now, in the place of assuming it
    #[arg(long)]
    pub(crate) measure: bool,
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// The build that was there before: a revision, directory or Cargo.lock. Its
    /// `canary.toml` says how it is judged
    /// [default: the merge base of HEAD with the remote's default branch]
    #[arg(long, value_name = "BUILD")]
    pub(crate) base: Option<String>,
    /// The build that is rolled out [default: WORKTREE, where `--base` is named]
    #[arg(long, value_name = "BUILD")]
    pub(crate) head: Option<String>,
    /// A file with the table `[rollout]`, in the place of the base's `canary.toml`
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The repository that revisions are looked up in; where there is none, the
    /// directory with `canary.toml`
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    pub(crate) repository: PathBuf,
    /// The address of Prometheus, in the place of the table's
    #[arg(long, value_name = "URL")]
    pub(crate) prometheus: Option<String>,
    /// A label of the baseline, in the place of the table's; may be repeated.
    /// `NAME==~REGEX` matches a pattern
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) baseline: Vec<(String, String)>,
    /// A label of the canary; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) canary: Vec<(String, String)>,
    /// How long the window is: `30m`, `4h` [default: the table's `duration`]
    #[arg(long, value_name = "TIME", value_parser = crate::amounts::duration)]
    pub(crate) last: Option<Duration>,
    /// When the window ends, a time in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Ask nobody: read what a rollout engine came to. The JSON of a Rollout or an
    /// AnalysisRun of Argo Rollouts, or of a Canary of Flagger (`kubectl get … -o json`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prometheus", "baseline", "canary", "last", "until", "plot"])]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) difference: DifferenceArgs,
    /// Write the course of each metric as an SVG picture
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ledger: TrialLedgerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

fn label(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
        .ok_or_else(|| "a label is written `NAME=VALUE`".to_owned())
}
