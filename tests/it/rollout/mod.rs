//! A canary beside a baseline: judged from what Prometheus saw, a made-up one and a
//! real one.

mod access;
mod before;
pub(crate) mod fake;
mod fields;
mod judged;
#[cfg(target_os = "linux")]
mod planned;
#[cfg(target_os = "linux")]
mod real;
#[cfg(target_os = "linux")]
mod stage;
mod simulated;
