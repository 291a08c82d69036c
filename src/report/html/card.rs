//! One change on the page.

use jiff::Timestamp;

use crate::audit::{Audit, JudgedChange};
use crate::facts::AdvisoryFact;
use crate::report::{evidence, view, words};
use crate::risk::Signal;

use super::source::{self, Source, Upstream};
use super::time_line::{self, TimeLine};
use super::{Prose, Shown, Step, long, short, step};

pub(super) struct Card {
    /// Its place in the ranking, from one.
    pub(super) anchor: usize,
    pub(super) id: Shown,
    pub(super) package: Shown,
    pub(super) kind: &'static str,
    pub(super) movement: Shown,
    pub(super) place: Shown,
    pub(super) decision: &'static str,
    pub(super) word: &'static str,
    pub(super) score: u8,
    pub(super) level: &'static str,
    /// Likelihood and exposure, in words.
    pub(super) odds: String,
    pub(super) by_history: Option<String>,
    pub(super) evidence: u8,
    pub(super) why: Prose,
    pub(super) open: bool,
    pub(super) reasons: Vec<Because>,
    /// What records met: the rule, and the words.
    pub(super) met: Vec<(Shown, Prose)>,
    pub(super) signals: Vec<Contribution>,
    /// What holds for all of them.
    pub(super) of_all: Vec<Prose>,
    pub(super) links: Vec<Linked>,
    pub(super) advisories: Vec<Advisory>,
    pub(super) facts: Vec<(&'static str, Prose)>,
    pub(super) time_line: Option<TimeLine>,
    pub(super) source: Option<Source>,
    pub(super) upstream: Option<Upstream>,
    pub(super) forced: Option<Prose>,
    pub(super) paths: Vec<Prose>,
    pub(super) forces: Prose,
    pub(super) differences: Vec<(&'static str, Shown)>,
    pub(super) command: Option<String>,
    pub(super) note: Prose,
    pub(super) gaps: Vec<Gap>,
}

pub(super) struct Because {
    pub(super) decision: &'static str,
    pub(super) rule: Shown,
    pub(super) text: Prose,
    pub(super) way_out: Option<Step>,
}

pub(super) struct Contribution {
    pub(super) points: String,
    /// The width of the bar, 0 to 100.
    pub(super) bar: u32,
    pub(super) class: &'static str,
    pub(super) id: &'static str,
    pub(super) because: Prose,
    pub(super) facts: Vec<Prose>,
}

pub(super) struct Linked {
    pub(super) id: Shown,
    pub(super) strength: &'static str,
    pub(super) because: Prose,
}

pub(super) struct Advisory {
    pub(super) word: &'static str,
    pub(super) id: Shown,
    pub(super) about: Shown,
}

pub(super) struct Gap {
    pub(super) fact: &'static str,
    pub(super) reason: &'static str,
    pub(super) detail: Prose,
}

impl Card {
    pub(super) fn of(audit: &Audit, judged: &JudgedChange, anchor: usize, open: bool) -> Self {
        let change = &judged.change;
        let rollback = view::rollback(judged);
        let signals = &judged.assessment.signals;
        let of_all = facts_of_all(signals);
        let as_of: Timestamp = audit.comparison.as_of;
        Self {
            anchor,
            id: short(&change.id),
            package: short(&change.package),
            kind: change.kind.as_str(),
            movement: short(&words::move_of(change).replace("->", "→")),
            place: short(&words::place_of(change)),
            decision: judged.decision.as_str(),
            word: view::decision_word(judged.decision),
            score: judged.assessment.score,
            level: judged.assessment.level.as_str(),
            odds: words::odds(&judged.assessment),
            by_history: words::by_history(&judged.assessment),
            evidence: judged.assessment.evidence.percent(),
            why: Prose::of(&view::why(audit, judged), 220),
            open,
            reasons: view::reasons(audit, &change.id)
                .map(|reason| Because {
                    decision: reason.decision.as_str(),
                    rule: short(&reason.rule),
                    text: long(&reason.because),
                    way_out: reason.way_out.as_deref().map(step),
                })
                .collect(),
            met: evidence::met_of(audit, &change.id)
                .map(|met| (short(&met.reason.rule), long(&evidence::met(met))))
                .collect(),
            signals: signals
                .iter()
                .map(|one| contribution(one, &of_all))
                .collect(),
            of_all: of_all.iter().map(|fact| long(fact)).collect(),
            links: judged
                .links
                .iter()
                .map(|link| Linked {
                    id: short(&link.id),
                    strength: link.strength.as_str(),
                    because: long(&link.because),
                })
                .collect(),
            advisories: advisories(judged),
            facts: view::facts(judged)
                .into_iter()
                .map(|(name, text)| (name, long(&text)))
                .collect(),
            time_line: time_line::of(judged, as_of),
            source: source::source(judged),
            upstream: source::upstream(judged),
            forced: change.forced_by.as_ref().map(|forced| {
                let mut chain = forced.chain.clone();
                chain.push(change.id.clone());
                long(&format!("{}: {}", chain.join(" → "), forced.because))
            }),
            paths: change
                .paths
                .iter()
                .map(|path| long(&path.join(" → ")))
                .collect(),
            forces: long(&change.forces.join(", ")),
            differences: differences(judged),
            command: rollback.command,
            note: long(&rollback.note),
            gaps: judged
                .dossier
                .gaps()
                .iter()
                .map(|gap| Gap {
                    fact: gap.fact.as_str(),
                    reason: gap.reason.as_str(),
                    detail: long(&gap.detail),
                })
                .collect(),
        }
    }
}

/// Facts that every one of several signals rests on, so that they are said once.
fn facts_of_all(signals: &[Signal]) -> Vec<&str> {
    let Some((first, others)) = signals.split_first() else {
        return Vec::new();
    };
    let facts = first
        .facts
        .iter()
        .filter(|fact| !others.is_empty() && others.iter().all(|other| other.facts.contains(fact)));
    facts.map(String::as_str).collect()
}

fn contribution(signal: &Signal, of_all: &[&str]) -> Contribution {
    Contribution {
        points: format!("{:+}", signal.points),
        bar: (signal.points.unsigned_abs() * 2).clamp(1, 100),
        class: if signal.points < 0 { "minus" } else { "plus" },
        id: signal.id,
        because: long(&signal.because),
        facts: signal
            .facts
            .iter()
            .filter(|fact| !of_all.contains(&fact.as_str()))
            .take(12)
            .map(|fact| long(fact))
            .collect(),
    }
}

fn advisories(judged: &JudgedChange) -> Vec<Advisory> {
    let Some(delta) = view::advisories(judged) else {
        return Vec::new();
    };
    let one = |word: &'static str| {
        move |fact: &AdvisoryFact| Advisory {
            word,
            id: short(&fact.id),
            about: short(&about(fact)),
        }
    };
    let introduced = delta.introduced.iter().map(one("introduced"));
    let fixed = delta.fixed.iter().map(one("fixed"));
    let remaining = delta.remaining.iter().map(one("remaining"));
    introduced.chain(fixed).chain(remaining).collect()
}

/// Kind, other names and where it is repaired.
pub(super) fn about(fact: &AdvisoryFact) -> String {
    let mut text = words::advisory_kind(fact);
    if !fact.aliases.is_empty() {
        text.push_str(", ");
        text.push_str(&fact.aliases.join(", "));
    }
    if !fact.patched.is_empty() {
        text.push_str("; repaired in ");
        text.push_str(&fact.patched.join(" or "));
    }
    text
}

fn differences(judged: &JudgedChange) -> Vec<(&'static str, Shown)> {
    let change = &judged.change;
    let features = &change.features;
    let join = |names: &std::collections::BTreeSet<String>| {
        names.iter().cloned().collect::<Vec<_>>().join(", ")
    };
    [
        ("dependencies gained", change.dependencies_gained.join(", ")),
        ("dependencies lost", change.dependencies_lost.join(", ")),
        ("features gained", join(&features.target_gained)),
        ("features lost", join(&features.target_lost)),
        ("host features gained", join(&features.host_gained)),
        ("host features lost", join(&features.host_lost)),
        ("compiled for", join(&change.placement.targets)),
        ("needed by", join(&change.placement.members)),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .map(|(name, text)| (name, Shown::of(&text, 600)))
    .collect()
}
