//! Another version of a package that stays.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::diff::ChangeKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "second-version",
    title: "another version of a package that stays",
    docs: Docs {
        what: "A further version of a name that is in the graph already.",
        why: "Two versions are two copies of all state: two pools, two caches, two registries of metrics that do not know each other.",
        example: "`hyper` 0.14 stays and 1.4 comes in beside it.",
    },
    looks_at: &[],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    if input.change.kind != ChangeKind::Duplicated {
        return None;
    }
    let versions: Vec<String> = input
        .change
        .to
        .iter()
        .map(|release| release.version.to_string())
        .collect();
    let listed = wording::some_of(versions.iter().map(String::as_str));
    Some(
        Raised::new(format!(
            "{} is there in versions {listed}",
            input.change.package
        ))
        .fact(format!("lock file: {listed}")),
    )
}
