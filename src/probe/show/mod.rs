//! A finished probe as text, JSON or a plot. Recomputes nothing.

pub mod frame;
mod attribution;
mod json;
mod numbers;
mod plot;
mod samples;
mod text;

pub use json::{json, shape};
pub use numbers::{amount, amount_of, per_unit, rate, rate_of, seconds, slow_rate_of};
pub use plot::svg;
pub use samples::samples;
pub use text::{TextStyle, sparkline, summary, text};
