//! What is known of the releases, of advisories, incidents and risk.

use std::borrow::Cow;

use crate::facts::{AdvisoryDelta, AdvisoryFact, FactKind, Finding, Publisher};
use crate::incidents::{Direction, Link, Strength};
use crate::risk::Fault;

use super::super::Subject;
use super::{Reading, Type, Variable, int, of, of_gap, text};

const SEVERITIES: &[&str] = &["none", "low", "medium", "high", "critical"];
const LEVELS: &[&str] = &["low", "moderate", "elevated", "high"];

pub(super) const TABLE: &[Variable] = &[
    Variable::of_change(
        "release.age_days",
        Type::Double,
        "days between the publication of the release that comes in and the day of judgement; negative when that is in the future",
        |s| of(&s.dossier.published, |it| Reading::Double(it.age_days)),
    )
    .needs(FactKind::PublishTime),
    Variable::of_change(
        "release.published",
        Type::Text,
        "when the release that comes in was published, such as `2024-06-24T03:20:52Z`",
        |s| of(&s.dossier.published, |it| Reading::Text(Cow::Owned(it.at.to_string()))),
    )
    .needs(FactKind::PublishTime),
    Variable::of_change(
        "release.previous_age_days",
        Type::Double,
        "the age in days of the release that goes out",
        |s| of(&s.dossier.previous_published, |it| Reading::Double(it.age_days)),
    )
    .needs(FactKind::PublishTime),
    Variable::of_change(
        "release.yanked",
        Type::Bool,
        "the release that comes in is withdrawn",
        |s| of(&s.dossier.yanked, |it| Reading::Bool(it.incoming)),
    )
    .needs(FactKind::Yanked),
    Variable::of_change(
        "release.previous_yanked",
        Type::Bool,
        "the release that goes out is withdrawn",
        |s| of(&s.dossier.yanked, |it| Reading::Bool(it.outgoing)),
    )
    .needs(FactKind::Yanked),
    Variable::of_change(
        "release.later_count",
        Type::Int,
        "how many releases of the same line came after it",
        |s| of(&s.dossier.later, |it| int(it.releases.len())),
    )
    .needs(FactKind::LaterReleases)
    .not_negative(),
    Variable::of_change(
        "release.hotfix_within_days",
        Type::Double,
        "days until the next release of the same line; absent when there is none",
        |s| {
            of(&s.dossier.later, |it| {
                let days = it.releases.iter().map(|later| later.after_days);
                days.min_by(f64::total_cmp).map_or(Reading::Absent, Reading::Double)
            })
        },
    )
    .needs(FactKind::LaterReleases),
    Variable::of_change(
        "release.yanked_predecessors",
        Type::Int,
        "how many older releases of the same line are withdrawn",
        |s| of(&s.dossier.yank_cluster, |it| int(it.withdrawn.len())),
    )
    .needs(FactKind::YankCluster)
    .not_negative(),
    Variable::of_change(
        "release.predecessors",
        Type::Int,
        "how many older releases of the same line there are, withdrawn or not",
        |s| of(&s.dossier.yank_cluster, |it| int(it.predecessors)),
    )
    .needs(FactKind::YankCluster)
    .not_negative(),
    Variable::of_change(
        "release.only_one_left",
        Type::Bool,
        "it is the only release of its line, later ones not counted, that is not withdrawn",
        |s| of(&s.dossier.yank_cluster, |it| Reading::Bool(it.only_one_left)),
    )
    .needs(FactKind::YankCluster),
    Variable::of_change(
        "release.prior_releases",
        Type::Int,
        "how many releases of the crate came before it",
        |s| of(&s.dossier.history, |it| int(it.prior_releases)),
    )
    .needs(FactKind::History)
    .not_negative(),
    Variable::of_change(
        "release.crate_age_days",
        Type::Double,
        "days since the crate's first release",
        |s| of(&s.dossier.history, |it| Reading::Double(it.crate_age_days)),
    )
    .needs(FactKind::History),
    Variable::of_change(
        "release.gap_before_days",
        Type::Double,
        "days between it and the release before it, in time; absent for a first release",
        |s| {
            of(&s.dossier.history, |it| {
                it.gap_before_days.map_or(Reading::Absent, Reading::Double)
            })
        },
    )
    .needs(FactKind::History),
    Variable::of_change(
        "release.releases_90d",
        Type::Int,
        "how many releases came in the 90 days before it",
        |s| of(&s.dossier.history, |it| int(it.releases_90d)),
    )
    .needs(FactKind::History)
    .not_negative(),
    Variable::of_change(
        "release.versions_skipped",
        Type::Int,
        "how many releases of the same line this change skips",
        |s| of(&s.dossier.history, |it| int(it.versions_skipped)),
    )
    .needs(FactKind::History)
    .not_negative(),
    Variable::of_change(
        "release.minor_releases_365d",
        Type::Int,
        "how many releases its minor version had in the 365 days before the audit, with itself",
        |s| of(&s.dossier.history, |it| int(it.pace.minor_releases_365d)),
    )
    .needs(FactKind::History)
    .not_negative(),
    Variable::of_change(
        "release.newer_minor",
        Type::Bool,
        "a release of a newer minor version is out",
        |s| of(&s.dossier.history, |it| Reading::Bool(it.pace.newer_minor)),
    )
    .needs(FactKind::History),
    Variable::of_change(
        "release.days_near_patch_365d",
        Type::Double,
        "on how many of the 365 days before the audit a patch of the crate was at most three days away",
        |s| of(&s.dossier.history, |it| Reading::Double(it.pace.days_near_patch_365d)),
    )
    .needs(FactKind::History)
    .not_negative(),
    Variable::of_change(
        "release.rust_version",
        Type::Text,
        "the oldest compiler that it declares to support, such as `1.60`; absent when it declares none",
        |s| {
            of(&s.dossier.declared, |it| match &it.rust_version {
                Some(version) => Reading::Text(version.as_str().into()),
                None => Reading::Absent,
            })
        },
    )
    .needs(FactKind::History),
    Variable::of_change(
        "release.rust_version_raised",
        Type::Bool,
        "it asks for a newer compiler than the release that goes out, or for one for the first time",
        |s| of(&s.dossier.declared, |it| Reading::Bool(it.rust_version_raised)),
    )
    .needs(FactKind::History),
    Variable::of_change(
        "release.publisher",
        Type::Text,
        "the login that published it; `trusted:SERVICE:REPOSITORY` for a trusted workflow; absent without `--publishers`",
        |s| of(&s.dossier.publisher, |it| Reading::Text(Cow::Owned(publisher(&it.incoming)))),
    )
    .needs(FactKind::Publisher),
    Variable::of_change(
        "release.publisher_is_new",
        Type::Bool,
        "none of the earlier releases was published by the same; absent without `--publishers`",
        |s| of(&s.dossier.publisher, |it| Reading::Bool(it.is_new())),
    )
    .needs(FactKind::Publisher),
    Variable::of_change(
        "release.left_trusted_publishing",
        Type::Bool,
        "the release before came out of a trusted workflow, and this one from an account; absent without `--publishers`",
        |s| of(&s.dossier.publisher, |it| Reading::Bool(it.left_trusted_publishing())),
    )
    .needs(FactKind::Publisher),
    Variable::of_change(
        "release.looks_like",
        Type::Text,
        "the known package that a new one may be taken for by its name; empty where there is none",
        |s| {
            let of = s.dossier.look_alike.as_ref().map_or("", |it| it.of.as_str());
            Reading::Text(Cow::Borrowed(of))
        },
    ),
    Variable::of_change(
        "advisories.introduced",
        Type::List,
        "ids of the advisories that apply to what comes in and not to what goes out",
        |s| delta(s, |delta| ids(&delta.introduced)),
    )
    .needs(FactKind::Advisories),
    Variable::of_change(
        "advisories.fixed",
        Type::List,
        "ids of the advisories that apply to what goes out and not to what comes in",
        |s| delta(s, |delta| ids(&delta.fixed)),
    )
    .needs(FactKind::Advisories),
    Variable::of_change(
        "advisories.remaining",
        Type::List,
        "ids of the advisories that apply to both",
        |s| delta(s, |delta| ids(&delta.remaining)),
    )
    .needs(FactKind::Advisories),
    Variable::of_change(
        "advisories.introduced_vulnerabilities",
        Type::Int,
        "how many introduced advisories are vulnerabilities",
        |s| delta(s, |delta| count(&delta.introduced, None)),
    )
    .needs(FactKind::Advisories)
    .not_negative(),
    Variable::of_change(
        "advisories.introduced_unsound",
        Type::Int,
        "how many introduced advisories are about unsoundness",
        |s| delta(s, |delta| count(&delta.introduced, Some("unsound"))),
    )
    .needs(FactKind::Advisories)
    .not_negative(),
    Variable::of_change(
        "advisories.introduced_unmaintained",
        Type::Int,
        "how many introduced advisories say that the crate is not maintained",
        |s| delta(s, |delta| count(&delta.introduced, Some("unmaintained"))),
    )
    .needs(FactKind::Advisories)
    .not_negative(),
    Variable::of_change(
        "advisories.worst",
        Type::Text,
        "the highest severity among the introduced; absent when none of them is rated",
        |s| {
            delta(s, |delta| {
                let worst = delta.introduced.iter().filter_map(|it| it.severity).max();
                worst.map_or(Reading::Absent, |severity| text(severity.as_str()))
            })
        },
    )
    .needs(FactKind::Advisories)
    .one_of(SEVERITIES),
    Variable::of_change(
        "incidents.repeat",
        Type::Int,
        "how many incidents have a range that the change enters",
        |s| links(s, |link| link.strength == Strength::Repeat && link.direction == Direction::Enters),
    )
    .not_negative(),
    Variable::of_change(
        "incidents.stays",
        Type::Int,
        "how many incidents have a range that the package was in and still is",
        |s| links(s, |link| link.strength == Strength::Repeat && link.direction == Direction::Stays),
    )
    .not_negative(),
    Variable::of_change(
        "incidents.fixes",
        Type::Int,
        "how many incidents have a range that the change leaves",
        |s| links(s, |link| link.direction == Direction::Leaves),
    )
    .not_negative(),
    Variable::of_change(
        "incidents.strong",
        Type::Int,
        "how many incidents it strongly resembles: the same crate, or the same component and failure mode",
        |s| links(s, |link| link.strength == Strength::Strong),
    )
    .not_negative(),
    Variable::of_change(
        "incidents.weak",
        Type::Int,
        "how many incidents it weakly resembles: the same component",
        |s| links(s, |link| link.strength == Strength::Weak),
    )
    .not_negative(),
    Variable::of_change(
        "incidents.ids",
        Type::List,
        "ids of all incidents that it is linked to",
        |s| Reading::List(s.links.iter().map(|link| Cow::Borrowed(link.id.as_str())).collect()),
    ),
    Variable::of_change("risk.score", Type::Int, "the score of the risk model, 0 to 100", |s| {
        Reading::Int(i64::from(s.assessment.score))
    })
    .between(0.0, 100.0),
    Variable::of_change("risk.level", Type::Text, "the band of the score", |s| {
        text(s.assessment.level.as_str())
    })
    .one_of(LEVELS),
    Variable::of_change(
        "risk.signals",
        Type::List,
        "ids of the signals that the score is made of",
        |s| {
            let signals = s.assessment.signals.iter();
            Reading::List(signals.map(|signal| Cow::Borrowed(signal.id)).collect())
        },
    ),
    Variable::of_change("risk.advisory_likelihood", Type::Double, "how likely a later advisory is, by history", |s| {
        likelihood(s, Fault::Advisory)
    })
    .between(0.0, 1.0),
    Variable::of_change("risk.withdrawal_likelihood", Type::Double, "how likely a later withdrawal is, by history", |s| {
        likelihood(s, Fault::Withdrawal)
    })
    .between(0.0, 1.0),
    Variable::of_change("risk.hot_fix_likelihood", Type::Double, "how likely a hot-fix within three days of the release is, by history", |s| {
        likelihood(s, Fault::Hotfix)
    })
    .between(0.0, 1.0),
    Variable::of_change("risk.follow_up_likelihood", Type::Double, "how likely another patch within three days is, by history", |s| {
        likelihood(s, Fault::FollowUp)
    })
    .between(0.0, 1.0),
];

/// How likely a kind of fault is; 0 where nothing was learnt from history.
fn likelihood(subject: Subject<'_>, fault: Fault) -> Reading<'static> {
    let mut faults = subject.assessment.faults.iter();
    let found = faults.find(|(kind, _)| *kind == fault);
    Reading::Double(found.map_or(0.0, |(_, likelihood)| *likelihood))
}

/// A reading of the advisories; where none were found, of an empty comparison.
pub(super) fn delta<'a>(
    subject: Subject<'a>,
    read: impl FnOnce(&'a AdvisoryDelta) -> Reading<'a>,
) -> Reading<'a> {
    static NOTHING: AdvisoryDelta = AdvisoryDelta {
        introduced: Vec::new(),
        fixed: Vec::new(),
        remaining: Vec::new(),
    };
    match &subject.dossier.advisories {
        Finding::Seen(delta) => read(delta),
        Finding::Absent(_) => read(&NOTHING),
        Finding::Unknown(gap) => {
            let reading = of_gap(gap);
            if reading == Reading::Absent {
                read(&NOTHING)
            } else {
                reading
            }
        }
    }
}

fn ids(advisories: &[AdvisoryFact]) -> Reading<'_> {
    Reading::List(
        advisories
            .iter()
            .map(|advisory| Cow::Borrowed(advisory.id.as_str()))
            .collect(),
    )
}

fn count(advisories: &[AdvisoryFact], informational: Option<&str>) -> Reading<'static> {
    int(advisories
        .iter()
        .filter(|advisory| advisory.informational.as_deref() == informational)
        .count())
}

fn links(subject: Subject<'_>, is: impl Fn(&Link) -> bool) -> Reading<'_> {
    int(subject.links.iter().filter(|link| is(link)).count())
}

/// A publisher as conditions see it: a login, or a trusted workflow.
fn publisher(publisher: &Publisher) -> String {
    match publisher {
        Publisher::Account(login) => login.clone(),
        Publisher::Trusted {
            provider,
            repository,
        } => format!("trusted:{provider}:{repository}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Severity;
    use crate::risk::Level;

    #[test]
    fn the_closed_lists_are_those_of_the_types() {
        let severities = [
            Severity::None,
            Severity::Low,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ];
        assert_eq!(SEVERITIES.to_vec(), severities.map(Severity::as_str));
        let levels = [Level::Low, Level::Moderate, Level::Elevated, Level::High];
        assert_eq!(LEVELS.to_vec(), levels.map(Level::as_str));
    }
}
