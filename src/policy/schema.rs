//! The JSON schema of policy files and of files of cases, made from the reader's
//! own tables, for editors.

use serde_json::{Map, Value, json};

use crate::facts::{FactKind, GapReason};

use super::file::{EFFECTS, LATER, REASONS, SETTINGS};
use super::validated::EvidenceKind;
use super::variables::{self, Type, Variable};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a policy file.
#[must_use]
pub fn schema() -> Value {
    let score = json!({ "anyOf": [
        { "type": "integer", "minimum": 1, "maximum": 100 },
        { "const": "never" },
    ]});
    let settings: Vec<&str> = SETTINGS.iter().map(|(word, _)| *word).collect();
    let mut gaps = Map::new();
    let kinds = FactKind::ALL.map(FactKind::as_str);
    let reasons = REASONS.map(GapReason::as_str);
    for key in ["default"]
        .iter()
        .chain(&kinds)
        .chain(&reasons)
        .chain(&LATER)
    {
        gaps.insert((*key).to_owned(), json!({ "enum": settings }));
    }
    json!({
        "$schema": DIALECT,
        "title": "A policy of cargo-canary",
        "type": "object",
        "required": ["version"],
        "additionalProperties": false,
        "properties": {
            "version": { "const": 1 },
            "extends": {
                "description": "`default`, `strict`, `none`, or the path of another policy; `default` when it is left out",
                "anyOf": [
                    { "type": "string", "minLength": 1 },
                    pinned(),
                ],
            },
            "build": table("The builds that are shipped", json!({
                "targets": texts("Target triples"),
                "features": { "anyOf": [
                    { "enum": ["default", "all", "none"] },
                    texts("Names of features; with `default` among them they are added to the default ones"),
                ]},
            })),
            "risk": table("Scores, 1 to 100, from which a change needs a canary or is blocked", json!({
                "canary": score, "block": score,
            })),
            "gaps": table("What a fact that could not be had does, by kind of fact or by reason", Value::Object(gaps)),
            "cooldown": cooldown(),
            "ratchet": table("What something new does that the base's record does not have", json!({
                "then": { "enum": EFFECTS.iter().map(|(word, _)| *word).collect::<Vec<_>>() },
            })),
            "exemptions": table("What exemptions do that are of no use any more", json!({
                "expired": { "enum": EFFECTS.iter().map(|(word, _)| *word).collect::<Vec<_>>() },
                "unused": { "enum": EFFECTS.iter().map(|(word, _)| *word).collect::<Vec<_>>() },
            })),
            "rule": { "type": "array", "items": rule() },
            "exempt": { "type": "array", "items": exempt() },
            "canary": canary(),
            "ledger": table("Where each `check` is recorded", json!({
                "url": text("`postgres://...`, or a path that ends in .jsonl or .db, without a password"),
                "name": text("What the repository is called there"),
            })),
            "probe": table("The workload that `probe` runs on both builds, and what it may take", json!({
                "bin": text("The executable that is meant, where there are several"),
                "args": texts("The arguments of the program; `{port}` is a free port"),
                "build-args": texts("Further arguments of `cargo build`; `--release` when they are left out"),
                "ready": text("A shell command that succeeds when a server is ready"),
                "ready-timeout": text("How long it may take until then, such as `30s`"),
                "load": text("A shell command that makes work for a server"),
                "metrics": text("The address of the program's counters, such as `http://127.0.0.1:{port}/metrics`"),
                "watch": texts("The gauges that are judged as resources are"),
                "per": text("The counter that tells how much work was done"),
                "duration": text("How long each side runs, such as `60s`"),
                "max-memory": text("The most memory that a side may hold, such as `2GiB`"),
                "max-processes": json!({ "type": "integer", "minimum": 1 }),
                "memory-limit": text("The memory at which the service fails"),
                "fd-limit": json!({ "type": "integer", "minimum": 1 }),
                "network": json!({ "type": "boolean" }),
            })),
            "rollout": rollout(),
        },
    })
}

fn rollout() -> Value {
    let labels = |description: &str| json!({ "type": "object", "description": description, "additionalProperties": { "type": "string" } });
    let number = json!({ "type": "number", "minimum": 0 });
    let amount = json!({ "type": ["number", "string"] });
    let mut metric = table(
        "A metric that is added, or one of the built-in ones that is changed",
        json!({
            "id": text("Its name"),
            "kind": { "enum": ["trend", "level", "requests", "starts", "restarts"] },
            "unit": text("What one of it is called; `bytes`, `seconds` and `ratio` are scaled"),
            "query": text("PromQL, with `$selector` for the labels of a side and `$window` for the window of rates"),
            "headroom": amount,
            "least": amount,
            "effect": number,
            "floor": number,
            "group": text("Of a group one metric has to be there"),
        }),
    );
    require(&mut metric, &["id"]);
    table(
        "How a canary is judged beside its baseline",
        json!({
            "prometheus": text("The address, `http://…` or `https://…`"),
            "baseline": labels("The labels of the baseline"),
            "canary": labels("The labels of the canary"),
            "token-file": text("A file with a bearer token"),
            "user": text("The user, for basic authentication"),
            "password-file": text("A file with the password"),
            "client-certificate": text("A file with the client's certificate, PEM"),
            "client-key": text("A file with its key, PEM"),
            "ca": text("A file with certificates that are trusted besides, PEM"),
            "headers": labels("Further header fields, such as a tenant"),
            "timeout": text("How long an answer may take, such as `30s`"),
            "duration": text("The window that is looked at, such as `4h`"),
            "step": text("Its resolution, such as `15s`"),
            "rate-window": text("The window of rates; four steps when it is left out"),
            "warm-up": text("The start of a process that is not judged, such as `2m`"),
            "time-between-deploys": text("How long a process runs at most, such as `7d`"),
            "confidence": { "type": "number", "minimum": 0.5, "exclusiveMaximum": 1 },
            "alike": number,
            "restarts": number,
            "skip": texts("Ids of built-in metrics that are not asked for"),
            "metric": { "type": "array", "items": metric },
            "plan": { "type": "object", "description": "What `rollout plan` reads" },
        }),
    )
}

fn canary() -> Value {
    let kinds = EvidenceKind::ALL.map(EvidenceKind::as_str);
    let mut accept = table(
        "Which evidence discharges which rules",
        json!({
            "evidence": { "type": "array", "minItems": 1, "items": { "enum": kinds } },
            "rules": texts("Ids of rules; all when it is left out"),
            "signers": texts("Patterns of names in the list of signers; everyone when it is left out"),
            "min-duration": text("How long a trial runs at least, such as `10m`"),
            "max-age": text("How long after the trial a record counts, such as `2d`"),
        }),
    );
    require(&mut accept, &["evidence"]);
    table(
        "What evidence has to be like to take the place of a canary",
        json!({
            "min-duration": text("How long a trial runs at least, such as `4h`"),
            "max-age": text("How long after the trial a record counts, such as `30d`"),
            "signers": text("The path of the list of signers whose evidence is accepted"),
            "location": text("The address below which records are looked up, `https://…`"),
            "accept": { "type": "array", "items": accept },
        }),
    )
}

/// The schema of a file of cases.
#[must_use]
pub fn cases_schema() -> Value {
    let mut groups: Map<String, Value> = Map::new();
    for variable in variables::all() {
        let Some((group, name)) = variable.name.split_once('.') else {
            continue;
        };
        let entry = groups
            .entry(group)
            .or_insert_with(|| table("Variables that are stated", json!({})));
        if let Some(properties) = entry.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert(name.to_owned(), of_variable(variable));
        }
    }
    let reasons = REASONS.map(GapReason::as_str);
    let mut gaps = Map::new();
    for kind in FactKind::ALL {
        gaps.insert(kind.as_str().to_owned(), json!({ "enum": reasons }));
    }
    let mut change = groups;
    change.insert(
        "gaps".to_owned(),
        table(
            "Facts that could not be had, with the reason",
            Value::Object(gaps),
        ),
    );
    change.insert(
        "absent".to_owned(),
        texts("Variables of what does not exist for this change"),
    );
    let mut case = change.clone();
    change.remove("difference");
    case.insert("name".to_owned(), text("What is to be shown"));
    case.insert(
        "changes".to_owned(),
        json!({ "type": "array", "items": table("One of several changes", Value::Object(change)) }),
    );
    let ids = json!({ "type": "array", "items": { "type": "string" } });
    let mut expect = table(
        "What the policy has to make of it",
        json!({
            "decision": { "enum": ["pass", "canary", "incomplete", "block"] },
            "rules": ids, "notices": ids,
            "way-out": text("Words that one of the ways out has to have"),
        }),
    );
    require(&mut expect, &["decision"]);
    case.insert("expect".to_owned(), expect);
    let mut case = table("One case", Value::Object(case));
    require(&mut case, &["name", "expect"]);
    json!({
        "$schema": DIALECT,
        "title": "Cases of a policy of cargo-canary",
        "type": "object",
        "required": ["version", "case"],
        "additionalProperties": false,
        "properties": {
            "version": { "const": 1 },
            "as-of": { "description": "The day of judgement" },
            "case": { "type": "array", "items": case },
        },
    })
}

fn pinned() -> Value {
    let mut pinned = table(
        "A policy from a URL, pinned by the SHA-256 of what it gives",
        json!({
            "url": text("It starts with `https://`"),
            "sha256": text("64 hexadecimal digits"),
        }),
    );
    require(&mut pinned, &["url", "sha256"]);
    pinned
}

fn cooldown() -> Value {
    let effects: Vec<&str> = EFFECTS.iter().map(|(word, _)| *word).collect();
    let days = json!({ "type": "number", "minimum": 0, "maximum": 3650 });
    table(
        "How long a release waits after it was published",
        json!({
            "days": { "anyOf": [days, { "enum": ["cargo", "never"] }] },
            "then": { "enum": effects },
            "first-party": texts("Index URLs of registries whose releases do not wait"),
            "fixes-wait": { "type": "boolean" },
            "packages": { "description": "Days by package; a `*` may end a name", "type": "object" },
        }),
    )
}

fn rule() -> Value {
    let effects: Vec<&str> = EFFECTS.iter().map(|(word, _)| *word).collect();
    let mut rule = table(
        "A rule; one with the id of an earlier layer's changes that one",
        json!({
            "id": text("Lower-case letters, digits and `-`"),
            "when": text("A CEL expression over the variables that `policy variables` lists"),
            "then": { "enum": effects },
            "reason": text("Why, for the person who is stopped; variables stand in braces"),
            "enabled": { "type": "boolean" },
            "scope": { "enum": ["change", "difference"] },
            "wait-days": { "type": "number", "minimum": 0, "maximum": 3650 },
            "summarises": texts("Ids of the rules whose findings this one stands for"),
        }),
    );
    require(&mut rule, &["id"]);
    rule
}

fn exempt() -> Value {
    let mut exempt = table(
        "A dated, reasoned exception",
        json!({
            "package": text("The package"),
            "version": text("A version, or a requirement such as `>=1.48, <2`"),
            "rules": texts("Ids of the rules that do not apply"),
            "reason": text("Why"),
            "by": text("Who answers for it"),
            "until": { "description": "The last day on which it applies, such as 2026-12-15" },
        }),
    );
    require(
        &mut exempt,
        &["package", "version", "rules", "reason", "until"],
    );
    exempt
}

fn table(description: &str, properties: Value) -> Value {
    json!({
        "description": description,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn require(table: &mut Value, keys: &[&str]) {
    if let Some(table) = table.as_object_mut() {
        table.insert("required".to_owned(), json!(keys));
    }
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1 })
}

fn texts(description: &str) -> Value {
    json!({
        "description": description,
        "type": "array", "minItems": 1,
        "items": { "type": "string", "minLength": 1 },
    })
}

fn of_variable(variable: &Variable) -> Value {
    let mut value = match variable.kind {
        Type::Bool => json!({ "type": "boolean" }),
        Type::Int => json!({ "type": "integer" }),
        Type::Double => json!({ "type": "number" }),
        Type::Text if !variable.values.is_empty() => json!({ "enum": variable.values }),
        Type::Text => json!({ "type": "string" }),
        Type::List => json!({ "type": "array", "items": { "type": "string" } }),
    };
    if let Some(value) = value.as_object_mut() {
        value.insert("description".to_owned(), json!(variable.doc));
    }
    value
}
