//! Older releases of the line were withdrawn around this one.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::risk::wording;

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "yank-lure",
    title: "older releases of the line were withdrawn around this one",
    docs: Docs {
        what: "Withdrawn predecessors of a fresh release in its own line, and whether it is the only one left.",
        why: "Whoever took over a crate withdraws what was there, so that everybody resolves to the new release. After two weeks it is a line that was cleaned up.",
        example: "All of `0.4.1` to `0.4.6` are withdrawn, and `0.4.7` is a day old.",
    },
    looks_at: &[FactKind::YankCluster, FactKind::PublishTime],
    grades: &["only-one-left", "several"],
    parameters: &["at-least", "fresh-days"],
    check,
};

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    input.change.incoming()?;
    let cluster = input.dossier.yank_cluster.seen()?;
    let withdrawn = cluster.withdrawn.len();
    if (withdrawn as f64) < parameters.get("at-least") {
        return None;
    }
    if input.dossier.published.seen()?.age_days >= parameters.get("fresh-days") {
        return None;
    }
    let grade = if cluster.only_one_left {
        "only-one-left"
    } else {
        "several"
    };
    let of = wording::count(cluster.predecessors, "predecessor");
    let rest = if cluster.only_one_left {
        ", and nothing else of the line is left to choose"
    } else {
        ""
    };
    let because = format!("{withdrawn} of {of} in the line are withdrawn{rest}");
    let versions: Vec<String> = cluster.withdrawn.iter().map(ToString::to_string).collect();
    let listed = wording::some_of(versions.iter().map(String::as_str));
    Some(
        Raised::graded(grade, because)
            .fact(format!("index: {} {listed} yanked", input.change.package)),
    )
}
