//! The file of facts: a header, an empty line, then one block for each
//! advisory, sorted by crate and id.
//!
//! ```text
//! advisory-facts 1
//! # where the facts come from, and their licence
//! snapshot 2026-08-21
//! commit 0123…            (where known)
//! records 1203
//! digest sha256:…         (over all that follows the empty line)
//!
//! = time RUSTSEC-2020-0071
//! date 2020-11-18
//! …
//! ```
//!
//! A look-up parses only the blocks of the crates that are asked for.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use jiff::civil::Date;
use memchr::memmem;
use sha2::{Digest as _, Sha256};

use super::record::{self, Record};

/// The first line of every file of this format.
const FORMAT: &str = "advisory-facts 1";

/// Stands in every file: what it holds, and by whose leave.
const NOTICE: &str = "\
# Identifiers, dates, version ranges and classifications, without any prose, from the
# RustSec Advisory Database (https://github.com/RustSec/advisory-db), whose authors have
# dedicated it to the public domain (CC0 1.0). Records with `licence CC-BY-4.0` rest on
# GitHub Security Advisories (https://github.com/advisories), which are licensed under
# CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/); `url` and `aliases` name them.
";

/// Why a file of facts is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is of another format, or of a later version of this one.
    #[error("it does not start with `{FORMAT}`")]
    Format,
    /// A line of the header is missing or not well-formed.
    #[error("its header has no usable `{key}`")]
    Header {
        /// The key of the line.
        key: &'static str,
    },
    /// The records are not those that the header speaks of.
    #[error("its records are not those that were written: the digest differs")]
    Digest,
    /// There are more or fewer records than the header says.
    #[error("it has {found} records where its header says {stated}")]
    Count {
        /// By the header.
        stated: usize,
        /// By the lines.
        found: usize,
    },
    /// The records are not in order, so that look-ups would miss some.
    #[error("its records are not in order at `{at}`")]
    Order {
        /// The head of the first record that is out of place.
        at: String,
    },
}

/// A file of facts with an index of its blocks.
#[derive(Clone, Debug)]
pub(super) struct FactsFile {
    text: Cow<'static, str>,
    /// The day of the database's state.
    pub(super) snapshot: Date,
    /// The database's commit.
    pub(super) commit: Option<String>,
    /// The digest that the header states.
    pub(super) digest: String,
    /// For each block the place of its crate's name, in the order of the file.
    heads: Vec<Range<usize>>,
}

impl FactsFile {
    /// Reads the header and indexes the blocks. With `check`, the digest is
    /// compared as well.
    ///
    /// # Errors
    /// When the file as a whole cannot be trusted.
    pub(super) fn parse(text: Cow<'static, str>, check: bool) -> Result<Self, FileError> {
        let (header, body_at) = match text.find("\n\n") {
            Some(at) => (&text[..at], at + 2),
            None => (text.trim_end(), text.len()),
        };
        let mut lines = header.lines();
        if lines.next() != Some(FORMAT) {
            return Err(FileError::Format);
        }
        let value = |key: &'static str| {
            header
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
                .filter(|value| value.bytes().all(|b| b.is_ascii_graphic()))
                .ok_or(FileError::Header { key })
        };
        let snapshot =
            record::day(value("snapshot")?).map_err(|_| FileError::Header { key: "snapshot" })?;
        let stated: usize = value("records")?
            .parse()
            .map_err(|_| FileError::Header { key: "records" })?;
        let digest = value("digest")?.to_owned();
        let commit = value("commit").ok().map(str::to_owned);
        if check && digest != digest_of(&text[body_at..]) {
            return Err(FileError::Digest);
        }
        let heads = index(&text, body_at)?;
        if heads.len() != stated {
            return Err(FileError::Count {
                stated,
                found: heads.len(),
            });
        }
        Ok(Self {
            text,
            snapshot,
            commit,
            digest,
            heads,
        })
    }

    /// A file without any record, which stands for none.
    pub(super) fn none() -> Self {
        Self {
            text: Cow::Borrowed(""),
            snapshot: Date::ZERO,
            commit: None,
            digest: String::new(),
            heads: Vec::new(),
        }
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The records of one crate, in the order of their ids; of a block that is
    /// not well-formed its id and what is wrong.
    pub(super) fn of<'a>(
        &'a self,
        package: &'a str,
    ) -> impl Iterator<Item = Result<Record, (String, String)>> + 'a {
        let first = self
            .heads
            .partition_point(|head| &self.text[head.clone()] < package);
        (first..self.heads.len())
            .take_while(move |&at| self.name(at) == package)
            .map(|at| self.record(at))
    }

    /// All records.
    pub(super) fn all(&self) -> impl Iterator<Item = Result<Record, (String, String)>> + '_ {
        (0..self.heads.len()).map(|at| self.record(at))
    }

    fn name(&self, at: usize) -> &str {
        self.heads
            .get(at)
            .map_or("", |head| &self.text[head.clone()])
    }

    fn record(&self, at: usize) -> Result<Record, (String, String)> {
        let start = |at: usize| {
            self.heads
                .get(at)
                .map(|head| head.start - record::HEAD.len())
        };
        let block = match (start(at), start(at + 1)) {
            (Some(from), Some(to)) => &self.text[from..to],
            (Some(from), None) => &self.text[from..],
            (None, _) => "",
        };
        record::read(block).map_err(|reason| {
            let id = block
                .lines()
                .next()
                .and_then(record::head)
                .map_or("", |(_, id)| id);
            (id.to_owned(), reason)
        })
    }
}

/// The places of the crates' names in the heads, which must be sorted.
fn index(text: &str, body_at: usize) -> Result<Vec<Range<usize>>, FileError> {
    let mut heads: Vec<Range<usize>> = Vec::new();
    let mut previous = ("", "");
    // The empty line before the first block ends with the newline searched for.
    let from = body_at.saturating_sub(1);
    for found in memmem::find_iter(text.as_bytes().get(from..).unwrap_or_default(), b"\n= ") {
        let at = from + found + 1;
        let line = text[at..].lines().next().unwrap_or_default();
        let out_of_place = || FileError::Order {
            at: super::affected::one_line(line),
        };
        let head = record::head(line).ok_or_else(out_of_place)?;
        if head <= previous {
            return Err(out_of_place());
        }
        previous = head;
        let name_at = at + record::HEAD.len();
        heads.push(name_at..name_at + head.0.len());
    }
    Ok(heads)
}

/// Writes a file of facts from blocks that are sorted by crate and id.
pub(super) fn write(blocks: &[String], snapshot: Date, commit: Option<&str>) -> String {
    let body = blocks.concat();
    let mut out = format!("{FORMAT}\n{NOTICE}snapshot {snapshot}\n");
    if let Some(commit) = commit {
        let _ = writeln!(out, "commit {commit}");
    }
    let _ = write!(
        out,
        "records {}\ndigest {}\n\n",
        blocks.len(),
        digest_of(&body)
    );
    out.push_str(&body);
    out
}

fn digest_of(body: &str) -> String {
    let mut out = "sha256:".to_owned();
    for byte in Sha256::digest(body.as_bytes()) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> String {
        let block = |package: &str, id: &str| format!("= {package} {id}\ndate 2020-01-01\n");
        let blocks = [
            block("a", "RUSTSEC-2020-0001"),
            block("a", "RUSTSEC-2020-0002"),
            block("a-b", "RUSTSEC-2020-0003"),
            block("b", "RUSTSEC-2020-0004"),
        ];
        write(&blocks, Date::constant(2020, 5, 1), Some("abc"))
    }

    fn parse(text: String) -> Result<FactsFile, FileError> {
        FactsFile::parse(Cow::Owned(text), true)
    }

    #[test]
    fn only_the_records_of_the_crate_are_found() {
        let file = parse(sample()).unwrap();
        let ids = |package: &str| -> Vec<String> {
            file.of(package).map(|record| record.unwrap().id).collect()
        };
        assert_eq!(ids("a"), ["RUSTSEC-2020-0001", "RUSTSEC-2020-0002"]);
        assert_eq!(ids("a-b"), ["RUSTSEC-2020-0003"]);
        assert_eq!(ids("b"), ["RUSTSEC-2020-0004"]);
        assert!(ids("").is_empty());
        assert!(ids("a-a").is_empty());
        assert!(ids("c").is_empty());
        assert_eq!(file.len(), 4);
        assert_eq!(file.snapshot, Date::constant(2020, 5, 1));
        assert_eq!(file.commit.as_deref(), Some("abc"));
    }

    #[test]
    fn a_file_that_was_cut_or_changed_is_refused() {
        let whole = sample();
        for cut in 0..whole.len() {
            assert!(parse(whole[..cut].to_owned()).is_err(), "cut at {cut}");
        }
        let changed = whole.replace("date 2020-01-01", "date 2029-01-01");
        assert_eq!(parse(changed).unwrap_err(), FileError::Digest);
        let later = whole.replace("advisory-facts 1", "advisory-facts 2");
        assert_eq!(parse(later).unwrap_err(), FileError::Format);
    }

    #[test]
    fn records_out_of_order_or_twice_are_refused() {
        let block = |package: &str| format!("= {package} RUSTSEC-2020-0001\ndate 2020-01-01\n");
        for blocks in [[block("b"), block("a")], [block("a"), block("a")]] {
            let text = write(&blocks, Date::constant(2020, 5, 1), None);
            assert!(matches!(parse(text), Err(FileError::Order { .. })));
        }
    }

    #[test]
    fn a_bad_block_does_not_hide_the_others() {
        let blocks = [
            "= a RUSTSEC-2020-0001\ndate never\n".to_owned(),
            "= a RUSTSEC-2020-0002\ndate 2020-01-01\n".to_owned(),
        ];
        let file = parse(write(&blocks, Date::constant(2020, 5, 1), None)).unwrap();
        let records: Vec<_> = file.of("a").collect();
        assert_eq!(records[0].as_ref().unwrap_err().0, "RUSTSEC-2020-0001");
        assert!(records[1].is_ok());
    }
}
