//! Our own reading of a checkout, in all ways this program has: its files and
//! revisions as data, the lock file, and cargo in the clean room.

use std::error::Error;
use std::fs;
use std::path::Path;

use cargo_canary::host::Host;
use cargo_canary::registry::{Access, Registry};
use cargo_canary::snapshot::tree::{DirectoryTree, Tree};
use cargo_canary::snapshot::{self, BuildName, clean_room, direct, lock};

use super::stage::{LIE, Ran, Stage};

/// The workspace below the checkout is named in this file of the stage, if it is
/// not the checkout's root.
pub(super) const WORKSPACE: &str = "workspace";
/// The largest lock file that is read here, in bytes.
const LIMIT: u64 = 64 << 20;

/// Reads the checkout. The way that comes first to an error ends it.
pub(super) fn by_us(stage: &Stage) -> Ran {
    let workspace = fs::read_to_string(stage.root.join(WORKSPACE)).unwrap_or_default();
    let host = stage.host();
    let mut ran = Ran {
        ended: true,
        ..Ran::default()
    };
    match read(stage, &workspace, &host) {
        Ok(json) => {
            ran.fine = true;
            ran.out = json;
        }
        Err(error) => ran.err = chain(&*error),
    }
    ran
}

fn read(stage: &Stage, workspace: &str, host: &Host) -> Result<String, Box<dyn Error>> {
    if stage.repo.join(".git").exists() {
        for revision in ["HEAD", "evil"] {
            let known = stage.repo.join(".git/refs/heads/evil").exists();
            if revision == "HEAD" || known {
                revision_by_us(stage, &format!("git:{revision}"), host)?;
            }
        }
        let worktree = snapshot::open(&BuildName::Worktree, &stage.repo, host)?;
        worktree.read_file("Cargo.lock", LIMIT)?;
    }
    let tree = DirectoryTree::open(host, &stage.repo, None)?;
    let path = Path::new(workspace).join("Cargo.lock");
    let text = String::from_utf8(tree.read(&path.to_string_lossy(), LIMIT)?)?;
    let lock = lock::parse(&text, "Cargo.lock")?;
    let registry = registry(host);
    // Whether this way covers the checkout or not does not matter here: what it
    // says must be no lie, and it must have done nothing.
    let direct = direct::metadata(&tree, workspace, &lock, &registry, host);
    let direct = direct.map(|answer| answer.json).unwrap_or_default();
    assert!(
        !direct.contains(LIE),
        "the direct way was lied to: {direct}"
    );
    let answer = clean_room::metadata(&tree, workspace, &lock, &registry, host)?;
    Ok(answer.json)
}

fn revision_by_us(stage: &Stage, name: &str, host: &Host) -> Result<(), Box<dyn Error>> {
    let name = BuildName::Named(name.to_owned());
    let opened = snapshot::open(&name, &stage.repo, host)?;
    let content = opened.read_file("Cargo.lock", LIMIT)?;
    assert!(content.is_some(), "{name:?} has a lock file");
    // The content of a partial clone that is not there stays away.
    drop(opened.read_file("gone", LIMIT));
    Ok(())
}

/// What this program knows of registries: the caches of the user's home. It may
/// fetch, so that a request would be seen.
pub(super) fn registry(host: &Host) -> Registry<'_> {
    let access = Access {
        cache_dir: host.env.cache_dir(),
        cargo_home: host.env.cargo_home(),
        user_home: host.env.home(),
        fetch: true,
        ..Access::default()
    };
    Registry::open(host, access)
}

/// An error with all its causes.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}
