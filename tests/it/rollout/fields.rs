//! The fields of the rollout engines' objects: `fixtures/rollout/fields.txt` lists
//! those of their published schemas that a plan can use, one a line, as path, type and
//! what is required, allowed or matched. With the shared data the list is compared with
//! the schemas; `CANARY_UPDATE=1` then writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::cli::program::root;
use crate::support::data::folder;

const LIST: &str = "fixtures/rollout/fields.txt";
/// The schemas, and the parts of them that no plan uses: pods, other providers of
/// metrics and of traffic, and what engines write themselves.
const SCHEMAS: [(&str, &str); 4] = [
    ("Rollout", "rollout-v1alpha1.schema.json"),
    ("AnalysisTemplate", "analysistemplate-v1alpha1.schema.json"),
    ("Canary", "canary-v1beta1.schema.json"),
    ("MetricTemplate", "metrictemplate-v1beta1.schema.json"),
];
const LEFT_OUT: [&str; 19] = [
    "status",
    "template",
    "job",
    "web",
    "plugin",
    "kayenta",
    "datadog",
    "cloudWatch",
    "newRelic",
    "graphite",
    "influxdb",
    "skywalking",
    "wavefront",
    "experiment",
    "trafficRouting",
    "blueGreen",
    "antiAffinity",
    "gatewayRefs",
    "trafficPolicy",
];

/// What a list says of one field.
#[derive(Debug, Default)]
struct Field {
    kind: String,
    required: bool,
    allowed: Vec<String>,
    pattern: Option<String>,
}

fn list(path: &str, schema: &Value, required: bool, out: &mut String) {
    let kind = if schema["x-kubernetes-int-or-string"] == true {
        "integer-or-string"
    } else {
        schema["type"].as_str().unwrap_or("any")
    };
    let _ = write!(out, "{path} {kind}");
    if required {
        out.push_str(" required");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<&str> = values.iter().map(|value| value.as_str().unwrap()).collect();
        let _ = write!(out, " enum={}", values.join(","));
    }
    if let Some(pattern) = schema["pattern"].as_str().filter(|it| !it.contains(' ')) {
        let _ = write!(out, " pattern={pattern}");
    }
    out.push('\n');
    let needed = |name: &str| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|it| it == name))
    };
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        if !LEFT_OUT.contains(&name.as_str()) {
            list(&format!("{path}.{name}"), inner, needed(name), out);
        }
    }
    if kind == "array" {
        list(&format!("{path}[]"), &schema["items"], false, out);
    }
}

fn read() -> BTreeMap<String, Field> {
    let text = std::fs::read_to_string(root().join(LIST)).unwrap();
    text.lines()
        .map(|line| {
            let mut words = line.split(' ');
            let path = words.next().unwrap().to_owned();
            let mut field = Field {
                kind: words.next().unwrap().to_owned(),
                ..Field::default()
            };
            for word in words {
                if let Some(values) = word.strip_prefix("enum=") {
                    field.allowed = values.split(',').map(str::to_owned).collect();
                } else if let Some(pattern) = word.strip_prefix("pattern=") {
                    field.pattern = Some(pattern.to_owned());
                } else {
                    assert_eq!(word, "required", "{line}");
                    field.required = true;
                }
            }
            (path, field)
        })
        .collect()
}

/// What of an object does not fit the list; empty when all fits.
pub(super) fn misfits(object: &Value) -> Vec<String> {
    let fields = read();
    let kind = object["kind"].as_str().unwrap_or("?");
    let mut found = Vec::new();
    check(&fields, kind, object, &mut found);
    found
}

fn check(fields: &BTreeMap<String, Field>, path: &str, value: &Value, found: &mut Vec<String>) {
    let Some(field) = fields.get(path) else {
        found.push(format!("{path}: no such field"));
        return;
    };
    let fits = match field.kind.as_str() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "integer-or-string" => value.is_u64() || value.is_string(),
        _ => true,
    };
    if !fits {
        found.push(format!("{path}: {value} is no {}", field.kind));
    }
    if let Some(text) = value.as_str() {
        if !field.allowed.is_empty() && !field.allowed.iter().any(|it| it == text) {
            found.push(format!("{path}: {text} is not allowed"));
        }
        // The only pattern of what a plan writes is that of times.
        if field.pattern.as_deref() == Some("^[0-9]+(m|s)") {
            let digits = text.trim_end_matches(['m', 's']);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                found.push(format!("{path}: {text} is no time"));
            }
        }
    }
    let below = format!("{path}.");
    let inner = || {
        fields.iter().filter_map(|(name, field)| {
            let name = name.strip_prefix(&below)?;
            (!name.contains(['.', '['])).then_some((name, field))
        })
    };
    for (name, field) in inner() {
        if field.required && value.is_object() && value.get(name).is_none() {
            found.push(format!("{path}.{name}: is missing"));
        }
    }
    // An object without known fields takes any.
    if inner().next().is_some() {
        for (name, one) in value.as_object().into_iter().flatten() {
            check(fields, &format!("{path}.{name}"), one, found);
        }
    }
    for one in value.as_array().into_iter().flatten() {
        check(fields, &format!("{path}[]"), one, found);
    }
}

#[test]
fn the_list_of_fields_is_that_of_the_published_schemas() {
    let Some(folder) = folder("rollout-crds") else {
        return;
    };
    let mut wanted = String::new();
    for (kind, file) in SCHEMAS {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        list(
            kind,
            &serde_json::from_str(&text).unwrap(),
            true,
            &mut wanted,
        );
    }
    let path = root().join(LIST);
    if std::env::var_os("CANARY_UPDATE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &wanted).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), wanted);
}

#[test]
fn what_does_not_fit_is_seen() {
    let of = |text: &str| misfits(&serde_json::from_str(text).unwrap());
    let canary = |spec: &str| of(&format!(r#"{{"kind":"Canary","spec":{{{spec}}}}}"#));
    let target = r#""targetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"x"}"#;
    let good = format!(r#"{target},"analysis":{{"interval":"5m","threshold":1}}"#);
    assert_eq!(canary(&good), [] as [String; 0]);
    for (spec, says) in [
        (good.replace("5m", "soon"), "is no time"),
        (
            good.replace("\"threshold\":1", "\"threshold\":\"1\""),
            "is no number",
        ),
        (good.replace("threshold", "treshold"), "no such field"),
        (good.replace("\"Deployment\"", "\"Pod\""), "is not allowed"),
        (target.to_owned(), "Canary.spec.analysis: is missing"),
    ] {
        let found = canary(&spec);
        assert!(
            found.iter().any(|one| one.contains(says)),
            "{says}: {found:?}"
        );
    }
}
