//! Who stands behind a release: its publisher, and whether its name is made to
//! be taken for another.

/// Who published one release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Publisher {
    /// An account, by its login.
    Account(String),
    /// A workflow that the registry trusts: the service, and the repository.
    Trusted {
        /// The service, such as `github`.
        provider: String,
        /// The repository, such as `owner/name`; empty where it is not told.
        repository: String,
    },
}

impl std::fmt::Display for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(login) => f.write_str(login),
            Self::Trusted {
                provider,
                repository,
            } if repository.is_empty() => write!(f, "a {provider} workflow"),
            Self::Trusted {
                provider,
                repository,
            } => write!(f, "the {provider} workflow of {repository}"),
        }
    }
}

/// Who published the release that comes in, beside those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherDelta {
    /// Of the release that comes in.
    pub incoming: Publisher,
    /// Of the release that goes out, where that is recorded.
    pub outgoing: Option<Publisher>,
    /// How many earlier releases have a publisher on record.
    pub earlier: usize,
    /// How many of these were published by the same.
    pub earlier_by_same: usize,
    /// The owners of the crate now, sorted; empty where they were not asked for
    /// (a past day cannot be asked again).
    pub owners: Vec<String>,
}

impl PublisherDelta {
    /// Whether none of the earlier releases came from this publisher.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.earlier > 0 && self.earlier_by_same == 0
    }

    /// Whether the release before came out of a trusted workflow, and this one
    /// from an account.
    #[must_use]
    pub fn left_trusted_publishing(&self) -> bool {
        matches!(self.outgoing, Some(Publisher::Trusted { .. }))
            && matches!(self.incoming, Publisher::Account(_))
    }
}

/// A new package whose name is one slip away from that of a known one.
#[derive(Clone, Debug, PartialEq)]
pub struct LookAlike {
    /// The known package.
    pub of: String,
    /// How the names differ, in words.
    pub how: &'static str,
    /// The share of its lines of code that stand in the known package, too, from
    /// 0 to 1; `None` where that one's archive is not at hand.
    pub same_lines: Option<f64>,
}
