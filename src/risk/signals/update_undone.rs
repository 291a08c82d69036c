//! Earlier updates of the package that did harm here.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::{EarlierUpdate, FactKind};

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: crate::risk::UPDATE_UNDONE,
    title: "earlier updates of it were undone or did harm",
    docs: Docs {
        what: "What the ledger has of earlier updates of the package: rolled back, the cause of an incident, repaired by a later release.",
        why: "What hurt here before hurts here again: the use that breaks is still the same.",
        example: "The last two updates of this library were rolled back.",
    },
    looks_at: &[FactKind::Outcomes],
    grades: &["this-version", "last-updates", "earlier"],
    parameters: &["last-updates-from"],
    check,
};

/// So many records are shown as facts.
const SHOWN: usize = 5;

fn check(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<Raised> {
    let incoming = input.change.incoming()?.version.to_string();
    let outcomes = input.dossier.outcomes.seen()?;
    let package = &input.change.package;
    let this = outcomes
        .updates
        .iter()
        .find(|update| update.version == incoming)
        .filter(|update| !update.harms.is_empty());
    if let Some(this) = this {
        let because = format!("{package} {incoming} was {} before", what(&[this]));
        return Some(Raised::graded("this-version", because).facts(facts(&[this])));
    }
    // The update under judgement may have been recorded by an earlier audit of it.
    let earlier: Vec<&EarlierUpdate> = outcomes
        .updates
        .iter()
        .filter(|update| update.version != incoming)
        .collect();
    let harmful = |update: &&EarlierUpdate| !update.harms.is_empty();
    let bad: Vec<&EarlierUpdate> = earlier.iter().copied().filter(harmful).collect();
    let last: Vec<&EarlierUpdate> = earlier.iter().copied().take_while(harmful).collect();
    if bad.is_empty() {
        return None;
    }
    if last.len() as f64 >= parameters.get("last-updates-from") {
        let because = match last.len() {
            1 => format!("the last update of {package} was {}", what(&last)),
            2 => format!("the last two updates of {package} were {}", what(&last)),
            many => format!("the last {many} updates of {package} were {}", what(&last)),
        };
        return Some(Raised::graded("last-updates", because).facts(facts(&last)));
    }
    let because = match (bad.len(), earlier.len()) {
        (_, 1) => format!("the last update of {package} was {}", what(&bad)),
        (1, all) => format!(
            "1 of the last {all} updates of {package} was {}",
            what(&bad)
        ),
        (some, all) => format!(
            "{some} of the last {all} updates of {package} were {}",
            what(&bad)
        ),
    };
    Some(Raised::graded("earlier", because).facts(facts(&bad)))
}

/// What happened to updates, the words of each but once.
fn what(updates: &[&EarlierUpdate]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for harm in updates.iter().flat_map(|update| &update.harms) {
        if !words.contains(&harm.what.as_str()) {
            words.push(&harm.what);
        }
    }
    words.join(" or ")
}

fn facts(updates: &[&EarlierUpdate]) -> Vec<String> {
    updates
        .iter()
        .flat_map(|update| update.harms.iter().map(move |harm| (update, harm)))
        .take(SHOWN)
        .map(|(update, harm)| {
            let incident = harm
                .incident
                .as_ref()
                .map(|id| format!(" ({id})"))
                .unwrap_or_default();
            format!(
                "ledger: {} {} in {}, {}{incident}, entry {}",
                update.version,
                harm.what,
                harm.repository,
                harm.at.strftime("%Y-%m-%d"),
                harm.entry.get(..12).unwrap_or(&harm.entry),
            )
        })
        .collect()
}
