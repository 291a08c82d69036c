//! How durations, releases and their sources are put into words.

use crate::diff::Change;
use crate::facts::{SourceDelta, SourceFinding};
use crate::pkg::Release;

/// A duration in days in words: "3 hours", "1 day", "12 days", "3.2 years".
pub(super) fn days(days: f64) -> String {
    let count = |number: f64, unit: &str| {
        let plural = if number == 1.0 { "" } else { "s" };
        format!("{number} {unit}{plural}")
    };
    if days < 0.0 {
        "less than no time".to_owned()
    } else if days < 1.0 {
        count((days * 24.0).floor(), "hour")
    } else if days < 730.0 {
        count(days.floor(), "day")
    } else {
        format!("{:.1} years", days / 365.25)
    }
}

/// A count of things in words.
pub(super) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// A release of a change's package.
pub(super) fn named(change: &Change, release: &Release) -> String {
    format!("{} {}", change.package, release.version)
}

/// The release that comes in, as the facts call it.
pub(super) fn incoming(change: &Change) -> String {
    change
        .incoming()
        .or(change.to.last())
        .map_or_else(|| change.package.clone(), |release| named(change, release))
}

/// At most four names, and how many more there are.
pub(super) fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.iter().take(4).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(4) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Findings in the source in words.
pub(super) struct InSource {
    /// What was found, a few of them.
    pub(super) names: String,
    /// Each with its places.
    pub(super) facts: Vec<String>,
}

/// So many findings are shown as facts of one signal.
const SHOWN_FINDINGS: usize = 6;

/// The findings that a signal is about; `None` when there is none.
pub(super) fn source_findings(
    delta: &SourceDelta,
    about: impl Fn(&SourceFinding) -> bool,
) -> Option<InSource> {
    let found: Vec<&SourceFinding> = delta.findings.iter().filter(|f| about(f)).collect();
    if found.is_empty() {
        return None;
    }
    let facts = found
        .iter()
        .take(SHOWN_FINDINGS)
        .map(|finding| {
            let places: Vec<String> = finding.witnesses.iter().map(ToString::to_string).collect();
            let more = finding.count.saturating_sub(places.len());
            let more = if more > 0 {
                format!("; {more} more")
            } else {
                String::new()
            };
            format!(
                "source: {} {}, {}{more}",
                finding.shift.as_str(),
                finding.what,
                places.join("; ")
            )
        })
        .collect();
    Some(InSource {
        names: some_of(found.iter().map(|finding| finding.what.as_str())),
        facts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_a_fitting_unit() {
        assert_eq!(days(0.1), "2 hours");
        assert_eq!(days(1.9), "1 day");
        assert_eq!(days(12.0), "12 days");
        assert_eq!(days(1000.0), "2.7 years");
        assert_eq!(days(-2.0), "less than no time");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some_of(["a", "b"]), "a, b");
        assert_eq!(
            some_of(["a", "b", "c", "d", "e", "f"]),
            "a, b, c, d and 2 more"
        );
    }
}
