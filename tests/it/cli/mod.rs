//! The program as its users meet it: its arguments, what it prints, its exit codes.

mod demo;
pub(crate) mod program;
