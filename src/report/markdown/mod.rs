//! The comment on a pull request, and the summary of a job: the verdict and the
//! one reason first, a short table, and the rest folded.
//!
//! A comment has a limit of size. What does not fit is left out in this order:
//! the list of passing changes, the evidence of the others, the names in gaps
//! and in what was there before, and at last all reasons but the first ones.
//! The verdict, the first reason and the table are always there.

mod parts;

use crate::audit::{Audit, JudgedChange};
use crate::diff::Change;
use crate::policy::Decision;

use super::safe::{clip, markdown, markdown_code, markdown_html, markdown_prose};
use super::view;
use super::words::{self, say};

/// By this line a comment is found again, to be changed in place.
pub(super) const MARKER: &str = "<!-- cargo-canary -->";

/// The most characters that GitHub takes in a comment.
pub(super) const LIMIT: usize = 65_536;

/// How many rows the table has at most before the rest is folded.
const ROWS: usize = 10;

/// How much is said, from everything to the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    Everything,
    NoPassing,
    NoEvidence,
    CountsOnly,
    Least,
}

impl Detail {
    const ALL: [Self; 5] = [
        Self::Everything,
        Self::NoPassing,
        Self::NoEvidence,
        Self::CountsOnly,
        Self::Least,
    ];

    /// What is missing at this level, in words.
    fn left_out(self) -> Option<&'static str> {
        match self {
            Self::Everything => None,
            Self::NoPassing => Some("the list of passing changes"),
            Self::NoEvidence => Some("the list of passing changes and the evidence of the others"),
            Self::CountsOnly => {
                Some("the list of passing changes, the evidence, and the names in counts")
            }
            Self::Least => Some("all but the verdict, the first reasons and the table"),
        }
    }
}

/// The comment.
pub(super) fn check(audit: &Audit) -> String {
    let mut text = String::new();
    for detail in Detail::ALL {
        text = page(audit, detail);
        if text.chars().count() < LIMIT && text.len() < 4 * LIMIT {
            return text;
        }
    }
    // The least has a bound that is far lower; this is for safety alone.
    text.chars().take(LIMIT - 1).collect()
}

/// The changes of one package, with all evidence.
pub(super) fn explain(audit: &Audit, changes: &[&JudgedChange]) -> String {
    let mut out = String::new();
    for judged in changes {
        if !out.is_empty() {
            out.push('\n');
        }
        say(&mut out, format_args!("### {}\n\n", parts::title(judged)));
        parts::evidence(&mut out, audit, judged);
    }
    out
}

fn page(audit: &Audit, detail: Detail) -> String {
    let mut out = format!("{MARKER}\n");
    headline(&mut out, audit);
    let ranked = audit.ranked();
    table(&mut out, audit, &ranked, detail);
    if detail < Detail::NoEvidence {
        held_back(&mut out, audit, &ranked);
    }
    parts::records(&mut out, audit, detail >= Detail::CountsOnly);
    parts::next_steps(&mut out, audit, detail >= Detail::CountsOnly);
    if detail < Detail::Least {
        parts::advisories(&mut out, audit, detail >= Detail::CountsOnly);
        parts::notices(&mut out, audit, detail >= Detail::CountsOnly);
        parts::not_checked(&mut out, audit, detail >= Detail::CountsOnly);
        parts::before(&mut out, audit, detail >= Detail::CountsOnly);
    }
    parts::footer(&mut out, audit);
    if let Some(left_out) = detail.left_out() {
        say(
            &mut out,
            format_args!(
                "\n<sub>Left out to stay below the size of a comment: {left_out}.</sub>\n"
            ),
        );
    }
    out
}

fn headline(out: &mut String, audit: &Audit) {
    let (word, rest) = words::headline(audit);
    say(
        out,
        format_args!("### {word}: {}\n\n", markdown(&rest.replace("->", "→"))),
    );
    if audit.policy.edited_by_change {
        say(
            out,
            format_args!(
                "**This change edits the policy {}. The policy of the base decided.**\n\n",
                markdown_code(&clip(&audit.policy.name, 120))
            ),
        );
    }
    let Some(first) = audit.verdict.reasons.first() else {
        return;
    };
    let about = match view::subject(audit, first) {
        Some(judged) => format!("{}: ", parts::title(judged)),
        None => String::new(),
    };
    say(
        out,
        format_args!(
            "{about}{} ({})\n",
            markdown_prose(&clip(&first.because, 600)),
            markdown_code(&clip(&first.rule, 80))
        ),
    );
    if let Some(way_out) = &first.way_out {
        say(
            out,
            format_args!("\n**Way out:** {}\n", parts::way_out(way_out)),
        );
    }
    out.push('\n');
}

fn table(out: &mut String, audit: &Audit, ranked: &[&JudgedChange], detail: Detail) {
    if ranked.is_empty() {
        return;
    }
    rows(out, audit, ranked.iter().take(ROWS));
    let rest = ranked.get(ROWS..).unwrap_or_default();
    let Some(highest) = rest.iter().map(|judged| judged.assessment.score).max() else {
        return;
    };
    let line = format!(
        "{} more, none above {highest} of 100",
        words::count(rest.len(), "change")
    );
    let shown: Vec<&JudgedChange> = match detail {
        Detail::Everything => rest.to_vec(),
        Detail::NoPassing => rest
            .iter()
            .filter(|judged| judged.decision > Decision::Pass)
            .copied()
            .collect(),
        Detail::NoEvidence | Detail::CountsOnly | Detail::Least => Vec::new(),
    };
    if shown.is_empty() {
        say(out, format_args!("And {line}.\n\n"));
        return;
    }
    fold(out, &line, |out| rows(out, audit, shown.iter()));
}

fn rows<'a>(out: &mut String, audit: &Audit, changes: impl Iterator<Item = &'a &'a JudgedChange>) {
    out.push_str("| Risk | Verdict | Package | Change | Where | Why |\n");
    out.push_str("|---:|---|---|---|---|---|\n");
    for judged in changes {
        let change = &judged.change;
        let decision = view::decision_word(judged.decision);
        let decision = if judged.decision > Decision::Pass {
            format!("**{decision}**")
        } else {
            decision.to_owned()
        };
        say(
            out,
            format_args!(
                "| {} | {decision} | {} | {} | {} | {} |\n",
                judged.assessment.score,
                markdown_code(&clip(&change.id, 80)),
                markdown(&clip(&arrow(change), 80)),
                markdown(&clip(&words::place_of(change), 60)),
                markdown_prose(&clip(&view::why(audit, judged), 160)),
            ),
        );
    }
    out.push('\n');
}

/// The evidence of the changes that are held back.
fn held_back(out: &mut String, audit: &Audit, ranked: &[&JudgedChange]) {
    for judged in ranked
        .iter()
        .filter(|judged| judged.decision > Decision::Pass)
    {
        let summary = format!(
            "Evidence: {} {}, risk {}",
            judged.change.id,
            arrow(&judged.change),
            judged.assessment.score
        );
        fold(out, &summary, |out| parts::evidence(out, audit, judged));
    }
}

/// A part that is folded. The summary is not escaped yet.
fn fold(out: &mut String, summary: &str, body: impl FnOnce(&mut String)) {
    say(
        out,
        format_args!(
            "<details><summary>{}</summary>\n\n",
            markdown_html(&clip(summary, 200))
        ),
    );
    body(out);
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    out.push_str("</details>\n\n");
}

/// What moved, with an arrow.
fn arrow(change: &Change) -> String {
    words::move_of(change).replace("->", "→")
}
