//! The audit of a difference that nobody has committed: the head with another
//! lock file.

use super::AuditError;
use super::data::Audit;
use super::run::{Event, Request, judge};
use crate::host::Host;

/// As [`run`](super::run()), with another lock file at the root of the head.
///
/// # Errors
/// As [`run`](super::run()).
pub fn run_with_lock(
    request: &Request,
    lock: &str,
    host: &Host,
    on_event: &dyn Fn(Event),
) -> Result<Audit, AuditError> {
    judge(request, host, None, Some(lock), on_event)
}
