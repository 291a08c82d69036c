//! The whole pipeline, from two named builds to a finished [`Audit`], which is
//! plain data. Prints nothing.
//!
//! Imports: pkg, host, facts, registry, snapshot, diff, inspect, advisories, incidents, risk, policy, evidence.

mod cargo_waits;
mod data;
mod error;
mod evidence;
mod gather;
mod pinned;
mod ratchet;
mod release;
mod rules;
mod run;
mod source;
mod start;
mod vet;

pub use data::{
    Audit, Comparison, Coverage, DataStatus, JudgedChange, Notes, PolicyOrigin, PreExisting, Side,
    VersionNotes, WithdrawnPackage,
};
pub use error::AuditError;
pub use evidence::{EvidenceDesk, EvidenceFound, EvidenceSources, digest_of, repository_root};
pub use ratchet::{BASELINE_FILE, Recorded, baseline};
pub use rules::read_policy;
pub use run::{Event, PolicyChoice, Request, compare, run};
pub use start::surroundings;
