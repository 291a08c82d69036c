//! A ledger in one file, one entry on each line: it can stand in a repository.
//! Lines are only ever added, and an entry's id is the hash of its text, so that
//! git may merge two states by taking the lines of both (`merge=union`).

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::host::{FileKind, Host, Tail};

use super::entry::{Row, Stored};
use super::filter::{Filter, Order};
use super::schema::NEAR;
use super::{LedgerError, Mode, Store};

/// A ledger with more bytes than this belongs into a database.
const LARGEST: u64 = 256 << 20;

/// A ledger in one file.
pub struct Lines<'h> {
    /// Where it is; `None` when only its content was handed in.
    file: Option<(PathBuf, &'h Host)>,
    /// What is in it, by time and id.
    entries: Vec<Stored>,
}

impl<'h> Lines<'h> {
    /// Opens the ledger in a file.
    ///
    /// # Errors
    /// When there is none to read, or a line of it is no entry.
    pub(super) fn open(path: &Path, mode: Mode, host: &'h Host) -> Result<Self, LedgerError> {
        let place = || path.display().to_string();
        let content = match host.files.kind(path) {
            Ok(FileKind::File(_)) => match host.files.read(path, LARGEST) {
                Ok(content) => content,
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    return Err(LedgerError::TooLarge {
                        path: path.to_owned(),
                        limit: LARGEST,
                    });
                }
                Err(source) => {
                    return Err(LedgerError::Io {
                        what: "read",
                        place: place(),
                        source,
                    });
                }
            },
            Ok(FileKind::Link | FileKind::Directory | FileKind::Other) => {
                return Err(LedgerError::NotPlain {
                    path: path.to_owned(),
                    what: "no regular file",
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if mode == Mode::Read {
                    return Err(LedgerError::NotThere { place: place() });
                }
                Vec::new()
            }
            Err(source) => {
                return Err(LedgerError::Io {
                    what: "look at",
                    place: place(),
                    source,
                });
            }
        };
        Ok(Self {
            file: Some((path.to_owned(), host)),
            entries: read_lines(path, &content)?,
        })
    }

    /// A ledger whose content is at hand, such as that of a revision. It cannot
    /// be added to.
    ///
    /// # Errors
    /// When a line of it is no entry.
    pub fn of_content(path: &Path, content: &[u8]) -> Result<Lines<'static>, LedgerError> {
        Ok(Lines {
            file: None,
            entries: read_lines(path, content)?,
        })
    }
}

/// The entries of a file, by time and id, each of them once. A last line that
/// has no end is still being written, or its writer was stopped: it is no entry.
///
/// # Errors
/// When a line is no entry.
pub fn read_lines(path: &Path, content: &[u8]) -> Result<Vec<Stored>, LedgerError> {
    let wrong = |line: usize, why: String| LedgerError::Line {
        path: path.to_owned(),
        line,
        why,
    };
    let finished = memchr::memrchr(b'\n', content).map_or(0, |at| at + 1);
    let (finished, rest) = content.split_at(finished);
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(finished.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        entries.push(read_line(line).map_err(|why| wrong(number, why))?);
    }
    // A file that was edited by hand may lack the last line's end.
    if let Ok(stored) = read_line(rest) {
        entries.push(stored);
    }
    entries.sort_by(|a, b| (a.entry.at, &a.id).cmp(&(b.entry.at, &b.id)));
    entries.dedup_by(|a, b| a.id == b.id);
    Ok(entries)
}

fn read_line(line: &[u8]) -> Result<Stored, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    let marks = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];
    if marks.iter().any(|mark| text.starts_with(mark)) {
        return Err("it is a conflict of a merge".to_owned());
    }
    Stored::read_line(text).map_err(|error| error.to_string())
}

/// What becomes of a last line without an end: whole entries stay, the
/// beginning of one that was never acknowledged goes, anything else is not ours.
fn tail(line: &[u8]) -> io::Result<Tail> {
    if read_line(line).is_ok() {
        return Ok(Tail::Whole);
    }
    let ours = br#"{"id":""#;
    let common = line.len().min(ours.len());
    if line.get(..common) == ours.get(..common) {
        return Ok(Tail::Torn);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "its last line is no entry of a ledger",
    ))
}

impl Store for Lines<'_> {
    fn append(&mut self, entries: &[Stored]) -> Result<usize, LedgerError> {
        let known: BTreeSet<&str> = self.entries.iter().map(|it| it.id.as_str()).collect();
        let mut new: Vec<&Stored> = Vec::new();
        for stored in entries {
            if !known.contains(stored.id.as_str()) && !new.iter().any(|it| it.id == stored.id) {
                new.push(stored);
            }
        }
        if new.is_empty() {
            return Ok(0);
        }
        let Some((path, host)) = &self.file else {
            return Err(LedgerError::NotALedger {
                place: "a revision".to_owned(),
                detail: "what was committed is not added to".to_owned(),
            });
        };
        let mut text = String::new();
        for stored in &new {
            text.push_str(&stored.line());
            text.push('\n');
        }
        host.files
            .append(path, text.as_bytes(), &tail)
            .map_err(|source| LedgerError::Io {
                what: "write",
                place: path.display().to_string(),
                source,
            })?;
        let count = new.len();
        let new: Vec<Stored> = new.into_iter().cloned().collect();
        self.entries.extend(new);
        self.entries
            .sort_by(|a, b| (a.entry.at, &a.id).cmp(&(b.entry.at, &b.id)));
        Ok(count)
    }

    fn entries(&mut self, filter: &Filter) -> Result<Vec<Stored>, LedgerError> {
        let takes = |stored: &&Stored| {
            filter.takes_entry(stored)
                && filter.is_after(stored.entry.at.as_microsecond(), &stored.id)
        };
        Ok(match filter.order {
            Order::Oldest => first(self.entries.iter().filter(takes), filter.limit),
            Order::Newest => first(self.entries.iter().rev().filter(takes), filter.limit),
        })
    }

    fn starting_with(&mut self, id: &str) -> Result<Vec<Stored>, LedgerError> {
        let near = self.entries.iter().filter(|it| it.id.starts_with(id));
        Ok(first(near, NEAR))
    }

    fn rows(&mut self, filter: &Filter) -> Result<Vec<Row>, LedgerError> {
        let mut rows: Vec<Row> = self
            .entries
            .iter()
            .flat_map(Stored::rows)
            .filter(|row| filter.takes_row(row) && filter.is_after(row.at, &row.entry))
            .collect();
        rows.sort_by(|a, b| {
            let key = |row: &Row| (row.at, row.entry.clone());
            key(a).cmp(&key(b)).then_with(|| {
                (&a.package, &a.version, &a.step).cmp(&(&b.package, &b.version, &b.step))
            })
        });
        if filter.order == Order::Newest {
            rows.reverse();
        }
        rows.truncate(filter.limit);
        Ok(rows)
    }
}

fn first<'a>(entries: impl Iterator<Item = &'a Stored>, limit: usize) -> Vec<Stored> {
    entries.take(limit).cloned().collect()
}
