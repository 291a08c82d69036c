//! Lock files, formats 1 to 4: text in, packages with resolved dependencies
//! out, or an error that names the line. Pure; guesses nothing and repairs
//! nothing.
//!
//! Two readers make the same raw shape: one for exactly the form that cargo
//! writes, line by line, and the TOML parser for everything else.
//!
//! Imports: pkg.

mod conflict;
mod lines;
mod names;
mod raw;
mod resolve;
mod tables;
#[cfg(test)]
mod tests;

use crate::pkg::{PackageId, SourceError};
use raw::RawLock;

/// Larger lock files are refused. The largest real ones have about 1 MiB.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The newest lock format that is understood.
pub const NEWEST_FORMAT: u8 = 4;

/// One lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    /// Its format, 1 to 4. Formats 1 and 2 do not say so themselves; they are
    /// told apart by where the checksums stand.
    pub version: u8,
    /// Its packages, sorted by id.
    pub packages: Vec<LockPackage>,
}

/// One package of a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockPackage {
    /// Its name, version and source.
    pub id: PackageId,
    /// SHA-256 of its archive in lower-case hex, where there is one.
    pub checksum: Option<String>,
    /// What it depends on: places in [`LockFile::packages`], ascending, each once.
    pub dependencies: Vec<usize>,
    /// The package that takes its place (`[replace]`).
    pub replace: Option<usize>,
    /// The line of its `name`, one-based.
    pub line: u32,
}

/// Why a lock file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It has more bytes than [`MAX_BYTES`].
    #[error("{path} has {size} bytes; lock files over {MAX_BYTES} bytes are not read")]
    TooLarge {
        /// The lock file.
        path: String,
        /// Its size in bytes.
        size: u64,
    },
    /// It is not UTF-8.
    #[error("{path} is not UTF-8 text (byte {offset})")]
    NotText {
        /// The lock file.
        path: String,
        /// The first byte that is not part of a character.
        offset: usize,
    },
    /// It says nothing at all: no package and no format.
    #[error("{path} holds no package")]
    Empty {
        /// The lock file.
        path: String,
    },
    /// A merge has left its marks.
    #[error("{path}:{line}: unresolved merge conflict between `{ours}` and `{theirs}`")]
    Conflict {
        /// The lock file.
        path: String,
        /// The line of the opening mark.
        line: u32,
        /// The label of the first side.
        ours: String,
        /// The label of the other side.
        theirs: String,
    },
    /// It states a format that is not known here.
    #[error("{path}:{line}: lock format {version} is unknown; the newest known is {NEWEST_FORMAT}")]
    Format {
        /// The lock file.
        path: String,
        /// The line of the statement.
        line: u32,
        /// The format it states.
        version: String,
    },
    /// It is not TOML, or not a lock file.
    #[error("{path}:{line}:{column}: {detail}")]
    Syntax {
        /// The lock file.
        path: String,
        /// The line, one-based.
        line: u32,
        /// The column in characters, one-based.
        column: u32,
        /// What is wrong there.
        detail: String,
    },
    /// A package name that cargo would not accept.
    #[error("{path}:{line}: `{name}` is not a package name")]
    Name {
        /// The lock file.
        path: String,
        /// The line of the name.
        line: u32,
        /// The name, escaped.
        name: String,
    },
    /// A version that is none.
    #[error("{path}:{line}: `{text}` is not a version of `{package}`: {detail}")]
    Version {
        /// The lock file.
        path: String,
        /// The line of the package.
        line: u32,
        /// The package.
        package: String,
        /// What stands there, escaped.
        text: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A source that is none.
    #[error("{path}:{line}: the source of `{package}` is not usable")]
    Source {
        /// The lock file.
        path: String,
        /// The line of the package.
        line: u32,
        /// The package.
        package: String,
        /// What is wrong with it.
        #[source]
        source: SourceError,
    },
    /// A checksum that is not 64 hex digits.
    #[error("{path}:{line}: the checksum of `{package}` is not 64 hex digits: `{text}`")]
    Checksum {
        /// The lock file.
        path: String,
        /// The line of the package, or of the checksum where it stands apart.
        line: u32,
        /// The package.
        package: String,
        /// What stands there, escaped.
        text: String,
    },
    /// Two different checksums for one package.
    #[error("{path}:{line}: a second, different checksum for `{package}`")]
    TwoChecksums {
        /// The lock file.
        path: String,
        /// The line of the second one.
        line: u32,
        /// The package.
        package: String,
    },
    /// The same package twice.
    #[error("{path}:{line}: `{package}` is listed a second time; the first is on line {first}")]
    Duplicate {
        /// The lock file.
        path: String,
        /// The line of the second one.
        line: u32,
        /// The line of the first one.
        first: u32,
        /// The package, with version and source.
        package: String,
    },
    /// A dependency on a package that is not listed.
    #[error("{path}:{line}: `{package}` depends on `{dependency}`, which is not in the lock file")]
    Dangling {
        /// The lock file.
        path: String,
        /// The line of the dependency.
        line: u32,
        /// The package that depends.
        package: String,
        /// What it depends on, escaped.
        dependency: String,
    },
    /// A dependency that several packages match.
    #[error("{path}:{line}: `{package}` depends on `{dependency}`, which {count} packages match")]
    Ambiguous {
        /// The lock file.
        path: String,
        /// The line of the dependency.
        line: u32,
        /// The package that depends.
        package: String,
        /// What it depends on, escaped.
        dependency: String,
        /// How many packages match.
        count: usize,
    },
}

/// Reads a lock file. `path` is used in errors only.
///
/// # Errors
/// See [`LockError`]; each names the path and, where there is one, the line.
pub fn parse(text: &str, path: &str) -> Result<LockFile, LockError> {
    resolve::build(read(text, path)?, path)
}

/// Reads a lock file from bytes. `path` is used in errors only.
///
/// # Errors
/// Those of [`parse`], and when the bytes are not UTF-8.
pub fn parse_bytes(bytes: &[u8], path: &str) -> Result<LockFile, LockError> {
    parse(text_of(bytes, path)?, path)
}

/// The packages that a lock file lists, without what they depend on: also of a file in
/// which a package is missing that others need, as careless merges leave it, and from
/// which cargo builds all the same. `path` is used in errors only.
///
/// # Errors
/// Those of [`parse_bytes`], but for what is wrong with dependencies.
pub fn listed(bytes: &[u8], path: &str) -> Result<LockFile, LockError> {
    let mut raw = read(text_of(bytes, path)?, path)?;
    for package in &mut raw.packages {
        package.dependencies = 0..0;
        package.replace = None;
    }
    resolve::build(raw, path)
}

fn text_of<'b>(bytes: &'b [u8], path: &str) -> Result<&'b str, LockError> {
    std::str::from_utf8(bytes).map_err(|error| LockError::NotText {
        path: path.to_owned(),
        offset: error.valid_up_to(),
    })
}

/// What the file says: line by line as cargo writes it, else as any TOML.
fn read<'t>(text: &'t str, path: &str) -> Result<RawLock<'t>, LockError> {
    let size = text.len() as u64;
    if size > MAX_BYTES {
        return Err(LockError::TooLarge {
            path: path.to_owned(),
            size,
        });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(raw) = lines::read(text) {
        return Ok(raw);
    }
    match conflict::find(text, path) {
        Some(error) => Err(error),
        None => tables::read(text, path),
    }
}

/// Text of the file as it may be printed: on one line, nothing invisible, and
/// not too long.
fn printable(text: &str) -> String {
    const LIMIT: usize = 120;
    let mut out = String::new();
    for c in text.chars().take(LIMIT) {
        match c {
            '"' | '\'' | '\\' => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(LIMIT).is_some() {
        out.push('…');
    }
    out
}
