//! Lock files between two lock files: which updates set them apart, and what a
//! lock file with some of them would hold. Text in, text out; whether such a
//! lock file holds is for cargo to say.
//!
//! Imports: pkg.

mod mixture;
mod moves;
mod side;

pub use mixture::{Mixtures, Set};
pub use moves::{Locked, Move, Pair, counts, moves};
pub use side::MixtureError;
