//! `cargo metadata` of a tree that nobody vouches for. Cargo is run on a copy
//! of the manifests and the lock file, in a private directory, with a private
//! home, an empty environment, absolute paths of its programs and no network,
//! so that nothing the tree holds can be run, and every crate it reads was
//! checked against the lock file. Judges nothing; unpacks no source code.
//!
//! How the doors are shut:
//!
//! * Only `Cargo.toml`, one `Cargo.lock` and *empty* `.rs` and readme files are
//!   copied, as regular files. Links, submodules, `.cargo` and toolchain files
//!   stay behind.
//! * Cargo looks for its configuration from the working directory upwards. That
//!   is the root of the file system, so no directory of the tree, of its
//!   repository or of ours is on the way; its home is ours alone.
//! * Cargo looks for a workspace from the manifest upwards, and stops at its
//!   home. The copy stands inside of that home.
//! * The crates are a directory source that holds each crate's own manifest,
//!   out of an archive whose SHA-256 is the one of the lock file. Cargo's
//!   unpacked sources are never read: any build could have changed them.
//! * What cargo answers is checked: each path is inside of the copy, each crate
//!   is in the lock file.
//!
//! Imports: pkg, host, facts, registry.

mod answer;
mod crates;
mod error;
mod paths;
mod resolve;
mod scope;
mod toolchain;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rayon::prelude::*;

use super::lock::LockFile;
use super::tree::Tree;
use crate::host::{Host, Invocation, Output};
use crate::registry::Registry;

pub use error::CleanRoomError;
pub use resolve::ResolveRoom;
pub use toolchain::Toolchain;

/// Where the audited tree seems to stand in the metadata that is returned.
pub const TREE_ROOT: &str = "/canary/tree";
/// Where the registry's crates seem to stand, each in a directory `name-version`.
pub const CRATES_ROOT: &str = "/canary/crates";

/// Cargo is ended after this time.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Cargo is ended when it prints more than this.
const OUTPUT_LIMIT: u64 = 256 << 20;
/// What the end of cargo's message is cut to, in bytes.
const MESSAGE_LIMIT: usize = 4000;

/// What cargo said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanRoomMetadata {
    /// The document of `cargo metadata --all-features`, with all its fields. Its
    /// paths are below [`TREE_ROOT`] and [`CRATES_ROOT`], so the same tree has
    /// the same document wherever it was made.
    pub json: String,
    /// The programs that were run.
    pub toolchain: Toolchain,
}

/// The metadata of the workspace in the directory `workspace_dir` of a tree
/// (`.` or the empty string for its root).
///
/// # Errors
/// When the tree needs something that the clean room does not hold (a git
/// dependency, another registry, a path outside of the tree, a crate that
/// cannot be had), when no cargo is found, when cargo fails, or when its answer
/// names something it was not given.
pub fn metadata(
    tree: &dyn Tree,
    workspace_dir: &str,
    lock: &LockFile,
    registry: &Registry<'_>,
    host: &Host,
) -> Result<CleanRoomMetadata, CleanRoomError> {
    let workspace = workspace_dir.trim_matches('/');
    let workspace = if workspace == "." { "" } else { workspace };
    scope::check_lock(lock, workspace)?;
    let scope = scope::Scope::find(tree, workspace)?;
    let toolchain = toolchain::find(host, tree.root())?;
    let crates = crates::skeletons(lock, registry)?;
    let room = Room::open(host, tree.root())?;
    room.write_tree(host, &scope)?;
    room.write_crates(host, &crates)?;
    let output = room.run_cargo(host, workspace, &toolchain)?;
    let json = answer::check_and_rewrite(&output.stdout, &room.root, workspace, &scope, lock)?;
    Ok(CleanRoomMetadata { json, toolchain })
}

/// The private directory. It goes when this value is dropped.
struct Room {
    /// Its path with all links resolved. It is cargo's home too.
    root: PathBuf,
    _scratch: Box<dyn crate::host::Scratch>,
}

impl Room {
    fn open(host: &Host, tree_root: Option<&Path>) -> Result<Self, CleanRoomError> {
        let parent = host
            .env
            .cache_dir()
            .filter(|path| path.is_absolute())
            .ok_or(CleanRoomError::NoCacheDirectory)?
            .join("clean-room");
        let failed = |source| CleanRoomError::Scratch {
            path: parent.clone(),
            source,
        };
        let scratch = host.files.scratch(&parent).map_err(failed)?;
        let root = host.files.canonical(scratch.path()).map_err(failed)?;
        if root.to_str().is_none() {
            return Err(CleanRoomError::PathNotUtf8 { path: root });
        }
        if let Some(tree_root) = tree_root {
            let tree_root = host
                .files
                .canonical(tree_root)
                .unwrap_or_else(|_| tree_root.to_owned());
            if root.starts_with(&tree_root) {
                return Err(CleanRoomError::CacheInsideTree {
                    cache: parent,
                    tree: tree_root,
                });
            }
        }
        let room = Self {
            root,
            _scratch: scratch,
        };
        room.check_configuration(host)?;
        Ok(room)
    }

    /// Cargo's working directory: the root of the file system.
    fn working_directory(&self) -> &Path {
        self.root.ancestors().last().unwrap_or(&self.root)
    }

    /// The only configuration that cargo could read besides ours is that of its
    /// working directory. There should be none; where the user's own cargo home
    /// is there, it is the user's.
    fn check_configuration(&self, host: &Host) -> Result<(), CleanRoomError> {
        let directory = self.working_directory().join(".cargo");
        if host.env.cargo_home().as_deref() == Some(&directory) {
            return Ok(());
        }
        for name in ["config", "config.toml"] {
            let path = directory.join(name);
            match host.files.kind(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Ok(_) | Err(_) => return Err(CleanRoomError::Configuration { path }),
            }
        }
        Ok(())
    }

    fn write_all(&self, host: &Host, files: Vec<(PathBuf, &[u8])>) -> Result<(), CleanRoomError> {
        files.par_iter().try_for_each(|(path, content)| {
            host.files
                .write(path, content)
                .map_err(|source| CleanRoomError::Write {
                    path: path.clone(),
                    source,
                })
        })
    }

    fn write_tree(&self, host: &Host, scope: &scope::Scope) -> Result<(), CleanRoomError> {
        let tree = self.root.join("tree");
        let filled = scope
            .filled
            .iter()
            .map(|(path, content)| (tree.join(path), content.as_slice()));
        let empty = scope
            .empty
            .iter()
            .map(|path| (tree.join(path), [].as_slice()));
        self.write_all(host, filled.chain(empty).collect())
    }

    fn write_crates(
        &self,
        host: &Host,
        crates: &BTreeMap<String, crates::Skeleton>,
    ) -> Result<(), CleanRoomError> {
        let directory = self.root.join("crates");
        let mut files = Vec::new();
        for (name, skeleton) in crates {
            let at = directory.join(name);
            files.push((at.join("Cargo.toml"), skeleton.manifest.as_slice()));
            files.push((
                at.join(".cargo-checksum.json"),
                skeleton.checksums.as_bytes(),
            ));
            for path in &skeleton.empty {
                files.push((at.join(path), [].as_slice()));
            }
        }
        // Cargo wants the directory to be there even when nothing is in it.
        files.push((directory.join(".empty"), [].as_slice()));
        let config = configuration(&directory);
        files.push((self.root.join("config.toml"), config.as_bytes()));
        self.write_all(host, files)
    }

    fn run_cargo(
        &self,
        host: &Host,
        workspace: &str,
        toolchain: &Toolchain,
    ) -> Result<Output, CleanRoomError> {
        let manifest = self.root.join("tree").join(workspace).join("Cargo.toml");
        let mut args: Vec<OsString> = ["metadata", "--format-version", "1", "--all-features"]
            .map(OsString::from)
            .to_vec();
        args.extend(["--locked", "--offline", "--manifest-path"].map(OsString::from));
        args.push(manifest.into_os_string());
        let output = host
            .processes
            .run(&Invocation {
                program: toolchain.cargo.clone(),
                args,
                env: self.environment(host, toolchain),
                directory: self.working_directory().to_owned(),
                stdin: Vec::new(),
                timeout: TIMEOUT,
                output_limit: OUTPUT_LIMIT,
            })
            .map_err(|source| CleanRoomError::Process { source })?;
        if output.code == Some(0) {
            return Ok(output);
        }
        Err(CleanRoomError::Cargo {
            code: output.code,
            message: self.message(&output.stderr),
        })
    }

    /// All that cargo finds in its environment.
    fn environment(&self, host: &Host, toolchain: &Toolchain) -> BTreeMap<OsString, OsString> {
        let mut env: BTreeMap<OsString, OsString> = [
            ("CARGO_HOME", self.root.clone().into_os_string()),
            ("HOME", self.root.join("home").into_os_string()),
            ("RUSTC", toolchain.rustc.clone().into_os_string()),
            ("RUSTC_WRAPPER", OsString::new()),
            ("RUSTC_WORKSPACE_WRAPPER", OsString::new()),
            ("CARGO_NET_OFFLINE", "true".into()),
            ("CARGO_TERM_COLOR", "never".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("LC_ALL", "C".into()),
        ]
        .into_iter()
        .map(|(name, value)| (OsString::from(name), value))
        .collect();
        let directories = [&toolchain.cargo, &toolchain.rustc]
            .into_iter()
            .filter_map(|program| program.parent())
            .collect::<BTreeSet<_>>();
        // A directory with the separator in its name cannot be put into `PATH`;
        // cargo does without, since both programs are named by their paths.
        if let Ok(path) = std::env::join_paths(directories) {
            env.insert("PATH".into(), path);
        }
        // Windows starts no program without it.
        if let Some(root) = host.env.get("SystemRoot") {
            env.insert("SystemRoot".into(), root.to_owned());
        }
        env
    }

    /// What cargo said on its way out, without the name of the scratch directory.
    fn message(&self, stderr: &[u8]) -> String {
        let text = String::from_utf8_lossy(stderr);
        let root = self.root.to_string_lossy();
        let text = text
            .replace(&format!("{root}/tree"), TREE_ROOT)
            .replace(&format!("{root}/crates"), CRATES_ROOT)
            .replace(&*root, "/canary");
        let text = text.trim();
        let mut start = text.len().saturating_sub(MESSAGE_LIMIT);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        text.get(start..).unwrap_or_default().to_owned()
    }
}

/// Cargo's configuration in the room: crates come from the directory, from
/// nowhere else.
fn configuration(crates: &Path) -> String {
    // A TOML string with all that needs an escape escaped.
    let crates = toml::Value::String(crates.to_string_lossy().into_owned());
    format!(
        "[source.crates-io]\nreplace-with = \"canary\"\n\
         [source.canary]\ndirectory = {crates}\n\
         [net]\noffline = true\n"
    )
}
