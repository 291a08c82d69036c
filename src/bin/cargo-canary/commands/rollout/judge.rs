//! `rollout judge`.

use std::path::PathBuf;

use cargo_canary::host::Host;
use cargo_canary::probe::show::TextStyle;
use cargo_canary::rollout::judge;
use cargo_canary::rollout::outcome::{LIMIT, Outcome, OutcomeError};
use cargo_canary::rollout::prometheus::{self, AccessError, Window};
use cargo_canary::rollout::show::{self, About};
use cargo_canary::rollout::{Answer, Config, ConfigError, Said};
use jiff::Timestamp;

use super::{FILE, FILE_LIMIT};
use crate::args::{JudgeArgs, ReportFormat};
use crate::error::Failure;
use crate::exit;
use crate::output;

pub(super) fn run(args: &JudgeArgs) -> Result<u8, Failure> {
    let mut host = Host::real(None);
    let about = About {
        difference: args.diff_digest.clone(),
    };
    let style = output::style(&args.output);
    let style = TextStyle {
        width: style.width,
        color: style.color,
        verbose: style.verbose,
    };
    let (decision, bytes) = if let Some(file) = &args.from {
        let outcome = outcome(file, &host)?;
        let bytes = match args.output.format {
            ReportFormat::Json => outcome.json(&about),
            ReportFormat::Text => show::outcome_text(&outcome, style).into_bytes(),
        };
        (outcome.decision, bytes)
    } else {
        let config = config(args, &host)?;
        let end = args
            .until
            .as_deref()
            .map_or_else(|| Ok(host.clock.now()), time)?;
        let window = Window::ending(end, config.duration, config.step);
        host.net = Some(Box::new(prometheus::open(&config.access, &host)?));
        let seen = prometheus::ask(&config, window, &host)?;
        let judged = judge::judge(&seen, &config, window)
            .map_err(|error| Failure::internal("failed to judge").caused_by(&error))?;
        if let Some(file) = &args.plot {
            output::report(show::svg(&judged).as_bytes(), Some(file), &host)?;
        }
        let bytes = match args.output.format {
            ReportFormat::Json => show::json(&judged, &about),
            ReportFormat::Text => show::text(&judged, style).into_bytes(),
        };
        (judged.decision, bytes)
    };
    output::report(&bytes, args.output.output.as_deref(), &host)?;
    Ok(match decision {
        Answer::Pass => exit::PASS,
        Answer::Fail => exit::BLOCK,
        Answer::Inconclusive => exit::INCOMPLETE,
    })
}

fn time(text: &str) -> Result<Timestamp, Failure> {
    text.parse()
        .map_err(|error| Failure::bad_date("--until", text, &error))
}

/// How the canary is judged: the table of the policy file under the command line.
fn config(args: &JudgeArgs, host: &Host) -> Result<Config, Failure> {
    let said = Said {
        prometheus: args.prometheus.clone(),
        baseline: args.baseline.iter().cloned().collect(),
        canary: args.canary.iter().cloned().collect(),
        duration: args.last,
    };
    let file: PathBuf = match &args.policy {
        Some(file) => file.clone(),
        None => args.repository.join(FILE),
    };
    let name = file.display().to_string();
    let text = match host.files.read(&file, FILE_LIMIT) {
        Ok(content) => String::from_utf8_lossy(&content).into_owned(),
        // Without a file the command line may say all that is needed.
        Err(error) if args.policy.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            String::new()
        }
        Err(error) => {
            return Err(Failure::input(format!("failed to read `{name}`")).caused_by(&error));
        }
    };
    Ok(Config::read(&text, &name, &said)?)
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
            ConfigError::None { .. } => failure.hint(
                "add a table [rollout] with `prometheus`, `baseline` and `canary`, or name them: `--prometheus http://localhost:9090 --baseline track=stable --canary track=canary`",
            ),
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
