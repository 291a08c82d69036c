//! The parts of the comment below its table.

use crate::audit::{Audit, JudgedChange};
use crate::facts::AdvisoryFact;

use super::super::evidence;
use super::super::safe::{clip, markdown, markdown_code, markdown_lines, markdown_prose};
use super::super::view;
use super::super::words::{self, say};
use super::{arrow, fold};

/// How many items of a list are shown where only counts are wanted.
const FEW: usize = 5;
/// How many records are named.
const RECORDS: usize = 15;

/// One item of a list.
pub(super) fn item(out: &mut String, indent: usize, text: &str) {
    say(out, format_args!("{}- {text}\n", "  ".repeat(indent)));
}

/// A way out, cut to a bound.
pub(super) fn way_out(step: &str) -> String {
    let step = clip(step, 600);
    let (sentence, lines) = view::sentence_and_lines(&step);
    markdown_lines(sentence, &lines)
}

/// The package and what moved.
pub(super) fn title(judged: &JudgedChange) -> String {
    format!(
        "{} {}, {}",
        markdown_code(&clip(&judged.change.package, 120)),
        markdown(&clip(&arrow(&judged.change), 200)),
        markdown(&words::place_of(&judged.change))
    )
}

pub(super) fn evidence(out: &mut String, audit: &Audit, judged: &JudgedChange) {
    let change = &judged.change;
    for reason in view::reasons(audit, &change.id) {
        item(
            out,
            0,
            &format!(
                "**{}** {}: {}",
                reason.decision.as_str(),
                markdown_code(&clip(&reason.rule, 80)),
                markdown_prose(&clip(&reason.because, 600))
            ),
        );
        if let Some(way_out) = &reason.way_out {
            item(out, 1, &format!("way out: {}", self::way_out(way_out)));
        }
    }
    for met in evidence::met_of(audit, &change.id) {
        let words = markdown_prose(&clip(&evidence::met(met), 600));
        let rule = markdown_code(&clip(&met.reason.rule, 80));
        item(out, 0, &format!("**met** {rule}: {words}"));
    }
    item(
        out,
        0,
        &format!(
            "risk {} of 100 ({})",
            judged.assessment.score,
            judged.assessment.level.as_str()
        ),
    );
    for signal in &judged.assessment.signals {
        item(
            out,
            1,
            &format!(
                "{:+} {}: {}",
                signal.points,
                markdown_code(signal.id),
                markdown_prose(&clip(&signal.because, 400))
            ),
        );
    }
    for link in &judged.links {
        item(
            out,
            0,
            &format!(
                "{} link to incident {}: {}",
                link.strength.as_str(),
                markdown_code(&clip(&link.id, 120)),
                markdown_prose(&clip(&link.because, 400))
            ),
        );
    }
    origin(out, judged);
    for gap in judged.dossier.gaps() {
        item(
            out,
            0,
            &format!(
                "not checked: {} ({}), {}",
                gap.fact.as_str(),
                gap.reason.as_str(),
                markdown_prose(&clip(&gap.detail, 300))
            ),
        );
    }
    let rollback = view::rollback(judged);
    let note = markdown_prose(&rollback.note);
    match rollback.command {
        Some(command) => {
            let command = format!("`{command}`");
            let note = if note.is_empty() {
                note
            } else {
                format!(" ({note})")
            };
            item(out, 0, &format!("to go back: {command}{note}"));
        }
        None => item(out, 0, &format!("to go back: {note}")),
    }
}

fn origin(out: &mut String, judged: &JudgedChange) {
    let change = &judged.change;
    if let Some(forced) = &change.forced_by {
        item(
            out,
            0,
            &format!(
                "forced by {}: {}",
                markdown_code(&clip(&forced.root, 120)),
                markdown_prose(&clip(&forced.because, 300))
            ),
        );
    }
    if let Some(path) = change.paths.first() {
        item(
            out,
            0,
            &format!("comes in by {}", markdown(&clip(&path.join(" → "), 300))),
        );
    }
}

pub(super) fn next_steps(out: &mut String, audit: &Audit, few: bool) {
    // The first is said above.
    let steps = view::ways_out(audit);
    let rest = steps.get(1..).unwrap_or_default();
    if rest.is_empty() {
        return;
    }
    let shown = if few { FEW } else { rest.len() };
    fold(out, &format!("What else to do ({})", rest.len()), |out| {
        for step in rest.iter().take(shown) {
            item(out, 0, &way_out(step));
        }
        more(out, rest.len().saturating_sub(shown));
    });
}

/// What became of signed records, and the commands that make one.
pub(super) fn records(out: &mut String, audit: &Audit, few: bool) {
    let lines = evidence::lines(&audit.evidence);
    if !lines.is_empty() {
        out.push_str("**Evidence**\n\n");
        let shown = if few { FEW } else { RECORDS };
        for line in lines.iter().take(shown) {
            item(out, 0, &markdown_prose(&clip(&line.text, 600)));
        }
        more(out, lines.len().saturating_sub(shown));
        out.push('\n');
    }
    if let Some((words, commands)) = evidence::way_out(audit) {
        say(out, format_args!("{}\n\n```sh\n", markdown_prose(&words)));
        for command in commands {
            say(out, format_args!("{command}\n"));
        }
        out.push_str("```\n\n");
    }
    if let Some(command) = view::subset_command(audit) {
        say(
            out,
            format_args!("Take what passes now:\n\n```sh\n{command}\n```\n\n"),
        );
    }
}

fn more(out: &mut String, left: usize) {
    if left > 0 {
        item(out, 0, &format!("and {left} more"));
    }
}

pub(super) fn advisories(out: &mut String, audit: &Audit, few: bool) {
    let mut groups: [(&str, Vec<(&JudgedChange, &AdvisoryFact)>); 3] = [
        ("introduced", Vec::new()),
        ("fixed", Vec::new()),
        ("remaining", Vec::new()),
    ];
    for judged in &audit.changes {
        let Some(delta) = view::advisories(judged) else {
            continue;
        };
        let lists = [&delta.introduced, &delta.fixed, &delta.remaining];
        for ((_, group), list) in groups.iter_mut().zip(lists) {
            group.extend(list.iter().map(|fact| (judged, fact)));
        }
    }
    if groups.iter().all(|(_, group)| group.is_empty()) {
        return;
    }
    let counts: Vec<String> = groups
        .iter()
        .filter(|(_, group)| !group.is_empty())
        .map(|(word, group)| format!("{} {word}", group.len()))
        .collect();
    fold(out, &format!("Advisories: {}", counts.join(", ")), |out| {
        for (word, group) in &groups {
            let shown = if few { FEW } else { group.len() };
            for (judged, fact) in group.iter().take(shown) {
                item(
                    out,
                    0,
                    &format!(
                        "{word} {} in {}: {}",
                        markdown_code(&clip(&fact.id, 80)),
                        markdown_code(&clip(&judged.change.id, 80)),
                        markdown(&words::advisory_kind(fact))
                    ),
                );
            }
            more(out, group.len().saturating_sub(shown));
        }
    });
}

pub(super) fn notices(out: &mut String, audit: &Audit, few: bool) {
    let notices = &audit.verdict.notices;
    if notices.is_empty() {
        return;
    }
    let shown = if few { FEW } else { notices.len() };
    fold(out, &format!("Please note ({})", notices.len()), |out| {
        for notice in notices.iter().take(shown) {
            let about = match &notice.change {
                Some(change) => format!("{} ", markdown_code(&clip(change, 80))),
                None => String::new(),
            };
            item(
                out,
                0,
                &format!(
                    "{about}{}: {}",
                    markdown_code(&clip(&notice.rule, 80)),
                    markdown_prose(&clip(&notice.text, 400))
                ),
            );
        }
        more(out, notices.len().saturating_sub(shown));
    });
}

pub(super) fn not_checked(out: &mut String, audit: &Audit, few: bool) {
    let gaps = audit.gaps().len();
    let not_covered = &audit.comparison.coverage.not_covered;
    if gaps + not_covered.len() == 0 {
        return;
    }
    let summary = format!("Not checked: {}", words::count(gaps, "fact"));
    let summary = if not_covered.is_empty() {
        summary
    } else {
        format!("{summary}, {}", words::count(not_covered.len(), "place"))
    };
    fold(out, &summary, |out| {
        let names = if few { FEW } else { 40 };
        let groups = view::gap_groups(audit);
        let shown = if few { FEW } else { groups.len() };
        for group in groups.iter().take(shown) {
            let ids: Vec<String> = group
                .ids
                .iter()
                .take(names)
                .map(|id| markdown_code(&clip(id, 80)))
                .collect();
            let mut of = ids.join(", ");
            let left = group.ids.len().saturating_sub(names);
            if left > 0 {
                say(
                    &mut of,
                    format_args!(" and {}", words::count(left, "other")),
                );
            }
            if !of.is_empty() {
                of.insert_str(0, " of ");
            }
            item(
                out,
                0,
                &format!(
                    "{}{of} ({}): {}",
                    group.facts.join(", "),
                    group.reason,
                    markdown_prose(&clip(&group.detail, 300))
                ),
            );
        }
        more(out, groups.len().saturating_sub(shown));
        let shown = if few { FEW } else { not_covered.len() };
        for left in not_covered.iter().take(shown) {
            item(
                out,
                0,
                &format!(
                    "{}: {}",
                    markdown_code(&clip(&left.path, 200)),
                    markdown_prose(&clip(&left.reason, 300))
                ),
            );
        }
        more(out, not_covered.len().saturating_sub(shown));
    });
}

pub(super) fn before(out: &mut String, audit: &Audit, few: bool) {
    let pre = &audit.pre_existing;
    if pre.advisories.is_empty() && pre.yanked.is_empty() {
        return;
    }
    let summary = format!(
        "There before, reported and not judged: {}, {} withdrawn",
        words::plural(pre.advisories.len(), "advisory", "advisories"),
        words::count(pre.yanked.len(), "package"),
    );
    fold(out, &summary, |out| {
        let shown = if few { FEW } else { 60 };
        for fact in pre.advisories.iter().take(shown) {
            item(
                out,
                0,
                &format!(
                    "{} in {}: {}",
                    markdown_code(&clip(&fact.id, 80)),
                    markdown_code(&clip(&format!("{} {}", fact.package, fact.version), 120)),
                    markdown(&words::advisory_kind(fact))
                ),
            );
        }
        more(out, pre.advisories.len().saturating_sub(shown));
        for left in pre.yanked.iter().take(shown) {
            let name = format!("{} {}", left.id.name, left.id.version);
            item(
                out,
                0,
                &format!("withdrawn: {}", markdown_code(&clip(&name, 120))),
            );
        }
        more(out, pre.yanked.len().saturating_sub(shown));
    });
}

pub(super) fn footer(out: &mut String, audit: &Audit) {
    say(
        out,
        format_args!(
            "<sub>{}. {}</sub>\n",
            markdown(&clip(&words::sides(&audit.comparison), 400)),
            markdown(&clip(&words::judged_by(audit), 400))
        ),
    );
}
