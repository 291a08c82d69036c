//! Where what a registry published can be found: on disk and on the network.

use std::path::PathBuf;

use super::config::{Secret, Target, UserConfig};
use crate::pkg::{CRATES_IO_GIT, CRATES_IO_SPARSE, Source};

/// The places of one registry.
#[derive(Debug)]
pub(super) struct Place {
    /// The names of its directories below Cargo's, the likeliest first.
    pub(super) idents: Vec<String>,
    /// A local registry that stands for it.
    pub(super) local: Option<PathBuf>,
    /// Where its index is served, with a slash at the end, or why nothing is asked.
    pub(super) index: Result<String, Closed>,
    /// The token for it, if the user has one that may be sent there.
    pub(super) token: Option<Secret>,
}

/// Why a registry is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// There is no way to ask it, or none that may be taken.
    Unasked(String),
    /// It has no index that could be asked.
    NoIndex(String),
}

impl Place {
    /// The places of a registry; `None` when the source is no registry.
    pub(super) fn of(source: &Source, user: &UserConfig) -> Option<Self> {
        let (url, crates_io) = match source {
            Source::CratesIo => (CRATES_IO_SPARSE, true),
            Source::Registry { url } => (url.as_str(), false),
            Source::Git { .. } | Source::Local => return None,
        };
        let mut idents = idents(url);
        if crates_io {
            idents.extend(self::idents(CRATES_IO_GIT));
        }
        let replacement = match &user.problem {
            Some(problem) => Err(problem.clone()),
            None => user.replacement(url, crates_io),
        };
        let replacement = match replacement {
            Ok(replacement) => replacement,
            Err(problem) => {
                return Some(Self {
                    idents,
                    local: None,
                    index: Err(Closed::Unasked(format!("{problem}; nothing is fetched"))),
                    token: None,
                });
            }
        };
        let mut local = None;
        let mut serving = url.to_owned();
        let mut closed = None;
        match replacement {
            // A git index is not asked in any case, which is the better reason.
            None if crates_io || user.names(url) || url.starts_with("registry+") => {}
            None => {
                closed = Some(Closed::Unasked(
                    "only the lock file names this registry; it is asked when `[registries]` in Cargo's own configuration names it, too".to_owned(),
                ));
            }
            Some(Target::Index(other)) => {
                let mut first = self::idents(&other);
                first.append(&mut idents);
                idents = first;
                serving = other;
            }
            Some(Target::LocalRegistry(path)) => {
                closed = Some(Closed::Unasked(format!(
                    "the local registry `{}` stands for it",
                    path.display()
                )));
                local = Some(path);
            }
            Some(Target::Directory(path)) => {
                closed = Some(Closed::NoIndex(format!(
                    "the directory source `{}` stands for it, which has no index",
                    path.display()
                )));
            }
        }
        let index = match closed {
            Some(closed) => Err(closed),
            None => served_at(&serving),
        };
        let token = index
            .as_ref()
            .ok()
            .filter(|base| keeps_secrets(base))
            .and_then(|_| user.token(&serving).cloned());
        Some(Self {
            idents,
            local,
            index,
            token,
        })
    }

    /// The name of this registry's directories in the own cache.
    pub(super) fn own_ident(&self) -> &str {
        self.idents.first().map_or("unnamed", String::as_str)
    }
}

/// The directory names that Cargo gives a registry: that of Cargo 1.85 and
/// later, and that of earlier ones.
fn idents(url: &str) -> Vec<String> {
    [true, false]
        .into_iter()
        .filter_map(|stable| tame_index::utils::url_to_local_dir(url, stable).ok())
        .map(|directory| directory.dir_name)
        // The name is made of the URL's host, which is not ours.
        .filter(|name| {
            !name.starts_with('.')
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        })
        .collect()
}

/// The base address of an index that is served over HTTP.
fn served_at(url: &str) -> Result<String, Closed> {
    let Some(base) = url.strip_prefix("sparse+") else {
        return Err(Closed::NoIndex(
            "its index is a git repository, of which only what Cargo has cached can be read"
                .to_owned(),
        ));
    };
    if !base.starts_with("https://") && !base.starts_with("http://") {
        return Err(Closed::NoIndex(
            "its index is not served over HTTP".to_owned(),
        ));
    }
    Ok(format!("{}/", base.trim_end_matches('/')))
}

/// Whether a secret may be sent to this address: nobody can listen.
pub(super) fn keeps_secrets(url: &str) -> bool {
    if url.starts_with("https://") {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

/// Whether this is a name that a registry can hold; everything else would
/// make paths and addresses that are not its own.
pub(super) fn is_crate_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The directories above an entry, by the length of the crate's name
/// (<https://doc.rust-lang.org/cargo/reference/registry-index.html#index-files>).
pub(super) fn prefix(name: &str) -> String {
    let part = |from: usize, to: usize| name.get(from..to).unwrap_or_default();
    match name.len() {
        1 => "1".to_owned(),
        2 => "2".to_owned(),
        3 => format!("3/{}", part(0, 1)),
        _ => format!("{}/{}", part(0, 2), part(2, 4)),
    }
}

/// The path of a crate's entry below the root of an index.
pub(super) fn entry_path(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    format!("{}/{lower}", prefix(&lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_directories_are_known_under_their_names_of_all_ages() {
        let place = Place::of(&Source::CratesIo, &UserConfig::default()).unwrap();
        assert_eq!(place.idents[0], "index.crates.io-1949cf8c6b5b557f");
        assert!(
            place
                .idents
                .contains(&"github.com-25cdd57fae9f0462".to_owned())
        );
        #[cfg(all(target_pointer_width = "64", target_endian = "little"))]
        assert!(
            place
                .idents
                .contains(&"index.crates.io-6f17d22bba15001f".to_owned())
        );
        assert_eq!(place.index.unwrap(), "https://index.crates.io/");
        assert!(place.token.is_none());
    }

    #[test]
    fn a_registry_that_only_the_lock_file_names_is_not_asked() {
        let source = Source::parse("sparse+http://127.0.0.1:9/").unwrap();
        let place = Place::of(&source, &UserConfig::default()).unwrap();
        assert!(matches!(place.index, Err(Closed::Unasked(_))));
        let git = Source::parse("git+https://a.example/b").unwrap();
        assert!(Place::of(&git, &UserConfig::default()).is_none());
    }

    #[test]
    fn a_directory_name_never_leaves_its_directory() {
        for url in [
            "sparse+https://../",
            "sparse+https://a\\b/",
            "registry+https://..:1/x",
            "sparse+nothing",
        ] {
            for ident in idents(url) {
                assert!(
                    !ident.contains(['/', '\\']) && !ident.starts_with('.'),
                    "{ident}"
                );
            }
        }
    }

    #[test]
    fn entries_stand_where_the_index_has_them() {
        assert_eq!(entry_path("a"), "1/a");
        assert_eq!(entry_path("ab"), "2/ab");
        assert_eq!(entry_path("Abc"), "3/a/abc");
        assert_eq!(entry_path("Inflector"), "in/fl/inflector");
        assert!(!is_crate_name("../x") && !is_crate_name("") && !is_crate_name("é"));
    }

    #[test]
    fn secrets_go_only_where_nobody_listens() {
        assert!(keeps_secrets("https://a.example/"));
        assert!(keeps_secrets("http://127.0.0.1:80/x"));
        assert!(keeps_secrets("http://[::1]:80/x"));
        assert!(!keeps_secrets("http://127.0.0.1.example/"));
        assert!(!keeps_secrets("http://a.example/"));
        assert!(!keeps_secrets("http://me@localhost/"));
    }
}
