//! `rollout judge`.

use std::path::Path;

use cargo_canary::audit::{LedgerChoice, Request};
use cargo_canary::host::{FileKind, Host, RealNet};
use cargo_canary::policy::LedgerTerms;
use cargo_canary::probe::show::TextStyle;
use cargo_canary::rollout::judge;
use cargo_canary::rollout::outcome::{LIMIT, Outcome, OutcomeError};
use cargo_canary::rollout::prometheus::{self, AccessError, Window};
use cargo_canary::rollout::show::{self, About};
use cargo_canary::rollout::{Answer, Config, ConfigError, Said};
use cargo_canary::snapshot::tree::GitError;
use cargo_canary::snapshot::{self, LoadError};
use jiff::Timestamp;

use super::{FILE, Table};
use crate::args::{JudgeArgs, ReportFormat};
use crate::commands::tried::{self, Ended, Named};
use crate::error::Failure;
use crate::exit;
use crate::output;

/// What helps where there is no table.
const NO_TABLE: &str = "write a table [rollout] with `prometheus`, `baseline` and `canary`, name a file that has one with `--policy FILE`, or name the three: `--prometheus http://localhost:9090 --baseline track=stable --canary track=canary`";

/// What a judgement came to, and its report.
struct Answered {
    decision: Answer,
    because: String,
    bytes: Vec<u8>,
}

pub(super) fn run(args: &JudgeArgs) -> Result<u8, Failure> {
    let host = Host::real(Some(Box::new(RealNet::default())));
    let named = Named {
        repository: &args.repository,
        base: args.base.as_deref(),
        head: args.head.as_deref(),
        policy: args.policy.as_deref(),
    };
    let mut request = named.request(&args.ledger, &host)?;
    let table = if args.from.is_some() {
        for_ledger(args, &mut request, &host)?
    } else {
        Some(of_policy(args, &mut request, &host)?)
    };
    let config = match (&args.from, &table) {
        (None, Some(table)) => Some(config(args, table)?),
        (Some(_), _) | (None, None) => None,
    };
    let of = tried::difference(&args.difference, named, &request, &host)?;
    let about = About {
        difference: of.digest.clone(),
    };
    let answered = match (&args.from, &config) {
        (Some(file), _) => of_engine(file, args, &about, &host)?,
        (None, Some(config)) => of_metrics(config, args, &about)?,
        (None, None) => return Err(Failure::internal("no table was looked for")),
    };
    output::report(&answered.bytes, args.output.output.as_deref(), &host)?;
    let terms = match (&of.terms, &table) {
        (Some(terms), _) => terms.clone(),
        (None, Some(table)) => tried::terms(&request, &table.text, &host)?,
        (None, None) => LedgerTerms::default(),
    };
    let file = args.output.output.clone();
    let ended = Ended {
        rollout: true,
        method: "rollout",
        outcome: answered.decision.as_str(),
        note: Some(answered.because),
        document: file.map(|file| (file, &answered.bytes[..])),
    };
    let name = args.ledger.ledger_name.as_deref();
    let recorded = tried::record(&ended, &of, (&request, &terms), name, &host);
    let code = match answered.decision {
        Answer::Pass => exit::PASS,
        Answer::Fail => exit::BLOCK,
        Answer::Inconclusive => exit::INCOMPLETE,
    };
    tried::code_after(recorded, code)
}

fn style(args: &JudgeArgs) -> TextStyle {
    let style = output::style(&args.output);
    TextStyle {
        width: style.width,
        color: style.color,
        verbose: style.verbose,
    }
}

/// What a rollout engine came to.
fn of_engine(
    file: &Path,
    args: &JudgeArgs,
    about: &About,
    host: &Host,
) -> Result<Answered, Failure> {
    let outcome = outcome(file, host)?;
    let bytes = match args.output.format {
        ReportFormat::Json => outcome.json(about),
        ReportFormat::Text => show::outcome_text(&outcome, style(args)).into_bytes(),
    };
    Ok(Answered {
        decision: outcome.decision,
        because: outcome.because,
        bytes,
    })
}

/// What Prometheus saw, judged.
fn of_metrics(config: &Config, args: &JudgeArgs, about: &About) -> Result<Answered, Failure> {
    let mut host = Host::real(None);
    let end = args
        .until
        .as_deref()
        .map_or_else(|| Ok(host.clock.now()), time)?;
    let window = Window::ending(end, config.duration, config.step);
    host.net = Some(Box::new(prometheus::open(&config.access, &host)?));
    let seen = prometheus::ask(config, window, &host)?;
    let judged = judge::judge(&seen, config, window)
        .map_err(|error| Failure::internal("failed to judge").caused_by(&error))?;
    if let Some(file) = &args.plot {
        output::report(show::svg(&judged).as_bytes(), Some(file), &host)?;
    }
    let bytes = match args.output.format {
        ReportFormat::Json => show::json(&judged, about),
        ReportFormat::Text => show::text(&judged, style(args)).into_bytes(),
    };
    Ok(Answered {
        decision: judged.decision,
        because: judged.because,
        bytes,
    })
}

fn time(text: &str) -> Result<Timestamp, Failure> {
    text.parse()
        .map_err(|error| Failure::bad_date("--until", text, &error))
}

/// The policy, where only its ledger is wanted: what an engine came to needs no table.
fn for_ledger(
    args: &JudgeArgs,
    request: &mut Request,
    host: &Host,
) -> Result<Option<Table>, Failure> {
    if request.ledger != LedgerChoice::OfPolicy {
        return Ok(None);
    }
    match of_policy(args, request, host) {
        Ok(table) => Ok(Some(table)),
        Err(failure) if args.policy.is_none() && args.base.is_none() => {
            let title = "no policy can be read, and so no ledger that it names is added to";
            output::notes(title, &[failure.in_words()]);
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// The file with the table: the one that was named, else that of the base. Where there
/// is no repository there is no change under judgement either, and the directory's counts.
fn of_policy(args: &JudgeArgs, request: &mut Request, host: &Host) -> Result<Table, Failure> {
    let named = args.policy.as_ref().map(|file| file.display().to_string());
    if named.is_none() && args.base.is_none() {
        let opened = snapshot::open(&request.base, &request.repository, host);
        let source = opened.err();
        if let Some(LoadError::Git {
            source: GitError::NotARepository { .. },
        }) = source
        {
            let file = args.repository.join(FILE);
            let name = format!("`{}`", file.display());
            let there = matches!(host.files.kind(&file), Ok(FileKind::File(_)));
            if !there {
                return Ok(Table {
                    name,
                    text: String::new(),
                    there,
                });
            }
            request.policy = tried::whole_policy(&file, host);
            return super::table(file.to_str(), request, host);
        }
    }
    super::table(named.as_deref(), request, host)
}

/// How the canary is judged: the table under the command line.
fn config(args: &JudgeArgs, table: &Table) -> Result<Config, Failure> {
    let said = Said {
        prometheus: args.prometheus.clone(),
        baseline: args.baseline.iter().cloned().collect(),
        canary: args.canary.iter().cloned().collect(),
        duration: args.last,
    };
    Config::read(&table.text, &table.name, &said).map_err(|error| match error {
        ConfigError::None { .. } if !table.there => {
            Failure::input(format!("there is no {}", table.name)).hint(NO_TABLE)
        }
        ConfigError::None { .. } | ConfigError::Toml { .. } | ConfigError::Value { .. } => {
            error.into()
        }
    })
}

fn outcome(file: &std::path::Path, host: &Host) -> Result<Outcome, Failure> {
    let failed = || Failure::input(format!("failed to read `{}`", file.display()));
    let content = host
        .files
        .read(file, LIMIT)
        .map_err(|error| failed().caused_by(&error))?;
    Outcome::read(&content).map_err(|error| {
        let failure = failed().caused_by(&error);
        match error {
            OutcomeError::NotJson(_) | OutcomeError::Kind(_) => failure.hint(
                "`kubectl get analysisrun NAME -o json`, `kubectl get rollout …` or `kubectl get canary …` prints one",
            ),
            OutcomeError::NoStatus => failure.hint("wait until the engine has begun, and print it again"),
        }
    })
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = Self::input("failed to read how the canary is judged").caused_by(&error);
        match error {
            ConfigError::None { .. } => failure.hint(NO_TABLE),
            ConfigError::Toml { .. } | ConfigError::Value { .. } => {
                failure.hint("`docs/rollout.md` has the keys of [rollout]")
            }
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        Self::input("failed to ask Prometheus").caused_by(&error)
    }
}
