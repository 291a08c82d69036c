//! What a starting policy is fitted to: read from a working tree as data.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::host::Host;
use crate::policy::Surroundings;
use crate::snapshot::tree::Tree;
use crate::snapshot::{self, BuildName, Opened};

use super::AuditError;

/// How large a file may be, in bytes.
const LIMIT: u64 = 8 << 20;
/// Where `cargo deny` looks for its file.
const DENY: [&str; 3] = ["deny.toml", ".deny.toml", ".cargo/deny.toml"];

/// Looks at the working tree of a repository, and says where its root is.
///
/// # Errors
/// When it cannot be read.
pub fn surroundings(repository: &Path, host: &Host) -> Result<(Surroundings, PathBuf), AuditError> {
    let failed = |source| AuditError::Head {
        source: Box::new(source),
    };
    let opened = snapshot::open(&BuildName::Worktree, repository, host).map_err(failed)?;
    let text = |path: &str| -> Result<Option<String>, AuditError> {
        let content = opened.read_file(path, LIMIT).map_err(failed)?;
        Ok(content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    let table = |path: &str| -> Result<Table, AuditError> {
        Ok(text(path)?
            .and_then(|text| text.parse().ok())
            .unwrap_or_default())
    };
    let mut found = Surroundings {
        vet: has_vet(&opened),
        ..Surroundings::default()
    };
    let lock = table("Cargo.lock")?;
    for package in lock
        .get("package")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = package
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match package.get("source").and_then(Value::as_str) {
            None => found.members.push(name.to_owned()),
            Some(source) => {
                let source = crate::pkg::Source::parse(source).ok();
                if let Some(crate::pkg::Source::Registry { url }) = source {
                    found.registries.push(url);
                }
            }
        }
    }
    for path in DENY {
        if let Some(text) = text(path)? {
            found.deny = Some((path.to_owned(), text));
            break;
        }
    }
    let toolchain = table("rust-toolchain.toml")?;
    let named = toolchain.get("toolchain").and_then(|it| it.get("targets"));
    let cargo = table(".cargo/config.toml")?;
    let built = cargo.get("build").and_then(|it| it.get("target"));
    for value in named.into_iter().chain(built) {
        let many = value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        found
            .targets
            .extend(value.as_str().into_iter().chain(many).map(str::to_owned));
    }
    // A path to a target's description is no triple.
    found.targets.retain(|target| {
        target.contains('-')
            && target
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    });
    for list in [
        &mut found.members,
        &mut found.registries,
        &mut found.targets,
    ] {
        list.sort();
        list.dedup();
    }
    let root = opened.tree().and_then(Tree::root).unwrap_or(repository);
    Ok((found, root.to_owned()))
}

fn has_vet(opened: &Opened<'_>) -> bool {
    matches!(
        opened.read_file("supply-chain/config.toml", LIMIT),
        Ok(Some(_))
    )
}
