//! From what a lock file says to what it means: ids, checksums, and each
//! dependency string as the place of the one package that it names.

mod index;

use semver::Version;

use super::names::is_package_name;
use super::raw::{RawLock, RawPackage};
use super::{LockError, LockFile, LockPackage, NEWEST_FORMAT, printable};
use crate::pkg::{PackageId, Source, SourceError};
use index::{Index, Miss};

/// Checks everything and resolves dependencies. Linear in the size of the file,
/// but for sorting, which a file in cargo's order does not need.
pub(super) fn build(mut raw: RawLock<'_>, path: &str) -> Result<LockFile, LockError> {
    let stated = stated_format(&raw, path)?;
    if stated.is_none() && raw.packages.is_empty() {
        return Err(LockError::Empty {
            path: path.to_owned(),
        });
    }
    let mut entries: Vec<(PackageId, RawPackage<'_>)> = Vec::with_capacity(raw.packages.len());
    for package in std::mem::take(&mut raw.packages) {
        entries.push((id(&package, stated, path)?, package));
    }
    if !entries.is_sorted_by(|(a, _), (b, _)| a <= b) {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    no_duplicates(&entries, path)?;

    let index = Index::new(&entries);
    let mut packages = Vec::with_capacity(entries.len());
    for (id, entry) in &entries {
        let package = Linker {
            raw: &raw,
            index: &index,
            path,
        }
        .package(id, entry)?;
        packages.push(package);
    }
    let version = stated.unwrap_or_else(|| guess_format(&raw, &packages));
    add_checksums(&raw, &index, &mut packages, path)?;
    drop(index);
    for (package, (id, _)) in packages.iter_mut().zip(entries) {
        package.id = id;
    }
    Ok(LockFile { version, packages })
}

/// The stated format, if any and if known.
fn stated_format(raw: &RawLock<'_>, path: &str) -> Result<Option<u8>, LockError> {
    let Some((text, line)) = &raw.version else {
        return Ok(None);
    };
    match text.parse::<u8>() {
        Ok(version) if (1..=NEWEST_FORMAT).contains(&version) => Ok(Some(version)),
        _ => Err(LockError::Format {
            path: path.to_owned(),
            line: *line,
            version: printable(text),
        }),
    }
}

/// Format 1 has its checksums in `[metadata]` and always the full dependency
/// strings; format 2 has neither.
fn guess_format(raw: &RawLock<'_>, packages: &[LockPackage]) -> u8 {
    if !raw.checksums.is_empty() || raw.root {
        return 1;
    }
    let in_package = packages.iter().any(|package| package.checksum.is_some());
    let full =
        !raw.dependencies.is_empty() && raw.dependencies.iter().all(|(text, _)| text.contains(' '));
    if full && !in_package { 1 } else { 2 }
}

fn id(package: &RawPackage<'_>, stated: Option<u8>, path: &str) -> Result<PackageId, LockError> {
    let source = match &package.source {
        None => Source::Local,
        Some(text) => source(text, stated).map_err(|source| LockError::Source {
            path: path.to_owned(),
            line: package.line,
            package: printable(&package.name),
            source,
        })?,
    };
    if !is_package_name(&package.name, source.is_registry()) {
        return Err(LockError::Name {
            path: path.to_owned(),
            line: package.line,
            name: printable(&package.name),
        });
    }
    let version = Version::parse(&package.version).map_err(|error| LockError::Version {
        path: path.to_owned(),
        line: package.line,
        package: package.name.clone().into_owned(),
        text: printable(&package.version),
        detail: error.to_string(),
    })?;
    Ok(PackageId {
        name: package.name.clone().into_owned(),
        version,
        source,
    })
}

/// A source of a lock file. Format 4 writes the reference of a git source with
/// percent encoding, the older formats as it is; here it is always as it is.
fn source(text: &str, stated: Option<u8>) -> Result<Source, SourceError> {
    let refused = || SourceError(printable(text));
    if text.chars().any(char::is_control) {
        return Err(refused());
    }
    let source = Source::parse(text).map_err(|_| refused())?;
    match source {
        // A lock file never names a path.
        Source::Local => Err(refused()),
        Source::Git {
            url,
            reference: Some(reference),
            rev,
        } if stated >= Some(4) => {
            let reference = form_decoded(&reference).ok_or_else(refused)?;
            Ok(Source::Git {
                url,
                reference: Some(reference),
                rev,
            })
        }
        Source::CratesIo | Source::Registry { .. } | Source::Git { .. } => Ok(source),
    }
}

/// Undoes the encoding of a query; `None` when it is not text.
fn form_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |b: Option<u8>| char::from(b?).to_digit(16);
                let value = digit(bytes.next())? * 16 + digit(bytes.next())?;
                out.push(u8::try_from(value).ok()?);
            }
            other => out.push(other),
        }
    }
    let text = String::from_utf8(out).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

fn no_duplicates(entries: &[(PackageId, RawPackage<'_>)], path: &str) -> Result<(), LockError> {
    let twice = entries.windows(2).find_map(|pair| match pair {
        [(a, first), (b, second)] if a == b => Some((a, first.line, second.line)),
        _ => None,
    });
    match twice {
        None => Ok(()),
        Some((id, one, other)) => Err(LockError::Duplicate {
            path: path.to_owned(),
            line: one.max(other),
            first: one.min(other),
            package: format!("{id} ({})", id.source),
        }),
    }
}

/// Resolves the strings of one package.
struct Linker<'a, 'r> {
    raw: &'a RawLock<'r>,
    index: &'a Index<'a, 'r>,
    path: &'a str,
}

impl Linker<'_, '_> {
    /// The package, with an empty id that the caller moves in.
    fn package(&self, id: &PackageId, entry: &RawPackage<'_>) -> Result<LockPackage, LockError> {
        let texts = self
            .raw
            .dependencies
            .get(entry.dependencies.clone())
            .unwrap_or_default();
        let mut dependencies = Vec::with_capacity(texts.len());
        for (text, line) in texts {
            dependencies.push(self.one(id, text, *line)?);
        }
        if !dependencies.is_sorted_by(|a, b| a < b) {
            dependencies.sort_unstable();
            dependencies.dedup();
        }
        let replace = match &entry.replace {
            Some((text, line)) => Some(self.one(id, text, *line)?),
            None => None,
        };
        let checksum = match &entry.checksum {
            Some(text) => Some(checksum(text, id, entry.line, self.path)?),
            None => None,
        };
        Ok(LockPackage {
            id: PackageId {
                name: String::new(),
                version: Version::new(0, 0, 0),
                source: Source::Local,
            },
            checksum,
            dependencies,
            replace,
            line: entry.line,
        })
    }

    fn one(&self, id: &PackageId, text: &str, line: u32) -> Result<usize, LockError> {
        self.index.find(text).map_err(|miss| {
            let (path, package) = (self.path.to_owned(), id.to_string());
            let dependency = printable(text);
            match miss {
                Miss::None => LockError::Dangling {
                    path,
                    line,
                    package,
                    dependency,
                },
                Miss::Several(count) => LockError::Ambiguous {
                    path,
                    line,
                    package,
                    dependency,
                    count,
                },
            }
        })
    }
}

/// The checksums that format 1 keeps apart. One for a package that is not
/// listed is left over from an earlier state, and cargo ignores it as well.
fn add_checksums(
    raw: &RawLock<'_>,
    index: &Index<'_, '_>,
    packages: &mut [LockPackage],
    path: &str,
) -> Result<(), LockError> {
    for ((key, line), value) in &raw.checksums {
        let Some(at) = index.find(key).ok() else {
            continue;
        };
        if value == "<none>" {
            continue;
        }
        let (Some(package), Some(id)) = (packages.get_mut(at), index.id(at)) else {
            continue;
        };
        let value = checksum(value, id, *line, path)?;
        match &package.checksum {
            Some(known) if *known != value => {
                return Err(LockError::TwoChecksums {
                    path: path.to_owned(),
                    line: *line,
                    package: id.to_string(),
                });
            }
            _ => package.checksum = Some(value),
        }
    }
    Ok(())
}

fn checksum(text: &str, id: &PackageId, line: u32, path: &str) -> Result<String, LockError> {
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(LockError::Checksum {
        path: path.to_owned(),
        line,
        package: id.to_string(),
        text: printable(text),
    })
}
