//! A fresh release that asks for a newer compiler.

use super::{Definition, Docs, Input, Parameters, Raised, freshness};
use crate::facts::FactKind;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "compiler-raised",
    title: "a fresh release that asks for a newer compiler",
    docs: Docs {
        what: "A release that is still fresh and declares a newer oldest compiler than the one it replaces, or declares one for the first time.",
        why: "Whoever builds with an older compiler is broken by it, and such releases are withdrawn more often than others.",
        example: "`rust-version` goes from `1.56` to `1.70` in a release of yesterday.",
    },
    looks_at: &[FactKind::PublishTime, FactKind::History],
    grades: &[],
    parameters: &["half-after-days", "until-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let published = input.dossier.published.seen()?;
    let declared = input.dossier.declared.seen()?;
    let version = declared.rust_version.as_ref()?;
    if !declared.rust_version_raised {
        return None;
    }
    let share = freshness(input, parameters)?;
    Some(
        Raised::new(format!("it asks for Rust {version} or newer"))
            .share(share)
            .fact(input.published(published))
            .fact(format!("index: rust_version {version}")),
    )
}
