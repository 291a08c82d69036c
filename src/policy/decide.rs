//! What a policy makes of a difference.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::facts::{FactKind, Finding, Gap, GapReason};

use super::around::{Around, Given, Present, of_vetted};
use super::check::Scope;
use super::condition::{Judged, Readings};
use super::validated::{Policy, Rule};
use super::variables::Totals;
use super::waived::{EXPIRED, UNUSED, Waivers, listed};
use super::{
    Decision, Effect, Exempted, MIN_PUBLISH_AGE, Notice, RISK_BLOCK, RISK_CANARY, RatchetNews,
    Reason, Subject, Verdict, way_out,
};

/// How many signals the reason of a score names.
const SIGNALS: usize = 3;
/// From how many changes on the same kind of gap is one finding.
const MANY: usize = 4;

/// Judges every change and the difference as a whole.
///
/// `present` tells an exemption that is simply not touched by this difference
/// from one that matches nothing at all; without it, both are reported.
#[must_use]
pub fn decide(
    policy: &Policy,
    subjects: &[Subject<'_>],
    present: Option<&Present<'_>>,
    as_of: Date,
) -> Verdict {
    let around = Around {
        present,
        ..Around::default()
    };
    decide_among(policy, subjects, &around, as_of)
}

/// As [`decide`], with what stands around the changes.
#[must_use]
pub fn decide_among(
    policy: &Policy,
    subjects: &[Subject<'_>],
    around: &Around<'_>,
    as_of: Date,
) -> Verdict {
    let given: Vec<Given<'_>> = around.vetted.iter().map(of_vetted).collect();
    judge(policy, subjects, &given, &Given::new(), around, as_of)
}

/// As [`decide`], with values that are stated for each change, and for all of them.
pub(super) fn judge(
    policy: &Policy,
    subjects: &[Subject<'_>],
    given: &[Given<'_>],
    totals: &Given<'_>,
    around: &Around<'_>,
    as_of: Date,
) -> Verdict {
    let mut judge = Judge {
        policy,
        subjects,
        given,
        totals,
        as_of,
        waivers: Waivers::new(policy, as_of),
        found: Vec::new(),
    };
    for place in 0..subjects.len() {
        judge.change(place);
    }
    judge.difference();
    judge.cargo_settings();
    if let Some(news) = around.ratchet {
        judge.ratchet(news);
    }
    judge.exemptions(around.present);
    let Judge {
        mut found, waivers, ..
    } = judge;
    let mut by_change = vec![Decision::Pass; subjects.len()];
    for finding in &found {
        if let (Some(decision), Some(slot)) = (
            finding.effect.decision(),
            finding.change.and_then(|place| by_change.get_mut(place)),
        ) {
            *slot = decision.max(*slot);
        }
    }
    fold(policy, &mut found);
    fold_gaps(&mut found);
    let exempted = waivers.exempted(subjects);
    verdict(found, exempted, subjects, by_change)
}

/// The id of what is said of exemptions that were used.
const EXEMPTION_USED: &str = "exemption-used";

/// One thing that a rule, a threshold or a gap says.
#[derive(Debug)]
struct Found<'a> {
    rule: String,
    /// The place of the change.
    change: Option<usize>,
    effect: Effect,
    because: String,
    way_out: Option<String>,
    /// The gap it is about.
    gap: Option<(FactKind, Option<&'a Gap>)>,
    /// All rules that the gap kept from being judged.
    rules: Vec<String>,
}

struct Judge<'a, 's> {
    policy: &'a Policy,
    subjects: &'s [Subject<'a>],
    given: &'s [Given<'a>],
    totals: &'s Given<'a>,
    as_of: Date,
    waivers: Waivers<'a>,
    found: Vec<Found<'a>>,
}

/// The rules that could not be judged because of one gap, with the highest effect.
type Unjudged<'a> = BTreeMap<(FactKind, Option<&'a Gap>), (Effect, Vec<&'a str>)>;

impl<'a> Judge<'a, '_> {
    fn change(&mut self, place: usize) {
        let Some(subject) = self.subjects.get(place).copied() else {
            return;
        };
        let readings = Readings::of_change(&self.policy.reads, subject, self.given.get(place));
        let mut unjudged = Unjudged::new();
        let policy = self.policy;
        for rule in policy
            .rules
            .iter()
            .filter(|rule| rule.scope == Scope::Change)
        {
            let because = match rule.condition.judge(&readings) {
                Judged::DoesNotHold => continue,
                Judged::Unknown(gaps) => {
                    let rule = (rule.id.as_str(), rule.then);
                    self.unknown(place, subject, rule, gaps, &mut unjudged);
                    continue;
                }
                Judged::Holds => rule.reason.fill(&readings),
                Judged::Error(error) => not_evaluated(&error),
            };
            if self.waivers.waive(place, subject.change, &rule.id) {
                continue;
            }
            let way_out = way_out::of_rule(rule, subject, self.subjects, self.as_of);
            self.push(&rule.id, Some(place), rule.then, because, way_out);
        }
        self.score(place, subject);
        self.cooldown(place, subject, &mut unjudged);
        for ((fact, gap), (effect, rules)) in unjudged {
            self.found.push(Found {
                rule: rules.first().copied().unwrap_or_default().to_owned(),
                change: Some(place),
                effect,
                because: gap_in_words(fact, gap, &rules),
                way_out: Some(way_out::of_gap(fact, gap)),
                gap: Some((fact, gap)),
                rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            });
        }
    }

    /// A rule that depends on facts that could not be had: the setting of the
    /// worst of them decides. A rule that only warns never does more than that.
    fn unknown(
        &mut self,
        place: usize,
        subject: Subject<'a>,
        (id, then): (&'a str, Effect),
        gaps: Vec<(FactKind, Option<&'a Gap>)>,
        unjudged: &mut Unjudged<'a>,
    ) {
        let worst = gaps
            .into_iter()
            .filter_map(|(fact, gap)| {
                let effect = self.policy.gaps.setting(fact, gap).effect()?;
                let most = if then == Effect::Warn {
                    Effect::Warn
                } else {
                    effect
                };
                Some((effect.min(most), std::cmp::Reverse((fact, gap))))
            })
            .max();
        let Some((effect, std::cmp::Reverse(gap))) = worst else {
            return;
        };
        if self.waivers.waive(place, subject.change, id) {
            return;
        }
        let entry = unjudged.entry(gap).or_insert((effect, Vec::new()));
        entry.0 = entry.0.max(effect);
        entry.1.push(id);
    }

    fn score(&mut self, place: usize, subject: Subject<'a>) {
        let score = subject.assessment.score;
        let reached = |threshold: Option<u8>| threshold.is_some_and(|from| score >= from);
        let (id, effect) = if reached(self.policy.risk.block) {
            (RISK_BLOCK, Effect::Block)
        } else if reached(self.policy.risk.canary) {
            (RISK_CANARY, Effect::Canary)
        } else {
            return;
        };
        if self.waivers.waive(place, subject.change, id) {
            return;
        }
        let signals: Vec<String> = subject
            .assessment
            .signals
            .iter()
            .take(SIGNALS)
            .map(|signal| format!("{} {:+}", signal.id, signal.points))
            .collect();
        let because = format!(
            "risk score {score} ({}): {}",
            subject.assessment.level.as_str(),
            signals.join(", ")
        );
        let way_out = way_out::of_score(effect, id, subject, self.subjects, self.as_of);
        self.push(id, Some(place), effect, because, way_out);
    }

    /// How long the release has to wait: by the policy, or by Cargo's own settings.
    fn cooldown(&mut self, place: usize, subject: Subject<'a>, unjudged: &mut Unjudged<'a>) {
        let Some(wait) = self.policy.cooldown.wait(subject) else {
            return;
        };
        let then = self.policy.cooldown.then;
        let published = match &subject.dossier.published {
            Finding::Seen(published) => published,
            Finding::Absent(_) => return,
            Finding::Unknown(gap) if gap.reason == GapReason::NotApplicable => return,
            Finding::Unknown(gap) => {
                let gaps = vec![(gap.fact, Some(gap))];
                self.unknown(place, subject, (MIN_PUBLISH_AGE, then), gaps, unjudged);
                return;
            }
        };
        if published.age_days >= wait.days
            || self.waivers.waive(place, subject.change, MIN_PUBLISH_AGE)
        {
            return;
        }
        let because = format!(
            "published {} before; {} asks for {}",
            span(published.age_days),
            wait.from,
            span(wait.days)
        );
        let way_out = way_out::of_wait(then, subject, self.subjects, self.as_of, wait.days);
        self.push(MIN_PUBLISH_AGE, Some(place), then, because, way_out);
    }

    /// Settings of Cargo that could not be read: how long to wait is not known then.
    fn cargo_settings(&mut self) {
        let policy = self.policy;
        let Some(effect) = policy.gaps.setting(FactKind::PublishTime, None).effect() else {
            return;
        };
        let then = policy.cooldown.then;
        for unreadable in &policy.cooldown.cargo.unreadable {
            let effect = if then == Effect::Warn {
                Effect::Warn
            } else {
                effect
            };
            let because = format!("how long a release has to wait is not known: {unreadable}");
            let way_out = "correct it, or set `days` under `[cooldown]` in the policy";
            self.push(
                MIN_PUBLISH_AGE,
                None,
                effect,
                because,
                Some(way_out.to_owned()),
            );
        }
    }

    /// What is new of the kinds that the base's record holds.
    fn ratchet(&mut self, news: &RatchetNews) {
        let place_of = |package: &str| {
            let mut all = self.subjects.iter();
            all.position(|subject| subject.change.package == package)
        };
        let found: Vec<_> = news
            .news
            .iter()
            .map(|novelty| (novelty, place_of(&novelty.package)))
            .collect();
        for (novelty, place) in found {
            let subject = place.and_then(|place| self.subjects.get(place)).copied();
            let id = novelty.kind.rule();
            if let (Some(place), Some(subject)) = (place, subject)
                && self.waivers.waive(place, subject.change, id)
            {
                continue;
            }
            let then = self.policy.ratchet;
            let way_out = match subject {
                Some(subject) => way_out::of_news(then, id, subject, self.subjects, self.as_of),
                None => None,
            };
            self.push(id, place, then, novelty.because.clone(), way_out);
        }
        if news.gone > 0 {
            let (noun, verb) = if news.gone == 1 {
                ("entry", "is")
            } else {
                ("entries", "are")
            };
            let text = format!(
                "{} {noun} of the base's record {verb} gone and no longer counted; `cargo-canary policy baseline --shrink` takes them out",
                news.gone
            );
            self.push("ratchet", None, Effect::Warn, text, None);
        }
        let most = self.policy.ratchet;
        for (package, gap) in &news.gaps {
            let Some(effect) = self.policy.gaps.setting(gap.fact, Some(gap)).effect() else {
                continue;
            };
            let effect = if most == Effect::Warn {
                Effect::Warn
            } else {
                effect
            };
            let because = format!(
                "whether {package} brings in something new of what the base records could not be judged: {}",
                gap.detail
            );
            let way_out = way_out::of_gap(gap.fact, Some(gap));
            self.push("ratchet", None, effect, because, Some(way_out));
        }
    }

    /// The rules about the difference as a whole.
    fn difference(&mut self) {
        let totals = Totals::of(self.subjects);
        let readings = Readings::of_difference(&self.policy.reads, &totals, self.totals);
        let policy = self.policy;
        for rule in policy
            .rules
            .iter()
            .filter(|rule| rule.scope == Scope::Difference)
        {
            let because = match rule.condition.judge(&readings) {
                Judged::DoesNotHold => continue,
                Judged::Holds => rule.reason.fill(&readings),
                Judged::Error(error) => not_evaluated(&error),
                Judged::Unknown(_) => not_evaluated("a count of the changes is not known"),
            };
            self.push(&rule.id, None, rule.then, because, None);
        }
    }

    /// What exemptions do that are of no use any more.
    fn exemptions(&mut self, present: Option<&Present<'_>>) {
        let stale = self.policy.stale;
        let expired = self.waivers.expired();
        let unused = self.waivers.unused(self.subjects, present);
        let renew = "take them out of the policy, or give each a reason and a later `until`";
        let kinds = [
            (EXPIRED, stale.expired, expired, renew),
            (UNUSED, stale.unused, unused, "take them out of the policy"),
        ];
        for (id, effect, texts, way_out) in kinds {
            if effect != Effect::Warn && !texts.is_empty() {
                let because = listed(texts).join("; ");
                self.push(id, None, effect, because, Some(way_out.to_owned()));
                continue;
            }
            for text in listed(texts) {
                self.push(id, None, Effect::Warn, text, None);
            }
        }
    }

    fn push(
        &mut self,
        rule: &str,
        change: Option<usize>,
        effect: Effect,
        because: String,
        way_out: Option<String>,
    ) {
        self.found.push(Found {
            rule: rule.to_owned(),
            change,
            effect,
            because,
            way_out,
            gap: None,
            rules: Vec::new(),
        });
    }
}

/// Days as a person says them.
fn span(days: f64) -> String {
    let (number, unit) = if days.abs() < 1.0 {
        (days * 24.0, "hour")
    } else {
        (days, "day")
    };
    let number = format!("{number:.1}");
    let number = number.strip_suffix(".0").unwrap_or(&number);
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

fn not_evaluated(error: &str) -> String {
    format!("the condition could not be evaluated, which counts as a match: {error}")
}

fn gap_in_words(fact: FactKind, gap: Option<&Gap>, rules: &[&str]) -> String {
    let rules: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
    let why = match gap {
        Some(gap) => format!("{}: {}", gap.reason.as_str(), gap.detail),
        None => "it was not looked up".to_owned(),
    };
    format!(
        "{} could not be judged without `{}` ({why})",
        rules.join(", "),
        fact.as_str()
    )
}

/// Takes out what a rule about the whole difference stands for: findings of the
/// rules that it names, unless they weigh more than it does itself.
fn fold(policy: &Policy, found: &mut Vec<Found<'_>>) {
    let standing: Vec<(&Rule, usize)> = policy
        .rules
        .iter()
        .filter(|rule| !rule.summarises.is_empty())
        .filter_map(|rule| {
            let place = found
                .iter()
                .position(|it| it.change.is_none() && it.rule == rule.id)?;
            Some((rule, place))
        })
        .collect();
    let mut folded = vec![false; found.len()];
    for (rule, place) in standing {
        let mut count = 0_usize;
        for (finding, gone) in found.iter().zip(&mut folded) {
            let named = finding.change.is_some() && finding.gap.is_none();
            if named
                && rule.summarises.contains(&finding.rule)
                && finding.effect <= rule.then
                && !*gone
            {
                *gone = true;
                count += 1;
            }
        }
        if let Some(finding) = found.get_mut(place).filter(|_| count > 0) {
            let named: Vec<String> = rule.summarises.iter().map(|id| format!("`{id}`")).collect();
            finding.because = format!(
                "{} (stands for {count} findings of {})",
                finding.because,
                named.join(", ")
            );
        }
    }
    let mut gone = folded.into_iter();
    found.retain(|_| !gone.next().unwrap_or(false));
}

/// Takes findings about one and the same kind of gap together when there are
/// many of them: they have one cause and one way out.
fn fold_gaps(found: &mut Vec<Found<'_>>) {
    let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (place, finding) in found.iter().enumerate() {
        if let Some((fact, gap)) = finding.gap {
            let key = (
                finding.effect,
                finding.rules.clone(),
                fact,
                gap.map(|gap| gap.reason),
            );
            alike.entry(key).or_default().push(place);
        }
    }
    let mut gone = vec![false; found.len()];
    for places in alike.into_values().filter(|places| places.len() >= MANY) {
        for (nth, place) in places.iter().enumerate() {
            if nth > 0 {
                if let Some(gone) = gone.get_mut(*place) {
                    *gone = true;
                }
            } else if let Some(first) = found.get_mut(*place) {
                first.change = None;
                first.because = format!("for {} changes: {}", places.len(), first.because);
            }
        }
    }
    let mut gone = gone.into_iter();
    found.retain(|_| !gone.next().unwrap_or(false));
}

/// Sorts what was found into reasons and notices.
fn verdict(
    found: Vec<Found<'_>>,
    mut exempted: Vec<Exempted>,
    subjects: &[Subject<'_>],
    by_change: Vec<Decision>,
) -> Verdict {
    let id_of = |place: Option<usize>| {
        place
            .and_then(|place| subjects.get(place))
            .map(|subject| subject.change.id.clone())
    };
    exempted.sort();
    // What the reader should know about the exemptions that were used.
    let mut notices: Vec<Notice> = exempted
        .iter()
        .map(|used| Notice {
            rule: EXEMPTION_USED.to_owned(),
            change: Some(used.change.clone()),
            text: used.text.clone(),
        })
        .collect();
    let mut reasons: Vec<(u8, Reason)> = Vec::new();
    for finding in found {
        let change = id_of(finding.change);
        match finding.effect.decision() {
            Some(decision) => {
                let score = finding
                    .change
                    .and_then(|place| subjects.get(place))
                    .map_or(u8::MAX, |subject| subject.assessment.score);
                let reason = Reason {
                    rule: finding.rule,
                    change,
                    decision,
                    because: finding.because,
                    way_out: finding.way_out,
                };
                reasons.push((score, reason));
            }
            None => notices.push(Notice {
                rule: finding.rule,
                change,
                text: finding.because,
            }),
        }
    }
    notices.sort_by(|a, b| (&a.rule, &a.change, &a.text).cmp(&(&b.rule, &b.change, &b.text)));
    notices.dedup();
    reasons.sort_by(|(a_score, a), (b_score, b)| {
        (b.decision, b_score)
            .cmp(&(a.decision, a_score))
            .then_with(|| (&a.change, &a.rule, &a.because).cmp(&(&b.change, &b.rule, &b.because)))
    });
    let reasons: Vec<Reason> = reasons.into_iter().map(|(_, reason)| reason).collect();
    Verdict {
        decision: reasons
            .first()
            .map_or(Decision::Pass, |reason| reason.decision),
        reasons,
        notices,
        by_change,
        exempted,
    }
}
