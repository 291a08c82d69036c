//! An archive unpacked in memory, under limits. Links, devices and paths that
//! lead elsewhere are noted and never followed. Pure: bytes in, files out.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::bufread::GzDecoder;

use crate::facts::GapReason;
use crate::pkg::PackageId;

/// What unpacking may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Bytes of the unpacked archive.
    pub bytes: u64,
    /// Entries of the archive.
    pub entries: usize,
    /// Bytes of one path.
    pub path: usize,
}

impl Default for UnpackLimits {
    /// More than any package of the default registry needs.
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            entries: 100_000,
            path: 1024,
        }
    }
}

/// An archive that unpacks to more than this many times its size, and to more
/// than [`BOMB_BYTES`], is noted as a bomb. Real source packs to a tenth.
const BOMB_RATIO: usize = 100;
const BOMB_BYTES: usize = 16 << 20;
/// So many oddities are kept; the count goes on.
const KEPT_ODDITIES: usize = 64;

/// A shape in an archive that has no place in a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OddityKind {
    /// A symbolic or a hard link.
    Link,
    /// A device, a pipe, or an entry of an unknown kind.
    Special,
    /// A path that is absolute or leads upwards.
    PathOutside,
    /// A path that is not below `NAME-VERSION/`.
    OtherRoot,
    /// A path that is there twice.
    Duplicate,
    /// Two paths that differ in case only.
    CaseClash,
    /// A path with control characters or marks that change the direction of text.
    ControlCharacters,
    /// A path that is not UTF-8.
    NotUtf8,
    /// A path that is longer than the limit.
    LongPath,
    /// Bytes behind the end of the packed data.
    Trailing,
    /// It unpacks to far more than its size suggests.
    Bomb,
}

impl OddityKind {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Special => "special file",
            Self::PathOutside => "path that leads outside",
            Self::OtherRoot => "path outside of the package's directory",
            Self::Duplicate => "duplicate path",
            Self::CaseClash => "paths that differ in case only",
            Self::ControlCharacters => "control characters in a path",
            Self::NotUtf8 => "path that is not UTF-8",
            Self::LongPath => "overlong path",
            Self::Trailing => "data behind the end",
            Self::Bomb => "unpacks to far more than its size suggests",
        }
    }
}

/// One such shape.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Oddity {
    /// What it is.
    pub kind: OddityKind,
    /// The path, escaped and cut; a figure for a bomb.
    pub path: String,
}

/// One regular file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path below `NAME-VERSION/`, `/`-separated, normal components only.
    pub path: String,
    start: usize,
    end: usize,
}

impl SourceFile {
    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.end - self.start
    }
}

/// Why an archive cannot be unpacked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// The packed data or the archive is broken.
    #[error("the archive of {package} cannot be unpacked: {detail}")]
    Broken {
        /// The package.
        package: String,
        /// What the decoder says.
        detail: String,
    },
    /// It breaks a limit.
    #[error("the archive of {package} has more than {limit} {unit}")]
    OverLimit {
        /// The package.
        package: String,
        /// The limit.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
}

impl UnpackError {
    /// The reason of the gap that this error makes.
    #[must_use]
    pub fn reason(&self) -> GapReason {
        match self {
            Self::Broken { .. } => GapReason::Malformed,
            Self::OverLimit { .. } => GapReason::OverLimit,
        }
    }
}

/// The regular files of an archive, and what else was in it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SourceTree {
    unpacked: Vec<u8>,
    files: Vec<SourceFile>,
    oddities: Vec<Oddity>,
}

impl SourceTree {
    /// Unpacks the archive of a package in memory.
    ///
    /// # Errors
    /// When it is broken or breaks a limit. Shapes that have no place in a
    /// package are no errors: see [`Self::oddities`].
    pub fn unpack(
        package: &PackageId,
        archive: &[u8],
        limits: &UnpackLimits,
    ) -> Result<Self, UnpackError> {
        let broken = |error: std::io::Error| UnpackError::Broken {
            package: package.to_string(),
            detail: printable(error.to_string().as_bytes(), 200),
        };
        let over = |limit: u64, unit| UnpackError::OverLimit {
            package: package.to_string(),
            limit,
            unit,
        };
        let mut tree = Self::default();
        let mut decoder = GzDecoder::new(archive);
        let mut unpacked = Vec::with_capacity(told_size(archive, limits.bytes));
        decoder
            .by_ref()
            .take(limits.bytes + 1)
            .read_to_end(&mut unpacked)
            .map_err(broken)?;
        if unpacked.len() as u64 > limits.bytes {
            return Err(over(limits.bytes, "bytes unpacked"));
        }
        if !decoder.into_inner().is_empty() {
            tree.note(OddityKind::Trailing, b"");
        }
        if unpacked.len() > BOMB_BYTES && unpacked.len() / BOMB_RATIO > archive.len() {
            let figure = format!("{} bytes from {}", unpacked.len(), archive.len());
            tree.note(OddityKind::Bomb, figure.as_bytes());
        }
        let root = format!("{}-{}/", package.name, package.version);
        let mut found: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut reader = tar::Archive::new(unpacked.as_slice());
        for (count, entry) in reader.entries().map_err(broken)?.enumerate() {
            let entry = entry.map_err(broken)?;
            if count >= limits.entries {
                return Err(over(limits.entries as u64, "entries"));
            }
            let path = entry.path_bytes();
            let Some(path) = tree.accepted(&path, &root, limits.path, entry.header()) else {
                continue;
            };
            let start = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX);
            let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
            let end = start.saturating_add(size);
            if end > unpacked.len() {
                return Err(UnpackError::Broken {
                    package: package.to_string(),
                    detail: "it ends within a file".to_owned(),
                });
            }
            if found.contains_key(&path) {
                tree.note(OddityKind::Duplicate, path.as_bytes());
            }
            // The last one counts, as it does when Cargo unpacks.
            found.insert(path, (start, end));
        }
        tree.note_case_clashes(found.keys());
        tree.files = found
            .into_iter()
            .map(|(path, (start, end))| SourceFile { path, start, end })
            .collect();
        tree.unpacked = unpacked;
        tree.oddities.sort();
        tree.oddities.dedup();
        Ok(tree)
    }

    /// The files, sorted by path.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The content of a file.
    #[must_use]
    pub fn content(&self, file: &SourceFile) -> &[u8] {
        self.unpacked.get(file.start..file.end).unwrap_or_default()
    }

    /// The content of the file at a path, if there is one.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<&[u8]> {
        let at = self
            .files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .ok()?;
        self.files.get(at).map(|file| self.content(file))
    }

    /// What the archive holds that has no place in a package, sorted.
    #[must_use]
    pub fn oddities(&self) -> &[Oddity] {
        &self.oddities
    }

    /// The path below the root, if this is a regular file at a sound path.
    fn accepted(
        &mut self,
        path: &[u8],
        root: &str,
        longest: usize,
        header: &tar::Header,
    ) -> Option<String> {
        let kind = header.entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            return None;
        }
        if path.len() > longest {
            self.note(OddityKind::LongPath, path);
            return None;
        }
        let Ok(text) = std::str::from_utf8(path) else {
            self.note(OddityKind::NotUtf8, path);
            return None;
        };
        if text.chars().any(is_deceptive) {
            self.note(OddityKind::ControlCharacters, path);
        }
        if kind.is_symlink() || kind.is_hard_link() {
            self.note(OddityKind::Link, path);
            return None;
        }
        if !kind.is_file() && !kind.is_contiguous() {
            self.note(OddityKind::Special, path);
            return None;
        }
        if text.starts_with('/')
            || text.contains('\\')
            || text
                .split('/')
                .any(|part| part == ".." || part.contains(':'))
        {
            self.note(OddityKind::PathOutside, path);
            return None;
        }
        let Some(inner) = text.strip_prefix(root) else {
            self.note(OddityKind::OtherRoot, path);
            return None;
        };
        let normal: Vec<&str> = inner
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        (!normal.is_empty()).then(|| normal.join("/"))
    }

    fn note_case_clashes<'a>(&mut self, paths: impl Iterator<Item = &'a String>) {
        let mut folded: BTreeMap<String, &str> = BTreeMap::new();
        for path in paths {
            if let Some(other) = folded.insert(path.to_lowercase(), path) {
                let text = format!("{other} and {path}");
                self.note(OddityKind::CaseClash, text.as_bytes());
            }
        }
    }

    fn note(&mut self, kind: OddityKind, path: &[u8]) {
        if self.oddities.len() < KEPT_ODDITIES {
            let path = printable(path, 200);
            self.oddities.push(Oddity { kind, path });
        }
    }
}

/// The size that a packed file says it unpacks to, which is its last four bytes
/// (RFC 1952, 2.3.1), as room to set aside: what it says is not believed beyond what real
/// source comes to.
fn told_size(archive: &[u8], limit: u64) -> usize {
    let told = archive
        .last_chunk()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let most = archive.len().saturating_mul(BOMB_RATIO).min(limit);
    // One more, to see that there is no more.
    told.min(most) + 1
}

/// Whether a character can make a path look like another one.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Bytes as text without anything that a terminal or a page would obey, cut
/// to this many characters.
fn printable(bytes: &[u8], longest: usize) -> String {
    let mut text: String = String::from_utf8_lossy(bytes)
        .chars()
        .take(longest)
        .map(|c| if is_deceptive(c) { '\u{fffd}' } else { c })
        .collect();
    if bytes.len() > longest {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_set_aside_for_what_is_told_and_no_more_than_is_likely() {
        let archive = |told: u32| [vec![0; 996], told.to_le_bytes().to_vec()].concat();
        assert_eq!(told_size(&archive(5_000), 1 << 20), 5_001);
        assert_eq!(
            told_size(&archive(u32::MAX), 1 << 20),
            1_000 * BOMB_RATIO + 1
        );
        assert_eq!(told_size(&archive(u32::MAX), 10_000), 10_001);
        assert_eq!(told_size(&[1, 2], 10_000), 1);
    }
}
