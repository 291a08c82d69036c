//! A way back, as text, as JSON and as a page for a phone; the largest set that
//! passes, as text and JSON.

mod page;
mod shape;
mod subset;
mod text;

use std::path::Path;

use crate::remedy::{Returned, Rollback, Subset, Way};

use super::safe::is_plain_word;
use super::{Format, Style};

/// What was written besides the report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named<'n> {
    /// The lock file.
    pub lock: Option<&'n Path>,
    /// The patch.
    pub patch: Option<&'n Path>,
    /// The branch.
    pub branch: Option<&'n str>,
}

/// A way back; `None` when there is no report of it in this format.
#[must_use]
pub fn render_rollback(
    rollback: &Rollback,
    named: Named<'_>,
    format: Format,
    style: Style,
) -> Option<Vec<u8>> {
    match format {
        Format::Text => Some(text::rollback(rollback, named, style).into_bytes()),
        Format::Json => Some(shape::rollback(rollback, named)),
        Format::Html => Some(page::rollback(rollback, named)),
        Format::Markdown | Format::Github | Format::Sarif | Format::Gitlab => None,
    }
}

/// The largest set that passes; `None` when there is no report of it in this format.
#[must_use]
pub fn render_subset(
    found: &Subset,
    named: Named<'_>,
    format: Format,
    style: Style,
) -> Option<Vec<u8>> {
    match format {
        Format::Text => Some(subset::text(found, named, style).into_bytes()),
        Format::Json => Some(subset::json(found, named)),
        Format::Html | Format::Markdown | Format::Github | Format::Sarif | Format::Gitlab => None,
    }
}

/// What was written, in lines.
fn written(named: Named<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(lock) = named.lock {
        lines.push(format!("the lock file: {}", lock.display()));
    }
    if let Some(patch) = named.patch {
        lines.push(format!("the patch, for `git apply`: {}", patch.display()));
    }
    if let Some(branch) = named.branch {
        lines.push(format!("the branch: {branch}"));
    }
    lines
}

/// The sentence that says how it stands.
fn headline(rollback: &Rollback) -> String {
    let reopened = match rollback.reopened.len() {
        0 => String::new(),
        1 => ", and it reopens 1 advisory".to_owned(),
        many => format!(", and it reopens {many} advisories"),
    };
    match &rollback.way {
        Way::Commands => match rollback.commands.len() {
            1 => format!("WAY BACK FOUND: 1 command, checked to resolve{reopened}"),
            many => format!("WAY BACK FOUND: {many} commands, checked to resolve{reopened}"),
        },
        Way::LockFile { .. } => format!(
            "WAY BACK FOUND: a lock file that resolves, no commands that lead to it{reopened}"
        ),
        Way::None { because } => format!("NO WAY BACK: {because}"),
        Way::Unchecked { because } => format!("NOT CHECKED: {because}"),
    }
}

/// Which builds, and what goes back.
fn subject(rollback: &Rollback) -> String {
    let (base, head) = &rollback.builds;
    if rollback.asked.is_empty() {
        return format!("everything that {head} changed against {base}");
    }
    format!("{}, between {base} and {head}", rollback.asked.join(", "))
}

/// From where to where a release moves.
fn movement(returned: &Returned) -> String {
    match (&returned.now, &returned.then) {
        (Some(now), Some(then)) => format!("{now} -> {then}"),
        (Some(now), None) => format!("{now} goes away"),
        (None, Some(then)) => format!("{then} comes back"),
        (None, None) => String::new(),
    }
}

/// Why it moves.
fn reason(returned: &Returned, rollback: &Rollback) -> String {
    match &returned.because {
        Some(because) => format!("must move along: {because}"),
        None if returned.asked && !rollback.asked.is_empty() => "asked for".to_owned(),
        None => String::new(),
    }
}

/// So many updates that went back are offered to be recorded.
const RECORDED: usize = 4;

/// The commands that record what came of the updates, once it is done.
fn afterwards(rollback: &Rollback) -> Vec<String> {
    if rollback.lock.is_none() || rollback.asked.is_empty() {
        return Vec::new();
    }
    let asked = rollback.returned.iter().filter(|it| it.asked);
    let lines: Vec<String> = asked
        .filter_map(|it| {
            let version = it.now.as_ref()?.to_string();
            let plain = is_plain_word(&it.package) && is_plain_word(&version);
            plain.then(|| {
                format!(
                    "cargo-canary ledger impact --package {} --version {version} --effect rolled-back",
                    it.package
                )
            })
        })
        .collect();
    if lines.len() > RECORDED {
        return Vec::new();
    }
    lines
}

/// How it was checked.
fn checked(rollback: &Rollback) -> String {
    match &rollback.way {
        Way::Commands | Way::LockFile { .. } => {
            "Checked by cargo in a copy without a network: the lock file resolves. Nothing was \
             built; whether your code compiles with the older releases, `cargo check --locked` \
             tells."
                .to_owned()
        }
        Way::None { .. } => "Nothing was changed.".to_owned(),
        Way::Unchecked { .. } => {
            "The commands are what the lock files suggest. Nobody has tried them.".to_owned()
        }
    }
}

/// Why a lock file has to be put in place.
fn lock_needed(rollback: &Rollback) -> Option<String> {
    match &rollback.way {
        Way::LockFile { because } if because.is_empty() => Some(
            "No order of `cargo update` commands leads there; put the lock file in place."
                .to_owned(),
        ),
        Way::LockFile { because } => Some(format!(
            "No order of `cargo update` commands leads there ({because}); put the lock file in place."
        )),
        Way::Commands | Way::None { .. } | Way::Unchecked { .. } => None,
    }
}

/// An advisory in a line.
fn advisory(reopened: &crate::remedy::Reopened) -> String {
    let fact = &reopened.advisory;
    let severity = fact
        .severity
        .map_or_else(String::new, |it| format!(" ({})", it.as_str()));
    format!("{} in {} {}{severity}", fact.id, fact.package, fact.version)
}
