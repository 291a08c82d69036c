//! What came of the cases, and the difference where they failed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::{Decision, Verdict};
use super::Expected;

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// What the case is called.
    pub name: String,
    /// Its file and line.
    pub origin: String,
    /// What differs from what was expected, as lines that start with `-` for what
    /// was expected and `+` for what came; empty when the case holds.
    pub difference: Vec<String>,
}

impl CaseOutcome {
    /// Whether the policy makes of it what was expected.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.difference.is_empty()
    }
}

/// What came of all cases of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasesOutcome {
    /// Each case, in the order of the file.
    pub cases: Vec<CaseOutcome>,
    /// The rules in force that speak in none of the cases, sorted.
    pub silent: Vec<String>,
}

impl CasesOutcome {
    /// How many cases failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.holds()).count()
    }

    /// The failed cases with their differences, a count, and the rules that no
    /// case makes speak, as text.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        for case in self.cases.iter().filter(|case| !case.holds()) {
            let _ = writeln!(text, "FAILED {} ({})", case.name, case.origin);
            for line in &case.difference {
                let _ = writeln!(text, "  {line}");
            }
            text.push('\n');
        }
        let (all, failed) = (self.cases.len(), self.failed());
        let noun = if all == 1 { "case" } else { "cases" };
        let _ = match failed {
            0 => writeln!(text, "{all} {noun}, all hold"),
            _ => writeln!(text, "{all} {noun}, {failed} failed"),
        };
        if !self.silent.is_empty() {
            let _ = writeln!(
                text,
                "rules that no case makes speak: {}",
                self.silent.join(", ")
            );
        }
        text
    }
}

/// Holds a verdict against what was expected.
pub(super) fn compare(
    name: &str,
    origin: String,
    expected: &Expected,
    verdict: &Verdict,
) -> CaseOutcome {
    let mut difference = Vec::new();
    if verdict.decision != expected.decision {
        difference.push("decision".to_owned());
        difference.push(format!("- {}", expected.decision.as_str()));
        difference.push(format!("+ {}", verdict.decision.as_str()));
    }
    let reasons = verdict.reasons.iter().map(|reason| reason.rule.as_str());
    sets("rules", expected.rules.as_ref(), reasons, &mut difference);
    let notices = verdict.notices.iter().map(|notice| notice.rule.as_str());
    sets(
        "notices",
        expected.notices.as_ref(),
        notices,
        &mut difference,
    );
    if let Some(words) = &expected.way_out {
        let ways: Vec<&str> = verdict
            .reasons
            .iter()
            .filter_map(|reason| reason.way_out.as_deref())
            .collect();
        if !ways.iter().any(|way| way.contains(words)) {
            difference.push("way-out".to_owned());
            difference.push(format!("- {words}"));
            difference.extend(
                ways.iter()
                    .map(|way| format!("+ {}", way.replace('\n', " "))),
            );
        }
    }
    if !difference.is_empty() {
        difference.extend(why(verdict));
    }
    CaseOutcome {
        name: name.to_owned(),
        origin,
        difference,
    }
}

/// The elements that only one of two sets has.
fn sets<'a>(
    title: &str,
    expected: Option<&BTreeSet<String>>,
    found: impl Iterator<Item = &'a str>,
    difference: &mut Vec<String>,
) {
    let Some(expected) = expected else {
        return;
    };
    let found: BTreeSet<&str> = found.collect();
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    if found == expected {
        return;
    }
    difference.push(title.to_owned());
    for id in expected.union(&found) {
        let sign = match (expected.contains(id), found.contains(id)) {
            (true, true) => ' ',
            (true, false) => '-',
            (false, _) => '+',
        };
        difference.push(format!("{sign} {id}"));
    }
}

/// What the policy said, so that the cause need not be searched for.
fn why(verdict: &Verdict) -> Vec<String> {
    let mut lines = Vec::new();
    if verdict.reasons.is_empty() && verdict.decision == Decision::Pass {
        lines.push("no rule gives a reason".to_owned());
    }
    for reason in &verdict.reasons {
        let change = reason.change.as_deref().unwrap_or("all changes");
        lines.push(format!(
            "because {} ({} of {change}): {}",
            reason.decision.as_str(),
            reason.rule,
            reason.because
        ));
    }
    lines
}
