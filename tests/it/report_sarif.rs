//! SARIF: what the standard and code scanning ask for, and what they take.
//!
//! `CANARY_SARIF_SCHEMA` may name the standard's own JSON Schema
//! (`sarif-schema-2.1.0.json`), to be held against, too.

use cargo_canary::audit::Audit;
use cargo_canary::report::{Format, Style, render};
use serde_json::Value;

use crate::support::audits::{HOSTILE, audit};
use crate::support::schema::violations;

fn bytes(audit: &Audit) -> Vec<u8> {
    render(audit, Format::Sarif, Style::default())
}

fn json(audit: &Audit) -> Value {
    serde_json::from_slice(&bytes(audit)).unwrap()
}

/// What section 3 of the standard asks for, as far as it is written here.
const SARIF: &str = r##"{
 "type": "object", "required": ["version", "runs"],
 "properties": {
  "version": {"const": "2.1.0"},
  "runs": {"type": "array", "minItems": 1, "items": {
   "type": "object", "required": ["tool", "results"],
   "properties": {
    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {
     "type": "object", "required": ["name", "rules"], "properties": {
      "name": {"type": "string", "minLength": 1},
      "rules": {"type": "array", "items": {"type": "object", "required": ["id", "shortDescription", "fullDescription", "help"],
       "properties": {"id": {"type": "string", "minLength": 1}, "shortDescription": {"$ref": "#/$defs/message"},
        "fullDescription": {"$ref": "#/$defs/message"}, "help": {"$ref": "#/$defs/message"},
        "defaultConfiguration": {"type": "object", "properties": {"level": {"$ref": "#/$defs/level"}}}}}}}}}},
    "invocations": {"type": "array", "items": {"type": "object", "required": ["executionSuccessful"],
     "properties": {"executionSuccessful": {"type": "boolean"}, "toolExecutionNotifications": {"type": "array",
      "items": {"type": "object", "required": ["message"], "properties": {
       "message": {"$ref": "#/$defs/message"}, "level": {"$ref": "#/$defs/level"}}}}}}},
    "results": {"type": "array", "items": {
     "type": "object", "required": ["ruleId", "message", "locations", "partialFingerprints"],
     "properties": {
      "ruleId": {"type": "string", "minLength": 1},
      "ruleIndex": {"type": "integer", "minimum": 0},
      "level": {"$ref": "#/$defs/level"},
      "message": {"$ref": "#/$defs/message"},
      "partialFingerprints": {"type": "object"},
      "locations": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["physicalLocation"],
       "properties": {"physicalLocation": {"type": "object", "required": ["artifactLocation", "region"],
        "properties": {"artifactLocation": {"type": "object", "required": ["uri"],
          "properties": {"uri": {"type": "string", "minLength": 1}}},
         "region": {"type": "object", "required": ["startLine"],
          "properties": {"startLine": {"type": "integer", "minimum": 1}}}}}}}}}}}}}}},
 "$defs": {
  "level": {"enum": ["none", "note", "warning", "error"]},
  "message": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}}
}"##;

#[test]
fn code_scanning_gets_what_the_standard_asks_for() {
    let schema: Value = serde_json::from_str(SARIF).unwrap();
    for changes in [0, 1, 23] {
        let log = json(&audit(changes, "x"));
        assert_eq!(violations(&schema, &log), Vec::<String>::new());
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
        }
    }
}

#[test]
fn a_finding_keeps_its_fingerprint_when_lines_move() {
    let prints = |audit: &Audit| -> Vec<String> {
        json(audit)["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["partialFingerprints"]["cargoCanary/v1"].to_string())
            .collect()
    };
    let before = audit(8, "x");
    let mut after = before.clone();
    for judged in &mut after.changes {
        judged.change.lock_line = Some(("Cargo.lock".to_owned(), 99));
    }
    assert_eq!(prints(&before), prints(&after));
    let mut unique = prints(&before);
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), prints(&before).len());
    after.changes[1].change.to[0].version = "9.9.9".parse().unwrap();
    assert_ne!(prints(&before), prints(&after));
}

#[test]
fn the_standards_own_schema_is_kept() {
    let Some(file) = std::env::var_os("CANARY_SARIF_SCHEMA") else {
        println!("skipped: CANARY_SARIF_SCHEMA names no schema");
        return;
    };
    let schema: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for text in ["x"].iter().chain(HOSTILE) {
        let log = json(&audit(23, text));
        assert_eq!(violations(&schema, &log), Vec::<String>::new(), "{text:?}");
    }
    let mut broken = json(&audit(1, "x"));
    broken["runs"][0]["results"][0]["level"] = "fine".into();
    broken["runs"][0]["tool"]["driver"]["nmae"] = "x".into();
    assert_eq!(violations(&schema, &broken).len(), 2);
}

#[test]
fn code_scanning_gets_no_more_than_it_takes_the_gravest_first() {
    let long = "y".repeat(4000);
    for (changes, text, most) in [
        (60, "x", 5000),
        (6000, "x", 5000),
        (3000, long.as_str(), 5000),
    ] {
        let audit = audit(changes, text);
        let bytes = bytes(&audit);
        assert!(bytes.len() < 10_000_000, "{} of {changes}", bytes.len());
        let log: Value = serde_json::from_slice(&bytes).unwrap();
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        let all = audit.verdict.reasons.len()
            + audit.evidence.discharged.len()
            + audit.verdict.notices.len();
        assert!(results.len() <= most);
        assert_eq!(run["properties"]["verdict"], "block");
        let grave = |result: &Value| match result["level"].as_str().unwrap() {
            "error" => 0,
            "warning" => 1,
            _ => 2,
        };
        assert!(results.is_sorted_by_key(grave), "{changes}");
        let notes = run["invocations"][0]["toolExecutionNotifications"].to_string();
        let left = all - results.len();
        assert_eq!(
            notes.contains(&format!("{left} results are left out")),
            left > 0
        );
    }
}
