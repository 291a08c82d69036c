//! What is said of signed records: in words for all formats, and as JSON.

pub(super) mod shape;

use crate::audit::{Audit, EvidenceFound};
use crate::evidence::{Outcome, Record, Refusal};
use crate::policy::{Decision, Discharged};
use crate::snapshot::{Input, InputKind};

use super::Style;
use super::words::count;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Plain,
}

/// What became of one record, or of a place where records are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) tone: Tone,
    /// The record, where the line is about a single one.
    pub(super) record: Option<&'a str>,
    pub(super) text: String,
}

/// What one record met, in words.
pub(super) fn met(met: &Discharged) -> String {
    format!("met by {}: {}", met.record, met.reason.because)
}

/// What records met of one change.
pub(super) fn met_of<'a>(audit: &'a Audit, id: &'a str) -> impl Iterator<Item = &'a Discharged> {
    let discharged = audit.evidence.discharged.iter();
    discharged.filter(move |met| met.reason.change.as_deref() == Some(id))
}

/// What became of the records, a line for each.
pub(super) fn lines(evidence: &EvidenceFound) -> Vec<Line<'_>> {
    let mut lines = records(&evidence.outcome, &|record| {
        let mut rules: Vec<&str> = evidence
            .discharged
            .iter()
            .filter(|met| met.record == record.name)
            .map(|met| met.reason.rule.as_str())
            .collect();
        rules.sort_unstable();
        rules.dedup();
        match rules.as_slice() {
            [] => String::new(),
            rules => format!("; meets {}", rules.join(", ")),
        }
    });
    lines.extend(evidence.outcome.gaps.iter().map(|gap| Line {
        tone: Tone::Bad,
        record: None,
        text: format!("not looked at: {gap}"),
    }));
    lines
}

/// Records for other differences are counted and not named: a repository keeps
/// those of its past.
fn records<'a>(outcome: &'a Outcome, more: &dyn Fn(&Record) -> String) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for accepted in &outcome.accepted {
        let record = &accepted.record;
        let mut line = format!(
            "accepted {}: {}{}{}",
            record.name,
            record.in_words(),
            more(record),
            until(record)
        );
        for note in &accepted.notes {
            line.push_str("; ");
            line.push_str(note);
        }
        if let Some(reason) = &record.reason {
            line.push_str(": ");
            line.push_str(reason);
        }
        lines.push(Line {
            tone: Tone::Good,
            record: Some(&record.name),
            text: line,
        });
    }
    let is_other = |because: &Refusal| matches!(because, Refusal::OtherDifference(_));
    for refused in &outcome.refused {
        if !is_other(&refused.because) {
            lines.push(Line {
                tone: Tone::Bad,
                record: Some(&refused.record.name),
                text: format!(
                    "refused {} ({}): {}",
                    refused.record.name,
                    refused.because.code(),
                    refused.because
                ),
            });
        }
    }
    let others = outcome
        .refused
        .iter()
        .filter(|refused| is_other(&refused.because))
        .count();
    if others > 0 {
        let is = if others == 1 { "is" } else { "are" };
        lines.push(Line {
            tone: Tone::Plain,
            record: None,
            text: format!("{} {is} for other differences", count(others, "record")),
        });
    }
    lines
}

fn until(record: &Record) -> String {
    record.expires.map_or_else(String::new, |expires| {
        let day = expires.to_zoned(jiff::tz::TimeZone::UTC).date();
        format!("; until {day}")
    })
}

/// How a canary that is still asked for is met: a sentence, and the commands.
pub(super) fn way_out(audit: &Audit) -> Option<(String, Vec<String>)> {
    if audit.verdict.decision != Decision::Canary {
        return None;
    }
    let (base, head) = (&audit.comparison.base.input, &audit.comparison.head.input);
    let builds = builds(audit);
    let duration = audit
        .evidence
        .min_duration
        .map_or_else(String::new, |least| {
            format!(" --duration {}s", least.as_secs())
        });
    let runs = |input: &Input| match input.kind {
        InputKind::Git | InputKind::Worktree | InputKind::Directory | InputKind::Lock => true,
        InputKind::Metadata | InputKind::Executable | InputKind::Sbom => false,
    };
    let tried = if runs(base) && runs(head) && !builds.is_empty() {
        builds.clone()
    } else if base.kind == InputKind::Executable && head.kind == InputKind::Executable {
        format!(" --base-exe {} --head-exe {}", word(base), word(head))
    } else if builds.is_empty() {
        " --head WORKTREE".to_owned()
    } else {
        " --base-exe FILE --head-exe FILE".to_owned()
    };
    let words = match &audit.evidence.signers {
        Some(_) => {
            "Try it: probe both builds, or run a canary (`rollout plan`), sign the result, and it passes:"
        }
        None => {
            "Try it: once the policy names who may sign (`signers` under `[canary]`), probe both builds, or run a canary (`rollout plan`), and sign the result:"
        }
    };
    Some((
        words.to_owned(),
        vec![
            format!("cargo-canary probe{tried}{duration} --format json --output probe.json"),
            format!("cargo-canary evidence sign --from probe.json{builds}"),
            format!("cargo-canary rollout plan{builds} --write plan"),
        ],
    ))
}

/// The options that name both builds again, each with a space before it.
pub(super) fn builds(audit: &Audit) -> String {
    let (base, head) = (&audit.comparison.base.input, &audit.comparison.head.input);
    match (base.given.starts_with(BY_DEFAULT), word(base), word(head)) {
        (true, _, head) if head == "WORKTREE" => String::new(),
        (true, _, head) => format!(" --head {head}"),
        (false, base, head) if head == "WORKTREE" => format!(" --base {base}"),
        (false, base, head) => format!(" --base {base} --head {head}"),
    }
}

/// How a base that was found by itself is called.
const BY_DEFAULT: &str = "merge base of ";

/// The name of a build as a word of a shell; a stand-in where it would need more
/// than quotes.
fn word(input: &Input) -> String {
    let name = &input.given;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+/:@".contains(c);
    let quoted = |c: char| plain(c) || " ~^{}=,".contains(c);
    // Neither an address nor a mention, wherever the command is shown.
    let is_odd = |at: usize| {
        let next = name.as_bytes().get(at + 1).copied().unwrap_or(b' ');
        !next.is_ascii_digit() && next != b'{'
    };
    let mentions = name.match_indices('@').any(|(at, _)| is_odd(at));
    let odd = name.contains("://") || mentions || !name.chars().all(quoted);
    if name.is_empty() || name.starts_with('-') || name.len() > 256 || odd {
        "BUILD".to_owned()
    } else if name.chars().all(plain) {
        name.clone()
    } else {
        format!("'{name}'")
    }
}

/// Records that were judged, with what they were held against.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What became of them.
    pub outcome: &'a Outcome,
    /// The digest of the difference, or why there was none to compare with.
    pub difference: Result<&'a str, &'a str>,
    /// Where the list of signers was read from, and its number of keys.
    pub signers: Option<(&'a str, usize)>,
}

/// The answer of `evidence list` and `evidence verify` for people.
#[must_use]
pub fn list(evidence: &Evidence<'_>, style: Style) -> Vec<u8> {
    super::text::evidence_list(evidence, &all(evidence.outcome), style).into_bytes()
}

/// Every record by itself, those of other differences too.
fn all(outcome: &Outcome) -> Vec<(Tone, String)> {
    let accepted = Outcome {
        refused: Vec::new(),
        ..outcome.clone()
    };
    let mut lines: Vec<(Tone, String)> = records(&accepted, &|_| String::new())
        .into_iter()
        .map(|line| (line.tone, line.text))
        .collect();
    lines.extend(outcome.refused.iter().map(|refused| {
        let what = refused.record.in_words();
        let what = if what.is_empty() {
            what
        } else {
            format!(" ({what})")
        };
        let line = format!(
            "refused {}{what}: {}: {}",
            refused.record.name,
            refused.because.code(),
            refused.because
        );
        (Tone::Bad, line)
    }));
    lines
}

impl Evidence<'_> {
    /// The answer for programs.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        shape::alone(self)
    }
}
