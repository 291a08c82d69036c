//! The part of JSON Schema that this project's schemas use. An unknown keyword
//! fails the test, so that nothing is taken as checked that is not.

use serde_json::Value;

/// What does not fit, with the place of it; empty when all fits.
pub(crate) fn violations(schema: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, document, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        let fits = match keyword.as_str() {
            "$schema" | "$defs" | "definitions" | "$id" | "title" | "description" | "default" => {
                true
            }
            // Formats and patterns of texts are not looked at.
            "format" | "pattern" => true,
            "uniqueItems" => value.as_array().is_none_or(|list| {
                list.iter()
                    .enumerate()
                    .all(|(at, one)| !list[..at].contains(one))
            }),
            "oneOf" => {
                let fits = |one: &&Value| {
                    let mut inner = Vec::new();
                    check(root, one, value, at, &mut inner);
                    inner.is_empty()
                };
                rule.as_array().unwrap().iter().filter(fits).count() == 1
            }
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(pointer).unwrap(), value, at, found);
                true
            }
            "type" => is_of(rule.as_str().unwrap(), value),
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|n| n <= rule.as_f64().unwrap()),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.len() as u64 >= rule.as_u64().unwrap()),
            "minItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 >= rule.as_u64().unwrap()),
            "anyOf" => rule.as_array().unwrap().iter().any(|one| {
                let mut inner = Vec::new();
                check(root, one, value, at, &mut inner);
                inner.is_empty()
            }),
            "required" => rule.as_array().unwrap().iter().all(|key| {
                let there = value.get(key.as_str().unwrap()).is_some();
                if !there {
                    found.push(format!("{at}: {key} is missing"));
                }
                there
            }),
            "properties" => {
                for (key, one) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(key) {
                        check(root, one, inner, &format!("{at}.{key}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let known = |key: &String| known.is_some_and(|known| known.contains_key(key));
                let object = value.as_object().into_iter().flatten();
                let mut others = object.filter(|(key, _)| !known(key));
                if let Some(allowed) = rule.as_bool() {
                    allowed || others.next().is_none()
                } else {
                    for (key, inner) in others {
                        check(root, rule, inner, &format!("{at}.{key}"), found);
                    }
                    true
                }
            }
            "items" => {
                for (place, inner) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, inner, &format!("{at}[{place}]"), found);
                }
                true
            }
            other => panic!("this validator does not know `{other}`"),
        };
        if !fits {
            found.push(format!("{at}: {keyword} {rule} does not hold for {value}"));
        }
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("this validator does not know the type `{other}`"),
    }
}
