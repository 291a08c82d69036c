//! A replay of the past for programs.

use serde_json::{Value, json};

use super::SCHEMA_VERSION;
use crate::policy::{Decision, Reason};
use crate::replay::{Judgement, LockChange, Replay};
use crate::report::TOOL;

pub(in crate::report) fn replay(replay: &Replay) -> Vec<u8> {
    let counts = |of: &dyn Fn(Decision) -> usize| {
        json!({
            "pass": of(Decision::Pass),
            "canary": of(Decision::Canary),
            "incomplete": of(Decision::Incomplete),
            "block": of(Decision::Block),
        })
    };
    let rules: Vec<Value> = replay
        .rules
        .iter()
        .map(|(rule, it)| {
            json!({
                "rule": rule,
                "stopped": it.stopped,
                "alone": it.alone,
                "reasons": it.reasons,
                "noticed": it.noticed,
            })
        })
        .collect();
    let stopped = replay
        .judged()
        .filter(|(_, it)| it.decision != Decision::Pass);
    let gaps = replay
        .gaps()
        .into_iter()
        .map(|((fact, reason), (changes, times))| {
            json!({
                "fact": fact.as_str(),
                "reason": reason.as_str(),
                "lock-changes": changes,
                "times": times,
            })
        });
    let not_judged = replay.not_judged().map(|(change, reason)| {
        let mut value = commit(change);
        value["reason"] = json!(reason);
        value
    });
    let without = replay.judged().filter(|(_, it)| it.changes.is_empty());
    let document = json!({
        "schema-version": SCHEMA_VERSION,
        "tool": { "name": TOOL.name, "version": TOOL.version },
        "policy": { "name": replay.policy.0, "read-from": replay.policy.1 },
        "revision": { "input": replay.revision.0, "commit": replay.revision.1 },
        "commits": replay.commits,
        "limit": replay.limit,
        "shallow": replay.shallow,
        "lock-changes": replay.judged().count(),
        "without-package-changes": without.count(),
        "met-by-evidence": replay.judged().filter(|(_, it)| it.discharged).count(),
        "verdicts": counts(&|decision| replay.with(decision)),
        "changes": counts(&|decision| replay.changes_with(decision)),
        "rules": rules,
        "silent-rules": replay.silent,
        "stopped": stopped.map(|(change, it)| of_stopped(change, it)).collect::<Vec<_>>(),
        "not-judged": not_judged.collect::<Vec<_>>(),
        "gaps": gaps.collect::<Vec<_>>(),
        "data": {
            "advisories-of": replay.advisories_of.to_string(),
            "index-of": replay.index_of.map(|at| at.to_string()),
        },
    });
    format!("{document:#}\n").into_bytes()
}

fn commit(change: &LockChange) -> Value {
    json!({
        "commit": change.commit,
        "time": change.time.to_string(),
        "subject": change.subject,
    })
}

fn of_stopped(change: &LockChange, judgement: &Judgement) -> Value {
    let reasons = judgement.reasons.iter().map(of_reason).collect::<Vec<_>>();
    let mut value = commit(change);
    value["decision"] = json!(judgement.decision.as_str());
    value["reasons"] = json!(reasons);
    value["all-reasons"] = json!(judgement.all_reasons);
    value["changes"] = json!(judgement.changes.values().sum::<usize>());
    value
}

fn of_reason(reason: &Reason) -> Value {
    json!({
        "rule": reason.rule,
        "change": reason.change,
        "decision": reason.decision.as_str(),
        "because": reason.because,
    })
}
