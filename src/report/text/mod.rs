//! The report for people: first what was decided and why, then what to do,
//! then the changes by risk, then what was not checked.

mod changes;
mod explain;
pub(super) mod page;
mod replay;
mod source;

use std::collections::BTreeMap;

use crate::audit::{Audit, Comparison, JudgedChange};
use crate::policy::{Decision, Reason};

use super::Style;
use super::evidence::{self, Tone};
use super::safe::clip;
use super::view;
use super::words::{self, count, move_of, place_of};
use page::{Ink, Page};
pub(super) use replay::replay;

/// How many changes are explained, and how many listed, before the rest is folded.
const EXPLAINED: usize = 5;
const LISTED: usize = 15;
/// How many lines the reasons take, and the steps out of them: a small terminal's.
const SCREEN: usize = 20;
/// How many reasons of one change are told, and how many characters of each.
const REASONS: usize = 3;
const REASON_LENGTH: usize = 240;

pub(super) fn check(audit: &Audit, style: Style) -> String {
    let mut page = Page::new(style);
    headline(&mut page, audit);
    why(&mut page, audit);
    evidence(&mut page, audit);
    next_steps(&mut page, audit);
    notices(&mut page, audit);
    changes::ranked(&mut page, audit);
    advisories(&mut page, audit);
    not_checked(&mut page, audit);
    before(&mut page, audit);
    footer(&mut page, audit);
    page.finish()
}

pub(super) fn diff(comparison: &Comparison, style: Style) -> String {
    let mut page = Page::new(style);
    changes::compared(&mut page, comparison);
    page.finish()
}

pub(super) fn explain(audit: &Audit, changes: &[&JudgedChange], style: Style) -> String {
    let mut page = Page::new(style);
    for judged in changes {
        explain::one(&mut page, audit, judged);
    }
    page.finish()
}

fn ink_of(decision: Decision) -> Ink {
    match decision {
        Decision::Pass => Ink::Good,
        Decision::Canary | Decision::Incomplete => Ink::Warning,
        Decision::Block => Ink::Bad,
    }
}

fn headline(page: &mut Page, audit: &Audit) {
    let decision = audit.verdict.decision;
    let (word, rest) = words::headline(audit);
    page.line(&[
        (ink_of(decision), word),
        (Ink::Plain, ": "),
        (Ink::Plain, &rest),
    ]);
    page.wrapped(Ink::Faint, "", "", &words::sides(&audit.comparison));
    if audit.policy.edited_by_change {
        page.wrapped(
            Ink::Warning,
            "",
            "",
            &format!(
                "This change edits the policy `{}`. The policy of the base decided.",
                audit.policy.name
            ),
        );
    }
}

fn why(page: &mut Page, audit: &Audit) {
    let groups = words::by_change(&audit.verdict.reasons);
    if groups.is_empty() {
        return;
    }
    page.heading("Why");
    let parts = groups.iter().map(|(id, reasons)| {
        let mut part = page.part();
        match id.and_then(|id| audit.changes.iter().find(|judged| judged.change.id == id)) {
            Some(judged) => changes::title(&mut part, judged),
            None => part.line(&[(Ink::Plain, "  "), (Ink::Strong, "the whole difference")]),
        }
        of_one_change(&mut part, reasons);
        part
    });
    let parts: Vec<Page> = parts.collect();
    one_screen(page, "  ", parts);
}

/// The reasons that concern one change, the first ones in full.
fn of_one_change(page: &mut Page, reasons: &[&Reason]) {
    let all = page.verbose();
    let shown = if all { reasons.len() } else { REASONS };
    for reason in reasons.iter().take(shown) {
        let length = if all { usize::MAX } else { REASON_LENGTH };
        let because = clip(&reason.because, length);
        let text = format!("{} ({}): {because}", reason.decision.as_str(), reason.rule);
        page.wrapped(Ink::Plain, "    - ", "      ", &text);
    }
    if reasons.len() > shown {
        let rest = format!("and {} more; `-v` shows them all", reasons.len() - shown);
        page.wrapped(Ink::Faint, "    ", "    ", &rest);
    }
}

/// The first parts that fit on a screen together, and how many more there are.
fn one_screen(page: &mut Page, indent: &str, parts: Vec<Page>) {
    let (count, mut shown, mut lines) = (parts.len(), 0, 0);
    for part in parts {
        lines += part.lines();
        let full = shown == EXPLAINED || lines > SCREEN;
        if shown > 0 && full && !page.verbose() {
            break;
        }
        page.add(part);
        shown += 1;
    }
    if count > shown {
        let rest = format!("and {} more; `-v` shows them all", count - shown);
        page.wrapped(Ink::Faint, indent, indent, &rest);
    }
}

fn evidence(page: &mut Page, audit: &Audit) {
    let lines = evidence::lines(&audit.evidence);
    if lines.is_empty() {
        return;
    }
    page.heading("Evidence");
    let shown = if page.verbose() { lines.len() } else { LISTED };
    for line in lines.iter().take(shown) {
        page.wrapped(ink_of_tone(line.tone), "  - ", "    ", &line.text);
    }
    if lines.len() > shown {
        page.wrapped(
            Ink::Faint,
            "    ",
            "    ",
            &format!("and {} more; `-v` shows them all", lines.len() - shown),
        );
    }
}

/// Records by themselves, each with what became of it.
pub(super) fn evidence_list(
    evidence: &evidence::Evidence<'_>,
    lines: &[(Tone, String)],
    style: Style,
) -> String {
    let mut page = Page::new(style);
    let against = match evidence.difference {
        Ok(digest) => format!("for the difference {digest}"),
        Err(why) => format!(
            "not compared with a difference, for no builds were named and the usual ones are not there: {why}"
        ),
    };
    let by = match evidence.signers {
        Some((read_from, keys)) => format!("signers: {read_from} ({})", count(keys, "key")),
        None => "there is no list of signers".to_owned(),
    };
    page.wrapped(Ink::Faint, "", "", &against);
    page.wrapped(Ink::Faint, "", "", &by);
    if lines.is_empty() {
        page.wrapped(Ink::Plain, "", "", "no records");
    }
    for (tone, line) in lines {
        page.wrapped(ink_of_tone(*tone), "- ", "  ", line);
    }
    for gap in &evidence.outcome.gaps {
        let line = format!("not looked at: {gap}");
        page.wrapped(Ink::Warning, "- ", "  ", &line);
    }
    page.finish()
}

fn ink_of_tone(tone: Tone) -> Ink {
    match tone {
        Tone::Good => Ink::Good,
        Tone::Bad => Ink::Warning,
        Tone::Plain => Ink::Plain,
    }
}

fn next_steps(page: &mut Page, audit: &Audit) {
    let steps = view::ways_out(audit);
    let ranked = audit.ranked();
    let worst = ranked
        .first()
        .filter(|judged| judged.decision > Decision::Pass);
    if steps.is_empty() && worst.is_none() {
        return;
    }
    page.heading("What to do next");
    let parts = steps.iter().map(|step| {
        let mut part = page.part();
        // Lines of a policy are there to be copied: each stays a line.
        for (place, line) in step.lines().enumerate() {
            match place {
                0 => part.wrapped(Ink::Plain, "  - ", "    ", line),
                _ => part.wrapped(Ink::Plain, "      ", "      ", line),
            }
        }
        part
    });
    let parts: Vec<Page> = parts.collect();
    one_screen(page, "    ", parts);
    let trial = evidence::way_out(audit);
    if let Some((words, commands)) = &trial {
        page.wrapped(Ink::Plain, "  - ", "    ", words);
        for command in commands {
            // To be copied: a command stays a line.
            page.line(&[(Ink::Plain, "      "), (Ink::Strong, command)]);
        }
    }
    if let Some(command) = view::subset_command(audit) {
        page.wrapped(Ink::Plain, "  - ", "    ", "Take what passes now:");
        page.line(&[(Ink::Plain, "      "), (Ink::Strong, &command)]);
    }
    if let Some(worst) = worst {
        page.wrapped(
            Ink::Plain,
            "  - ",
            "    ",
            &format!(
                "To see the evidence: cargo-canary explain {}",
                worst.change.id
            ),
        );
    }
}

fn notices(page: &mut Page, audit: &Audit) {
    if audit.verdict.notices.is_empty() {
        return;
    }
    page.heading("Please note");
    let notices = &audit.verdict.notices;
    let shown = if page.verbose() {
        notices.len()
    } else {
        EXPLAINED
    };
    for notice in notices.iter().take(shown) {
        let text = match &notice.change {
            Some(change) => format!("{change} ({}): {}", notice.rule, notice.text),
            None => format!("{}: {}", notice.rule, notice.text),
        };
        page.wrapped(Ink::Plain, "  - ", "    ", &text);
    }
    if notices.len() > shown {
        page.wrapped(
            Ink::Faint,
            "    ",
            "    ",
            &format!("and {} more; `-v` shows them all", notices.len() - shown),
        );
    }
}

fn advisories(page: &mut Page, audit: &Audit) {
    let mut rows = Vec::new();
    for judged in &audit.changes {
        let Some(delta) = judged.dossier.advisories.seen() else {
            continue;
        };
        for (word, ink, facts) in [
            ("introduced", Ink::Bad, &delta.introduced),
            ("fixed", Ink::Good, &delta.fixed),
        ] {
            for fact in facts {
                rows.push((word, ink, judged, fact));
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    page.heading("Advisories");
    for (word, ink, judged, fact) in rows {
        let kind = words::advisory_kind(fact);
        page.line(&[
            (Ink::Plain, "  "),
            (ink, &page::column(word, 11)),
            (
                Ink::Plain,
                &format!("{}  {}, {kind}", fact.id, judged.change.package),
            ),
        ]);
    }
}

/// Gaps with one reason about the same changes are one line, whatever facts they lack.
fn not_checked(page: &mut Page, audit: &Audit) {
    let gaps = audit.gaps();
    let not_covered = &audit.comparison.coverage.not_covered;
    if gaps.is_empty() && not_covered.is_empty() {
        return;
    }
    page.heading("Not checked");
    let mut by_fact: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    let mut details = BTreeMap::new();
    for (id, gap) in &gaps {
        let ids = by_fact.entry((gap.reason, gap.fact)).or_default();
        ids.extend(*id);
        details
            .entry((gap.reason, gap.fact))
            .or_insert(gap.detail.as_str());
    }
    let mut lines: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((reason, fact), ids) in by_fact {
        lines.entry((reason, ids)).or_default().push(fact);
    }
    for ((reason, ids), facts) in lines {
        let names: Vec<&str> = facts.iter().map(|fact| fact.as_str()).collect();
        let shown = if page.verbose() { ids.len() } else { 3 };
        let mut who = ids
            .iter()
            .take(shown)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        if ids.len() > shown {
            who.push_str(" and ");
            who.push_str(&count(ids.len() - shown, "other"));
        }
        let of = if who.is_empty() {
            String::new()
        } else {
            format!(" of {who}")
        };
        let detail = facts
            .first()
            .and_then(|fact| details.get(&(reason, *fact)))
            .copied()
            .unwrap_or_default();
        page.wrapped(
            Ink::Plain,
            "  - ",
            "    ",
            &format!("{}{of} ({}): {detail}", names.join(", "), reason.as_str()),
        );
    }
    for left in not_covered {
        page.wrapped(
            Ink::Plain,
            "  - ",
            "    ",
            &format!("{}: {}", left.path, left.reason),
        );
    }
}

fn before(page: &mut Page, audit: &Audit) {
    let pre = &audit.pre_existing;
    if pre.advisories.is_empty() && pre.yanked.is_empty() {
        return;
    }
    page.heading("There before this difference (reported, not judged)");
    let shown = if page.verbose() { usize::MAX } else { 3 };
    if !pre.advisories.is_empty() {
        let names: Vec<String> = pre
            .advisories
            .iter()
            .take(shown)
            .map(|fact| format!("{} in {} {}", fact.id, fact.package, fact.version))
            .collect();
        page.wrapped(
            Ink::Faint,
            "  - ",
            "    ",
            &words::some(&names, pre.advisories.len(), "advisory", "advisories"),
        );
    }
    if !pre.yanked.is_empty() {
        let names: Vec<String> = pre
            .yanked
            .iter()
            .take(shown)
            .map(|left| left.id.to_string())
            .collect();
        page.wrapped(
            Ink::Faint,
            "  - ",
            "    ",
            &words::some(
                &names,
                pre.yanked.len(),
                "withdrawn package",
                "withdrawn packages",
            ),
        );
    }
}

fn footer(page: &mut Page, audit: &Audit) {
    page.gap();
    page.wrapped(Ink::Faint, "", "", &words::judged_by(audit));
}

/// `1.0.0 -> 1.0.1, direct`, for the heads of paragraphs.
fn move_and_place(judged: &JudgedChange) -> String {
    format!("{}, {}", move_of(&judged.change), place_of(&judged.change))
}
