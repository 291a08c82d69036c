//! A repair of the incoming release is already out.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "hotfix-out",
    title: "a repair of the incoming release is already out",
    docs: Docs {
        what: "A later patch of the same minor version that came within days of the incoming release.",
        why: "A patch that follows within days is most often the repair of a fault in what comes in.",
        example: "`1.10.0` comes in, and `1.10.1` was published two days after it.",
    },
    looks_at: &[FactKind::LaterReleases],
    grades: &[],
    parameters: &["within-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let incoming = &input.change.incoming()?.version;
    let later = input.dossier.later.seen()?;
    let within = parameters.get("within-days");
    let hotfix = later.releases.iter().find(|release| {
        (release.version.major, release.version.minor) == (incoming.major, incoming.minor)
            && release.version.patch > incoming.patch
            && release.version.pre.is_empty()
            && release.after_days < within
            && !release.yanked
    })?;
    let after = wording::days(hotfix.after_days.max(0.0));
    let because = format!(
        "{} came {after} after {incoming} and is out already",
        hotfix.version
    );
    Some(Raised::new(because).fact(format!(
        "index: {} {} published {after} after",
        input.change.package, hotfix.version
    )))
}
