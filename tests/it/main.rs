//! One binary for all tests that cross a module boundary.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests set up and look at the real machine, and end at the first surprise"
)]

mod tidy;
mod registry;
mod registry_server;
