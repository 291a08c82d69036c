//! Each signal on a case and a near miss, and the table of them as a whole.

use super::case::Case;
use super::cases::{added, cases, cluster, looks_like, manifest, published_by, upgrade};
use super::*;
use crate::diff::ChangeKind;
use crate::diff::ForcedBy;
use crate::facts::{Finding, Gap, GapReason, Publisher};
use crate::risk::Model;
use crate::snapshot::Role;

/// What a signal makes of a case.
fn raise(definition: &Definition, case: &Case) -> Option<Raised> {
    let model = Model::built_in().unwrap();
    let input = Input {
        change: &case.change,
        dossier: &case.dossier,
        links: &case.links,
    };
    (definition.check)(&input, &model.parameters(definition.id))
}

#[test]
fn each_signal_fires_on_its_case_and_is_quiet_on_a_near_miss() {
    for definition in SIGNALS {
        let (case, near_miss) = cases(definition.id);
        let raised =
            raise(definition, &case).unwrap_or_else(|| panic!("{} is quiet", definition.id));
        assert!(
            !raised.because.is_empty() && !raised.facts.is_empty(),
            "{}",
            definition.id
        );
        assert!(
            raised.share > 0.0 && raised.share <= 1.0,
            "{}",
            definition.id
        );
        match raised.grade {
            Some(grade) => assert!(
                definition.grades.contains(&grade),
                "{}: {grade}",
                definition.id
            ),
            None => assert!(definition.grades.is_empty(), "{}", definition.id),
        }
        assert_eq!(raise(definition, &near_miss), None, "{}", definition.id);
    }
}

#[test]
fn each_case_reaches_the_score_with_the_sign_that_is_meant() {
    let model = Model::built_in().unwrap();
    // What counts only in a likelihood that gives no points.
    let told_only = ["patched-line", "patches-near"];
    for definition in SIGNALS.iter().filter(|it| !told_only.contains(&it.id)) {
        let assessment = cases(definition.id).0.direct().assess(&model);
        let signal = assessment
            .signals
            .iter()
            .find(|signal| signal.id == definition.id);
        let points = signal
            .unwrap_or_else(|| panic!("{} adds nothing", definition.id))
            .points;
        let good = [
            "advisory-fixed",
            "code-unchanged",
            "incident-left",
            "yanked-left",
        ]
        .contains(&definition.id);
        assert_eq!(points < 0, good, "{}: {points}", definition.id);
    }
}

#[test]
fn no_signal_fires_on_an_ordinary_patch_or_on_a_removal() {
    let removed = upgrade(|case| {
        case.change.kind = ChangeKind::Removed;
        case.change.to.clear();
    });
    for definition in SIGNALS {
        assert_eq!(
            raise(definition, &upgrade(|_| ())),
            None,
            "{}",
            definition.id
        );
        assert_eq!(raise(definition, &removed), None, "{}", definition.id);
    }
}

/// A case in which one kind of fact is missing.
fn without(case: &Case, kind: FactKind) -> Case {
    let gap = Gap {
        fact: kind,
        reason: GapReason::OfflineAndNotCached,
        detail: String::new(),
    };
    let mut case = case.clone();
    match kind {
        FactKind::PublishTime => case.dossier.published = Finding::Unknown(gap),
        FactKind::Yanked => case.dossier.yanked = Finding::Unknown(gap),
        FactKind::LaterReleases => case.dossier.later = Finding::Unknown(gap),
        FactKind::YankCluster => case.dossier.yank_cluster = Finding::Unknown(gap),
        FactKind::History => {
            case.dossier.history = Finding::Unknown(gap.clone());
            case.dossier.declared = Finding::Unknown(gap);
        }
        FactKind::Advisories => {
            case.dossier.advisories = Finding::Unknown(gap);
            case.dossier.advisories_on_record = 0;
        }
        FactKind::Manifest => {
            case.change.manifest_before = None;
            case.change.manifest_after = None;
        }
        FactKind::Placement => {
            case.change.placement.roles = [Role::Unbuilt].into();
            case.change.placement_before = None;
        }
        FactKind::Features => case.change.features = crate::diff::FeatureDelta::default(),
        FactKind::Source => case.dossier.source = Finding::Unknown(gap),
        FactKind::Outcomes => case.dossier.outcomes = Finding::Unknown(gap),
        FactKind::Publisher => case.dossier.publisher = Finding::Unknown(gap),
    }
    case
}

#[test]
fn each_signal_reads_exactly_the_kinds_of_fact_that_it_names() {
    for definition in SIGNALS {
        let (case, _) = cases(definition.id);
        let raised = raise(definition, &case);
        for kind in FactKind::ALL {
            let same = raise(definition, &without(&case, kind)) == raised;
            assert_eq!(
                same,
                !definition.looks_at.contains(&kind),
                "{} and {}",
                definition.id,
                kind.as_str()
            );
        }
    }
}

#[test]
fn each_signal_is_documented() {
    for definition in SIGNALS {
        let Docs { what, why, example } = definition.docs;
        for text in [what, why, example] {
            assert!(
                text.len() > 15 && text.ends_with('.'),
                "{}: {text}",
                definition.id
            );
        }
        assert!(
            definition.title.len() > 10 && !definition.title.ends_with('.'),
            "{}",
            definition.id
        );
    }
}

#[test]
fn grades_tell_apart_what_differs() {
    let grade = |case: &Case, id: &str| {
        let definition = SIGNALS
            .iter()
            .find(|definition| definition.id == id)
            .unwrap();
        raise(definition, case).and_then(|raised| raised.grade)
    };
    let step = |from: &str, to: &str| grade(&Case::upgrade(from, to), "version-step");
    assert_eq!(step("1.0.0", "1.1.0"), Some("minor"));
    assert_eq!(step("0.1.0", "0.2.0"), Some("major"));
    assert_eq!(step("1.0.0", "1.1.0-rc.1"), Some("prerelease"));
    let down =
        Case::upgrade("1.1.0", "1.0.0").with(|case| case.change.kind = ChangeKind::Downgraded);
    assert_eq!(grade(&down, "version-step"), Some("downgrade"));
    let brought = added(|case| {
        case.change.forced_by = Some(ForcedBy {
            root: "image".to_owned(),
            chain: vec!["image".to_owned()],
            because: String::new(),
        });
    });
    assert_eq!(grade(&brought, "package-added"), Some("brought"));
    assert_eq!(grade(&added(|_| ()), "package-added"), Some("chosen"));
    let script = added(|case| case.change.manifest_after = manifest(true, false, None));
    assert_eq!(grade(&script, "build-script-added"), Some("new-package"));
    let trusted = Publisher::Trusted {
        provider: "github".to_owned(),
        repository: "a/b".to_owned(),
    };
    let left = published_by("ada", &["ada", "ada", "ada"]).with(|case| {
        if let Finding::Seen(delta) = &mut case.dossier.publisher {
            delta.outgoing = Some(trusted.clone());
        }
    });
    assert_eq!(grade(&left, "publisher-new"), Some("left-trusted"));
    let joined = published_by("eve", &["ada", "ada", "ada"]).with(|case| {
        if let Finding::Seen(delta) = &mut case.dossier.publisher {
            delta.incoming = trusted.clone();
        }
    });
    assert_eq!(grade(&joined, "publisher-new"), None);
    let old = looks_like("serde").history(|history| history.crate_age_days = 900.0);
    assert_eq!(grade(&old, "look-alike"), Some("old"));
    let copy = looks_like("serde").with(|case| {
        if let Some(found) = &mut case.dossier.look_alike {
            found.same_lines = Some(0.9);
        }
    });
    assert_eq!(grade(&copy, "look-alike"), Some("copy"));
    let lure = upgrade(|case| case.dossier.yank_cluster = cluster(&["0.9.0", "1.0.0"], false))
        .published(2.0);
    assert_eq!(grade(&lure, "yank-lure"), Some("several"));
    let alone = |days: Option<f64>| {
        upgrade(|case| {
            case.dossier.yank_cluster = cluster(&["0.9.0", "1.0.0"], true);
            match (days, &mut case.dossier.published) {
                (Some(days), Finding::Seen(published)) => published.age_days = days,
                (_, published) => *published = Finding::Absent("no time".to_owned()),
            }
        })
    };
    let left = Some("only-one-left");
    for (days, expected) in [
        (Some(0.5), left),
        (Some(13.9), left),
        (Some(14.0), None),
        (None, None),
    ] {
        assert_eq!(grade(&alone(days), "yank-lure"), expected, "{days:?}");
    }
}
