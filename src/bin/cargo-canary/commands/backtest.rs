//! `backtest`: history through the model, measured; the weights fitted.

use std::sync::atomic::{AtomicUsize, Ordering};

use cargo_canary::backtest::sources::{self, Sample};
use cargo_canary::backtest::{self, BacktestError, Request};
use cargo_canary::host::Host;
use cargo_canary::risk::Model;

use crate::args::{BacktestArgs, ReportFormat};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

pub(crate) fn run(args: &BacktestArgs) -> Result<u8, Failure> {
    let request = Request {
        corpus: args.corpus.clone(),
        policy: super::request::policy_choice(&args.policy),
        repositories: args.repository.clone(),
        one_of: args.one_of,
        journal: args.journal.clone(),
    };
    if let Some(archives) = args.archives {
        return with_sources(args, &request, archives);
    }
    let host = Host::real(None);
    let progress = Progress::new(!args.output.no_progress);
    let last = AtomicUsize::new(0);
    let history = backtest::replay(&request, &host, &|it| {
        let percent = it.done * 100 / it.all.max(1);
        if last.fetch_max(percent, Ordering::Relaxed) < percent {
            progress.say(format!("{} of {} events", it.done, it.all));
        }
    })
    .map_err(|error| failure(&error))?;
    drop(progress);
    let model = model()?;
    let measured = backtest::measure(&history, &model.named_levels());
    let fitted = args.fit.as_ref().map(|_| backtest::fit(&history, &model));
    if let (Some(file), Some(fitted)) = (&args.fit, &fitted) {
        let corpus = args.corpus.display().to_string();
        let text = backtest::weights(fitted, history.events, &corpus, args.one_of);
        output::report(text.as_bytes(), Some(file), &host)?;
    }
    if let Some(file) = &args.plot {
        output::report(backtest::curves(&history).as_bytes(), Some(file), &host)?;
    }
    let text = match args.output.format {
        ReportFormat::Text => backtest::text(&history, &measured, fitted.as_ref()),
        ReportFormat::Json => {
            let value = backtest::json(&history, &measured, fitted.as_ref());
            format!("{value:#}\n")
        }
    };
    output::report(text.as_bytes(), args.output.output.as_deref(), &host)?;
    Ok(exit::PASS)
}

/// A sample with archives in the place of the whole history.
fn with_sources(args: &BacktestArgs, request: &Request, archives: usize) -> Result<u8, Failure> {
    let host = super::shared::host(&args.data)?;
    let progress = Progress::new(!args.output.no_progress);
    let sample = Sample {
        archives,
        seed: args.seed,
    };
    let access = sources::access(&host, args.data.cache.clone());
    let sampled = sources::replay_sample(request, sample, &access, &host, &|it| {
        progress.say(it.words());
    })
    .map_err(|error| {
        if !matches!(error, BacktestError::Nothing) {
            return failure(&error);
        }
        let message = format!("no upgrade that went wrong has its archives among {archives}");
        Failure::input(message)
            .hint("allow more archives, such as `--archives 600`, or leave out `--repository`")
    })?;
    drop(progress);
    let model = model()?;
    let ablation = sources::ablation(&sampled, &model);
    let text = match args.output.format {
        ReportFormat::Text => sources::text(&sampled, &ablation),
        ReportFormat::Json => format!("{:#}\n", sources::json(&sampled, &ablation)),
    };
    output::report(text.as_bytes(), args.output.output.as_deref(), &host)?;
    Ok(exit::PASS)
}

fn model() -> Result<Model, Failure> {
    Model::built_in()
        .map_err(|error| Failure::internal("failed to read the model").caused_by(&error))
}

fn failure(error: &BacktestError) -> Failure {
    let failure = Failure::input("failed to replay the corpus").caused_by(error);
    match error {
        BacktestError::Nothing => failure.hint("leave out `--repository` and `--one-of`"),
        BacktestError::Journal { .. } => {
            failure.hint("remove the journal to begin anew, or name another one")
        }
        BacktestError::Judge(_) => failure.hint("`cargo-canary policy check FILE` checks a policy"),
        BacktestError::Unreadable { .. } => {
            failure.hint("`docs/backtest.md` describes the files of a corpus")
        }
    }
}
