//! How bad an advisory is, as a grade of the model.

use crate::facts::{AdvisoryFact, Severity};

/// The grades, the worst first. An advisory without a severity stands where
/// most of the rated ones do.
pub(super) const GRADES: &[&str] = &[
    "critical", "high", "unrated", "medium", "unsound", "low", "notice",
];

/// The grade of one advisory.
fn grade(advisory: &AdvisoryFact) -> &'static str {
    match (advisory.informational.as_deref(), advisory.severity) {
        (Some("unsound"), _) => "unsound",
        (Some(_), _) => "notice",
        (None, Some(Severity::Critical)) => "critical",
        (None, Some(Severity::High)) => "high",
        (None, Some(Severity::Medium)) => "medium",
        (None, Some(Severity::Low | Severity::None)) => "low",
        (None, None) => "unrated",
    }
}

/// The worst grade of some advisories.
pub(super) fn worst(advisories: &[AdvisoryFact]) -> Option<&'static str> {
    let rank = |grade: &&'static str| GRADES.iter().position(|known| known == grade);
    advisories.iter().map(grade).min_by_key(rank)
}

/// Each advisory as a fact with its source.
pub(super) fn facts(advisories: &[AdvisoryFact]) -> Vec<String> {
    advisories
        .iter()
        .map(|advisory| {
            format!(
                "advisory database: {} of {} applies to {} {} ({})",
                advisory.id,
                advisory.date,
                advisory.package,
                advisory.version,
                grade(advisory)
            )
        })
        .collect()
}
