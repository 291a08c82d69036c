//! The JSON report, schema version 1. Keys are kebab-case; keys may be added,
//! none is renamed.

mod replay;
mod shape;
mod source;

use crate::audit::{Audit, Comparison, JudgedChange, Side};
use crate::diff::Change;
use crate::facts::{AdvisoryFact, Gap, Publisher, PublisherDelta};
use crate::pkg::Release;
use crate::policy::{Notice, Reason};
use crate::snapshot::{Placement, Role};

use super::TOOL;
pub(super) use replay::replay;

/// The version of the shape that this module writes.
pub(super) const SCHEMA_VERSION: u32 = 1;

pub(super) fn check(audit: &Audit) -> Vec<u8> {
    bytes(&whole(audit, audit.changes.iter().collect()))
}

pub(super) fn explain(audit: &Audit, changes: &[&JudgedChange]) -> Vec<u8> {
    bytes(&whole(audit, changes.to_vec()))
}

pub(super) fn diff(comparison: &Comparison) -> Vec<u8> {
    bytes(&shape::Report {
        changes: comparison.diff.changes.iter().map(bare_change).collect(),
        ..frame(comparison)
    })
}

fn bytes(report: &shape::Report<'_>) -> Vec<u8> {
    // Only maps with keys that are not text, and failing `Serialize`
    // implementations, can make this fail; the shapes have neither.
    let mut bytes = serde_json::to_vec_pretty(report).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The part that `diff` and `check` share.
fn frame(comparison: &Comparison) -> shape::Report<'_> {
    let coverage = &comparison.coverage;
    shape::Report {
        schema_version: SCHEMA_VERSION,
        tool: shape::Tool {
            name: TOOL.name,
            version: TOOL.version,
        },
        as_of: comparison.as_of.to_string(),
        base: side(&comparison.base),
        head: side(&comparison.head),
        diff_digest: &comparison.diff.digest,
        policy: None,
        verdict: None,
        evidence: None,
        changes: Vec::new(),
        pre_existing: None,
        coverage: shape::Coverage {
            workspaces: &coverage.workspaces,
            not_covered: coverage
                .not_covered
                .iter()
                .map(|left| shape::NotCovered {
                    path: &left.path,
                    reason: &left.reason,
                })
                .collect(),
            graph: coverage.graph.as_str(),
        },
        data: None,
        gaps: comparison
            .gaps
            .iter()
            .map(|(package, gap)| shape::Gap {
                package: package.as_ref().map(ToString::to_string),
                ..owned_gap(gap)
            })
            .collect(),
        attribution_notes: &comparison.diff.attribution_notes,
    }
}

fn whole<'a>(audit: &'a Audit, changes: Vec<&'a JudgedChange>) -> shape::Report<'a> {
    let frame = frame(&audit.comparison);
    let mut gaps = frame.gaps;
    for judged in &changes {
        gaps.extend(judged.dossier.gaps().iter().map(|gap| shape::Gap {
            change: Some(judged.change.id.clone()),
            ..owned_gap(gap)
        }));
    }
    shape::Report {
        policy: Some(shape::Policy {
            name: &audit.policy.name,
            read_from: &audit.policy.read_from,
            edited_by_change: audit.policy.edited_by_change,
        }),
        verdict: Some(shape::Verdict {
            decision: audit.verdict.decision.as_str(),
            reasons: audit.verdict.reasons.iter().map(reason).collect(),
            notices: audit.verdict.notices.iter().map(notice).collect(),
        }),
        evidence: Some(super::evidence::shape::of(audit)),
        changes: changes.into_iter().map(judged_change).collect(),
        pre_existing: Some(shape::PreExisting {
            advisories: audit.pre_existing.advisories.iter().map(advisory).collect(),
            yanked: audit
                .pre_existing
                .yanked
                .iter()
                .map(|left| left.id.to_string())
                .collect(),
            yanked_looked_at: audit.pre_existing.yanked_looked_at,
        }),
        data: Some(shape::Data {
            advisories_from: &audit.data.advisories_from,
            advisories_of: audit.data.advisories_of.to_string(),
            advisories: audit.data.advisories,
            index_of: audit.data.index_of.map(|at| at.to_string()),
        }),
        gaps,

        ..frame
    }
}

fn side(side: &Side) -> shape::Side<'_> {
    shape::Side {
        input: &side.input.given,
        kind: side.input.kind.as_str(),
        commit: side.input.commit.as_deref(),
        digest: &side.input.digest,
        packages: side.packages,
    }
}

fn release(release: &Release) -> shape::Release<'_> {
    shape::Release {
        version: release.version.to_string(),
        source: release.source.to_string(),
        checksum: release.checksum.as_deref(),
    }
}

fn placement(placement: &Placement) -> shape::Placement<'_> {
    shape::Placement {
        direct: placement.direct,
        roles: placement.roles.iter().copied().map(Role::as_str).collect(),
        targets: &placement.targets,
        members: &placement.members,
        resolved: placement.resolved,
    }
}

fn bare_change(change: &Change) -> shape::Change<'_> {
    let features = &change.features;
    shape::Change {
        id: &change.id,
        package: &change.package,
        kind: change.kind.as_str(),
        from: change.from.iter().map(release).collect(),
        to: change.to.iter().map(release).collect(),
        placement: placement(&change.placement),
        placement_before: change.placement_before.as_ref().map(placement),
        features: (!features.is_empty()).then_some(shape::Features {
            target_gained: &features.target_gained,
            target_lost: &features.target_lost,
            host_gained: &features.host_gained,
            host_lost: &features.host_lost,
        }),
        forced_by: change.forced_by.as_ref().map(|forced| forced.root.as_str()),
        forced_through: change
            .forced_by
            .as_ref()
            .map(|forced| forced.chain.as_slice()),
        forced_because: change
            .forced_by
            .as_ref()
            .map(|forced| forced.because.as_str()),
        forces: &change.forces,
        paths: &change.paths,
        workspaces: &change.workspaces,
        dependencies_gained: &change.dependencies_gained,
        dependencies_lost: &change.dependencies_lost,
        lock_line: change
            .lock_line
            .as_ref()
            .map(|(path, line)| shape::LockLine { path, line: *line }),
        risk: None,
        incidents: None,
        advisories: None,
        source: None,
        publisher: None,
        look_alike: None,
        decision: None,
        gaps: None,
    }
}

/// A probability to four places.
fn in_ten_thousand(p: f64) -> f64 {
    (p * 1e4).round() / 1e4
}

fn judged_change(judged: &JudgedChange) -> shape::Change<'_> {
    let delta = judged.dossier.advisories.seen();
    let group = |pick: fn(&crate::facts::AdvisoryDelta) -> &Vec<AdvisoryFact>| {
        delta
            .map(|delta| pick(delta).iter().map(advisory).collect())
            .unwrap_or_default()
    };
    shape::Change {
        risk: Some(shape::Risk {
            score: judged.assessment.score,
            level: judged.assessment.level.as_str(),
            likelihood: in_ten_thousand(judged.assessment.likelihood),
            faults: judged
                .assessment
                .faults
                .iter()
                .map(|(fault, p)| (fault.as_str(), in_ten_thousand(*p)))
                .collect(),
            exposure: judged.assessment.exposure,
            signals: judged
                .assessment
                .signals
                .iter()
                .map(|signal| shape::Signal {
                    id: signal.id,
                    points: signal.points,
                    because: &signal.because,
                    facts: &signal.facts,
                })
                .collect(),
        }),
        incidents: Some(
            judged
                .links
                .iter()
                .map(|link| shape::Incident {
                    id: &link.id,
                    strength: link.strength.as_str(),
                    because: &link.because,
                })
                .collect(),
        ),
        advisories: Some(shape::AdvisoryDelta {
            introduced: group(|delta| &delta.introduced),
            fixed: group(|delta| &delta.fixed),
            remaining: group(|delta| &delta.remaining),
        }),
        source: judged.dossier.source.seen().map(source::source),
        publisher: judged.dossier.publisher.seen().map(publisher),
        look_alike: judged
            .dossier
            .look_alike
            .as_ref()
            .map(|found| shape::LookAlike {
                of: &found.of,
                how: found.how,
                same_lines: found.same_lines.map(|share| (share * 1e3).round() / 1e3),
            }),
        decision: Some(judged.decision.as_str()),
        gaps: Some(judged.dossier.gaps().iter().map(owned_gap).collect()),
        ..bare_change(&judged.change)
    }
}

fn publisher(delta: &PublisherDelta) -> shape::Publisher {
    shape::Publisher {
        by: delta.incoming.to_string(),
        trusted: matches!(delta.incoming, Publisher::Trusted { .. }),
        before: delta.outgoing.as_ref().map(ToString::to_string),
        earlier: delta.earlier,
        earlier_by_same: delta.earlier_by_same,
        owners: delta.owners.clone(),
    }
}

fn advisory(fact: &AdvisoryFact) -> shape::Advisory<'_> {
    shape::Advisory {
        id: &fact.id,
        aliases: &fact.aliases,
        package: &fact.package,
        version: fact.version.to_string(),
        date: fact.date.to_string(),
        informational: fact.informational.as_deref(),
        severity: fact.severity.map(crate::facts::Severity::as_str),
        categories: &fact.categories,
        patched: &fact.patched,
    }
}

fn reason(reason: &Reason) -> shape::Reason<'_> {
    shape::Reason {
        rule: &reason.rule,
        change: reason.change.as_deref(),
        decision: reason.decision.as_str(),
        because: &reason.because,
        way_out: reason.way_out.as_deref(),
    }
}

fn notice(notice: &Notice) -> shape::Notice<'_> {
    shape::Notice {
        rule: &notice.rule,
        change: notice.change.as_deref(),
        text: &notice.text,
    }
}

fn owned_gap(gap: &Gap) -> shape::Gap {
    shape::Gap {
        fact: gap.fact.as_str(),
        change: None,
        package: None,
        reason: gap.reason.as_str(),
        detail: gap.detail.clone(),
    }
}
