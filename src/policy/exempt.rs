//! Exemptions: a dated, reasoned exception from some rules for some versions
//! of one package.

use jiff::civil::Date;
use semver::{Version, VersionReq};

use crate::diff::Change;

use super::variables::incoming;

/// The versions that an exemption is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    /// This one; build metadata does not count.
    Exact(Version),
    /// Those that a requirement admits, by Cargo's rules (a pre-release only
    /// when the requirement names one).
    Matching(VersionReq),
}

impl Versions {
    /// A version as written alone is that version; anything else is a requirement.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > 200 {
            return None;
        }
        if let Ok(version) = Version::parse(text) {
            return Some(Self::Exact(version));
        }
        VersionReq::parse(text).ok().map(Self::Matching)
    }

    fn holds(&self, version: &Version) -> bool {
        match self {
            Self::Exact(exact) => exact.cmp_precedence(version).is_eq(),
            Self::Matching(requirement) => requirement.matches(version),
        }
    }
}

/// A dated, reasoned exception.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemption {
    /// The package.
    pub package: String,
    /// The versions, as written.
    pub version: String,
    pub(super) versions: Versions,
    /// The ids of the rules that do not apply.
    pub rules: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub by: Option<String>,
    /// The last day on which it applies.
    pub until: Date,
    /// The file and line it was read from.
    pub origin: String,
}

impl Exemption {
    /// Whether its last day has passed.
    pub(super) fn expired(&self, as_of: Date) -> bool {
        as_of > self.until
    }

    /// Whether it is for this version of its package.
    pub(super) fn covers_version(&self, version: &Version) -> bool {
        self.versions.holds(version)
    }

    /// Whether it is for this change: for every release that comes in. Where
    /// none does, for every release of the head; for a removal, of the base.
    pub(super) fn covers(&self, change: &Change) -> bool {
        if change.package != self.package {
            return false;
        }
        let mut new = incoming(change).peekable();
        if new.peek().is_some() {
            return new.all(|release| self.versions.holds(&release.version));
        }
        let held = if change.to.is_empty() {
            &change.from
        } else {
            &change.to
        };
        held.iter()
            .all(|release| self.versions.holds(&release.version))
    }

    /// Name, version and who answers for it, for messages.
    pub(super) fn label(&self) -> String {
        let by = self
            .by
            .as_deref()
            .map(|by| format!(" by {by}"))
            .unwrap_or_default();
        format!(
            "exemption of {} {}{by} ({})",
            self.package, self.version, self.origin
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(versions: &str, version: &str) -> bool {
        let version = version.parse().unwrap();
        Versions::parse(versions).unwrap().holds(&version)
    }

    #[test]
    fn a_bare_version_is_exact() {
        assert!(holds("1.48.0", "1.48.0"));
        assert!(holds("1.48.0", "1.48.0+build.2"));
        assert!(!holds("1.48.0", "1.48.1"));
        assert!(!holds("1.48.0", "1.48.0-rc.1"));
    }

    #[test]
    fn a_requirement_follows_cargos_rules() {
        assert!(holds("^1.48.0", "1.49.0"));
        assert!(holds("1.48", "1.49.0"));
        assert!(!holds(">=1.48, <2", "2.0.0"));
        assert!(!holds("*", "1.0.0-rc.1"));
        assert!(holds(">=1.0.0-rc.1", "1.0.0-rc.2"));
        assert!(Versions::parse("newest").is_none());
        assert!(Versions::parse(&"1".repeat(300)).is_none());
    }
}
