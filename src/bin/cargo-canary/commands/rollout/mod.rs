//! `rollout`.

mod judge;
mod plan;

use cargo_canary::audit::Request;
use cargo_canary::host::Host;
use cargo_canary::snapshot;

use super::builds;
use crate::args::RolloutCommand;
use crate::error::Failure;

/// Where a repository says how its canaries are judged.
const FILE: &str = "canary.toml";
/// How large that file may be, in bytes.
const FILE_LIMIT: u64 = 1 << 20;

pub(crate) fn run(command: &RolloutCommand) -> Result<u8, Failure> {
    match command {
        RolloutCommand::Plan(args) => plan::run(args),
        RolloutCommand::Judge(args) => judge::run(args),
    }
}

/// The file that says how canaries are judged.
struct Table {
    /// What it is called in messages.
    name: String,
    /// What it says; nothing where there is none.
    text: String,
    /// Whether there is one.
    there: bool,
}

/// The file that says how the service is rolled out and judged: the one that was named,
/// else that of the base. Never that of the head, which is on trial.
fn table(policy: Option<&str>, request: &Request, host: &Host) -> Result<Table, Failure> {
    let text = |content: Vec<u8>| String::from_utf8_lossy(&content).into_owned();
    if let Some(policy) = policy.filter(|name| !name.starts_with("builtin:")) {
        let content = host
            .files
            .read(policy.as_ref(), FILE_LIMIT)
            .map_err(|error| {
                Failure::input(format!("failed to read `{policy}`")).caused_by(&error)
            })?;
        return Ok(Table {
            name: format!("`{policy}`"),
            text: text(content),
            there: true,
        });
    }
    let base = snapshot::open(&request.base, &request.repository, host)
        .map_err(|error| crate::hints::load("failed to read the base", "--base", &error))?;
    let content = base
        .read_file(FILE, FILE_LIMIT)
        .map_err(|error| builds::unread("base", &error))?;
    Ok(Table {
        name: format!("`{FILE}` of the base {}", base.given()),
        there: content.is_some(),
        text: content.map(text).unwrap_or_default(),
    })
}
