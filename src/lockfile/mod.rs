//! Lock files between two lock files: which updates set them apart, and what a
//! lock file with some of them would hold. Text in, text out; whether such a
//! lock file holds is for cargo to say.
//!
//! Imports: nothing.

mod mixture;
mod side;

pub use mixture::{Mixtures, Set};
pub use side::MixtureError;
