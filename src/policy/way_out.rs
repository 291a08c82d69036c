//! The shortest way out of a reason: a date to wait for, a command that goes
//! back, the lines of an exemption, or what would close a gap.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, tz::TimeZone};

use crate::diff::Change;
use crate::facts::{Dossier, FactKind, Gap, GapReason};
use crate::pkg::Release;

use super::validated::Rule;
use super::variables::incoming;
use super::{Effect, Reason, Subject};

/// How long a proposed exemption runs.
const EXEMPTION_DAYS: i64 = 14;

/// The lines that exempt a change from a rule for two weeks, to be added to a
/// policy file. The reason is left to the person who adds them.
#[must_use]
pub fn exemption_lines(change: &Change, rule: &str, as_of: Date) -> String {
    let release = incoming(change)
        .next()
        .or_else(|| change.to.first())
        .or_else(|| change.from.first());
    let version = release.map_or_else(|| "*".to_owned(), |release| release.version.to_string());
    let until = as_of
        .checked_add(Span::new().days(EXEMPTION_DAYS))
        .unwrap_or(as_of);
    let quoted = |text: &str| toml::Value::from(text).to_string();
    format!(
        "[[exempt]]\npackage = {}\nversion = {}\nrules = [{}]\nreason = \"…\"\nuntil = {until}\n",
        quoted(&change.package),
        quoted(&version),
        quoted(rule)
    )
}

/// The way out of a rule that applies to a change.
pub(super) fn of_rule(
    rule: &Rule,
    subject: Subject<'_>,
    all: &[Subject<'_>],
    as_of: Date,
) -> Option<String> {
    let back = go_back(subject, all);
    let day = rule.wait_days.and_then(|days| wait_until(subject, days));
    waiting(day, back).or_else(|| last_resort(rule.then, &rule.id, subject, as_of))
}

/// The way out of a release that has not waited long enough.
pub(super) fn of_wait(
    effect: Effect,
    subject: Subject<'_>,
    all: &[Subject<'_>],
    as_of: Date,
    days: f64,
) -> Option<String> {
    waiting(wait_until(subject, days), go_back(subject, all))
        .or_else(|| last_resort(effect, super::MIN_PUBLISH_AGE, subject, as_of))
}

/// The way out of something new that the base's record does not have.
pub(super) fn of_news(
    effect: Effect,
    id: &str,
    subject: Subject<'_>,
    all: &[Subject<'_>],
    as_of: Date,
) -> Option<String> {
    go_back(subject, all).or_else(|| last_resort(effect, id, subject, as_of))
}

/// How a day to wait for begins.
const WAIT: &str = "wait until ";

impl Reason {
    /// The day on which this reason is gone by itself, where waiting is a way out.
    #[must_use]
    pub fn waits_until(&self) -> Option<Date> {
        let rest = self.way_out.as_deref()?.strip_prefix(WAIT)?;
        rest.split(',').next()?.trim().parse().ok()
    }
}

/// A day to wait for, a command that goes back, or both.
fn waiting(day: Option<Date>, back: Option<String>) -> Option<String> {
    match (day, back) {
        (Some(day), Some(back)) => Some(format!("{WAIT}{day}, or {back}")),
        (Some(day), None) => Some(format!("{WAIT}{day}")),
        (None, back) => back,
    }
}

/// The way out of a score that is too high.
pub(super) fn of_score(
    effect: Effect,
    id: &str,
    subject: Subject<'_>,
    all: &[Subject<'_>],
    as_of: Date,
) -> Option<String> {
    go_back(subject, all).or_else(|| last_resort(effect, id, subject, as_of))
}

fn last_resort(effect: Effect, id: &str, subject: Subject<'_>, as_of: Date) -> Option<String> {
    match effect {
        Effect::Warn => None,
        Effect::Canary => Some("roll it out as a canary".to_owned()),
        Effect::Incomplete | Effect::Block => Some(format!(
            "add to the policy, with a reason:\n{}",
            exemption_lines(subject.change, id, as_of)
        )),
    }
}

/// The first day at whose start the release is old enough.
fn wait_until(subject: Subject<'_>, days: f64) -> Option<Date> {
    let published = subject.dossier.published.seen()?;
    let seconds = SignedDuration::try_from_secs_f64(days * 86_400.0).ok()?;
    let ripe = published
        .at
        .checked_add(seconds)
        .ok()?
        .to_zoned(TimeZone::UTC);
    let day = ripe.date();
    if ripe.time() == jiff::civil::Time::midnight() {
        Some(day)
    } else {
        day.tomorrow().ok()
    }
}

/// The command that undoes a change: its own, or that of the change that forced
/// it. None is offered when the old release is withdrawn or has an advisory
/// that the new one has not.
fn go_back(subject: Subject<'_>, all: &[Subject<'_>]) -> Option<String> {
    let Some(forced) = &subject.change.forced_by else {
        return undo(subject).map(|command| format!("go back with `{command}`"));
    };
    let root = all.iter().find(|other| other.change.id == forced.root)?;
    undo(*root).map(|command| format!("go back on what forced it with `{command}`"))
}

fn undo(subject: Subject<'_>) -> Option<String> {
    let change = subject.change;
    let (old, new) = (change.outgoing()?, incoming(change).next()?);
    let same = old.source.is_registry() && old.source == new.source;
    if against_going_back(subject.dossier).is_some()
        || !same
        || old.version == new.version
        || !is_plain(&change.package)
    {
        return None;
    }
    Some(format!(
        "cargo update -p {} --precise {}",
        spec(change, new),
        old.version
    ))
}

/// Why the release before is none to go back to: it is withdrawn, or has an
/// advisory that the update fixed.
#[must_use]
pub fn against_going_back(dossier: &Dossier) -> Option<String> {
    let advisories = dossier.advisories.seen();
    let fixed = advisories.map_or(&[][..], |delta| &delta.fixed);
    let reopened: Vec<&str> = fixed
        .iter()
        .filter(|fact| fact.is_fault())
        .map(|fact| fact.id.as_str())
        .collect();
    if !reopened.is_empty() {
        return Some(format!("going back reopens {}", reopened.join(", ")));
    }
    let withdrawn = dossier.yanked.seen().is_some_and(|yanked| yanked.outgoing);
    withdrawn.then(|| "the release before was withdrawn by its publishers".to_owned())
}

/// How Cargo is told which package is meant.
fn spec(change: &Change, new: &Release) -> String {
    if change.to.len() > 1 || change.id != change.package {
        format!("{}@{}", change.package, new.version)
    } else {
        change.package.clone()
    }
}

/// Whether a name can stand in a command that someone pastes into a shell.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// What would close a gap, or how to live with it.
pub(super) fn of_gap(fact: FactKind, gap: Option<&Gap>) -> String {
    let accept = format!("set `{} = \"warn\"` under `[gaps]`", fact.as_str());
    let Some(gap) = gap else {
        return accept;
    };
    match gap.reason {
        GapReason::OfflineAndNotCached => {
            format!("run again with network access, or {accept}")
        }
        GapReason::FetchFailed => format!("run again, or {accept}"),
        GapReason::CoarseGraph => {
            format!("name the workspace instead of its lock file, or {accept}")
        }
        GapReason::NotKnownAsOf => format!("judge as of today, or {accept}"),
        GapReason::NotInRegistry
        | GapReason::NotRecorded
        | GapReason::Malformed
        | GapReason::OverLimit
        | GapReason::NotApplicable
        | GapReason::Contradicted => accept,
    }
}
