//! A replay of the past for people: how many would have been stopped, by which
//! rule, and which.

use crate::facts::{FactKind, GapReason};
use crate::policy::Decision;
use crate::replay::{Judgement, LockChange, Replay, RuleCount};

use super::page::{Ink, Page, column};
use super::{Style, count, ink_of};
use crate::report::safe::clip;
use crate::report::words::say;

/// How many lock changes of a kind are listed before the rest is folded.
const LISTED: usize = 30;
/// How many characters of a reason are told.
const REASON_LENGTH: usize = 200;
/// How many columns the names of rules take at most.
const RULE: usize = 34;

pub(in crate::report) fn replay(replay: &Replay, style: Style) -> String {
    let mut page = Page::new(style);
    headline(&mut page, replay);
    rules(&mut page, replay);
    stopped(&mut page, replay);
    not_judged(&mut page, replay);
    gaps(&mut page, replay);
    footer(&mut page, replay);
    page.finish()
}

fn headline(page: &mut Page, replay: &Replay) {
    let all = replay.judged().count();
    let blocked = replay.with(Decision::Block);
    let (canary, incomplete) = (
        replay.with(Decision::Canary),
        replay.with(Decision::Incomplete),
    );
    let unread = if incomplete > 0 {
        format!(", {incomplete} left incomplete")
    } else {
        String::new()
    };
    let unjudged = match replay.not_judged().count() {
        0 => String::new(),
        number => format!("; {number} more could not be judged"),
    };
    page.wrapped(
        Ink::Strong,
        "",
        "",
        &format!(
            "Of the last {}, {blocked} would have been blocked and {canary} sent to a canary{unread}{unjudged}.",
            count(all, "lock change")
        ),
    );
    let mut text = format!(
        "{} at {} ({}) and its first parents: {} looked at",
        replay.revision.0,
        short(&replay.revision.1),
        span(replay),
        count(replay.commits, "commit")
    );
    let changes: usize = replay
        .judged()
        .flat_map(|(_, judgement)| judgement.changes.values())
        .sum();
    say(
        &mut text,
        format_args!(
            "; {} of packages, of which {} blocked, {} canary",
            count(changes, "change"),
            replay.changes_with(Decision::Block),
            replay.changes_with(Decision::Canary)
        ),
    );
    let none = replay
        .judged()
        .filter(|(_, judgement)| judgement.changes.is_empty())
        .count();
    if none > 0 {
        say(
            &mut text,
            format_args!(
                "; {} without a change of a package",
                count(none, "lock change")
            ),
        );
    }
    let met = replay.judged().filter(|(_, it)| it.discharged).count();
    if met > 0 {
        say(
            &mut text,
            format_args!("; {met} with a canary met by signed evidence"),
        );
    }
    page.wrapped(Ink::Faint, "", "", &(text + "."));
    if replay.shallow {
        page.wrapped(
            Ink::Warning,
            "",
            "",
            "This clone is shallow: what is before its edge was not looked at. `git fetch --unshallow` brings it.",
        );
    }
}

fn span(replay: &Replay) -> String {
    let days = || replay.lock_changes.iter().map(|it| it.time);
    match (days().min(), days().max()) {
        (Some(first), Some(last)) => format!(
            "{} to {}",
            first.strftime("%Y-%m-%d"),
            last.strftime("%Y-%m-%d")
        ),
        _ => "no lock change".to_owned(),
    }
}

fn rules(page: &mut Page, replay: &Replay) {
    let mut stopping: Vec<(&String, &RuleCount)> = replay
        .rules
        .iter()
        .filter(|(_, it)| it.stopped > 0)
        .collect();
    stopping.sort_by(|a, b| b.1.stopped.cmp(&a.1.stopped).then_with(|| a.0.cmp(b.0)));
    if !stopping.is_empty() {
        page.heading("Rules that would have stopped something");
        let widest = stopping.iter().map(|(rule, _)| rule.chars().count()).max();
        let widest = widest.unwrap_or(0).clamp(4, RULE);
        page.line(&[(
            Ink::Faint,
            &format!("  {} stopped  alone  reasons", column("rule", widest)),
        )]);
        for (rule, it) in stopping {
            page.line(&[
                (Ink::Plain, "  "),
                (Ink::Plain, &column(rule, widest)),
                (
                    Ink::Plain,
                    &format!(" {:>7}  {:>5}  {:>7}", it.stopped, it.alone, it.reasons),
                ),
            ]);
        }
        page.wrapped(
            Ink::Faint,
            "  ",
            "  ",
            "stopped: lock changes; alone: those that no other rule stops.",
        );
    }
    let noticed = replay.rules.iter().filter(|(_, it)| it.noticed > 0);
    let noticed: Vec<String> = noticed
        .map(|(rule, it)| format!("{rule} ({})", it.noticed))
        .collect();
    if !noticed.is_empty() || !replay.silent.is_empty() {
        page.gap();
    }
    if !noticed.is_empty() {
        let text = format!("Notices only, in lock changes: {}.", noticed.join(", "));
        page.wrapped(Ink::Plain, "", "  ", &text);
    }
    if !replay.silent.is_empty() {
        let text = format!("Never spoke: {}.", replay.silent.join(", "));
        page.wrapped(Ink::Plain, "", "  ", &text);
    }
}

fn stopped(page: &mut Page, replay: &Replay) {
    for (decision, title) in [
        (Decision::Block, "Would have been blocked"),
        (Decision::Incomplete, "Would have been incomplete"),
        (Decision::Canary, "Would have been sent to a canary"),
    ] {
        let these: Vec<(&LockChange, &Judgement)> = replay
            .judged()
            .filter(|(_, judgement)| judgement.decision == decision)
            .collect();
        if these.is_empty() {
            continue;
        }
        page.heading(title);
        let shown = if page.verbose() { these.len() } else { LISTED };
        for (change, judgement) in these.iter().take(shown) {
            commit(page, change, ink_of(decision));
            let told = if page.verbose() { usize::MAX } else { 1 };
            for reason in judgement.reasons.iter().take(told) {
                let package = reason.change.as_deref();
                let of = package.map_or(String::new(), |package| format!("{package}: "));
                let because = clip(&reason.because, REASON_LENGTH);
                let text = format!(
                    "{} ({}): {of}{because}",
                    reason.decision.as_str(),
                    reason.rule
                );
                page.wrapped(Ink::Plain, "    - ", "      ", &text);
            }
            let more = judgement.all_reasons - judgement.reasons.len().min(told);
            if more > 0 {
                page.wrapped(Ink::Faint, "      ", "      ", &format!("and {more} more"));
            }
        }
        if these.len() > shown {
            let rest = format!("and {} more; `-v` shows them all", these.len() - shown);
            page.wrapped(Ink::Faint, "  ", "  ", &rest);
        }
    }
}

fn commit(page: &mut Page, change: &LockChange, ink: Ink) {
    let subject = if change.subject.is_empty() {
        "(no subject)"
    } else {
        &change.subject
    };
    let head = format!(
        "{} {}  ",
        change.time.strftime("%Y-%m-%d"),
        short(&change.commit)
    );
    let room = page.width().saturating_sub(head.len() + 2);
    page.line(&[
        (Ink::Plain, "  "),
        (ink, &head),
        (Ink::Plain, column(subject, room).trim_end()),
    ]);
}

fn not_judged(page: &mut Page, replay: &Replay) {
    let these: Vec<(&LockChange, &str)> = replay.not_judged().collect();
    if these.is_empty() {
        return;
    }
    page.heading(&format!(
        "Not judged: {}",
        count(these.len(), "lock change")
    ));
    let shown = if page.verbose() { these.len() } else { 5 };
    for (change, reason) in these.iter().take(shown) {
        commit(page, change, Ink::Warning);
        let reason = clip(reason, REASON_LENGTH);
        page.wrapped(Ink::Plain, "    - ", "      ", &reason);
    }
    if these.len() > shown {
        let rest = format!("and {} more; `-v` shows them all", these.len() - shown);
        page.wrapped(Ink::Faint, "  ", "  ", &rest);
    }
}

fn gaps(page: &mut Page, replay: &Replay) {
    let all = replay.gaps();
    if all.is_empty() {
        return;
    }
    page.heading("Facts that could not be had");
    for ((fact, reason), (changes, times)) in all {
        let (fact, reason): (FactKind, GapReason) = (fact, reason);
        let text = format!(
            "{}, {}: {} in {}",
            fact.as_str(),
            reason.as_str(),
            count(times, "time"),
            count(changes, "lock change")
        );
        page.wrapped(Ink::Plain, "  - ", "    ", &text);
    }
}

fn footer(page: &mut Page, replay: &Replay) {
    page.gap();
    let index = match replay.index_of {
        Some(at) => format!("index as of {}", at.strftime("%Y-%m-%d %H:%M UTC")),
        None => "no index entry used".to_owned(),
    };
    let text = format!(
        "Each judged as of the time of its commit, by policy {} ({}); advisory facts of {}, {index}.",
        replay.policy.0, replay.policy.1, replay.advisories_of
    );
    page.wrapped(Ink::Faint, "", "", &text);
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
