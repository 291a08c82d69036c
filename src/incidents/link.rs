//! From a change to the incidents that it resembles. Few links and good ones:
//! every rule that holds is told, and of what merely resembles the best.

use std::cmp::Reverse;

use semver::Version;

use super::catalogue::Catalogue;
use super::range::holds;
use super::record::{Affected, Affects, Record};
use super::resemblance::{same_component, same_crate};
use super::{Direction, Link, Strength, Surroundings, Versions, is_public};
use crate::diff::{Change, ChangeKind};
use crate::facts::Dossier;
use crate::pkg::Release;
use crate::snapshot::Placement;

/// The links of a change, the strongest first.
///
/// A rule over several crates holds for a side when all of its crates are in
/// that side's graph. Incidents after the day of judgement are not seen.
#[must_use]
pub fn link(
    change: &Change,
    dossier: &Dossier,
    around: &Surroundings<'_>,
    catalogue: &Catalogue,
) -> Vec<Link> {
    let known = |record: &&Record| record.date <= around.as_of;
    let mut links = Vec::new();
    let mut linked: Vec<&Record> = Vec::new();
    let naming: Vec<&Record> = catalogue.naming(&change.package).filter(known).collect();
    for record in &naming {
        if let Some(link) = by_range(change, dossier, around, record) {
            linked.push(record);
            links.push(link);
        }
    }
    links.extend(by_advisory(change, dossier, catalogue, &linked));
    if resemblance_counts(change) {
        let others: Vec<&Record> = naming
            .into_iter()
            .filter(|record| linked.iter().all(|linked| linked.id != record.id))
            .collect();
        links.extend(same_crate(change, &others).or_else(|| {
            let records = catalogue.records().iter().filter(known);
            same_component(change, dossier, catalogue.components(), records)
        }));
    }
    links.sort_by(|a, b| {
        (Reverse(a.strength), a.direction, &a.id).cmp(&(Reverse(b.strength), b.direction, &b.id))
    });
    links
}

/// Whether a change can be like an incident at all: code of others comes in,
/// and is compiled into what is shipped or what builds it.
fn resemblance_counts(change: &Change) -> bool {
    let kind = match change.kind {
        ChangeKind::Added
        | ChangeKind::Upgraded
        | ChangeKind::Downgraded
        | ChangeKind::Duplicated
        | ChangeKind::SourceMoved
        | ChangeKind::ContentChanged => true,
        ChangeKind::Removed
        | ChangeKind::Merged
        | ChangeKind::FeaturesChanged
        | ChangeKind::PlacementChanged => false,
    };
    kind && change.placement.is_built()
        && change
            .incoming()
            .is_some_and(|release| is_public(&release.source))
}

/// How one side of a change stands to a rule.
struct Hit<'a> {
    version: &'a Version,
    /// Features that the fault needs and that could not be looked up.
    unchecked: Vec<&'a str>,
}

/// The link of a record whose rule holds on one of the sides.
fn by_range(
    change: &Change,
    dossier: &Dossier,
    around: &Surroundings<'_>,
    record: &Record,
) -> Option<Link> {
    let before = change.placement_before.as_ref().or_else(|| {
        // What is removed stands in `placement` as it was in the base.
        (change.kind == ChangeKind::Removed).then_some(&change.placement)
    });
    let mut best: Option<(Direction, &Affects, Hit<'_>)> = None;
    for rule in &record.affects {
        let base = side(rule, &change.package, &change.from, before, around.base);
        let head = side(
            rule,
            &change.package,
            &change.to,
            Some(&change.placement),
            around.head,
        );
        let found = match (base, head) {
            (None, Some(hit)) => (Direction::Enters, rule, hit),
            (Some(_), Some(hit)) => (Direction::Stays, rule, hit),
            (Some(hit), None) => (Direction::Leaves, rule, hit),
            (None, None) => continue,
        };
        best = Some(match best {
            None => found,
            // Out of one bad range and into another of the same fault: it is still there.
            Some(other) if other.0 != found.0 => {
                let hit = if found.0 == Direction::Leaves {
                    other.2
                } else {
                    found.2
                };
                let rule = if found.0 == Direction::Leaves {
                    other.1
                } else {
                    found.1
                };
                (Direction::Stays, rule, hit)
            }
            Some(other) => other,
        });
    }
    let (direction, rule, hit) = best?;
    let strength = if hit.unchecked.is_empty() {
        Strength::Repeat
    } else {
        Strength::Strong
    };
    Some(Link {
        id: record.id.clone(),
        strength,
        direction,
        package: change.package.clone(),
        because: range_reason(change, record, rule, direction, &hit, dossier),
    })
}

/// Whether a rule holds on one side, and with which version.
fn side<'a>(
    rule: &'a Affects,
    package: &str,
    releases: &'a [Release],
    placement: Option<&Placement>,
    graph: &Versions,
) -> Option<Hit<'a>> {
    let affected = rule
        .crates
        .iter()
        .find(|affected| affected.name == package)?;
    let hit = releases
        .iter()
        .filter(|release| is_public(&release.source))
        .find(|release| holds(&affected.range, &release.version))?;
    let others_are_there = rule
        .crates
        .iter()
        .filter(|other| other.name != package)
        .all(|other| {
            graph
                .get(&other.name)
                .is_some_and(|versions| versions.iter().any(|version| holds(&other.range, version)))
        });
    if !others_are_there {
        return None;
    }
    let unchecked = features(affected, placement)?;
    Some(Hit {
        version: &hit.version,
        unchecked,
    })
}

/// The features that a fault needs and that are not known to be on; `None`
/// when one of them is known to be off.
fn features<'a>(affected: &'a Affected, placement: Option<&Placement>) -> Option<Vec<&'a str>> {
    let needed = affected.features.iter().map(String::as_str);
    match placement.filter(|placement| placement.resolved) {
        None => Some(
            needed
                .chain(affected.features_off.iter().map(String::as_str))
                .collect(),
        ),
        Some(placement) => {
            let on = |feature: &str| {
                placement.target_features.contains(feature)
                    || placement.host_features.contains(feature)
            };
            let off = |feature: &String| !on(feature);
            (needed.into_iter().all(on) && affected.features_off.iter().all(off)).then(Vec::new)
        }
    }
}

fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::Enters => "enters",
        Direction::Stays => "stays in",
        Direction::Leaves => "leaves",
        Direction::Resembles => "resembles",
    }
}

/// Why a rule holds, with everything it takes to check it.
fn range_reason(
    change: &Change,
    record: &Record,
    rule: &Affects,
    direction: Direction,
    hit: &Hit<'_>,
    dossier: &Dossier,
) -> String {
    let ranges: Vec<String> = rule
        .crates
        .iter()
        .map(|affected| format!("{} {}", affected.name, affected.range))
        .collect();
    let mut parts = vec![format!(
        "{} {} {} the bad range {} ({}): {}",
        change.package,
        hit.version,
        verb(direction),
        ranges.join(" together with "),
        record.failure.as_str(),
        record.title
    )];
    let own = rule
        .crates
        .iter()
        .find(|affected| affected.name == change.package);
    let fixed: Vec<String> = own
        .into_iter()
        .flat_map(|own| &own.fixed_in)
        .map(ToString::to_string)
        .collect();
    if !fixed.is_empty() {
        parts.push(format!("repaired in {}", fixed.join(", ")));
    }
    if !hit.unchecked.is_empty() {
        let features = hit.unchecked.join("`, `");
        parts.push(format!(
            "it depends on the feature `{features}`, which could not be looked up"
        ));
    }
    if let Some(advisory) = same_advisory(record, dossier) {
        parts.push(format!("the same fault as {advisory}"));
    }
    parts.join("; ")
}

/// The advisory of this change that a record restates.
fn same_advisory<'a>(record: &Record, dossier: &'a Dossier) -> Option<&'a str> {
    let delta = dossier.advisories.seen()?;
    let mut all = delta
        .introduced
        .iter()
        .chain(&delta.remaining)
        .chain(&delta.fixed);
    all.find(|advisory| record.restates(advisory))
        .map(|advisory| advisory.id.as_str())
}

/// The links of advisories that tell of memory or another resource. They are
/// read where they stand; a record that restates one goes before it.
fn by_advisory(
    change: &Change,
    dossier: &Dossier,
    catalogue: &Catalogue,
    linked: &[&Record],
) -> Vec<Link> {
    let Some(delta) = dossier.advisories.seen() else {
        return Vec::new();
    };
    let groups = [
        (Direction::Enters, &delta.introduced),
        (Direction::Stays, &delta.remaining),
        (Direction::Leaves, &delta.fixed),
    ];
    let mut links: Vec<Link> = Vec::new();
    for (direction, facts) in groups {
        for fact in facts {
            let told = links.iter().any(|link| link.id == fact.id)
                || linked.iter().any(|record| record.restates(fact));
            let Some(category) = catalogue.components().resource(fact).filter(|_| !told) else {
                continue;
            };
            let repaired = match fact.patched.as_slice() {
                [] => "not repaired in any release".to_owned(),
                patched => format!("repaired in {}", patched.join(" or ")),
            };
            links.push(Link {
                id: fact.id.clone(),
                strength: Strength::Repeat,
                direction,
                package: change.package.clone(),
                because: format!(
                    "{} {} {} the versions with a known fault of resources ({category}), of {}; {repaired}",
                    fact.package,
                    fact.version,
                    verb(direction),
                    fact.date
                ),
            });
        }
    }
    links
}
