//! Two archives in, what the update gained, lost and changed out. Every
//! detector is a file in `detectors/`. Reads bytes as text and never runs
//! them; resolves imports, but no types and no macros, so that what it says is
//! textual. Never judges, and sees no file system and no network.
//!
//! Imports: pkg, facts, registry.

mod changelog;
mod compare;
mod compiled;
mod detectors;
mod items;
mod lex;
mod look_alike;
mod manifest;
mod stored;
mod tally;
mod uses;

use std::collections::BTreeMap;

use crate::facts::{Extent, SourceDelta, SourceFinding, Topic};
use crate::pkg::PackageId;
use crate::registry::SourceTree;

use compare::{Comparison, Side};
use detectors::How;
use tally::{Counting, Look, Tally};

pub use detectors::{DETECTORS, Detector};
pub use look_alike::{look_alike, same_lines};
pub use stored::{decode, encode};

/// Whether code that is compiled or runs while building has the word `unsafe`.
/// Tests, examples and benchmarks do not count. A file that is not Rust at all is
/// passed over.
#[must_use]
pub fn has_unsafe(tree: &SourceTree) -> bool {
    tree.files().iter().any(|file| {
        let path = file.path.as_str();
        let is_rust = path
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ending == "rs");
        let apart = ["tests/", "examples/", "benches/"];
        is_rust
            && !apart.iter().any(|folder| path.starts_with(folder))
            && lex::Tokens::of(tree.content(file))
                .is_some_and(|tokens| (0..tokens.len()).any(|at| tokens.is(at, "unsafe")))
    })
}

/// The version of what the detectors say. What was found by another version
/// is not taken from a cache.
pub const VERSION: u32 = 2;

/// So many findings are kept of one topic.
const MOST_FINDINGS: usize = 40;

/// What the update from one archive to another does; of a package that is new,
/// what stands out in it.
#[must_use]
pub fn inspect(
    old: Option<(&PackageId, &SourceTree)>,
    new: (&PackageId, &SourceTree),
) -> SourceDelta {
    let comparison = Comparison::of(old, new);
    let is_new = comparison.old.is_none();
    let speaking: Vec<&Detector> = DETECTORS
        .iter()
        .copied()
        .filter(|detector| detector.of_new || !is_new)
        .collect();
    let mut looks: Vec<Look> = Vec::new();
    let mut first: Vec<Look> = Vec::new();
    let mut counting: BTreeMap<Topic, Counting> = BTreeMap::new();
    let mut findings: Vec<SourceFinding> = Vec::new();
    for detector in speaking {
        match detector.how {
            How::Item(look, how) => {
                looks.push(look);
                if how == Counting::First {
                    first.push(look);
                }
                counting.extend(detector.topics.iter().map(|topic| (*topic, how)));
            }
            How::Whole(whole) => findings.extend(whole(&comparison)),
        }
    }
    let tally = Tally::of(&comparison, &looks);
    let how = |topic| counting.get(&topic).copied().unwrap_or(Counting::Net);
    findings.extend(tally.findings(&comparison, how, &first));
    findings.sort();
    let mut of_topic: BTreeMap<Topic, usize> = BTreeMap::new();
    findings.retain(|finding| {
        let count = of_topic.entry(finding.topic).or_default();
        *count += 1;
        *count <= MOST_FINDINGS
    });
    SourceDelta {
        before: comparison.old.as_ref().map(extent),
        after: extent(&comparison.new),
        same_code: comparison.same_code,
        purpose: comparison.new.manifest.purpose.clone(),
        findings,
        changelog: changelog::between(&comparison),
        not_read: comparison.not_read.iter().cloned().collect(),
    }
}

fn extent(side: &Side<'_>) -> Extent {
    let mut extent = Extent::default();
    for file in side.tree.files() {
        extent.files += 1;
        extent.bytes += file.size() as u64;
        if side.compilation.files.contains_key(&file.path) {
            extent.compiled_files += 1;
            extent.compiled_bytes += file.size() as u64;
        }
    }
    extent
}
