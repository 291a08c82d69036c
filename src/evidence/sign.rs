//! Signing, by `ssh-keygen`: with a key of a file, of an agent or of a hardware
//! token. The private key never comes into this process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::NAMESPACE;
use super::signature::{self, SIGNATURE_LIMIT};
use crate::host::{Host, Invocation, Output, ProcessError};

/// A hardware token waits for a touch.
const PATIENCE: Duration = Duration::from_secs(120);
/// What of the environment `ssh-keygen` and `git` get: where programs, keys and
/// the agent are, and how to ask for a passphrase.
const PASSED_ON: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "SSH_SK_PROVIDER",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
];

/// The key to sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A file: a private key, or a public key whose private half is in the agent.
    File(PathBuf),
    /// A public key as it is written in git's settings; its private half is in the agent.
    Literal(String),
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// `ssh-keygen` could not be run.
    #[error("failed to run `ssh-keygen`")]
    Run(#[source] ProcessError),
    /// The key could not be handed over.
    #[error("failed to write the public key for `ssh-keygen`")]
    Key(#[source] std::io::Error),
    /// `ssh-keygen` did not sign.
    #[error("`ssh-keygen` did not sign: {0}")]
    Refused(String),
    /// What came out does not fit.
    #[error("`ssh-keygen` made a signature that does not fit what was to be signed")]
    Odd,
}

/// The key that git signs commits with in a repository, where it is one of OpenSSH.
#[must_use]
pub fn git_key(repository: &Path, host: &Host) -> Option<Key> {
    let setting = |name: &str| {
        let args = ["config", "--get", name].map(OsString::from).to_vec();
        let output = run("git", args, repository, Vec::new(), host).ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let text = text.trim().to_owned();
        (output.code == Some(0) && !text.is_empty()).then_some(text)
    };
    if setting("gpg.format")? != "ssh" {
        return None;
    }
    let key = setting("user.signingkey")?;
    if let Some(literal) = key.strip_prefix("key::") {
        return Some(Key::Literal(literal.to_owned()));
    }
    if key.starts_with("ssh-") {
        return Some(Key::Literal(key));
    }
    Some(Key::File(match key.strip_prefix("~/") {
        Some(below) => host.env.home()?.join(below),
        None => repository.join(key),
    }))
}

/// Signs content, and checks what came out. Returns the armoured signature.
///
/// # Errors
/// When `ssh-keygen` cannot be run or does not sign.
pub fn sign(content: &[u8], key: &Key, host: &Host) -> Result<Vec<u8>, SignError> {
    // Held until the end, for the directory goes with it.
    let scratch;
    let file = match key {
        Key::File(path) => path.clone(),
        Key::Literal(text) => {
            let parent = host.env.path("TMPDIR").unwrap_or_else(|| "/tmp".into());
            scratch = host.files.scratch(&parent).map_err(SignError::Key)?;
            let path = scratch.path().join("key.pub");
            let line = format!("{text}\n");
            host.files
                .write(&path, line.as_bytes())
                .map_err(SignError::Key)?;
            path
        }
    };
    let mut args: Vec<OsString> = ["-Y", "sign", "-q", "-n", NAMESPACE, "-f"]
        .map(OsString::from)
        .to_vec();
    args.push(file.into_os_string());
    let output =
        run("ssh-keygen", args, Path::new("."), content.to_vec(), host).map_err(SignError::Run)?;
    if output.code != Some(0) {
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().map(str::trim).collect();
        let said: String = said.join("; ").chars().take(500).collect();
        return Err(SignError::Refused(said));
    }
    let sig = signature::read(&output.stdout).ok_or(SignError::Odd)?;
    // A key of a kind that is not checked here is no fault of the signature.
    match signature::holds(&sig, NAMESPACE, content) {
        Err(signature::Fault::Broken) => Err(SignError::Odd),
        Err(signature::Fault::Unsupported(what)) => Err(SignError::Refused(format!(
            "the key is {what}, which `check` does not accept"
        ))),
        Ok(()) => Ok(output.stdout),
    }
}

fn run(
    program: &str,
    args: Vec<OsString>,
    directory: &Path,
    stdin: Vec<u8>,
    host: &Host,
) -> Result<Output, ProcessError> {
    let env: BTreeMap<OsString, OsString> = PASSED_ON
        .iter()
        .filter_map(|name| Some((OsString::from(name), host.env.get(name)?.to_owned())))
        .chain([("LC_ALL".into(), "C".into())])
        .collect();
    host.processes.run(&Invocation {
        program: program.into(),
        args,
        env,
        directory: directory.to_owned(),
        stdin,
        timeout: PATIENCE,
        output_limit: SIGNATURE_LIMIT,
    })
}
