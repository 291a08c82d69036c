//! The changelog as one HTML file, in the style of the audit's page and
//! without a script.

use askama::Template;

use crate::audit::Audit;
use crate::report::html::{STYLE, Shown, content_policy, short};

use super::{between, caution, groups};

#[derive(Template)]
#[template(path = "changelog.html")]
struct Page {
    csp: String,
    style: &'static str,
    between: Shown,
    caution: Option<String>,
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
    remarks: Vec<Shown>,
    notes: Option<(Shown, Vec<(String, Shown)>)>,
}

pub(in crate::report) fn page(audit: &Audit) -> Vec<u8> {
    let page = Page {
        csp: content_policy(STYLE, None),
        style: STYLE,
        between: short(&between(audit)),
        caution: caution(audit),
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
        remarks: entry.remarks.iter().map(|remark| short(remark)).collect(),
        notes: entry.notes.map(|notes| {
            let sections = notes
                .sections
                .iter()
                .map(|section| (section.version.to_string(), Shown::of(&section.text, 2000)))
                .collect();
            (short(&notes.from), sections)
        }),
    }
}
