//! One binary for all tests that cross a module boundary.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests set up and look at the real machine, and end at the first surprise"
)]

mod registry;
mod registry_archives;
mod registry_lab;
mod registry_server;
mod hostile;
mod diff;
mod diff_laws;
mod diff_real;
mod support;
mod advisories;
mod incidents;
mod incidents_links;
mod risk;
mod shared_data;
mod load;
mod tidy;
mod oracle_graph;
mod oracle_real;
