//! A record as JSON, with the keys of its file.

use serde_json::{Map, Value, json};

use super::record::{Affects, Record};

impl Record {
    /// The record as JSON: the keys of an incident file, and `origin` and
    /// `file`. Keys without a value are left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        let mut set = |key: &str, value: Value| {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                out.insert(key.to_owned(), value);
            }
        };
        set("version", json!(1));
        set("id", json!(self.id));
        set("title", json!(self.title));
        set("date", json!(self.date.to_string()));
        set("started", json!(self.started.map(|at| at.to_string())));
        set("ended", json!(self.ended.map(|at| at.to_string())));
        set("duration-minutes", json!(self.duration_minutes));
        set("minutes-to-cause", json!(self.minutes_to_cause));
        set(
            "impact-percent",
            self.impact_percent.map_or(Value::Null, |percent| {
                if percent.tenths % 10 == 0 {
                    json!(percent.tenths / 10)
                } else {
                    json!(f64::from(percent.tenths) / 10.0)
                }
            }),
        );
        set("failure", json!(self.failure.as_str()));
        set("component", json!(self.component));
        set("cause", json!(self.cause.as_str()));
        let resolution: Vec<&str> = self.resolution.iter().map(|word| word.as_str()).collect();
        set("resolution", json!(resolution));
        set("detection", json!(self.detection.map(|word| word.as_str())));
        set("suspected", json!(self.suspected));
        set("actions", json!(self.actions));
        set("sources", json!(self.sources));
        set("contradictions", json!(self.contradictions));
        set("note", json!(self.note));
        let affects: Vec<Value> = self.affects.iter().map(rule).collect();
        set("affects", json!(affects));
        set("origin", json!(self.origin.as_str()));
        set("file", json!(self.file));
        Value::Object(out)
    }
}

/// One rule, by crate.
fn rule(rule: &Affects) -> Value {
    let mut out = Map::new();
    for affected in &rule.crates {
        let mut set = |key: &str, value: Value| {
            let table = out.entry(key.to_owned()).or_insert_with(|| json!({}));
            if let Some(table) = table.as_object_mut() {
                table.insert(affected.name.clone(), value);
            }
        };
        set("crates", json!(affected.range.to_string()));
        if let Some(version) = &affected.introduced {
            set("introduced", json!(version.to_string()));
        }
        let fixed: Vec<String> = affected.fixed_in.iter().map(ToString::to_string).collect();
        match fixed.as_slice() {
            [] => {}
            [version] => set("fixed-in", json!(version)),
            all => set("fixed-in", json!(all)),
        }
        if !affected.features.is_empty() {
            set("features", json!(affected.features));
        }
        if !affected.features_off.is_empty() {
            set("features-off", json!(affected.features_off));
        }
    }
    Value::Object(out)
}
