//! The reader for exactly the form that cargo writes: one statement on a line,
//! keys in cargo's order, no escapes. Whatever differs makes it give up, and
//! the TOML parser decides. So it accepts nothing that TOML refuses, and reads
//! nothing differently.

use std::borrow::Cow;

use super::raw::{CHECKSUM_PREFIX, RawLock, RawPackage};

/// Reads a lock file in cargo's own form; `None` for any other.
pub(super) fn read(text: &str) -> Option<RawLock<'_>> {
    if !is_plain(text.as_bytes()) {
        return None;
    }
    let mut reader = Reader {
        rest: text,
        number: 0,
        raw: RawLock::default(),
    };
    reader.file()?;
    Some(reader.raw)
}

/// Whether there are no escapes, and no control characters but line ends.
fn is_plain(bytes: &[u8]) -> bool {
    // No early exit: the loop is then done many bytes at a time.
    let odd = bytes.iter().fold(false, |odd, &b| {
        odd | ((b < 0x20) & (b != b'\n') & (b != b'\r')) | (b == 0x7f) | (b == b'\\')
    });
    let returns = memchr::memchr(b'\r', bytes).is_none()
        || memchr::memchr_iter(b'\r', bytes).all(|at| bytes.get(at + 1) == Some(&b'\n'));
    !odd && returns
}

/// The tables of a lock file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Package,
    Root,
    UnusedPatch,
    Metadata,
}

struct Reader<'a> {
    rest: &'a str,
    number: u32,
    raw: RawLock<'a>,
}

impl<'a> Reader<'a> {
    /// The next line that is neither empty nor a comment, without taking it.
    fn peek(&mut self) -> Option<&'a str> {
        loop {
            let line = self.current()?;
            if !(line.is_empty() || line.starts_with('#')) {
                return Some(line);
            }
            self.advance();
        }
    }

    fn current(&self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest.as_bytes()).unwrap_or(self.rest.len());
        let line = self.rest.get(..end)?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    fn advance(&mut self) {
        self.rest = match memchr::memchr(b'\n', self.rest.as_bytes()) {
            Some(end) => self.rest.get(end + 1..).unwrap_or(""),
            None => "",
        };
        self.number += 1;
    }

    /// Takes the next line and gives its number.
    fn take(&mut self) -> u32 {
        self.advance();
        self.number
    }

    fn file(&mut self) -> Option<()> {
        let mut seen_metadata = false;
        if let Some(value) = self.peek().and_then(|line| line.strip_prefix("version = ")) {
            let plain = !value.is_empty()
                && value.len() <= 9
                && value.bytes().all(|b| b.is_ascii_digit())
                && (value == "0" || !value.starts_with('0'));
            let line = self.take();
            self.raw.version = plain.then_some((Cow::Borrowed(value), line));
            self.raw.version.as_ref()?;
        }
        while let Some(line) = self.peek() {
            let table = match line {
                "[[package]]" => Table::Package,
                "[root]" if !self.raw.root => Table::Root,
                "[[patch.unused]]" => Table::UnusedPatch,
                "[metadata]" if !seen_metadata => Table::Metadata,
                _ => return None,
            };
            self.take();
            match table {
                Table::Package | Table::Root => {
                    let package = self.package()?;
                    self.raw.packages.push(package);
                    self.raw.root |= table == Table::Root;
                }
                Table::UnusedPatch => {
                    let package = self.package()?;
                    self.raw.dependencies.truncate(package.dependencies.start);
                }
                Table::Metadata => {
                    seen_metadata = true;
                    self.metadata()?;
                }
            }
        }
        Some(())
    }

    /// The keys of one package table, in cargo's order.
    fn package(&mut self) -> Option<RawPackage<'a>> {
        let name = self.quoted("name = ")??;
        let line = self.number;
        let version = self.quoted("version = ")??;
        let source = self.quoted("source = ")?;
        let checksum = self.quoted("checksum = ")?;
        let start = self.raw.dependencies.len();
        if self.peek() == Some("dependencies = [") {
            self.take();
            self.dependencies()?;
        }
        let replace = self
            .quoted("replace = ")?
            .map(|text| (Cow::Borrowed(text), self.number));
        Some(RawPackage {
            name: Cow::Borrowed(name),
            version: Cow::Borrowed(version),
            source: source.map(Cow::Borrowed),
            checksum: checksum.map(Cow::Borrowed),
            dependencies: start..self.raw.dependencies.len(),
            replace,
            line,
        })
    }

    /// `Some(None)` when the next line is another key; `None` to give up.
    fn quoted(&mut self, key: &str) -> Option<Option<&'a str>> {
        let Some(value) = self.peek().and_then(|line| line.strip_prefix(key)) else {
            return Some(None);
        };
        self.take();
        Some(Some(string(value)?))
    }

    fn dependencies(&mut self) -> Option<()> {
        loop {
            let line = self.peek()?;
            let number = self.take();
            if line == "]" {
                return Some(());
            }
            let text = string(line.strip_prefix(' ')?.strip_suffix(',')?)?;
            self.raw.dependencies.push((Cow::Borrowed(text), number));
        }
    }

    /// Keys must ascend, as cargo writes them, so that none is there twice.
    fn metadata(&mut self) -> Option<()> {
        let mut previous = "";
        while let Some(line) = self.peek() {
            if line.starts_with('[') {
                break;
            }
            let number = self.take();
            let (key, value) = line.strip_prefix('"')?.split_once("\" = ")?;
            let value = string(value)?;
            if key.contains('"') || key <= previous {
                return None;
            }
            previous = key;
            if let Some(key) = key.strip_prefix(CHECKSUM_PREFIX) {
                self.raw
                    .checksums
                    .push(((Cow::Borrowed(key), number), Cow::Borrowed(value)));
            }
        }
        Some(())
    }
}

/// The content of a quoted string that has no quote in it.
fn string(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.as_bytes().contains(&b'"')).then_some(inner)
}
