//! A section for a `CHANGELOG.md`, below a heading of the second level.

use crate::audit::Audit;
use crate::report::safe::{clip, markdown, markdown_code, markdown_prose};
use crate::report::words::{self, say};

use super::{Entry, Group, between, caution, compiler, groups};

/// In an update of so few changes, what only follows is told of, too.
const FEW: usize = 10;

pub(in crate::report) fn section(audit: &Audit) -> String {
    let mut out = String::from("### Library updates\n\n");
    say(
        &mut out,
        format_args!("{}.\n", markdown(&clip(&between(audit), 400))),
    );
    if let Some(caution) = caution(audit) {
        say(&mut out, format_args!("\n{}\n", markdown(&caution)));
    }
    if let Some(compiler) = compiler(audit) {
        say(&mut out, format_args!("\n{}\n", markdown_prose(&compiler)));
    }
    let groups = groups(audit);
    let shown = |group: Group, entry: &Entry<'_>| {
        group != Group::Routine || entry.decided || audit.changes.len() <= FEW
    };
    let all = || {
        groups
            .iter()
            .flat_map(|(group, entries)| entries.iter().map(|one| (*group, one)))
    };
    let with_notes = |(_, entry): &(Group, &Entry<'_>)| entry.notes.is_some();
    if all()
        .filter(with_notes)
        .any(|(group, entry)| shown(group, entry))
    {
        out.push_str("\nIndented lines are upstream's own words.\n");
    }
    for (group, entries) in &groups {
        say(&mut out, format_args!("\n#### {}\n\n", group.heading()));
        for entry in entries {
            line(&mut out, *group, entry);
            if shown(*group, entry) {
                notes(&mut out, *group, entry);
            }
        }
    }
    let left = all()
        .filter(with_notes)
        .filter(|(group, entry)| !shown(*group, entry))
        .count();
    if left > 0 {
        say(
            &mut out,
            format_args!(
                "\nUpstream's notes on {} are left out here; the HTML format has them.\n",
                words::plural(
                    left,
                    "routine update that only follows",
                    "routine updates that only follow"
                )
            ),
        );
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
            format_args!(
                ": {}",
                markdown_prose(&clip(&entry.remarks.join("; "), 600))
            ),
        );
    }
    out.push('\n');
}

/// A few lines of each of a few versions; what is left out is counted.
fn notes(out: &mut String, group: Group, entry: &Entry<'_>) {
    let Some(notes) = &entry.notes else {
        return;
    };
    let (versions, lines) = match group {
        Group::Security | Group::Behaviour => (3, 6),
        Group::NewAndRemoved | Group::Routine => (2, 3),
    };
    let one = notes.sections.len() == 1;
    for section in notes.sections.iter().take(versions) {
        let version = if one {
            String::new()
        } else {
            format!("{}: ", section.version)
        };
        for line in section.lines.iter().take(lines) {
            let line = markdown_prose(&clip(line, 200));
            say(out, format_args!("  - {version}{line}\n"));
        }
        let more = section.lines.len().saturating_sub(lines);
        if more > 0 {
            say(out, format_args!("  - {version}and {more} more\n"));
        }
    }
    let more = notes.sections.len().saturating_sub(versions);
    if more > 0 {
        say(
            out,
            format_args!("  - and {}\n", words::count(more, "earlier version")),
        );
    }
}
