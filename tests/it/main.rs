//! One binary for all tests that cross a module boundary.
