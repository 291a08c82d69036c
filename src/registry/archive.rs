//! Archives of packages: found by name, taken only with the right checksum.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::download::address;
use super::place::{self, Place};
use super::{Registry, is_missing, is_sha256};
use crate::facts::{FactKind, Finding, Gap, GapReason};
use crate::host::{FileKind, Get, NetError, Response};
use crate::pkg::PackageId;

/// An archive with more bytes than this is not read.
const LARGEST_ARCHIVE: u64 = 64 << 20;

/// So many archives are fetched at once.
const FETCHED_AT_ONCE: usize = 16;

/// Why something cannot be had: the reason and its words.
pub(super) type Missing = (GapReason, String);

impl Registry<'_> {
    /// The archive of a package, from Cargo's cache, a local registry, the own
    /// cache, or the registry; only with this SHA-256 sum (lower-case hex). A
    /// gap is one of the kind [`FactKind::Manifest`].
    #[must_use]
    pub fn archive(&self, id: &PackageId, checksum: &str) -> Finding<Arc<Vec<u8>>> {
        let found = match self.archive_on_disk(id, checksum) {
            Ok(bytes) => Ok(bytes),
            Err(missing) => self
                .fetch_archives(&[(id, checksum, missing)])
                .pop()
                .unwrap_or_else(|| Err((GapReason::FetchFailed, "nothing was asked".to_owned()))),
        };
        finding(found.map(Arc::new))
    }

    /// Fetches those of these archives that no cache holds, many at once, into
    /// the own cache. Without one nothing is done. What cannot be had now is a
    /// gap when it is asked for.
    pub fn prefetch_archives(&self, wanted: &[(PackageId, String)]) {
        if self.access.cache_dir.is_none() || self.no_network().is_some() {
            return;
        }
        let nowhere = (GapReason::OfflineAndNotCached, String::new());
        let missing: BTreeSet<&(PackageId, String)> = wanted
            .iter()
            .filter(|(id, sum)| self.may_be_fetched(id, sum))
            .collect();
        let jobs: Vec<(&PackageId, &str, Missing)> = missing
            .into_iter()
            .map(|(id, sum)| (id, sum.as_str(), nowhere.clone()))
            .collect();
        for part in jobs.chunks(FETCHED_AT_ONCE) {
            drop(self.fetch_archives(part));
        }
    }

    /// Whether a package could be in a registry, and no file on disk has its name.
    fn may_be_fetched(&self, id: &PackageId, checksum: &str) -> bool {
        let Some(place) = self.place(&id.source) else {
            return false;
        };
        if !is_sha256(checksum) || !place::is_crate_name(&id.name) {
            return false;
        }
        let file = format!("{}-{}.crate", id.name, id.version);
        let known = self.cargo_archives(&place).into_iter();
        let mut paths = known
            .chain(self.local_registries(&place))
            .map(|dir| dir.join(&file))
            .chain(self.own_archive(checksum));
        !paths.any(|path| matches!(self.host.files.kind(&path), Ok(FileKind::File(_))))
    }

    /// The archive with this checksum, from any place on disk.
    pub(super) fn archive_on_disk(
        &self,
        id: &PackageId,
        checksum: &str,
    ) -> Result<Vec<u8>, Missing> {
        let place = self.place(&id.source).ok_or_else(|| not_applicable(id))?;
        if !is_sha256(checksum) || !place::is_crate_name(&id.name) {
            let text =
                format!("{id} has a name or a checksum that no package in a registry can have");
            return Err((GapReason::Malformed, text));
        }
        let file = format!("{}-{}.crate", id.name, id.version);
        let cargo = self.cargo_archives(&place);
        let local = self.local_registries(&place);
        let mut paths: Vec<PathBuf> = cargo
            .iter()
            .chain(&local)
            .map(|dir| dir.join(&file))
            .collect();
        paths.extend(self.own_archive(checksum));
        let mut text = format!("no cache holds the archive of {id}");
        for path in paths {
            let note = match self.host.files.read(&path, LARGEST_ARCHIVE) {
                Ok(bytes) if sha256(&bytes) == checksum => return Ok(bytes),
                Ok(_) => "has another checksum".to_owned(),
                Err(error) if is_missing(&error) => continue,
                Err(error) => format!("cannot be read: {error}"),
            };
            // Writing into a string cannot fail.
            let _ = write!(text, "; `{}` {note}", path.display());
        }
        Err((GapReason::OfflineAndNotCached, text))
    }

    /// The directories of archives in Cargo's home: those of this registry
    /// first, then all others, which will do as well: the checksum decides.
    fn cargo_archives(&self, place: &Place) -> Vec<PathBuf> {
        let all = self.cargo_archives.get_or_init(|| {
            let Some(home) = &self.access.cargo_home else {
                return Vec::new();
            };
            let root = home.join("registry/cache");
            let entries = self.host.files.list(&root).unwrap_or_default();
            entries
                .into_iter()
                .filter(|entry| entry.kind == FileKind::Directory)
                .map(|entry| root.join(entry.name))
                .collect()
        });
        let mut sorted = all.clone();
        sorted.sort_by_key(|dir| {
            let name = dir.file_name().and_then(|name| name.to_str());
            let rank = place.idents.iter().position(|i| Some(i.as_str()) == name);
            rank.unwrap_or(usize::MAX)
        });
        sorted
    }

    fn own_archive(&self, checksum: &str) -> Option<PathBuf> {
        let start = checksum.get(..2)?;
        let dir = self.access.cache_dir.as_ref()?;
        Some(dir.join("crates").join(start).join(checksum))
    }

    /// Downloads archives, checks them, and keeps them.
    pub(super) fn fetch_archives(
        &self,
        jobs: &[(&PackageId, &str, Missing)],
    ) -> Vec<Result<Vec<u8>, Missing>> {
        let requests: Vec<Result<Get, Missing>> = jobs
            .iter()
            .map(|(id, sum, missing)| self.request(id, sum, missing))
            .collect();
        let sent: Vec<Get> = requests
            .iter()
            .filter_map(|r| r.as_ref().ok().cloned())
            .collect();
        let answers = match &self.host.net {
            Some(net) if !sent.is_empty() => net.get_all(&sent),
            _ => Vec::new(),
        };
        let mut answers = answers.into_iter();
        requests
            .into_iter()
            .zip(jobs)
            .map(|(request, (id, sum, _))| {
                request?;
                let answer = answers
                    .next()
                    .ok_or_else(|| (GapReason::FetchFailed, format!("nothing came for {id}")))?;
                let bytes = download(id, sum, answer)?;
                if let Some(path) = self.own_archive(sum) {
                    // Without the cache the next run is slower, and no worse.
                    drop(self.host.files.write(&path, &bytes));
                }
                Ok(bytes)
            })
            .collect()
    }

    fn request(&self, id: &PackageId, checksum: &str, missing: &Missing) -> Result<Get, Missing> {
        if missing.0 != GapReason::OfflineAndNotCached {
            return Err(missing.clone());
        }
        if let Some(why) = self.no_network() {
            return Err((missing.0, format!("{}; {why}", missing.1)));
        }
        let place = self
            .download_place(&id.source)
            .map_err(|(reason, why)| (reason, format!("{}; {why}", missing.1)))?;
        let mut headers = Vec::new();
        if let Some(token) = &place.token {
            headers.push(("authorization".to_owned(), token.reveal().to_owned()));
        }
        Ok(Get {
            url: address(&place.template, id, checksum),
            headers,
            limit: LARGEST_ARCHIVE,
        })
    }
}

fn download(
    id: &PackageId,
    checksum: &str,
    answer: Result<Response, NetError>,
) -> Result<Vec<u8>, Missing> {
    let response = answer.map_err(|error| match &error {
        NetError::TooLarge { .. } => (GapReason::OverLimit, error.to_string()),
        NetError::NoAnswer { .. } | NetError::TimedOut { .. } => {
            (GapReason::FetchFailed, error.to_string())
        }
    })?;
    match response.status {
        200 if sha256(&response.body) == checksum => Ok(response.body),
        200 => Err((
            GapReason::Malformed,
            format!(
                "the archive of {id} that {} sent has another checksum than the lock file or the index says",
                id.source
            ),
        )),
        404 | 410 | 451 => Err((
            GapReason::NotInRegistry,
            format!("{} has no archive of {id}", id.source),
        )),
        status => Err((
            GapReason::FetchFailed,
            format!(
                "{} answered with HTTP status {status} when asked for the archive of {id}",
                id.source
            ),
        )),
    }
}

/// The SHA-256 sum in lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing into a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

pub(super) fn not_applicable(id: &PackageId) -> Missing {
    (
        GapReason::NotApplicable,
        format!("{id} comes from {}, which is no registry", id.source),
    )
}

pub(super) fn finding<T>(result: Result<T, Missing>) -> Finding<T> {
    match result {
        Ok(value) => Finding::Seen(value),
        Err((reason, detail)) => Finding::Unknown(Gap {
            fact: FactKind::Manifest,
            reason,
            detail,
        }),
    }
}
