//! A registry of crates of our own making, in a temporary directory.
//!
//! ```ignore
//! let mut registry = LocalRegistry::new();
//! registry.krate("b", "1.0.0").publish();
//! registry.krate("a", "1.0.0").dep("b", "^1").feature("f", &["b/x"]).publish();
//! ```
//!
//! The directory ([`LocalRegistry::dir`]) is laid out as Cargo's `local-registry`
//! source: `index/` with one file for each crate, and the archives.
//! [`LocalRegistry::write_cargo_home`] lays the same out as Cargo's own caches for
//! the default registry, [`LocalRegistry::write_http`] as the files of a sparse
//! registry.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cargo_canary::pkg::{DependencyKind, PackageId, Source};
use cargo_canary::registry::{Dependency, IndexRelease};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The directory in which Cargo keeps the default registry's caches.
pub(crate) const DEFAULT_REGISTRY: &str = "index.crates.io-1949cf8c6b5b557f";

/// A registry in a temporary directory, which goes when the value is dropped.
pub(crate) struct LocalRegistry {
    dir: tempfile::TempDir,
    releases: BTreeMap<(String, semver::Version), Packed>,
}

struct Packed {
    release: IndexRelease,
    line: String,
    archive: Vec<u8>,
}

impl LocalRegistry {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("index")).unwrap();
        Self {
            dir,
            releases: BTreeMap::new(),
        }
    }

    /// Where it is.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Begins a release; it has an empty library until it is told otherwise.
    pub(crate) fn krate(&mut self, name: &str, version: &str) -> Krate<'_> {
        Krate {
            name: name.to_owned(),
            version: version.parse().unwrap(),
            deps: Vec::new(),
            features: BTreeMap::new(),
            files: BTreeMap::from([("src/lib.rs".to_owned(), String::new())]),
            package: String::new(),
            lib: String::new(),
            library: name.replace('-', "_"),
            proc_macro: false,
            links: None,
            edition: "2021".to_owned(),
            published: None,
            yanked: false,
            registry: self,
        }
    }

    /// The bytes of an archive.
    pub(crate) fn archive(&self, name: &str, version: &str) -> &[u8] {
        &self.releases[&(name.to_owned(), version.parse().unwrap())].archive
    }

    /// The SHA-256 of an archive, in lower-case hex.
    pub(crate) fn checksum(&self, name: &str, version: &str) -> &str {
        &self.releases[&(name.to_owned(), version.parse().unwrap())]
            .release
            .checksum
    }

    /// The `config.toml` that makes Cargo take this registry for the default one.
    pub(crate) fn cargo_config(&self) -> String {
        format!(
            "[source.crates-io]\nreplace-with = 'ours'\n[source.ours]\nlocal-registry = '{}'\n",
            self.dir().display()
        )
    }

    /// Lays the registry out as Cargo's caches for the default registry: index
    /// entries and archives.
    pub(crate) fn write_cargo_home(&self, home: &Path) {
        let index = home.join("registry/index").join(DEFAULT_REGISTRY);
        for (name, releases) in self.by_name() {
            // Cache format 3, index format 2, no revision known.
            let mut entry = vec![3, 2, 0, 0, 0];
            entry.extend_from_slice(b"Unknown\0");
            for release in releases {
                entry.extend_from_slice(release.release.version.to_string().as_bytes());
                entry.push(0);
                entry.extend_from_slice(release.line.as_bytes());
                entry.push(0);
            }
            write(&index.join(".cache").join(prefix(name)), &entry);
        }
        write(
            &index.join("config.json"),
            b"{\"dl\":\"https://static.crates.io/crates\",\"api\":\"https://crates.io\"}",
        );
        let cache = home.join("registry/cache").join(DEFAULT_REGISTRY);
        for ((name, version), release) in &self.releases {
            write(
                &cache.join(format!("{name}-{version}.crate")),
                &release.archive,
            );
        }
    }

    /// Lays the registry out as the files of a sparse registry that is reached at `url`.
    pub(crate) fn write_http(&self, dir: &Path, url: &str) {
        let config = json!({ "dl": format!("{url}/crates/{{crate}}-{{version}}.crate") });
        write(&dir.join("config.json"), config.to_string().as_bytes());
        for (name, releases) in self.by_name() {
            let lines: Vec<&str> = releases
                .iter()
                .map(|release| release.line.as_str())
                .collect();
            write(
                &dir.join(prefix(name)),
                (lines.join("\n") + "\n").as_bytes(),
            );
        }
        for ((name, version), release) in &self.releases {
            write(
                &dir.join(format!("crates/{name}-{version}.crate")),
                &release.archive,
            );
        }
    }

    fn by_name(&self) -> BTreeMap<&str, Vec<&Packed>> {
        let mut by_name: BTreeMap<&str, Vec<&Packed>> = BTreeMap::new();
        for ((name, _), release) in &self.releases {
            by_name.entry(name).or_default().push(release);
        }
        by_name
    }
}

/// A dependency of a release, where name and version are not enough.
#[derive(Clone)]
pub(crate) struct Dep(Dependency);

impl Dep {
    pub(crate) fn new(name: &str, req: &str) -> Self {
        Self(Dependency {
            name: name.to_owned(),
            package: name.to_owned(),
            req: req.parse().unwrap(),
            kind: DependencyKind::Normal,
            optional: false,
            default_features: true,
            features: Vec::new(),
            target: None,
            source: None,
        })
    }

    pub(crate) fn build(mut self) -> Self {
        self.0.kind = DependencyKind::Build;
        self
    }

    pub(crate) fn dev(mut self) -> Self {
        self.0.kind = DependencyKind::Dev;
        self
    }

    pub(crate) fn optional(mut self) -> Self {
        self.0.optional = true;
        self
    }

    pub(crate) fn no_default(mut self) -> Self {
        self.0.default_features = false;
        self
    }

    pub(crate) fn features(mut self, features: &[&str]) -> Self {
        self.0.features = features.iter().map(|f| (*f).to_owned()).collect();
        self
    }

    /// Restricts it to a `cfg(…)` or a target triple.
    pub(crate) fn target(mut self, target: &str) -> Self {
        self.0.target = Some(target.to_owned());
        self
    }

    /// The name that the code uses.
    pub(crate) fn called(mut self, name: &str) -> Self {
        self.0.name = name.to_owned();
        self
    }
}

/// A release that is being made.
pub(crate) struct Krate<'r> {
    registry: &'r mut LocalRegistry,
    name: String,
    version: semver::Version,
    deps: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
    files: BTreeMap<String, String>,
    package: String,
    lib: String,
    library: String,
    proc_macro: bool,
    links: Option<String>,
    edition: String,
    published: Option<String>,
    yanked: bool,
}

impl Krate<'_> {
    pub(crate) fn dep(self, name: &str, req: &str) -> Self {
        self.with(Dep::new(name, req))
    }

    pub(crate) fn build_dep(self, name: &str, req: &str) -> Self {
        self.with(Dep::new(name, req).build())
    }

    pub(crate) fn with(mut self, dep: Dep) -> Self {
        self.deps.push(dep.0);
        self
    }

    pub(crate) fn feature(mut self, name: &str, values: &[&str]) -> Self {
        self.features.insert(
            name.to_owned(),
            values.iter().map(|v| (*v).to_owned()).collect(),
        );
        self
    }

    pub(crate) fn file(mut self, path: &str, content: &str) -> Self {
        self.files.insert(path.to_owned(), content.to_owned());
        self
    }

    pub(crate) fn edition(mut self, edition: &str) -> Self {
        edition.clone_into(&mut self.edition);
        self
    }

    pub(crate) fn links(mut self, library: &str) -> Self {
        self.links = Some(library.to_owned());
        self
    }

    pub(crate) fn proc_macro(mut self) -> Self {
        self.proc_macro = true;
        self.lib.push_str("proc-macro = true\n");
        self
    }

    pub(crate) fn lib_name(mut self, name: &str) -> Self {
        let _ = writeln!(self.lib, "name = '{name}'");
        name.clone_into(&mut self.library);
        self
    }

    pub(crate) fn build_script(self) -> Self {
        self.file("build.rs", "fn main() {}\n")
    }

    /// The time of publication, as the index spells it.
    pub(crate) fn published(mut self, time: &str) -> Self {
        self.published = Some(time.to_owned());
        self
    }

    pub(crate) fn yanked(mut self) -> Self {
        self.yanked = true;
        self
    }

    /// Packs the release and enters it into the index.
    pub(crate) fn publish(self) {
        let manifest = self.manifest();
        let archive = self.pack(&manifest);
        let checksum: String =
            Sha256::digest(&archive)
                .iter()
                .fold(String::new(), |mut text, byte| {
                    let _ = write!(text, "{byte:02x}");
                    text
                });
        let line = self.line(&checksum);
        let Self {
            registry,
            name,
            version,
            deps,
            features,
            links,
            ..
        } = self;
        let release = IndexRelease {
            version: version.clone(),
            checksum,
            dependencies: deps,
            features,
            links,
            rust_version: None,
        };
        write(
            &registry.dir().join(format!("{name}-{version}.crate")),
            &archive,
        );
        let published = Packed {
            release,
            line,
            archive,
        };
        registry.releases.insert((name.clone(), version), published);
        let lines: Vec<&str> = registry.by_name()[name.as_str()]
            .iter()
            .map(|r| r.line.as_str())
            .collect();
        let entry = lines.join("\n") + "\n";
        write(
            &registry.dir().join("index").join(prefix(&name)),
            entry.as_bytes(),
        );
    }

    fn manifest(&self) -> String {
        let mut text = format!(
            "[package]\nname = '{}'\nversion = '{}'\nedition = '{}'\n{}",
            self.name, self.version, self.edition, self.package
        );
        if let Some(links) = &self.links {
            let _ = writeln!(text, "links = '{links}'");
        }
        if !self.lib.is_empty() {
            let _ = write!(text, "[lib]\n{}", self.lib);
        }
        let _ = writeln!(text, "[features]");
        for (name, values) in &self.features {
            let _ = writeln!(text, "'{name}' = {values:?}");
        }
        for dep in &self.deps {
            let section = match dep.kind {
                DependencyKind::Normal => "dependencies",
                DependencyKind::Build => "build-dependencies",
                DependencyKind::Dev => "dev-dependencies",
            };
            let target = dep
                .target
                .as_ref()
                .map(|t| format!("target.'{t}'."))
                .unwrap_or_default();
            let _ = writeln!(
                text,
                "[{target}{section}.'{}']\nversion = '{}'\npackage = '{}'\ndefault-features = {}\nfeatures = {:?}",
                dep.name, dep.req, dep.package, dep.default_features, dep.features
            );
            if dep.optional {
                let _ = writeln!(text, "optional = true");
            }
        }
        text
    }

    fn pack(&self, manifest: &str) -> Vec<u8> {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        let manifest = [("Cargo.toml", manifest)];
        let files = self
            .files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_str()));
        for (path, content) in manifest.into_iter().chain(files) {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            let path = format!("{}-{}/{path}", self.name, self.version);
            tar.append_data(&mut header, path, content.as_bytes())
                .unwrap();
        }
        let mut gzip = tar.into_inner().unwrap();
        gzip.flush().unwrap();
        gzip.finish().unwrap()
    }

    fn line(&self, checksum: &str) -> String {
        let deps: Vec<Value> = self
            .deps
            .iter()
            .map(|dep| {
                let renamed = dep.name != dep.package;
                let mut value = json!({
                    "name": dep.name, "req": dep.req.to_string(), "features": dep.features,
                    "optional": dep.optional, "default_features": dep.default_features,
                    "target": dep.target, "kind": dep.kind.as_str(),
                });
                if renamed {
                    value["package"] = json!(dep.package);
                }
                value
            })
            .collect();
        let new_syntax = |v: &String| v.starts_with("dep:") || v.contains("?/");
        let (new, old): (BTreeMap<_, _>, BTreeMap<_, _>) = self
            .features
            .iter()
            .partition(|(_, values)| values.iter().any(new_syntax));
        let mut line = json!({
            "name": self.name, "vers": self.version.to_string(), "deps": deps,
            "cksum": checksum, "features": old, "yanked": self.yanked,
        });
        if !new.is_empty() {
            line["features2"] = json!(new);
            line["v"] = json!(2);
        }
        if let Some(links) = &self.links {
            line["links"] = json!(links);
        }
        if let Some(published) = &self.published {
            line["pubtime"] = json!(published);
        }
        line.to_string()
    }
}

/// The path of a crate's file in an index.
pub(crate) fn prefix(name: &str) -> PathBuf {
    let name = name.to_lowercase();
    match name.len() {
        1 | 2 => format!("{}/{name}", name.len()).into(),
        3 => format!("3/{}/{name}", &name[..1]).into(),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]).into(),
    }
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The id of a release of the default registry.
pub(crate) fn id(name: &str, version: &str) -> PackageId {
    PackageId {
        name: name.to_owned(),
        version: version.parse().unwrap(),
        source: Source::CratesIo,
    }
}
