//! A way back as JSON.

use serde::Serialize;

use super::Named;
use crate::remedy::{Alternative, Reopened, Returned, Rollback, Way};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'r> {
    schema_version: u32,
    base: &'r str,
    head: &'r str,
    asked: &'r [String],
    /// `commands`, `lock-file`, `none` or `unchecked`.
    way: &'static str,
    because: Option<&'r str>,
    checked: bool,
    commands: Vec<String>,
    lock: Option<String>,
    patch: Option<String>,
    branch: Option<&'r str>,
    reopened: Vec<AdvisoryShape<'r>>,
    held_back: Vec<HeldBack<'r>>,
    breaks: &'r [String],
    alternatives: Vec<Other<'r>>,
    notes: &'r [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct AdvisoryShape<'r> {
    id: &'r str,
    aliases: &'r [String],
    package: &'r str,
    version: String,
    severity: Option<&'static str>,
    patched: &'r [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct HeldBack<'r> {
    package: &'r str,
    from: Option<String>,
    to: Option<String>,
    asked: bool,
    because: Option<&'r str>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Other<'r> {
    text: &'r str,
    command: Option<String>,
}

pub(super) fn rollback(rollback: &Rollback, named: Named<'_>) -> Vec<u8> {
    let (way, because) = way(&rollback.way);
    let document = Document {
        schema_version: 1,
        base: &rollback.builds.0,
        head: &rollback.builds.1,
        asked: &rollback.asked,
        way,
        because,
        checked: matches!(rollback.way, Way::Commands | Way::LockFile { .. }),
        commands: rollback.commands.iter().map(|it| it.line()).collect(),
        lock: named.lock.map(|path| path.display().to_string()),
        patch: named.patch.map(|path| path.display().to_string()),
        branch: named.branch,
        reopened: rollback.reopened.iter().map(advisory).collect(),
        held_back: rollback.returned.iter().map(held_back).collect(),
        breaks: &rollback.breaks,
        alternatives: rollback.alternatives.iter().map(other).collect(),
        notes: &rollback.notes,
    };
    // Plain data is always serialisable.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The name of a way, and why it is no better.
pub(super) fn way(way: &Way) -> (&'static str, Option<&str>) {
    match way {
        Way::Commands => ("commands", None),
        Way::LockFile { because } => ("lock-file", Some(because.as_str())),
        Way::None { because } => ("none", Some(because.as_str())),
        Way::Unchecked { because } => ("unchecked", Some(because.as_str())),
    }
}

pub(super) fn advisory(reopened: &Reopened) -> AdvisoryShape<'_> {
    let fact = &reopened.advisory;
    AdvisoryShape {
        id: &fact.id,
        aliases: &fact.aliases,
        package: &fact.package,
        version: fact.version.to_string(),
        severity: fact.severity.map(crate::facts::Severity::as_str),
        patched: &fact.patched,
    }
}

fn held_back(returned: &Returned) -> HeldBack<'_> {
    HeldBack {
        package: &returned.package,
        from: returned.now.as_ref().map(ToString::to_string),
        to: returned.then.as_ref().map(ToString::to_string),
        asked: returned.asked,
        because: returned.because.as_deref(),
    }
}

fn other(alternative: &Alternative) -> Other<'_> {
    Other {
        text: &alternative.text,
        command: alternative.command.as_ref().map(|command| command.line()),
    }
}
