//! A checkout or an archive of the advisory database -> the file of facts in
//! the cache directory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use super::affected::one_line;
use super::facts_file::{self, FactsFile, FileError};
use super::record::{self, Record};
use super::{FILE_NAME, Problem, Status, Store, archive, front_matter, utc_date};
use crate::host::{FileKind, Get, Host, NetError};

/// Where the database is fetched from when nothing else is named: the newest
/// state of RustSec's repository, as GitHub packs it.
pub const DEFAULT_URL: &str =
    "https://github.com/RustSec/advisory-db/archive/refs/heads/main.tar.gz";

/// No chain of redirections is followed further.
const MAX_REDIRECTIONS: usize = 3;

/// What is read at most. The database of August 2026 has 2,150 entries and
/// 2.5 MB, the largest file 20 KB; the limits leave room for decades.
pub(super) struct Limits {
    /// Bytes of an archive.
    pub(super) packed: u64,
    /// Bytes of an archive when unpacked.
    pub(super) unpacked: u64,
    /// Entries of an archive, or of a directory with all below it.
    pub(super) entries: u64,
    /// Bytes of one advisory.
    pub(super) file: u64,
}

const LIMITS: Limits = Limits {
    packed: 64 << 20,
    unpacked: 128 << 20,
    entries: 200_000,
    file: 256 << 10,
};

/// Where an update takes the database from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateSource {
    /// A checkout: a directory that holds `crates/`.
    Directory(PathBuf),
    /// A `tar` archive of one, as it is or compressed with gzip.
    Tarball(PathBuf),
    /// The `https` address of such an archive; [`DEFAULT_URL`] is RustSec's own.
    Url(String),
}

/// Why no new file of facts was written.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// There is no network here.
    #[error("{url} cannot be asked without a network")]
    NoNetwork {
        /// The address, without user name and password.
        url: String,
    },
    /// The address, or one that it leads to, is not an `https` one.
    #[error("{url} is not an https address")]
    NotHttps {
        /// The address, without user name and password.
        url: String,
    },
    /// The other side did not answer.
    #[error("the advisory database could not be fetched")]
    Fetch {
        /// The client's reason.
        #[source]
        source: NetError,
    },
    /// The other side answered with something else than the archive.
    #[error("{url} answered with status {status}")]
    Answer {
        /// The address, without user name and password.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// A file or directory could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The path.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// The archive is compressed in a way that is not read here.
    #[error(
        "{name} is compressed with {compression}, which is not read here: \
             unpack it first, then name the directory"
    )]
    Compression {
        /// The path or address of the archive.
        name: String,
        /// How it is compressed.
        compression: &'static str,
    },
    /// The archive is damaged, or none.
    #[error("{name} is not a readable tar archive")]
    Archive {
        /// The path or address of the archive.
        name: String,
        /// The reader's reason.
        #[source]
        source: io::Error,
    },
    /// An entry of the archive has a path that leads out of it.
    #[error("{name} holds an entry whose path leads out of it: `{path}`")]
    Path {
        /// The path or address of the archive.
        name: String,
        /// The entry's path, printable.
        path: String,
    },
    /// There is more than is read at most.
    #[error("{name} has more than {limit} {what}")]
    OverLimit {
        /// The path or address.
        name: String,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// There is no advisory in it.
    #[error("{name} holds no advisory (`crates/CRATE/RUSTSEC-….md` was searched for)")]
    Empty {
        /// The path or address.
        name: String,
    },
    /// What was made cannot be read back: a fault of this program.
    #[error("the file of facts cannot be read back")]
    Unusable {
        /// What is wrong with it.
        #[source]
        source: FileError,
    },
    /// The file of facts could not be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The path.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
}

/// The advisory files of a database.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// By crate and id: the content, or why there is none.
    pub(super) advisories: BTreeMap<(String, String), Result<Vec<u8>, String>>,
    /// Files in places where advisories stand, which cannot be ones.
    pub(super) misplaced: Vec<Problem>,
    /// The commit, where it is known.
    pub(super) commit: Option<String>,
    /// The newest time of an entry in an archive, in seconds since 1970.
    pub(super) newest: Option<i64>,
}

impl Files {
    /// Takes the file at `crates/PACKAGE/NAME`; of two at the same place the
    /// later one holds.
    pub(super) fn add(&mut self, package: &str, name: &str, content: Result<Vec<u8>, String>) {
        if name.starts_with('.') || name.starts_with("RUSTSEC-0000-0000.") {
            return;
        }
        match name.strip_suffix(".md") {
            Some(id) if record::is_package(package) && record::is_id(id) => {
                self.advisories
                    .insert((package.to_owned(), id.to_owned()), content);
            }
            _ => self.misplaced.push(Problem {
                package: None,
                advisory: None,
                detail: format!(
                    "`crates/{}/{}` is not named like an advisory",
                    one_line(package),
                    one_line(name)
                ),
            }),
        }
    }
}

/// Reads a database and writes its facts to `advisories.facts` in the cache
/// directory, whole or not at all. An advisory that cannot be read is among
/// the problems of the status, and its record says so from then on.
///
/// # Errors
/// When the database cannot be had or read, or the file cannot be written.
/// The file that was there before is left as it is then.
pub fn update(source: &UpdateSource, host: &Host, cache_dir: &Path) -> Result<Status, UpdateError> {
    let (files, name) = match source {
        UpdateSource::Directory(path) => (directory(path, host, &LIMITS)?, in_quotes(path)),
        UpdateSource::Tarball(path) => {
            let bytes =
                host.files
                    .read(path, LIMITS.packed)
                    .map_err(|source| UpdateError::Read {
                        path: path.clone(),
                        source,
                    })?;
            (
                archive::read(&bytes, &in_quotes(path), &LIMITS)?,
                in_quotes(path),
            )
        }
        UpdateSource::Url(url) => {
            let bytes = fetch(url, host)?;
            (archive::read(&bytes, &shown(url), &LIMITS)?, shown(url))
        }
    };
    if files.advisories.is_empty() {
        return Err(UpdateError::Empty { name });
    }
    let text = facts(&files, host.clock.now());
    let path = cache_dir.join(FILE_NAME);
    let file = FactsFile::parse(Cow::Owned(text.clone()), true)
        .map_err(|source| UpdateError::Unusable { source })?;
    host.files
        .write(&path, text.as_bytes())
        .map_err(|source| UpdateError::Write {
            path: path.clone(),
            source,
        })?;
    let mut status = Store::of_file(file, path).status();
    status.problems.extend(files.misplaced);
    status.problems.sort();
    Ok(status)
}

/// The text of the file of facts.
fn facts(files: &Files, now: Timestamp) -> String {
    let mut newest = Date::ZERO;
    let mut blocks = Vec::with_capacity(files.advisories.len());
    for ((package, id), content) in &files.advisories {
        let record = match content {
            Ok(bytes) => front_matter::record(package, id, bytes),
            Err(reason) => unreadable(package, id, reason),
        };
        let block = record::write(&record)
            .or_else(|reason| record::write(&unreadable(package, id, &reason)))
            .unwrap_or_default();
        if let Ok(content) = &record.content {
            newest = newest
                .max(content.date)
                .max(content.withdrawn.unwrap_or(Date::ZERO));
        }
        blocks.push(block);
    }
    let taken = files
        .newest
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    // A date in the future would keep later updates from being used.
    let snapshot = taken.map_or(newest, utc_date).min(utc_date(now));
    facts_file::write(&blocks, snapshot, files.commit.as_deref())
}

fn unreadable(package: &str, id: &str, reason: &str) -> Record {
    Record {
        package: package.to_owned(),
        id: id.to_owned(),
        content: Err(reason.to_owned()),
    }
}

/// Reads the advisory files of a checkout. Links are not followed.
fn directory(root: &Path, host: &Host, limits: &Limits) -> Result<Files, UpdateError> {
    let crates = root.join("crates");
    let mut files = Files::default();
    let mut left = limits.entries;
    for package in list(&crates, host, &mut left, limits)? {
        if package.kind != FileKind::Directory {
            continue;
        }
        let directory = crates.join(&package.name);
        let package = package.name.to_string_lossy().into_owned();
        for entry in list(&directory, host, &mut left, limits)? {
            let content = match entry.kind {
                FileKind::File(_) => host
                    .files
                    .read(&directory.join(&entry.name), limits.file)
                    .map_err(|error| one_line(&error.to_string())),
                FileKind::Directory | FileKind::Link | FileKind::Other => {
                    Err("it is not a regular file".to_owned())
                }
            };
            files.add(&package, &entry.name.to_string_lossy(), content);
        }
    }
    Ok(files)
}

fn list(
    path: &Path,
    host: &Host,
    left: &mut u64,
    limits: &Limits,
) -> Result<Vec<crate::host::Entry>, UpdateError> {
    let entries = host.files.list(path).map_err(|source| UpdateError::Read {
        path: path.to_owned(),
        source,
    })?;
    *left = left
        .checked_sub(entries.len() as u64)
        .ok_or_else(|| UpdateError::OverLimit {
            name: in_quotes(path),
            what: "entries",
            limit: limits.entries,
        })?;
    Ok(entries)
}

/// Fetches an archive, over `https` alone.
fn fetch(url: &str, host: &Host) -> Result<Vec<u8>, UpdateError> {
    let Some(net) = &host.net else {
        return Err(UpdateError::NoNetwork { url: shown(url) });
    };
    let mut url = url.to_owned();
    let mut redirections = 0;
    loop {
        if !url.starts_with("https://") {
            return Err(UpdateError::NotHttps { url: shown(&url) });
        }
        let get = Get {
            url: url.clone(),
            headers: Vec::new(),
            limit: LIMITS.packed,
        };
        let no_answer = NetError::NoAnswer {
            url: shown(&url),
            detail: "no result".to_owned(),
        };
        let response = net
            .get_all(std::slice::from_ref(&get))
            .pop()
            .unwrap_or(Err(no_answer))
            .map_err(|source| UpdateError::Fetch { source })?;
        match (response.status, response.headers.get("location")) {
            (200, _) => return Ok(response.body),
            (301 | 302 | 303 | 307 | 308, Some(to)) if redirections < MAX_REDIRECTIONS => {
                redirections += 1;
                url.clone_from(to);
            }
            (status, _) => {
                return Err(UpdateError::Answer {
                    url: shown(&url),
                    status,
                });
            }
        }
    }
}

fn in_quotes(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// An address as one printable line, without user name, password and query.
fn shown(url: &str) -> String {
    let url = one_line(url);
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
