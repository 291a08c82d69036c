//! What both commands begin with: the builds, their lock files, what is published
//! of their packages, and a bench on which cargo resolves.

use std::collections::BTreeSet;

use super::RemedyError;
use super::bench::Bench;
use super::ground::{Ground, Locks, Published};
use crate::audit;
use crate::host::{Host, with_causes};
use crate::lockfile::Pair;
use crate::registry::Registry;
use crate::snapshot::{self, BuildName, InputKind, Opened};

/// So many packages are named in a sentence.
const NAMED: usize = 3;

pub(super) struct Scene<'h> {
    pub(super) host: &'h Host,
    pub(super) head: Opened<'h>,
    pub(super) locks: Locks,
    pub(super) published: Published,
}

impl<'h> Scene<'h> {
    pub(super) fn open(request: &audit::Request, host: &'h Host) -> Result<Self, RemedyError> {
        let open = |side: &'static str, name: &BuildName| {
            snapshot::open(name, &request.repository, host).map_err(|source| RemedyError::Load {
                side,
                source: Box::new(source),
            })
        };
        let (base, head) = (open("base", &request.base)?, open("head", &request.head)?);
        let (before, after) = (lock_of("base", &base)?, lock_of("head", &head)?);
        let locks = Locks::read(before, after).map_err(|detail| RemedyError::Lock { detail })?;
        if Pair::new(&locks.base_text, &locks.head_text)?
            .moves()
            .is_empty()
        {
            return Err(RemedyError::NothingMoved);
        }
        let registry = Registry::open(host, audit::access(request, host));
        let published = Published::read(&locks, &registry);
        Ok(Self {
            host,
            head,

            locks,

            published,
        })
    }

    /// What a commit would stand upon: the head's commit, or `HEAD` for the files as
    /// they are; `None` where the head is no state of a repository.
    pub(super) fn onto(&self) -> Option<String> {
        match self.head.kind() {
            InputKind::Git => self.head.commit().map(str::to_owned),
            InputKind::Worktree => Some("HEAD".to_owned()),
            InputKind::Directory
            | InputKind::Lock
            | InputKind::Metadata
            | InputKind::Executable
            | InputKind::Sbom => None,
        }
    }

    /// A bench, and what the reader should know of it; the inner error says why
    /// nothing can be checked.
    pub(super) fn bench(&self, whole: bool) -> Result<(Bench<'h>, Vec<String>), String> {
        if !self.published.missing.is_empty() {
            return Err(missing(&self.published.missing));
        }
        let why = match self.own() {
            Ok(bench) => return Ok((bench, Vec::new())),
            Err(why) => why,
        };
        let (ground, tree) = Ground::paper(&self.locks, &self.published, whole)?;
        let note =
            format!("checked against what the lock files show, not against the manifests: {why}");
        // A whole difference that goes back is laid out as the base has it.
        let bench = Bench::open(ground, &*tree, self.host, !whole)
            .map_err(|error| with_causes(&error))?
            .map_err(|complaint| {
                let first = first_line(&complaint);
                format!("{why}, and cargo does not take what it shows: {first}")
            })?;
        Ok((bench, vec![note]))
    }

    fn own(&self) -> Result<Bench<'h>, String> {
        let Some(tree) = self.head.tree() else {
            return Err("the head is a lock file alone".to_owned());
        };
        let ground = Ground::own(&self.locks, &self.published)?;
        Bench::open(ground, tree, self.host, true)
            .map_err(|error| with_causes(&error))?
            .map_err(|complaint| {
                let first = first_line(&complaint);
                format!("cargo does not take the head as it is: {first}")
            })
    }
}

/// What cargo said was wrong, in one line; what it did until then is left out.
pub(super) fn first_line(said: &str) -> String {
    let told = |line: &str| line.strip_prefix("error: ").map(str::to_owned);
    let first = || said.lines().next().unwrap_or_default().to_owned();
    said.lines().find_map(told).unwrap_or_else(first)
}

fn missing(releases: &BTreeSet<String>) -> String {
    let named: Vec<&str> = releases.iter().take(NAMED).map(String::as_str).collect();
    let more = match releases.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the index is not at hand for {}{more}", named.join(", "))
}

fn lock_of(side: &'static str, opened: &Opened<'_>) -> Result<String, RemedyError> {
    let bytes = opened.lock_file().map_err(|source| RemedyError::Load {
        side,
        source: Box::new(source),
    })?;
    let bytes = bytes.ok_or(RemedyError::NoLock { side })?;
    String::from_utf8(bytes).map_err(|error| RemedyError::Lock {
        detail: format!("the lock file of the {side} is no text: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::first_line;

    #[test]
    fn what_cargo_says_is_told_by_its_error() {
        let said = "    Locking 0 packages\nnote: a note\nerror: no such package\nhelp: look\n";
        assert_eq!(first_line(said), "no such package");
        assert_eq!(first_line("error: one\ncaused by"), "one");
        assert_eq!(first_line("killed"), "killed");
        assert_eq!(first_line(""), "");
    }
}
