//! The format of incident files as a page and as a JSON schema, made of the
//! tables that the reader uses.

use serde_json::{Map, Value, json};

use super::components::Components;
use super::vocabulary::{Cause, Detection, Failure, Resolution};

/// A key of the format: name, what it holds, what it stands for.
type Key = (&'static str, &'static str, &'static str);

/// The keys of a file. A test holds them against the reader.
const KEYS: &[Key] = &[
    ("version", "1, required", "The version of the format."),
    (
        "id",
        "text, required",
        "Lower-case letters, digits, `-`, `.`, `_`; unique among all records.",
    ),
    ("title", "text, required", "One line."),
    (
        "date",
        "date, required",
        "The day it happened or became known, in the zone of its account.",
    ),
    (
        "started",
        "time",
        "When it began; with its offset, or without one where no zone is told.",
    ),
    (
        "ended",
        "time",
        "When it was over; with an offset if `started` has one.",
    ),
    (
        "duration-minutes",
        "whole number",
        "How long it lasted, as its account sums it up.",
    ),
    (
        "minutes-to-cause",
        "whole number",
        "How long it took until the cause was known.",
    ),
    (
        "impact-percent",
        "0 to 100",
        "How many of 100 users felt it; one digit after the point at most.",
    ),
    ("failure", "word, required", "In which way it failed."),
    (
        "component",
        "word, required",
        "What the part that failed is for.",
    ),
    (
        "cause",
        "word, required",
        "What kind of thing was at the root.",
    ),
    ("resolution", "list of words", "What made it end, in order."),
    ("detection", "word", "How it was noticed."),
    (
        "suspected",
        "list of texts",
        "What was suspected wrongly, in order.",
    ),
    (
        "actions",
        "list of texts",
        "What was to be done so that it does not come back.",
    ),
    ("sources", "list of texts", "Where it is told."),
    (
        "contradictions",
        "list of texts",
        "What its account says in two ways. With any, start, end and duration need not agree.",
    ),
    ("note", "text", "What a reader of the record should know."),
    ("affects", "tables", "The rules: which releases are bad."),
];

/// The keys of a rule. A test holds them against the reader.
const RULE_KEYS: &[Key] = &[
    (
        "crates",
        "table of ranges, required",
        "The crates with their bad versions; all of them together are the cause.",
    ),
    (
        "introduced",
        "table of versions",
        "The first bad release, where it is known; it is in the range.",
    ),
    (
        "fixed-in",
        "table of versions",
        "The release with the repair, or a list of one for each line; outside of the range.",
    ),
    (
        "features",
        "table of lists",
        "Features that have to be on for the fault to show.",
    ),
    (
        "features-off",
        "table of lists",
        "Features that have to be off for the fault to show.",
    ),
];

/// The reference of the format in Markdown.
#[must_use]
pub fn reference(components: &Components) -> String {
    let mut out = String::from("### Keys of a record\n\n");
    table(&mut out, ["key", "value", "meaning"], KEYS);
    out.push_str("\n### Keys of a rule, `[[affects]]`\n\n");
    table(&mut out, ["key", "value", "meaning"], RULE_KEYS);
    let mut words = |title: &str, rows: Vec<(&str, &str)>| {
        out.push_str(&["\n### ", title, "\n\n| word | meaning |\n|---|---|\n"].concat());
        for (word, docs) in rows {
            out.push_str(&["| `", word, "` | ", docs, " |\n"].concat());
        }
    };
    words(
        "`failure`",
        Failure::ALL
            .iter()
            .map(|word| (word.as_str(), word.docs()))
            .collect(),
    );
    words(
        "`cause`",
        Cause::ALL
            .iter()
            .map(|word| (word.as_str(), word.docs()))
            .collect(),
    );
    words(
        "`resolution`",
        Resolution::ALL
            .iter()
            .map(|word| (word.as_str(), word.docs()))
            .collect(),
    );
    words(
        "`detection`",
        Detection::ALL
            .iter()
            .map(|word| (word.as_str(), word.docs()))
            .collect(),
    );
    let roles = components.all().iter();
    words(
        "`component`",
        roles
            .map(|role| (role.name.as_str(), role.docs.as_str()))
            .collect(),
    );
    out
}

/// A table of keys.
fn table(out: &mut String, head: [&str; 3], rows: &[Key]) {
    out.push_str(&["| ", &head.join(" | "), " |\n|---|---|---|\n"].concat());
    for (key, value, docs) in rows {
        out.push_str(&["| `", key, "` | ", value, " | ", docs, " |\n"].concat());
    }
}

/// The JSON schema of an incident file, for editors that check TOML with one.
/// Dates and times are those of TOML, which such editors hand over as texts.
#[must_use]
pub fn schema(components: &Components) -> Value {
    let mut properties = Map::new();
    for (key, value, docs) in KEYS {
        let mut shape = match *key {
            "version" => json!({ "const": 1 }),
            "id" => {
                json!({ "type": "string", "maxLength": 100, "pattern": "^[a-z0-9][a-z0-9._-]*$" })
            }
            "impact-percent" => json!({ "type": "number", "minimum": 0, "maximum": 100 }),
            "failure" => words(Failure::ALL.iter().map(|word| word.as_str())),
            "cause" => words(Cause::ALL.iter().map(|word| word.as_str())),
            "detection" => words(Detection::ALL.iter().map(|word| word.as_str())),
            "component" => words(components.all().iter().map(|role| role.name.as_str())),
            "resolution" => list(words(Resolution::ALL.iter().map(|word| word.as_str()))),
            "affects" => json!({ "type": "array", "maxItems": 64, "items": rule() }),
            _ if *value == "whole number" => json!({ "type": "integer", "minimum": 0 }),
            _ if *value == "list of texts" => list(json!({ "type": "string", "minLength": 1 })),
            _ => json!({ "type": "string", "minLength": 1 }),
        };
        shape["description"] = json!(docs);
        properties.insert((*key).to_owned(), shape);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Incident file",
        "type": "object",
        "additionalProperties": false,
        "required": required(KEYS),
        "properties": properties,
    })
}

/// The shape of a rule.
fn rule() -> Value {
    let mut properties = Map::new();
    for (key, _, docs) in RULE_KEYS {
        let text = json!({ "type": "string", "minLength": 1 });
        let entry = match *key {
            "features" | "features-off" => list(text),
            "fixed-in" => json!({ "anyOf": [text, list(text.clone())] }),
            _ => text,
        };
        let shape = json!({ "type": "object", "additionalProperties": entry, "description": docs });
        properties.insert((*key).to_owned(), shape);
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required(RULE_KEYS),
        "properties": properties,
    })
}

/// The keys that must be there.
fn required(keys: &[Key]) -> Vec<&'static str> {
    keys.iter()
        .filter(|(_, value, _)| value.ends_with("required"))
        .map(|(key, ..)| *key)
        .collect()
}

/// One of some words.
fn words<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    json!({ "enum": words.collect::<Vec<_>>() })
}

/// A list without doubles.
fn list(item: Value) -> Value {
    json!({ "type": "array", "maxItems": 64, "uniqueItems": true, "items": item })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_of_the_reader() {
        let names = |keys: &[Key]| keys.iter().map(|(key, ..)| *key).collect::<Vec<_>>();
        assert_eq!(names(KEYS), super::super::read::KEYS);
        assert_eq!(names(RULE_KEYS), super::super::read::RULE_KEYS);
    }

    #[test]
    fn the_reader_asks_for_the_keys_that_the_page_calls_required() {
        let components = Components::built_in().unwrap();
        let defects =
            super::super::read("x.toml", b"", super::super::Origin::Repository, &components)
                .unwrap_err();
        let mut missing: Vec<String> = defects
            .iter()
            .map(|defect| defect.problem.to_string())
            .collect();
        let mut wanted: Vec<String> = required(KEYS)
            .iter()
            .map(|key| format!("the key `{key}` is missing"))
            .collect();
        missing.sort();
        wanted.sort();
        assert_eq!(missing, wanted);
    }
}
