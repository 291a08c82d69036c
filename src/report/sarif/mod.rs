//! SARIF 2.1.0: a result for each reason and each notice of the verdict, at its
//! line of the lock file; what a record met as a result that is suppressed, with
//! the record as its justification; a notification for each gap and each record;
//! all changes with their scores among the properties.
//!
//! Code scanning on GitHub shows 5,000 results and takes 10 MB, packed. What does
//! not fit is left out in this order, and counted: results after the first 5,000
//! (the gravest stand first); the ends of long texts; passing changes and gaps
//! one by one; results after the first 1,000. The verdict is always there.

mod shape;

use std::collections::BTreeMap;

use crate::audit::{Audit, JudgedChange};
use crate::facts::Gap;
use crate::policy::Decision;

use super::evidence::{self, Tone};
use super::safe::{clip, sarif_message, sarif_uri, visible};
use super::{TOOL, place, view, words};

/// The version of the method of [`place::fingerprint`] is part of the name.
const FINGERPRINT: &str = "cargoCanary/v1";

/// The most bytes, before packing.
const LIMIT: usize = 10_000_000;

/// How much is said, from everything to the least.
struct Detail {
    /// The most results.
    results: usize,
    /// The most characters of a text.
    text: usize,
    /// Whether passing changes and gaps are named one by one.
    each: bool,
}

const DETAILS: [Detail; 4] = [
    Detail {
        results: 5000,
        text: 4000,
        each: true,
    },
    Detail {
        results: 5000,
        text: 500,
        each: true,
    },
    Detail {
        results: 5000,
        text: 500,
        each: false,
    },
    Detail {
        results: 1000,
        text: 300,
        each: false,
    },
];

/// One result before its rule has a number.
struct Point<'a> {
    rule: &'a str,
    decision: Option<Decision>,
    change: Option<&'a str>,
    text: String,
    /// The record that meets it.
    met_by: Option<&'a str>,
}

pub(super) fn check(audit: &Audit) -> Vec<u8> {
    let mut bytes = Vec::new();
    for detail in &DETAILS {
        bytes = document(audit, detail);
        if bytes.len() < LIMIT {
            break;
        }
    }
    bytes
}

fn document(audit: &Audit, detail: &Detail) -> Vec<u8> {
    let mut points = points(audit);
    let left_out = points.len().saturating_sub(detail.results);
    points.truncate(detail.results);
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
                tool_execution_notifications: notifications(audit, detail, left_out),
            }],
            column_kind: "unicodeCodePoints",
            results: points
                .iter()
                .map(|point| outcome(audit, point, &numbers, detail.text))
                .collect(),
            properties: shape::Properties {
                verdict: audit.verdict.decision.as_str(),
                changes: audit
                    .changes
                    .iter()
                    .filter(|judged| detail.each || judged.decision > Decision::Pass)
                    .take(detail.results)
                    .map(properties)
                    .collect(),
                evidence: records(audit),
            },
        }],
    };
    // The shapes have only maps with keys that are text.
    let mut bytes = serde_json::to_vec_pretty(&log).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Reasons first, the gravest of them first; then what records met; then notices.
fn points(audit: &Audit) -> Vec<Point<'_>> {
    let reasons = audit.verdict.reasons.iter().map(|reason| Point {
        rule: &reason.rule,
        decision: Some(reason.decision),
        change: reason.change.as_deref(),
        text: match &reason.way_out {
            Some(way_out) => format!("{}. {}", reason.because, view::one_line(way_out)),
            None => reason.because.clone(),
        },
        met_by: None,
    });
    let met = audit.evidence.discharged.iter().map(|met| Point {
        rule: &met.reason.rule,
        decision: None,
        change: met.reason.change.as_deref(),
        text: evidence::met(met),
        met_by: Some(&met.record),
    });
    let notices = audit.verdict.notices.iter().map(|notice| Point {
        rule: &notice.rule,
        decision: None,
        change: notice.change.as_deref(),
        text: notice.text.clone(),
        met_by: None,
    });
    reasons.chain(met).chain(notices).collect()
}

fn records(audit: &Audit) -> shape::Records {
    let outcome = &audit.evidence.outcome;
    let name = |name: &str| clip(&visible(name), 200).into_owned();
    shape::Records {
        accepted: outcome
            .accepted
            .iter()
            .map(|accepted| name(&accepted.record.name))
            .collect(),
        refused: outcome
            .refused
            .iter()
            .map(|refused| shape::RefusedRecord {
                record: name(&refused.record.name),
                reason: refused.because.code(),
            })
            .collect(),
    }
}

fn level(decision: Option<Decision>) -> &'static str {
    match decision {
        None | Some(Decision::Pass) => "note",
        Some(Decision::Canary | Decision::Incomplete) => "warning",
        Some(Decision::Block) => "error",
    }
}

/// A message whose visible text has at most so many characters.
fn message(text: &str, most: usize) -> shape::Message {
    shape::Message {
        text: sarif_message(&clip(&visible(text), most)),
    }
}

/// What code scanning asks of a rule: two sentences, and where to read on.
fn rule(id: &str, decision: Option<Decision>) -> shape::Rule {
    let shown = clip(&visible(id), 200).into_owned();
    shape::Rule {
        short_description: message(&format!("policy rule {shown}"), 300),
        full_description: message(
            &format!("The policy of the base has the rule {shown}, and this change meets it."),
            300,
        ),
        help: message(
            "`cargo-canary explain PACKAGE` shows all that is known of a change, `cargo-canary policy show` the rules.",
            300,
        ),
        id: shown,
        default_configuration: shape::Configuration {
            level: level(decision),
        },
    }
}

fn outcome<'a>(
    audit: &'a Audit,
    point: &Point<'_>,
    numbers: &BTreeMap<&str, usize>,
    most: usize,
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
        rule_id: clip(&visible(point.rule), 200).into_owned(),
        rule_index: numbers.get(point.rule).copied().unwrap_or_default(),
        level: level(point.decision),
        message: message(&text, most),
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
        suppressions: point
            .met_by
            .map(|record| shape::Suppression {
                kind: "external",
                status: "accepted",
                justification: format!("met by {}", clip(&visible(record), 200)),
            })
            .into_iter()
            .collect(),
        properties: judged.map(properties),
    }
}

fn properties(judged: &JudgedChange) -> shape::ChangeProperties<'_> {
    shape::ChangeProperties {
        id: clip(&visible(&judged.change.id), 200).into_owned(),
        kind: judged.change.kind.as_str(),
        decision: judged.decision.as_str(),
        score: judged.assessment.score,
        level: judged.assessment.level.as_str(),
    }
}

/// What was not checked, what became of records, and what is left out here.
fn notifications(audit: &Audit, detail: &Detail, left_out: usize) -> Vec<shape::Notification> {
    let mut all: Vec<shape::Notification> = Vec::new();
    let gaps = audit.gaps();
    let not_covered = &audit.comparison.coverage.not_covered;
    if detail.each {
        all.extend(gaps.into_iter().map(|(id, gap)| missing(id, &gap, detail)));
        all.extend(not_covered.iter().map(|left| {
            let text = format!("not covered: {}: {}", left.path, left.reason);
            note("warning", &text, detail)
        }));
    } else if gaps.len() + not_covered.len() > 0 {
        let text = format!(
            "not checked: {}",
            words::count(gaps.len() + not_covered.len(), "fact")
        );
        all.push(note("warning", &text, detail));
    }
    let lines = evidence::lines(&audit.evidence);
    all.extend(lines.iter().take(detail.results).map(|line| {
        let (level, word) = match line.tone {
            Tone::Good => ("note", "accepted"),
            Tone::Plain => ("note", "other"),
            Tone::Bad if line.record.is_none() => ("warning", "gap"),
            Tone::Bad => ("warning", "refused"),
        };
        let mut one = note(level, &format!("evidence: {}", line.text), detail);
        one.properties.insert("evidence", word.to_owned());
        one
    }));
    if left_out > 0 {
        let text = format!(
            "{} left out here, none graver than those that are shown; the report in another format has them",
            words::plural(left_out, "result is", "results are")
        );
        all.push(note("warning", &text, detail));
    }
    all
}

fn missing(id: Option<&str>, gap: &Gap, detail: &Detail) -> shape::Notification {
    let of = id.map(|id| format!(" of {id}")).unwrap_or_default();
    let (fact, reason) = (gap.fact.as_str(), gap.reason.as_str());
    let text = format!("not checked: {fact}{of} ({reason}): {}", gap.detail);
    let mut one = note("note", &text, detail);
    one.properties.insert("fact", fact.to_owned());
    one.properties.insert("reason", reason.to_owned());
    if let Some(id) = id {
        let id = clip(&visible(id), 200).into_owned();
        one.properties.insert("change", id);
    }
    one
}

fn note(level: &'static str, text: &str, detail: &Detail) -> shape::Notification {
    shape::Notification {
        level,
        message: message(text, detail.text),
        properties: BTreeMap::new(),
    }
}
