//! What was there before and is younger than releases have to be.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::pkg::PackageId;
use crate::policy;
use crate::registry::Registry;
use crate::snapshot::Snapshot;

/// How many packages a notice names.
const NAMED: usize = 5;

/// What was there before and is younger than the policy, or Cargo's own setting,
/// lets releases be: somebody went around it. Said, and not judged.
pub(super) fn notice(
    policy: &policy::Policy,
    (base, head): &(Snapshot, Snapshot),
    registry: &Registry<'_>,
    as_of: Timestamp,
) -> Option<policy::Notice> {
    let ids = |snapshot: &Snapshot| -> BTreeSet<PackageId> {
        let packages = snapshot.workspaces.iter().flat_map(|it| &it.packages);
        packages.map(|package| package.id.clone()).collect()
    };
    let (before, after) = (ids(base), ids(head));
    let mut young = Vec::new();
    for id in after.intersection(&before) {
        let Some(wait) = policy.wait(&id.name, &id.source) else {
            continue;
        };
        let record = registry.remembered(&id.source, &id.name);
        let published = record.and_then(|record| record.line(&id.version)?.published);
        let Some(published) = published else { continue };
        let days = as_of.duration_since(published).as_secs_f64() / 86_400.0;
        if days < wait.days {
            young.push(format!("{} {} ({days:.1} days)", id.name, id.version));
        }
    }
    let more = young.len().saturating_sub(NAMED);
    young.truncate(NAMED);
    if young.is_empty() {
        return None;
    }
    let more = if more > 0 {
        format!(", and {more} more")
    } else {
        String::new()
    };
    Some(policy::Notice {
        rule: policy::MIN_PUBLISH_AGE.to_owned(),
        change: None,
        text: format!(
            "there before this difference, and younger than releases have to be: {}{more}",
            young.join(", ")
        ),
    })
}
