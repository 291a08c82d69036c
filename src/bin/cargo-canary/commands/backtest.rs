//! `backtest`: history through the model, measured; the weights fitted.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use cargo_canary::backtest::{self, BacktestError, Fitted, Request};
use cargo_canary::host::Host;
use cargo_canary::risk::Model;

use crate::args::{BacktestArgs, ReportFormat};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

pub(crate) fn run(args: &BacktestArgs) -> Result<u8, Failure> {
    let host = Host::real(None);
    let request = Request {
        corpus: args.corpus.clone(),
        policy: super::request::policy_choice(&args.policy),
        repositories: args.repository.clone(),
        one_of: args.one_of,
        journal: args.journal.clone(),
    };
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
    let model = Model::built_in()
        .map_err(|error| Failure::internal("failed to read the model").caused_by(&error))?;
    let measured = backtest::measure(&history, &model.named_levels());
    let fitted = args.fit.as_ref().map(|_| backtest::fit(&history, &model));
    if let (Some(file), Some(fitted)) = (&args.fit, &fitted) {
        let corpus = args.corpus.display().to_string();
        let text = weights(fitted, history.events, &corpus, args.one_of);
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

/// The file of fitted weights, with where they come from.
fn weights(fitted: &Fitted, events: usize, corpus: &str, one_of: usize) -> String {
    let part = match one_of {
        1 => String::new(),
        many => format!(" --one-of {many}"),
    };
    let folder = corpus
        .rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or("corpus");
    let mut out = format!(
        "# Written by `cargo-canary backtest CORPUS{part} --fit policies/risk-fitted.toml`.\nversion = 1\nprovenance = \"\"\"\nFitted to {} upgrades of {events} changes of lock files (folder `{folder}`), of which {}\nwent wrong. A signal that is not named here keeps the points set by hand.\nFitted without a fifth and looked at on it (area under the curve / mean precision, by\nthe score | by the likelihood of its own kind of fault):\n{}\"\"\"\nat-zero = {:.5}\npoints-to-double = {:.2}\n",
        fitted.rows.0,
        fitted.rows.1,
        told(fitted),
        fitted.at_zero,
        fitted.points_to_double,
    );
    for (fault, regression) in &fitted.faults {
        // Writing into a string cannot fail.
        let _ = write!(
            out,
            "\n# Of {}: natural log-odds.\n[faults.{}]\nat-zero = {:.3}\n\n[faults.{}.weights]\n",
            fault.words(),
            fault.as_str(),
            regression.at_zero,
            fault.as_str(),
        );
        for ((signal, grade), weight) in &regression.weights {
            let name =
                grade.map_or_else(|| (*signal).to_owned(), |grade| format!("{signal}.{grade}"));
            let _ = writeln!(out, "\"{name}\" = {weight:.3}");
        }
    }
    out
}

/// The cross-validation, a line for each label.
fn told(fitted: &Fitted) -> String {
    let mut out = String::new();
    for (part, labels) in &fitted.cross_validated {
        for (label, left_out) in labels {
            let (auc, precision) = left_out.score;
            // Writing into a string cannot fail.
            let _ = write!(out, "{label} by {part}: {auc:.3} / {precision:.3}");
            if let Some((auc, precision)) = left_out.likelihood {
                let _ = write!(out, " | {auc:.3} / {precision:.3}");
            }
            out.push('\n');
        }
    }
    out
}
