//! What a lock file says, before anything is checked against anything else.

use std::borrow::Cow;
use std::ops::Range;

/// The sections of one lock file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RawLock<'a> {
    /// The stated format and its line.
    pub(super) version: Option<(Cow<'a, str>, u32)>,
    /// There is a `[root]` table.
    pub(super) root: bool,
    /// `[[package]]` and `[root]`, in the order of the file.
    pub(super) packages: Vec<RawPackage<'a>>,
    /// The dependency strings of all packages, one package after the other.
    pub(super) dependencies: Vec<Line<'a>>,
    /// The checksums in `[metadata]`: the key without its prefix, and the value.
    pub(super) checksums: Vec<(Line<'a>, Cow<'a, str>)>,
}

/// A string and the line where it stands.
pub(super) type Line<'a> = (Cow<'a, str>, u32);

/// One package table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawPackage<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    pub(super) source: Option<Cow<'a, str>>,
    pub(super) checksum: Option<Cow<'a, str>>,
    /// Its part of [`RawLock::dependencies`].
    pub(super) dependencies: Range<usize>,
    pub(super) replace: Option<Line<'a>>,
    /// The line of `name`.
    pub(super) line: u32,
}

/// How a key of `[metadata]` begins that holds a checksum.
pub(super) const CHECKSUM_PREFIX: &str = "checksum ";
