//! A finished audit to bytes, in each of the formats. Recomputes nothing and
//! reads nothing.
//!
//! Imports: pkg, facts, snapshot, diff, incidents, risk, policy, audit.
