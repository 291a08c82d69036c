//! Git's plumbing, run so that neither the repository's content nor its
//! configuration can make it start another program, reach the network, or show
//! anything but the objects that are named.
//!
//! What is run only reads objects and references, except where a new branch is
//! asked for (`write`). The environment is built from
//! nothing; the system's and the user's configuration are cut off; from the
//! repository's own the settings that name programs are overruled; missing
//! objects of a partial clone are not fetched; replaced and grafted objects are
//! seen as they are.
//!
//! Git refuses a repository of another owner (`safe.directory`), because its
//! configuration could name programs to run. As nothing here runs one, that
//! refusal would protect nothing and would break the usual container setup of
//! build servers, so it is lifted for these calls, and for these only.

pub(crate) mod history;
mod objects;
mod write;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::host::{FileKind, Host, Invocation, Output, ProcessError};

pub(crate) use objects::{Object, parse_listing};

/// What git prints is read up to this size: enough for the longest listing
/// that is accepted.
const OUTPUT_LIMIT: u64 = 256 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(120);
const NULL_FILE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// Why git gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git in the search path.
    #[error("there is no `git` in the search path")]
    NotInstalled,
    /// The directory is not part of a repository.
    #[error("`{directory}` is not part of a git repository")]
    NotARepository {
        /// The directory.
        directory: PathBuf,
    },
    /// It could not be run to its end.
    #[error("cannot run `git {command}`")]
    Process {
        /// The git command.
        command: String,
        /// Why.
        #[source]
        source: ProcessError,
    },
    /// It reports a failure.
    #[error("`git {command}` failed: {message}")]
    Failed {
        /// The git command.
        command: String,
        /// What it said.
        message: String,
    },
    /// It prints something unexpected.
    #[error("`git {command}` printed something unexpected: {detail}")]
    Unexpected {
        /// The git command.
        command: String,
        /// What is unexpected.
        detail: String,
    },
}

/// A repository.
#[derive(Clone)]
pub(crate) struct Git<'h> {
    host: &'h Host,
    program: PathBuf,
    directory: PathBuf,
}

impl<'h> Git<'h> {
    /// The repository that a directory is part of. Nothing is run yet.
    pub(crate) fn at(host: &'h Host, directory: &Path) -> Result<Self, GitError> {
        let program = find_program(host).ok_or(GitError::NotInstalled)?;
        Ok(Self {
            host,
            program,
            directory: directory.to_owned(),
        })
    }

    /// Runs a command; a failure is left to the caller.
    fn try_run(&self, args: &[&str], stdin: Vec<u8>, limit: u64) -> Result<Output, GitError> {
        let mut all: Vec<OsString> = ["--no-pager", "--no-replace-objects"]
            .map(OsString::from)
            .to_vec();
        for setting in settings() {
            all.push("-c".into());
            all.push(setting.into());
        }
        all.extend(args.iter().map(OsString::from));
        let invocation = Invocation {
            program: self.program.clone(),
            args: all,
            env: environment(),
            directory: self.directory.clone(),
            stdin,
            timeout: TIMEOUT,
            output_limit: limit,
        };
        let output = self
            .host
            .processes
            .run(&invocation)
            .map_err(|source| GitError::Process {
                command: command(args),
                source,
            })?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.code != Some(0) && stderr.contains("not a git repository") {
            return Err(GitError::NotARepository {
                directory: self.directory.clone(),
            });
        }
        Ok(output)
    }

    /// Runs a command that must succeed.
    fn run(&self, args: &[&str], stdin: Vec<u8>, limit: u64) -> Result<Vec<u8>, GitError> {
        let output = self.try_run(args, stdin, limit)?;
        if output.code == Some(0) {
            return Ok(output.stdout);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let message = stderr
            .lines()
            .next()
            .unwrap_or("no message")
            .escape_debug()
            .to_string();
        Err(GitError::Failed {
            command: command(args),
            message,
        })
    }

    /// All files below a tree or commit, as `ls-tree` prints them.
    pub(crate) fn listing(&self, object: &str) -> Result<Vec<u8>, GitError> {
        let args = ["ls-tree", "-r", "-z", "-l", "--full-tree", object];
        self.run(&args, Vec::new(), OUTPUT_LIMIT)
    }

    /// The objects with these names, in order, by one process. A name must not
    /// hold a line end.
    pub(crate) fn objects(&self, names: &[String]) -> Result<Vec<Object>, GitError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut stdin = names.join("\n").into_bytes();
        stdin.push(b'\n');
        let limit = OUTPUT_LIMIT * 4;
        let output = self.run(&["cat-file", "--batch"], stdin, limit)?;
        objects::parse_batch(&output, names.len())
    }

    /// The best common ancestor of two commits.
    pub(crate) fn merge_base(&self, a: &str, b: &str) -> Result<Option<String>, GitError> {
        let args = ["merge-base", a, b];
        let output = self.try_run(&args, Vec::new(), 4096)?;
        match output.code {
            Some(0) => Ok(Some(
                String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            )),
            Some(1) => Ok(None),
            _ => Err(GitError::Failed {
                command: command(&args),
                message: String::from_utf8_lossy(&output.stderr)
                    .trim()
                    .escape_debug()
                    .to_string(),
            }),
        }
    }

    /// What a symbolic reference points to.
    pub(crate) fn symbolic_ref(&self, name: &str) -> Result<Option<String>, GitError> {
        let output = self.try_run(&["symbolic-ref", "--quiet", name], Vec::new(), 4096)?;
        let target = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok((output.code == Some(0) && !target.is_empty()).then_some(target))
    }

    /// Whether the history is cut off.
    pub(crate) fn is_shallow(&self) -> Result<bool, GitError> {
        let output = self.run(&["rev-parse", "--is-shallow-repository"], Vec::new(), 4096)?;
        Ok(output.trim_ascii() == b"true")
    }

    /// The full names of all branches, tags and remote branches; nothing when
    /// there are too many to look through.
    pub(crate) fn references(&self) -> Vec<String> {
        let args = [
            "for-each-ref",
            "--format=%(refname)",
            "refs/heads",
            "refs/tags",
            "refs/remotes",
        ];
        let output = self
            .run(&args, Vec::new(), 4 * 1024 * 1024)
            .unwrap_or_default();
        String::from_utf8_lossy(&output)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The top directory of the checked-out files; `None` for a bare repository.
    pub(crate) fn top_level(&self) -> Result<Option<PathBuf>, GitError> {
        let output = self.try_run(&["rev-parse", "--show-toplevel"], Vec::new(), 65_536)?;
        let path = String::from_utf8_lossy(&output.stdout);
        let path = path.strip_suffix('\n').unwrap_or(&path);
        Ok((output.code == Some(0) && !path.is_empty()).then(|| PathBuf::from(path)))
    }

    /// The paths in the index, below the top directory.
    pub(crate) fn tracked(&self) -> Result<Vec<u8>, GitError> {
        let args = ["ls-files", "-z", "--cached", "--full-name"];
        self.run(&args, Vec::new(), OUTPUT_LIMIT)
    }
}

/// Settings that overrule the repository's own.
fn settings() -> [String; 8] {
    [
        "core.fsmonitor=false".to_owned(),
        format!("core.hooksPath={NULL_FILE}"),
        format!("core.attributesFile={NULL_FILE}"),
        "core.untrackedCache=false".to_owned(),
        "protocol.allow=never".to_owned(),
        "credential.helper=".to_owned(),
        "submodule.recurse=false".to_owned(),
        "safe.directory=*".to_owned(),
    ]
}

/// The whole environment. `HOME` and `PATH` name nothing that exists.
fn environment() -> BTreeMap<OsString, OsString> {
    [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", NULL_FILE),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_GRAFT_FILE", NULL_FILE),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("HOME", NULL_FILE),
        ("PATH", NULL_FILE),
        ("LC_ALL", "C"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into()
}

/// Git in the search path. Entries that are relative are passed over, as they
/// would depend on the directory the program is started in.
fn find_program(host: &Host) -> Option<PathBuf> {
    let name = if cfg!(windows) { "git.exe" } else { "git" };
    std::env::split_paths(host.env.get("PATH")?)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|path| {
            matches!(
                host.files.kind(path),
                Ok(FileKind::File(_) | FileKind::Link)
            )
        })
}

fn command(args: &[&str]) -> String {
    args.first().copied().unwrap_or_default().to_owned()
}
