//! Real git repositories in temporary directories, for tests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::host::{Host, Invocation, Scratch};

/// A directory with a repository in it.
pub(crate) struct Repo {
    pub(crate) host: Host,
    scratch: Box<dyn Scratch>,
    pub(crate) path: PathBuf,
}

impl Repo {
    /// An empty repository whose branch is `main`.
    pub(crate) fn new() -> Self {
        let repo = Self::empty();
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    /// A directory without a repository.
    pub(crate) fn empty() -> Self {
        let host = Host::real(None);
        let scratch = host.files.scratch(&std::env::temp_dir()).unwrap();
        let path = host.files.canonical(scratch.path()).unwrap().join("repo");
        let repo = Self {
            host,
            scratch,
            path,
        };
        repo.host
            .files
            .write(&repo.path.join(".keep"), b"")
            .unwrap();
        repo
    }

    /// A place beside the repository, which goes with it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.host
            .files
            .canonical(self.scratch.path())
            .unwrap()
            .join(name)
    }

    pub(crate) fn write(&self, path: &str, content: &str) -> &Self {
        self.host
            .files
            .write(&self.path.join(path), content.as_bytes())
            .unwrap();
        self
    }

    /// Runs git in the repository, which must succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.path, args)
    }

    pub(crate) fn git_in(&self, directory: &Path, args: &[&str]) -> String {
        self.run(directory, "git", args)
    }

    pub(crate) fn run(&self, directory: &Path, program: &str, args: &[&str]) -> String {
        let mut env: std::collections::BTreeMap<OsString, OsString> = [
            ("GIT_AUTHOR_NAME", "A"),
            ("GIT_AUTHOR_EMAIL", "a@example.com"),
            ("GIT_COMMITTER_NAME", "A"),
            ("GIT_COMMITTER_EMAIL", "a@example.com"),
            ("GIT_AUTHOR_DATE", "1700000000 +0000"),
            ("GIT_COMMITTER_DATE", "1700000000 +0000"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        env.insert("PATH".into(), self.host.env.get("PATH").unwrap().to_owned());
        let output = self
            .host
            .processes
            .run(&Invocation {
                program: program.into(),
                args: args.iter().map(OsString::from).collect(),
                env,
                directory: directory.to_owned(),
                stdin: Vec::new(),
                timeout: Duration::from_secs(60),
                output_limit: 1 << 20,
            })
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.code, Some(0), "{program} {args:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Commits all there is and gives the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A", "-f"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// A lock file with one local package that depends on one of the registry.
pub(crate) fn lock(name: &str, version: &str) -> String {
    format!(
        "version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\ndependencies = [\n \"dep\",\n]\n\n\
         [[package]]\nname = \"dep\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
         checksum = \"{}\"\n",
        "0a".repeat(32)
    )
}

/// A manifest of a package.
pub(crate) fn manifest(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n")
}
