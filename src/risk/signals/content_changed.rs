//! The same version with other content.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::diff::ChangeKind;
use crate::pkg::Release;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "content-changed",
    title: "the same version with other content",
    docs: Docs {
        what: "A registry release whose checksum differs between the two lock files.",
        why: "A published release never changes. If the checksum does, one of the two lock files was tampered with, or names another registry.",
        example: "`1.0.5` with two different checksums.",
    },
    looks_at: &[],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let change = input.change;
    let incoming = change.incoming()?;
    if change.kind != ChangeKind::ContentChanged || !incoming.source.is_registry() {
        return None;
    }
    let name = wording::named(change, incoming);
    let sum = |release: Option<&Release>| {
        release
            .and_then(|release| release.checksum.clone())
            .unwrap_or_else(|| "none".to_owned())
    };
    let fact = format!(
        "lock files: checksum {} became {}",
        sum(change.outgoing()),
        sum(Some(incoming))
    );
    Some(
        Raised::new(format!(
            "{name} is not the {name} it was: its checksum changed"
        ))
        .fact(fact),
    )
}
