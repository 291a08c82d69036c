//! Two snapshots in, the changes between them out; and which change forced
//! which. Pure: no IO, no clock, no judgement of what a change is worth.
//!
//! Imports: pkg, snapshot.

mod attribution;
mod draft;
mod forest;
mod identity;
mod pairing;
mod paths;
mod reason;
mod side;

use std::collections::{BTreeMap, BTreeSet};

use crate::pkg::{Release, Source, Step};
use crate::snapshot::{
    DeclaredRequirements, InputKind, PackageManifest, Placement, Snapshot, Workspace,
};

/// What kind of difference a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// A name that was not there.
    Added,
    /// A name that is gone.
    Removed,
    /// One version in the place of a lower one.
    Upgraded,
    /// One version in the place of a higher one.
    Downgraded,
    /// A further version of a name that stays.
    Duplicated,
    /// A version less of a name that stays.
    Merged,
    /// The same name from another place.
    SourceMoved,
    /// The same version with another checksum, or another commit of the same version.
    ContentChanged,
    /// The same release with other features.
    FeaturesChanged,
    /// The same release compiled elsewhere in the build.
    PlacementChanged,
}

impl ChangeKind {
    /// The name used in reports and policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Upgraded => "upgraded",
            Self::Downgraded => "downgraded",
            Self::Duplicated => "duplicated",
            Self::Merged => "merged",
            Self::SourceMoved => "source-moved",
            Self::ContentChanged => "content-changed",
            Self::FeaturesChanged => "features-changed",
            Self::PlacementChanged => "placement-changed",
        }
    }

    /// The kind that the same difference has when base and head change places.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Added => Self::Removed,
            Self::Removed => Self::Added,
            Self::Upgraded => Self::Downgraded,
            Self::Downgraded => Self::Upgraded,
            Self::Duplicated => Self::Merged,
            Self::Merged => Self::Duplicated,
            Self::SourceMoved
            | Self::ContentChanged
            | Self::FeaturesChanged
            | Self::PlacementChanged => self,
        }
    }
}

/// Why a change is not a decision of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForcedBy {
    /// The update root: the change at the start of the chain.
    pub root: String,
    /// The chain from the root to the change just before this one, by change id.
    pub chain: Vec<String>,
    /// The last step of the chain in words, such as
    /// "`image 0.25.2` requires `png ^0.17.14`".
    pub because: String,
}

/// Features gained and lost, by side.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FeatureDelta {
    /// Gained on the target side.
    pub target_gained: BTreeSet<String>,
    /// Lost on the target side.
    pub target_lost: BTreeSet<String>,
    /// Gained on the host side.
    pub host_gained: BTreeSet<String>,
    /// Lost on the host side.
    pub host_lost: BTreeSet<String>,
}

impl FeatureDelta {
    /// Whether nothing was gained or lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.target_gained.is_empty()
            && self.target_lost.is_empty()
            && self.host_gained.is_empty()
            && self.host_lost.is_empty()
    }
}

/// One difference between two snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Unique within one difference and stable: the package name, or
    /// `name@version` where a name has several changes.
    pub id: String,
    /// The package name.
    pub package: String,
    /// What kind of difference it is.
    pub kind: ChangeKind,
    /// The releases on the base side, sorted. For `Duplicated` and `Merged` all
    /// live versions of the name.
    pub from: Vec<Release>,
    /// The releases on the head side, sorted.
    pub to: Vec<Release>,
    /// Where it stands in the head, or in the base when it is removed.
    pub placement: Placement,
    /// Where it stood in the base, when it is on both sides.
    pub placement_before: Option<Placement>,
    /// Features gained and lost, when it is on both sides.
    pub features: FeatureDelta,
    /// What forced it; `None` for an update root.
    pub forced_by: Option<ForcedBy>,
    /// The changes that this one forced, directly or through others, by id, sorted.
    pub forces: Vec<String>,
    /// Shortest paths from workspace members, by package name, at most
    /// [`MAX_PATHS`]; in the base graph when it is removed.
    pub paths: Vec<Vec<String>>,
    /// The workspaces it happens in, sorted.
    pub workspaces: Vec<String>,
    /// Names of direct dependencies that the incoming release has and the outgoing had not, sorted.
    pub dependencies_gained: Vec<String>,
    /// Names of direct dependencies that the outgoing release had and the incoming has not, sorted.
    pub dependencies_lost: Vec<String>,
    /// What the manifest of the outgoing release says, where it was read.
    pub manifest_before: Option<PackageManifest>,
    /// What the manifest of the incoming release says, where it was read.
    pub manifest_after: Option<PackageManifest>,
    /// The line of the incoming release in the head's lock file, where there is one.
    pub lock_line: Option<(String, u32)>,
}

/// How many paths a change carries at most.
pub const MAX_PATHS: usize = 4;

impl Change {
    /// The release that comes in: on the head side and not on the base side.
    /// None comes in with `Removed` and `Merged`.
    #[must_use]
    pub fn incoming(&self) -> Option<&Release> {
        match self.kind {
            ChangeKind::Removed | ChangeKind::Merged => None,
            ChangeKind::Added
            | ChangeKind::Upgraded
            | ChangeKind::Downgraded
            | ChangeKind::Duplicated
            | ChangeKind::SourceMoved
            | ChangeKind::ContentChanged
            | ChangeKind::FeaturesChanged
            | ChangeKind::PlacementChanged => self.only_in(&self.to, &self.from),
        }
    }

    /// The release that goes out: on the base side and not on the head side.
    /// None goes out with `Added` and `Duplicated`.
    #[must_use]
    pub fn outgoing(&self) -> Option<&Release> {
        match self.kind {
            ChangeKind::Added | ChangeKind::Duplicated => None,
            ChangeKind::Removed
            | ChangeKind::Upgraded
            | ChangeKind::Downgraded
            | ChangeKind::Merged
            | ChangeKind::SourceMoved
            | ChangeKind::ContentChanged
            | ChangeKind::FeaturesChanged
            | ChangeKind::PlacementChanged => self.only_in(&self.from, &self.to),
        }
    }

    /// The step from the outgoing release to the incoming one.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        Some(Step::between(
            &self.outgoing()?.version,
            &self.incoming()?.version,
        ))
    }

    /// What one side has and the other has not. Where all live versions are
    /// listed that may be several; then it is the one that the id names.
    fn only_in<'a>(&self, side: &'a [Release], other: &[Release]) -> Option<&'a Release> {
        let all_versions = matches!(self.kind, ChangeKind::Duplicated | ChangeKind::Merged);
        let same = |a: &Release, b: &Release| {
            a.version == b.version
                && same_state(&a.source, &b.source)
                && (all_versions || a.checksum == b.checksum)
        };
        let candidates = side
            .iter()
            .filter(|a| !other.iter().any(|b| same(a, b)))
            .collect();
        identity::named_by(self, candidates)
    }
}

/// Whether two sources are the same state of the same place: what a git source
/// was asked for does not count, the commit does.
fn same_state(a: &Source, b: &Source) -> bool {
    match (a, b) {
        (Source::Git { rev: a_rev, .. }, Source::Git { rev: b_rev, .. }) => {
            a_rev == b_rev && a.same_place(b)
        }
        _ => a == b,
    }
}

/// All changes between two snapshots, sorted by id.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GraphDiff {
    /// The changes, sorted by id.
    pub changes: Vec<Change>,
    /// `sha256:…` over the canonical form of the changes and of all third-party
    /// packages of both sides, with versions, sources and checksums.
    pub digest: String,
    /// The ids of the changes that the tree's own manifests ask for, as far as
    /// that can be told. A root that is not among them moved in the lock file only.
    pub asked_for: BTreeSet<String>,
    /// What kept attribution from being complete, in words; empty when it is.
    pub attribution_notes: Vec<String>,
}

/// A decision: an update root and what it forced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The update root.
    pub root: &'a Change,
    /// The changes that it forced, directly or through others, sorted by id.
    pub forced: Vec<&'a Change>,
}

impl GraphDiff {
    /// The update roots, sorted by id.
    pub fn roots(&self) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(|change| change.forced_by.is_none())
    }

    /// The update roots with what they forced, sorted by the root's id. Each
    /// change is in exactly one of them.
    #[must_use]
    pub fn decisions(&self) -> Vec<Decision<'_>> {
        let mut forced: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for change in &self.changes {
            if let Some(by) = &change.forced_by {
                forced.entry(&by.root).or_default().push(change);
            }
        }
        self.roots()
            .map(|root| Decision {
                root,
                forced: forced.remove(root.id.as_str()).unwrap_or_default(),
            })
            .collect()
    }

    /// The update roots that went back to a lower version though no manifest
    /// asks for it. Many of them at once are the mark of a stale merge.
    pub fn unasked_downgrades(&self) -> impl Iterator<Item = &Change> {
        self.roots().filter(|root| {
            root.kind == ChangeKind::Downgraded && !self.asked_for.contains(&root.id)
        })
    }

    /// The change with an id.
    #[must_use]
    pub fn change(&self, id: &str) -> Option<&Change> {
        let at = self
            .changes
            .binary_search_by(|change| change.id.as_str().cmp(id))
            .ok()?;
        self.changes.get(at)
    }
}

/// All changes between two snapshots. Workspaces are compared by path; one that
/// is on one side only has all of its packages added or removed. `declared` has
/// the requirements of packages whose edges carry none, and may be empty.
#[must_use]
pub fn diff(base: &Snapshot, head: &Snapshot, declared: &DeclaredRequirements) -> GraphDiff {
    let pairs = paired_workspaces(base, head);
    let ((changes, asked_for, attribution_notes), packages) = rayon::join(
        || {
            let drafts = pairs
                .iter()
                .enumerate()
                .flat_map(|(at, pair)| draft::drafts(at, pair))
                .collect();
            let mut drafts = draft::merged(drafts);
            identity::name_all(&mut drafts);
            drafts.sort_by(|a, b| a.change.id.cmp(&b.change.id));
            let (asked_for, notes) = attribution::attribute(&pairs, declared, &mut drafts);
            let changes: Vec<Change> = drafts.into_iter().map(|draft| draft.change).collect();
            (changes, asked_for, notes)
        },
        || identity::packages(&pairs),
    );
    GraphDiff {
        digest: identity::digest(&changes, &packages),
        changes,
        asked_for,
        attribution_notes,
    }
}

fn paired_workspaces<'a>(base: &'a Snapshot, head: &'a Snapshot) -> Vec<draft::Pair<'a>> {
    let mut by_path: BTreeMap<&str, (Option<&Workspace>, Option<&Workspace>)> = BTreeMap::new();
    for workspace in &base.workspaces {
        by_path.entry(&workspace.path).or_default().0 = Some(workspace);
    }
    for workspace in &head.workspaces {
        by_path.entry(&workspace.path).or_default().1 = Some(workspace);
    }
    let pair = |(path, (old, new)): (&str, (Option<&'a Workspace>, Option<&'a Workspace>))| {
        let (base, head_side) = rayon::join(|| old.map(side::Side::of), || new.map(side::Side::of));
        let resolved = match (&base, &head_side) {
            (Some(base), Some(head)) => (base.is_resolved(), head.is_resolved()),
            _ => (true, true),
        };
        let (base, head_side) = (base.unwrap_or_default(), head_side.unwrap_or_default());
        let pairing = pairing::pair(&base, &head_side);
        let lock = lock_path(head, path);
        draft::Pair {
            path: path.to_owned(),
            lock,
            base,
            head: head_side,
            pairing,
            resolved,
        }
    };
    by_path.into_iter().map(pair).collect()
}

/// Where the lock file of a workspace is: the input itself, or below the root.
fn lock_path(snapshot: &Snapshot, workspace: &str) -> String {
    match (snapshot.input.kind, workspace) {
        (InputKind::Lock, _) => snapshot.input.given.clone(),
        (_, "" | ".") => "Cargo.lock".to_owned(),
        (_, path) => format!("{path}/Cargo.lock"),
    }
}
