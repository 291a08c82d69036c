//! CycloneDX in JSON (<https://cyclonedx.org/docs/1.6/json/>): the components
//! that are Rust packages, and what depends on what.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::pkg::{PackageId, Source};

use super::{ClaimError, Claimed};

const VERSIONS: [&str; 5] = ["1.3", "1.4", "1.5", "1.6", "1.7"];

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "specVersion")]
    version: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref")]
    reference: Option<String>,
    purl: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    hashes: Vec<Hash>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Deserialize)]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(rename = "dependsOn", default)]
    on: Vec<String>,
}

/// Whether this is a CycloneDX document; its format name may stand anywhere in it.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Name {
        #[serde(rename = "bomFormat")]
        format: Option<String>,
        #[serde(rename = "workspace_root")]
        _metadata: Option<IgnoredAny>,
    }
    let bytes = without_mark(bytes);
    bytes.trim_ascii_start().first() == Some(&b'{')
        && memchr::memmem::find(bytes, b"bomFormat").is_some()
        && serde_json::from_slice::<Name>(bytes)
            .is_ok_and(|name| name.format.as_deref() == Some("CycloneDX"))
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The Rust packages of a document, and what else it names.
pub(super) fn packages(bytes: &[u8]) -> Result<(Vec<Claimed>, Option<String>), ClaimError> {
    let document: Document = serde_json::from_slice(without_mark(bytes))
        .map_err(|source| ClaimError::Json { source })?;
    if !VERSIONS.contains(&document.version.as_str()) {
        return Err(ClaimError::Version {
            version: document.version.chars().take(32).collect(),
        });
    }
    let mut reader = Reader::default();
    if let Some(root) = document.metadata.component {
        reader.take(root, true);
    }
    for component in document.components {
        reader.take(component, false);
    }
    for dependency in document.dependencies {
        let Some(&from) = reader.places.get(&dependency.reference) else {
            continue;
        };
        let on: Vec<usize> = dependency
            .on
            .iter()
            .filter_map(|name| reader.places.get(name).copied())
            .collect();
        if let Some(package) = reader.packages.get_mut(from) {
            package.dependencies.extend(on);
        }
    }
    let left_out = (reader.others > 0).then(|| {
        format!(
            "{} of the components are no Rust packages with a version",
            reader.others
        )
    });
    Ok((reader.packages, left_out))
}

#[derive(Default)]
struct Reader {
    packages: Vec<Claimed>,
    /// The place of each reference.
    places: BTreeMap<String, usize>,
    others: usize,
}

impl Reader {
    /// Takes a component and those inside of it. How deep they are nested is
    /// bounded by the parser of the document.
    fn take(&mut self, component: Component, root: bool) {
        let id = component.purl.as_deref().and_then(package_id);
        let place = id.map(|id| {
            let checksum = component
                .hashes
                .iter()
                .filter(|hash| hash.alg == "SHA-256")
                .map(|hash| hash.content.to_ascii_lowercase())
                .find(|sum| sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit()));
            self.packages.push(Claimed {
                id,
                checksum,
                root,
                build_only: component.scope.as_deref() == Some("excluded"),
                vague_source: false,
                dependencies: Vec::new(),
            });
            self.packages.len() - 1
        });
        match (place, component.reference) {
            (Some(place), Some(reference)) => {
                self.places.entry(reference).or_insert(place);
            }
            (None, _) if !root => self.others += 1,
            _ => {}
        }
        // The parts of what was built are its targets: the same package again.
        for inner in component.components {
            if root {
                if let (Some(place), Some(reference)) = (place, inner.reference) {
                    self.places.entry(reference).or_insert(place);
                }
            } else {
                self.take(inner, false);
            }
        }
    }
}

/// What a package URL names, when it names a Rust package.
fn package_id(purl: &str) -> Option<PackageId> {
    let rest = purl.strip_prefix("pkg:cargo/")?;
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (name, version) = rest.rsplit_once('@')?;
    let name = decoded(name)?;
    let version = decoded(version)?.parse().ok()?;
    let mut source = Source::CratesIo;
    for (key, value) in qualifiers
        .split('&')
        .filter_map(|qualifier| qualifier.split_once('='))
    {
        let value = decoded(value)?;
        match key {
            "repository_url" => source = registry(&value),
            "vcs_url" => source = git(&value),
            "download_url" if value.starts_with("file:") => source = Source::Local,
            _ => {}
        }
    }
    let plain = |character: char| !character.is_control() && !character.is_whitespace();
    (!name.is_empty() && name.chars().all(plain)).then_some(PackageId {
        name,
        version,
        source,
    })
}

fn registry(url: &str) -> Source {
    let url = if url.contains("+http") {
        url.to_owned()
    } else {
        format!("registry+{url}")
    };
    match Source::parse(&url) {
        Ok(source) => source,
        Err(_) => Source::Registry { url },
    }
}

fn git(url: &str) -> Source {
    let bare = url.strip_prefix("git+").unwrap_or(url);
    // The commit stands behind the last `@` after the host.
    let path = bare.find("://").map_or(0, |at| at + 3);
    let slash = bare.get(path..).and_then(|rest| rest.find('/'));
    let at = bare
        .rfind('@')
        .filter(|at| slash.is_some_and(|slash| *at > path + slash));
    let (url, rev) = match at {
        Some(at) => (bare.get(..at), bare.get(at + 1..)),
        None => (Some(bare), None),
    };
    Source::Git {
        url: url.unwrap_or(bare).to_owned(),
        reference: None,
        rev: rev.map(str::to_owned),
    }
}

/// Undoes percent-encoding; `None` when it is damaged.
fn decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let pair = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}
