//! The whole pipeline, from two named builds to a finished [`Audit`], which is
//! plain data. Prints nothing.
//!
//! Imports: pkg, host, facts, registry, snapshot, diff, inspect, advisories, incidents, ledger, risk, policy, evidence.

mod artifact;
mod cargo_waits;
mod assessed;
mod data;
mod error;
mod evidence;
mod gather;
mod origin;
mod pace;
mod past;
mod pinned;
mod ratchet;
mod recorded;
mod release;
mod relocked;
mod rules;
mod run;
mod source;
mod start;
mod vet;
mod young;

pub use assessed::Known;
pub use data::{
    Audit, Comparison, Coverage, DataStatus, JudgedChange, PolicyOrigin, PreExisting, Side,
    WithdrawnPackage,
};
pub use error::AuditError;
pub use evidence::{EvidenceDesk, EvidenceFound, EvidenceSources, digest_of, repository_root};
pub use past::ledger_place;
pub use ratchet::{BASELINE_FILE, Recorded, baseline};
pub use recorded::{ledger_entry, tried};
pub use relocked::run_with_lock;
pub use rules::{ledger_terms, read_policy};
pub use run::{
    Event, LedgerChoice, PolicyChoice, Request, access, compare, compare_for_trial, run,
    run_knowing,
};
pub use start::surroundings;
