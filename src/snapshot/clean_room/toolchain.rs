//! Finds a cargo and its rustc without running anything. Rustup's proxies are
//! passed by, because they obey a toolchain file of the directory they run in.

use std::path::{Path, PathBuf};

use super::CleanRoomError;
use crate::host::{FileKind, Host};

/// The variable by which the user names the cargo to be used, by its path.
const CHOSEN: &str = "CARGO_CANARY_CARGO";
/// No settings file of rustup comes near to this size, in bytes.
const SETTINGS_LIMIT: u64 = 1 << 20;

/// Two programs of one toolchain, by their absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The cargo.
    pub cargo: PathBuf,
    /// The rustc beside it.
    pub rustc: PathBuf,
}

/// The toolchain that the user named, else rustup's default one, else the first
/// in `PATH` that is not a proxy. `tree` is where the audited tree stands, from
/// which nothing may be run.
pub(super) fn find(host: &Host, tree: Option<&Path>) -> Result<Toolchain, CleanRoomError> {
    let tree = tree.map(|path| {
        host.files
            .canonical(path)
            .unwrap_or_else(|_| path.to_owned())
    });
    let tree = tree.as_deref();
    if let Some(chosen) = host.env.path(CHOSEN) {
        return usable(host, &chosen, tree).map_err(|reason| CleanRoomError::UnusableToolchain {
            path: chosen,
            reason,
        });
    }
    let mut searched = vec![CHOSEN.to_owned()];
    if let Some(home) = rustup_home(host) {
        searched.push(home.join("toolchains").display().to_string());
        if let Some(toolchain) = from_rustup(host, &home, tree) {
            return Ok(toolchain);
        }
    }
    searched.push("PATH".to_owned());
    let path = host.env.get("PATH").unwrap_or_default();
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .find_map(|directory| usable(host, &directory.join(executable("cargo")), tree).ok())
        .ok_or_else(|| CleanRoomError::NoToolchain {
            searched: searched.join(", "),
        })
}

fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Both programs, if the path is a real cargo with a rustc beside it.
fn usable(host: &Host, cargo: &Path, tree: Option<&Path>) -> Result<Toolchain, &'static str> {
    if !cargo.is_absolute() {
        return Err("it is not an absolute path");
    }
    let real = |path: &Path| {
        let path = host.files.canonical(path).ok()?;
        matches!(host.files.kind(&path), Ok(FileKind::File(_))).then_some(path)
    };
    let Some(cargo) = real(cargo) else {
        return Err("there is no such file");
    };
    let directory = cargo.parent().ok_or("it is in no directory")?;
    // A proxy is a link to rustup, or a copy of it that stands beside it.
    let rustup = executable("rustup");
    if cargo.file_name().is_some_and(|name| *name == *rustup)
        || host.files.kind(&directory.join(&rustup)).is_ok()
    {
        return Err("it is a rustup proxy, which obeys the toolchain file of a directory");
    }
    let Some(rustc) = real(&directory.join(executable("rustc"))) else {
        return Err("there is no rustc beside it");
    };
    if tree.is_some_and(|tree| cargo.starts_with(tree) || rustc.starts_with(tree)) {
        return Err("it is part of the audited tree");
    }
    Ok(Toolchain { cargo, rustc })
}

fn rustup_home(host: &Host) -> Option<PathBuf> {
    host.env
        .path("RUSTUP_HOME")
        .or_else(|| Some(host.env.home()?.join(".rustup")))
        .filter(|path| path.is_absolute())
}

/// Rustup's chosen or default toolchain. A `RUSTUP_TOOLCHAIN` that is a path is
/// passed by: a proxy sets it to what a toolchain file says.
fn from_rustup(host: &Host, home: &Path, tree: Option<&Path>) -> Option<Toolchain> {
    let toolchains = home.join("toolchains");
    let chosen = host
        .env
        .get("RUSTUP_TOOLCHAIN")
        .and_then(|name| name.to_str())
        .map(str::to_owned);
    [chosen, default_toolchain(host, home)]
        .into_iter()
        .flatten()
        .filter(|name| !name.contains(['/', '\\']) && !name.starts_with('.'))
        .find_map(|name| {
            let entries = host.files.list(&toolchains).ok()?;
            let names = || entries.iter().filter_map(|entry| entry.name.to_str());
            // `stable` is short for `stable-` and the host's triple.
            let directory = names().find(|entry| *entry == name).or_else(|| {
                names().find(|entry| {
                    entry
                        .strip_prefix(&name)
                        .is_some_and(|rest| rest.starts_with('-'))
                })
            })?;
            let cargo = toolchains
                .join(directory)
                .join("bin")
                .join(executable("cargo"));
            usable(host, &cargo, tree).ok()
        })
}

fn default_toolchain(host: &Host, home: &Path) -> Option<String> {
    let text = host
        .files
        .read(&home.join("settings.toml"), SETTINGS_LIMIT)
        .ok()?;
    let settings: toml::Table = toml::from_str(std::str::from_utf8(&text).ok()?).ok()?;
    Some(settings.get("default_toolchain")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;

    fn host() -> MemoryHost {
        MemoryHost::new("2026-01-01T00:00:00Z".parse().unwrap()).var("HOME", "/home/me")
    }

    fn toolchain(host: MemoryHost, directory: &str) -> MemoryHost {
        host.file(&format!("{directory}/{}", executable("cargo")), "x")
            .file(&format!("{directory}/{}", executable("rustc")), "x")
    }

    fn found(host: &MemoryHost, tree: &str) -> Result<PathBuf, String> {
        find(&host.host(), Some(Path::new(tree)))
            .map(|toolchain| toolchain.cargo.parent().unwrap().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_cargo_that_the_user_names_comes_first() {
        let host = toolchain(host(), "/opt/rust").var(CHOSEN, "/opt/rust/cargo");
        let host = toolchain(host, "/usr/bin").var("PATH", "/usr/bin");
        assert_eq!(found(&host, "/repo"), Ok("/opt/rust".into()));
    }

    #[test]
    fn rustups_default_is_found_through_its_settings() {
        let host = toolchain(host(), "/home/me/.rustup/toolchains/stable-x/bin").file(
            "/home/me/.rustup/settings.toml",
            "default_toolchain = 'stable'\n",
        );
        assert_eq!(
            found(&host, "/repo"),
            Ok("/home/me/.rustup/toolchains/stable-x/bin".into())
        );
    }

    #[test]
    fn a_toolchain_variable_that_is_a_path_is_passed_by() {
        let host = toolchain(host(), "/repo/evil/bin").var("RUSTUP_TOOLCHAIN", "/repo/evil");
        let host = toolchain(host, "/home/me/.rustup/toolchains/1.95.0-x/bin").file(
            "/home/me/.rustup/settings.toml",
            "default_toolchain = '1.95.0-x'\n",
        );
        assert_eq!(
            found(&host, "/repo"),
            Ok("/home/me/.rustup/toolchains/1.95.0-x/bin".into())
        );
    }

    #[test]
    fn proxies_and_the_audited_tree_in_the_search_path_are_passed_by() {
        let host = toolchain(host(), "/proxies").file("/proxies/rustup", "x");
        let host = toolchain(host, "/repo/bin");
        let host = toolchain(host, "/usr/bin").var("PATH", "bin:/proxies:/repo/bin:/usr/bin");
        assert_eq!(found(&host, "/repo"), Ok("/usr/bin".into()));
    }

    #[test]
    fn a_proxy_or_a_part_of_the_tree_cannot_be_chosen() {
        let proxy = toolchain(host(), "/proxies")
            .file("/proxies/rustup", "x")
            .var(CHOSEN, "/proxies/cargo");
        assert!(found(&proxy, "/repo").unwrap_err().contains("proxy"));
        let inside = toolchain(host(), "/repo/bin").var(CHOSEN, "/repo/bin/cargo");
        assert!(found(&inside, "/repo").unwrap_err().contains("tree"));
    }

    #[test]
    fn without_any_the_places_are_named() {
        let error = found(&host(), "/repo").unwrap_err();
        assert!(error.contains(CHOSEN) && error.contains("PATH"), "{error}");
    }
}
