//! Cargo's own caches as a source of index entries and manifests, read in the
//! plainest way. For measuring and for oracles; it panics at the first surprise.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cargo_canary::facts::Finding;
use cargo_canary::pkg::{DependencyKind, PackageId};
use cargo_canary::registry::{Dependency, IndexRelease, ManifestFacts};
use cargo_canary::snapshot::direct::Published;
use rayon::prelude::*;
use serde_json::Value;

use super::local_registry::{DEFAULT_REGISTRY, prefix};

/// The default registry's caches below a Cargo home.
pub(crate) struct CargoCaches {
    index: PathBuf,
    archives: PathBuf,
}

impl CargoCaches {
    pub(crate) fn new(home: &Path) -> Self {
        Self {
            index: home
                .join("registry/index")
                .join(DEFAULT_REGISTRY)
                .join(".cache"),
            archives: home.join("registry/cache").join(DEFAULT_REGISTRY),
        }
    }

    fn release(&self, id: &PackageId) -> IndexRelease {
        let entry = fs::read(self.index.join(prefix(&id.name))).unwrap();
        let version = id.version.to_string();
        // Format, index format, revision; then version and line in turn.
        let mut parts = entry.get(5..).unwrap().split(|byte| *byte == 0).skip(1);
        while let (Some(found), Some(line)) = (parts.next(), parts.next()) {
            if found == version.as_bytes() {
                return release(&serde_json::from_slice(line).unwrap());
            }
        }
        panic!("the index has no {id}");
    }

    fn manifest(&self, id: &PackageId) -> ManifestFacts {
        let root = format!("{}-{}", id.name, id.version);
        let archive = fs::File::open(self.archives.join(format!("{root}.crate"))).unwrap();
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive));
        let (mut manifest, mut library, mut script) = (String::new(), false, false);
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry
                .path()
                .unwrap()
                .strip_prefix(&root)
                .unwrap()
                .to_owned();
            library |= path == Path::new("src/lib.rs");
            script |= path == Path::new("build.rs");
            if path == Path::new("Cargo.toml") {
                entry.read_to_string(&mut manifest).unwrap();
            }
        }
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let lib = manifest.get("lib").and_then(toml::Value::as_table);
        let package = manifest.get("package").or(manifest.get("project")).unwrap();
        let text = |key: &str| {
            lib.and_then(|lib| lib.get(key))
                .and_then(toml::Value::as_str)
        };
        let on = |key: &str| {
            lib.and_then(|lib| lib.get(key))
                .and_then(toml::Value::as_bool)
        };
        let named = text("name").map_or_else(|| id.name.replace('-', "_"), str::to_owned);
        let build_script = match package.get("build") {
            Some(toml::Value::Boolean(false)) => None,
            Some(toml::Value::String(path)) => Some(path.clone()),
            _ => script.then(|| "build.rs".to_owned()),
        };
        ManifestFacts {
            library: (library || lib.is_some()).then_some(named),
            proc_macro: on("proc-macro").or(on("proc_macro")).unwrap_or(false),
            build_script,
            edition: package
                .get("edition")
                .and_then(toml::Value::as_str)
                .unwrap_or("2015")
                .into(),
        }
    }
}

impl Published for CargoCaches {
    fn releases(&self, wanted: &[PackageId]) -> Vec<Finding<IndexRelease>> {
        wanted
            .par_iter()
            .map(|id| Finding::Seen(self.release(id)))
            .collect()
    }

    fn manifests(
        &self,
        wanted: &[(PackageId, Option<String>)],
    ) -> Vec<Finding<Arc<ManifestFacts>>> {
        wanted
            .par_iter()
            .map(|(id, _)| Finding::Seen(Arc::new(self.manifest(id))))
            .collect()
    }
}

fn release(line: &Value) -> IndexRelease {
    let mut features: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for key in ["features", "features2"] {
        let table = line.get(key).and_then(Value::as_object);
        for (name, values) in table.into_iter().flatten() {
            features
                .entry(name.clone())
                .or_default()
                .extend(strings(values));
        }
    }
    IndexRelease {
        version: text(line, "vers").unwrap().parse().unwrap(),
        checksum: text(line, "cksum").unwrap(),
        dependencies: line["deps"]
            .as_array()
            .unwrap()
            .iter()
            .map(dependency)
            .collect(),
        features,
        links: text(line, "links"),
        rust_version: text(line, "rust_version"),
    }
}

fn dependency(line: &Value) -> Dependency {
    let name = text(line, "name").unwrap();
    let mut features = strings(&line["features"]);
    features.sort();
    Dependency {
        package: text(line, "package").unwrap_or_else(|| name.clone()),
        name,
        req: text(line, "req").unwrap().parse().unwrap(),
        kind: match text(line, "kind").as_deref() {
            Some("build") => DependencyKind::Build,
            Some("dev") => DependencyKind::Dev,
            _ => DependencyKind::Normal,
        },
        optional: line["optional"].as_bool().unwrap(),
        default_features: line["default_features"].as_bool().unwrap(),
        features,
        target: text(line, "target"),
        source: None,
    }
}

fn text(line: &Value, key: &str) -> Option<String> {
    line.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn strings(values: &Value) -> Vec<String> {
    values
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap().to_owned())
        .collect()
}
