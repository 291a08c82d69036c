//! The JSON of signed records.

use serde::Serialize;

use crate::audit::Audit;
use crate::evidence::{Accepted, Outcome, Record, Refused};

/// The key `evidence` of the report.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Evidence<'a> {
    needed: bool,
    signers: Option<Signers<'a>>,
    accepted: Vec<AcceptedShape<'a>>,
    refused: Vec<RefusedShape<'a>>,
    discharged: Vec<Met<'a>>,
    gaps: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<String>,
}

/// The answer of the commands about records.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Alone<'a> {
    schema_version: u32,
    diff_digest: Option<&'a str>,
    signers: Option<Signers<'a>>,
    accepted: Vec<AcceptedShape<'a>>,
    refused: Vec<RefusedShape<'a>>,
    gaps: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Signers<'a> {
    read_from: &'a str,
    keys: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RecordShape<'a> {
    record: &'a str,
    kind: Option<&'static str>,
    decision: Option<&'a str>,
    signer: Option<&'a str>,
    key: Option<&'a str>,
    signed_at: Option<String>,
    expires: Option<String>,
    duration_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_because: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct AcceptedShape<'a> {
    #[serde(flatten)]
    record: RecordShape<'a>,
    rules: &'a [String],
    notes: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RefusedShape<'a> {
    #[serde(flatten)]
    record: RecordShape<'a>,
    reason: &'static str,
    because: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Met<'a> {
    rule: &'a str,
    change: Option<&'a str>,
    because: &'a str,
    record: &'a str,
}

pub(in crate::report) fn of(audit: &Audit) -> Evidence<'_> {
    let found = &audit.evidence;
    let signers = found.signers.as_ref();
    Evidence {
        needed: found.needed,
        signers: signers.map(|(read_from, keys)| Signers {
            read_from,
            keys: *keys,
        }),
        accepted: accepted(&found.outcome),
        refused: refused(&found.outcome),
        discharged: found
            .discharged
            .iter()
            .map(|met| Met {
                rule: &met.reason.rule,
                change: met.reason.change.as_deref(),
                because: &met.reason.because,
                record: &met.record,
            })
            .collect(),
        gaps: &found.outcome.gaps,
        next: super::way_out(audit).map_or_else(Vec::new, |(_, commands)| commands),
    }
}

pub(super) fn alone(evidence: &super::Evidence<'_>) -> Vec<u8> {
    let shape = Alone {
        schema_version: super::super::json::SCHEMA_VERSION,
        diff_digest: evidence.difference.ok(),
        signers: evidence
            .signers
            .map(|(read_from, keys)| Signers { read_from, keys }),
        accepted: accepted(evidence.outcome),
        refused: refused(evidence.outcome),
        gaps: &evidence.outcome.gaps,
    };
    // Plain data with text for keys can always be written.
    let mut bytes = serde_json::to_vec_pretty(&shape).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn accepted(outcome: &Outcome) -> Vec<AcceptedShape<'_>> {
    outcome.accepted.iter().map(one_accepted).collect()
}

fn one_accepted(accepted: &Accepted) -> AcceptedShape<'_> {
    AcceptedShape {
        record: record(&accepted.record),
        rules: &accepted.rules,
        notes: &accepted.notes,
    }
}

fn refused(outcome: &Outcome) -> Vec<RefusedShape<'_>> {
    outcome.refused.iter().map(one_refused).collect()
}

fn one_refused(refused: &Refused) -> RefusedShape<'_> {
    RefusedShape {
        record: record(&refused.record),
        reason: refused.because.code(),
        because: refused.because.to_string(),
    }
}

fn record(record: &Record) -> RecordShape<'_> {
    RecordShape {
        record: &record.name,
        kind: record.kind.map(crate::policy::EvidenceKind::as_str),
        decision: record.decision.as_deref(),
        signer: record.signer.as_deref(),
        key: record.key.as_deref(),
        signed_at: record.signed_at.map(|time| time.to_string()),
        expires: record.expires.map(|time| time.to_string()),
        duration_seconds: record.duration.map(|duration| duration.as_secs_f64()),
        approved_because: record.reason.as_deref(),
    }
}
