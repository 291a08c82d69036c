//! A new package whose name may be taken for another's.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "look-alike",
    title: "a name that may be taken for another",
    docs: Docs {
        what: "A package that was not in the build before, and whose name is one slip away from that of a known crate or of one in the build. `young` for a crate that is new in the registry, `copy` where most of its code is that of the other.",
        why: "Names one letter off a famous one are how harmful packages come in. Old crates with such names are mostly harmless.",
        example: "A package `serde_jsom`, published last week.",
    },
    looks_at: &[FactKind::History],
    grades: &["copy", "old", "young"],
    parameters: &["young-days", "copied-share"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let found = input.dossier.look_alike.as_ref()?;
    let age = input.dossier.history.seen().map(|it| it.crate_age_days);
    let copied = found
        .same_lines
        .filter(|share| *share >= parameters.get("copied-share"));
    let young = age.is_none_or(|days| days < parameters.get("young-days"));
    let grade = match (copied, young) {
        (Some(_), _) => "copy",
        (None, true) => "young",
        (None, false) => "old",
    };
    let mut because = format!("its name differs from `{}` {}", found.of, found.how);
    if let Some(share) = copied {
        because.push_str(
            &format_args!(", and {:.0} % of its code stands there", share * 100.0).to_string(),
        );
    }
    match age {
        Some(days) if young => because
            .push_str(&format_args!("; the crate is {} old", wording::days(days)).to_string()),
        Some(_) => {}
        None => because.push_str("; the age of the crate is not known"),
    }
    Some(Raised::graded(grade, because).fact(format!("name: {}", found.of)))
}
