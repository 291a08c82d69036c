//! Commands about signed records of trials.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::audit::AuditArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Sign the result of a trial, or an approval, for the difference between two builds
    ///
    /// `ssh-keygen` signs, with the key that git signs commits with unless
    /// another is named. Name the builds as for `check`.
    #[command(after_long_help = super::examples::EVIDENCE_SIGN, mut_args(super::fitted::plain))]
    Sign(Box<SignArgs>),
    /// Say whether one record would be accepted
    ///
    /// Exit code 0: accepted; 1: refused. Without builds the difference it is
    /// for is not compared.
    #[command(mut_args(super::fitted::plain))]
    Verify(Box<VerifyArgs>),
    /// Show the records for the difference between two builds, and which would be accepted
    #[command(mut_args(super::fitted::plain))]
    List(Box<ListArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// The result: what `probe`, `rollout judge` or `check` wrote with `--format json`
    #[arg(
        long,
        value_name = "RESULT.json",
        required_unless_present = "approve",
        conflicts_with = "approve"
    )]
    pub(crate) from: Option<PathBuf>,
    /// Sign that you approve of the difference, without a trial
    #[arg(long, requires = "reason")]
    pub(crate) approve: bool,
    /// Why you approve
    #[arg(long, value_name = "TEXT", requires = "approve")]
    pub(crate) reason: Option<String>,
    /// The key: a private key, or a public key whose private half is in the agent
    /// [default: `user.signingkey` of git, with `gpg.format` ssh]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// How long the record counts at most: `12h`, `30d`
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = crate::amounts::validity)]
    pub(crate) valid_for: Duration,
    /// The executable of the base that was tried: the record names its digest
    #[arg(long, value_name = "FILE")]
    pub(crate) base_exe: Option<PathBuf>,
    /// The executable of the head that was tried
    #[arg(long, value_name = "FILE")]
    pub(crate) head_exe: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The record; its signature is beside it, with `.sig` after the name
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
}
