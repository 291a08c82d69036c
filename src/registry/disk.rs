//! Index entries on disk: Cargo's caches, local registries, the own cache.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use semver::Version;

use super::cache::{self, Kept};
use super::place::{self, Place};
use super::record::{self, Body, CrateRecord};
use super::{Origin, Registry, is_missing, lock};
use crate::facts::GapReason;

/// An index entry with more bytes than this is not read.
pub(super) const LARGEST_ENTRY: u64 = 64 << 20;

/// Where Cargo keeps its caches of indexes, below its home.
const CARGO_INDEXES: &str = "registry/index";

/// What one file of Cargo's cache holds. Read once in a run: both builds, and
/// then the facts of the changes, ask for the same files.
#[derive(Debug)]
pub(super) struct CargoEntry {
    /// The entry, and how Cargo would ask whether it is current.
    found: Option<(CrateRecord, Option<Validator>)>,
    unusable: Vec<(GapReason, String)>,
}

/// A header field, with its name.
type Validator = (&'static str, String);

/// What of a crate is on disk.
#[derive(Default)]
pub(super) struct Disk {
    /// Likelier places first.
    pub(super) records: Vec<CrateRecord>,
    /// The own cache's answer, without its body where that is a record.
    pub(super) kept: Option<Kept>,
    /// How Cargo would ask whether its copy is current, and the index in `records` of that copy.
    pub(super) cargo: Option<(usize, Validator)>,
    /// What is there and cannot be used, in words.
    pub(super) unusable: Vec<(GapReason, String)>,
    /// Whether only the own cache was looked at.
    pub(super) own_only: bool,
}

impl Registry<'_> {
    /// Reads Cargo's caches until one has all that is `enough`.
    pub(super) fn read_cargo(
        &self,
        place: &Place,
        name: &str,
        enough: Option<&BTreeSet<Version>>,
        disk: &mut Disk,
    ) {
        let Some(home) = &self.access.cargo_home else {
            return;
        };
        for ident in place.idents.iter().filter(|ident| self.has_index(ident)) {
            let path = home
                .join(CARGO_INDEXES)
                .join(ident)
                .join(".cache")
                .join(place::entry_path(name));
            let key = (path.clone(), name.to_owned());
            let entry = Arc::clone(lock(&self.cargo_entries).entry(key).or_default());
            let entry = entry.get_or_init(|| self.cargo_entry(name, &path));
            disk.unusable.extend(entry.unusable.clone());
            if let Some((record, validator)) = entry.found.clone() {
                let whole = enough.is_some_and(|versions| record.holds(versions));
                // Only the directory of the index that would be asked knows its validators.
                if let (Some(validator), true) = (validator, ident == place.own_ident()) {
                    disk.cargo = Some((disk.records.len(), validator));
                }
                disk.records.push(record);
                if whole {
                    return;
                }
            }
        }
    }

    /// Reads one file of Cargo's cache.
    fn cargo_entry(&self, name: &str, path: &Path) -> CargoEntry {
        let mut disk = Disk::default();
        let found = self.read_entry(path, &mut disk).and_then(|body| {
            let validator = record::cargo_validator(&body);
            let modified = self.modified(path);
            let origin = Origin::CargoCache { modified };
            let record = keep(name, Body::Cargo(body), origin, path, &mut disk)?;
            Some((record, validator))
        });
        CargoEntry {
            found,
            unusable: disk.unusable,
        }
    }

    /// Whether Cargo has cached anything of an index. Saves a look for each crate.
    fn has_index(&self, ident: &str) -> bool {
        let found = self.cargo_indexes.get_or_init(|| {
            let directory = self.access.cargo_home.as_ref()?.join(CARGO_INDEXES);
            match self.host.files.list(&directory) {
                Ok(entries) => Some(entries.into_iter().map(|entry| entry.name).collect()),
                Err(error) if is_missing(&error) => Some(BTreeSet::new()),
                // What cannot be listed can perhaps be read.
                Err(_) => None,
            }
        });
        found
            .as_ref()
            .is_none_or(|names| names.contains(OsStr::new(ident)))
    }

    pub(super) fn read_local(&self, place: &Place, name: &str, disk: &mut Disk) {
        for root in self.local_registries(place) {
            let path = root.join("index").join(place::entry_path(name));
            let Some(body) = self.read_entry(&path, disk) else {
                continue;
            };
            let modified = self.modified(&path);
            let origin = Origin::LocalRegistry { modified };
            if let Some(record) = keep(name, Body::Lines(body), origin, &path, disk) {
                disk.records.push(record);
            }
        }
    }

    /// The local registries that stand for this one.
    pub(super) fn local_registries(&self, place: &Place) -> Vec<PathBuf> {
        let own = self
            .access
            .cache_dir
            .as_ref()
            .map(|dir| dir.join("local-registry").join(place.own_ident()));
        place.local.clone().into_iter().chain(own).collect()
    }

    pub(super) fn read_own(&self, place: &Place, name: &str, disk: &mut Disk) {
        let Some(path) = self.own_path(place, &place::entry_path(name)) else {
            return;
        };
        let Some(mut kept) = self.read_entry(&path, disk).and_then(cache::decode) else {
            return;
        };
        if kept.known {
            let body = Body::Lines(std::mem::take(&mut kept.body));
            let origin = Origin::OwnCache {
                fetched: kept.fetched,
            };
            match keep(name, body, origin, &path, disk) {
                Some(record) => disk.records.push(record),
                None => return,
            }
        }
        disk.kept = Some(kept);
    }

    /// The path of an answer in the own cache.
    pub(super) fn own_path(&self, place: &Place, entry: &str) -> Option<PathBuf> {
        let dir = self.access.cache_dir.as_ref()?;
        Some(dir.join("index").join(place.own_ident()).join(entry))
    }

    fn read_entry(&self, path: &Path, disk: &mut Disk) -> Option<Vec<u8>> {
        // The own cache adds a small header to an entry.
        match self.host.files.read(path, LARGEST_ENTRY + (1 << 16)) {
            Ok(body) => Some(body),
            Err(error) if is_missing(&error) => None,
            Err(error) => {
                let reason = match error.kind() == io::ErrorKind::FileTooLarge {
                    true => GapReason::OverLimit,
                    false => GapReason::Malformed,
                };
                let text = format!("`{}` cannot be read: {error}", path.display());
                disk.unusable.push((reason, text));
                None
            }
        }
    }

    fn modified(&self, path: &Path) -> Timestamp {
        // Unknown counts as very old, never as new.
        self.host
            .files
            .modified(path)
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// A record of a file's content, or a note that it is none.
fn keep(
    name: &str,
    body: Body,
    origin: Origin,
    path: &Path,
    disk: &mut Disk,
) -> Option<CrateRecord> {
    let record = CrateRecord::new(name, body, origin);
    if record.is_none() {
        let text = format!("`{}` is no index entry of `{name}`", path.display());
        disk.unusable.push((GapReason::Malformed, text));
    }
    record
}
