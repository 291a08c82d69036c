//! Names, versions, sources and checksums of packages. No IO.
//!
//! Imports: nothing.

mod source;

use std::fmt;

use semver::Version;

pub use source::{CRATES_IO_GIT, CRATES_IO_SPARSE, Source, SourceError, canonical_git_url};

/// What one package in one lock file is called: name, version and source.
///
/// The order is total and is the order in which packages are printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId {
    /// The package name as the registry or the manifest spells it.
    pub name: String,
    /// The version, with build metadata.
    pub version: Version,
    /// Where the package comes from.
    pub source: Source,
}

impl PackageId {
    /// The package URL of this package (<https://github.com/package-url/purl-spec>).
    #[must_use]
    pub fn purl(&self) -> String {
        let mut purl = format!(
            "pkg:cargo/{}@{}",
            percent_encode(&self.name),
            percent_encode(&self.version.to_string())
        );
        match &self.source {
            Source::CratesIo | Source::Local => {}
            Source::Registry { url } => {
                purl.push_str("?repository_url=");
                purl.push_str(&percent_encode(url));
            }
            Source::Git { url, rev, .. } => {
                purl.push_str("?vcs_url=");
                let rev = rev.as_deref().map(|r| format!("@{r}")).unwrap_or_default();
                purl.push_str(&percent_encode(&format!("git+{url}{rev}")));
            }
        }
        purl
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// One published state of a package, as a lock file names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The version, with build metadata.
    pub version: Version,
    /// Where it comes from.
    pub source: Source,
    /// SHA-256 of the archive in lower-case hex, where the lock file has one.
    pub checksum: Option<String>,
}

/// Which section of a manifest asks for a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyKind {
    /// `[dependencies]`
    Normal,
    /// `[build-dependencies]`
    Build,
    /// `[dev-dependencies]`
    Dev,
}

impl DependencyKind {
    /// The name that `cargo metadata` and the index use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Build => "build",
            Self::Dev => "dev",
        }
    }
}

/// How far apart two versions are, by Cargo's compatibility rules: in `0.x.y`
/// the `x`, and in `0.0.z` the `z`, takes the place of the major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The same version, or one that differs in build metadata only.
    Same,
    /// A compatible bug-fix release.
    Patch,
    /// A compatible feature release.
    Minor,
    /// An incompatible release.
    Major,
    /// To or from a pre-release.
    Prerelease,
    /// To a lower version.
    Downgrade,
}

impl Step {
    /// The step from one version to another.
    #[must_use]
    pub fn between(from: &Version, to: &Version) -> Self {
        use std::cmp::Ordering;
        match from.cmp_precedence(to) {
            Ordering::Equal => return Self::Same,
            Ordering::Greater => return Self::Downgrade,
            Ordering::Less => {}
        }
        if !from.pre.is_empty() || !to.pre.is_empty() {
            return Self::Prerelease;
        }
        if !compatible(from, to) {
            return Self::Major;
        }
        if from.major > 0 && from.minor != to.minor {
            return Self::Minor;
        }
        Self::Patch
    }

    /// The word used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Prerelease => "prerelease",
            Self::Downgrade => "downgrade",
        }
    }
}

/// Whether Cargo treats two versions as one compatibility line, of which a
/// build graph holds at most one per source
/// (<https://doc.rust-lang.org/cargo/reference/resolver.html#semver-compatibility>).
#[must_use]
pub fn compatible(a: &Version, b: &Version) -> bool {
    if a.major != 0 || b.major != 0 {
        return a.major == b.major;
    }
    if a.minor != 0 || b.minor != 0 {
        return a.minor == b.minor;
    }
    a.patch == b.patch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: &str, to: &str) -> Step {
        Step::between(&from.parse().unwrap(), &to.parse().unwrap())
    }

    #[test]
    fn steps_follow_cargos_compatibility_rules() {
        assert_eq!(step("1.0.0", "1.0.1"), Step::Patch);
        assert_eq!(step("1.0.9", "1.1.0"), Step::Minor);
        assert_eq!(step("1.9.9", "2.0.0"), Step::Major);
        assert_eq!(step("0.3.1", "0.3.2"), Step::Patch);
        assert_eq!(step("0.3.1", "0.4.0"), Step::Major);
        assert_eq!(step("0.0.1", "0.0.2"), Step::Major);
        assert_eq!(step("1.0.0", "1.1.0-rc.1"), Step::Prerelease);
        assert_eq!(step("1.1.0-rc.1", "1.1.0"), Step::Prerelease);
        assert_eq!(step("1.1.0", "1.0.0"), Step::Downgrade);
        assert_eq!(step("1.0.0+a", "1.0.0+b"), Step::Same);
    }

    #[test]
    fn a_purl_is_percent_encoded() {
        let id = PackageId {
            name: "odd name".into(),
            version: "1.0.0+1.2".parse().unwrap(),
            source: Source::Registry {
                url: "https://registry.example/?a=b".into(),
            },
        };
        assert_eq!(
            id.purl(),
            "pkg:cargo/odd%20name@1.0.0%2B1.2?repository_url=https%3A%2F%2Fregistry.example%2F%3Fa%3Db"
        );
    }
}
