//! What merely resembles an incident: the same crate in other versions, or a
//! library for the same purpose, with findings of the same kind or without.

use std::cmp::Reverse;

use semver::Version;

use super::components::{Components, Role as Purpose};
use super::record::{Origin, Record};
use super::vocabulary::Cause;
use super::{Direction, Link, Strength};
use crate::diff::{Change, ChangeKind};
use crate::facts::{Dossier, SourceFinding};
use crate::snapshot::Role;

/// The order in which records are preferred: the team's own, then the newest.
fn preference(record: &Record) -> (bool, Reverse<jiff::civil::Date>, &str) {
    (
        record.origin != Origin::Repository,
        Reverse(record.date),
        &record.id,
    )
}

/// The best link to a record of the same crate in other versions.
pub(super) fn same_crate(change: &Change, others: &[&Record]) -> Option<Link> {
    let incoming = change.incoming()?;
    // A fault that was always there says nothing about an update.
    let candidates = others
        .iter()
        .filter(|record| record.is_regression() || record.origin == Origin::Repository);
    let (near, record) = candidates
        .map(|record| (nearby(record, &change.package, &incoming.version), *record))
        .min_by_key(|(near, record)| (near.is_none(), preference(record)))?;
    // A rule over several crates that does not hold here is no resemblance.
    if record.affects.iter().all(|rule| rule.crates.len() > 1) {
        return None;
    }
    let (strength, where_) = match near {
        Some(bad) => (
            Strength::Strong,
            format!("is next to {bad}, which was bad or repaired it"),
        ),
        None => (Strength::Weak, "is another version".to_owned()),
    };
    let because = format!(
        "{} {} {where_}: {} ({}, {})",
        change.package,
        incoming.version,
        record.title,
        record.failure.as_str(),
        record.date
    );
    Some(Link {
        id: record.id.clone(),
        strength,
        direction: Direction::Resembles,
        package: change.package.clone(),
        because,
    })
}

/// The version of a record that a version comes closely after: the same line
/// of patch releases, at most two later.
fn nearby<'a>(record: &'a Record, package: &str, version: &Version) -> Option<&'a Version> {
    record
        .affects
        .iter()
        .flat_map(|rule| &rule.crates)
        .filter(|affected| affected.name == package)
        .flat_map(|affected| affected.fixed_in.iter().chain(&affected.introduced))
        .find(|bad| {
            (bad.major, bad.minor) == (version.major, version.minor)
                && (bad.patch..=bad.patch.saturating_add(2)).contains(&version.patch)
        })
}

/// The best link to an outage through what the crate is for. Where the update
/// shows in its source what the outage was about, that record goes first; with
/// a record of the team's own such a link is strong.
pub(super) fn same_component<'a>(
    change: &Change,
    dossier: &Dossier,
    components: &Components,
    records: impl Iterator<Item = &'a Record>,
) -> Option<Link> {
    let code_comes_in = matches!(change.kind, ChangeKind::Upgraded | ChangeKind::Added);
    if !code_comes_in || !change.placement.roles.contains(&Role::Target) {
        return None;
    }
    let source = dossier.source.seen();
    let roles = components.roles(&change.package, source.map(|delta| &delta.purpose));
    // What is new as a whole gains everything it has; that says nothing.
    let updated = source.filter(|delta| delta.before.is_some());
    let shown = |record: &Record| -> Option<&SourceFinding> {
        let topics = components.topics(record.failure);
        updated?.on(topics).find(|finding| finding.may_grow())
    };
    let (record, role, finding) = records
        .filter(|record| speaks_of_its_kind(record, &change.package))
        .filter_map(|record| {
            let role = roles
                .iter()
                .find(|role| role.component == record.component)?;
            Some((record, role, shown(record)))
        })
        .min_by_key(|(record, _, finding)| (finding.is_none(), preference(record)))?;
    let own = record.origin == Origin::Repository;
    let strength = if own && finding.is_some() {
        Strength::Strong
    } else {
        Strength::Weak
    };
    Some(Link {
        id: record.id.clone(),
        strength,
        direction: Direction::Resembles,
        package: change.package.clone(),
        because: purpose_reason(&change.package, record, role, finding),
    })
}

/// Whether a record tells of a kind of library, not only of the crates it names.
fn speaks_of_its_kind(record: &Record, package: &str) -> bool {
    match record.origin {
        // A stranger's record about other crates says nothing about this one;
        // an outage by a library of the same kind does.
        Origin::BuiltIn => record.affects.is_empty() && record.cause == Cause::ThirdPartyUpdate,
        Origin::Repository => record
            .affects
            .iter()
            .all(|rule| rule.crates.iter().all(|affected| affected.name != package)),
    }
}

fn purpose_reason(
    package: &str,
    record: &Record,
    role: &Purpose<'_>,
    finding: Option<&SourceFinding>,
) -> String {
    let article = if role.component.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    let mut reason = format!("{package} is {article} {} library", role.component);
    if let Some(told_by) = &role.told_by {
        reason.push_str(" by ");
        reason.push_str(told_by);
    }
    if let Some(finding) = finding {
        let shift = finding.shift.as_str();
        let place = finding
            .witnesses
            .first()
            .map_or_else(String::new, |witness| match witness.line {
                0 => format!(" ({})", witness.file),
                line => format!(" ({}:{line})", witness.file),
            });
        reason.push_str(&[", and its update ", shift, " ", &finding.what, &place].concat());
    }
    let told = format!(
        ": {} ({}, {})",
        record.title,
        record.failure.as_str(),
        record.date
    );
    reason.push_str(&told);
    reason
}
