//! What stored index entries say of the requirements of packages.

use std::path::Path;
use std::process::Command;

use cargo_canary::pkg::{DependencyKind, PackageId, Source};
use cargo_canary::registry::Dependency;
use cargo_canary::snapshot::{DeclaredRequirements, Snapshot};
use serde_json::Value;

/// The requirements of the packages of some snapshots, as far as the folder has them.
pub(crate) fn requirements(folder: &Path, snapshots: &[&Snapshot]) -> DeclaredRequirements {
    let packages = snapshots
        .iter()
        .flat_map(|snapshot| &snapshot.workspaces)
        .flat_map(|one| &one.packages);
    let mut ids: Vec<&PackageId> = packages.map(|package| &package.id).collect();
    ids.retain(|id| id.source == Source::CratesIo);
    ids.sort();
    ids.dedup();
    let mut all = DeclaredRequirements::new();
    for same_name in ids.chunk_by(|a, b| a.name == b.name) {
        let file = folder.join(format!("{}.gz", same_name[0].name));
        if !file.is_file() {
            continue;
        }
        let lines = Command::new("zcat").arg(file).output().unwrap().stdout;
        for line in String::from_utf8(lines).unwrap().lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            let wanted = same_name
                .iter()
                .find(|id| entry["vers"].as_str() == Some(&id.version.to_string()));
            if let Some(id) = wanted {
                let declared = entry["deps"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(dependency)
                    .collect();
                all.insert((*id).clone(), declared);
            }
        }
    }
    all
}

fn dependency(entry: &Value) -> Option<Dependency> {
    let name = entry["name"].as_str()?.to_owned();
    let kind = match entry["kind"].as_str() {
        Some("build") => DependencyKind::Build,
        Some("dev") => DependencyKind::Dev,
        _ => DependencyKind::Normal,
    };
    Some(Dependency {
        package: entry["package"].as_str().unwrap_or(&name).to_owned(),
        name,
        req: entry["req"].as_str()?.parse().ok()?,
        kind,
        optional: entry["optional"].as_bool()?,
        default_features: entry["default_features"].as_bool()?,
        features: Vec::new(),
        target: entry["target"].as_str().map(str::to_owned),
        source: entry["registry"]
            .as_str()
            .and_then(|url| Source::parse(&format!("registry+{url}")).ok()),
    })
}
