//! A plain reader of lock files, for tests only: the graph as it stands there.

use std::collections::BTreeMap;

use cargo_canary::pkg::{PackageId, Source};
use cargo_canary::snapshot::{Edge, GraphKind, Package, Placement, Role, Snapshot, Workspace};
use toml::{Table, Value};

use super::graph::of_workspaces;

/// Reads one lock file as the workspace at the root.
pub(crate) fn snapshot(text: &str) -> Snapshot {
    let file: Table = text.parse().expect("a lock file is TOML");
    let entries = file
        .get("package")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let entries: Vec<Value> = file
        .get("root")
        .cloned()
        .into_iter()
        .chain(entries)
        .collect();
    let checksums = file
        .get("metadata")
        .and_then(Value::as_table)
        .cloned()
        .unwrap_or_default();
    let mut packages: BTreeMap<PackageId, (Package, Vec<String>)> = BTreeMap::new();
    for entry in &entries {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        let source = text("source");
        let id = PackageId {
            name: text("name").unwrap(),
            version: text("version").unwrap().parse().unwrap(),
            source: source
                .as_deref()
                .map_or(Source::Local, |source| Source::parse(source).unwrap()),
        };
        let old = format!(
            "checksum {} {} ({})",
            id.name,
            id.version,
            source.unwrap_or_default()
        );
        let checksum = text("checksum").or_else(|| {
            checksums
                .get(&old)
                .and_then(Value::as_str)
                .map(str::to_owned)
        });
        let needs = entry
            .get("dependencies")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let needs = needs
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let placement = Placement {
            roles: [Role::Target].into(),
            ..Placement::default()
        };
        let member = id.source == Source::Local;
        let package = Package {
            id: id.clone(),
            checksum,
            member,
            edges: Vec::new(),
            placement,
            manifest: None,
        };
        packages.insert(id, (package, needs));
    }
    of_workspaces(vec![connected(packages)])
}

fn connected(packages: BTreeMap<PackageId, (Package, Vec<String>)>) -> Workspace {
    let mut by_name: BTreeMap<String, Vec<(usize, PackageId)>> = BTreeMap::new();
    for (at, id) in packages.keys().enumerate() {
        by_name
            .entry(id.name.clone())
            .or_default()
            .push((at, id.clone()));
    }
    let mut found: Vec<Package> = Vec::new();
    let mut direct: Vec<usize> = Vec::new();
    for (mut package, needs) in packages.into_values() {
        let mut places: Vec<usize> = needs
            .iter()
            .filter_map(|need| meant(need, &by_name))
            .collect();
        places.sort_unstable();
        places.dedup();
        if package.member {
            direct.extend(&places);
        }
        let edge = |to| Edge {
            to,
            kinds: [].into(),
            reqs: Vec::new(),
        };
        package.edges = places.into_iter().map(edge).collect();
        found.push(package);
    }
    for at in direct {
        found[at].placement.direct = true;
    }
    Workspace {
        path: ".".into(),
        graph: GraphKind::LockOnly,
        packages: found,
        lock_lines: Vec::new(),
        gaps: Vec::new(),
    }
}

/// The package that `name`, `name version` or `name version (source)` means.
/// Lock files that were merged by hand name packages that are not there.
fn meant(need: &str, by_name: &BTreeMap<String, Vec<(usize, PackageId)>>) -> Option<usize> {
    let mut words = need.split(' ');
    let candidates = by_name.get(words.next()?)?;
    let version = words.next();
    let source = words
        .next()
        .map(|source| Source::parse(source.trim_matches(['(', ')'])).unwrap());
    let fits = |id: &PackageId| {
        version.is_none_or(|version| id.version.to_string() == version)
            && source
                .as_ref()
                .is_none_or(|source| id.source.same_place(source))
    };
    candidates
        .iter()
        .find(|(_, id)| fits(id))
        .map(|(at, _)| *at)
}
