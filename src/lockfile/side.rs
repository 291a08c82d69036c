//! The packages of a lock file as they stand in it, and their way back into one.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

/// Why lock files cannot be mixed.
#[derive(Debug, thiserror::Error)]
pub enum MixtureError {
    /// A lock file is none.
    #[error("the lock file of the {side} cannot be read")]
    Parse {
        /// Which one.
        side: &'static str,
        /// The reason.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An entry has no name or version.
    #[error("the lock file of the {side} has a package without name or version")]
    Nameless {
        /// Which one.
        side: &'static str,
    },
}

/// The packages of one lock file.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    version: Option<Value>,
    metadata: BTreeMap<String, Value>,
    pub(crate) packages: BTreeMap<String, Vec<Entry>>,
}

/// One package.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) version: String,
    pub(crate) source: Option<String>,
    /// What it depends on, as it is written.
    pub(crate) dependencies: Vec<String>,
    /// As it is in the file, without its dependencies, which cargo finds anew.
    pub(crate) table: toml::Table,
}

impl Side {
    pub(crate) fn parse(text: &str, side: &'static str) -> Result<Self, MixtureError> {
        let mut table: toml::Table =
            toml::from_str(text).map_err(|source| MixtureError::Parse {
                side,
                source: Box::new(source),
            })?;
        let mut packages: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        let entries = match table.remove("package") {
            Some(Value::Array(entries)) => entries,
            Some(_) | None => Vec::new(),
        };
        for entry in entries {
            let Value::Table(mut table) = entry else {
                return Err(MixtureError::Nameless { side });
            };
            let dependencies = match table.remove("dependencies") {
                Some(Value::Array(dependencies)) => dependencies,
                Some(_) | None => Vec::new(),
            };
            let dependencies = dependencies.iter().filter_map(Value::as_str);
            let dependencies = dependencies.map(str::to_owned).collect();
            let text = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
            let (Some(name), Some(version)) = (text("name"), text("version")) else {
                return Err(MixtureError::Nameless { side });
            };
            packages.entry(name).or_default().push(Entry {
                version,
                source: text("source"),
                dependencies,
                table,
            });
        }
        let metadata = match table.remove("metadata") {
            Some(Value::Table(metadata)) => metadata.into_iter().collect(),
            Some(_) | None => BTreeMap::new(),
        };
        Ok(Self {
            version: table.remove("version"),
            metadata,
            packages,
        })
    }

    /// A package with what it depends on, each by name and version. What is not in
    /// the file that is made of it, cargo finds anew.
    pub(crate) fn linked(&self, entry: &Entry) -> Value {
        let mut table = entry.table.clone();
        let dependencies = entry.dependencies.iter().map(|written| {
            let one = self.packages.get(written).filter(|all| all.len() == 1);
            let only = one.and_then(|all| all.first());
            let full = only.map(|only| format!("{written} {}", only.version));
            Value::String(full.unwrap_or_else(|| written.clone()))
        });
        let dependencies: Vec<Value> = dependencies.collect();
        if !dependencies.is_empty() {
            table.insert("dependencies".to_owned(), Value::Array(dependencies));
        }
        Value::Table(table)
    }

    /// Versions and sources of a name.
    pub(crate) fn releases(&self, name: &str) -> BTreeSet<(&str, Option<&str>)> {
        self.packages
            .get(name)
            .into_iter()
            .flatten()
            .map(|entry| (entry.version.as_str(), entry.source.as_deref()))
            .collect()
    }
}

/// A lock file of these packages; the rest is the first one's, then the second one's.
pub(crate) fn write(packages: Vec<Value>, first: &Side, second: &Side) -> String {
    let mut table = toml::Table::new();
    if let Some(version) = &first.version {
        table.insert("version".to_owned(), version.clone());
    }
    table.insert("package".to_owned(), Value::Array(packages));
    let metadata: toml::Table = second
        .metadata
        .iter()
        .chain(&first.metadata)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !metadata.is_empty() {
        table.insert("metadata".to_owned(), Value::Table(metadata));
    }
    // A table of what was just parsed can always be written.
    toml::to_string(&table).unwrap_or_default()
}
