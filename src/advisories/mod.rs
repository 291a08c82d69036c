//! The advisory database: an embedded snapshot of facts, its update, and the
//! advisories of each change. Carries ids, crates, ranges, dates, categories
//! and severities; no prose. Judges nothing.
//!
//! Imports: pkg, host, facts.
