//! An ordinary update, and what a case makes of it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil::Date};
use semver::Version;

use crate::diff::{Change, ChangeKind, FeatureDelta};
use crate::facts::{
    AdvisoryDelta, AdvisoryFact, Declared, Dossier, FactKind, Finding, Gap, History, LaterReleases,
    Pace, Published, YankCluster, Yanked,
};
use crate::pkg::{Release, Source};
use crate::risk::{Assessment, Evidence, Level};
use crate::snapshot::{PackageManifest, Placement, Role};

use super::super::Subject;
use super::super::around::Given;
use super::super::variables::{self, Reading};
use super::Stated;

/// The age of the release that comes in, in days.
const AGE: f64 = 30.0;
/// The age of the release that goes out, in days.
const PREVIOUS_AGE: f64 = 200.0;

/// A made-up change with everything that is known about it.
#[derive(Debug)]
pub(super) struct Made {
    as_of: Date,
    change: Change,
    dossier: Dossier,
    assessment: Assessment,
    stated: Stated,
    gaps: Vec<Gap>,
}

impl Made {
    /// An ordinary update, 1.0.0 to 1.0.1, of a direct dependency that is
    /// compiled into the target: a month old, nothing withdrawn, no advisory, no
    /// incident, a low score.
    pub(super) fn ordinary(as_of: Date) -> Self {
        let placement = Placement {
            direct: true,
            roles: BTreeSet::from([Role::Target]),
            targets: BTreeSet::from(["x86_64-unknown-linux-gnu".to_owned()]),
            members: BTreeSet::from(["app".to_owned()]).into(),
            resolved: true,
            ..Placement::default()
        };
        Self {
            as_of,
            change: Change {
                id: "package".to_owned(),
                package: "package".to_owned(),
                kind: ChangeKind::Upgraded,
                from: vec![release(Version::new(1, 0, 0))],
                to: vec![release(Version::new(1, 0, 1))],
                placement: placement.clone(),
                placement_before: Some(placement),
                features: FeatureDelta::default(),
                forced_by: None,
                forces: Vec::new(),
                paths: Vec::new(),
                workspaces: vec![".".to_owned()],
                dependencies_gained: Vec::new(),
                dependencies_lost: Vec::new(),
                manifest_before: Some(PackageManifest::default()),
                manifest_after: Some(PackageManifest::default()),
                lock_line: None,
            },
            dossier: Dossier {
                published: published(as_of, AGE),
                previous_published: published(as_of, PREVIOUS_AGE),
                yanked: Finding::Seen(Yanked {
                    incoming: false,
                    outgoing: false,
                }),
                later: Finding::Seen(LaterReleases::default()),
                yank_cluster: Finding::Seen(YankCluster {
                    withdrawn: Vec::new(),
                    predecessors: 1,
                    only_one_left: false,
                }),
                history: Finding::Seen(History {
                    prior_releases: 40,
                    crate_age_days: 2_000.0,
                    gap_before_days: Some(20.0),
                    releases_90d: 4,
                    versions_skipped: 0,
                    pace: Pace::default(),
                }),
                advisories: Finding::Seen(AdvisoryDelta::default()),
                source: Finding::Absent("a made-up change has no source".to_owned()),
                outcomes: Finding::Absent("no ledger is named".to_owned()),
                publisher: Finding::Absent("not asked for".to_owned()),
                declared: Finding::Seen(Declared::default()),
                advisories_on_record: 0,
                look_alike: None,
                other_gaps: Vec::new(),
            },
            assessment: Assessment {
                likelihood: 0.0,
                faults: Vec::new(),
                exposure: 1.0,
                score: 5,
                level: Level::Low,
                signals: Vec::new(),
                evidence: Evidence::default(),
            },
            stated: Stated::new(),
            gaps: Vec::new(),
        }
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            change: &self.change,
            dossier: &self.dossier,
            links: &[],
            assessment: &self.assessment,
        }
    }

    /// The variables whose values are stated, and those that rest on a gap.
    pub(super) fn given(&self) -> Given<'_> {
        let mut given: Given<'_> = variables::all()
            .enumerate()
            .filter_map(|(index, variable)| {
                let gap = self
                    .gaps
                    .iter()
                    .find(|gap| Some(gap.fact) == variable.fact)?;
                Some((index, Reading::Gap(gap.fact, Some(gap))))
            })
            .collect();
        given.extend(self.stated.iter().map(|(index, it)| (*index, it.clone())));
        given
    }

    /// States a fact that could not be had.
    pub(super) fn missing(&mut self, gap: Gap) {
        if gap.fact == FactKind::PublishTime {
            self.dossier.published = Finding::Unknown(gap.clone());
        }
        self.gaps.push(gap);
    }

    /// States one variable. Those that others follow from change the made-up
    /// change itself; the error says what is wrong with the value.
    pub(super) fn state(
        &mut self,
        name: &str,
        index: usize,
        value: Reading<'static>,
    ) -> Result<(), String> {
        match (name, &value) {
            ("change.built", _) => {
                return Err(
                    "`change.built` follows from `change.target` and `change.host`; \
                            state those"
                        .to_owned(),
                );
            }
            ("change.id", _) => {
                return Err("`change.id` follows from `change.package`; state that".to_owned());
            }
            ("change.package", Reading::Text(name)) => {
                self.change.package = name.to_string();
                self.change.id = name.to_string();
            }
            ("change.kind", Reading::Text(kind)) => self.of_kind(kind),
            ("change.from", Reading::Text(text)) => set_version(&mut self.change.from, text)?,
            ("change.to", Reading::Text(text)) => set_version(&mut self.change.to, text)?,
            ("change.source", Reading::Text(text)) => {
                let source = source(text)?;
                // Only a move comes from another place than before.
                let moves = self.change.kind == ChangeKind::SourceMoved;
                let before = self.change.from.iter_mut().filter(|_| !moves);
                for release in self.change.to.iter_mut().chain(before) {
                    release.source = source.clone();
                }
            }
            ("change.direct", Reading::Bool(direct)) => self.change.placement.direct = *direct,
            ("change.target", Reading::Bool(on)) => self.role(Role::Target, *on),
            ("change.host", Reading::Bool(on)) => self.role(Role::Host, *on),
            ("change.dev", Reading::Bool(on)) => self.role(Role::Dev, *on),
            ("change.unbuilt", Reading::Bool(on)) => self.role(Role::Unbuilt, *on),
            ("release.age_days", Reading::Double(days)) => {
                self.dossier.published = published(self.as_of, *days);
            }
            ("advisories.introduced", Reading::List(ids)) => {
                let facts = self.advisories(ids);
                self.delta(|delta| delta.introduced = facts);
            }
            ("advisories.fixed", Reading::List(ids)) => {
                let facts = self.advisories(ids);
                self.delta(|delta| delta.fixed = facts);
            }
            ("risk.score", Reading::Int(score)) => {
                self.assessment.score = u8::try_from(*score).unwrap_or(100).min(100);
            }
            _ => {
                self.stated.insert(index, value);
            }
        }
        Ok(())
    }

    /// Gives the change the sides that its kind has.
    fn of_kind(&mut self, kind: &str) {
        let (old, new) = (Version::new(1, 0, 0), Version::new(1, 0, 1));
        let one = |version: &Version| vec![release(version.clone())];
        let both = || vec![release(old.clone()), release(new.clone())];
        let other = |mut release: Release, other_checksum: bool| {
            if other_checksum {
                release.checksum = Some("11".repeat(32));
            } else {
                release.source = Source::Git {
                    url: "https://git.example/package".to_owned(),
                    reference: None,
                    rev: None,
                };
            }
            vec![release]
        };
        let (kind, from, to) = match kind {
            "added" => (ChangeKind::Added, Vec::new(), one(&new)),
            "removed" => (ChangeKind::Removed, one(&old), Vec::new()),
            "downgraded" => (ChangeKind::Downgraded, one(&new), one(&old)),
            "duplicated" => (ChangeKind::Duplicated, one(&old), both()),
            "merged" => (ChangeKind::Merged, both(), one(&new)),
            "source-moved" => {
                let moved = other(release(old.clone()), false);
                (ChangeKind::SourceMoved, one(&old), moved)
            }
            "content-changed" => {
                let changed = other(release(old.clone()), true);
                (ChangeKind::ContentChanged, one(&old), changed)
            }
            "features-changed" => (ChangeKind::FeaturesChanged, one(&old), one(&old)),
            "placement-changed" => (ChangeKind::PlacementChanged, one(&old), one(&old)),
            _ => (ChangeKind::Upgraded, one(&old), one(&new)),
        };
        (self.change.kind, self.change.from, self.change.to) = (kind, from, to);
    }

    fn role(&mut self, role: Role, on: bool) {
        let roles = &mut self.change.placement.roles;
        if on {
            // Those two stand alone.
            if matches!(role, Role::Dev | Role::Unbuilt) {
                roles.clear();
            } else {
                roles.remove(&Role::Dev);
                roles.remove(&Role::Unbuilt);
            }
            roles.insert(role);
        } else {
            roles.remove(&role);
            if roles.is_empty() {
                roles.insert(Role::Unbuilt);
            }
        }
    }

    fn delta(&mut self, edit: impl FnOnce(&mut AdvisoryDelta)) {
        if let Finding::Seen(delta) = &mut self.dossier.advisories {
            edit(delta);
        }
    }

    fn advisories(&self, ids: &[Cow<'static, str>]) -> Vec<AdvisoryFact> {
        let version = self.change.to.first().or_else(|| self.change.from.first());
        let version = version.map_or(Version::new(1, 0, 1), |release| release.version.clone());
        ids.iter()
            .map(|id| AdvisoryFact {
                id: id.to_string(),
                aliases: Vec::new(),
                package: self.change.package.clone(),
                version: version.clone(),
                date: self.as_of,
                informational: None,
                categories: Vec::new(),
                severity: None,
                patched: Vec::new(),
            })
            .collect()
    }
}

fn release(version: Version) -> Release {
    Release {
        version,
        source: Source::CratesIo,
        checksum: Some("00".repeat(32)),
    }
}

fn published(as_of: Date, age_days: f64) -> Finding<Published> {
    let at = as_of
        .to_zoned(TimeZone::UTC)
        .ok()
        .zip(SignedDuration::try_from_secs_f64(age_days * 86_400.0).ok())
        .and_then(|(day, age)| day.timestamp().checked_sub(age).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH);
    Finding::Seen(Published { at, age_days })
}

fn set_version(side: &mut [Release], text: &str) -> Result<(), String> {
    let version: Version = text.parse().map_err(|_| {
        format!(
            "`{}` is not a version, such as \"1.0.1\"",
            text.escape_debug()
        )
    })?;
    match side.last_mut() {
        Some(release) => release.version = version,
        None => return Err("a change of this kind has no release on this side".to_owned()),
    }
    Ok(())
}

fn source(text: &str) -> Result<Source, String> {
    match text {
        "crates.io" => Ok(Source::CratesIo),
        "local" => Ok(Source::Local),
        _ => Source::parse(text).map_err(|_| {
            "`change.source` must be \"crates.io\", \"local\", or a source as lock files have it, \
             such as \"git+https://…\" or \"sparse+https://…\""
                .to_owned()
        }),
    }
}
