//! The incoming release was withdrawn.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "yanked-release",
    title: "the incoming release was withdrawn",
    docs: Docs {
        what: "Whether the release that comes in is withdrawn now.",
        why: "Authors withdraw a release because it does harm, and cargo no longer chooses it for anybody new.",
        example: "The lock file names `0.3.17`, which was withdrawn.",
    },
    looks_at: &[FactKind::Yanked],
    grades: &[],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    if !input.dossier.yanked.seen()?.incoming {
        return None;
    }
    let name = wording::incoming(input.change);
    Some(
        Raised::new(format!("{name} was withdrawn by its authors"))
            .fact(format!("index: {name} is yanked")),
    )
}
