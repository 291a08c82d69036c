//! The serialised shapes: what scripts rely on, apart from the types that the
//! program thinks in.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::evidence::shape::Evidence;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Report<'a> {
    pub(super) schema_version: u32,
    pub(super) tool: Tool<'a>,
    pub(super) as_of: String,
    pub(super) base: Side<'a>,
    pub(super) head: Side<'a>,
    pub(super) diff_digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<Policy<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<Verdict<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<Evidence<'a>>,
    pub(super) changes: Vec<Change<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pre_existing: Option<PreExisting<'a>>,
    pub(super) coverage: Coverage<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Data<'a>>,
    pub(super) gaps: Vec<Gap>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) attribution_notes: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Tool<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Side<'a> {
    pub(super) input: &'a str,
    pub(super) kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<&'a str>,
    pub(super) digest: &'a str,
    pub(super) packages: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Policy<'a> {
    pub(super) name: &'a str,
    pub(super) read_from: &'a str,
    pub(super) edited_by_change: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Verdict<'a> {
    pub(super) decision: &'a str,
    pub(super) reasons: Vec<Reason<'a>>,
    pub(super) notices: Vec<Notice<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Reason<'a> {
    pub(super) rule: &'a str,
    pub(super) change: Option<&'a str>,
    pub(super) decision: &'a str,
    pub(super) because: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) way_out: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Notice<'a> {
    pub(super) rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<&'a str>,
    pub(super) text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Change<'a> {
    pub(super) id: &'a str,
    pub(super) package: &'a str,
    pub(super) kind: &'a str,
    pub(super) from: Vec<Release<'a>>,
    pub(super) to: Vec<Release<'a>>,
    pub(super) placement: Placement<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) placement_before: Option<Placement<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) features: Option<Features<'a>>,
    pub(super) forced_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) forced_through: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) forced_because: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) forces: &'a [String],
    pub(super) paths: &'a [Vec<String>],
    pub(super) workspaces: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) dependencies_gained: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) dependencies_lost: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lock_line: Option<LockLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) risk: Option<Risk<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) incidents: Option<Vec<Incident<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advisories: Option<AdvisoryDelta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<super::source::Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) publisher: Option<Publisher>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) look_alike: Option<LookAlike<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gaps: Option<Vec<Gap>>,
}

/// Who published it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Publisher {
    pub(super) by: String,
    pub(super) trusted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
    pub(super) earlier: usize,
    pub(super) earlier_by_same: usize,
    pub(super) owners: Vec<String>,
}

/// The package that it may be taken for.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LookAlike<'a> {
    pub(super) of: &'a str,
    pub(super) how: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) same_lines: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Release<'a> {
    pub(super) version: String,
    pub(super) source: String,
    pub(super) checksum: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Placement<'a> {
    pub(super) direct: bool,
    pub(super) roles: Vec<&'a str>,
    pub(super) targets: &'a BTreeSet<String>,
    pub(super) members: &'a BTreeSet<String>,
    pub(super) resolved: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Features<'a> {
    pub(super) target_gained: &'a BTreeSet<String>,
    pub(super) target_lost: &'a BTreeSet<String>,
    pub(super) host_gained: &'a BTreeSet<String>,
    pub(super) host_lost: &'a BTreeSet<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LockLine<'a> {
    pub(super) path: &'a str,
    pub(super) line: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Risk<'a> {
    pub(super) score: u8,
    pub(super) level: &'a str,
    pub(super) likelihood: f64,
    pub(super) faults: BTreeMap<&'static str, f64>,
    pub(super) exposure: f64,
    pub(super) signals: Vec<Signal<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Signal<'a> {
    pub(super) id: &'a str,
    pub(super) points: i32,
    pub(super) because: &'a str,
    pub(super) facts: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Incident<'a> {
    pub(super) id: &'a str,
    pub(super) strength: &'a str,
    pub(super) because: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct AdvisoryDelta<'a> {
    pub(super) introduced: Vec<Advisory<'a>>,
    pub(super) fixed: Vec<Advisory<'a>>,
    pub(super) remaining: Vec<Advisory<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Advisory<'a> {
    pub(super) id: &'a str,
    pub(super) aliases: &'a [String],
    pub(super) package: &'a str,
    pub(super) version: String,
    pub(super) date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) informational: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) severity: Option<&'a str>,
    pub(super) categories: &'a [String],
    pub(super) patched: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PreExisting<'a> {
    pub(super) advisories: Vec<Advisory<'a>>,
    pub(super) yanked: Vec<String>,
    pub(super) yanked_looked_at: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Coverage<'a> {
    pub(super) workspaces: &'a [String],
    pub(super) not_covered: Vec<NotCovered<'a>>,
    pub(super) graph: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct NotCovered<'a> {
    pub(super) path: &'a str,
    pub(super) reason: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Data<'a> {
    pub(super) advisories_from: &'a str,
    pub(super) advisories_of: String,
    pub(super) advisories: usize,
    pub(super) index_of: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Gap {
    pub(super) fact: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package: Option<String>,
    pub(super) reason: &'static str,
    pub(super) detail: String,
}
