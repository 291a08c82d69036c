//! The pipeline. Read [`run`] from top to bottom to know the program.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::advisories::Store;
use crate::diff::{self, GraphDiff};
use crate::facts::{Finding, Gap};
use crate::host::Host;
use crate::ledger::Place;
use crate::pkg::{PackageId, Source};
use crate::policy::{self, Around, Decision, LedgerTerms, Policy, Present, Subject, Verdict};
use crate::registry::{Access, Freshness, PublisherApi, Registry};
use crate::risk::Model;
use crate::snapshot::{
    self, BuildName, BuildSettings, DeclaredRequirements, GraphKind, GraphMode, NotCovered, Opened,
    Snapshot,
};

use super::assessed::{self, Assessed, Known};
use super::data::{
    Audit, Comparison, Coverage, DataStatus, JudgedChange, PreExisting, Side, WithdrawnPackage,
};
use super::evidence::{self, EvidenceDesk, EvidenceFound, EvidenceSources};
use super::{AuditError, artifact, gather, past, ratchet, rules, vet, young};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The repository that revisions are looked up in.
    pub repository: PathBuf,
    /// The build that is known.
    pub base: BuildName,
    /// The build that is asked about.
    pub head: BuildName,
    /// A policy from outside; otherwise the base's, otherwise the built-in one.
    pub policy: Option<PolicyChoice>,
    /// Target triples in the place of the policy's.
    pub targets: Vec<String>,
    /// Features in the place of the policy's.
    pub features: Option<snapshot::FeatureChoice>,
    /// Which way to the graph.
    pub graph: GraphMode,
    /// The day of judgement; now, when it is not given.
    pub as_of: Option<Timestamp>,
    /// Use only what is cached.
    pub locked_data: bool,
    /// Ask who published the releases that come in.
    pub publishers: Option<PublisherApi>,
    /// Where caches are kept, in the place of the user's cache directory.
    pub cache_dir: Option<PathBuf>,
    /// Where evidence is looked for.
    pub evidence: EvidenceSources,
    /// The ledger whose history counts.
    pub ledger: LedgerChoice,
}

/// Which ledger is asked what came of earlier updates.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum LedgerChoice {
    /// The one that the policy names.
    #[default]
    OfPolicy,
    /// This one.
    At(Place),
    /// None, whatever the policy says.
    Never,
}

/// A policy from outside of the audited builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyChoice {
    /// A file.
    File(PathBuf),
    /// One that comes with the program.
    BuiltIn(String),
}

/// What is under way, for a progress line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The graphs of both builds are being read.
    ReadingBuilds,
    /// The graphs are being compared.
    Comparing,
    /// Facts of this many changes are being gathered.
    Gathering(usize),
    /// The policy is being applied.
    Judging,
}

/// How long an index entry of our own cache counts as current.
const INDEX_AGE: Duration = Duration::from_secs(15 * 60);

/// Audits the difference between two builds.
///
/// # Errors
/// When a build cannot be read, the two are the same by accident, or the policy
/// is not valid. A fact that cannot be had is no error: it is a gap in the result.
pub fn run(request: &Request, host: &Host, on_event: &dyn Fn(Event)) -> Result<Audit, AuditError> {
    judge(request, host, None, None, on_event)
}

/// As [`run`], with advisories, incidents and model at hand: for many audits by
/// one state of knowledge.
///
/// # Errors
/// As [`run`].
pub fn run_knowing(
    request: &Request,
    host: &Host,
    known: &Known,
    on_event: &dyn Fn(Event),
) -> Result<Audit, AuditError> {
    judge(request, host, Some(known), None, on_event)
}

pub(super) fn judge(
    request: &Request,
    host: &Host,
    at_hand: Option<&Known>,
    head_lock: Option<&str>,
    on_event: &dyn Fn(Event),
) -> Result<Audit, AuditError> {
    let mut builds = open(request, host)?;
    if let Some(lock) = head_lock {
        builds.head = builds.head.with_lock(lock);
    }
    let (policy, origin) = rules::choose(request, &builds, host)?;
    let registry = Registry::open(host, access(request, host));
    let mut read = None;
    let compared = rayon::in_place_scope(|scope| {
        if at_hand.is_none() {
            scope.spawn(|_| read = Some(knowledge(request, &builds, host)));
        }
        let facts = Freshness::Current;
        compare_opened(
            request,
            &builds,
            policy.build(),
            (&registry, facts),
            host,
            on_event,
        )
    })?;
    let (snapshots, comparison) = (compared.snapshots, compared.comparison);
    let own;
    let known = match at_hand {
        Some(known) => known,
        None => {
            own = read.unwrap_or_else(|| knowledge(request, &builds, host))?;
            &own
        }
    };

    on_event(Event::Gathering(comparison.diff.changes.len()));
    let changes = &comparison.diff.changes;
    let past = past::Past::read(request, &builds, &origin, &comparison, host);
    let assessed = assessed::all(
        request,
        &snapshots,
        &comparison,
        &registry,
        known,
        &past,
        host,
    );

    on_event(Event::Judging);
    let subjects: Vec<Subject<'_>> = assessed
        .iter()
        .map(|(change, dossier, links, assessment)| Subject {
            change,
            dossier,
            links,
            assessment,
        })
        .collect();
    let judged = Judged {
        policy: &policy,
        builds: &builds,
        snapshots: &snapshots,
        registry: &registry,
        advisories: &known.advisories,
        changes,
        as_of: comparison.as_of,
    };
    let mut verdict = judged.by(&subjects)?;
    past::speak(&past, &subjects, &mut verdict);
    drop(subjects);
    let evidence = if evidence::canaries(&verdict).next().is_some() {
        let desk = EvidenceDesk::new(request, &builds, &policy, &comparison, host);
        let ids: Vec<&str> = changes.iter().map(|change| change.id.as_str()).collect();
        desk.apply(&mut verdict, &ids, host)
    } else {
        EvidenceFound::default()
    };
    let changes = with_decisions(assessed, &verdict.by_change);
    Ok(Audit {
        pre_existing: pre_existing(&snapshots, &registry, &known.advisories, comparison.as_of),
        data: data_status(&registry, &known.advisories),
        comparison,
        changes,
        verdict,
        evidence,
        policy: origin,
        work: host.work(),
    })
}

/// What is known for one audit: the newest advisories, the repository's own
/// incidents beside the built-in ones, the model.
fn knowledge(request: &Request, builds: &Builds<'_>, host: &Host) -> Result<Known, AuditError> {
    Ok(Known {
        advisories: Store::open(host, request.cache_dir(host).as_deref()),
        catalogue: rules::catalogue(&builds.base)?,
        model: Model::built_in().map_err(AuditError::Model)?,
    })
}

/// What a difference is judged with.
struct Judged<'a, 'h> {
    policy: &'a policy::Policy,
    builds: &'a Builds<'h>,
    snapshots: &'a (Snapshot, Snapshot),
    registry: &'a Registry<'h>,
    advisories: &'a Store,
    changes: &'a [diff::Change],
    as_of: Timestamp,
}

impl Judged<'_, '_> {
    /// The verdict, with the base's record and the audits of cargo vet.
    fn by(&self, subjects: &[Subject<'_>]) -> Result<Verdict, AuditError> {
        let present = Present::of(&self.snapshots.1);
        let news = ratchet::news(
            ratchet::record(&self.builds.base)?,
            (&self.snapshots.0, &self.snapshots.1),
            self.registry,
            self.advisories,
            self.as_of,
        );
        let (vetted, unread) = vet::vetted(self.changes, &self.builds.base, &self.builds.head);
        let around = Around {
            present: Some(&present),
            ratchet: Some(&news),
            vetted: &vetted,
        };
        let mut verdict = policy::decide_among(self.policy, subjects, &around, day(self.as_of));
        let unread = unread.into_iter().map(|text| policy::Notice {
            rule: "vet".to_owned(),
            change: None,
            text,
        });
        let young = young::notice(self.policy, self.snapshots, self.registry, self.as_of);
        verdict.notices.extend(young.into_iter().chain(unread));
        Ok(verdict)
    }
}

/// Compares two builds without judging the difference.
///
/// # Errors
/// As [`run`].
pub fn compare(
    request: &Request,
    host: &Host,
    on_event: &dyn Fn(Event),
) -> Result<Comparison, AuditError> {
    compare_with_policy(request, host, on_event).map(|(_, _, comparison)| comparison)
}

/// As [`compare`], with the ledger that the policy names.
///
/// # Errors
/// As [`run`].
pub fn compare_for_trial(
    request: &Request,
    host: &Host,
    on_event: &dyn Fn(Event),
) -> Result<(Comparison, LedgerTerms), AuditError> {
    let (_, policy, comparison) = compare_with_policy(request, host, on_event)?;
    Ok((comparison, policy.ledger().clone()))
}

/// The comparison with what it is made of, and the policy that would judge it.
pub(super) fn compare_with_policy<'h>(
    request: &Request,
    host: &'h Host,
    on_event: &dyn Fn(Event),
) -> Result<(Builds<'h>, Policy, Comparison), AuditError> {
    let builds = open(request, host)?;
    let (policy, _) = rules::choose(request, &builds, host)?;
    let registry = Registry::open(host, access(request, host));
    let graph_only = (&registry, Freshness::Holding);
    let compared = compare_opened(request, &builds, policy.build(), graph_only, host, on_event)?;
    Ok((builds, policy, compared.comparison))
}

fn with_decisions(assessed: Vec<Assessed<'_>>, decisions: &[Decision]) -> Vec<JudgedChange> {
    assessed
        .into_iter()
        .zip(decisions)
        .map(
            |((change, dossier, links, assessment), decision)| JudgedChange {
                change: change.clone(),
                dossier,
                links,
                assessment,
                decision: *decision,
            },
        )
        .collect()
}

impl Request {
    /// Where caches are kept.
    #[must_use]
    pub fn cache_dir(&self, host: &Host) -> Option<PathBuf> {
        self.cache_dir.clone().or_else(|| host.env.cache_dir())
    }
}

/// Both builds, opened and found to be different.
pub(super) struct Builds<'h> {
    pub(super) base: Opened<'h>,
    pub(super) head: Opened<'h>,
}

fn open<'h>(request: &Request, host: &'h Host) -> Result<Builds<'h>, AuditError> {
    let base = snapshot::open(&request.base, &request.repository, host).map_err(|source| {
        AuditError::Base {
            source: Box::new(source),
        }
    })?;
    let head = snapshot::open(&request.head, &request.repository, host).map_err(|source| {
        AuditError::Head {
            source: Box::new(source),
        }
    })?;
    snapshot::ensure_distinct(&base, &head).map_err(|source| AuditError::Head {
        source: Box::new(source),
    })?;
    Ok(Builds { base, head })
}

/// What the registry may do for a request.
#[must_use]
pub fn access(request: &Request, host: &Host) -> Access {
    Access {
        cache_dir: request.cache_dir(host),
        cargo_home: host.env.cargo_home(),
        user_home: host.env.home(),
        fetch: !request.locked_data && host.net.is_some(),
        max_age: INDEX_AGE,
    }
}

/// The builds that are asked for, else those that are shipped.
pub(super) fn settings(request: &Request, shipped: &BuildSettings) -> BuildSettings {
    BuildSettings {
        targets: if request.targets.is_empty() {
            shipped.targets.clone()
        } else {
            request.targets.clone()
        },
        features: request
            .features
            .clone()
            .unwrap_or_else(|| shipped.features.clone()),
    }
}

struct Compared {
    snapshots: (Snapshot, Snapshot),
    comparison: Comparison,
}

fn compare_opened(
    request: &Request,
    builds: &Builds<'_>,
    shipped: &BuildSettings,
    (registry, incoming): (&Registry<'_>, Freshness),
    host: &Host,
    on_event: &dyn Fn(Event),
) -> Result<Compared, AuditError> {
    let settings = settings(request, shipped);
    on_event(Event::ReadingBuilds);
    let pair = (&builds.base, &builds.head);
    let (base, head) =
        snapshot::load_both(pair, &settings, request.graph, incoming, registry, host);
    let base = base.map_err(|source| AuditError::Base {
        source: Box::new(source),
    })?;
    let head = head.map_err(|source| AuditError::Head {
        source: Box::new(source),
    })?;
    on_event(Event::Comparing);
    let mut diff = difference(&base, &head, registry);
    let uncompiled = artifact::leave_out_uncompiled(&base, &head, &mut diff);
    let as_of = request.as_of.unwrap_or_else(|| host.clock.now());
    // Fractions of a second say nothing about a release, and clutter every report.
    let as_of = Timestamp::from_second(as_of.as_second()).unwrap_or(as_of);
    let comparison = Comparison {
        as_of,
        base: side(&base),
        head: side(&head),
        coverage: coverage(&base, &head, uncompiled),
        gaps: graph_gaps(&base, &head, &diff),
        diff,
    };
    Ok(Compared {
        snapshots: (base, head),
        comparison,
    })
}

/// The difference. Where a graph was built without requirements, those of the
/// changed packages are taken from the index, so that attribution can use them.
fn difference(base: &Snapshot, head: &Snapshot, registry: &Registry<'_>) -> GraphDiff {
    let first = diff::diff(base, head, &DeclaredRequirements::new());
    let coarse = |side: &Snapshot| {
        side.workspaces
            .iter()
            .any(|workspace| matches!(workspace.graph, GraphKind::LockOnly | GraphKind::Claim))
    };
    if first.changes.is_empty() || !(coarse(base) || coarse(head)) {
        return first;
    }
    gather::prefetch(registry, &first.changes);
    let mut declared = DeclaredRequirements::new();
    for change in &first.changes {
        for release in change.from.iter().chain(&change.to) {
            let Finding::Seen(record) = registry.record(&release.source, &change.package) else {
                continue;
            };
            if let Some(Ok(entry)) = record.release(&release.version) {
                let id = PackageId {
                    name: change.package.clone(),
                    version: release.version.clone(),
                    source: release.source.clone(),
                };
                declared.insert(id, entry.dependencies);
            }
        }
    }
    if declared.is_empty() {
        first
    } else {
        diff::diff(base, head, &declared)
    }
}

fn side(snapshot: &Snapshot) -> Side {
    let packages = snapshot
        .workspaces
        .iter()
        .flat_map(|workspace| &workspace.packages)
        .filter(|package| package.id.source != Source::Local)
        .count();
    Side {
        input: snapshot.input.clone(),
        packages,
    }
}

fn coverage(base: &Snapshot, head: &Snapshot, uncompiled: Option<NotCovered>) -> Coverage {
    let both = || base.workspaces.iter().chain(&head.workspaces);
    let workspaces: BTreeSet<&String> = both().map(|workspace| &workspace.path).collect();
    let not_covered = base.not_covered.iter().chain(&head.not_covered);
    let not_covered: BTreeSet<_> = not_covered.chain(&uncompiled).collect();
    let coarseness = |kind: GraphKind| match kind {
        GraphKind::Direct => 0,
        GraphKind::Cargo => 1,
        GraphKind::Metadata => 2,
        GraphKind::LockOnly => 3,
        GraphKind::Claim => 4,
    };
    Coverage {
        workspaces: workspaces.into_iter().cloned().collect(),
        not_covered: not_covered.into_iter().cloned().collect(),
        graph: both()
            .map(|workspace| workspace.graph)
            .max_by_key(|kind| coarseness(*kind))
            .unwrap_or(GraphKind::LockOnly),
    }
}

/// Gaps of the graphs that concern the whole, or a package that changed.
fn graph_gaps(base: &Snapshot, head: &Snapshot, diff: &GraphDiff) -> Vec<(Option<PackageId>, Gap)> {
    let changed: BTreeSet<&str> = diff
        .changes
        .iter()
        .map(|change| change.package.as_str())
        .collect();
    let gaps: BTreeSet<(Option<PackageId>, Gap)> = base
        .workspaces
        .iter()
        .chain(&head.workspaces)
        .flat_map(|workspace| &workspace.gaps)
        .filter(|(package, _)| {
            package
                .as_ref()
                .is_none_or(|id| changed.contains(id.name.as_str()))
        })
        .cloned()
        .collect();
    gaps.into_iter().collect()
}

/// What was there before: advisories and withdrawals of packages that are the
/// same in both builds.
fn pre_existing(
    (base, head): &(Snapshot, Snapshot),
    registry: &Registry<'_>,
    advisories: &Store,
    as_of: Timestamp,
) -> PreExisting {
    let ids = |snapshot: &Snapshot| -> BTreeSet<PackageId> {
        snapshot
            .workspaces
            .iter()
            .flat_map(|workspace| &workspace.packages)
            .map(|package| package.id.clone())
            .filter(|id| id.source != Source::Local)
            .collect()
    };
    let (before, after) = (ids(base), ids(head));
    let both: Vec<&PackageId> = after.intersection(&before).collect();
    let mut found = PreExisting {
        advisories: both
            .iter()
            .flat_map(|id| advisories.applying(id, as_of))
            .collect(),
        ..PreExisting::default()
    };
    found
        .advisories
        .sort_by(|a, b| (&a.package, &a.version, &a.id).cmp(&(&b.package, &b.version, &b.id)));
    // The index entries of unchanged packages are there when the graph was built
    // from them; they are not fetched for this alone.
    for id in both.iter().filter(|id| id.source.is_registry()) {
        let Some(record) = registry.remembered(&id.source, &id.name) else {
            continue;
        };
        found.yanked_looked_at = true;
        let withdrawn = record.line(&id.version).is_some_and(|line| line.yanked);
        let as_of_then = record.origin().time().duration_since(as_of).as_secs() <= 86_400;
        if withdrawn && as_of_then {
            found.yanked.push(WithdrawnPackage { id: (*id).clone() });
        }
    }
    found
}

/// The day of a time, in UTC.
pub(super) fn day(time: Timestamp) -> jiff::civil::Date {
    time.to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn data_status(registry: &Registry<'_>, advisories: &Store) -> DataStatus {
    DataStatus {
        advisories_from: advisories.origin().to_string(),
        advisories_of: advisories.snapshot_date(),
        advisories: advisories.count(),
        index_of: registry.oldest_data(),
    }
}
