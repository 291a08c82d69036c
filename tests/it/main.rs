//! One binary for all tests that cross a module boundary.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests set up and look at the real machine, and end at the first surprise"
)]

mod advisories;
mod backtest;
mod backtest_page;
mod backtest_sources;
#[cfg(target_os = "linux")]
mod bisect;
mod chance;
mod cli;
mod diff;
mod diff_laws;
mod diff_real;
mod diff_reasons;
mod docs;
mod evidence;
mod exposure;
mod exposure_real;
mod hostile;
mod incident_cli;
mod incident_docs;
mod incident_hostile;
mod incident_import;
mod incidents;
mod incidents_advisories;
mod inspect;
mod inspect_cases;
mod inspect_hostile;
mod inspect_real;
mod incidents_links;
mod incidents_resemblance;
#[cfg(unix)]
mod ledger;
mod load;
mod oracle_graph;
mod oracle_real;
mod oracle_sources;
mod policy;
mod policy_built_in;
mod policy_cases;
mod policy_conditions;
mod policy_cooldown;
mod policy_hostile;
mod policy_load;
mod policy_ratchet;
mod policy_start;
mod policy_support;
mod policy_vet;
mod registry;
mod registry_archives;
mod registry_lab;
mod registry_layouts;
mod registry_publishers;
mod registry_server;
mod risk;
mod rollout;
#[cfg(unix)]
mod remedy_real;
#[cfg(unix)]
mod rollback;
#[cfg(feature = "s3")]
mod shared_cache;
mod shared_data;
#[cfg(unix)]
mod subset;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(target_os = "linux")]
mod probe_attribution;
mod probe_builds;
mod probe_busy;
#[cfg(target_os = "linux")]
mod probe_counters;
#[cfg(target_os = "linux")]
mod probe_group;
mod probe_judge;
mod probe_leaks;
mod probe_shapes;
mod probe_simulation;
mod replay;
mod report_action;
mod report_artifacts;
mod report_browser;
#[cfg(unix)]
mod report_browser_keys;
mod report_formats;
mod report_safety;
mod report_sarif;
mod support;
mod tidy;
mod work;
