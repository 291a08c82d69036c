//! Other ways than back: a later release that is not affected and that the policy
//! lets pass, and features or optional dependencies that can be left out.

use std::collections::BTreeSet;

use semver::Version;
use toml::Table;

use super::bench::{Bench, command};
use super::scene::Scene;
use super::{Alternative, RemedyError};
use crate::advisories::Store;
use crate::audit::{self, Comparison};
use crate::diff::Change;
use crate::facts::AdvisoryFact;
use crate::lockfile::{Locked, Move, Set};
use crate::pkg::{self, PackageId, Source};
use crate::policy::Decision;
use crate::registry::IndexRelease;
use crate::snapshot::tree::TreeKind;

/// So many later releases of one package are put before the policy.
const TRIED: usize = 3;
/// So many manifests are searched for an optional dependency.
const MANIFESTS: usize = 2_000;
/// A manifest may have this many bytes.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// What is looked at.
pub(super) struct Look<'s> {
    pub(super) request: &'s audit::Request,
    pub(super) scene: &'s Scene<'s>,
    pub(super) comparison: &'s Comparison,
    pub(super) advisories: &'s Store,
}

impl Look<'_> {
    /// The other ways for these moves.
    pub(super) fn all(
        &self,
        asked: &Set,
        all: &[Move],
        bench: Option<&mut Bench<'_>>,
    ) -> Result<Vec<Alternative>, RemedyError> {
        let asked: Vec<&Move> = asked.iter().filter_map(|number| all.get(*number)).collect();
        let mut found = Vec::new();
        if let Some(bench) = bench.filter(|bench| bench.ground.knows_more()) {
            for it in &asked {
                found.extend(self.later(it, bench)?);
            }
        }
        for it in asked {
            let changes = self.comparison.diff.changes.iter();
            let of_package = changes.filter(|change| change.package == it.package);
            let ways: BTreeSet<String> = of_package.flat_map(|it| self.optional(it)).collect();
            found.extend(ways.into_iter().map(|text| Alternative {
                text,
                command: None,
            }));
        }
        Ok(found)
    }

    /// A later release of the same line: the newest that the policy lets pass,
    /// else the newest, with what the policy makes of it.
    fn later(&self, it: &Move, bench: &mut Bench<'_>) -> Result<Option<Alternative>, RemedyError> {
        let Some(now) = &it.to else { return Ok(None) };
        let source = now.source.as_deref().map(Source::parse);
        let Some(Ok(source)) = source else {
            return Ok(None);
        };
        let mut best = None;
        for version in self.candidates(&it.package, &source, &now.version) {
            let to = Locked {
                version: version.clone(),
                source: now.source.clone(),
            };
            let head = bench.ground.head_lock.clone();
            let Some(command) = command(&head, &it.package, now, &to) else {
                continue;
            };
            let Ok(lock) = bench.one(&head, &command)? else {
                continue;
            };
            let audit = audit::run_with_lock(self.request, &lock, self.scene.host, &|_| {})?;
            let decision = audit
                .changes
                .iter()
                .filter(|judged| judged.change.package == it.package)
                .map(|judged| judged.decision)
                .max()
                .unwrap_or(Decision::Pass);
            let says = match decision {
                Decision::Pass => "the policy lets it pass",
                Decision::Canary => "the policy wants a canary for it",
                Decision::Incomplete => "the policy lacks a fact about it",
                Decision::Block => "the policy forbids it",
            };
            let found = Alternative {
                text: format!(
                    "go forward to {} {version}: no advisory is known for it, and {says}",
                    it.package
                ),
                command: Some(command),
            };
            if decision == Decision::Pass {
                return Ok(Some(found));
            }
            if best.is_none() && decision != Decision::Block {
                best = Some(found);
            }
        }
        Ok(best)
    }

    /// Later releases without a known fault, the newest first.
    fn candidates(&self, name: &str, source: &Source, now: &Version) -> Vec<Version> {
        let as_of = self.comparison.as_of;
        let Some(record) = self.scene.published.record(source, name) else {
            return Vec::new();
        };
        let sound = |version: &Version| {
            let id = PackageId {
                name: name.to_owned(),
                version: version.clone(),
                source: source.clone(),
            };
            let known = self.advisories.applying(&id, as_of);
            !known.iter().any(AdvisoryFact::is_fault)
        };
        record
            .lines()
            .iter()
            .rev()
            .filter(|line| {
                line.version > *now
                    && pkg::compatible(&line.version, now)
                    && line.version.pre.is_empty()
                    && !line.yanked
                    && line.published.is_none_or(|at| at <= as_of)
            })
            .map(|line| line.version.clone())
            .filter(sound)
            .take(TRIED)
            .collect()
    }

    /// Where on the way to a package something is optional, in words.
    fn optional(&self, change: &Change) -> Vec<String> {
        let mut ways = Vec::new();
        for path in &change.paths {
            let member = path.first().map_or("the workspace", String::as_str);
            for pair in path.windows(2) {
                let [parent, child] = pair else { continue };
                let Some(release) = self.release(parent) else {
                    ways.extend(self.of_member(parent, child));
                    continue;
                };
                ways.extend(of_release(parent, child, member, &release));
            }
        }
        ways
    }

    /// What the index says of the release of a package that the head has.
    fn release(&self, name: &str) -> Option<IndexRelease> {
        let packages = self.scene.locks.head.packages.iter();
        let mut found = packages.filter(|it| it.id.name == name && it.id.source.is_registry());
        let id = &found.next()?.id;
        self.scene.published.release(&id.source, name, &id.version)
    }

    /// Whether a package of the build has a dependency that is optional.
    fn of_member(&self, member: &str, child: &str) -> Option<String> {
        let tree = self.scene.head.tree()?;
        let manifests: Vec<&str> = tree
            .files()
            .iter()
            .filter(|file| file.kind == TreeKind::Regular)
            .map(|file| file.path.as_str())
            .filter(|path| *path == "Cargo.toml" || path.ends_with("/Cargo.toml"))
            .take(MANIFESTS)
            .collect();
        for read in tree.read_many(&manifests, MANIFEST_LIMIT) {
            let text = read.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let table: Option<Table> = text.and_then(|text| toml::from_str(&text).ok());
            let Some(table) = table else { continue };
            let name = table.get("package").and_then(|it| it.get("name")?.as_str());
            if name != Some(member) {
                continue;
            }
            let dependencies = table.get("dependencies").and_then(|it| it.as_table());
            let optional = dependencies.into_iter().flatten().any(|(key, value)| {
                let package = value.get("package").and_then(|it| it.as_str());
                package.unwrap_or(key) == child
                    && value.get("optional").and_then(toml::Value::as_bool) == Some(true)
            });
            return optional.then(|| {
                format!("build {member} without the feature that switches on {child}: it is optional there")
            });
        }
        None
    }
}

/// How a published package is built without an optional dependency.
fn of_release(parent: &str, child: &str, member: &str, release: &IndexRelease) -> Option<String> {
    let mut all = release.dependencies.iter().filter(|it| it.package == child);
    let dependency = all.next().filter(|it| it.optional)?;
    if all.any(|other| !other.optional) {
        return None;
    }
    let key = &dependency.name;
    let asks = |value: &String| {
        let value = value.strip_prefix("dep:").unwrap_or(value);
        value == key || value.split_once('/').is_some_and(|(name, _)| name == key)
    };
    let mut features: Vec<&str> = release
        .features
        .iter()
        .filter(|(_, values)| values.iter().any(asks))
        .map(|(name, _)| name.as_str())
        .collect();
    if features.is_empty() {
        features.push(key);
    }
    Some(format!(
        "leave out the feature {} of {parent}, which brings {child} in, where {member} asks for it",
        features.join(" or ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pkg::DependencyKind;
    use crate::registry::Dependency;
    use std::collections::BTreeMap;

    fn release(optional: bool, features: &[(&str, &[&str])]) -> IndexRelease {
        IndexRelease {
            version: "1.0.0".parse().unwrap(),
            checksum: String::new(),
            dependencies: vec![Dependency {
                name: "codec".to_owned(),
                package: "codec-sys".to_owned(),
                req: "1".parse().unwrap(),
                kind: DependencyKind::Normal,
                optional,
                default_features: true,
                features: Vec::new(),
                target: None,
                source: None,
            }],
            features: features
                .iter()
                .map(|(name, values)| {
                    let values = values.iter().map(|value| (*value).to_owned()).collect();
                    ((*name).to_owned(), values)
                })
                .collect::<BTreeMap<_, _>>(),
            links: None,
            rust_version: None,
        }
    }

    #[test]
    fn the_feature_that_brings_a_dependency_in_is_named() {
        let with = release(true, &[("encode", &["dep:codec"]), ("other", &["std"])]);
        let text = of_release("image", "codec-sys", "api", &with).unwrap();
        assert!(text.contains("the feature encode of image"), "{text}");
        let implicit = release(true, &[]);
        let text = of_release("image", "codec-sys", "api", &implicit).unwrap();
        assert!(text.contains("the feature codec of image"), "{text}");
        assert_eq!(
            of_release("image", "codec-sys", "api", &release(false, &[])),
            None
        );
    }
}
