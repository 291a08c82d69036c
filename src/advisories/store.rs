//! Look-ups: which advisories apply to a package, and what a change does to them.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use semver::Version;

use super::facts_file::FactsFile;
use super::record::{Content, Record};
use super::{FILE_NAME, Origin, Problem, Status, utc_date};
use crate::facts::{AdvisoryDelta, AdvisoryFact, FactKind, Finding, Gap, GapReason};
use crate::host::Host;
use crate::pkg::{PackageId, Release, Source};

static EMBEDDED: &str = include_str!("../../data/advisories.facts");

/// No file of facts is read that is larger.
const MAX_FILE: u64 = 64 << 20;

/// The advisories that are known here.
///
/// The database covers crates.io. Packages of another registry are looked up
/// only when that registry is named as a mirror; those from git or from the
/// tree itself never are.
#[derive(Clone, Debug)]
pub struct Store {
    file: FactsFile,
    origin: Origin,
    /// Why there is no file at all; no look-up may then find nothing.
    unusable: Option<String>,
    problems: Vec<Problem>,
    mirrors: Vec<String>,
}

impl Store {
    /// The snapshot that is part of the program.
    #[must_use]
    pub fn embedded() -> Self {
        let (file, unusable) = match FactsFile::parse(Cow::Borrowed(EMBEDDED), false) {
            Ok(file) => (file, None),
            Err(error) => (
                FactsFile::none(),
                Some(format!("the embedded facts: {error}")),
            ),
        };
        let problems = unusable
            .iter()
            .map(|detail| plain(detail.clone()))
            .collect();
        Self {
            file,
            origin: Origin::Embedded,
            unusable,
            problems,
            mirrors: Vec::new(),
        }
    }

    /// The file that an update left in the cache directory, when it is
    /// well-formed and not older than the embedded snapshot; else the latter.
    /// A file that cannot be used is among the problems.
    #[must_use]
    pub fn open(host: &Host, cache_dir: Option<&Path>) -> Self {
        let mut embedded = Self::embedded();
        let Some(path) = cache_dir.map(|directory| directory.join(FILE_NAME)) else {
            return embedded;
        };
        if host
            .files
            .kind(&path)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        {
            return embedded;
        }
        match read(host, &path) {
            Ok(file) if embedded.unusable.is_some() || file.snapshot >= embedded.file.snapshot => {
                Self::of_file(file, path)
            }
            Ok(_) => embedded,
            Err(reason) => {
                let path = path.display();
                embedded
                    .problems
                    .push(plain(format!("`{path}` is not used: {reason}")));
                embedded
            }
        }
    }

    /// A store over one file.
    pub(super) fn of_file(file: FactsFile, path: PathBuf) -> Self {
        Self {
            file,
            origin: Origin::File(path),
            unusable: None,
            problems: Vec::new(),
            mirrors: Vec::new(),
        }
    }

    /// Takes these registries for copies of crates.io, whose packages have the
    /// same content under the same name and version. Index addresses as a lock
    /// file has them; the protocol prefix and a last slash do not matter.
    #[must_use]
    pub fn with_mirrors(mut self, index_urls: &[String]) -> Self {
        self.mirrors = index_urls.iter().map(|url| bare(url).to_owned()).collect();
        self
    }

    /// Whether packages of this source are looked up.
    #[must_use]
    pub fn covers(&self, source: &Source) -> bool {
        match source {
            Source::CratesIo => true,
            Source::Registry { url } => self.mirrors.iter().any(|mirror| mirror == bare(url)),
            Source::Git { .. } | Source::Local => false,
        }
    }

    /// Where the facts come from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The day of the database's state that the facts are of.
    #[must_use]
    pub fn snapshot_date(&self) -> Date {
        self.file.snapshot
    }

    /// The number of advisories.
    #[must_use]
    pub fn count(&self) -> usize {
        self.file.len()
    }

    /// What is in use here, with what is wrong with it. All records are looked
    /// through for that, in a few milliseconds.
    #[must_use]
    pub fn status(&self) -> Status {
        let broken = self.file.all().filter_map(|record| match record {
            Ok(Record {
                package,
                id,
                content: Err(detail),
            }) => Some(Problem {
                package: Some(package),
                advisory: Some(id),
                detail,
            }),
            Ok(_) => None,
            Err((id, detail)) => Some(Problem {
                package: None,
                advisory: Some(id),
                detail,
            }),
        });
        let mut problems: Vec<Problem> = self.problems.iter().cloned().chain(broken).collect();
        problems.sort();
        Status {
            origin: self.origin.clone(),
            snapshot_date: self.file.snapshot,
            commit: self.file.commit.clone(),
            digest: self.file.digest.clone(),
            advisories: self.file.len(),
            problems,
        }
    }

    /// The advisories that apply to one package on the day of `as_of`, by id:
    /// reported by then and not withdrawn by then. None for a package that is
    /// not covered; [`Store::gaps`] tells what could not be read.
    #[must_use]
    pub fn applying(&self, package: &PackageId, as_of: Timestamp) -> Vec<AdvisoryFact> {
        if !self.covers(&package.source) {
            return Vec::new();
        }
        self.in_force(&package.name, utc_date(as_of))
            .filter(|(_, content)| content.affects(&package.version))
            .map(|(id, content)| content.fact(&package.name, &id, &package.version))
            .collect()
    }

    /// The advisories of a change from some releases of a package to others.
    ///
    /// An advisory counts once, whatever number of releases it applies to. It
    /// is *introduced* when it applies to a release of `to` and to none of
    /// `from`, *fixed* when it applies to one of `from` and to none of `to`,
    /// else *remaining*. The version it is given with is the highest it
    /// applies to, of `to`, or of `from` where it is fixed. It is never fixed
    /// by a release that is not covered: a move to a git fork proves nothing,
    /// so it remains, with its version in `from`, and [`Store::gaps`] says so.
    ///
    /// `Absent` when no advisory applies, and when the package is not covered.
    /// `Unknown` when none applies but one could not be read.
    #[must_use]
    pub fn delta(
        &self,
        package: &str,
        from: &[Release],
        to: &[Release],
        as_of: Timestamp,
    ) -> Finding<AdvisoryDelta> {
        if let Some(reason) = &self.unusable {
            return Finding::Unknown(gap(GapReason::Malformed, reason.clone()));
        }
        if let Some(other) = self.all_elsewhere(from, to) {
            return Finding::Absent(format!(
                "the advisory database covers crates.io; `{package}` {other}"
            ));
        }
        let day = utc_date(as_of);
        let mut delta = AdvisoryDelta::default();
        let open_end = to.iter().any(|release| !self.covers(&release.source));
        for (id, content) in self.in_force(package, day) {
            let before = self.highest(&content, from);
            let after = self.highest(&content, to);
            let (list, version) = match (before, after) {
                (None, None) => continue,
                (None, Some(after)) => (&mut delta.introduced, after),
                (Some(_), Some(after)) => (&mut delta.remaining, after),
                (Some(before), None) if open_end => (&mut delta.remaining, before),
                (Some(before), None) => (&mut delta.fixed, before),
            };
            list.push(content.fact(package, &id, version));
        }
        if delta != AdvisoryDelta::default() {
            return Finding::Seen(delta);
        }
        match self.gaps(package, from, to, as_of).into_iter().next() {
            Some(gap) => Finding::Unknown(gap),
            None => Finding::Absent(format!(
                "none of the {} advisories of {} applies to `{package}`",
                self.file.len(),
                self.file.snapshot
            )),
        }
    }

    /// How many faults were on record for a package on the day of `as_of`, whatever
    /// releases they apply to; mere notices do not count. 0 for a package none of
    /// whose releases is covered.
    #[must_use]
    pub fn on_record(&self, package: &str, releases: &[Release], as_of: Timestamp) -> usize {
        if !releases.iter().any(|release| self.covers(&release.source)) {
            return 0;
        }
        self.in_force(package, utc_date(as_of))
            .filter(|(_, content)| content.is_fault())
            .count()
    }

    /// What [`Store::delta`] could not tell of the same change beside what it
    /// told, sorted: advisories of the package that could not be read, and
    /// those that remain only because a release is not covered.
    #[must_use]
    pub fn gaps(
        &self,
        package: &str,
        from: &[Release],
        to: &[Release],
        as_of: Timestamp,
    ) -> Vec<Gap> {
        if let Some(reason) = &self.unusable {
            return vec![gap(GapReason::Malformed, reason.clone())];
        }
        if self.all_elsewhere(from, to).is_some() {
            return Vec::new();
        }
        let mut gaps: Vec<Gap> = self
            .file
            .of(package)
            .filter_map(|record| match record {
                Ok(Record {
                    id,
                    content: Err(reason),
                    ..
                })
                | Err((id, reason)) => Some((id, reason)),
                Ok(_) => None,
            })
            .map(|(id, reason)| {
                let detail = format!("{id} of `{package}` could not be read: {reason}");
                gap(GapReason::Malformed, detail)
            })
            .collect();
        if let Some(release) = to.iter().find(|release| !self.covers(&release.source)) {
            let open = |content: &Content| {
                self.highest(content, from).is_some() && self.highest(content, to).is_none()
            };
            gaps.extend(
                self.in_force(package, utc_date(as_of))
                    .filter(|(_, c)| open(c))
                    .map(|(id, _)| {
                        gap(
                            GapReason::NotApplicable,
                            format!(
                                "whether {id} still applies to `{package}` {} is not known: the \
                             advisory database covers crates.io; this {}",
                                release.version,
                                place(&release.source)
                            ),
                        )
                    }),
            );
        }
        gaps.sort();
        gaps
    }

    /// The readable records of a crate that were in force on a day.
    fn in_force<'a>(
        &'a self,
        package: &'a str,
        day: Date,
    ) -> impl Iterator<Item = (String, Content)> + 'a {
        self.file
            .of(package)
            .filter_map(|record| {
                let record = record.ok()?;
                Some((record.id, record.content.ok()?))
            })
            .filter(move |(_, content)| content.in_force(day))
    }

    /// The highest covered version that an advisory applies to.
    fn highest<'a>(&self, content: &Content, releases: &'a [Release]) -> Option<&'a Version> {
        releases
            .iter()
            .filter(|release| self.covers(&release.source))
            .map(|release| &release.version)
            .filter(|version| content.affects(version))
            .max()
    }

    /// Where a package comes from that is covered on neither side.
    fn all_elsewhere(&self, from: &[Release], to: &[Release]) -> Option<&'static str> {
        let mut sources = to.iter().chain(from).map(|release| &release.source);
        let first = sources.clone().next()?;
        sources
            .all(|source| !self.covers(source))
            .then(|| place(first))
    }
}

fn place(source: &Source) -> &'static str {
    match source {
        Source::CratesIo => "comes from there",
        Source::Registry { .. } => "comes from another registry, which is not named as a mirror",
        Source::Git { .. } => "comes from git",
        Source::Local => "is part of the tree",
    }
}

fn gap(reason: GapReason, detail: String) -> Gap {
    Gap {
        fact: FactKind::Advisories,
        reason,
        detail,
    }
}

fn plain(detail: String) -> Problem {
    Problem {
        package: None,
        advisory: None,
        detail,
    }
}

/// An index address without its protocol prefix and a last slash.
fn bare(url: &str) -> &str {
    url.trim_start_matches("registry+")
        .trim_start_matches("sparse+")
        .trim_end_matches('/')
}

fn read(host: &Host, path: &Path) -> Result<FactsFile, String> {
    let bytes = host
        .files
        .read(path, MAX_FILE)
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    FactsFile::parse(Cow::Owned(text), true).map_err(|error| error.to_string())
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
