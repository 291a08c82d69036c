//! Where a ledger is kept, as a person writes it.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a ledger is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A SQLite database.
    Sqlite(PathBuf),
    /// A file with one entry on each line.
    Lines(PathBuf),
    /// A PostgreSQL database, by its URL.
    Postgres(String),
}

/// A text that names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// None of the known forms.
    #[error("`{0}` does not say what kind of ledger it is")]
    Unknown(String),
    /// A URL of another kind.
    #[error("a ledger is not kept at a `{0}:` address")]
    Scheme(String),
    /// A password in a file that others read.
    #[error("a password stands in `{0}`")]
    Password(String),
}

impl Place {
    /// Reads `postgres://…`, a path that ends in `.db`, `.sqlite` or `.sqlite3`,
    /// or one that ends in `.jsonl` or `.ndjson`. `sqlite:` before a path takes
    /// it for a database whatever its name is. A relative path stands below `root`.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str, root: &Path) -> Result<Self, PlaceError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.is_empty() {
                return Ok(Self::Sqlite(root.join(path)));
            }
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(PlaceError::Scheme(scheme.to_owned()));
        }
        let path = Path::new(text);
        match path.extension().and_then(|end| end.to_str()) {
            Some("db" | "sqlite" | "sqlite3") => Ok(Self::Sqlite(root.join(path))),
            Some("jsonl" | "ndjson") => Ok(Self::Lines(root.join(path))),
            _ => Err(PlaceError::Unknown(text.to_owned())),
        }
    }

    /// Reads a place that stands in a policy: as [`Place::parse`], but without a
    /// password, which has no business in a file that many read.
    ///
    /// # Errors
    /// As [`Place::parse`], and when there is a password in it.
    pub fn parse_public(text: &str, root: &Path) -> Result<Self, PlaceError> {
        let place = Self::parse(text, root)?;
        match &place {
            Self::Postgres(url) if has_password(url) => {
                Err(PlaceError::Password(without_credentials(url)))
            }
            Self::Postgres(_) | Self::Sqlite(_) | Self::Lines(_) => Ok(place),
        }
    }
}

fn has_password(url: &str) -> bool {
    // A password may hold any character that its writer forgot to encode.
    let in_front = url
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'))
        .is_some_and(|(info, _)| info.contains(':'));
    let lower = url.to_ascii_lowercase();
    in_front || lower.contains("?password=") || lower.contains("&password=")
}

/// A URL without what stands before an `@` in its host part.
#[must_use]
pub fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// A URL without user, password and query, to be shown.
#[must_use]
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.split(['?', '#']).next().unwrap_or_default().to_owned();
    };
    let query = rest.find(['?', '#']).unwrap_or(rest.len());
    let shown = match rest.rfind('@') {
        // What is password and what is query cannot be told apart.
        Some(at) if at > query => "...",
        Some(at) => rest.get(at + 1..query).unwrap_or("..."),
        None => rest.get(..query).unwrap_or("..."),
    };
    format!("{scheme}://{shown}")
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) | Self::Lines(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_credentials(url)),
        }
    }
}

// Written by hand, so that no password gets into a message by way of `{:?}`.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Place, PlaceError> {
        Place::parse(text, Path::new("/repo"))
    }

    #[test]
    fn the_form_of_a_place_tells_its_kind() {
        assert_eq!(parsed("a.db"), Ok(Place::Sqlite("/repo/a.db".into())));
        assert_eq!(
            parsed("sqlite:/var/ledger"),
            Ok(Place::Sqlite("/var/ledger".into()))
        );
        assert_eq!(
            parsed(".canary/ledger.jsonl"),
            Ok(Place::Lines("/repo/.canary/ledger.jsonl".into()))
        );
        assert_eq!(
            parsed("mysql://h/d"),
            Err(PlaceError::Scheme("mysql".into()))
        );
        assert_eq!(parsed("ledger"), Err(PlaceError::Unknown("ledger".into())));
        assert_eq!(
            parsed("sqlite:"),
            Err(PlaceError::Unknown("sqlite:".into()))
        );
    }

    #[test]
    fn no_password_is_shown() {
        for url in [
            "postgres://ops:hunter2@db.example/ledger?sslmode=require",
            "postgres://ops:hunt@hunter2@db.example/ledger",
            "postgres://ops:a/hunter2@db.example/ledger",
            "postgres://db.example/ledger?password=hunter2",
        ] {
            let place = parsed(url).unwrap();
            for shown in [format!("{place}"), format!("{place:?}")] {
                assert!(!shown.contains("hunter2"), "{shown}");
                assert!(shown.contains("db.example/ledger"), "{shown}");
            }
        }
        for odd in [
            "postgres://ops:hun?ter2@h/d",
            "postgres://h/d?password=hun@ter2",
        ] {
            let shown = parsed(odd).unwrap().to_string();
            assert!(!shown.contains("hun") && !shown.contains("ter2"), "{shown}");
        }
    }

    #[test]
    fn a_place_in_a_policy_has_no_password() {
        let public = |text: &str| Place::parse_public(text, Path::new("."));
        assert!(public("postgres://ops@db.example/ledger").is_ok());
        assert_eq!(
            public("postgres://ops:x@db.example/ledger"),
            Err(PlaceError::Password("postgres://db.example/ledger".into()))
        );
        assert!(public("postgres://db.example/ledger?Password=x").is_err());
        assert!(public("ledger.db").is_ok());
    }
}
