//! Phrases that several parts of the text share.

use std::collections::BTreeMap;

use crate::audit::{Audit, Comparison};
use crate::diff::{Change, ChangeKind};
use crate::facts::{AdvisoryFact, History, SourceDelta};
use crate::pkg::Release;
use crate::policy::{Decision, Reason};
use crate::risk::Assessment;
use crate::snapshot::Role;

/// Adds to a text.
pub(super) fn say(out: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = std::fmt::Write::write_fmt(out, words);
}

/// With a capital at the beginning, where it begins with a word and not a name.
pub(super) fn sentence(text: &str) -> String {
    match text.strip_prefix("the ") {
        Some(rest) => format!("The {rest}"),
        None => text.to_owned(),
    }
}

/// `1 change`, `2 changes`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// `1 advisory`, `2 advisories`.
pub(super) fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `3 advisories: a, b and c` or `9 advisories: a, b, c and 6 more`.
pub(super) fn some(names: &[String], all: usize, one: &str, many: &str) -> String {
    let noun = if all == 1 { one } else { many };
    let rest = all.saturating_sub(names.len());
    let list = names.join(", ");
    if rest > 0 {
        format!("{all} {noun}: {list} and {rest} more")
    } else {
        format!("{all} {noun}: {list}")
    }
}

/// The verdict in a word, and what it is about.
pub(super) fn headline(audit: &Audit) -> (&'static str, String) {
    let all = audit.changes.len();
    let with = |decision: Decision| {
        audit
            .changes
            .iter()
            .filter(|judged| judged.decision == decision)
            .count()
    };
    let whole = audit
        .verdict
        .reasons
        .iter()
        .any(|reason| reason.change.is_none() && reason.decision == audit.verdict.decision);
    let of = |number: usize, verb_one: &str, verb_many: &str| match (number, audit.changes.first())
    {
        (0, _) => format!(
            "the difference as a whole ({}) {verb_one}",
            count(all, "change")
        ),
        (_, Some(only)) if all == 1 => {
            let change = &only.change;
            format!("{} {} {verb_one}", change.package, move_of(change))
        }
        (_, _) if whole => {
            let changes = count(all, "change");
            format!("the difference as a whole and {number} of {changes} {verb_many}")
        }
        (1, _) => format!("1 of {} {verb_one}", count(all, "change")),
        (_, _) => format!("{number} of {} {verb_many}", count(all, "change")),
    };
    match audit.verdict.decision {
        Decision::Pass if all == 0 => ("PASS", "both builds have the same dependencies".to_owned()),
        Decision::Pass if !audit.evidence.discharged.is_empty() => (
            "PASS",
            format!(
                "{}; signed evidence takes the place of a canary",
                count(all, "change")
            ),
        ),
        Decision::Pass => (
            "PASS",
            format!("{}, none is held back", count(all, "change")),
        ),
        Decision::Canary => (
            "CANARY REQUIRED",
            of(
                with(Decision::Canary),
                "needs a canary rollout",
                "need a canary rollout",
            ),
        ),
        Decision::Incomplete => (
            "INCOMPLETE",
            of(
                with(Decision::Incomplete),
                "could not be checked as the policy requires",
                "could not be checked as the policy requires",
            ),
        ),
        Decision::Block => (
            "BLOCKED",
            of(
                with(Decision::Block),
                "is forbidden by the policy",
                "are forbidden by the policy",
            ),
        ),
    }
}

/// The two builds in one sentence.
pub(super) fn sides(comparison: &Comparison) -> String {
    let name = |side: &crate::audit::Side| match &side.input.commit {
        Some(commit) => format!(
            "{} ({})",
            side.input.given,
            commit.get(..12).unwrap_or(commit)
        ),
        None => side.input.given.clone(),
    };
    let roots = comparison
        .diff
        .changes
        .iter()
        .filter(|change| change.forced_by.is_none())
        .count();
    let forced = comparison.diff.changes.len() - roots;
    let mut text = format!(
        "{} -> {}, {} -> {} packages",
        name(&comparison.base),
        name(&comparison.head),
        comparison.base.packages,
        comparison.head.packages
    );
    if !comparison.diff.changes.is_empty() {
        text.push_str(
            &format_args!("; {}, {forced} forced by them", count(roots, "decision")).to_string(),
        );
    }
    text
}

/// When, by which policy and on what data it was judged.
pub(super) fn judged_by(audit: &Audit) -> String {
    let data = &audit.data;
    let index = match data.index_of {
        Some(at) => format!("index as of {}", at.strftime("%Y-%m-%d %H:%M UTC")),
        None => "no index entry used".to_owned(),
    };
    format!(
        "Judged as of {} by policy {} ({}), graph {}; {} of {} ({}), {index}.",
        audit.comparison.as_of.strftime("%Y-%m-%d %H:%M UTC"),
        audit.policy.name,
        audit.policy.read_from,
        audit.comparison.coverage.graph.as_str(),
        count(data.advisories, "advisory fact"),
        data.advisories_of,
        data.advisories_from,
    )
}

fn versions(releases: &[Release]) -> String {
    releases
        .iter()
        .map(|release| release.version.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Reasons by change, in the verdict's order.
pub(super) fn by_change(reasons: &[Reason]) -> Vec<(Option<&str>, Vec<&Reason>)> {
    let mut groups: Vec<(Option<&str>, Vec<&Reason>)> = Vec::new();
    let mut places: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for reason in reasons {
        let key = reason.change.as_deref();
        let place = *places.entry(key).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        if let Some((_, group)) = groups.get_mut(place) {
            group.push(reason);
        }
    }
    groups
}

/// What moved, such as `1.0.117 -> 1.0.118` or `added 0.3.1`.
pub(super) fn move_of(change: &Change) -> String {
    let (from, to) = (versions(&change.from), versions(&change.to));
    match change.kind {
        ChangeKind::Added => format!("added {to}"),
        ChangeKind::Removed => format!("removed {from}"),
        ChangeKind::Upgraded
        | ChangeKind::Downgraded
        | ChangeKind::Duplicated
        | ChangeKind::Merged => {
            format!("{from} -> {to}")
        }
        ChangeKind::SourceMoved => match (change.outgoing(), change.incoming()) {
            (Some(out), Some(new)) => {
                format!(
                    "{} from {} -> {} from {}",
                    out.version, out.source, new.version, new.source
                )
            }
            _ => format!("{from} -> {to}, other source"),
        },
        ChangeKind::ContentChanged => format!("{to}, other content"),
        ChangeKind::FeaturesChanged => format!("{to}, other features"),
        ChangeKind::PlacementChanged => format!("{to}, moved in the build"),
    }
}

/// Where it is compiled, such as `direct` or `host tools`.
pub(super) fn place_of(change: &Change) -> String {
    let placement = &change.placement;
    let mut words = vec![if placement.direct {
        "direct"
    } else {
        "transitive"
    }];
    if placement.resolved {
        for role in &placement.roles {
            match role {
                Role::Target => {}
                Role::Host => words.push("host tools"),
                Role::Dev => words.push("tests only"),
                Role::Unbuilt => words.push("not compiled"),
            }
        }
    }
    words.join(", ")
}

/// `vulnerability, high` or `unmaintained`.
pub(super) fn advisory_kind(fact: &AdvisoryFact) -> String {
    let kind = fact.informational.as_deref().unwrap_or("vulnerability");
    match fact.severity {
        Some(severity) => format!("{kind}, {}", severity.as_str()),
        None => kind.to_owned(),
    }
}

/// How much of a release's source was compared, and with what.
pub(super) fn source_summary(delta: &SourceDelta) -> String {
    let compiled = count(delta.after.compiled_files, "file");
    let of = format!("{compiled} of {} are compiled by a user", delta.after.files);
    match delta.before {
        None => format!("{of}; there is no release before to compare with"),
        Some(_) if delta.same_code => format!("{of}; all of them are the same as before"),
        Some(_) if delta.findings.is_empty() => {
            format!("{of}; they differ, and nothing that is looked for was gained or lost")
        }
        Some(_) => of,
    }
}

/// The releases before, and how fast patches came in the last year.
pub(super) fn history(history: &History) -> String {
    let pace = history.pace;
    let newer = if pace.newer_minor {
        " (a newer one is out)"
    } else {
        ""
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "days of a year"
    )]
    let near = pace.days_near_patch_365d.round().clamp(0.0, 365.0) as usize;
    format!(
        "{}, the first {:.0} days before; {} in the 90 days before it; {} skipped; in a year {} of its minor version{newer}, and a patch at most 3 days away on {}",
        count(history.prior_releases, "earlier release"),
        history.crate_age_days,
        history.releases_90d,
        count(history.versions_skipped, "release"),
        count(pace.minor_releases_365d, "release"),
        count(near, "day"),
    )
}

/// How likely a change is to go wrong, and how much of production runs it.
pub(super) fn odds(assessment: &Assessment) -> String {
    format!(
        "likelihood {}, exposure {} of 1",
        likelihood(assessment.likelihood),
        assessment.exposure
    )
}

/// By kind of fault, what became of updates like this one; none where nothing
/// was learnt from history.
pub(super) fn by_history(assessment: &Assessment) -> Option<String> {
    let each = assessment.faults.iter();
    let told: Vec<String> = each
        .map(|(fault, p)| format!("{} {}", fault.words(), likelihood(*p)))
        .collect();
    (!told.is_empty()).then(|| format!("updates like it in history: {}", told.join(", ")))
}

/// A probability in percent, and as one in so many.
fn likelihood(p: f64) -> String {
    let one_in = match (1.0 / p.max(1e-9)).round() {
        few if few < 2.0 => String::new(),
        many => format!(" (1 in {many})"),
    };
    format!("{:.1} %{one_in}", p * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Pace;

    #[test]
    fn the_history_says_how_fast_patches_came() {
        let mut of = History {
            prior_releases: 12,
            crate_age_days: 900.4,
            gap_before_days: None,
            releases_90d: 3,
            versions_skipped: 1,
            pace: Pace {
                minor_releases_365d: 4,
                newer_minor: false,
                days_near_patch_365d: 20.6,
            },
        };
        assert_eq!(
            history(&of),
            "12 earlier releases, the first 900 days before; 3 in the 90 days before it; 1 release skipped; in a year 4 releases of its minor version, and a patch at most 3 days away on 21 days"
        );
        of.pace = Pace {
            minor_releases_365d: 1,
            newer_minor: true,
            days_near_patch_365d: 1.0,
        };
        assert!(history(&of).ends_with(
            "in a year 1 release of its minor version (a newer one is out), and a patch at most 3 days away on 1 day"
        ));
    }
}
