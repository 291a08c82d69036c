//! Exit codes: an interface that scripts rely on.

use cargo_canary::policy::Decision;

/// The policy allows the change.
pub(crate) const PASS: u8 = 0;
/// The policy forbids the change.
pub(crate) const BLOCK: u8 = 1;
/// The command line, the policy or an incident file is wrong, or an input cannot be read.
pub(crate) const USAGE: u8 = 2;
/// The change needs a canary rollout.
pub(crate) const CANARY: u8 = 3;
/// A fact that the policy requires could not be had.
pub(crate) const INCOMPLETE: u8 = 4;
/// The program itself failed.
pub(crate) const INTERNAL: u8 = 101;

/// The exit code of a verdict.
pub(crate) fn of(decision: Decision) -> u8 {
    match decision {
        Decision::Pass => PASS,
        Decision::Canary => CANARY,
        Decision::Incomplete => INCOMPLETE,
        Decision::Block => BLOCK,
    }
}
