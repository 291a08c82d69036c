//! The changelog for programs. Keys are kebab-case; keys may be added, none is
//! renamed.

use serde::Serialize;

use crate::audit::Audit;

use super::{advisories_missing, compiler, groups};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    schema_version: u32,
    base: &'a str,
    head: &'a str,
    diff_digest: &'a str,
    advisories_missing: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    compiler: Option<String>,
    groups: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    id: &'a str,
    heading: &'a str,
    entries: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    package: &'a str,
    kind: &'a str,
    movement: &'a str,
    place: &'a str,
    fixed: &'a [&'a str],
    introduced: &'a [&'a str],
    remarks: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Notes<'a>>,
}

#[derive(Serialize)]
struct Notes<'a> {
    from: &'a str,
    sections: Vec<Section<'a>>,
}

#[derive(Serialize)]
struct Section<'a> {
    version: String,
    lines: &'a [String],
}

pub(in crate::report) fn document(audit: &Audit) -> Vec<u8> {
    let comparison = &audit.comparison;
    let groups = groups(audit);
    let document = Document {
        schema_version: 1,
        base: &comparison.base.input.given,
        head: &comparison.head.input.given,
        diff_digest: &comparison.diff.digest,
        advisories_missing: advisories_missing(audit),
        compiler: compiler(audit),
        groups: groups
            .iter()
            .map(|(group, entries)| Group {
                id: group.id(),
                heading: group.heading(),
                entries: entries.iter().map(entry).collect(),
            })
            .collect(),
    };
    // The shapes have no maps, and so nothing that cannot be written.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn entry<'a>(entry: &'a super::Entry<'a>) -> Entry<'a> {
    let notes = entry.notes.as_ref().map(|notes| Notes {
        from: notes.from,
        sections: notes
            .sections
            .iter()
            .map(|section| Section {
                version: section.version.to_string(),
                lines: &section.lines,
            })
            .collect(),
    });
    Entry {
        id: entry.id,
        package: entry.package,
        kind: entry.kind,
        movement: &entry.movement,
        place: &entry.place,
        fixed: &entry.fixed,
        introduced: &entry.introduced,
        remarks: &entry.remarks,
        notes,
    }
}
