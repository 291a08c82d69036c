//! The draft of a record: what was found with its lines, what contradicts,
//! and what is open.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, json};

use crate::incidents::record::{Moment, Percent};

/// A value of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A word of a closed list.
    Word(String),
    /// A whole number.
    Number(u32),
    /// A part of 100.
    Percent(Percent),
    /// A day.
    Date(Date),
    /// A point in time.
    Moment(Moment),
    /// Texts in order.
    Texts(Vec<String>),
}

/// The keys that a postmortem can tell, in the order of the format.
const KEYS: &[&str] = &[
    "id",
    "title",
    "date",
    "started",
    "ended",
    "duration-minutes",
    "minutes-to-cause",
    "impact-percent",
    "failure",
    "component",
    "cause",
    "resolution",
    "detection",
    "suspected",
    "actions",
];

/// Keys that a record must have.
const REQUIRED: &[&str] = &["id", "title", "date", "failure", "component", "cause"];

/// What was read of a postmortem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    found: BTreeMap<&'static str, (Value, Vec<u32>)>,
    contradictions: Vec<String>,
    remarks: Vec<String>,
    source: String,
}

impl Draft {
    /// A draft in which all is open.
    pub(super) fn new(source: &str) -> Self {
        Self {
            found: BTreeMap::new(),
            contradictions: Vec::new(),
            remarks: Vec::new(),
            source: line(source, 190),
        }
    }

    /// Sets a value that was found.
    pub(super) fn set(&mut self, key: &'static str, value: Option<(Value, u32)>) {
        if let Some((value, line)) = value {
            self.found.insert(key, (value, vec![line]));
        }
    }

    /// Sets a list, unless it is empty.
    pub(super) fn list(&mut self, key: &'static str, entries: Vec<(String, u32)>) {
        let (texts, lines): (Vec<String>, Vec<u32>) = entries
            .into_iter()
            .map(|(text, at)| (line(&text, 195), at))
            .filter(|(text, _)| !text.is_empty())
            .unzip();
        if !texts.is_empty() {
            self.found.insert(key, (Value::Texts(texts), lines));
        }
    }

    /// Notes what contradicts.
    pub(super) fn contradict(&mut self, said: Vec<String>) {
        for what in said {
            if !self.contradictions.contains(&what) {
                self.contradictions.push(what);
            }
        }
    }

    /// Notes what a reader should know.
    pub(super) fn remark(&mut self, what: Option<String>) {
        self.remarks.extend(what);
    }

    /// A value that was found.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.found.get(key).map(|(value, _)| value)
    }

    /// The lines that a value was read from, one for each entry of a list.
    #[must_use]
    pub fn lines(&self, key: &str) -> &[u32] {
        self.found.get(key).map_or(&[], |(_, lines)| lines)
    }

    /// What the account says in two ways.
    #[must_use]
    pub fn contradictions(&self) -> &[String] {
        &self.contradictions
    }

    /// What else a reader should know: what was damaged, or read from words.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The keys that were not found, in the order of the format.
    #[must_use]
    pub fn open(&self) -> Vec<&'static str> {
        KEYS.iter()
            .copied()
            .filter(|key| !self.found.contains_key(key))
            .chain(["affects"])
            .collect()
    }

    /// As an incident file: what is open stands in it as a comment.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out =
            String::from("# A draft: read it against its text, and complete what is open.\n");
        for what in &self.contradictions {
            out.push_str(&comment("contradiction", what));
        }
        for what in &self.remarks {
            out.push_str(&comment("remark", what));
        }
        out.push_str(&comment("open", &self.open().join(", ")));
        out.push_str("version = 1\n");
        for key in KEYS {
            match self.found.get(key) {
                Some((Value::Texts(texts), lines)) => {
                    out.push_str(key);
                    out.push_str(" = [\n");
                    for (text, line) in texts.iter().zip(lines) {
                        out.push_str(
                            &["    ", &quoted(text), ", # line ", &line.to_string(), "\n"].concat(),
                        );
                    }
                    out.push_str("]\n");
                }
                Some((value, lines)) => {
                    let line = lines.first().map(ToString::to_string).unwrap_or_default();
                    let made = if *key == "id" {
                        ", made of date and title"
                    } else {
                        ""
                    };
                    out.push_str(
                        &[*key, " = ", &written(value), " # line ", &line, made, "\n"].concat(),
                    );
                }
                None => {
                    let must = if REQUIRED.contains(key) {
                        "a record needs it"
                    } else {
                        "not found"
                    };
                    out.push_str(&["# ", *key, " = # open: ", must, "\n"].concat());
                }
            }
        }
        if !self.source.is_empty() {
            out.push_str(&["sources = [", &quoted(&self.source), "]\n"].concat());
        }
        if !self.contradictions.is_empty() {
            out.push_str("contradictions = [\n");
            for what in &self.contradictions {
                out.push_str(&["    ", &quoted(&line(what, 1_500)), ",\n"].concat());
            }
            out.push_str("]\n");
        }
        out.push_str("\n# open: affects\n# [[affects]]\n# crates = { name = \"=1.2.3\" }\n");
        out
    }

    /// As JSON: `record`, `read-from`, `lines`, `contradictions`, `remarks`, `open`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut record = Map::new();
        let mut read_from = Map::new();
        let mut lines = Map::new();
        record.insert("version".to_owned(), json!(1));
        for (key, (value, places)) in &self.found {
            let value = match value {
                Value::Text(text) | Value::Word(text) => json!(text),
                Value::Number(number) => json!(number),
                Value::Percent(percent) if percent.tenths % 10 == 0 => json!(percent.tenths / 10),
                Value::Percent(percent) => json!(f64::from(percent.tenths) / 10.0),
                Value::Date(date) => json!(date.to_string()),
                Value::Moment(moment) => json!(moment.to_string()),
                Value::Texts(texts) => json!(texts),
            };
            record.insert((*key).to_owned(), value);
            read_from.insert((*key).to_owned(), json!(places.first()));
            lines.insert((*key).to_owned(), json!(places));
        }
        if !self.source.is_empty() {
            record.insert("sources".to_owned(), json!([self.source]));
        }
        if !self.contradictions.is_empty() {
            record.insert("contradictions".to_owned(), json!(self.contradictions));
        }
        json!({
            "record": record,
            "read-from": read_from,
            "lines": lines,
            "contradictions": self.contradictions,
            "remarks": self.remarks,
            "open": self.open(),
        })
    }
}

/// A value as TOML writes it.
fn written(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Word(text) => quoted(text),
        Value::Number(number) => number.to_string(),
        Value::Percent(percent) => percent.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Moment(moment) => moment.to_string(),
        Value::Texts(texts) => texts.join(", "),
    }
}

/// A text in quotes, as TOML takes it.
fn quoted(text: &str) -> String {
    toml::Value::String(line(text, 2_000)).to_string()
}

/// A comment on one line.
fn comment(name: &str, text: &str) -> String {
    ["# ", name, ": ", &line(text, 500), "\n"].concat()
}

/// A text on one line without hidden characters, at most so long.
fn line(text: &str, limit: usize) -> String {
    crate::incidents::read::clip(text, limit)
}
