//! SARIF 2.1.0: a result for each reason and each notice of the verdict, at its
//! line of the lock file; a notification for each gap; all changes with their
//! scores among the properties.

mod shape;

use std::collections::BTreeMap;

use crate::audit::{Audit, JudgedChange};
use crate::policy::Decision;

use super::safe::{clip, sarif_message, sarif_uri, visible};
use super::{TOOL, place, words};

/// The version of the method of [`place::fingerprint`] is part of the name.
const FINGERPRINT: &str = "cargoCanary/v1";

/// One result before its rule has a number.
struct Point<'a> {
    rule: &'a str,
    decision: Option<Decision>,
    change: Option<&'a str>,
    text: String,
}

pub(super) fn check(audit: &Audit) -> Vec<u8> {
    let points = points(audit);
    let mut levels: BTreeMap<&str, Option<Decision>> = BTreeMap::new();
    for point in &points {
        let level = levels.entry(point.rule).or_insert(point.decision);
        *level = (*level).max(point.decision);
    }
    let numbers: BTreeMap<&str, usize> = levels.keys().copied().zip(0..).collect();
    let log = shape::Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [shape::Run {
            tool: shape::Tool {
                driver: shape::Driver {
                    name: TOOL.name,
                    semantic_version: TOOL.version,
                    rules: levels.iter().map(|(id, level)| rule(id, *level)).collect(),
                },
            },
            invocations: [shape::Invocation {
                execution_successful: true,
                tool_execution_notifications: notifications(audit),
            }],
            column_kind: "unicodeCodePoints",
            results: points
                .iter()
                .map(|point| outcome(audit, point, &numbers))
                .collect(),
            properties: shape::Properties {
                verdict: audit.verdict.decision.as_str(),
                changes: audit.changes.iter().map(properties).collect(),
            },
        }],
    };
    // The shapes have only maps with keys that are text.
    let mut bytes = serde_json::to_vec_pretty(&log).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn points(audit: &Audit) -> Vec<Point<'_>> {
    let reasons = audit.verdict.reasons.iter().map(|reason| Point {
        rule: &reason.rule,
        decision: Some(reason.decision),
        change: reason.change.as_deref(),
        text: match &reason.way_out {
            Some(way_out) => format!("{}. {way_out}", reason.because),
            None => reason.because.clone(),
        },
    });
    let notices = audit.verdict.notices.iter().map(|notice| Point {
        rule: &notice.rule,
        decision: None,
        change: notice.change.as_deref(),
        text: notice.text.clone(),
    });
    reasons.chain(notices).collect()
}

fn level(decision: Option<Decision>) -> &'static str {
    match decision {
        None | Some(Decision::Pass) => "note",
        Some(Decision::Canary | Decision::Incomplete) => "warning",
        Some(Decision::Block) => "error",
    }
}

fn message(text: &str) -> shape::Message {
    shape::Message {
        text: sarif_message(&clip(text, 4000)),
    }
}

fn rule(id: &str, decision: Option<Decision>) -> shape::Rule {
    shape::Rule {
        id: visible(id).into_owned(),
        short_description: message(&format!("policy rule {id}")),
        default_configuration: shape::Configuration {
            level: level(decision),
        },
    }
}

fn outcome<'a>(
    audit: &'a Audit,
    point: &Point<'_>,
    numbers: &BTreeMap<&str, usize>,
) -> shape::Outcome<'a> {
    let judged = point
        .change
        .and_then(|id| audit.changes.iter().find(|judged| judged.change.id == id));
    let change = judged.map(|judged| &judged.change);
    let text = match change {
        Some(change) => format!(
            "{} {}: {}",
            change.package,
            words::move_of(change),
            point.text
        ),
        None => point.text.clone(),
    };
    let place = place::of(audit, change);
    shape::Outcome {
        rule_id: visible(point.rule).into_owned(),
        rule_index: numbers.get(point.rule).copied().unwrap_or_default(),
        level: level(point.decision),
        message: message(&text),
        locations: [shape::Location {
            physical_location: shape::PhysicalLocation {
                artifact_location: shape::ArtifactLocation {
                    uri: sarif_uri(&place.path),
                },
                region: shape::Region {
                    start_line: place.line,
                },
            },
        }],
        partial_fingerprints: BTreeMap::from([(
            FINGERPRINT,
            place::fingerprint(point.rule, point.change, change),
        )]),
        properties: judged.map(properties),
    }
}

fn properties(judged: &JudgedChange) -> shape::ChangeProperties<'_> {
    shape::ChangeProperties {
        id: visible(&judged.change.id).into_owned(),
        kind: judged.change.kind.as_str(),
        decision: judged.decision.as_str(),
        score: judged.assessment.score,
        level: judged.assessment.level.as_str(),
    }
}

/// What was not checked.
fn notifications(audit: &Audit) -> Vec<shape::Notification> {
    let gaps = audit.gaps().into_iter().map(|(id, gap)| {
        let of = id.map(|id| format!(" of {id}")).unwrap_or_default();
        let mut properties = BTreeMap::from([
            ("fact", gap.fact.as_str().to_owned()),
            ("reason", gap.reason.as_str().to_owned()),
        ]);
        if let Some(id) = id {
            properties.insert("change", visible(id).into_owned());
        }
        shape::Notification {
            level: "note",
            message: message(&format!(
                "not checked: {}{of} ({}): {}",
                gap.fact.as_str(),
                gap.reason.as_str(),
                gap.detail
            )),
            properties,
        }
    });
    let not_covered =
        audit
            .comparison
            .coverage
            .not_covered
            .iter()
            .map(|left| shape::Notification {
                level: "warning",
                message: message(&format!("not covered: {}: {}", left.path, left.reason)),
                properties: BTreeMap::new(),
            });
    gaps.chain(not_covered).collect()
}
