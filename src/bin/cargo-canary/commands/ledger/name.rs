//! What a repository is called in the ledger.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cargo_canary::host::{Host, Invocation};
use cargo_canary::ledger::without_credentials;

/// The name that was given, else the address of the remote `origin`, else the
/// name of the directory.
pub(super) fn of(given: Option<&str>, repository: &Path, host: &Host) -> String {
    given
        .map(str::to_owned)
        .or_else(|| origin(repository, host))
        .or_else(|| directory(repository, host))
        .unwrap_or_else(|| "unnamed".to_owned())
}

fn directory(repository: &Path, host: &Host) -> Option<String> {
    let path = host.files.canonical(repository).ok()?;
    Some(path.file_name()?.to_string_lossy().into_owned())
}

fn origin(repository: &Path, host: &Host) -> Option<String> {
    let invocation = Invocation {
        program: PathBuf::from("git"),
        args: ["config", "--local", "--get", "remote.origin.url"]
            .map(Into::into)
            .into(),
        env: BTreeMap::from([
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ("GIT_CONFIG_GLOBAL".into(), "/dev/null".into()),
        ]),
        directory: repository.to_owned(),
        stdin: Vec::new(),
        timeout: Duration::from_secs(10),
        output_limit: 4096,
    };
    let output = host.processes.run(&invocation).ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    plain(text.trim())
}

/// `github.com/acme/shop` for each way to write that address. A path names
/// nothing that another machine would know.
fn plain(url: &str) -> Option<String> {
    if url.chars().any(char::is_control) {
        return None;
    }
    let address = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some(_) => {
            let shown = without_credentials(url);
            shown.split_once("://")?.1.to_owned()
        }
        None => {
            let (host, path) = url
                .split_once(':')
                .filter(|(host, _)| !host.contains('/'))?;
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{host}/{}", path.trim_start_matches('/'))
        }
    };
    let address = address.trim_end_matches('/');
    let address = address.strip_suffix(".git").unwrap_or(address);
    (!address.is_empty()).then(|| address.to_owned())
}
