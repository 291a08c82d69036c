//! Changes with their facts, built by hand for tests.

use jiff::Timestamp;

use crate::diff::{Change, ChangeKind, FeatureDelta};
use crate::facts::{
    AdvisoryDelta, AdvisoryFact, Declared, Dossier, Finding, History, LaterRelease, LaterReleases,
    Pace, Published, SourceDelta, YankCluster, Yanked,
};
use crate::incidents::{Direction, Link, Strength};
use crate::pkg::{Release, Source};
use crate::risk::{Assessment, Model, assess};
use crate::snapshot::{PackageManifest, Placement, Role};

/// A change, its facts and its links.
#[derive(Clone, Debug)]
pub(in crate::risk) struct Case {
    pub(in crate::risk) change: Change,
    pub(in crate::risk) dossier: Dossier,
    pub(in crate::risk) links: Vec<Link>,
}

/// A release of the default registry.
pub(super) fn release(version: &str) -> Release {
    Release {
        version: version.parse().unwrap(),
        source: Source::CratesIo,
        checksum: Some("00".repeat(32)),
    }
}

impl Case {
    /// A settled release in the place of a lower one, of which everything is
    /// known and nothing is unusual.
    pub(in crate::risk) fn upgrade(from: &str, to: &str) -> Self {
        let mut case = Self::added(to);
        case.change.kind = ChangeKind::Upgraded;
        case.change.from = vec![release(from)];
        case.change.placement_before = Some(case.change.placement.clone());
        case.change.manifest_before = Some(PackageManifest::default());
        case
    }

    /// A package that was not there.
    pub(in crate::risk) fn added(version: &str) -> Self {
        let placement = Placement {
            roles: [Role::Target].into(),
            resolved: true,
            ..Placement::default()
        };
        let change = Change {
            id: "some-crate".to_owned(),
            package: "some-crate".to_owned(),
            kind: ChangeKind::Added,
            from: Vec::new(),
            to: vec![release(version)],
            placement,
            placement_before: None,
            features: FeatureDelta::default(),
            forced_by: None,
            forces: Vec::new(),
            paths: Vec::new(),
            workspaces: vec![".".to_owned()],
            dependencies_gained: Vec::new(),
            dependencies_lost: Vec::new(),
            manifest_before: None,
            manifest_after: Some(PackageManifest::default()),
            lock_line: None,
        };
        let history = History {
            prior_releases: 30,
            crate_age_days: 2000.0,
            gap_before_days: Some(40.0),
            releases_90d: 2,
            versions_skipped: 0,
            pace: Pace::default(),
        };
        let dossier = Dossier {
            published: Finding::Absent("not asked".to_owned()),
            previous_published: Finding::Absent("not asked".to_owned()),
            yanked: Finding::Seen(Yanked {
                incoming: false,
                outgoing: false,
            }),
            later: Finding::Seen(LaterReleases::default()),
            yank_cluster: Finding::Seen(YankCluster {
                withdrawn: Vec::new(),
                predecessors: 3,
                only_one_left: false,
            }),
            history: Finding::Seen(history),
            advisories: Finding::Seen(AdvisoryDelta::default()),
            source: Finding::Seen(SourceDelta::default()),
            outcomes: Finding::Absent("no ledger is named".to_owned()),
            publisher: Finding::Absent("not asked for".to_owned()),
            declared: Finding::Seen(Declared::default()),
            advisories_on_record: 0,
            look_alike: None,
            other_gaps: Vec::new(),
        };
        Self {
            change,
            dossier,
            links: Vec::new(),
        }
        .published(100.0)
    }

    /// Named by a workspace member.
    pub(in crate::risk) fn direct(mut self) -> Self {
        self.change.placement.direct = true;
        self
    }

    /// With the age of the incoming release, in days.
    pub(in crate::risk) fn published(mut self, age_days: f64) -> Self {
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        self.dossier.published = Finding::Seen(Published { at, age_days });
        self
    }

    /// With another history.
    pub(in crate::risk) fn history(mut self, edit: impl FnOnce(&mut History)) -> Self {
        if let Finding::Seen(history) = &mut self.dossier.history {
            edit(history);
        }
        self
    }

    /// With the incoming release withdrawn, or not.
    pub(in crate::risk) fn yanked(mut self, incoming: bool) -> Self {
        self.dossier.yanked = Finding::Seen(Yanked {
            incoming,
            outgoing: false,
        });
        self
    }

    /// With an advisory that comes in, or goes.
    pub(in crate::risk) fn advisory(mut self, introduced: bool) -> Self {
        let fact = AdvisoryFact {
            id: "RUSTSEC-2026-0001".to_owned(),
            aliases: Vec::new(),
            package: "some-crate".to_owned(),
            version: "1.0.0".parse().unwrap(),
            date: "2026-01-01".parse().unwrap(),
            informational: None,
            categories: Vec::new(),
            severity: None,
            patched: Vec::new(),
        };
        if let Finding::Seen(delta) = &mut self.dossier.advisories {
            if introduced {
                delta.introduced.push(fact);
            } else {
                delta.fixed.push(fact);
            }
        }
        self
    }

    /// With a later release.
    pub(super) fn later(mut self, version: &str, after_days: f64) -> Self {
        let release = LaterRelease {
            version: version.parse().unwrap(),
            after_days,
            yanked: false,
        };
        self.dossier.later = Finding::Seen(LaterReleases {
            releases: vec![release],
        });
        self
    }

    /// With a link.
    pub(super) fn link(mut self, strength: Strength, direction: Direction) -> Self {
        self.links.push(Link {
            id: "an-incident".to_owned(),
            strength,
            direction,
            package: "some-crate".to_owned(),
            because: "some-crate hurt before".to_owned(),
        });
        self
    }

    /// With something changed by hand.
    pub(super) fn with(mut self, edit: impl FnOnce(&mut Self)) -> Self {
        edit(&mut self);
        self
    }

    /// What the model makes of it.
    pub(in crate::risk) fn assess(&self, model: &Model) -> Assessment {
        assess(&self.change, &self.dossier, &self.links, model)
    }
}
