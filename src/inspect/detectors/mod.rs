//! The detectors, one file each. A detector says what it looks for, on which
//! topics it speaks, how its places are counted, and whether it speaks of a
//! package that is new too.

mod announced;
mod api;
mod archive_shape;
mod blobs;
mod build_script;
mod capabilities;
mod channels;
mod commit;
mod drops;
mod encoded_text;
mod foreign;
mod global_state;
mod handles;
mod leaks;
mod limits;
mod manual_memory;
mod metadata;
mod native_sources;
mod releases;
mod tasks;
mod unsafe_code;
mod whole_bodies;

use super::compare::Comparison;
use super::tally::{Counting, Look};
use crate::facts::{SourceFinding, Topic};

/// One detector.
#[derive(Clone, Copy)]
pub struct Detector {
    /// Its name, which is its file's with hyphens.
    pub id: &'static str,
    /// What it looks for, in a sentence.
    pub what: &'static str,
    /// The topics of its findings; no other detector has them.
    pub topics: &'static [Topic],
    /// Whether it speaks of a package that is new, with nothing to compare it with.
    pub of_new: bool,
    pub(super) how: How,
}

/// How a detector works.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// It looks at each touched item; the places are counted so.
    Item(Look, Counting),
    /// It looks at both sides as a whole.
    Whole(fn(&Comparison<'_>) -> Vec<SourceFinding>),
}

/// All detectors, by id.
pub static DETECTORS: &[&Detector] = &[
    &announced::DETECTOR,
    &api::DETECTOR,
    &archive_shape::DETECTOR,
    &blobs::DETECTOR,
    &build_script::DETECTOR,
    &capabilities::DETECTOR,
    &channels::DETECTOR,
    &commit::DETECTOR,
    &drops::DETECTOR,
    &encoded_text::DETECTOR,
    &foreign::DETECTOR,
    &global_state::DETECTOR,
    &handles::DETECTOR,
    &leaks::DETECTOR,
    &limits::DETECTOR,
    &manual_memory::DETECTOR,
    &metadata::DETECTOR,
    &native_sources::DETECTOR,
    &releases::DETECTOR,
    &tasks::DETECTOR,
    &unsafe_code::DETECTOR,
    &whole_bodies::DETECTOR,
];
