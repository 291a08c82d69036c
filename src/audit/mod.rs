//! The whole pipeline, from two named builds to a finished [`Audit`], which is
//! plain data. Prints nothing.
//!
//! Imports: pkg, host, facts, registry, snapshot, diff, advisories, incidents, risk, policy.

mod data;

pub use data::{
    Audit, Comparison, Coverage, DataStatus, JudgedChange, PolicyOrigin, PreExisting, Side,
    WithdrawnPackage,
};
