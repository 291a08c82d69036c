//! Which change forced which: the reasons of all workspaces put together, one
//! chosen for each change, chains and their inverse written down.

use std::collections::BTreeSet;

use super::ForcedBy;
use super::draft::{Draft, Pair};
use super::forest::{self, Known};
use super::reason::{Changed, Found, Ground, unsure_text};
use crate::snapshot::DeclaredRequirements;

/// How many ids chains may hold together. Real differences stay far below;
/// a made-up graph that is one long line would hold the square of its length.
const MAX_CHAIN_IDS: usize = 250_000;

/// Fills `forced_by` and `forces` of the drafts. Returns the ids that the tree's
/// manifests ask for, and what kept the reasons from being complete. The drafts come sorted by id.
pub(super) fn attribute(
    pairs: &[Pair<'_>],
    declared: &DeclaredRequirements,
    drafts: &mut [Draft],
) -> (BTreeSet<String>, Vec<String>) {
    let changed = changed(pairs, drafts);
    let found: Vec<Found<'_>> = drafts
        .iter()
        .enumerate()
        .map(|(own, draft)| {
            let mut found = Found::default();
            for spot in &draft.spots {
                let (pair, changed) = (&pairs[spot.workspace], &changed[spot.workspace]);
                Ground {
                    pair,
                    changed,
                    declared,
                }
                .look(own, draft.change.kind, *spot, &mut found);
            }
            settle(&mut found, draft);
            found
        })
        .collect();
    let known: Vec<Known> = found.iter().map(|found| found.known.clone()).collect();
    let parents = forest::choose(&known);
    let texts: Vec<String> = (0..drafts.len())
        .map(|change| {
            let Some(parent) = parents[change] else {
                return String::new();
            };
            let reason = found[change]
                .reasons
                .iter()
                .find(|reason| reason.cause.parent == parent);
            reason.map_or_else(
                || unsure_text(&drafts[parent], &drafts[change]),
                |reason| reason.text(),
            )
        })
        .collect();
    let decided = known
        .iter()
        .zip(drafts.iter())
        .filter(|(known, _)| known.decided);
    let asked_for = decided.map(|(_, draft)| draft.change.id.clone()).collect();
    let mut notes = notes(pairs, drafts, &found, &parents);
    notes.extend(write_chains(drafts, &parents, texts));
    (asked_for, notes)
}

/// The change of each package, by workspace.
fn changed(pairs: &[Pair<'_>], drafts: &[Draft]) -> Vec<Changed> {
    let mut changed: Vec<Changed> = pairs
        .iter()
        .map(|pair| Changed {
            base: vec![None; pair.base.len()],
            head: vec![None; pair.head.len()],
        })
        .collect();
    for (at, draft) in drafts.iter().enumerate() {
        for spot in &draft.spots {
            let of_workspace = &mut changed[spot.workspace];
            if let Some(base) = spot.base {
                of_workspace.base[base] = Some(at);
            }
            if let Some(head) = spot.head {
                of_workspace.head[head] = Some(at);
            }
        }
    }
    changed
}

/// Keeps of the possible causes those that the choice may use.
fn settle(found: &mut Found<'_>, draft: &Draft) {
    let known = &mut found.known;
    known.direct = draft.change.placement.direct;
    if found.blurred || !known.causes.is_empty() {
        known.one_of.clear();
    }
    known.one_of.sort_unstable();
    known.one_of.dedup();
}

/// What could not be told, by workspace.
fn notes(
    pairs: &[Pair<'_>],
    drafts: &[Draft],
    found: &[Found<'_>],
    parents: &[Option<usize>],
) -> Vec<String> {
    let mut notes = Vec::new();
    for (workspace, pair) in pairs.iter().enumerate() {
        let here = |at: usize| {
            drafts[at]
                .spots
                .iter()
                .any(|spot| spot.workspace == workspace)
        };
        let mut mute: BTreeSet<usize> = BTreeSet::new();
        for (at, found) in found.iter().enumerate() {
            if parents[at].is_none() && !found.known.decided && here(at) {
                mute.extend(found.mute.iter().filter(|cause| here(**cause)));
            }
        }
        if !mute.is_empty() {
            let (count, noun) = (
                mute.len(),
                if mute.len() == 1 {
                    "package"
                } else {
                    "packages"
                },
            );
            notes.push(format!(
                "`{}`: the requirements of {count} changed {noun} are not known, so what they forced \
                 is seen only where a dependency is new or gone",
                pair.path
            ));
        }
        if pair.resolved.0 != pair.resolved.1 {
            notes.push(format!(
                "`{}`: only one of the two graphs is resolved, so features and placement are not compared",
                pair.path
            ));
        }
    }
    notes
}

fn write_chains(
    drafts: &mut [Draft],
    parents: &[Option<usize>],
    texts: Vec<String>,
) -> Option<String> {
    let ids: Vec<String> = drafts.iter().map(|draft| draft.change.id.clone()).collect();
    let mut chains: Vec<Vec<usize>> = Vec::with_capacity(drafts.len());
    let mut held = 0;
    let mut short = false;
    for change in 0..drafts.len() {
        let mut chain: Vec<usize> =
            std::iter::successors(parents[change], |at| parents[*at]).collect();
        held += chain.len();
        if held > MAX_CHAIN_IDS && chain.len() > 2 {
            short = true;
            chain = chain
                .first()
                .into_iter()
                .chain(chain.last())
                .copied()
                .collect();
        }
        chain.reverse();
        chains.push(chain);
    }
    for (change, (chain, because)) in chains.into_iter().zip(texts).enumerate() {
        for ancestor in &chain {
            drafts[*ancestor].change.forces.push(ids[change].clone());
        }
        let Some(root) = chain.first().map(|root| ids[*root].clone()) else {
            continue;
        };
        let chain = chain.into_iter().map(|at| ids[at].clone()).collect();
        drafts[change].change.forced_by = Some(ForcedBy {
            root,
            chain,
            because,
        });
    }
    short.then(|| "some chains of causes are too long and show only their ends".to_owned())
}
