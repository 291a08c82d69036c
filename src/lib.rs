//! A dependency-change risk auditor.
//!
//! Data flows one way, and the order of the modules below is that flow: a
//! module may import only what stands above it. A test holds this order and
//! each module's `Imports:` line against the code.

pub mod pkg;
pub mod host;
pub mod facts;
pub mod stats;
pub mod registry;
pub mod snapshot;
pub mod lockfile;
pub mod diff;
pub mod exposure;
pub mod inspect;
pub mod advisories;
pub mod incidents;
pub mod ledger;
pub mod risk;
pub mod policy;
pub mod evidence;
pub mod probe;
pub mod rollout;
pub mod audit;
pub mod backtest;
pub mod remedy;
pub mod replay;
pub mod report;
