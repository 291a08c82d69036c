//! Signed records of trials: signatures by OpenSSH, what is refused and why,
//! and the whole way from a canary to a pass.

pub(crate) mod chain;
mod envelopes;
mod keys;
mod places;
#[cfg(target_os = "linux")]
mod probed;
mod refused;
pub(crate) mod rolled;
mod signing;
