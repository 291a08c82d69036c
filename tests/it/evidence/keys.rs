//! Keys and signatures by the real `ssh-keygen`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::project::run;

pub(super) const NAMESPACE: &str = "cargo-canary-evidence";

/// A directory with keys, which goes when the value is dropped.
pub(super) struct Keys {
    scratch: tempfile::TempDir,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            scratch: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// A new key; the options are those of `ssh-keygen`.
    pub(super) fn make(&self, name: &str, options: &[&str]) -> PathBuf {
        let path = self.path(name);
        run(ssh_keygen()
            .args(["-q", "-N", "", "-C", "comment", "-f"])
            .arg(&path)
            .args(options));
        path
    }

    /// A line of a list of signers.
    pub(super) fn line(&self, who: &str, options: &str, name: &str) -> String {
        let public = fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        format!("{who} {options} {public}")
    }

    /// Signs content as anybody can by hand.
    pub(super) fn sign(&self, name: &str, namespace: &str, content: &[u8]) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new_in(self.scratch.path()).unwrap();
        fs::write(file.path(), content).unwrap();
        run(ssh_keygen()
            .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
            .arg(self.path(name))
            .arg(file.path()));
        fs::read(file.path().with_extension(beside(file.path()))).unwrap()
    }
}

fn beside(path: &Path) -> String {
    match path.extension() {
        Some(extension) => format!("{}.sig", extension.to_str().unwrap()),
        None => "sig".to_owned(),
    }
}

fn ssh_keygen() -> Command {
    let mut command = Command::new("ssh-keygen");
    command.stdin(Stdio::null()).env_remove("SSH_AUTH_SOCK");
    command
}

/// Whether `ssh-keygen -Y verify` accepts a record.
pub(super) fn openssh_accepts(record: &Path, signers: &Path, who: &str) -> bool {
    let mut signature = record.as_os_str().to_owned();
    signature.push(".sig");
    ssh_keygen()
        .args(["-Y", "verify", "-n", NAMESPACE, "-I", who, "-f"])
        .arg(signers)
        .arg("-s")
        .arg(&signature)
        .stdin(fs::File::open(record).unwrap())
        .output()
        .unwrap()
        .status
        .success()
}
