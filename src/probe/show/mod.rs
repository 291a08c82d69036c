//! A finished probe as text, JSON or a plot. Recomputes nothing.

mod json;
mod numbers;
mod plot;
mod samples;
mod text;

pub use json::{json, shape};
pub use numbers::{amount, rate, seconds};
pub use plot::svg;
pub use samples::samples;
pub use text::{TextStyle, summary, text};
