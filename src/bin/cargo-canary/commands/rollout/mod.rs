//! `rollout`.

mod judge;
mod plan;

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
