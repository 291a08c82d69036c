//! What it costs that releases go back, or stay back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use semver::Version;

use super::scene::Scene;
use super::{Reopened, Returned};
use crate::advisories::Store;
use crate::audit::{Comparison, Request};
use crate::facts::AdvisoryFact;
use crate::pkg::{PackageId, Source};

/// So many features of one package are named.
const NAMED: usize = 6;

/// What going back costs.
pub(super) struct Cost<'s> {
    scene: &'s Scene<'s>,
    pub(super) advisories: Store,
    comparison: &'s Comparison,
}

impl<'s> Cost<'s> {
    pub(super) fn new(scene: &'s Scene<'s>, comparison: &'s Comparison, request: &Request) -> Self {
        let cache = request.cache_dir(scene.host);
        Self {
            scene,
            advisories: Store::open(scene.host, cache.as_deref()),
            comparison,
        }
    }

    fn as_of(&self) -> Timestamp {
        self.comparison.as_of
    }

    /// Where a release of either lock file comes from.
    fn source(&self, package: &str, version: &Version) -> Option<Source> {
        let locks = &self.scene.locks;
        let mut all = locks.base.packages.iter().chain(&locks.head.packages);
        let found = all.find(|it| it.id.name == package && it.id.version == *version);
        found.map(|it| it.id.source.clone())
    }

    fn applying(&self, package: &str, version: Option<&Version>) -> Vec<AdvisoryFact> {
        let id = version.and_then(|version| {
            Some(PackageId {
                name: package.to_owned(),
                version: version.clone(),
                source: self.source(package, version)?,
            })
        });
        id.map_or_else(Vec::new, |id| self.advisories.applying(&id, self.as_of()))
    }

    /// The faults that apply to what comes back and not to what goes.
    pub(super) fn reopened(&self, returned: &[Returned]) -> Vec<Reopened> {
        let mut reopened: Vec<Reopened> = Vec::new();
        for it in returned {
            let now = self.applying(&it.package, it.now.as_ref());
            for advisory in self.applying(&it.package, it.then.as_ref()) {
                let known = now.iter().any(|other| other.id == advisory.id);
                if advisory.is_fault() && !known {
                    reopened.push(Reopened { advisory });
                }
            }
        }
        reopened.sort_by(|a, b| {
            let key = |it: &Reopened| (it.advisory.package.clone(), it.advisory.id.clone());
            key(a).cmp(&key(b))
        });
        reopened
    }

    fn is_yanked(&self, it: &Returned) -> bool {
        let Some(then) = &it.then else { return false };
        let source = self.source(&it.package, then);
        let record = source.and_then(|source| self.scene.published.record(&source, &it.package));
        record
            .and_then(|record| record.line(then))
            .is_some_and(|line| line.yanked)
    }

    pub(super) fn any_yanked(&self, returned: &[Returned]) -> bool {
        returned.iter().any(|it| self.is_yanked(it))
    }

    /// Withdrawn releases, features that are in use and were not there, a newer
    /// compiler.
    pub(super) fn breaks(&self, returned: &[Returned], with_features: bool) -> Vec<String> {
        let mut breaks = Vec::new();
        for it in returned {
            let Some(then) = &it.then else { continue };
            let name = &it.package;
            if self.is_yanked(it) {
                breaks.push(format!(
                    "{name} {then} is withdrawn (yanked); a lock file keeps it"
                ));
            }
            let Some(source) = self.source(name, then) else {
                continue;
            };
            let Some(old) = self.scene.published.release(&source, name, then) else {
                continue;
            };
            let Some(now) = &it.now else { continue };
            let has = |feature: &String| {
                old.features.contains_key(feature)
                    || feature == "default"
                    || old
                        .dependencies
                        .iter()
                        .any(|it| it.optional && it.name == *feature)
            };
            let changes = self.comparison.diff.changes.iter();
            let used: BTreeSet<&String> = changes
                .filter(|change| {
                    with_features
                        && change.package == *name
                        && change
                            .incoming()
                            .is_some_and(|release| release.version == *now)
                })
                .flat_map(|change| &change.placement.target_features)
                .filter(|feature| !has(feature))
                .collect();
            breaks.extend(lacking(name, then, &used));
            let source = self.source(name, now);
            let new = source.and_then(|it| self.scene.published.release(&it, name, now));
            let new = new.and_then(|release| release.rust_version);
            if let Some(needs) = old.rust_version
                && new.is_none_or(|new| is_newer(&needs, &new))
            {
                breaks.push(format!("{name} {then} needs Rust {needs} or later"));
            }
        }
        breaks
    }
}

/// In one line, however many there are.
fn lacking(name: &str, then: &Version, used: &BTreeSet<&String>) -> Option<String> {
    let mut named = used
        .iter()
        .take(NAMED)
        .map(|feature| format!("`{feature}`"));
    let first = named.next()?;
    if used.len() == 1 {
        return Some(format!(
            "{name}: the feature {first}, which is in use, is not in {then}"
        ));
    }
    let list = named.fold(first, |list, feature| format!("{list}, {feature}"));
    let more = match used.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{name}: the features {list}{more}, which are in use, are not in {then}"
    ))
}

fn is_newer(one: &str, other: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect()
    };
    numbers(one) > numbers(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_are_missing_take_one_line() {
        let names: Vec<String> = ('a'..='i').map(String::from).collect();
        let then = Version::new(1, 0, 0);
        let line = |count: usize| lacking("x", &then, &names.iter().take(count).collect());
        assert_eq!(line(0), None);
        assert_eq!(
            line(1).as_deref(),
            Some("x: the feature `a`, which is in use, is not in 1.0.0")
        );
        assert_eq!(
            line(9).as_deref(),
            Some(
                "x: the features `a`, `b`, `c`, `d`, `e`, `f` and 3 more, which are in use, \
                 are not in 1.0.0"
            )
        );
    }
}
