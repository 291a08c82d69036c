//! What the formats for people say about one change, in words that are not
//! escaped yet. Each format escapes for itself.

use crate::audit::{Audit, JudgedChange};
use crate::diff::ChangeKind;
use crate::facts::{AdvisoryDelta, Finding, Gap, Published};
use crate::policy::{self, Decision, Reason};
use crate::risk;
use crate::snapshot::InputKind;

use super::safe::is_plain_word;
use super::{evidence, words};

/// The reasons of the verdict that concern one change, in the verdict's order.
pub(super) fn reasons<'a>(audit: &'a Audit, id: &'a str) -> impl Iterator<Item = &'a Reason> {
    audit
        .verdict
        .reasons
        .iter()
        .filter(move |reason| reason.change.as_deref() == Some(id))
}

/// The change that a reason is about.
pub(super) fn subject<'a>(audit: &'a Audit, reason: &Reason) -> Option<&'a JudgedChange> {
    let id = reason.change.as_deref()?;
    audit.changes.iter().find(|judged| judged.change.id == id)
}

/// Why a change stands where it does: the first reason of the verdict, else what
/// adds most to its score, else nothing.
pub(super) fn why(audit: &Audit, judged: &JudgedChange) -> String {
    if let Some(reason) = reasons(audit, &judged.change.id).next() {
        return reason.because.clone();
    }
    if let Some(met) = evidence::met_of(audit, &judged.change.id).next() {
        return evidence::met(met);
    }
    let mut parts: Vec<&str> = judged
        .assessment
        .signals
        .iter()
        .filter(|signal| signal.points > 0 && signal.id != risk::LIMIT)
        .take(2)
        .map(|signal| signal.because.as_str())
        .collect();
    if parts.is_empty() {
        parts.extend(judged.links.first().map(|link| link.because.as_str()));
    }
    if parts.is_empty() {
        parts.extend(
            judged
                .change
                .forced_by
                .as_ref()
                .map(|by| by.because.as_str()),
        );
    }
    parts.join("; ")
}

/// The ways out that the reasons name, in the verdict's order. One can lead out
/// of several changes; each is said once, with the first change that it is for.
pub(super) fn ways_out(audit: &Audit) -> Vec<String> {
    let mut seen: Vec<&str> = Vec::new();
    let mut steps: Vec<String> = Vec::new();
    for reason in &audit.verdict.reasons {
        let way_out = reason.way_out.as_deref();
        let Some(step) = way_out.filter(|step| !seen.contains(step)) else {
            continue;
        };
        seen.push(step);
        steps.push(match &reason.change {
            Some(change) if audit.changes.len() > 1 => format!("{change}: {step}"),
            Some(_) | None => step.to_owned(),
        });
    }
    steps
}

/// A way out: a sentence, and lines of a policy that are there to be copied.
pub(super) fn sentence_and_lines(step: &str) -> (&str, Vec<&str>) {
    let mut lines = step.lines();
    let sentence = lines.next().unwrap_or_default();
    (sentence, lines.collect())
}

/// A way out where there are no lines.
pub(super) fn one_line(step: &str) -> String {
    let (sentence, lines) = sentence_and_lines(step);
    let lines: Vec<&str> = lines
        .into_iter()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.is_empty() {
        sentence.to_owned()
    } else {
        format!("{sentence} {}", lines.join("; "))
    }
}

/// Whether some updates are held back and others are not, between lock files.
pub(super) fn has_part_that_passes(audit: &Audit) -> bool {
    let has_lock = |kind: InputKind| match kind {
        InputKind::Git | InputKind::Worktree | InputKind::Directory | InputKind::Lock => true,
        InputKind::Metadata | InputKind::Executable | InputKind::Sbom => false,
    };
    let sides = [&audit.comparison.base, &audit.comparison.head];
    let updates = audit.changes.iter().filter(|judged| {
        matches!(
            judged.change.kind,
            ChangeKind::Upgraded | ChangeKind::Downgraded
        )
    });
    let (held, passing): (Vec<_>, Vec<_>) =
        updates.partition(|judged| judged.decision > Decision::Pass);
    sides.iter().all(|side| has_lock(side.input.kind)) && !held.is_empty() && !passing.is_empty()
}

/// The command that finds the largest set of updates that passes now.
pub(super) fn subset_command(audit: &Audit) -> Option<String> {
    has_part_that_passes(audit).then(|| format!("cargo-canary subset{}", evidence::builds(audit)))
}

/// The word for a decision in a table; a gap is called one.
pub(super) fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "pass",
        Decision::Canary => "canary",
        Decision::Incomplete => "incomplete",
        Decision::Block => "block",
    }
}

/// How one change is undone.
pub(super) struct Rollback {
    /// A command to paste, where one is safe to offer.
    pub(super) command: Option<String>,
    /// What else is to be known.
    pub(super) note: String,
}

/// The command that goes back to the release before, and what it does not say.
/// It is not tried here: whether it resolves is for `rollback` to find out.
/// None is offered to a release that is worse than the one that came in.
pub(super) fn rollback(judged: &JudgedChange) -> Rollback {
    let change = &judged.change;
    let forced = change.forced_by.as_ref().map(|forced| &forced.root);
    let note = |text: &str| Rollback {
        command: None,
        note: text.to_owned(),
    };
    match change.kind {
        ChangeKind::Upgraded | ChangeKind::Downgraded => {}
        ChangeKind::Added | ChangeKind::Duplicated => {
            return note(&match forced {
                Some(root) => format!("it goes when {root} goes back"),
                None => "take the dependency out of the manifest that asks for it".to_owned(),
            });
        }
        ChangeKind::Removed | ChangeKind::Merged => {
            return note(&match forced {
                Some(root) => format!("it comes back when {root} goes back"),
                None => "put the dependency back into the manifest that asked for it".to_owned(),
            });
        }
        ChangeKind::SourceMoved => {
            return note("put the source before back into the manifest or the `[patch]` section");
        }
        ChangeKind::ContentChanged | ChangeKind::FeaturesChanged | ChangeKind::PlacementChanged => {
            return note("put the manifests and the lock file before back");
        }
    }
    let (Some(from), Some(to)) = (change.outgoing(), change.incoming()) else {
        return note("put the lock file before back");
    };
    if let Some(against) = policy::against_going_back(&judged.dossier) {
        return note(&format!("{against}; a later release is the way"));
    }
    if !to.source.is_registry() || !is_plain_word(&change.package) {
        return note("put the manifests and the lock file before back");
    }
    Rollback {
        command: Some(format!(
            "cargo update -p {}@{} --precise {}",
            change.package, to.version, from.version
        )),
        note: match forced {
            Some(root) => format!("{root} forced this; it may have to go back first"),
            None if !change.forces.is_empty() => {
                "what it forced can stay or go back after it".to_owned()
            }
            None => String::new(),
        },
    }
}

/// The advisories of a change, where they were looked up.
pub(super) fn advisories(judged: &JudgedChange) -> Option<&AdvisoryDelta> {
    judged.dossier.advisories.seen()
}

/// What is known of the releases, by name. What is not known says so.
pub(super) fn facts(judged: &JudgedChange) -> Vec<(&'static str, String)> {
    let dossier = &judged.dossier;
    vec![
        ("comes in", words_of(&dossier.published, published)),
        ("goes out", words_of(&dossier.previous_published, published)),
        (
            "withdrawn",
            words_of(&dossier.yanked, |yanked| {
                let word = |is: bool| if is { "yes" } else { "no" };
                format!(
                    "what comes in: {}; what goes out: {}",
                    word(yanked.incoming),
                    word(yanked.outgoing)
                )
            }),
        ),
        (
            "later",
            words_of(&dossier.later, |later| {
                let releases: Vec<String> = later
                    .releases
                    .iter()
                    .take(5)
                    .map(|release| {
                        format!("{} after {:.1} days", release.version, release.after_days)
                    })
                    .collect();
                match releases.len() {
                    0 => "no later release in this line".to_owned(),
                    _ => releases.join(", "),
                }
            }),
        ),
        ("history", words_of(&dossier.history, words::history)),
    ]
}

fn published(published: &Published) -> String {
    format!(
        "published {}, {:.1} days before",
        published.at.strftime("%Y-%m-%d %H:%M UTC"),
        published.age_days
    )
}

fn words_of<T>(finding: &Finding<T>, words: impl Fn(&T) -> String) -> String {
    match finding {
        Finding::Seen(value) => words(value),
        Finding::Absent(scope) => scope.clone(),
        Finding::Unknown(gap) => format!("not known ({}): {}", gap.reason.as_str(), gap.detail),
    }
}

/// Gaps that say the same about several changes, as one.
pub(super) struct GapGroup<'a> {
    /// The kinds of fact that are missing.
    pub(super) facts: Vec<&'static str>,
    /// The reason's name.
    pub(super) reason: &'static str,
    /// The changes; empty for the whole difference.
    pub(super) ids: Vec<&'a str>,
    /// In words, from the first of them.
    pub(super) detail: String,
}

/// All gaps: those with one reason about the same changes are one group,
/// whatever facts they lack.
pub(super) fn gap_groups(audit: &Audit) -> Vec<GapGroup<'_>> {
    use std::collections::BTreeMap;
    let mut by_fact: BTreeMap<_, (Vec<&str>, Gap)> = BTreeMap::new();
    for (id, gap) in audit.gaps() {
        let entry = by_fact
            .entry((gap.reason, gap.fact))
            .or_insert_with(|| (Vec::new(), gap));
        entry.0.extend(id);
    }
    let mut groups: BTreeMap<_, GapGroup<'_>> = BTreeMap::new();
    for ((reason, fact), (ids, gap)) in by_fact {
        groups
            .entry((reason, ids.clone()))
            .or_insert_with(|| GapGroup {
                facts: Vec::new(),
                reason: reason.as_str(),
                ids,
                detail: gap.detail,
            })
            .facts
            .push(fact.as_str());
    }
    groups.into_values().collect()
}
