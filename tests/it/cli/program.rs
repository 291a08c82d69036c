//! The built program, run in an environment of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the built program is.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_cargo-canary");

/// A directory to work in, with a home, a Cargo home and a cache that nobody
/// else uses. It goes when the value is dropped.
pub(crate) struct Scene {
    scratch: tempfile::TempDir,
}

/// How a run ended.
#[must_use]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let scene = Self {
            scratch: tempfile::tempdir().unwrap(),
        };
        for dir in ["work", "home", "cargo-home"] {
            fs::create_dir(scene.path(dir)).unwrap();
        }
        scene
    }

    /// A path below the scratch directory.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.scratch.path().join(path)
    }

    /// Writes a file below the directory in which the program runs.
    pub(crate) fn file(&self, path: &str, content: &str) -> &Self {
        let path = self.path("work").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// The program, in the working directory, with nothing of the machine's
    /// environment but the path to programs. There is no network in it: a proxy
    /// that does not answer stands before every address.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.path("work"));
        self.environment(&mut command);
        command
    }

    /// Gives a command the environment of the scene.
    pub(crate) fn environment(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("CARGO_HOME", self.path("cargo-home"))
            .env("CARGO_CANARY_CACHE", self.path("cache"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_DATE", "2024-03-01T12:00:00Z")
            .env("GIT_COMMITTER_DATE", "2024-03-01T12:00:00Z")
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .stdin(Stdio::null());
    }

    /// Runs the program.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.finish(&mut self.command(args))
    }

    /// Runs a command that was made by [`Self::command`].
    pub(crate) fn finish(&self, command: &mut Command) -> Ran {
        let output = command.output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: self.neutral(&String::from_utf8(output.stdout).unwrap()),
            stderr: self.neutral(&String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// Runs git in a directory below the scratch directory.
    pub(crate) fn git(&self, dir: &str, args: &[&str]) -> String {
        let mut command = Command::new("git");
        self.environment(&mut command);
        let output = command
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args)
            .current_dir(self.path(dir))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits all of the working directory, which becomes a repository.
    pub(crate) fn commit(&self, message: &str) -> String {
        if !self.path("work/.git").exists() {
            self.git("work", &["init", "-q", "-b", "main"]);
        }
        self.git("work", &["add", "-A"]);
        self.git("work", &["commit", "-q", "--allow-empty", "-m", message]);
        self.git("work", &["rev-parse", "HEAD"])
    }

    /// Text without the place of the scratch directory and the ids of commits.
    pub(crate) fn neutral(&self, text: &str) -> String {
        let real = self.scratch.path().canonicalize().unwrap();
        let text = text
            .replace(&real.display().to_string(), "[TMP]")
            .replace(&self.scratch.path().display().to_string(), "[TMP]");
        without_commits(&text)
    }
}

/// Text with `[COMMIT]` in the place of words of 12 or 40 hexadecimal digits.
fn without_commits(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let hex = word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        out += if hex && matches!(word.len(), 12 | 40) {
            "[COMMIT]"
        } else {
            &word
        };
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

impl Ran {
    /// Holds that the run failed with this code, said exactly this on standard
    /// error, and nothing on standard output.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, message: &str) {
        assert_eq!(self.stdout, "", "nothing stands on standard output");
        same(&self.stderr, message);
        assert_eq!(self.code, Some(code));
    }

    /// Holds that the run ended with this code and without a word on standard
    /// error; returns what it printed.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32) -> &str {
        assert_eq!(self.stderr, "", "nothing stands on standard error");
        assert_eq!(self.code, Some(code), "{}", self.stdout);
        &self.stdout
    }

    /// Holds that the run ended with this code and printed exactly this.
    #[track_caller]
    pub(crate) fn prints(&self, code: i32, text: &str) {
        same(self.ends(code), text);
    }
}

/// Holds that two texts are the same but for the indentation of the second.
#[track_caller]
pub(crate) fn same(found: &str, wanted: &str) {
    let wanted = plain(wanted);
    assert!(
        found.trim_end() == wanted,
        "found:\n{found}\nwanted:\n{wanted}\n"
    );
}

/// A text written between quotes in the code: without the first line break and
/// the indentation that all lines have.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text
        .trim_end()
        .lines()
        .skip_while(|l| l.is_empty())
        .collect();
    let indent = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    lines
        .iter()
        .map(|line| line.get(indent..).unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The root of this repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
