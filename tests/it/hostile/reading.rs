//! Our own reading of a checkout: the files as data, the lock file, and cargo in
//! the clean room.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_canary::snapshot::tree::{Tree, TreeError, TreeFile, TreeKind};
use cargo_canary::snapshot::{clean_room, lock};

use super::stage::{Ran, Stage};

/// The workspace below the checkout is named in this file of the stage, if it is
/// not the checkout's root.
pub(super) const WORKSPACE: &str = "workspace";

/// Reads the checkout in all ways this program has.
pub(super) fn by_us(stage: &Stage) -> Ran {
    let workspace = fs::read_to_string(stage.root.join(WORKSPACE)).unwrap_or_default();
    let tree = Directory::open(&stage.repo);
    let host = stage.host();
    let read = read(&tree, &workspace, &host);
    let refused = |err: String| Ran {
        fine: false,
        ended: true,
        out: String::new(),
        err,
    };
    match read {
        Ok(out) => Ran {
            fine: true,
            ended: true,
            out,
            err: String::new(),
        },
        Err(error) => refused(error),
    }
}

fn read(
    tree: &Directory,
    workspace: &str,
    host: &cargo_canary::host::Host,
) -> Result<String, String> {
    let path = Path::new(workspace).join("Cargo.lock");
    let text = tree
        .read(&path.to_string_lossy(), 64 << 20)
        .map_err(|error| chain(&error))?;
    let text = String::from_utf8(text).map_err(|error| chain(&error))?;
    let lock = lock::parse(&text, "Cargo.lock").map_err(|error| chain(&error))?;
    let archives = clean_room::CargoCache::open(host);
    clean_room::metadata_from(tree, workspace, &lock, &archives, host)
        .map(|answer| answer.json)
        .map_err(|error| chain(&error))
}

/// A directory as a tree, links not followed.
pub(super) struct Directory {
    root: PathBuf,
    files: Vec<TreeFile>,
}

impl Directory {
    pub(super) fn open(root: &Path) -> Self {
        let mut files = Vec::new();
        walk(root, "", &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            root: root.to_owned(),
            files,
        }
    }
}

fn walk(root: &Path, below: &str, files: &mut Vec<TreeFile>) {
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match below {
            "" => name,
            _ => format!("{below}/{name}"),
        };
        let kind = entry.file_type().unwrap();
        let size = entry.metadata().unwrap().len();
        if kind.is_dir() {
            if path != ".git" && path != "target" {
                walk(root, &path, files);
            }
        } else if kind.is_symlink() || kind.is_file() {
            let kind = if kind.is_file() {
                TreeKind::Regular
            } else {
                TreeKind::Link
            };
            files.push(TreeFile { path, kind, size });
        }
    }
}

impl Tree for Directory {
    fn files(&self) -> &[TreeFile] {
        &self.files
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        let file = self.files.iter().find(|file| file.path == path);
        match file {
            Some(file) if file.kind == TreeKind::Regular && file.size <= limit => {
                Ok(fs::read(self.root.join(path)).unwrap())
            }
            Some(file) if file.kind == TreeKind::Regular => {
                Err(TreeError(format!("{path} is larger than the limit")))
            }
            Some(_) => Err(TreeError(format!("{path} is no regular file"))),
            None => Err(TreeError(format!("{path} is not there"))),
        }
    }

    fn read_many(&self, paths: &[&str], limit: u64) -> Vec<Result<Vec<u8>, TreeError>> {
        paths.iter().map(|path| self.read(path, limit)).collect()
    }

    fn root(&self) -> Option<&Path> {
        Some(&self.root)
    }
}

/// An error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
