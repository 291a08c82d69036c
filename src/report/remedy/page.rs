//! A way back as a page that fits a phone: what to run first, in large letters,
//! and what it costs. Works without a script and asks for nothing from anywhere.

use askama::Template;

use super::{
    Named, advisory, afterwards, checked, headline, lock_needed, movement, reason, subject,
};
use crate::remedy::{Rollback, Way};
use crate::report::html::{Prose, STYLE, Shown, content_policy, long, short};

#[derive(Template)]
#[template(path = "rollback.html")]
struct Page {
    csp: String,
    style: &'static str,
    class: &'static str,
    headline: Shown,
    subject: Shown,
    tried: bool,
    commands: Vec<Shown>,
    lock_needed: Option<Prose>,
    written: Vec<Shown>,
    moves: Vec<(Shown, Shown, Shown)>,
    reopened: Vec<Shown>,
    breaks: Vec<Prose>,
    others: Vec<(Prose, Option<Shown>)>,
    notes: Vec<Prose>,
    record: Vec<Shown>,
    checked: Prose,
}

pub(super) fn rollback(rollback: &Rollback, named: Named<'_>) -> Vec<u8> {
    let class = match &rollback.way {
        Way::Commands | Way::LockFile { .. } if rollback.reopened.is_empty() => "pass",
        Way::Commands | Way::LockFile { .. } => "canary",
        Way::None { .. } => "block",
        Way::Unchecked { .. } => "incomplete",
    };
    let mut written = Vec::new();
    written.extend(
        named
            .lock
            .map(|path| format!("Lock file: {}", path.display())),
    );
    written.extend(named.patch.map(|path| format!("Patch: {}", path.display())));
    written.extend(named.branch.map(|name| format!("Branch: {name}")));
    let page = Page {
        csp: content_policy(STYLE, None),
        style: STYLE,
        class,
        headline: short(&headline(rollback)),
        subject: short(&subject(rollback)),
        tried: matches!(rollback.way, Way::Commands | Way::LockFile { .. }),
        commands: match rollback.way {
            Way::None { .. } => Vec::new(),
            Way::Commands | Way::LockFile { .. } | Way::Unchecked { .. } => rollback
                .commands
                .iter()
                .map(|it| short(&it.line()))
                .collect(),
        },
        lock_needed: lock_needed(rollback).map(|text| long(&text)),
        written: written.iter().map(|text| short(text)).collect(),
        moves: rollback
            .returned
            .iter()
            .map(|it| {
                let why = reason(it, rollback);
                (short(&it.package), short(&movement(it)), short(&why))
            })
            .collect(),
        reopened: rollback
            .reopened
            .iter()
            .map(|it| short(&advisory(it)))
            .collect(),
        breaks: rollback.breaks.iter().map(|text| long(text)).collect(),
        others: rollback
            .alternatives
            .iter()
            .map(|it| {
                let command = it.command.as_ref().map(|command| short(&command.line()));
                (long(&it.text), command)
            })
            .collect(),
        notes: rollback.notes.iter().map(|text| long(text)).collect(),
        record: afterwards(rollback).iter().map(|it| short(it)).collect(),
        checked: long(&checked(rollback)),
    };
    // Rendering fails only where writing does, and memory takes everything.
    page.render().unwrap_or_default().into_bytes()
}
