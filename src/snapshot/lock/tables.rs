//! The reader for any lock file that is TOML but not in cargo's own form:
//! hand-edited, other order of keys, other quotes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::raw::{CHECKSUM_PREFIX, RawLock, RawPackage};
use super::{LockError, printable};

#[derive(Deserialize)]
struct LockTables {
    version: Option<Spanned<i64>>,
    root: Option<PackageTable>,
    #[serde(default)]
    package: Vec<PackageTable>,
    #[serde(default)]
    metadata: BTreeMap<Spanned<String>, MetadataValue>,
}

#[derive(Deserialize)]
struct PackageTable {
    name: Spanned<String>,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<Spanned<String>>,
    replace: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MetadataValue {
    Text(String),
    Other(IgnoredAny),
}

/// Reads a lock file through the TOML parser.
pub(super) fn read(text: &str, path: &str) -> Result<RawLock<'static>, LockError> {
    let lines = Lines::of(text);
    let tables: LockTables = toml::from_str(text).map_err(|error| {
        let (line, column) = error
            .span()
            .map_or((1, 1), |span| lines.position(text, span.start));
        LockError::Syntax {
            path: path.to_owned(),
            line,
            column,
            detail: printable(error.message()),
        }
    })?;
    let mut raw = RawLock {
        version: tables.version.map(|v| {
            (
                Cow::Owned(v.get_ref().to_string()),
                lines.line(v.span().start),
            )
        }),
        root: tables.root.is_some(),
        ..RawLock::default()
    };
    for table in tables.root.into_iter().chain(tables.package) {
        push(&mut raw, table, &lines);
    }
    for (key, value) in tables.metadata {
        let line = lines.line(key.span().start);
        let (Some(key), MetadataValue::Text(value)) =
            (key.get_ref().strip_prefix(CHECKSUM_PREFIX), value)
        else {
            continue;
        };
        raw.checksums
            .push(((Cow::Owned(key.to_owned()), line), Cow::Owned(value)));
    }
    Ok(raw)
}

fn push(raw: &mut RawLock<'static>, table: PackageTable, lines: &Lines) {
    let start = raw.dependencies.len();
    let place = |text: Spanned<String>| {
        let line = lines.line(text.span().start);
        (Cow::Owned(text.into_inner()), line)
    };
    raw.dependencies
        .extend(table.dependencies.into_iter().map(place));
    let (name, line) = place(table.name);
    raw.packages.push(RawPackage {
        name,
        version: Cow::Owned(table.version),
        source: table.source.map(Cow::Owned),
        checksum: table.checksum.map(Cow::Owned),
        dependencies: start..raw.dependencies.len(),
        replace: table.replace.map(place),
        line,
    });
}

/// Where lines begin.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self {
            starts: std::iter::once(0).chain(ends).collect(),
        }
    }

    /// The one-based line of a byte.
    fn line(&self, offset: usize) -> u32 {
        let line = self.starts.partition_point(|&start| start <= offset);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// The one-based line and column of a byte.
    fn position(&self, text: &str, offset: usize) -> (u32, u32) {
        let line = self.line(offset);
        let start = self
            .starts
            .get(line as usize - 1)
            .copied()
            .unwrap_or_default();
        let column = text
            .get(start..offset)
            .map_or(0, |before| before.chars().count());
        (
            line,
            u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
        )
    }
}
