//! The size of the step between versions.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::diff::ChangeKind;
use crate::pkg::Step;
use semver::Version;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "version-step",
    title: "the size of the step between versions",
    docs: Docs {
        what: "The step from the outgoing to the incoming version: minor, major, to a pre-release, or down.",
        why: "The larger the step, the more code is new, and the less its author promises. Going down takes repairs away.",
        example: "`1.4.2` to `2.0.0` is a major step; `0.4.2` to `0.5.0` is one too.",
    },
    looks_at: &[],
    grades: &["minor", "major", "prerelease", "downgrade"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let (from, to) = (input.change.outgoing()?, input.change.incoming()?);
    let grade = match input.change.kind {
        ChangeKind::Upgraded | ChangeKind::Downgraded | ChangeKind::SourceMoved => {
            grade(&from.version, &to.version)?
        }
        ChangeKind::Added
        | ChangeKind::Removed
        | ChangeKind::Duplicated
        | ChangeKind::Merged
        | ChangeKind::ContentChanged
        | ChangeKind::FeaturesChanged
        | ChangeKind::PlacementChanged => return None,
    };
    let because = format!(
        "{} {} to {}: {}",
        input.change.package,
        from.version,
        to.version,
        said(grade)
    );
    Some(
        Raised::graded(grade, because)
            .fact(format!("lock files: {} and {}", from.version, to.version)),
    )
}

/// The grade of a step; none for a patch.
fn grade(from: &Version, to: &Version) -> Option<&'static str> {
    match Step::between(from, to) {
        Step::Same | Step::Patch => None,
        Step::Minor => Some("minor"),
        Step::Major => Some("major"),
        Step::Prerelease if to.pre.is_empty() => None,
        Step::Prerelease => Some("prerelease"),
        Step::Downgrade => Some("downgrade"),
    }
}

/// A grade in words.
fn said(grade: &str) -> &'static str {
    match grade {
        "minor" => "a feature release",
        "major" => "an incompatible release",
        "prerelease" => "a pre-release",
        _ => "a step back, which takes repairs away",
    }
}
