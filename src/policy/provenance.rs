//! Where each value of a policy comes from.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

use super::load::built_in_text;
use super::problem::SourceFile;

/// How long a value is shown, in characters.
const SHOWN: usize = 60;

/// Whose layer a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerKind {
    /// It comes with the program.
    BuiltIn,
    /// A file or a pinned URL that the policy extends.
    Organisation,
    /// The policy itself.
    Repository,
}

impl LayerKind {
    /// The words used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BuiltIn => "built in",
            Self::Organisation => "organisation",
            Self::Repository => "repository",
        }
    }
}

/// Where one value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The key, such as `risk.canary`, or `rule.ID.KEY`.
    pub key: String,
    /// The value as it is written.
    pub value: String,
    /// The file and line that state it.
    pub origin: String,
    /// Whose layer that is.
    pub layer: LayerKind,
    /// The file and line of every value that it stands in the place of, the
    /// nearest first.
    pub instead_of: Vec<String>,
}

/// The values of all layers, the first one lowest; by key, rules in the order of
/// their ids.
pub(super) fn of<'f>(files: impl ExactSizeIterator<Item = &'f SourceFile>) -> Vec<Provenance> {
    let last = files.len().saturating_sub(1);
    let mut found: BTreeMap<String, Provenance> = BTreeMap::new();
    for (place, file) in files.enumerate() {
        let layer = if built_in_text(&file.path).is_some() {
            LayerKind::BuiltIn
        } else if place == last {
            LayerKind::Repository
        } else {
            LayerKind::Organisation
        };
        for (key, span, value) in stated(&file.text) {
            let line = file.line(span.start);
            let new = Provenance {
                key: key.clone(),
                value: short(file.text.get(value).unwrap_or_default()),
                origin: format!("{}:{line}", file.path),
                layer,
                instead_of: Vec::new(),
            };
            let old = found.remove(&key);
            let instead_of = old.map(|old| {
                let mut all = vec![old.origin];
                all.extend(old.instead_of);
                all
            });
            found.insert(
                key,
                Provenance {
                    instead_of: instead_of.unwrap_or_default(),
                    ..new
                },
            );
        }
    }
    found.into_values().collect()
}

/// The keys of a file with the places of key and value; exemptions are no values.
fn stated(text: &str) -> Vec<Stated> {
    let (root, _) = DeTable::parse_recoverable(text);
    let mut found = Vec::new();
    for (key, value) in root.get_ref() {
        let name: &str = key.get_ref().as_ref();
        if ["version", "extends", "exempt"].contains(&name) {
            continue;
        }
        if let Some(rules) = value.get_ref().as_array().filter(|_| name == "rule") {
            for rule in rules.iter().filter_map(|rule| rule.get_ref().as_table()) {
                of_rule(rule, &mut found);
            }
        } else if let Some(table) = value.get_ref().as_table() {
            flatten(name, table, &mut found);
        } else {
            found.push((name.to_owned(), key.span(), value.span()));
        }
    }
    found
}

/// A key with the places of key and value.
type Stated = (String, Range<usize>, Range<usize>);

fn of_rule(rule: &DeTable<'_>, found: &mut Vec<Stated>) {
    let Some(id) = rule.get("id").and_then(|id| id.get_ref().as_str()) else {
        return;
    };
    for (key, value) in rule.iter().filter(|(key, _)| key.get_ref() != "id") {
        let name = format!("rule.{id}.{}", key.get_ref());
        found.push((name, key.span(), value.span()));
    }
}

fn flatten(prefix: &str, table: &DeTable<'_>, found: &mut Vec<Stated>) {
    for (key, value) in table {
        let name = format!("{prefix}.{}", key.get_ref());
        match value.get_ref().as_table() {
            Some(inner) => flatten(&name, inner, found),
            None => found.push((name, key.span(), value.span())),
        }
    }
}

/// A written value on one line, cut where it is long.
fn short(written: &str) -> String {
    let bare = written
        .strip_prefix("'''")
        .and_then(|rest| rest.strip_suffix("'''"));
    let words: Vec<&str> = bare.unwrap_or(written).split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}
