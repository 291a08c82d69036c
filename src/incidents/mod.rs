//! What went wrong before: the catalogue of incidents, and the links from a
//! change to them. Knows no severity and no policy.
//!
//! Imports: pkg, host, facts, diff.

/// How much a link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// The same component.
    Weak,
    /// The same crate in another version, or the same component and the same failure mode.
    Strong,
    /// The change enters, or stays in, a range that is known to be bad.
    Repeat,
}

impl Strength {
    /// The name used in reports and policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
            Self::Repeat => "repeat",
        }
    }
}

/// How a change stands to a known bad range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// It enters the range.
    Enters,
    /// It was in the range and still is.
    Stays,
    /// It leaves the range: a fix.
    Leaves,
    /// The link is not about a range.
    Resembles,
}

/// Why a change resembles an incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The incident.
    pub id: String,
    /// How much the link says.
    pub strength: Strength,
    /// How the change stands to the incident's range.
    pub direction: Direction,
    /// The package of the change.
    pub package: String,
    /// The reason, in words that a person can check.
    pub because: String,
}
