//! The minor version gets many patches, and is the newest.

use super::{Definition, Docs, Input, Parameters, Raised, of_many};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "patched-line",
    title: "its minor version is the newest and gets patches",
    docs: Docs {
        what: "How many releases the minor version had in the year before the day of judgement, as long as no newer one is out.",
        why: "Where patches came, more come; after the next minor version they become rare. It counts in the likelihood of another patch, and gives no points.",
        example: "An update to `0.12.9`, where `0.12.0` is of this year and there is no `0.13`.",
    },
    looks_at: &[FactKind::History],
    grades: &[],
    parameters: &["full-at"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let incoming = input.change.incoming()?;
    let pace = input.dossier.history.seen()?.pace;
    if pace.newer_minor || pace.minor_releases_365d == 0 {
        return None;
    }
    let told = wording::count(pace.minor_releases_365d, "release");
    let version = &incoming.version;
    let minor = format!("{}.{}", version.major, version.minor);
    Some(
        Raised::new(format!("{minor} is the newest, with {told} in a year"))
            .share(of_many(pace.minor_releases_365d, parameters.get("full-at")))
            .fact(format!("index: {told} of {minor} in 365 days")),
    )
}
