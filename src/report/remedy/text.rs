//! A way back as text.

use unicode_width::UnicodeWidthStr as _;

use super::{
    Named, advisory, afterwards, checked, headline, lock_needed, movement, reason, subject, written,
};
use crate::remedy::{Rollback, Way};
use crate::report::Style;
use crate::report::text::page::{Ink, Page};

pub(super) fn rollback(rollback: &Rollback, named: Named<'_>, style: Style) -> String {
    let mut page = Page::new(style);
    let ink = match &rollback.way {
        Way::Commands | Way::LockFile { .. } if rollback.reopened.is_empty() => Ink::Good,
        Way::Commands | Way::LockFile { .. } => Ink::Warning,
        Way::None { .. } | Way::Unchecked { .. } => Ink::Bad,
    };
    page.wrapped(ink, "", "", &headline(rollback));
    page.wrapped(Ink::Faint, "", "", &subject(rollback));
    commands(&mut page, rollback);
    list(&mut page, "Written", written(named).into_iter());
    moves(&mut page, rollback);
    list(
        &mut page,
        "What going back reopens",
        rollback.reopened.iter().map(advisory),
    );
    list(&mut page, "What to mind", rollback.breaks.iter().cloned());
    other_ways(&mut page, rollback);
    list(&mut page, "Notes", rollback.notes.iter().cloned());
    let record = afterwards(rollback);
    if !record.is_empty() {
        page.heading("Once it is done, record it");
    }
    for line in &record {
        page.line(&[(Ink::Plain, "  "), (Ink::Strong, line)]);
    }
    page.gap();
    page.wrapped(Ink::Plain, "", "", &checked(rollback));
    page.finish()
}

fn commands(page: &mut Page, rollback: &Rollback) {
    if let Some(text) = lock_needed(rollback) {
        page.gap();
        page.wrapped(Ink::Plain, "", "", &text);
    }
    if rollback.commands.is_empty() || matches!(rollback.way, Way::None { .. }) {
        return;
    }
    let heading = match rollback.way {
        Way::Unchecked { .. } => "Perhaps (not tried)",
        Way::Commands | Way::LockFile { .. } | Way::None { .. } => "Run, in this order",
    };
    page.heading(heading);
    for command in &rollback.commands {
        page.line(&[(Ink::Plain, "  "), (Ink::Strong, &command.line())]);
    }
}

fn moves(page: &mut Page, rollback: &Rollback) {
    if rollback.returned.is_empty() {
        return;
    }
    page.heading(match rollback.way {
        Way::Commands | Way::LockFile { .. } => "What moves",
        Way::None { .. } | Way::Unchecked { .. } => "What should move",
    });
    let widest = rollback.returned.iter().map(|it| it.package.width()).max();
    let columns = widest.unwrap_or(0).min(28);
    for returned in &rollback.returned {
        let gap = " ".repeat(columns.saturating_sub(returned.package.width()));
        let mut text = movement(returned);
        let reason = reason(returned, rollback);
        if !reason.is_empty() {
            text = format!("{text}, {reason}");
        }
        // Spaces that are meant to stay stand in the indentation.
        let first = format!(
            "  {}{gap}  ",
            crate::report::safe::terminal(&returned.package)
        );
        page.wrapped(Ink::Plain, &first, "      ", &text);
    }
}

fn other_ways(page: &mut Page, rollback: &Rollback) {
    if rollback.alternatives.is_empty() {
        return;
    }
    page.heading("Other ways");
    for other in &rollback.alternatives {
        page.wrapped(Ink::Plain, "  - ", "    ", &other.text);
        if let Some(command) = &other.command {
            page.line(&[(Ink::Plain, "      "), (Ink::Strong, &command.line())]);
        }
    }
}

pub(super) fn list(page: &mut Page, heading: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    page.heading(heading);
    for line in lines {
        page.wrapped(Ink::Plain, "  - ", "    ", &line);
    }
}
