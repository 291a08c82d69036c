//! What an update does to the source of a package: what was gained, lost or
//! changed between the archives of two releases, each with its witnesses.

mod topic;

use semver::Version;

pub use topic::Topic;

/// The difference between the archives of two releases.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SourceDelta {
    /// The archive that goes out; `None` when the package is new.
    pub before: Option<Extent>,
    /// The archive that comes in.
    pub after: Extent,
    /// Whether all code that a user compiles, or runs while building, is the
    /// same byte for byte. Manifests are not code.
    pub same_code: bool,
    /// What the manifest that comes in says the package is for.
    pub purpose: Purpose,
    /// What was found, sorted.
    pub findings: Vec<SourceFinding>,
    /// What upstream writes about the versions in between, newest first.
    pub changelog: Vec<ChangelogSection>,
    /// What was not looked at, in words, sorted.
    pub not_read: Vec<String>,
}

impl SourceDelta {
    /// The findings on some topics.
    pub fn on<'a>(&'a self, topics: &'a [Topic]) -> impl Iterator<Item = &'a SourceFinding> {
        self.findings
            .iter()
            .filter(|finding| topics.contains(&finding.topic))
    }
}

/// What a manifest says its package is for: upstream's own words, so not to be
/// trusted and not always there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Purpose {
    /// Slugs of the registry's categories, as written.
    pub categories: Vec<String>,
    /// Free words, in lower case.
    pub keywords: Vec<String>,
    /// Names of the packages that it always needs, on every platform, sorted.
    pub needs: Vec<String>,
}

/// How much an archive holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Extent {
    /// All files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files that a user compiles: the library, its build script, and what they include.
    pub compiled_files: usize,
    /// Their bytes.
    pub compiled_bytes: u64,
}

/// Which part of a package something was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The build script and what it includes: runs where the product is built.
    BuildScript,
    /// A procedural macro: runs where the product is built.
    ProcMacro,
    /// The library.
    Library,
    /// The manifest and what else describes the package.
    Metadata,
    /// Files that no user compiles: tests, examples, benchmarks, data.
    Data,
    /// The archive as such.
    Archive,
}

impl Part {
    /// All parts, in the order of their declaration.
    pub const ALL: [Self; 6] = [
        Self::BuildScript,
        Self::ProcMacro,
        Self::Library,
        Self::Metadata,
        Self::Data,
        Self::Archive,
    ];

    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BuildScript => "build-script",
            Self::ProcMacro => "proc-macro",
            Self::Library => "library",
            Self::Metadata => "metadata",
            Self::Data => "data",
            Self::Archive => "archive",
        }
    }

    /// Whether it runs where the product is built.
    #[must_use]
    pub fn runs_in_build(self) -> bool {
        matches!(self, Self::BuildScript | Self::ProcMacro)
    }
}

/// What the update did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shift {
    /// The incoming release has it, or has more of it.
    Gained,
    /// The incoming release has it no more, or less of it.
    Lost,
    /// Both have it, and it differs.
    Changed,
}

impl Shift {
    /// All directions, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Gained, Self::Lost, Self::Changed];

    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gained => "gained",
            Self::Lost => "lost",
            Self::Changed => "changed",
        }
    }
}

/// One thing that the update gained, lost or changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceFinding {
    /// What it is about.
    pub topic: Topic,
    /// What the update did.
    pub shift: Shift,
    /// Where.
    pub part: Part,
    /// What exactly: a path of the language, an item, a file, or a field with
    /// its old and new value. Escaped and cut.
    pub what: String,
    /// How many places there are; the witnesses are the first of them.
    pub count: usize,
    /// Places, sorted; in the outgoing archive for what was lost.
    pub witnesses: Vec<Witness>,
}

impl SourceFinding {
    /// Whether code that is shipped may now hold on to more than before:
    /// memory, tasks, handles. Most such changes are harmless.
    #[must_use]
    pub fn may_grow(&self) -> bool {
        let shipped = self.part == Part::Library;
        shipped
            && match self.topic {
                Topic::Leak
                | Topic::UnboundedChannel
                | Topic::Task
                | Topic::Handle
                | Topic::WholeBody
                | Topic::GlobalState => self.shift == Shift::Gained,
                Topic::Drop => self.shift == Shift::Lost || self.what.ends_with(LESS),
                Topic::Release => self.shift == Shift::Lost,
                // A count that is off by one in any direction keeps or frees too much.
                Topic::Limit | Topic::ManualMemory => true,
                Topic::Archive
                | Topic::Executable
                | Topic::Opaque
                | Topic::BuildScript
                | Topic::Network
                | Topic::Process
                | Topic::DynamicLoading
                | Topic::Assembly
                | Topic::Foreign
                | Topic::Files
                | Topic::Environment
                | Topic::NativeSources
                | Topic::Unsafe
                | Topic::Api
                | Topic::Metadata
                | Topic::Commit
                | Topic::Announced => false,
            }
    }
}

/// How the finding on a `Drop` with fewer calls than before ends.
pub const LESS: &str = "does less";

/// A place in an archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Witness {
    /// The path in the archive. Escaped and cut.
    pub file: String,
    /// The line, from 1; 0 where it is about the whole file.
    pub line: u32,
    /// The item around it; empty where there is none.
    pub item: String,
    /// The few tokens that made it. Escaped and cut.
    pub text: String,
}

impl std::fmt::Display for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.item.is_empty() {
            write!(f, " in {}", self.item)?;
        }
        if !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        Ok(())
    }
}

/// What upstream writes about one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangelogSection {
    /// The version.
    pub version: Version,
    /// The file it stands in.
    pub file: String,
    /// The text, cut to a bound; as upstream wrote it, so not to be trusted.
    pub text: String,
}
