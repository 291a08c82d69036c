//! One line of an index entry: the JSON object of one release
//! (<https://doc.rust-lang.org/cargo/reference/registry-index.html#json-schema>).
//! Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use semver::{Version, VersionReq};
use serde::Deserialize;

use super::{Dependency, IndexRelease, RecordError, scan};
use crate::pkg::{DependencyKind, Source};

/// The newest schema version of index lines that is understood.
const SCHEMA: u32 = 2;

/// The few fields of a line that can be had without reading the rest into memory.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) vers: Cow<'a, str>,
    #[serde(default)]
    pub(super) yanked: bool,
    #[serde(default, borrow)]
    pub(super) pubtime: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) v: Option<u32>,
}

impl<'a> Head<'a> {
    /// Reads the head of a line; `None` when it is no such object. Whether the
    /// rest of the line is well-formed is seen when it is read, in [`release`].
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        scan::head(line).or_else(|| serde_json::from_slice(line).ok())
    }

    /// Whether the line follows a schema that is understood.
    pub(super) fn is_known(&self) -> bool {
        self.v.is_none_or(|v| v <= SCHEMA)
    }

    pub(super) fn yanked(&self) -> bool {
        self.yanked
    }

    /// When the release was published; an unreadable time counts as none.
    pub(super) fn published(&self) -> Option<Timestamp> {
        self.pubtime.as_deref().and_then(|time| time.parse().ok())
    }
}

#[derive(Deserialize)]
struct Line {
    name: String,
    vers: String,
    #[serde(default)]
    deps: Vec<LineDependency>,
    #[serde(default)]
    cksum: String,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    features2: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    links: Option<String>,
    #[serde(default)]
    rust_version: Option<String>,
    #[serde(default)]
    v: Option<u32>,
}

#[derive(Deserialize)]
struct LineDependency {
    name: String,
    req: String,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    optional: bool,
    #[serde(default = "on")]
    default_features: bool,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    registry: Option<String>,
    #[serde(default)]
    package: Option<String>,
}

fn on() -> bool {
    true
}

/// Reads all of a line that is to hold one release of the package `name`.
///
/// # Errors
/// When it is not well-formed, of another package, or of a schema that is not understood.
pub(super) fn release(name: &str, line: &[u8]) -> Result<IndexRelease, RecordError> {
    let line: Line = serde_json::from_slice(line).map_err(|source| RecordError::Json {
        name: name.to_owned(),
        source,
    })?;
    if line.name != name {
        return Err(RecordError::OtherName {
            wanted: name.to_owned(),
            found: line.name,
        });
    }
    if let Some(schema) = line.v.filter(|v| *v > SCHEMA) {
        return Err(RecordError::Schema {
            name: line.name,
            version: line.vers,
            schema,
        });
    }
    let invalid = |field: &'static str, value: &str| RecordError::Field {
        name: name.to_owned(),
        version: line.vers.clone(),
        field,
        value: value.chars().take(80).collect(),
    };
    let version = Version::parse(&line.vers).map_err(|_| invalid("vers", &line.vers))?;
    let checksum = line.cksum.to_ascii_lowercase();
    if !super::is_sha256(&checksum) {
        return Err(invalid("cksum", &line.cksum));
    }
    let mut dependencies = Vec::with_capacity(line.deps.len());
    for dependency in line.deps {
        dependencies.push(read_dependency(dependency, &invalid)?);
    }
    let mut features = line.features;
    for (feature, enables) in line.features2.unwrap_or_default() {
        features.entry(feature).or_default().extend(enables);
    }
    Ok(IndexRelease {
        version,
        checksum,
        dependencies,
        features,
        links: line.links,
        rust_version: line.rust_version,
    })
}

fn read_dependency(
    line: LineDependency,
    invalid: &impl Fn(&'static str, &str) -> RecordError,
) -> Result<Dependency, RecordError> {
    let req = VersionReq::parse(&line.req).map_err(|_| invalid("req", &line.req))?;
    let kind = match line.kind.as_deref() {
        None | Some("normal") => DependencyKind::Normal,
        Some("build") => DependencyKind::Build,
        Some("dev") => DependencyKind::Dev,
        Some(other) => return Err(invalid("kind", other)),
    };
    let source = line
        .registry
        .map(|url| {
            // A git index stands here without the prefix that lock files give it.
            if url.starts_with("sparse+") || url.starts_with("registry+") {
                Source::parse(&url)
            } else {
                Source::parse(&format!("registry+{url}"))
            }
        })
        .transpose()
        .map_err(|error| invalid("registry", &error.0))?;
    let mut features = line.features;
    features.sort();
    features.dedup();
    Ok(Dependency {
        package: line.package.unwrap_or_else(|| line.name.clone()),
        name: line.name,
        req,
        kind,
        optional: line.optional,
        default_features: line.default_features,
        features,
        target: line.target,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn read(fields: &str) -> Result<IndexRelease, RecordError> {
        let line = format!(r#"{{"name":"a","vers":"1.0.0","cksum":"{SUM}"{fields}}}"#);
        release("a", line.as_bytes())
    }

    #[test]
    fn a_renamed_dependency_of_another_registry_keeps_both_names_and_its_source() {
        let read = read(
            r#","deps":[{"name":"json","package":"serde_json","req":"^1","kind":null,
                "registry":"https://github.com/rust-lang/crates.io-index","features":["b","a","b"],
                "default_features":false,"optional":true,"target":"cfg(unix)"},
               {"name":"x","req":"*","kind":"build","registry":"sparse+https://r.example/"}]"#,
        )
        .unwrap();
        let json = &read.dependencies[0];
        assert_eq!(
            (json.name.as_str(), json.package.as_str()),
            ("json", "serde_json")
        );
        assert_eq!(json.source, Some(Source::CratesIo));
        assert_eq!(json.features, ["a", "b"]);
        assert!(json.optional && !json.default_features);
        assert_eq!(json.target.as_deref(), Some("cfg(unix)"));
        let x = &read.dependencies[1];
        assert_eq!(x.kind, DependencyKind::Build);
        assert!(x.default_features && x.package == "x");
        assert!(
            matches!(&x.source, Some(Source::Registry { url }) if url == "sparse+https://r.example/")
        );
    }

    #[test]
    fn features_of_both_formats_are_one_table() {
        let read = read(
            r#","features":{"a":["b"]},"features2":{"a":["dep:c"],"d":["e?/f"]},"v":2,"links":"z","rust_version":"1.60""#,
        )
        .unwrap();
        assert_eq!(read.features["a"], ["b", "dep:c"]);
        assert_eq!(read.features["d"], ["e?/f"]);
        assert_eq!(read.links.as_deref(), Some("z"));
        assert_eq!(read.rust_version.as_deref(), Some("1.60"));
    }

    #[test]
    fn a_line_that_cannot_be_relied_on_is_an_error() {
        assert!(matches!(
            read(r#","v":3"#),
            Err(RecordError::Schema { schema: 3, .. })
        ));
        assert!(matches!(
            read(r#","deps":[{"name":"x","req":"what"}]"#),
            Err(RecordError::Field { field: "req", .. })
        ));
        assert!(matches!(
            read(r#","deps":[{"name":"x","req":"1","kind":"odd"}]"#),
            Err(RecordError::Field { field: "kind", .. })
        ));
        assert!(matches!(
            release("b", br#"{"name":"a","vers":"1.0.0"}"#),
            Err(RecordError::OtherName { .. })
        ));
        assert!(matches!(
            release("a", br#"{"name":"a","vers":"1.0.0","cksum":"../../x"}"#),
            Err(RecordError::Field { field: "cksum", .. })
        ));
        assert!(matches!(
            release("a", b"<html>"),
            Err(RecordError::Json { .. })
        ));
    }

    #[test]
    fn the_head_has_time_and_withdrawal_and_an_odd_time_is_none() {
        let head = Head::read(
            br#"{"name":"a","vers":"1.0.0","yanked":true,"pubtime":"2024-01-02T03:04:05Z"}"#,
        )
        .unwrap();
        assert!(head.yanked() && head.is_known());
        assert_eq!(
            head.published(),
            Some("2024-01-02T03:04:05Z".parse().unwrap())
        );
        let head =
            Head::read(br#"{"name":"a","vers":"1.0.0","pubtime":"yesterday","v":9}"#).unwrap();
        assert_eq!(head.published(), None);
        assert!(!head.is_known());
    }
}
