//! The whole pipeline, from two named builds to a finished [`Audit`], which is
//! plain data. Prints nothing.
//!
//! Imports: pkg, host, facts, registry, snapshot, diff, inspect, advisories, incidents, risk, policy, evidence.

mod data;
mod error;
mod evidence;
mod gather;
mod release;
mod rules;
mod run;
mod source;

pub use data::{
    Audit, Comparison, Coverage, DataStatus, JudgedChange, Notes, PolicyOrigin, PreExisting, Side,
    VersionNotes, WithdrawnPackage,
};
pub use error::AuditError;
pub use evidence::{EvidenceDesk, EvidenceFound, EvidenceSources, digest_of, repository_root};
pub use rules::read_policy;
pub use run::{Event, PolicyChoice, Request, compare, run};
