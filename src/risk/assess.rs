//! From one change with its facts and links to a score that adds up.

use std::cmp::Reverse;

use super::columns::{raise, shares};
use super::model::Model;
use super::signals::{Definition, Input, Raised};
use super::{Assessment, Column, Evidence, LIMIT, Signal};
use crate::diff::Change;
use crate::facts::{Dossier, FactKind, Finding};
use crate::incidents::Link;

/// What the model makes of a change.
#[must_use]
pub fn assess(change: &Change, dossier: &Dossier, links: &[Link], model: &Model) -> Assessment {
    let input = Input {
        change,
        dossier,
        links,
    };
    let raised = raise(&input, model);
    let shares = shares(&raised);
    let points = model.points(&shares);
    let mut signals = signals(&raised, &shares, &points, change, model);
    let sum: i32 = signals.iter().map(|signal| signal.points).sum();
    let score = sum.clamp(0, 100);
    if score != sum {
        let because = format!("a score is from 0 to 100, and the signals sum up to {sum}");
        signals.push(Signal {
            id: LIMIT,
            points: score - sum,
            because,
            facts: Vec::new(),
        });
    }
    signals.sort_by(|a, b| (Reverse(a.points), a.id).cmp(&(Reverse(b.points), b.id)));
    let score = u8::try_from(score).unwrap_or(100);
    Assessment {
        score,
        level: model.level(score),
        likelihood: model.probability(points.iter().sum()),
        faults: model.likelihoods(&shares),
        exposure: model.placement_weight(&change.placement),
        signals,
        evidence: evidence(change, dossier),
    }
}

/// The signals with whole points, without those that are worth nothing here.
fn signals(
    raised: &[(&Definition, Raised)],
    shares: &[(Column, f64)],
    points: &[f64],
    change: &Change,
    model: &Model,
) -> Vec<Signal> {
    let exposed: Vec<(f64, &str)> = shares
        .iter()
        .map(|((id, _), _)| model.exposure(id, &change.placement))
        .collect();
    let parts: Vec<f64> = points
        .iter()
        .zip(&exposed)
        .map(|(points, (exposure, _))| points * exposure)
        .collect();
    let fitted = |at: &usize| {
        shares
            .get(*at)
            .is_some_and(|(column, _)| model.is_fitted(column))
    };
    let whole = whole(&parts, &fitted);
    let each = raised.iter().zip(exposed).zip(whole);
    each.filter(|(_, points)| *points != 0)
        .map(|(((definition, raised), (exposure, reason)), points)| {
            let mut facts = raised.facts.clone();
            if exposure < 1.0 {
                facts.push(format!("placement: {reason} (points x {exposure})"));
            }
            Signal {
                id: definition.id,
                points,
                because: raised.because.clone(),
                facts,
            }
        })
        .collect()
}

/// Whole points. Those set by hand are rounded one by one. Those of the fitted
/// signals are parts of one sum: the sum is rounded, and what is left over goes
/// to the parts that lost most, so that more of a signal never lowers a score.
fn whole(parts: &[f64], fitted: &dyn Fn(&usize) -> bool) -> Vec<i32> {
    // In bounds: a few hundred points at most; a NaN becomes 0.
    let mut whole: Vec<i32> = parts.iter().map(|part| part.round() as i32).collect();
    let mut shared: Vec<usize> = (0..parts.len()).filter(fitted).collect();
    let part = |at: &usize| parts.get(*at).copied().unwrap_or(0.0);
    let sum: f64 = shared.iter().map(part).sum();
    let floor: i32 = shared.iter().map(|at| part(at).floor() as i32).sum();
    let mut left = sum.round() as i32 - floor;
    shared.sort_by(|a, b| {
        let lost = |at: &usize| part(at) - part(at).floor();
        lost(b).total_cmp(&lost(a)).then(a.cmp(b))
    });
    for at in shared {
        if let Some(slot) = whole.get_mut(at) {
            *slot = part(&at).floor() as i32 + i32::from(left > 0);
            left -= 1;
        }
    }
    whole
}

/// How much of what the signals look at was known.
fn evidence(change: &Change, dossier: &Dossier) -> Evidence {
    let mut evidence = Evidence::default();
    for kind in FactKind::ALL {
        // What nobody asked for says nothing of how much is known.
        let unasked = kind == FactKind::Outcomes && matches!(dossier.outcomes, Finding::Absent(_))
            || kind == FactKind::Publisher && matches!(dossier.publisher, Finding::Absent(_));
        if unasked {
            continue;
        }
        let had = match kind {
            FactKind::PublishTime => dossier.published.gap().is_none(),
            FactKind::Yanked => dossier.yanked.gap().is_none(),
            FactKind::LaterReleases => dossier.later.gap().is_none(),
            FactKind::YankCluster => dossier.yank_cluster.gap().is_none(),
            FactKind::History => dossier.history.gap().is_none(),
            FactKind::Advisories => dossier.advisories.gap().is_none(),
            FactKind::Manifest => change.incoming().is_none() || change.manifest_after.is_some(),
            FactKind::Placement | FactKind::Features => change.placement.resolved,
            FactKind::Source => dossier.source.gap().is_none(),
            FactKind::Outcomes => dossier.outcomes.gap().is_none(),
            FactKind::Publisher => dossier.publisher.gap().is_none(),
        };
        let gap = dossier.other_gaps.iter().any(|gap| gap.fact == kind);
        if had && !gap {
            evidence.known.push(kind);
        } else {
            evidence.missing.push(kind);
        }
    }
    evidence
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::diff::ChangeKind;
    use crate::facts::{Gap, GapReason};
    use crate::risk::signals::case::Case;
    use crate::snapshot::Role;

    /// The shipped model, read once.
    fn model() -> &'static Model {
        static MODEL: LazyLock<Model> = LazyLock::new(|| Model::built_in().unwrap());
        &MODEL
    }

    fn sum(assessment: &Assessment) -> i32 {
        assessment.signals.iter().map(|signal| signal.points).sum()
    }

    #[test]
    fn an_ordinary_patch_of_a_settled_release_scores_low() {
        let assessment = Case::upgrade("1.0.0", "1.0.1")
            .published(60.0)
            .assess(model());
        assert_eq!(assessment.score, 0, "{assessment:#?}");
        assert_eq!(assessment.evidence.percent(), 100);
    }

    #[test]
    fn a_fresh_patch_of_a_direct_dependency_stays_below_moderate() {
        // In its first hours history has 1 in 15 go wrong, which is moderate.
        let assessment = Case::upgrade("1.0.0", "1.0.1")
            .direct()
            .published(0.5)
            .assess(model());
        assert!((1..25).contains(&assessment.score), "{assessment:#?}");
    }

    #[test]
    fn too_many_points_are_cut_by_a_signal_of_its_own() {
        let mut case = Case::upgrade("1.0.0", "2.0.0")
            .direct()
            .published(0.0)
            .yanked(true)
            .advisory(true);
        case.change.kind = ChangeKind::ContentChanged;
        let assessment = case.assess(model());
        assert_eq!(assessment.score, 100);
        let limit = assessment
            .signals
            .iter()
            .find(|signal| signal.id == LIMIT)
            .unwrap();
        assert!(limit.points < 0);
        assert_eq!(sum(&assessment), 100);
        assert_eq!(assessment.signals.last(), Some(limit));
    }

    #[test]
    fn what_speaks_in_favour_does_not_go_below_nought() {
        let assessment = Case::upgrade("1.0.0", "1.0.1")
            .direct()
            .advisory(false)
            .assess(model());
        assert_eq!(assessment.score, 0);
        assert_eq!(sum(&assessment), 0);
        assert!(assessment.signals.iter().any(|signal| signal.points < 0));
    }

    #[test]
    fn the_more_it_is_exposed_the_higher_it_scores() {
        let score = |roles: &[Role], direct: bool| {
            let mut case = Case::upgrade("1.0.0", "2.0.0").published(0.5);
            case.change.placement.roles = roles.iter().copied().collect();
            case.change.placement.direct = direct;
            case.assess(model()).score
        };
        let scores = [
            score(&[Role::Unbuilt], true),
            score(&[Role::Dev], true),
            score(&[Role::Host], true),
            score(&[Role::Target], false),
            score(&[Role::Target], true),
        ];
        assert!(scores.is_sorted(), "{scores:?}");
        assert_eq!(scores[0], 0);
        assert!(scores[1] < scores[2] && scores[2] < scores[4], "{scores:?}");
    }

    #[test]
    fn gaps_add_no_points_and_lower_the_evidence() {
        let mut case = Case::upgrade("1.0.0", "1.0.1").direct().published(0.0);
        let known = case.assess(model());
        let gap = |fact| Gap {
            fact,
            reason: GapReason::OfflineAndNotCached,
            detail: "no network".to_owned(),
        };
        case.dossier.published = Finding::Unknown(gap(FactKind::PublishTime));
        case.dossier.advisories = Finding::Unknown(gap(FactKind::Advisories));
        case.dossier.other_gaps = vec![gap(FactKind::Manifest)];
        let unknown = case.assess(model());
        assert!(unknown.score < known.score);
        assert_eq!(
            unknown.evidence.missing,
            [
                FactKind::PublishTime,
                FactKind::Advisories,
                FactKind::Manifest
            ]
        );
        assert_eq!(unknown.evidence.percent(), 70);
        assert_eq!(known.evidence.percent(), 100);
    }

    #[test]
    fn evidence_of_nothing_is_nothing() {
        assert_eq!(Evidence::default().percent(), 0);
    }

    proptest! {
        #[test]
        fn points_always_add_up_and_stand_in_order(
            age in -3.0_f64..4000.0,
            skipped in 0_usize..50,
            series in 0_usize..80,
            (yanked, introduced, fixed, direct) in any::<(bool, bool, bool, bool)>(),
            role in 0_usize..4,
            kind in 0_usize..10,
            step in 0_usize..4,
        ) {
            let to = ["1.0.1", "1.1.0", "2.0.0", "0.9.0"][step];
            let mut case = Case::upgrade("1.0.0", to).published(age).history(|history| {
                history.versions_skipped = skipped;
                history.releases_90d = series;
            });
            if introduced { case = case.advisory(true); }
            if fixed { case = case.advisory(false); }
            case = case.yanked(yanked);
            case.change.placement.direct = direct;
            case.change.placement.roles = [[Role::Target, Role::Host, Role::Dev, Role::Unbuilt][role]].into();
            case.change.kind = [
                ChangeKind::Added, ChangeKind::Removed, ChangeKind::Upgraded, ChangeKind::Downgraded,
                ChangeKind::Duplicated, ChangeKind::Merged, ChangeKind::SourceMoved,
                ChangeKind::ContentChanged, ChangeKind::FeaturesChanged, ChangeKind::PlacementChanged,
            ][kind];
            let assessment = case.assess(model());
            prop_assert_eq!(sum(&assessment), i32::from(assessment.score));
            prop_assert!(assessment.score <= 100);
            prop_assert!(assessment.signals.iter().all(|signal| signal.points != 0));
            let order: Vec<_> = assessment.signals.iter().map(|signal| (Reverse(signal.points), signal.id)).collect();
            prop_assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", order);
            prop_assert_eq!(assessment, case.assess(model()));
        }

        #[test]
        fn an_older_release_never_scores_higher(age in 0.0_f64..60.0, more in 0.0_f64..60.0) {
            let score = |age| Case::upgrade("1.0.0", "1.1.0").direct().published(age).assess(model()).score;
            prop_assert!(score(age + more) <= score(age));
        }
    }
}
