//! The few statistics that the probe, the canary judge and the backtest share.
//! Pure; every method names its source. Nothing here knows what is measured.
//!
//! Imports: nothing.

mod correlation;
mod likely;
mod normal;
mod order;
mod rank;
mod ranking;
mod trend;
mod warmup;

pub use correlation::{autocorrelation, variance_inflation};
pub use likely::{LikelySlope, likely_slope};
pub use normal::{normal_cdf, normal_quantile, student_quantile};
pub use order::{median, median_absolute_deviation, quantile};
pub use rank::{LevelShift, level_shift, shift_interval};
pub use ranking::{average_precision, brier, recall_at, roc_auc};
pub use trend::{Trend, shared_trend, slope, trend};
pub use warmup::warm_up;
