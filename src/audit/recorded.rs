//! A finished audit as an entry of the ledger.

use jiff::Timestamp;

use crate::ledger::{
    Audited, Body, Build, Changed, Entry, FORMAT, Judge, Met, Released, Rule, Tried, Waived,
};
use crate::pkg::{Release, Source};

use super::data::{Audit, Comparison, JudgedChange, Side};

/// The entry for an audit of a repository, recorded at this time.
#[must_use]
pub fn ledger_entry(audit: &Audit, repository: &str, by: Option<&str>, at: Timestamp) -> Entry {
    let comparison = &audit.comparison;
    let audited = Audited {
        tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        as_of: comparison.as_of,
        base: build(&comparison.base),
        head: build(&comparison.head),
        diff_digest: comparison.diff.digest.clone(),
        policy: Judge {
            name: audit.policy.name.clone(),
            read_from: audit.policy.read_from.clone(),
            edited_by_change: audit.policy.edited_by_change,
        },
        decision: audit.verdict.decision.as_str().to_owned(),
        reasons: audit
            .verdict
            .reasons
            .iter()
            .map(|reason| Rule {
                rule: reason.rule.clone(),
                change: reason.change.clone(),
                decision: reason.decision.as_str().to_owned(),
                because: reason.because.clone(),
            })
            .collect(),
        exemptions: audit
            .verdict
            .exempted
            .iter()
            .map(|used| Waived {
                change: used.change.clone(),
                because: used.text.clone(),
                rules: used.rules.clone(),
                reason: Some(used.reason.clone()),
                by: used.by.clone(),
                until: Some(used.until.to_string()),
                origin: Some(used.origin.clone()),
            })
            .collect(),
        evidence: audit
            .evidence
            .discharged
            .iter()
            .map(|met| Met {
                rule: met.reason.rule.clone(),
                change: met.reason.change.clone(),
                record: met.record.clone(),
            })
            .collect(),
        changes: audit.changes.iter().map(changed).collect(),
    };
    Entry {
        version: FORMAT,
        at,
        repository: repository.to_owned(),
        by: by.map(str::to_owned),
        body: Body::Audit(Box::new(audited)),
    }
}

/// The updates of a difference, for the record of a trial of it.
#[must_use]
pub fn tried(comparison: &Comparison) -> Vec<Tried> {
    let changes = comparison.diff.changes.iter();
    changes
        .filter_map(|change| {
            Some(Tried {
                package: change.package.clone(),
                version: change.incoming()?.version.to_string(),
                forced_by: change.forced_by.as_ref().map(|forced| forced.root.clone()),
            })
        })
        .collect()
}

fn build(side: &Side) -> Build {
    Build {
        input: side.input.given.clone(),
        kind: side.input.kind.as_str().to_owned(),
        commit: side.input.commit.clone(),
        digest: side.input.digest.clone(),
    }
}

fn changed(judged: &JudgedChange) -> Changed {
    let change = &judged.change;
    Changed {
        id: change.id.clone(),
        package: change.package.clone(),
        change: change.kind.as_str().to_owned(),
        from: change.from.iter().map(released).collect(),
        to: change.to.iter().map(released).collect(),
        forced_by: change.forced_by.as_ref().map(|forced| forced.root.clone()),
        score: judged.assessment.score,
        decision: judged.decision.as_str().to_owned(),
        incidents: judged.links.iter().map(|link| link.id.clone()).collect(),
    }
}

fn released(release: &Release) -> Released {
    let source = match &release.source {
        Source::CratesIo => "crates.io".to_owned(),
        Source::Local => "local".to_owned(),
        // A private registry or repository may be named with a password.
        other @ (Source::Registry { .. } | Source::Git { .. }) => {
            crate::ledger::without_user(&other.to_lock().unwrap_or_default())
        }
    };
    Released {
        version: release.version.to_string(),
        source,
        checksum: release.checksum.clone(),
    }
}
