//! GitLab's code-quality report: a list of findings at lines of the lock file
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).

use serde::Serialize;

use crate::audit::Audit;
use crate::diff::Change;
use crate::policy::Decision;

use super::evidence::{self, Tone};
use super::safe::{clip, visible};
use super::{place, view, words};

#[derive(Serialize)]
struct Finding {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// The rule under which the verdict itself stands in the list.
const VERDICT: &str = "verdict";

/// The rule under which a record stands in the list.
const EVIDENCE: &str = "evidence";

/// The verdict, then the reasons, then what records met and what became of them,
/// then the notices.
pub(super) fn check(audit: &Audit) -> Vec<u8> {
    let (word, rest) = words::headline(audit);
    let decision = audit.verdict.decision;
    let mut findings = vec![finding(
        audit,
        (VERDICT, severity(Some(decision))),
        None,
        &format!("{word}: {rest}"),
    )];
    for reason in &audit.verdict.reasons {
        let change = reason.change.as_deref();
        let mut text = reason.because.clone();
        if let Some(way_out) = &reason.way_out {
            text.push_str(". ");
            text.push_str(&view::one_line(way_out));
        }
        let severity = severity(Some(reason.decision));
        findings.push(finding(audit, (&reason.rule, severity), change, &text));
    }
    records(&mut findings, audit);
    for notice in &audit.verdict.notices {
        let change = notice.change.as_deref();
        findings.push(finding(
            audit,
            (&notice.rule, severity(None)),
            change,
            &notice.text,
        ));
    }
    let mut bytes = serde_json::to_vec_pretty(&findings).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn records(findings: &mut Vec<Finding>, audit: &Audit) {
    for met in &audit.evidence.discharged {
        let rule = (met.reason.rule.as_str(), severity(None));
        let change = met.reason.change.as_deref();
        findings.push(finding(audit, rule, change, &evidence::met(met)));
    }
    for line in evidence::lines(&audit.evidence) {
        let severity = match line.tone {
            Tone::Bad => "minor",
            Tone::Good | Tone::Plain => "info",
        };
        // A record keeps its fingerprint whatever becomes of it.
        let key = line.record.unwrap_or(&line.text);
        let mut one = finding(audit, (EVIDENCE, severity), None, &line.text);
        one.fingerprint = place::fingerprint(EVIDENCE, Some(key), None);
        findings.push(one);
    }
}

fn severity(decision: Option<Decision>) -> &'static str {
    match decision {
        None | Some(Decision::Pass) => "info",
        Some(Decision::Canary | Decision::Incomplete) => "major",
        Some(Decision::Block) => "critical",
    }
}

fn finding(
    audit: &Audit,
    (rule, severity): (&str, &'static str),
    id: Option<&str>,
    text: &str,
) -> Finding {
    let change = id.and_then(|id| audit.comparison.diff.change(id));
    let place = place::of(audit, change);
    Finding {
        description: clip(&visible(&described(change, text)), 2000).into_owned(),
        check_name: visible(rule).into_owned(),
        fingerprint: place::fingerprint(rule, id, change),
        severity,
        location: Location {
            path: visible(&place.path).into_owned(),
            lines: Lines { begin: place.line },
        },
    }
}

fn described(change: Option<&Change>, text: &str) -> String {
    match change {
        Some(change) => format!("{} {}: {text}", change.package, words::move_of(change)),
        None => text.to_owned(),
    }
}
