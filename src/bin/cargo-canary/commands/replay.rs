//! `policy replay`: what a policy would have stopped.

use cargo_canary::audit::{self, EvidenceSources, LedgerChoice};
use cargo_canary::replay::{self, ReplayError, Request};
use cargo_canary::report::{self, Format};
use cargo_canary::snapshot::BuildName;

use super::request::{features, graph, policy_choice};
use crate::args::{ReplayArgs, ReportFormat};
use crate::error::Failure;
use crate::exit;
use crate::hints;
use crate::output;
use crate::progress::Progress;

pub(crate) fn run(args: &ReplayArgs) -> Result<u8, Failure> {
    let host = super::host(&args.data)?;
    let request = Request {
        audit: audit::Request {
            repository: args.repository.clone(),
            base: BuildName::MergeBase,
            head: BuildName::Worktree,
            policy: args.policy.as_deref().map(policy_choice),
            targets: args.target.clone(),
            features: args.features.as_deref().map(features),
            graph: graph(args.graph),
            as_of: None,
            publishers: None,
            locked_data: args.data.locked_data,
            cache_dir: args.data.cache.clone(),
            evidence: EvidenceSources::default(),
            ledger: LedgerChoice::OfPolicy,
        },
        revision: args.head.clone(),
        limit: usize::from(args.limit),
    };
    let progress = Progress::new(!args.output.no_progress);
    let found = replay::replay(&request, &host, &|it| {
        progress.say(format!("{} of {} lock changes", it.done, it.all));
    })
    .map_err(failure)?;
    drop(progress);
    let format = match args.output.format {
        ReportFormat::Text => Format::Text,
        ReportFormat::Json => Format::Json,
    };
    let bytes = report::render_replay(&found, format, output::style(&args.output))
        .ok_or_else(|| Failure::no_such_format("policy replay", "text, json"))?;
    output::report(&bytes, args.output.output.as_deref(), &host)?;
    Ok(exit::PASS)
}

fn failure(error: ReplayError) -> Failure {
    match error {
        ReplayError::Revision(source) => hints::load("failed to read the past", "--head", &source),
        ReplayError::Git(source) => Failure::input("failed to read the past")
            .caused_by(&source)
            .hint("name a repository with `-C DIR`"),
        ReplayError::Judge(error) => Failure::from(error),
    }
}
