//! The shape of what an update does to the source.

use serde::Serialize;

use crate::facts;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Source {
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Extent>,
    after: Extent,
    same_code: bool,
    findings: Vec<Found>,
    changelog: Vec<Section>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Extent {
    files: usize,
    bytes: u64,
    compiled_files: usize,
    compiled_bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Found {
    topic: &'static str,
    shift: &'static str,
    part: &'static str,
    what: String,
    count: usize,
    witnesses: Vec<Place>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Place {
    file: String,
    #[serde(skip_serializing_if = "is_zero")]
    line: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    item: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Section {
    version: String,
    file: String,
    text: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(line: &u32) -> bool {
    *line == 0
}

pub(super) fn source(delta: &facts::SourceDelta) -> Source {
    Source {
        before: delta.before.as_ref().map(extent),
        after: extent(&delta.after),
        same_code: delta.same_code,
        findings: delta
            .findings
            .iter()
            .map(|finding| Found {
                topic: finding.topic.as_str(),
                shift: finding.shift.as_str(),
                part: finding.part.as_str(),
                what: finding.what.clone(),
                count: finding.count,
                witnesses: finding
                    .witnesses
                    .iter()
                    .map(|place| Place {
                        file: place.file.clone(),
                        line: place.line,
                        item: place.item.clone(),
                        text: place.text.clone(),
                    })
                    .collect(),
            })
            .collect(),
        changelog: delta
            .changelog
            .iter()
            .map(|section| Section {
                version: section.version.to_string(),
                file: section.file.clone(),
                text: section.text.clone(),
            })
            .collect(),
        not_read: delta.not_read.clone(),
    }
}

fn extent(extent: &facts::Extent) -> Extent {
    Extent {
        files: extent.files,
        bytes: extent.bytes,
        compiled_files: extent.compiled_files,
        compiled_bytes: extent.compiled_bytes,
    }
}
