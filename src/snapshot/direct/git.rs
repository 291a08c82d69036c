//! Manifests of git dependencies, out of the repositories that Cargo keeps
//! below its home. Nothing is checked out and nothing is fetched.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manifest::MANIFEST_LIMIT;
use crate::facts::{FactKind, Gap, GapReason};
use crate::host::{Host, Invocation};
use crate::snapshot::tree::{Tree, TreeError, TreeFile, TreeKind};

/// How long one call of git may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How much a listing of a repository's files may have, in bytes.
const LISTING_LIMIT: u64 = 64 * 1024 * 1024;
/// How much all manifests of a repository may have, in bytes.
const CONTENT_LIMIT: u64 = 64 * 1024 * 1024;

/// The file names of a repository at one commit, with the content of its manifests.
pub(super) struct RepositoryTree {
    files: Vec<TreeFile>,
    content: BTreeMap<String, Vec<u8>>,
}

impl Tree for RepositoryTree {
    fn files(&self) -> &[TreeFile] {
        &self.files
    }

    fn read(&self, path: &str, _limit: u64) -> Result<Vec<u8>, TreeError> {
        self.content
            .get(path)
            .cloned()
            .ok_or_else(|| TreeError(format!("`{path}` was not read")))
    }

    fn read_many(&self, paths: &[&str], limit: u64) -> Vec<Result<Vec<u8>, TreeError>> {
        paths.iter().map(|path| self.read(path, limit)).collect()
    }

    fn root(&self) -> Option<&Path> {
        None
    }
}

/// Opens the repository of a git source at its locked commit, from Cargo's own
/// store.
pub(super) fn open(host: &Host, url: &str, rev: &str) -> Result<RepositoryTree, Gap> {
    let gap = |reason, detail: String| Gap {
        fact: FactKind::Manifest,
        reason,
        detail,
    };
    if rev.len() < 40 || !rev.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(gap(
            GapReason::Malformed,
            format!("the locked commit `{rev}` is not one"),
        ));
    }
    let Some(store) = host
        .env
        .cargo_home()
        .map(|home| home.join("git").join("db"))
    else {
        let detail = "there is no Cargo home to look for git dependencies in".to_owned();
        return Err(gap(GapReason::OfflineAndNotCached, detail));
    };
    for repository in repositories(host, &store, url) {
        if let Ok(tree) = read(host, &repository, rev) {
            return Ok(tree);
        }
    }
    Err(gap(
        GapReason::OfflineAndNotCached,
        format!(
            "Cargo's store has no commit {} of this repository; `cargo fetch` puts it there",
            &rev[..12]
        ),
    ))
}

/// The repositories in Cargo's store that may be the one of this URL: they are
/// named after the last part of its path.
fn repositories(host: &Host, store: &Path, url: &str) -> Vec<PathBuf> {
    let url = url.trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url);
    let last = url.rsplit(['/', ':']).next().unwrap_or("").to_lowercase();
    let entries = host.files.list(store).unwrap_or_default();
    entries
        .into_iter()
        .filter(|entry| {
            let name = entry.name.to_string_lossy().to_lowercase();
            name.rsplit_once('-')
                .is_some_and(|(ident, _)| ident == last)
        })
        .map(|entry| store.join(entry.name))
        .collect()
}

fn read(host: &Host, repository: &Path, rev: &str) -> Result<RepositoryTree, String> {
    let listing = git(
        host,
        repository,
        &["ls-tree", "-r", "-z", "--full-tree", rev],
        Vec::new(),
    )?;
    let mut files = Vec::new();
    let mut wanted = Vec::new();
    for line in listing
        .split(|byte| *byte == 0)
        .filter(|line| !line.is_empty())
    {
        let line = std::str::from_utf8(line).unwrap_or("");
        let Some((head, path)) = line.split_once('\t') else {
            continue;
        };
        let mut head = head.split(' ');
        let (mode, object) = (head.next().unwrap_or(""), head.nth(1).unwrap_or(""));
        let kind = match mode {
            "100644" | "100755" => TreeKind::Regular,
            "160000" => TreeKind::Submodule,
            _ => TreeKind::Link,
        };
        if kind == TreeKind::Regular && (path == "Cargo.toml" || path.ends_with("/Cargo.toml")) {
            wanted.push((path.to_owned(), object.to_owned()));
        }
        files.push(TreeFile {
            path: path.to_owned(),
            kind,
            size: 0,
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut asked = Vec::new();
    for (_, object) in &wanted {
        asked.extend_from_slice(object.as_bytes());
        asked.push(b'\n');
    }
    let answers = git(host, repository, &["cat-file", "--batch"], asked)?;
    let mut rest = answers.as_slice();
    let mut content = BTreeMap::new();
    for (path, _) in wanted {
        let Some(blob) = next_blob(&mut rest) else {
            break;
        };
        if blob.len() as u64 <= MANIFEST_LIMIT {
            content.insert(path, blob.to_vec());
        }
    }
    Ok(RepositoryTree { files, content })
}

/// Takes one answer off the output of `git cat-file --batch`.
fn next_blob<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(rest.get(..end)?).ok()?;
    let size: usize = head.rsplit(' ').next()?.parse().ok()?;
    let start = end + 1;
    let blob = rest.get(start..start.checked_add(size)?)?;
    *rest = rest.get(start + size + 1..).unwrap_or_default();
    Some(blob)
}

/// Runs a reading command of git on a bare repository. No configuration of the
/// user or the system takes part.
fn git(host: &Host, repository: &Path, args: &[&str], stdin: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut all: Vec<OsString> = vec![
        "--no-replace-objects".into(),
        "--git-dir".into(),
        repository.into(),
    ];
    all.extend(args.iter().map(Into::into));
    let env = [
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("LC_ALL", "C"),
    ];
    let output_limit = if args.first() == Some(&"ls-tree") {
        LISTING_LIMIT
    } else {
        CONTENT_LIMIT
    };
    let output = host
        .processes
        .run(&Invocation {
            program: "git".into(),
            args: all,
            env: env
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
            directory: repository.to_owned(),
            stdin,
            timeout: TIMEOUT,
            output_limit,
        })
        .map_err(|error| error.to_string())?;
    if output.code == Some(0) {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
