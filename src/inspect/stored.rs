//! The form in which findings are kept between runs.

use serde::{Deserialize, Serialize};

use super::VERSION;
use crate::facts::{
    ChangelogSection, Extent, Part, Purpose, Shift, SourceDelta, SourceFinding, Topic, Witness,
};

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    before: Option<[u64; 4]>,
    after: [u64; 4],
    same_code: bool,
    /// Categories, keywords, needed packages.
    purpose: [Vec<String>; 3],
    findings: Vec<StoredFinding>,
    changelog: Vec<(String, String, String)>,
    not_read: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredFinding {
    topic: String,
    shift: String,
    part: String,
    what: String,
    count: usize,
    witnesses: Vec<(String, u32, String, String)>,
}

/// The stored form of findings.
#[must_use]
pub fn encode(delta: &SourceDelta) -> Vec<u8> {
    let stored = Stored {
        version: VERSION,
        before: delta.before.as_ref().map(figures),
        after: figures(&delta.after),
        same_code: delta.same_code,
        purpose: [
            delta.purpose.categories.clone(),
            delta.purpose.keywords.clone(),
            delta.purpose.needs.clone(),
        ],
        findings: delta.findings.iter().map(stored_finding).collect(),
        changelog: delta
            .changelog
            .iter()
            .map(|s| (s.version.to_string(), s.file.clone(), s.text.clone()))
            .collect(),
        not_read: delta.not_read.clone(),
    };
    serde_json::to_vec(&stored).unwrap_or_default()
}

/// Reads the stored form; `None` when it is broken or of another version.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<SourceDelta> {
    let stored: Stored = serde_json::from_slice(bytes).ok()?;
    if stored.version != VERSION {
        return None;
    }
    let [categories, keywords, needs] = stored.purpose;
    Some(SourceDelta {
        before: stored.before.map(extent),
        after: extent(stored.after),
        same_code: stored.same_code,
        purpose: Purpose {
            categories,
            keywords,
            needs,
        },
        findings: stored
            .findings
            .into_iter()
            .map(finding)
            .collect::<Option<_>>()?,
        changelog: stored
            .changelog
            .into_iter()
            .map(|(version, file, text)| {
                let version = version.parse().ok()?;
                Some(ChangelogSection {
                    version,
                    file,
                    text,
                })
            })
            .collect::<Option<_>>()?,
        not_read: stored.not_read,
    })
}

fn figures(extent: &Extent) -> [u64; 4] {
    [
        extent.files as u64,
        extent.bytes,
        extent.compiled_files as u64,
        extent.compiled_bytes,
    ]
}

fn extent([files, bytes, compiled_files, compiled_bytes]: [u64; 4]) -> Extent {
    Extent {
        files: usize::try_from(files).unwrap_or(usize::MAX),
        bytes,
        compiled_files: usize::try_from(compiled_files).unwrap_or(usize::MAX),
        compiled_bytes,
    }
}

fn stored_finding(finding: &SourceFinding) -> StoredFinding {
    StoredFinding {
        topic: finding.topic.as_str().to_owned(),
        shift: finding.shift.as_str().to_owned(),
        part: finding.part.as_str().to_owned(),
        what: finding.what.clone(),
        count: finding.count,
        witnesses: finding
            .witnesses
            .iter()
            .map(|w| (w.file.clone(), w.line, w.item.clone(), w.text.clone()))
            .collect(),
    }
}

fn finding(stored: StoredFinding) -> Option<SourceFinding> {
    Some(SourceFinding {
        topic: Topic::ALL
            .into_iter()
            .find(|t| t.as_str() == stored.topic)?,
        shift: Shift::ALL
            .into_iter()
            .find(|d| d.as_str() == stored.shift)?,
        part: Part::ALL.into_iter().find(|p| p.as_str() == stored.part)?,
        what: stored.what,
        count: stored.count,
        witnesses: stored
            .witnesses
            .into_iter()
            .map(|(file, line, item, text)| Witness {
                file,
                line,
                item,
                text,
            })
            .collect(),
    })
}
