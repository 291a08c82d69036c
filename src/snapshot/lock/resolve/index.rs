//! Which package a dependency string names: `name`, `name version` or
//! `name version (source)`, as much of it as it takes to name one.

#![expect(clippy::disallowed_types, reason = "look-up only, never iterated")]

use std::collections::HashMap;
use std::ops::Range;

use crate::pkg::{PackageId, Source};
use crate::snapshot::lock::raw::RawPackage;

/// Why a string names no package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// No package matches.
    None,
    /// This many do.
    Several(usize),
}

/// The packages by name, and those that share a name by version and source too.
/// As they are sorted by id, packages of one name stand together, and so do
/// those of one name and version.
pub(super) struct Index<'a, 'r> {
    entries: &'a [(PackageId, RawPackage<'r>)],
    names: HashMap<&'a str, Range<usize>>,
    versions: HashMap<(&'a str, &'a str), Range<usize>>,
    /// By source without the commit: the first one, and how many there are.
    sources: HashMap<(&'a str, &'a str, &'a str), (usize, usize)>,
}

impl<'a, 'r> Index<'a, 'r> {
    pub(super) fn new(entries: &'a [(PackageId, RawPackage<'r>)]) -> Self {
        let mut index = Self {
            entries,
            names: HashMap::with_capacity(entries.len()),
            versions: HashMap::new(),
            sources: HashMap::new(),
        };
        let mut start = 0;
        for group in entries.chunk_by(|(a, _), (b, _)| a.name == b.name) {
            let range = start..start + group.len();
            start = range.end;
            if let Some((id, _)) = group.first() {
                index.names.insert(&id.name, range.clone());
            }
            if group.len() > 1 {
                index.add_versions(group, range.start);
            }
        }
        index
    }

    fn add_versions(&mut self, group: &'a [(PackageId, RawPackage<'r>)], mut start: usize) {
        for same in group.chunk_by(|(a, _), (b, _)| a.version == b.version) {
            let range = start..start + same.len();
            if let Some((id, raw)) = same.first() {
                self.versions
                    .insert((&id.name, &raw.version), range.clone());
            }
            if same.len() > 1 {
                for ((id, raw), at) in same.iter().zip(range.clone()) {
                    let source = without_commit(raw.source.as_deref().unwrap_or_default());
                    let entry = self.sources.entry((&id.name, &raw.version, source));
                    entry.or_insert((at, 0)).1 += 1;
                }
            }
            start = range.end;
        }
    }

    pub(super) fn id(&self, at: usize) -> Option<&'a PackageId> {
        self.entries.get(at).map(|(id, _)| id)
    }

    fn raw(&self, at: usize) -> Option<&'a RawPackage<'r>> {
        self.entries.get(at).map(|(_, raw)| raw)
    }

    /// The one package that a dependency string names.
    pub(super) fn find(&self, text: &str) -> Result<usize, Miss> {
        let (name, rest) = text
            .split_once(' ')
            .map_or((text, None), |(n, r)| (n, Some(r)));
        let (version, source) = match rest.map(|rest| rest.split_once(' ').unwrap_or((rest, ""))) {
            None => (None, ""),
            Some((version, source)) => (Some(version), source),
        };
        let source = match source.strip_prefix('(').and_then(|s| s.strip_suffix(')')) {
            Some(inner) => Some(inner),
            None if source.is_empty() => None,
            None => return Err(Miss::None),
        };
        let same_name = self.names.get(name).ok_or(Miss::None)?;
        let same_version = self.of_version(name, version, same_name)?;
        match source {
            None => self.without_source(same_version),
            Some(source) => self.of_source(source, same_version),
        }
    }

    fn of_version(
        &self,
        name: &str,
        version: Option<&str>,
        same_name: &Range<usize>,
    ) -> Result<Range<usize>, Miss> {
        let first = self.raw(same_name.start).ok_or(Miss::None)?;
        let Some(version) = version else {
            let key = (name, &*first.version);
            let all_alike = same_name.len() == 1 || self.versions.get(&key) == Some(same_name);
            return if all_alike {
                Ok(same_name.clone())
            } else {
                Err(Miss::Several(same_name.len()))
            };
        };
        if same_name.len() == 1 {
            return if first.version == version {
                Ok(same_name.clone())
            } else {
                Err(Miss::None)
            };
        }
        self.versions
            .get(&(name, version))
            .cloned()
            .ok_or(Miss::None)
    }

    /// Without a source, a local package comes first, as in cargo. Local
    /// packages sort last, and there is at most one for a name and version.
    fn without_source(&self, range: Range<usize>) -> Result<usize, Miss> {
        if range.len() == 1 {
            return Ok(range.start);
        }
        match range.end.checked_sub(1) {
            Some(last) if self.id(last).is_some_and(|id| id.source == Source::Local) => Ok(last),
            _ => Err(Miss::Several(range.len())),
        }
    }

    fn of_source(&self, source: &str, range: Range<usize>) -> Result<usize, Miss> {
        let raw = self.raw(range.start).ok_or(Miss::None)?;
        if range.len() == 1 {
            let own = raw.source.as_deref().unwrap_or_default();
            return if same_source(own, source) {
                Ok(range.start)
            } else {
                Err(Miss::None)
            };
        }
        // The name is the package's own, so that the key lives long enough.
        let name = self.id(range.start).map_or("", |id| id.name.as_str());
        match self
            .sources
            .get(&(name, &*raw.version, without_commit(source)))
        {
            Some((at, 1))
                if self.raw(*at).is_some_and(|raw| {
                    same_source(raw.source.as_deref().unwrap_or_default(), source)
                }) =>
            {
                Ok(*at)
            }
            Some((_, 1)) => Err(Miss::None),
            Some(_) => self.with_commit(source, range),
            None => self.nearly(source, range),
        }
    }

    /// Several commits of one repository: only the full source tells them apart.
    fn with_commit(&self, source: &str, range: Range<usize>) -> Result<usize, Miss> {
        self.only(range, |own| own == source)
    }

    /// Sources that are spelled differently and mean the same.
    fn nearly(&self, source: &str, range: Range<usize>) -> Result<usize, Miss> {
        self.only(range, |own| same_source(own, source))
    }

    /// The only package in the range whose source passes. The range is cut, so
    /// that a hostile file cannot make this quadratic.
    fn only(&self, range: Range<usize>, passes: impl Fn(&str) -> bool) -> Result<usize, Miss> {
        const MOST: usize = 64;
        let count = range.len();
        if count > MOST {
            return Err(Miss::Several(count));
        }
        let mut found = range.filter(|at| {
            self.raw(*at)
                .is_some_and(|raw| passes(raw.source.as_deref().unwrap_or_default()))
        });
        match (found.next(), found.next()) {
            (None, _) => Err(Miss::None),
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => Err(Miss::Several(count)),
        }
    }
}

/// A source without `#commit`.
fn without_commit(source: &str) -> &str {
    source.split_once('#').map_or(source, |(before, _)| before)
}

/// Whether the source in a dependency string is that of a package. Dependency
/// strings leave the commit out, but old ones have it.
fn same_source(own: &str, named: &str) -> bool {
    if own == named {
        return true;
    }
    let (own_place, named_place) = (without_commit(own), without_commit(named));
    let commits_agree = named_place.len() == named.len() || own.len() == own_place.len() || {
        own.get(own_place.len()..) == named.get(named_place.len()..)
    };
    commits_agree && (own_place == named_place || spelled(own_place) == spelled(named_place))
}

/// One spelling for what cargo takes as the same: both names of the default
/// registry; `.git` and a slash at the end of a repository's address; and in
/// the old formats no reference and the branch `master`.
fn spelled(source: &str) -> Option<(String, Option<String>)> {
    match Source::parse(source).ok()? {
        Source::Git {
            url,
            reference,
            rev: _,
        } => {
            let url = url.trim_end_matches('/');
            let url = url.strip_suffix(".git").unwrap_or(url);
            Some((url.to_owned(), reference.filter(|r| r != "branch=master")))
        }
        Source::CratesIo => Some((String::new(), None)),
        Source::Registry { url } => Some((url, None)),
        Source::Local => None,
    }
}
