//! A directory of our own in which a build's files stand, and cargo runs. This
//! runs code of the build: build scripts, procedural macros, the workload.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::host::{Ending, Host, Launch, Limits, Printed, ProcessError};
use crate::snapshot::tree::{Tree, TreeError, TreeKind};

/// One file of a build may have this many bytes.
const FILE_LIMIT: u64 = 256 * 1024 * 1024;
/// A build may take this long.
const BUILD_TIMEOUT: Duration = Duration::from_secs(2 * 3_600);
/// Cargo may take this long for a lock file.
const LOCK_TIMEOUT: Duration = Duration::from_secs(300);
/// So many files are copied at a time.
const BATCH: usize = 256;
/// So many lines of a complaint are kept.
const COMPLAINT_LINES: usize = 30;

/// Why there is no workshop, or it broke down.
#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    /// A file of the build cannot be read.
    #[error("failed to read the files of the build")]
    Tree(#[source] TreeError),
    /// A file cannot be written.
    #[error("failed to write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A program cannot be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The crates cannot be had.
    #[error("failed to fetch the crates of the {side}: {complaint}")]
    Fetch {
        /// Of which build.
        side: String,
        /// What cargo said.
        complaint: String,
    },
}

/// How programs are started here.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The command that starts a keeper, see [`Launch::keeper`].
    pub keeper: Vec<OsString>,
    /// The environment of all programs.
    pub env: BTreeMap<OsString, OsString>,
    /// Cargo.
    pub cargo: PathBuf,
    /// Further arguments of `cargo build`, such as `--release`.
    pub build_args: Vec<OsString>,
    /// The executable that is meant, where there are several.
    pub bin: Option<String>,
    /// Reach no network.
    pub offline: bool,
}

/// What came of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Built {
    /// It is built; its executables, by name.
    Done(Vec<(String, PathBuf)>),
    /// It does not compile; the end of what the compiler said.
    Failed(String),
}

/// A directory in which a build's files stand.
pub struct Workshop<'h> {
    host: &'h Host,
    root: PathBuf,
    source: PathBuf,
    tools: Tools,
}

impl<'h> Workshop<'h> {
    /// Copies the files of a build below `root`. Links and submodules are left out.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn open(
        host: &'h Host,
        root: &Path,
        tree: &dyn Tree,
        tools: Tools,
    ) -> Result<Self, WorkshopError> {
        // Other files, another directory: what was deleted does not linger.
        let mut listing = Sha256::new();
        for file in tree.files() {
            listing.update(file.path.as_bytes());
            listing.update([0]);
        }
        let listing: String = listing
            .finalize()
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let workshop = Self {
            host,
            root: root.to_owned(),
            source: root.join(format!("source-{listing}")),
            tools,
        };
        let paths: Vec<&str> = tree
            .files()
            .iter()
            .filter(|file| file.kind == TreeKind::Regular)
            .map(|file| file.path.as_str())
            .collect();
        for batch in paths.chunks(BATCH) {
            for (path, content) in batch.iter().zip(tree.read_many(batch, FILE_LIMIT)) {
                let content = content.map_err(WorkshopError::Tree)?;
                workshop.write(&workshop.source().join(path), &content)?;
            }
        }
        Ok(workshop)
    }

    /// Where the files stand.
    #[must_use]
    pub fn source(&self) -> PathBuf {
        self.source.clone()
    }

    /// Where the workshop is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn write(&self, path: &Path, content: &[u8]) -> Result<(), WorkshopError> {
        // What stands there already keeps its time, so that cargo sees no change.
        if self
            .host
            .files
            .read(path, FILE_LIMIT)
            .is_ok_and(|old| old == content)
        {
            return Ok(());
        }
        self.host
            .files
            .write(path, content)
            .map_err(|source| WorkshopError::Write {
                path: path.to_owned(),
                source,
            })
    }

    /// Puts a lock file in place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn lock(&self, text: &str) -> Result<(), WorkshopError> {
        self.write(&self.source().join("Cargo.lock"), text.as_bytes())
    }

    /// Runs a program here to its end; `None` when it took longer than allowed.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(
        &self,
        command: &[OsString],
        timeout: Duration,
    ) -> Result<(Option<Ending>, Printed), WorkshopError> {
        let mut env = self.tools.env.clone();
        env.insert(
            "CARGO_TARGET_DIR".into(),
            self.root.join("target").into_os_string(),
        );
        let (program, args) = match command.split_first() {
            Some((program, args)) => (PathBuf::from(program), args.to_vec()),
            None => (PathBuf::new(), Vec::new()),
        };
        let mut running = self.host.processes.start(&Launch {
            keeper: self.tools.keeper.clone(),
            program,
            args,
            env,
            directory: self.source(),
            limits: Limits::default(),
            own_group: false,
        })?;
        let mut ending = running.ended();
        while ending.is_none() && running.elapsed() < timeout {
            thread::sleep(Duration::from_millis(5));
            ending = running.ended();
        }
        running.stop();
        Ok((ending, running.printed()))
    }

    fn cargo(
        &self,
        args: &[&str],
        more: &[OsString],
        timeout: Duration,
    ) -> Result<(Option<Ending>, Printed), WorkshopError> {
        let mut command = vec![self.tools.cargo.clone().into_os_string()];
        command.extend(args.iter().map(OsString::from));
        command.extend_from_slice(more);
        self.run(&command, timeout)
    }

    /// Brings the crates of a lock file, so that later steps need no network.
    ///
    /// # Errors
    /// When one cannot be had.
    pub fn fetch(&self, side: &str, lock: &str) -> Result<(), WorkshopError> {
        self.lock(lock)?;
        let mut args = vec!["fetch"];
        if self.tools.offline {
            args.push("--offline");
        }
        let (ending, printed) = self.cargo(&args, &[], BUILD_TIMEOUT)?;
        match ending {
            Some(ending) if ending.is_success() => Ok(()),
            _ => Err(WorkshopError::Fetch {
                side: side.to_owned(),
                complaint: complaint(&printed),
            }),
        }
    }

    /// Turns a wish into a lock file that holds. The inner error says why there
    /// is none.
    ///
    /// # Errors
    /// When cargo cannot be run, or a file cannot be written.
    pub fn settle(&self, wish: &str) -> Result<Result<String, String>, WorkshopError> {
        self.lock(wish)?;
        let args = ["update", "--workspace", "--offline"];
        let (ending, printed) = self.cargo(&args, &[], LOCK_TIMEOUT)?;
        if !ending.is_some_and(Ending::is_success) {
            return Ok(Err(complaint(&printed)));
        }
        let path = self.source().join("Cargo.lock");
        match self.host.files.read(&path, FILE_LIMIT) {
            Ok(bytes) => Ok(Ok(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// Builds what stands here, with the lock file as it is.
    ///
    /// # Errors
    /// When cargo cannot be started.
    pub fn build(&self) -> Result<Built, WorkshopError> {
        let mut args = vec![
            "build",
            "--locked",
            "--message-format=json-render-diagnostics",
        ];
        if self.tools.offline {
            args.push("--offline");
        }
        let (ending, printed) = self.cargo(&args, &self.tools.build_args, BUILD_TIMEOUT)?;
        if ending.is_some_and(Ending::is_success) {
            Ok(Built::Done(executables(&printed.stdout)))
        } else {
            Ok(Built::Failed(complaint(&printed)))
        }
    }

    /// The executable that is meant among those that were built; the error says
    /// which there are.
    ///
    /// # Errors
    /// When there is none, or several and none was chosen.
    pub fn choose(&self, executables: &[(String, PathBuf)]) -> Result<PathBuf, String> {
        let fits = |name: &str| self.tools.bin.as_ref().is_none_or(|wanted| wanted == name);
        let mut fitting = executables.iter().filter(|(name, _)| fits(name));
        match (fitting.next(), fitting.next()) {
            (Some((_, path)), None) => Ok(path.clone()),
            (None, _) => Err("the build has no such executable".to_owned()),
            (Some(_), Some(_)) => {
                let names: Vec<&str> = executables.iter().map(|(name, _)| name.as_str()).collect();
                Err(format!(
                    "the build has several executables: {}",
                    names.join(", ")
                ))
            }
        }
    }

    /// Copies an executable aside, since the next build overwrites it.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn set_aside(&self, executable: &Path, name: &str) -> Result<PathBuf, WorkshopError> {
        let to = self.root.join("executables").join(name);
        // `cp` keeps the permission to run it, and shares the data where it can.
        let marker = self.root.join("executables").join(".here");
        self.write(&marker, b"")?;
        let command = [
            "cp".into(),
            "-f".into(),
            "--".into(),
            executable.as_os_str().to_owned(),
            to.clone().into_os_string(),
        ];
        let (ending, _) = self.run(&command, LOCK_TIMEOUT)?;
        if ending.is_some_and(Ending::is_success) {
            return Ok(to);
        }
        Err(WorkshopError::Write {
            path: to,
            source: std::io::Error::other("the executable cannot be copied"),
        })
    }
}

/// The executables that cargo's messages name, by target.
fn executables(messages: &[u8]) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let message: serde_json::Value = serde_json::from_slice(line).ok()?;
            let executable = message.get("executable")?.as_str()?;
            let target = message.get("target")?;
            let is_program = target
                .get("kind")?
                .as_array()?
                .iter()
                .any(|kind| kind == "bin");
            is_program.then(|| {
                let name = target.get("name")?.as_str()?;
                Some((name.to_owned(), PathBuf::from(executable)))
            })?
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The last lines of what a program said, made harmless.
fn complaint(printed: &Printed) -> String {
    let text = String::from_utf8_lossy(&printed.stderr);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .rev()
        .take(COMPLAINT_LINES)
        .collect();
    let joined = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
    joined
        .chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .take(4_000)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executables_are_those_of_programs() {
        let messages = br#"{"reason":"compiler-artifact","target":{"name":"lib","kind":["lib"]},"executable":null}
{"reason":"compiler-artifact","target":{"name":"build-script-build","kind":["custom-build"]},"executable":"/t/b"}
{"reason":"compiler-artifact","target":{"name":"app","kind":["bin"]},"executable":"/t/app"}
half a line {"#;
        assert_eq!(
            executables(messages),
            [("app".to_owned(), PathBuf::from("/t/app"))]
        );
    }
}
