//! One package out of a tree: what its manifest, its workspace's root and the
//! files beside it say.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};

use super::manifest::{BuildKey, DependencySpec, DependencyTable, Inherit, Manifest, Sections};
use super::workspace::{Manifests, root_of};
use super::{DirectError, paths};
use crate::pkg::{DependencyKind, Source};
use crate::registry::Dependency;

/// What a graph needs to know of one package.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) declared: Vec<Declared>,
    pub(super) features: BTreeMap<String, Vec<String>>,
    pub(super) links: Option<String>,
    /// The name of its library target.
    pub(super) library: Option<String>,
    pub(super) proc_macro: bool,
    pub(super) build_script: bool,
    pub(super) edition: String,
    /// The mark that says how much was read, if less than all.
    pub(super) mark: Option<&'static str>,
}

/// A dependency with the place that it is asked from.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) dependency: Dependency,
    pub(super) origin: Origin,
}

/// Where a dependency is asked from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A registry or a git repository.
    Source(Source),
    /// A registry that only the user's configuration can name.
    NamedRegistry,
    /// A directory: inside of the tree, or not (`None`).
    Path(Option<String>),
    /// It is not known: any will do.
    Any,
}

/// A package out of a tree.
pub(super) struct Local {
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) dir: String,
    pub(super) body: Body,
}

/// Reads the package in a directory; `None` when there is none.
/// `dev` says whether its dev-dependencies count.
pub(super) fn read(
    manifests: &Manifests<'_>,
    dir: &str,
    dev: bool,
) -> Result<Option<Local>, DirectError> {
    let Some(manifest) = manifests.get(dir)? else {
        return Ok(None);
    };
    let Some(package) = &manifest.package else {
        return Ok(None);
    };
    let path = paths::file(dir, "Cargo.toml");
    let wrong = |detail: String| DirectError::Manifest {
        path: path.clone(),
        detail,
    };
    let name = package
        .name
        .clone()
        .ok_or_else(|| wrong("`package.name` is missing".to_owned()))?;
    let root = root_of(manifests, dir)?;
    let shared = root.as_ref().and_then(|(_, root)| root.workspace.as_ref());
    let inherit = |key: &str, value: &Option<Inherit>, above: Option<&String>| match value {
        None => Ok(None),
        Some(Inherit::Value(value)) => Ok(Some(value.clone())),
        Some(Inherit::Workspace { .. }) => above.cloned().map(Some).ok_or_else(|| {
            wrong(format!(
                "`package.{key}` is inherited, and no workspace root above has it"
            ))
        }),
    };
    let version = inherit(
        "version",
        &package.version,
        shared.and_then(|w| w.package.version.as_ref()),
    )?;
    let version = match version {
        Some(text) => text
            .parse()
            .map_err(|error| wrong(format!("version `{text}`: {error}")))?,
        None => Version::new(0, 0, 0),
    };
    let edition = inherit(
        "edition",
        &package.edition,
        shared.and_then(|w| w.package.edition.as_ref()),
    )?;
    let reader = Reader {
        dir,
        root: root.as_ref().map(|(dir, root)| (dir.as_str(), &**root)),
        dev,
    };
    let declared = reader.all(&manifest).map_err(wrong)?;
    let autolib = package.autolib != Some(false) && manifests.has(&paths::file(dir, "src/lib.rs"));
    let library = match &manifest.lib {
        Some(lib) => Some(lib.name.clone().unwrap_or_else(|| name.replace('-', "_"))),
        None => autolib.then(|| name.replace('-', "_")),
    };
    let build_script = match &package.build {
        None | Some(BuildKey::Switch(true)) => manifests.has(&paths::file(dir, "build.rs")),
        Some(BuildKey::Switch(false)) => false,
        Some(BuildKey::Path(_)) => true,
        Some(BuildKey::Paths(paths)) => !paths.is_empty(),
    };
    let body = Body {
        declared,
        features: manifest.features.clone(),
        links: package.links.clone(),
        proc_macro: manifest.lib.as_ref().is_some_and(|lib| lib.is_proc_macro()),
        library,
        build_script,
        edition: edition.unwrap_or_else(|| "2015".to_owned()),
        mark: None,
    };
    Ok(Some(Local {
        name,
        version,
        dir: dir.to_owned(),
        body,
    }))
}

/// Reads the dependency sections of one manifest.
struct Reader<'m> {
    dir: &'m str,
    root: Option<(&'m str, &'m Manifest)>,
    dev: bool,
}

impl Reader<'_> {
    fn all(&self, manifest: &Manifest) -> Result<Vec<Declared>, String> {
        let mut declared = Vec::new();
        self.sections(&manifest.sections, None, &mut declared)?;
        for (platform, sections) in &manifest.target {
            self.sections(sections, Some(platform), &mut declared)?;
        }
        Ok(declared)
    }

    fn sections(
        &self,
        sections: &Sections,
        platform: Option<&str>,
        declared: &mut Vec<Declared>,
    ) -> Result<(), String> {
        for (name, spec) in &sections.dependencies {
            declared.push(self.entry(name, spec, DependencyKind::Normal, platform)?);
        }
        for (name, spec) in sections.build() {
            declared.push(self.entry(name, spec, DependencyKind::Build, platform)?);
        }
        if self.dev {
            for (name, spec) in sections.dev() {
                declared.push(self.entry(name, spec, DependencyKind::Dev, platform)?);
            }
        }
        Ok(())
    }

    fn entry(
        &self,
        name: &str,
        spec: &DependencySpec,
        kind: DependencyKind,
        platform: Option<&str>,
    ) -> Result<Declared, String> {
        let own = spec.to_table();
        let (table, base) = if own.workspace {
            self.inherited(name, &own)?
        } else {
            (own, self.dir)
        };
        let req = match table.version.as_deref().map(str::trim) {
            None | Some("") => VersionReq::STAR,
            Some(text) => VersionReq::parse(text)
                .map_err(|error| format!("dependency `{name}`: version `{text}`: {error}"))?,
        };
        let mut features = table.features.clone();
        features.sort();
        features.dedup();
        let origin = origin(&table, base);
        let dependency = Dependency {
            name: name.to_owned(),
            package: table.package.clone().unwrap_or_else(|| name.to_owned()),
            req,
            kind,
            optional: table.optional && kind != DependencyKind::Dev,
            default_features: table.default_features.unwrap_or(true),
            features,
            target: platform.map(str::to_owned),
            source: None,
        };
        Ok(Declared { dependency, origin })
    }

    /// An entry with `workspace = true`, merged with the root's, and the
    /// directory that its path is relative to.
    fn inherited(
        &self,
        name: &str,
        own: &DependencyTable,
    ) -> Result<(DependencyTable, &str), String> {
        let (dir, root) = self.root.ok_or_else(|| {
            format!("dependency `{name}` is inherited, and there is no workspace root above")
        })?;
        let shared = root
            .workspace
            .as_ref()
            .and_then(|w| w.dependencies.get(name))
            .ok_or_else(|| {
                format!("dependency `{name}` is inherited, and `workspace.dependencies` lacks it")
            })?;
        let mut table = shared.to_table();
        table.optional = own.optional;
        table.features.extend(own.features.iter().cloned());
        // A member can switch the default features on, never off.
        table.default_features = match (table.default_features, own.default_features) {
            (Some(false), Some(true)) => Some(true),
            (shared, _) => shared,
        };
        Ok((table, dir))
    }
}

/// Where an entry is asked from; a path outranks git, and git a registry.
pub(super) fn origin(table: &DependencyTable, base: &str) -> Origin {
    if let Some(path) = &table.path {
        return Origin::Path(paths::join(base, path));
    }
    if let Some(url) = &table.git {
        let reference = [
            ("branch", &table.branch),
            ("tag", &table.tag),
            ("rev", &table.rev),
        ]
        .into_iter()
        .find_map(|(key, value)| value.as_ref().map(|value| format!("{key}={value}")));
        return Origin::Source(Source::Git {
            url: url.clone(),
            reference,
            rev: None,
        });
    }
    if let Some(index) = &table.registry_index {
        let text = if index.starts_with("sparse+") {
            index.clone()
        } else {
            format!("registry+{index}")
        };
        return Source::parse(&text).map_or(Origin::NamedRegistry, Origin::Source);
    }
    match table.registry.as_deref() {
        None | Some("crates-io") => Origin::Source(Source::CratesIo),
        Some(_) => Origin::NamedRegistry,
    }
}
