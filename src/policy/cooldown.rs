//! How long a release waits after it was published. Judges what is in the lock
//! file, whoever put it there; Cargo's own setting works only where Cargo chooses
//! a version.

use std::collections::BTreeMap;

use crate::diff::{Change, ChangeKind};
use crate::pkg::Source;

use super::file::{Days, RawCooldown};
use super::{Effect, Subject};

/// A time that releases wait, and who says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// In days; 0 for not at all.
    pub days: f64,
    /// Where it is written, in words, such as
    /// "`registry.global-min-publish-age` of the base's `.cargo/config.toml`".
    pub from: String,
}

/// What Cargo is set to wait: `registry.global-min-publish-age` and
/// `registries.NAME.min-publish-age`
/// (<https://doc.rust-lang.org/nightly/cargo/reference/config.html>, stable since
/// Cargo 1.100).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CargoWaits {
    /// For every registry without one of its own.
    pub global: Option<Wait>,
    /// By registry.
    pub registries: BTreeMap<Source, Wait>,
    /// Settings that could not be read, in words.
    pub unreadable: Vec<String>,
}

/// What a policy says of waiting.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cooldown {
    days: Option<(Days, String)>,
    pub(super) then: Effect,
    first_party: Vec<String>,
    fixes_wait: bool,
    packages: Vec<(String, Wait)>,
    pub(super) cargo: CargoWaits,
}

impl Default for Cooldown {
    fn default() -> Self {
        Self {
            days: None,
            then: Effect::Canary,
            first_party: Vec::new(),
            fixes_wait: false,
            packages: Vec::new(),
            cargo: CargoWaits::default(),
        }
    }
}

impl Cooldown {
    /// Takes over the keys that a later layer states.
    pub(super) fn extend(&mut self, raw: &RawCooldown, file: &str) {
        if let Some(days) = raw.days {
            self.days = Some((days, format!("`cooldown.days` of `{file}`")));
        }
        self.then = raw.then.unwrap_or(self.then);
        self.fixes_wait = raw.fixes_wait.unwrap_or(self.fixes_wait);
        if let Some(first_party) = &raw.first_party {
            self.first_party.clone_from(first_party);
        }
        for (package, days) in &raw.packages {
            self.packages.retain(|(known, _)| known != package);
            let from = format!("`cooldown.packages` of `{file}`");
            self.packages
                .push((package.clone(), Wait { days: *days, from }));
        }
    }

    /// How long the release of a change has to wait; `None` when it need not.
    pub(super) fn wait(&self, subject: Subject<'_>) -> Option<Wait> {
        let change = subject.change;
        let source = comes_from(change)?;
        let fixes = subject
            .dossier
            .advisories
            .seen()
            .is_some_and(|delta| delta.fixed.iter().any(crate::facts::AdvisoryFact::is_fault));
        if fixes && !self.fixes_wait {
            return None;
        }
        self.of_package(&change.package, source)
    }

    /// How long the releases of a package have to wait.
    pub(super) fn of_package(&self, package: &str, source: &Source) -> Option<Wait> {
        if !source.is_registry() {
            return None;
        }
        // The exact name first, then the longest pattern.
        let own = self
            .packages
            .iter()
            .filter(|(pattern, _)| matches(pattern, package))
            .max_by_key(|(pattern, _)| (pattern == package, pattern.len()));
        let wait = match own {
            Some((_, wait)) => wait.clone(),
            None if self.is_first_party(source) => return None,
            None => match &self.days {
                Some((Days::Never, _)) => return None,
                Some((Days::Of(days), from)) => Wait {
                    days: *days,
                    from: from.clone(),
                },
                Some((Days::Cargo, _)) | None => self
                    .cargo
                    .registries
                    .get(source)
                    .or(self.cargo.global.as_ref())?
                    .clone(),
            },
        };
        (wait.days > 0.0).then_some(wait)
    }

    fn is_first_party(&self, source: &Source) -> bool {
        let Some(written) = source.to_lock() else {
            return false;
        };
        let bare = |url: &str| -> String {
            let url = url.strip_prefix("sparse+").unwrap_or(url);
            let url = url.strip_prefix("registry+").unwrap_or(url);
            url.trim_end_matches('/').to_owned()
        };
        self.first_party
            .iter()
            .any(|url| bare(url) == bare(&written))
    }
}

/// Where the release comes from that a change brings in, or puts elsewhere.
fn comes_from(change: &Change) -> Option<&Source> {
    match change.kind {
        ChangeKind::Removed | ChangeKind::Merged | ChangeKind::FeaturesChanged => None,
        ChangeKind::Added
        | ChangeKind::Upgraded
        | ChangeKind::Downgraded
        | ChangeKind::Duplicated
        | ChangeKind::SourceMoved
        | ChangeKind::ContentChanged
        | ChangeKind::PlacementChanged => change
            .incoming()
            .or_else(|| change.to.last())
            .map(|release| &release.source),
    }
}

/// Whether a name is the pattern, or starts with what stands before its `*`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}
