//! The changelog as one HTML file, in the style of the audit's page and
//! without a script.

use askama::Template;

use crate::audit::Audit;
use crate::report::html::{Prose, STYLE, Shown, content_policy, long, said, short};

use super::{between, caution, compiler, groups};

/// So many lines of a version are shown.
const LINES: usize = 40;

#[derive(Template)]
#[template(path = "changelog.html")]
struct Page {
    csp: String,
    style: &'static str,
    between: Shown,
    caution: Option<String>,
    compiler: Option<Prose>,
    groups: Vec<Group>,
}

struct Group {
    id: &'static str,
    heading: &'static str,
    entries: Vec<Entry>,
}

struct Entry {
    id: Shown,
    package: Shown,
    movement: Shown,
    place: Shown,
    remarks: Vec<Prose>,
    notes: Option<Notes>,
}

/// What upstream says: where, and of each version.
struct Notes {
    from: Shown,
    versions: Vec<(String, Vec<Prose>)>,
}

pub(in crate::report) fn page(audit: &Audit) -> Vec<u8> {
    let page = Page {
        csp: content_policy(STYLE, None),
        style: STYLE,
        between: short(&between(audit)),
        caution: caution(audit),
        compiler: compiler(audit).map(|text| long(&text)),
        groups: groups(audit)
            .into_iter()
            .map(|(group, entries)| Group {
                id: group.id(),
                heading: group.heading(),
                entries: entries.iter().map(entry).collect(),
            })
            .collect(),
    };
    // Rendering fails only where writing does, and memory takes everything.
    page.render().unwrap_or_default().into_bytes()
}

fn entry(entry: &super::Entry<'_>) -> Entry {
    Entry {
        id: short(entry.id),
        package: short(entry.package),
        movement: short(&entry.movement),
        place: short(&entry.place),
        remarks: entry.remarks.iter().map(|remark| long(remark)).collect(),
        notes: entry.notes.as_ref().map(|notes| Notes {
            from: short(notes.from),
            versions: notes
                .sections
                .iter()
                .map(|section| (section.version.to_string(), said(section, LINES)))
                .collect(),
        }),
    }
}
