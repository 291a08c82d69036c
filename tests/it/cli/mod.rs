//! The program as its users meet it: its arguments, what it prints, its exit codes.

mod builds;
mod catalogue;
mod codes;
mod demo;
mod errors;
mod output;
mod policies;
pub(crate) mod program;
pub(crate) mod shop;
mod ratchet;
mod replay;
