//! Workflow commands for GitHub's runner: each is one line of output that
//! becomes an annotation at a line of the lock file.

use std::collections::BTreeMap;

use crate::audit::Audit;
use crate::diff::Change;
use crate::policy::Decision;

use super::evidence::{self, Tone};
use super::safe::{clip, github_data, github_property};
use super::words::{self, say};
use super::{place, view};

/// The runner shows no more than ten annotations of a level for one step.
const MOST: usize = 10;

/// The annotations: the verdict first, then what the reasons point to, then what
/// records met and what became of them, then the notices. Those that the runner
/// would drop are counted instead.
pub(super) fn check(audit: &Audit) -> String {
    let mut out = String::new();
    let (word, rest) = words::headline(audit);
    let mut text = rest;
    if let Some(first) = audit.verdict.reasons.first() {
        say(
            &mut text,
            format_args!(". First reason ({}): {}", first.rule, first.because),
        );
    }
    let mut left: BTreeMap<&'static str, usize> = BTreeMap::new();
    // One of the level is taken by the verdict itself.
    let level = level(audit.verdict.decision);
    left.insert(level, MOST - 1);
    command(
        &mut out,
        level,
        None,
        &format!("cargo-canary: {word}"),
        &text,
    );

    let mut hidden = 0;
    for (id, reasons) in words::by_change(&audit.verdict.reasons) {
        let judged = id.and_then(|id| audit.changes.iter().find(|judged| judged.change.id == id));
        let change = judged.map(|judged| &judged.change);
        let decision = reasons
            .iter()
            .map(|reason| reason.decision)
            .max()
            .unwrap_or(Decision::Pass);
        let level = self::level(decision);
        if !takes(&mut left, level) {
            hidden += 1;
            continue;
        }
        let mut parts: Vec<String> = Vec::new();
        if let Some(judged) = judged {
            parts.push(format!(
                "risk {} of 100 ({})",
                judged.assessment.score,
                judged.assessment.level.as_str()
            ));
        }
        for reason in reasons {
            parts.push(format!(
                "{} ({}): {}",
                reason.decision.as_str(),
                reason.rule,
                reason.because
            ));
            parts.extend(reason.way_out.clone());
        }
        let title = format!("{}: {}", view::decision_word(decision), name(change));
        command(
            &mut out,
            level,
            Some((audit, change)),
            &title,
            &parts.join(". "),
        );
    }
    hidden += records(&mut out, audit, &mut left);
    for notice in &audit.verdict.notices {
        if !takes(&mut left, "notice") {
            hidden += 1;
            continue;
        }
        let change = notice
            .change
            .as_deref()
            .and_then(|id| audit.comparison.diff.change(id));
        let title = format!("{}: {}", notice.rule, name(change));
        command(
            &mut out,
            "notice",
            Some((audit, change)),
            &title,
            &notice.text,
        );
    }
    if hidden > 0 {
        say(
            &mut out,
            format_args!("{hidden} more are not annotated; the whole report has them\n"),
        );
    }
    out
}

/// What records met, at its lines, and what became of each record. Returns how
/// many are not annotated.
fn records(out: &mut String, audit: &Audit, left: &mut BTreeMap<&'static str, usize>) -> usize {
    let mut hidden = 0;
    for met in &audit.evidence.discharged {
        if !takes(left, "notice") {
            hidden += 1;
            continue;
        }
        let change = met.reason.change.as_deref();
        let change = change.and_then(|id| audit.comparison.diff.change(id));
        let title = format!("met ({}): {}", met.reason.rule, name(change));
        let text = evidence::met(met);
        command(out, "notice", Some((audit, change)), &title, &text);
    }
    for line in evidence::lines(&audit.evidence) {
        let level = match line.tone {
            Tone::Bad => "warning",
            Tone::Good | Tone::Plain => "notice",
        };
        if !takes(left, level) {
            hidden += 1;
            continue;
        }
        command(out, level, None, "evidence", &line.text);
    }
    hidden
}

fn level(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "notice",
        Decision::Canary | Decision::Incomplete => "warning",
        Decision::Block => "error",
    }
}

fn takes(left: &mut BTreeMap<&'static str, usize>, level: &'static str) -> bool {
    let left = left.entry(level).or_insert(MOST);
    match left.checked_sub(1) {
        Some(less) => {
            *left = less;
            true
        }
        None => false,
    }
}

fn name(change: Option<&Change>) -> String {
    match change {
        Some(change) => format!("{} {}", change.package, words::move_of(change)),
        None => "the whole difference".to_owned(),
    }
}

fn command(
    out: &mut String,
    level: &str,
    at: Option<(&Audit, Option<&Change>)>,
    title: &str,
    text: &str,
) {
    let mut properties = String::new();
    if let Some((audit, change)) = at {
        let place = place::of(audit, change);
        say(
            &mut properties,
            format_args!("file={},line={},", github_property(&place.path), place.line),
        );
    }
    say(
        out,
        format_args!(
            "::{level} {properties}title={}::{}\n",
            github_property(&clip(title, 200)),
            github_data(&clip(text, 4000))
        ),
    );
}
