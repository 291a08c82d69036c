//! The parts of a `Cargo.toml` that decide what is built. Unknown keys are
//! left alone; whatever Cargo refuses elsewhere is Cargo's to refuse.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The largest manifest that is read, in bytes.
pub(super) const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// A manifest: the keys that are read of it.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub(super) package: Option<PackageSection>,
    pub(super) workspace: Option<WorkspaceSection>,
    pub(super) lib: Option<LibSection>,
    pub(super) sections: Sections,
    pub(super) target: BTreeMap<String, Sections>,
    pub(super) features: BTreeMap<String, Vec<String>>,
    pub(super) patch: BTreeMap<String, Entries>,
    pub(super) replace: Entries,
}

/// The entries of one dependency section.
pub(super) type Entries = BTreeMap<String, DependencySpec>;

/// A manifest as it is written.
#[derive(Deserialize)]
struct File {
    package: Option<PackageSection>,
    project: Option<PackageSection>,
    workspace: Option<WorkspaceSection>,
    lib: Option<LibSection>,
    #[serde(default)]
    dependencies: Entries,
    #[serde(rename = "dev-dependencies")]
    dev: Option<Entries>,
    #[serde(rename = "dev_dependencies")]
    dev_old: Option<Entries>,
    #[serde(rename = "build-dependencies")]
    build: Option<Entries>,
    #[serde(rename = "build_dependencies")]
    build_old: Option<Entries>,
    #[serde(default)]
    target: BTreeMap<String, Sections>,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    patch: BTreeMap<String, Entries>,
    #[serde(default)]
    replace: Entries,
}

/// The three dependency sections, each with its old spelling.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Sections {
    #[serde(default)]
    pub(super) dependencies: Entries,
    #[serde(rename = "dev-dependencies")]
    dev: Option<Entries>,
    #[serde(rename = "dev_dependencies")]
    dev_old: Option<Entries>,
    #[serde(rename = "build-dependencies")]
    build: Option<Entries>,
    #[serde(rename = "build_dependencies")]
    build_old: Option<Entries>,
}

/// `[package]`
#[derive(Debug, Default, Deserialize)]
pub(super) struct PackageSection {
    pub(super) name: Option<String>,
    pub(super) version: Option<Inherit>,
    pub(super) edition: Option<Inherit>,
    pub(super) build: Option<BuildKey>,
    pub(super) links: Option<String>,
    pub(super) workspace: Option<String>,
    pub(super) resolver: Option<String>,
    pub(super) autolib: Option<bool>,
}

/// A key that a member can take from its workspace.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Inherit {
    /// Written here.
    Value(String),
    /// `key.workspace = true`
    Workspace {
        #[serde(rename = "workspace")]
        _workspace: bool,
    },
}

/// `build`
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum BuildKey {
    /// Whether `build.rs` is one.
    Switch(bool),
    /// The paths of several.
    Paths(Vec<String>),
    /// The path of one.
    Path(serde::de::IgnoredAny),
}

/// `[lib]`
#[derive(Debug, Default, Deserialize)]
pub(super) struct LibSection {
    pub(super) name: Option<String>,
    #[serde(rename = "proc-macro", alias = "proc_macro", default)]
    proc_macro: bool,
    #[serde(rename = "crate-type", alias = "crate_type", default)]
    crate_type: Vec<String>,
}

impl LibSection {
    /// Whether this is a procedural macro.
    pub(super) fn is_proc_macro(&self) -> bool {
        self.proc_macro || self.crate_type.iter().any(|kind| kind == "proc-macro")
    }
}

/// `[workspace]`
#[derive(Debug, Default, Deserialize)]
pub(super) struct WorkspaceSection {
    #[serde(default)]
    pub(super) members: Vec<String>,
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    #[serde(rename = "default-members", default)]
    pub(super) default_members: Vec<String>,
    pub(super) resolver: Option<String>,
    #[serde(default)]
    pub(super) package: WorkspacePackage,
    #[serde(default)]
    pub(super) dependencies: Entries,
}

/// `[workspace.package]`
#[derive(Debug, Default, Deserialize)]
pub(super) struct WorkspacePackage {
    pub(super) version: Option<String>,
    pub(super) edition: Option<String>,
}

/// One entry of a dependency section.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum DependencySpec {
    /// `name = "1.0"`
    Version(String),
    /// `name = { … }`
    Table(Box<DependencyTable>),
}

/// One entry of a dependency section as a table.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct DependencyTable {
    pub(super) version: Option<String>,
    pub(super) path: Option<String>,
    pub(super) git: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) rev: Option<String>,
    pub(super) registry: Option<String>,
    #[serde(rename = "registry-index")]
    pub(super) registry_index: Option<String>,
    pub(super) package: Option<String>,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(rename = "default-features", alias = "default_features")]
    pub(super) default_features: Option<bool>,
    #[serde(default)]
    pub(super) features: Vec<String>,
    #[serde(default)]
    pub(super) workspace: bool,
}

impl DependencySpec {
    /// The entry as a table.
    pub(super) fn to_table(&self) -> DependencyTable {
        match self {
            Self::Version(version) => DependencyTable {
                version: Some(version.clone()),
                ..DependencyTable::default()
            },
            Self::Table(table) => (**table).clone(),
        }
    }
}

impl Sections {
    /// `[dev-dependencies]`
    pub(super) fn dev(&self) -> impl Iterator<Item = (&String, &DependencySpec)> {
        self.dev
            .as_ref()
            .or(self.dev_old.as_ref())
            .into_iter()
            .flatten()
    }

    /// `[build-dependencies]`
    pub(super) fn build(&self) -> impl Iterator<Item = (&String, &DependencySpec)> {
        self.build
            .as_ref()
            .or(self.build_old.as_ref())
            .into_iter()
            .flatten()
    }
}

impl Manifest {
    /// Reads a manifest.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map(|span| 1 + text[..span.start].matches('\n').count());
            match line {
                Some(line) => format!("line {line}: {}", error.message()),
                None => error.message().to_owned(),
            }
        })?;
        Ok(Self {
            package: file.package.or(file.project),
            workspace: file.workspace,
            lib: file.lib,
            sections: Sections {
                dependencies: file.dependencies,
                dev: file.dev,
                dev_old: file.dev_old,
                build: file.build,
                build_old: file.build_old,
            },
            target: file.target,
            features: file.features,
            patch: file.patch,
            replace: file.replace,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_the_sections_are_read() {
        let manifest = Manifest::parse(
            b"[project]\nname = 'a'\n[dev_dependencies]\nb = '1'\n[target.'cfg(unix)'.build_dependencies]\nc = { version = '2', default_features = false }\n",
        )
        .unwrap();
        assert_eq!(manifest.package.unwrap().name.as_deref(), Some("a"));
        assert_eq!(manifest.sections.dev().count(), 1);
        let (name, spec) = manifest.target["cfg(unix)"].build().next().unwrap();
        assert_eq!(
            (name.as_str(), spec.to_table().default_features),
            ("c", Some(false))
        );
    }

    #[test]
    fn a_malformed_manifest_is_named_with_its_line() {
        let error = Manifest::parse(b"[package]\nname = 'a'\nversion = [").unwrap_err();
        assert!(error.starts_with("line 3: "), "{error}");
    }
}
