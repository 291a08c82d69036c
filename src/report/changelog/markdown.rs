//! A section for a `CHANGELOG.md`, below a heading of the second level.

use crate::audit::Audit;
use crate::report::safe::{clip, markdown, markdown_code};
use crate::report::words::say;

use super::{Entry, Group, between, caution, groups};

pub(in crate::report) fn section(audit: &Audit) -> String {
    let mut out = String::from("### Library updates\n\n");
    say(
        &mut out,
        format_args!("{}.\n", markdown(&clip(&between(audit), 400))),
    );
    if let Some(caution) = caution(audit) {
        say(&mut out, format_args!("\n{}\n", markdown(&caution)));
    }
    for (group, entries) in groups(audit) {
        say(&mut out, format_args!("\n#### {}\n\n", group.heading()));
        for entry in &entries {
            line(&mut out, group, entry);
        }
    }
    out
}

fn line(out: &mut String, group: Group, entry: &Entry<'_>) {
    say(
        out,
        format_args!(
            "- {} {}",
            markdown_code(&clip(entry.package, 120)),
            markdown(&clip(&entry.movement, 200))
        ),
    );
    if group != Group::Routine && entry.place != "direct" {
        say(out, format_args!(" ({})", markdown(&entry.place)));
    }
    if !entry.remarks.is_empty() {
        say(
            out,
            format_args!(": {}", markdown(&clip(&entry.remarks.join("; "), 600))),
        );
    }
    out.push('\n');
    let Some(notes) = entry.notes else {
        return;
    };
    say(
        out,
        format_args!("  - upstream, {}:\n", markdown(&clip(&notes.from, 200))),
    );
    for section in &notes.sections {
        say(
            out,
            format_args!(
                "    - {}: {}\n",
                section.version,
                markdown(&clip(&section.text, 600))
            ),
        );
    }
}
