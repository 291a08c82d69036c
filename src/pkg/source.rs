//! Where a package comes from, as lock files and `cargo metadata` spell it.

use std::fmt;

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The default registry, under any of its names (git or sparse protocol).
    CratesIo,
    /// Another registry; the URL is the lock file's, with its protocol prefix
    /// (`registry+` or `sparse+`).
    Registry {
        /// The index URL with its protocol prefix.
        url: String,
    },
    /// A git repository.
    Git {
        /// The repository URL, without query and fragment.
        url: String,
        /// The query that the manifest asked for: `branch=x`, `tag=x` or `rev=x`.
        reference: Option<String>,
        /// The locked commit.
        rev: Option<String>,
    },
    /// Part of the tree that is built: a workspace member or a path dependency.
    Local,
}

/// A source string that is none of the forms that Cargo writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of source `{0}`")]
pub struct SourceError(pub String);

/// The default registry's index over git.
pub const CRATES_IO_GIT: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// The default registry's index over HTTP.
pub const CRATES_IO_SPARSE: &str = "sparse+https://index.crates.io/";

impl Source {
    /// Reads the `source` of a lock file, or a package of `cargo metadata`.
    ///
    /// # Errors
    /// When the prefix is none of `registry+`, `sparse+`, `git+`, `path+`.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text == CRATES_IO_GIT
            || text.trim_end_matches('/') == CRATES_IO_SPARSE.trim_end_matches('/')
        {
            return Ok(Self::CratesIo);
        }
        if text.starts_with("registry+") || text.starts_with("sparse+") {
            return Ok(Self::Registry {
                url: text.to_owned(),
            });
        }
        if let Some(rest) = text.strip_prefix("git+") {
            let (rest, rev) = match rest.split_once('#') {
                Some((rest, rev)) => (rest, Some(rev.to_owned())),
                None => (rest, None),
            };
            let (url, reference) = match rest.split_once('?') {
                Some((url, query)) => (url, Some(query.to_owned())),
                None => (rest, None),
            };
            return Ok(Self::Git {
                url: url.to_owned(),
                reference,
                rev,
            });
        }
        if text.starts_with("path+") {
            return Ok(Self::Local);
        }
        Err(SourceError(text.to_owned()))
    }

    /// The form that a lock file has; `None` for local packages.
    #[must_use]
    pub fn to_lock(&self) -> Option<String> {
        match self {
            Self::CratesIo => Some(CRATES_IO_GIT.to_owned()),
            Self::Registry { url } => Some(url.clone()),
            Self::Git {
                url,
                reference,
                rev,
            } => {
                let mut text = format!("git+{url}");
                if let Some(reference) = reference {
                    text.push('?');
                    text.push_str(reference);
                }
                if let Some(rev) = rev {
                    text.push('#');
                    text.push_str(rev);
                }
                Some(text)
            }
            Self::Local => None,
        }
    }

    /// Whether this is a registry, the default one or another.
    #[must_use]
    pub fn is_registry(&self) -> bool {
        matches!(self, Self::CratesIo | Self::Registry { .. })
    }

    /// Whether two sources are the same place, whatever state of it is locked:
    /// for git the commit and the reference do not count, nor how the URL is
    /// spelled (see [`canonical_git_url`]).
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Git { url: a, .. }, Self::Git { url: b, .. }) => {
                a == b || canonical_git_url(a) == canonical_git_url(b)
            }
            _ => self == other,
        }
    }
}

/// The one spelling of several that Cargo takes for the same repository: without
/// a slash or `.git` at the end, and in lower case on GitHub, which ignores case.
#[must_use]
pub fn canonical_git_url(url: &str) -> String {
    let trimmed = url.trim_end_matches('/');
    let trimmed = trimmed.strip_suffix(".git").unwrap_or(trimmed);
    let host = trimmed
        .split_once("://")
        .map_or("", |(_, rest)| rest)
        .split('/')
        .next();
    if host.is_some_and(|host| host.eq_ignore_ascii_case("github.com")) {
        return trimmed.to_lowercase();
    }
    trimmed.to_owned()
}

/// The short form used in reports: `crates.io`, `local`, or the URL, without
/// any user name or password in it.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CratesIo => f.write_str("crates.io"),
            Self::Local => f.write_str("local"),
            Self::Registry { .. } | Self::Git { .. } => {
                f.write_str(&without_userinfo(&self.to_lock().unwrap_or_default()))
            }
        }
    }
}

/// Removes `user:password@` from the authority of a URL.
fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_registry_has_several_names() {
        assert_eq!(Source::parse(CRATES_IO_GIT), Ok(Source::CratesIo));
        assert_eq!(Source::parse(CRATES_IO_SPARSE), Ok(Source::CratesIo));
        assert_eq!(
            Source::parse("sparse+https://index.crates.io"),
            Ok(Source::CratesIo)
        );
        let evil = Source::parse("registry+https://evil.example/index.crates.io/").unwrap();
        assert!(matches!(evil, Source::Registry { .. }));
    }

    #[test]
    fn git_sources_keep_reference_and_commit() {
        let text = "git+https://host.example/a/b?branch=main#0123abcd";
        let source = Source::parse(text).unwrap();
        assert_eq!(source.to_lock().as_deref(), Some(text));
        let moved = Source::parse("git+https://host.example/a/b#ffff").unwrap();
        assert!(source.same_place(&moved));
        assert_ne!(source, moved);
    }

    #[test]
    fn a_repository_has_several_spellings() {
        let same = |a: &str, b: &str| {
            let git = |url: &str| Source::parse(&format!("git+{url}")).unwrap();
            git(a).same_place(&git(b))
        };
        assert!(same(
            "https://host.example/a/b.git",
            "https://host.example/a/b/"
        ));
        assert!(same(
            "https://github.com/Rust-Lang/git2-rs",
            "https://github.com/rust-lang/git2-rs.git"
        ));
        assert!(!same("https://host.example/A", "https://host.example/a"));
        assert!(!same(
            "https://github.com.evil.example/a",
            "https://github.com/a"
        ));
    }

    #[test]
    fn secrets_in_urls_are_not_printed() {
        let source = Source::parse("git+https://me:secret@host.example/a@b?tag=v1#00").unwrap();
        assert_eq!(source.to_string(), "git+https://host.example/a@b?tag=v1#00");
    }

    #[test]
    fn an_unknown_kind_is_an_error() {
        assert!(Source::parse("ftp+https://x").is_err());
    }
}
