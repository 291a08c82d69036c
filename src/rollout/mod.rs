//! A canary that runs beside a baseline: what Prometheus saw of both, judged by
//! trends and levels; what a rollout engine says of a run of its own; and the plan of
//! a canary. Pure but for `prometheus`, which asks.
//!
//! Imports: host, stats, probe.

mod config;
pub mod judge;
pub mod outcome;
pub mod plan;
pub mod prometheus;
mod promql;
mod series;
pub mod show;

pub use config::{Access, Config, ConfigError, Kind, Metric, Said};
pub use series::{Life, Series};

/// What a rollout came to, and each metric of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The canary is no worse than the baseline.
    Pass,
    /// What was seen does not decide.
    Inconclusive,
    /// The canary is worse.
    Fail,
}

impl Answer {
    /// The name used for decisions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }
}
