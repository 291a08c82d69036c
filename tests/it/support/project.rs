//! A workspace in a temporary directory, with a Cargo home of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_canary::host::{Environment, Host};
use cargo_canary::registry::{Access, Registry};
use cargo_canary::snapshot::direct::{self, DirectError, DirectMetadata};
use cargo_canary::snapshot::graph::Resolver;
use cargo_canary::snapshot::lock::LockFile;
use cargo_canary::snapshot::tree::DirectoryTree;

use super::local_registry::LocalRegistry;

/// A workspace and a Cargo home, which go when the value is dropped.
pub(crate) struct Project {
    scratch: tempfile::TempDir,
}

/// One line of `cargo tree`: name, version, features.
pub(crate) type Line = (String, String, BTreeSet<String>);

impl Project {
    /// An empty directory, for which the registry is the default one.
    pub(crate) fn new(registry: &LocalRegistry) -> Self {
        let project = Self {
            scratch: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(project.home()).unwrap();
        fs::create_dir_all(project.dir()).unwrap();
        fs::write(project.home().join("config.toml"), registry.cargo_config()).unwrap();
        project
    }

    /// The workspace's directory.
    pub(crate) fn dir(&self) -> PathBuf {
        self.scratch.path().join("project")
    }

    /// The Cargo home.
    pub(crate) fn home(&self) -> PathBuf {
        self.scratch.path().join("home")
    }

    /// A directory beside the workspace.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Writes a file of the workspace.
    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        write(&self.dir().join(path), content);
        self
    }

    /// Writes a package with an empty library.
    pub(crate) fn package(self, dir: &str, manifest: &str) -> Self {
        let join = |name: &str| {
            if dir.is_empty() {
                name.to_owned()
            } else {
                format!("{dir}/{name}")
            }
        };
        self.file(&join("Cargo.toml"), manifest)
            .file(&join("src/lib.rs"), "")
    }

    /// Makes the lock file.
    pub(crate) fn locked(self) -> Self {
        self.cargo(&["generate-lockfile", "--offline"]);
        self
    }

    /// The lock file's text.
    pub(crate) fn lock(&self) -> String {
        fs::read_to_string(self.dir().join("Cargo.lock")).unwrap()
    }

    /// Runs Cargo in the workspace and returns what it prints.
    pub(crate) fn cargo(&self, args: &[&str]) -> String {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        run(Command::new(cargo)
            .args(args)
            .current_dir(self.dir())
            .env("CARGO_HOME", self.home()))
    }

    /// The lines of `cargo tree`, each package with each set of features.
    pub(crate) fn cargo_tree(&self, edges: &str, target: &str, more: &[&str]) -> BTreeSet<Line> {
        let format = "{p}|{f}";
        let mut args = vec![
            "tree",
            "--locked",
            "--offline",
            "--prefix",
            "none",
            "-f",
            format,
            "-e",
            edges,
        ];
        args.extend(["--target", target]);
        args.extend(more);
        tree_lines(&self.cargo(&args))
    }

    /// The document that the direct way puts together, with the registry read
    /// from where Cargo reads it.
    pub(crate) fn direct(&self, lock: &LockFile) -> Result<DirectMetadata, DirectError> {
        let host = self.host();
        let access = Access {
            cargo_home: Some(self.home()),
            ..Access::default()
        };
        let registry = Registry::open(&host, access);
        let tree = DirectoryTree::open(&host, &self.dir(), None).unwrap();
        direct::metadata(&tree, ".", lock, &registry, &host)
    }

    /// The resolver that the root manifest asks for.
    pub(crate) fn resolver(&self) -> Resolver {
        let host = self.host();
        let tree = DirectoryTree::open(&host, &self.dir(), None).unwrap();
        direct::resolver_of(&tree, ".").unwrap()
    }

    /// A host whose Cargo home is the project's.
    pub(crate) fn host(&self) -> Host {
        let mut host = Host::real(None);
        host.env = Environment::new([
            ("CARGO_HOME".to_owned(), self.home().into_os_string()),
            ("PATH".to_owned(), std::env::var_os("PATH").unwrap()),
        ]);
        host
    }
}

/// Reads what `cargo tree --prefix none -f '{p}|{f}'` prints.
pub(crate) fn tree_lines(text: &str) -> BTreeSet<Line> {
    text.lines()
        .filter_map(|line| {
            let (package, features) = line.split_once('|')?;
            let features = features.trim_end_matches(" (*)").trim();
            let mut words = package.split(' ');
            let name = words.next()?.to_owned();
            let version = words.next()?.trim_start_matches('v').to_owned();
            let features = features
                .split(',')
                .filter(|f| !f.is_empty())
                .map(str::to_owned)
                .collect();
            Some((name, version, features))
        })
        .collect()
}

/// The triple of the machine that runs the tests.
pub(crate) fn host_triple() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = run(Command::new(rustc).arg("-vV"));
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned()
}

/// Makes a git repository out of a directory and returns its first commit.
pub(crate) fn git_repository(dir: &Path) -> String {
    let git = |args: &[&str]| {
        run(Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args)
            .current_dir(dir)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1"))
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "one"]);
    git(&["rev-parse", "HEAD"]).trim().to_owned()
}

pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Writes a file and the directories above it.
pub(crate) fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Lets a file be run. Another program makes a copy in its place: what this process has
/// open for writing, for however short a time, is open too in whatever another test starts
/// at that moment, and cannot be run until that has begun.
pub(crate) fn make_executable(path: &Path) {
    let script = "cp \"$1\" \"$1.new\" && chmod 755 \"$1.new\" && mv \"$1.new\" \"$1\"";
    run(Command::new("sh").args(["-c", script, "sh"]).arg(path));
}
