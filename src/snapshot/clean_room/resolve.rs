//! A room in which cargo resolves: the manifests of a workspace, a lock file that
//! is put in, and an index of chosen lines. No archive is needed, since cargo
//! only looks for versions.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{CleanRoomError, OUTPUT_LIMIT, Room, Toolchain, scope, toolchain};
use crate::host::{Host, Invocation};
use crate::snapshot::lock;
use crate::snapshot::tree::Tree;

/// Cargo is ended after this time.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Cargo on a copy of the manifests, behind the doors of
/// [`clean_room`](crate::snapshot::clean_room).
pub struct ResolveRoom<'h> {
    host: &'h Host,
    room: Room,
    toolchain: Toolchain,
    /// The workspace's directory in the copy.
    workspace: PathBuf,
    /// What stands in the index, by crate.
    index: BTreeMap<String, String>,
    /// How often cargo was run.
    runs: usize,
}

impl<'h> ResolveRoom<'h> {
    /// A room for the workspace at the root of a tree, which must have a lock file.
    ///
    /// # Errors
    /// When the tree needs something that the clean room does not hold, or no
    /// cargo is found.
    pub fn open(tree: &dyn Tree, host: &'h Host) -> Result<Self, CleanRoomError> {
        let scope = scope::Scope::find(tree, "")?;
        let toolchain = toolchain::find(host, tree.root())?;
        let room = Room::open(host, tree.root())?;
        room.write_tree(host, &scope)?;
        let registry = room.root.join("registry");
        // A TOML string with all that needs an escape escaped.
        let place = toml::Value::String(registry.to_string_lossy().into_owned());
        let config = format!(
            "[source.crates-io]\nreplace-with = \"canary\"\n\
             [source.canary]\nlocal-registry = {place}\n\
             [net]\noffline = true\n"
        );
        // Cargo wants the directory to be there even when nothing is in it.
        room.write_all(
            host,
            vec![
                (registry.join("index").join(".empty"), [].as_slice()),
                (room.root.join("config.toml"), config.as_bytes()),
            ],
        )?;
        let workspace = room.root.join("tree");
        Ok(Self {
            host,
            room,
            toolchain,
            workspace,
            index: BTreeMap::new(),
            runs: 0,
        })
    }

    /// Puts these lines into the index, by crate, in the place of what is there.
    /// A crate that is not named has none.
    ///
    /// # Errors
    /// When a name is none that a registry accepts, or a file cannot be written.
    pub fn set_index(&mut self, lines: BTreeMap<String, String>) -> Result<(), CleanRoomError> {
        let gone = self.index.keys().filter(|name| !lines.contains_key(*name));
        let gone: Vec<(&str, &str)> = gone.map(|name| (name.as_str(), "")).collect();
        let changed = lines
            .iter()
            .filter(|(name, text)| self.index.get(*name) != Some(*text))
            .map(|(name, text)| (name.as_str(), text.as_str()));
        let directory = self.room.root.join("registry").join("index");
        let mut files = Vec::new();
        for (name, text) in changed.chain(gone) {
            if !super::crates::is_plain(name) {
                return Err(CleanRoomError::BadName {
                    name: name.to_owned(),
                });
            }
            files.push((directory.join(index_path(name)), text.as_bytes()));
        }
        self.room.write_all(self.host, files)?;
        self.index = lines;
        Ok(())
    }

    /// Puts a lock file in place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_lock(&self, text: &str) -> Result<(), CleanRoomError> {
        let path = self.workspace.join("Cargo.lock");
        self.room
            .write_all(self.host, vec![(path, text.as_bytes())])
    }

    /// Runs `cargo update --offline` with these arguments. What comes of it is the
    /// lock file, or what cargo said, made harmless.
    ///
    /// # Errors
    /// When cargo cannot be run, or the lock file cannot be read.
    pub fn update(&mut self, args: &[&str]) -> Result<Result<String, String>, CleanRoomError> {
        self.runs += 1;
        let mut all: Vec<OsString> = vec!["update".into()];
        all.extend(args.iter().map(OsString::from));
        all.extend(["--offline", "--manifest-path"].map(OsString::from));
        all.push(self.workspace.join("Cargo.toml").into_os_string());
        let output = self
            .host
            .processes
            .run(&Invocation {
                program: self.toolchain.cargo.clone(),
                args: all,
                env: self.room.environment(self.host, &self.toolchain),
                directory: self.room.working_directory().to_owned(),
                stdin: Vec::new(),
                timeout: TIMEOUT,
                output_limit: OUTPUT_LIMIT,
            })
            .map_err(|source| CleanRoomError::Process { source })?;
        if output.code != Some(0) {
            let said = self.room.message(&output.stderr);
            let plain = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
            return Ok(Err(said.chars().map(plain).collect()));
        }
        let path = self.workspace.join("Cargo.lock");
        let bytes = self
            .host
            .files
            .read(&path, lock::MAX_BYTES)
            .map_err(|source| CleanRoomError::Scratch { path, source })?;
        Ok(Ok(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// How often cargo was run.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs
    }
}

/// The path of a crate's file in an index
/// (<https://doc.rust-lang.org/cargo/reference/registry-index.html#index-files>).
fn index_path(name: &str) -> PathBuf {
    let name = name.to_ascii_lowercase();
    let part = |from: usize, to: usize| name.get(from..to).unwrap_or_default().to_owned();
    match name.len() {
        1 => PathBuf::from("1").join(&name),
        2 => PathBuf::from("2").join(&name),
        3 => PathBuf::from("3").join(part(0, 1)).join(&name),
        _ => PathBuf::from(part(0, 2)).join(part(2, 4)).join(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_an_index_stand_where_cargo_looks() {
        for (name, path) in [
            ("a", "1/a"),
            ("ab", "2/ab"),
            ("Abc", "3/a/abc"),
            ("serde", "se/rd/serde"),
        ] {
            assert_eq!(index_path(name), PathBuf::from(path));
        }
    }
}
