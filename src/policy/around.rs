//! What stands around the changes and is judged with them.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use crate::snapshot::Snapshot;

use super::RatchetNews;
use super::variables::{self, Reading};
use super::vet::Vetted;

/// The packages that the head holds, changed or not: what an exemption can be
/// about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present<'a> {
    pub(super) packages: BTreeMap<&'a str, BTreeSet<&'a Version>>,
}

impl<'a> Present<'a> {
    /// The packages of a snapshot.
    #[must_use]
    pub fn of(head: &'a Snapshot) -> Self {
        let mut packages: BTreeMap<&str, BTreeSet<&Version>> = BTreeMap::new();
        for package in head
            .workspaces
            .iter()
            .flat_map(|workspace| &workspace.packages)
        {
            packages
                .entry(package.id.name.as_str())
                .or_default()
                .insert(&package.id.version);
        }
        Self { packages }
    }
}

/// What stands around the changes and is judged with them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// The packages of the head.
    pub present: Option<&'a Present<'a>>,
    /// What the base's record of what the repository lives with does not have.
    pub ratchet: Option<&'a RatchetNews>,
    /// What the audits of `cargo vet` say of each change, by place; none without such files.
    pub vetted: &'a [Option<Vetted>],
}

/// Values of variables that are stated from outside, by place in the table. They
/// stand in the place of what is read from a change.
pub(super) type Given<'a> = BTreeMap<usize, Reading<'a>>;

/// What the audits say, as values of variables.
pub(super) fn of_vetted(vetted: &Option<Vetted>) -> Given<'_> {
    let Some(vetted) = vetted else {
        return Given::new();
    };
    let list =
        |names: &'_ [String]| Reading::List(names.iter().map(|it| it.clone().into()).collect());
    [
        ("vet.criteria", list(&vetted.criteria)),
        ("vet.reviewed", list(&vetted.reviewed)),
        ("vet.reviewed_in_change", list(&vetted.reviewed_in_change)),
        ("vet.violation", Reading::Bool(vetted.violation)),
    ]
    .into_iter()
    .filter_map(|(name, reading)| Some((variables::find(name)?.0, reading)))
    .collect()
}
