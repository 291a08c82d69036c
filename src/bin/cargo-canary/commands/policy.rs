//! The commands about policies.

use std::path::{Path, PathBuf};

use cargo_canary::audit;
use cargo_canary::host::Host;
use cargo_canary::policy::{self, Cases, Policy};
use cargo_canary::report::safe_for_terminal;

use crate::args::PolicyCommand;
use crate::error::Failure;
use crate::exit;
use crate::output;

pub(crate) fn run(command: &PolicyCommand) -> Result<u8, Failure> {
    let text = match command {
        PolicyCommand::Check { file } => check(file)?,
        PolicyCommand::Test { policy, cases } => return test(policy, cases),
        PolicyCommand::Schema { cases } => {
            let schema = if *cases {
                policy::cases_schema()
            } else {
                policy::schema()
            };
            format!("{schema:#}\n")
        }
        PolicyCommand::Show { name } => policy::built_in_text(name)
            .map(str::to_owned)
            .ok_or_else(|| Failure::no_built_in_policy(name))?,
        PolicyCommand::Variables => policy::reference(),
    };
    output::standard_output(text.as_bytes())?;
    Ok(exit::PASS)
}

fn check(file: &Path) -> Result<String, Failure> {
    let host = Host::real(None);
    let policy = audit::read_policy(file, &host)?;
    let thresholds = policy.thresholds();
    let from = |bound: Option<u8>| {
        bound.map_or("never".to_owned(), |score| format!("from {score} of 100"))
    };
    Ok(format!(
        "{} is valid: {}, {}; by score canary {}, block {}\nlayers: {}\n",
        safe_for_terminal(&file.display().to_string()),
        counted(policy.rules().count(), "rule"),
        counted(policy.exemptions().len(), "exemption"),
        from(thresholds.canary),
        from(thresholds.block),
        safe_for_terminal(&policy.layers().join(", ")),
    ))
}

/// Judges the cases of each file by the policy.
fn test(name: &str, files: &[PathBuf]) -> Result<u8, Failure> {
    let host = Host::real(None);
    let built_in = name.strip_prefix("builtin:");
    let policy = match built_in {
        Some(name) => {
            if policy::built_in_text(name).is_none() {
                return Err(Failure::no_built_in_policy(name));
            }
            Policy::built_in(name).map_err(|error| Failure::policy(&error))?
        }
        None => audit::read_policy(Path::new(name), &host)?,
    };
    let mut all = Vec::new();
    match built_in.filter(|_| files.is_empty()) {
        Some(built_in) => {
            let text = policy::built_in_cases(built_in).unwrap_or_default();
            let path = format!("{name}, cases");
            all.push(Cases::read(text, &path).map_err(|error| Failure::cases(&error))?);
        }
        None if files.is_empty() => {
            all.push(cases(&Path::new(name).with_extension("test.toml"), &host)?);
        }
        None => {
            for file in files {
                all.push(cases(file, &host)?);
            }
        }
    }
    let mut outcomes = all.iter().map(|cases| cases.run(&policy));
    let Some(mut outcome) = outcomes.next() else {
        return Ok(exit::PASS);
    };
    for more in outcomes {
        outcome.cases.extend(more.cases);
        outcome.silent.retain(|rule| more.silent.contains(rule));
    }
    let text: String = outcome
        .render()
        .lines()
        .map(|line| format!("{}\n", safe_for_terminal(line)))
        .collect();
    output::standard_output(text.as_bytes())?;
    Ok(if outcome.failed() == 0 {
        exit::PASS
    } else {
        exit::BLOCK
    })
}

fn cases(file: &Path, host: &Host) -> Result<Cases, Failure> {
    let path = file.display().to_string();
    let content = host
        .files
        .read(file, 1 << 20)
        .map_err(|error| Failure::no_cases(&path, &error))?;
    Cases::read(&String::from_utf8_lossy(&content), &path).map_err(|error| Failure::cases(&error))
}

fn counted(count: usize, of: &str) -> String {
    match count {
        0 => format!("no {of}s"),
        1 => format!("1 {of}"),
        _ => format!("{count} {of}s"),
    }
}
