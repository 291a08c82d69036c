//! A finished bisection as text and JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Bisected, Step};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'b> {
    schema_version: u32,
    guilty: &'b [String],
    guilty_sets: &'b [Vec<String>],
    company: &'b [String],
    inseparable: &'b [String],
    proof: Proof,
    builds: usize,
    resumed: usize,
    candidates: usize,
    candidate_names: &'b [String],
    come_or_go: &'b [String],
    halving: f64,
    steps: &'b [Step],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Proof {
    guilty_alone_fail: bool,
    all_others_are_well: bool,
}

fn halving(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a number of packages")]
    let count = count.max(1) as f64;
    (count.log2() * 10.0).round() / 10.0
}

/// The JSON of a bisection.
#[must_use]
pub fn json(bisected: &Bisected) -> Vec<u8> {
    let document = Document {
        schema_version: 1,
        guilty: &bisected.guilty,
        guilty_sets: &bisected.sets,
        company: &bisected.company,
        inseparable: &bisected.inseparable,
        proof: Proof {
            guilty_alone_fail: bisected.fails_alone,
            all_others_are_well: bisected.others_are_well,
        },
        builds: bisected.builds,
        resumed: bisected.resumed,
        candidates: bisected.candidates.len(),
        candidate_names: &bisected.candidates,
        come_or_go: &bisected.one_sided,
        halving: halving(bisected.candidates.len()),
        steps: &bisected.steps,
    };
    // Plain data is always serialisable.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The page.
#[must_use]
pub fn text(bisected: &Bisected) -> String {
    let mut out = String::new();
    for set in &bisected.sets {
        let together = if set.len() > 1 {
            " (only together)"
        } else {
            ""
        };
        let _ = writeln!(out, "guilty: {}{together}", set.join(", "));
    }
    if !bisected.company.is_empty() {
        let _ = writeln!(out, "  comes with: {}", bisected.company.join(", "));
    }
    if !bisected.inseparable.is_empty() {
        let _ = writeln!(
            out,
            "  not to be told apart, since nothing builds between them: {}",
            bisected.inseparable.join(", ")
        );
    }
    let word = |holds: bool| if holds { "yes" } else { "not shown" };
    let _ = writeln!(
        out,
        "proof: alone it fails: {}; all others together are well: {}",
        word(bisected.fails_alone),
        word(bisected.others_are_well)
    );
    let _ = writeln!(
        out,
        "{} updates, {} builds, those of base and head included (log2 of the updates: {})",
        bisected.candidates.len(),
        bisected.builds,
        halving(bisected.candidates.len())
    );
    if bisected.resumed > 0 {
        let _ = writeln!(
            out,
            "{} trials were taken over from an earlier run",
            bisected.resumed
        );
    }
    out.push('\n');
    for (number, step) in bisected.steps.iter().enumerate() {
        let _ = writeln!(out, "{:>3}  {}", number + 1, line(step));
    }
    out
}

/// One trial on one line.
#[must_use]
pub fn line(step: &Step) -> String {
    const SHOWN: usize = 4;
    let mut names = step
        .updates
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if step.updates.is_empty() {
        "none".clone_into(&mut names);
    }
    if let Some(more) = step
        .updates
        .len()
        .checked_sub(SHOWN)
        .filter(|more| *more > 0)
    {
        let _ = write!(names, " and {more} more");
    }
    let because = step.because.lines().next().unwrap_or_default();
    format!(
        "{:<8} {} ({} updates: {names}; {} s): {because}",
        step.outcome,
        step.what,
        step.updates.len(),
        step.seconds
    )
}
