//! Signed records of trials: signatures by OpenSSH, what is refused and why,
//! and the whole way from a canary to a pass.

mod chain;
mod keys;
mod places;
mod refused;
mod signing;
