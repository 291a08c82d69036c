//! `policy check`, `policy show` and `policy variables`.

use std::path::Path;

use cargo_canary::audit;
use cargo_canary::host::Host;
use cargo_canary::policy;
use cargo_canary::report::safe_for_terminal;

use crate::args::PolicyCommand;
use crate::error::Failure;
use crate::exit;
use crate::output;

pub(crate) fn run(command: &PolicyCommand) -> Result<u8, Failure> {
    let text = match command {
        PolicyCommand::Check { file } => check(file)?,
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

fn counted(count: usize, of: &str) -> String {
    match count {
        0 => format!("no {of}s"),
        1 => format!("1 {of}"),
        _ => format!("{count} {of}s"),
    }
}
