//! One file for each group of commands: arguments to requests, results to bytes.

mod audit;
mod backtest;
mod bisect;
mod builds;
mod db;
mod evidence;
mod exposure;
mod incident;
mod ledger;
mod manual;
mod policy;
mod probe;
mod remedy;
mod replay;
mod request;
mod rollout;
mod shared;
mod triage;
mod tried;

use crate::args::{AuditFormat, Command, ReportFormat};
use crate::error::Failure;

pub(crate) use probe::KEEPER;
use shared::host;
pub(crate) use shared::say as say_what_was_shared;

/// Runs a command and returns its exit code.
pub(crate) fn run(command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Check(args) => audit::check(args),
        Command::Report(args) => audit::report(args),
        Command::Changelog(args) => audit::changelog(args),
        Command::Diff(args) => audit::diff(args),
        Command::Explain(args) => audit::explain(args),
        Command::Policy(command) => policy::run(command),
        Command::Incident(command) => incident::run(command),
        Command::Exposure(args) => exposure::run(args),
        Command::Ledger(command) => ledger::run(command),
        Command::Backtest(args) => backtest::run(args),
        Command::Db(command) => db::run(command),
        Command::Probe(args) => probe::run(args),
        Command::Bisect(args) => bisect::run(args),
        Command::Triage(args) => triage::run(args),
        Command::Rollback(args) => remedy::rollback(args),
        Command::Subset(args) => remedy::subset(args),
        Command::Evidence(command) => evidence::run(command),
        Command::Rollout(command) => rollout::run(command),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { directory } => manual::man(directory.as_deref()),
    }
}

/// Text or JSON, for a command that takes the options of an audit and writes no other.
fn plain_format(format: Option<AuditFormat>, command: &str) -> Result<ReportFormat, Failure> {
    match format {
        None | Some(AuditFormat::Text) => Ok(ReportFormat::Text),
        Some(AuditFormat::Json) => Ok(ReportFormat::Json),
        Some(
            AuditFormat::Markdown
            | AuditFormat::Github
            | AuditFormat::Sarif
            | AuditFormat::Gitlab
            | AuditFormat::Html,
        ) => Err(Failure::no_such_format(command, "text, json")),
    }
}
