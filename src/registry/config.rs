//! The user's own Cargo configuration: registries that it names, sources that
//! it replaces, tokens. Only `$CARGO_HOME` is read, never an audited tree.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use toml::Table;

use crate::host::{Environment, Host};

/// Configuration files with more bytes than this are not read.
const LARGEST: u64 = 1 << 20;
/// At most so many replacements follow each other.
const REPLACEMENTS: usize = 10;

/// A secret that never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What the user's configuration says of registries.
#[derive(Debug, Default)]
pub(super) struct UserConfig {
    /// The index URL of each registry that `[registries]` names.
    registries: BTreeMap<String, String>,
    sources: BTreeMap<String, SourceEntry>,
    tokens: BTreeMap<String, Secret>,
    /// Why the configuration cannot be relied on. Nothing is fetched then: a
    /// replacement could be missed.
    pub(super) problem: Option<String>,
}

#[derive(Debug, Default)]
struct SourceEntry {
    target: Option<Target>,
    replace_with: Option<String>,
}

/// Where packages really come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The registry with this index URL (with its protocol prefix).
    Index(String),
    /// A local registry: archives, with an index beside them.
    LocalRegistry(PathBuf),
    /// A directory of unpacked packages, without an index.
    Directory(PathBuf),
}

impl UserConfig {
    /// Reads the configuration in a Cargo home.
    pub(super) fn read(host: &Host, cargo_home: Option<&Path>) -> Self {
        let Some(home) = cargo_home else {
            return Self::default();
        };
        let mut config = Self::default();
        match read_first(host, home, ["config", "config.toml"]) {
            Ok(Some(table)) => config.take(&table, home.parent().unwrap_or(home)),
            Ok(None) => {}
            Err(problem) => config.problem = Some(problem),
        }
        // A token that cannot be read is missed where it is needed.
        if let Ok(Some(table)) = read_first(host, home, ["credentials", "credentials.toml"]) {
            config.take_tokens(&table);
        }
        config.take_variables(&host.env);
        config
    }

    fn take(&mut self, table: &Table, relative_to: &Path) {
        if table.contains_key("include") {
            self.problem = Some(
                "Cargo's configuration includes other files, which are not read here".to_owned(),
            );
        }
        for (name, entry) in entries(table, "registries") {
            if let Some(index) = text(entry, "index") {
                self.registries.insert(name.clone(), index.to_owned());
            }
        }
        for (name, entry) in entries(table, "source") {
            let path = |key| text(entry, key).map(|path| relative_to.join(path));
            let target = text(entry, "registry")
                .map(|url| Target::Index(with_protocol(url)))
                .or_else(|| path("local-registry").map(Target::LocalRegistry))
                .or_else(|| path("directory").map(Target::Directory));
            self.sources.insert(
                name.clone(),
                SourceEntry {
                    target,
                    replace_with: text(entry, "replace-with").map(str::to_owned),
                },
            );
        }
        self.take_tokens(table);
    }

    fn take_tokens(&mut self, table: &Table) {
        for (name, entry) in entries(table, "registries") {
            if let Some(token) = text(entry, "token") {
                self.tokens.insert(name.clone(), Secret(token.to_owned()));
            }
        }
    }

    fn take_variables(&mut self, env: &Environment) {
        for name in self.registries.keys() {
            let upper = name.to_uppercase().replace('-', "_");
            let token = env.get(&format!("CARGO_REGISTRIES_{upper}_TOKEN"));
            if let Some(token) = token.and_then(|token| token.to_str()) {
                self.tokens.insert(name.clone(), Secret(token.to_owned()));
            }
        }
    }

    /// Whether the user named the registry with this index, in any way.
    pub(super) fn names(&self, index: &str) -> bool {
        self.registries.values().any(|url| same_index(url, index))
            || self.sources.values().any(
                |entry| matches!(&entry.target, Some(Target::Index(url)) if same_index(url, index)),
            )
    }

    /// The token for the registry with this index, if the user named it.
    pub(super) fn token(&self, index: &str) -> Option<&Secret> {
        self.registries
            .iter()
            .filter(|(_, url)| same_index(url, index))
            .find_map(|(name, _)| self.tokens.get(name))
    }

    /// What replaces the registry with this index, if anything does.
    ///
    /// # Errors
    /// When the replacement leads nowhere; the words say why.
    pub(super) fn replacement(
        &self,
        index: &str,
        crates_io: bool,
    ) -> Result<Option<Target>, String> {
        let Some(mut name) = self.source_name(index, crates_io) else {
            return Ok(None);
        };
        let mut replaced = false;
        for _ in 0..=REPLACEMENTS {
            let entry = self.sources.get(name);
            match entry.and_then(|entry| entry.replace_with.as_deref()) {
                Some(next) => {
                    name = next;
                    replaced = true;
                }
                None if !replaced => return Ok(None),
                None => {
                    return self.target_of(name).map(Some).ok_or_else(|| {
                        format!("Cargo's configuration names no place for the source `{name}`")
                    });
                }
            }
        }
        Err("Cargo's configuration replaces sources in a circle".to_owned())
    }

    /// The name under which `[source]` speaks of the registry with this index.
    fn source_name(&self, index: &str, crates_io: bool) -> Option<&str> {
        if crates_io {
            return Some("crates-io");
        }
        self.sources
            .iter()
            .find(|(_, entry)| {
                matches!(&entry.target, Some(Target::Index(url)) if same_index(url, index))
            })
            .map(|(name, _)| name.as_str())
    }

    fn target_of(&self, name: &str) -> Option<Target> {
        let own = self
            .sources
            .get(name)
            .and_then(|entry| entry.target.clone());
        own.or_else(|| {
            let url = self.registries.get(name)?;
            Some(Target::Index(with_protocol(url)))
        })
        .or_else(|| {
            (name == "crates-io").then(|| Target::Index(crate::pkg::CRATES_IO_SPARSE.to_owned()))
        })
    }
}

/// The first of these files that is there; Cargo reads only that one, too.
fn read_first(host: &Host, home: &Path, names: [&str; 2]) -> Result<Option<Table>, String> {
    for name in names {
        let path = home.join(name);
        let bytes = match host.files.read(&path, LARGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("`{}` cannot be read: {error}", path.display())),
        };
        // The parser's message would show the line, which can hold a token.
        let table = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.parse::<Table>().ok());
        return match table {
            Some(table) => Ok(Some(table)),
            None => Err(format!("`{}` is not valid TOML", path.display())),
        };
    }
    Ok(None)
}

fn entries<'t>(table: &'t Table, key: &str) -> impl Iterator<Item = (&'t String, &'t Table)> {
    table
        .get(key)
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
        .filter_map(|(name, entry)| Some((name, entry.as_table()?)))
}

fn text<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(toml::Value::as_str)
}

/// An index URL with the prefix that lock files give it.
fn with_protocol(url: &str) -> String {
    if url.starts_with("sparse+") || url.starts_with("registry+") {
        url.to_owned()
    } else {
        format!("registry+{url}")
    }
}

fn same_index(a: &str, b: &str) -> bool {
    with_protocol(a).trim_end_matches('/') == with_protocol(b).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::pkg::CRATES_IO_GIT;
    use jiff::Timestamp;

    fn config(files: &[(&str, &str)], vars: &[(&str, &str)]) -> UserConfig {
        let mut host = MemoryHost::new(Timestamp::UNIX_EPOCH);
        for (path, content) in files {
            host = host.file(path, *content);
        }
        for (name, value) in vars {
            host = host.var(name, value);
        }
        UserConfig::read(&host.host(), Some(Path::new("/u/.cargo")))
    }

    #[test]
    fn replacements_are_followed_to_their_end() {
        let config = config(
            &[(
                "/u/.cargo/config.toml",
                "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nregistry = 'sparse+https://a.example/'\n\
                 replace-with = 'b'\n[source.b]\nlocal-registry = 'mirror'\n",
            )],
            &[],
        );
        assert_eq!(
            config.replacement(CRATES_IO_GIT, true),
            Ok(Some(Target::LocalRegistry("/u/mirror".into())))
        );
        assert_eq!(
            config.replacement("sparse+https://a.example", false),
            Ok(Some(Target::LocalRegistry("/u/mirror".into())))
        );
        assert_eq!(
            config.replacement("sparse+https://c.example/", false),
            Ok(None)
        );
    }

    #[test]
    fn a_replacement_that_leads_nowhere_is_an_error() {
        let circle = config(
            &[(
                "/u/.cargo/config.toml",
                "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nregistry = 'x'\nreplace-with = 'crates-io'\n",
            )],
            &[],
        );
        assert!(circle.replacement(CRATES_IO_GIT, true).is_err());
        let nothing = config(
            &[(
                "/u/.cargo/config.toml",
                "[source.crates-io]\nreplace-with = 'a'\n",
            )],
            &[],
        );
        assert!(nothing.replacement(CRATES_IO_GIT, true).is_err());
    }

    #[test]
    fn a_token_belongs_to_the_index_that_the_user_named() {
        let files = [
            (
                "/u/.cargo/config.toml",
                "[registries.my-own]\nindex = 'sparse+https://r.example/i/'\n[registries.other]\nindex = 'sparse+https://o.example/'\n",
            ),
            (
                "/u/.cargo/credentials.toml",
                "[registries.my-own]\ntoken = 'file'\n[registries.unnamed]\ntoken = 'x'\n",
            ),
        ];
        let from_file = config(&files, &[]);
        let index = "sparse+https://r.example/i";
        assert_eq!(from_file.token(index).unwrap().reveal(), "file");
        assert!(from_file.token("sparse+https://r.example/").is_none());
        assert!(from_file.token("sparse+https://o.example/").is_none());
        let from_env = config(&files, &[("CARGO_REGISTRIES_MY_OWN_TOKEN", "env")]);
        assert_eq!(from_env.token(index).unwrap().reveal(), "env");
        assert!(!format!("{from_env:?}").contains("env\""));
        let unnamed = config(&[], &[("CARGO_REGISTRIES_MY_OWN_TOKEN", "env")]);
        assert!(unnamed.token(index).is_none());
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_a_problem_and_shows_no_secret() {
        let broken = config(
            &[("/u/.cargo/config.toml", "[registries.a]\ntoken = secret\n")],
            &[],
        );
        let problem = broken.problem.unwrap();
        assert!(
            problem.contains("config.toml") && !problem.contains("secret"),
            "{problem}"
        );
    }
}
