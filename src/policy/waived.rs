//! Which exemptions were used, which have expired, and which match nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::diff::Change;

use super::exempt::Exemption;
use super::validated::Policy;
use super::{Exempted, Present, Subject};

/// The id of what is said of exemptions that have expired.
pub(super) const EXPIRED: &str = "exemption-expired";
/// The id of what is said of exemptions that match nothing.
pub(super) const UNUSED: &str = "exemption-unused";

/// How many exemptions of one kind are named one by one.
const NAMED: usize = 10;

/// The exemptions of a policy while changes are judged.
pub(super) struct Waivers<'a> {
    as_of: Date,
    exemptions: &'a [Exemption],
    by_package: BTreeMap<&'a str, Vec<usize>>,
    /// Rules that were waived, by exemption and place of the change.
    used: BTreeMap<(usize, usize), BTreeSet<String>>,
    /// Rules that would have been waived had the exemption not expired.
    too_late: BTreeMap<usize, BTreeSet<String>>,
}

impl<'a> Waivers<'a> {
    pub(super) fn new(policy: &'a Policy, as_of: Date) -> Self {
        let mut by_package: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, exemption) in policy.exemptions.iter().enumerate() {
            by_package
                .entry(&exemption.package)
                .or_default()
                .push(place);
        }
        Self {
            as_of,
            exemptions: &policy.exemptions,
            by_package,
            used: BTreeMap::new(),
            too_late: BTreeMap::new(),
        }
    }

    /// Whether a rule does not apply to a change. Every exemption that says so
    /// counts as used.
    pub(super) fn waive(&mut self, place: usize, change: &Change, rule: &str) -> bool {
        let Some(places) = self.by_package.get(change.package.as_str()) else {
            return false;
        };
        let mut waived = false;
        for at in places {
            let Some(exemption) = self.exemptions.get(*at) else {
                continue;
            };
            if !exemption.rules.iter().any(|id| id == rule) || !exemption.covers(change) {
                continue;
            }
            if exemption.expired(self.as_of) {
                self.too_late
                    .entry(*at)
                    .or_default()
                    .insert(rule.to_owned());
            } else {
                waived = true;
                self.used
                    .entry((*at, place))
                    .or_default()
                    .insert(rule.to_owned());
            }
        }
        waived
    }

    /// The exemptions that were used.
    pub(super) fn exempted(&self, subjects: &[Subject<'_>]) -> Vec<Exempted> {
        self.used
            .iter()
            .filter_map(|((at, place), rules)| {
                let exemption = self.exemptions.get(*at)?;
                let quoted: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
                Some(Exempted {
                    change: subjects.get(*place)?.change.id.clone(),
                    rules: rules.iter().cloned().collect(),
                    reason: exemption.reason.clone(),
                    by: exemption.by.clone(),
                    until: exemption.until,
                    origin: exemption.origin.clone(),
                    text: format!(
                        "{} does not apply until {}: {} ({})",
                        quoted.join(", "),
                        exemption.until,
                        exemption.reason,
                        exemption.label()
                    ),
                })
            })
            .collect()
    }

    /// The expired ones; those that would have mattered first.
    pub(super) fn expired(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for wanted in [true, false] {
            for (at, exemption) in self.exemptions.iter().enumerate() {
                if !exemption.expired(self.as_of) || self.too_late.contains_key(&at) != wanted {
                    continue;
                }
                let late = match self.too_late.get(&at) {
                    Some(rules) => {
                        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
                        format!("; it no longer covers {}", rules.join(", "))
                    }
                    None => String::new(),
                };
                texts.push(format!(
                    "{} ended on {}{late}",
                    exemption.label(),
                    exemption.until
                ));
            }
        }
        texts
    }

    /// Those that match nothing, or whose rules do not apply to what they match.
    pub(super) fn unused(
        &self,
        subjects: &[Subject<'_>],
        present: Option<&Present<'_>>,
    ) -> Vec<String> {
        let used: BTreeSet<usize> = self.used.keys().map(|(at, _)| *at).collect();
        let mut changes: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for subject in subjects {
            changes
                .entry(&subject.change.package)
                .or_default()
                .push(subject.change);
        }
        let mut texts = Vec::new();
        for (at, exemption) in self.exemptions.iter().enumerate() {
            if used.contains(&at) || exemption.expired(self.as_of) {
                continue;
            }
            let of_package = changes.get(exemption.package.as_str());
            let covers = of_package.is_some_and(|all| all.iter().any(|it| exemption.covers(it)));
            let held = present.is_some_and(|present| {
                let versions = present.packages.get(exemption.package.as_str());
                versions.is_some_and(|all| all.iter().any(|it| exemption.covers_version(it)))
            });
            if covers {
                texts.push(format!(
                    "{}: none of its rules applies now",
                    exemption.label()
                ));
            } else if !held {
                texts.push(format!("{} matches nothing", exemption.label()));
            }
        }
        texts
    }
}

/// The first few, and how many more there are.
pub(super) fn listed(mut texts: Vec<String>) -> Vec<String> {
    let more = texts.len().saturating_sub(NAMED);
    if more > 0 {
        texts.truncate(NAMED);
        texts.push(format!("and {more} more"));
    }
    texts
}
