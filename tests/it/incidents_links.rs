//! Links from changes to incidents, over the built-in records and real updates.

use std::collections::BTreeMap;

use cargo_canary::advisories::Store;
use cargo_canary::diff::{Change, ChangeKind, FeatureDelta};
use cargo_canary::facts::{Dossier, Finding};
use cargo_canary::incidents::{
    Affected, Affects, Catalogue, Direction, Link, Record, Strength, Surroundings, Versions, link,
};
use cargo_canary::pkg::{Release, Source};
use cargo_canary::snapshot::{Placement, Role};
use semver::Version;

use crate::incidents::own;

/// A release of the default registry.
fn release(version: &str) -> Release {
    Release {
        version: version.parse().unwrap(),
        source: Source::CratesIo,
        checksum: None,
    }
}

/// A change of a package that is compiled into what is shipped.
pub(crate) fn change(package: &str, from: Option<&str>, to: Option<&str>) -> Change {
    let kind = match (from, to) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        (Some(from), Some(to)) if from.parse::<Version>().unwrap() > to.parse().unwrap() => {
            ChangeKind::Downgraded
        }
        (Some(_), Some(_)) => ChangeKind::Upgraded,
    };
    let placement = Placement {
        roles: [Role::Target].into(),
        resolved: true,
        ..Placement::default()
    };
    Change {
        id: package.to_owned(),
        package: package.to_owned(),
        kind,
        from: from.map(release).into_iter().collect(),
        to: to.map(release).into_iter().collect(),
        placement: placement.clone(),
        placement_before: (from.is_some() && to.is_some()).then_some(placement),
        features: FeatureDelta::default(),
        forced_by: None,
        forces: Vec::new(),
        paths: Vec::new(),
        workspaces: vec![".".to_owned()],
        dependencies_gained: Vec::new(),
        dependencies_lost: Vec::new(),
        manifest_before: None,
        manifest_after: None,
        lock_line: None,
    }
}

/// A dossier that knows nothing.
pub(crate) fn dossier() -> Dossier {
    let nothing = "nothing was searched";
    Dossier {
        published: Finding::Absent(nothing.to_owned()),
        previous_published: Finding::Absent(nothing.to_owned()),
        yanked: Finding::Absent(nothing.to_owned()),
        later: Finding::Absent(nothing.to_owned()),
        yank_cluster: Finding::Absent(nothing.to_owned()),
        history: Finding::Absent(nothing.to_owned()),
        advisories: Finding::Absent(nothing.to_owned()),
        source: Finding::Absent(nothing.to_owned()),
        outcomes: Finding::Absent("no ledger is named".to_owned()),
        publisher: Finding::Absent("not asked for".to_owned()),
        declared: Finding::Absent(nothing.to_owned()),
        advisories_on_record: 0,
        look_alike: None,
        other_gaps: Vec::new(),
    }
}

/// The versions of a graph.
pub(crate) fn graph(packages: &[(&str, &str)]) -> Versions {
    let mut graph = Versions::new();
    for (name, version) in packages {
        graph
            .entry((*name).to_owned())
            .or_default()
            .push(version.parse().unwrap());
    }
    graph
}

/// The links of a change between two graphs, on a day after all records.
fn links(change: &Change, base: &Versions, head: &Versions, catalogue: &Catalogue) -> Vec<Link> {
    let as_of = "2027-01-01".parse().unwrap();
    link(
        change,
        &dossier(),
        &Surroundings { base, head, as_of },
        catalogue,
    )
}

/// The links of a change that stands alone.
fn alone(package: &str, from: Option<&str>, to: Option<&str>, catalogue: &Catalogue) -> Vec<Link> {
    let change = change(package, from, to);
    let base: Vec<(&str, &str)> = from.map(|from| (package, from)).into_iter().collect();
    let head: Vec<(&str, &str)> = to.map(|to| (package, to)).into_iter().collect();
    links(&change, &graph(&base), &graph(&head), catalogue)
}

/// Incident, strength and direction of each link.
pub(crate) fn brief(links: &[Link]) -> Vec<(&str, Strength, Direction)> {
    links
        .iter()
        .map(|link| (link.id.as_str(), link.strength, link.direction))
        .collect()
}

/// A version just below another.
fn below(version: &Version) -> Option<Version> {
    if version.patch > 0 {
        return Some(Version::new(
            version.major,
            version.minor,
            version.patch - 1,
        ));
    }
    if version.minor > 0 {
        return Some(Version::new(version.major, version.minor - 1, 99));
    }
    (version.major > 0).then(|| Version::new(version.major - 1, 99, 99))
}

/// A version in the bad range: the first, else the one below the repair, else the lower bound.
fn bad_version(affected: &Affected, fixed: &Version) -> Version {
    let inside = |version: &Version| affected.range.matches(version);
    affected
        .introduced
        .clone()
        .or_else(|| below(fixed).filter(inside))
        .unwrap_or_else(|| {
            let bound = &affected.range.comparators[0];
            let mut version = Version::new(bound.major, bound.minor.unwrap(), bound.patch.unwrap());
            version.pre = bound.pre.clone();
            version
        })
}

/// The links of one record for a change in a rule's crate, with the rule's
/// other crates at versions that are bad.
fn of_record(
    record: &Record,
    rule: &Affects,
    package: &str,
    from: &str,
    to: &str,
    catalogue: &Catalogue,
) -> Vec<Link> {
    let mut base = Versions::new();
    for other in rule.crates.iter().filter(|other| other.name != package) {
        let bound = &other.range.comparators[0];
        let version = Version::new(
            bound.major,
            bound.minor.unwrap_or(0),
            bound.patch.unwrap_or(0),
        );
        base.insert(other.name.clone(), vec![version]);
    }
    let mut head = base.clone();
    base.insert(package.to_owned(), vec![from.parse().unwrap()]);
    head.insert(package.to_owned(), vec![to.parse().unwrap()]);
    let change = change(package, Some(from), Some(to));
    links(&change, &base, &head, catalogue)
        .into_iter()
        .filter(|link| link.id == record.id)
        .collect()
}

#[test]
fn entering_a_bad_range_is_a_repeat_leaving_it_a_fix_and_before_it_neither() {
    let catalogue = Catalogue::built_in().unwrap();
    let mut checked = 0;
    let mut with_start = 0;
    for record in catalogue.records() {
        for rule in &record.affects {
            // A fault behind a feature is checked elsewhere.
            for affected in rule
                .crates
                .iter()
                .filter(|affected| affected.features.is_empty())
            {
                let Some(fixed) = affected.fixed_in.first() else {
                    continue;
                };
                let bad = bad_version(affected, fixed);
                let (bad, fixed) = (bad.to_string(), fixed.to_string());
                let run = |from: &str, to: &str| {
                    of_record(record, rule, &affected.name, from, to, &catalogue)
                };
                let found = run(&bad, &fixed);
                let expected = vec![(record.id.as_str(), Strength::Repeat, Direction::Leaves)];
                assert_eq!(brief(&found), expected, "{bad} -> {fixed}");
                let found = run(&fixed, &bad);
                let expected = vec![(record.id.as_str(), Strength::Repeat, Direction::Enters)];
                assert_eq!(brief(&found), expected, "{fixed} -> {bad}");
                checked += 1;
                let Some(before) = affected.introduced.as_ref().and_then(below) else {
                    continue;
                };
                let before = before.to_string();
                assert_eq!(
                    run(&before, &bad)[0].direction,
                    Direction::Enters,
                    "{before} -> {bad}"
                );
                let quiet = run(&before, &before);
                assert!(
                    quiet.iter().all(|link| link.strength < Strength::Repeat),
                    "{}: {before}",
                    record.id
                );
                assert!(
                    catalogue
                        .matching(&affected.name, &before.parse().unwrap())
                        .iter()
                        .all(|found| found.record.id != record.id)
                );
                with_start += 1;
            }
        }
    }
    assert!(checked >= 80, "{checked}");
    assert!(with_start >= 30, "{with_start}");
}

#[test]
fn the_pair_links_and_either_alone_does_not() {
    let catalogue = Catalogue::built_in().unwrap();
    let id = "metrics-0.24.4-util-0.19-hash";
    let run =
        |package: &str, from: &str, to: &str, base: &[(&str, &str)], head: &[(&str, &str)]| {
            let found = links(
                &change(package, Some(from), Some(to)),
                &graph(base),
                &graph(head),
                &catalogue,
            );
            found
                .into_iter()
                .find(|link| link.id == id)
                .map(|link| (link.strength, link.direction))
        };
    let enters = Some((Strength::Repeat, Direction::Enters));
    let leaves = Some((Strength::Repeat, Direction::Leaves));
    let bad = [("metrics", "0.24.4"), ("metrics-util", "0.19.1")];
    assert_eq!(
        run(
            "metrics",
            "0.24.3",
            "0.24.4",
            &[("metrics", "0.24.3"), ("metrics-util", "0.19.1")],
            &bad
        ),
        enters
    );
    assert_eq!(
        run(
            "metrics-util",
            "0.20.1",
            "0.19.1",
            &[("metrics", "0.24.4"), ("metrics-util", "0.20.1")],
            &bad
        ),
        enters
    );
    let util_left = [("metrics", "0.24.4"), ("metrics-util", "0.20.2")];
    assert_eq!(
        run("metrics-util", "0.19.1", "0.20.2", &bad, &util_left),
        leaves
    );
    let alone = [("metrics", "0.24.4")];
    assert_eq!(
        run(
            "metrics",
            "0.24.3",
            "0.24.4",
            &[("metrics", "0.24.3")],
            &alone
        ),
        None
    );
    assert_eq!(
        run(
            "metrics-util",
            "0.18.0",
            "0.19.0",
            &[],
            &[("metrics", "0.24.3"), ("metrics-util", "0.19.0")]
        ),
        None
    );
    let with_newer = [("metrics", "0.24.4"), ("metrics-util", "0.20.1")];
    assert_eq!(
        run(
            "metrics",
            "0.24.3",
            "0.24.4",
            &[("metrics", "0.24.3"), ("metrics-util", "0.20.1")],
            &with_newer
        ),
        None
    );
}

#[test]
fn a_leak_fix_that_brings_a_worse_fault_is_both() {
    let catalogue = Catalogue::built_in().unwrap();
    let found = alone(
        "crossbeam-channel",
        Some("0.5.11"),
        Some("0.5.12"),
        &catalogue,
    );
    assert_eq!(
        brief(&found),
        [
            (
                "crossbeam-channel-0.5.12-double-free",
                Strength::Repeat,
                Direction::Enters
            ),
            (
                "crossbeam-channel-0.5.11-block-leak",
                Strength::Repeat,
                Direction::Leaves
            ),
        ]
    );
    assert!(
        found[0]
            .because
            .contains("enters the bad range crossbeam-channel"),
        "{}",
        found[0].because
    );
    assert!(
        found[0].because.contains("repaired in 0.5.15"),
        "{}",
        found[0].because
    );
}

#[test]
fn an_update_of_a_json_library_is_weakly_like_the_one_that_leaked() {
    let catalogue = Catalogue::built_in().unwrap();
    let found = alone("serde_json", Some("1.0.117"), Some("1.0.118"), &catalogue);
    assert_eq!(
        brief(&found),
        [(
            "2024-06-14-json-library-leak",
            Strength::Weak,
            Direction::Resembles
        )]
    );
    assert!(
        found[0]
            .because
            .starts_with("serde_json is a json library: "),
        "{}",
        found[0].because
    );
    let found = alone("jpeg-decoder", Some("0.3.0"), Some("0.3.1"), &catalogue);
    assert_eq!(
        brief(&found),
        [(
            "2024-06-05-image-resize-leak",
            Strength::Weak,
            Direction::Resembles
        )]
    );
}

#[test]
fn what_only_resembles_is_quiet_where_it_is_not_shipped_or_does_not_come_in() {
    let catalogue = Catalogue::built_in().unwrap();
    let with = |edit: fn(&mut Change)| {
        let mut change = change("serde_json", Some("1.0.117"), Some("1.0.118"));
        edit(&mut change);
        links(&change, &Versions::new(), &Versions::new(), &catalogue)
    };
    assert_eq!(with(|_| ()).len(), 1, "the case itself links");
    assert!(with(|change| change.placement.roles = [Role::Dev].into()).is_empty());
    assert!(with(|change| change.placement.roles = [Role::Unbuilt].into()).is_empty());
    assert!(with(|change| change.placement.roles = [Role::Host].into()).is_empty());
    assert!(with(|change| change.kind = ChangeKind::PlacementChanged).is_empty());
    assert!(with(|change| change.kind = ChangeKind::Downgraded).is_empty());
    assert!(with(|change| change.to[0].source = Source::Local).is_empty());
    assert!(alone("serde_json", Some("1.0.117"), None, &catalogue).is_empty());
    assert!(alone("no-such-crate", Some("1.0.0"), Some("1.0.1"), &catalogue).is_empty());
}

#[test]
fn the_same_crate_is_strong_next_to_the_fault_and_weak_far_from_it() {
    let catalogue = Catalogue::built_in().unwrap();
    let near = alone("moka", Some("0.12.1"), Some("0.12.3"), &catalogue);
    assert_eq!(
        brief(&near),
        [(
            "moka-0.12.0-concurrent-initialisers",
            Strength::Strong,
            Direction::Resembles
        )]
    );
    let far = alone("moka", Some("0.12.9"), Some("0.12.10"), &catalogue);
    assert_eq!(
        brief(&far),
        [(
            "moka-0.12.0-concurrent-initialisers",
            Strength::Weak,
            Direction::Resembles
        )]
    );
    let faults_of_old = alone("openssl", Some("0.10.70"), Some("0.10.71"), &catalogue);
    assert!(
        faults_of_old.is_empty(),
        "a fault that was always there says nothing about an update"
    );
}

#[test]
fn a_fault_behind_a_feature_needs_the_feature() {
    let catalogue = Catalogue::built_in().unwrap();
    let id = "tokio-1.25-tracing-guard-leak";
    let with = |features: &[&str], resolved: bool| {
        let mut change = change("tokio", None, Some("1.25.0"));
        change.placement.resolved = resolved;
        change.placement.target_features = features
            .iter()
            .map(|feature| (*feature).to_owned())
            .collect();
        let found = links(
            &change,
            &Versions::new(),
            &graph(&[("tokio", "1.25.0")]),
            &catalogue,
        );
        found.into_iter().find(|link| link.id == id)
    };
    assert_eq!(
        with(&["rt", "tracing"], true).map(|link| link.strength),
        Some(Strength::Repeat)
    );
    assert_eq!(with(&["rt"], true), None);
    let unknown = with(&[], false).unwrap();
    assert_eq!(unknown.strength, Strength::Strong);
    assert!(
        unknown.because.contains("could not be looked up"),
        "{}",
        unknown.because
    );
}

#[test]
fn an_incident_after_the_day_of_judgement_is_not_seen() {
    let catalogue = Catalogue::built_in().unwrap();
    let change = change("moka", Some("0.11.3"), Some("0.12.0"));
    let graph = Versions::new();
    let on = |day: &str| {
        let around = Surroundings {
            base: &graph,
            head: &graph,
            as_of: day.parse().unwrap(),
        };
        let found = link(&change, &dossier(), &around, &catalogue);
        found
            .iter()
            .filter(|link| link.strength == Strength::Repeat)
            .count()
    };
    assert_eq!(on("2023-10-02"), 0);
    assert_eq!(on("2023-10-03"), 1);
}

#[test]
fn the_teams_own_incidents_come_first_and_share_no_id() {
    let json = own("our-json", "cause = \"own-change\"\n");
    let catalogue = Catalogue::with_repository(std::slice::from_ref(&json)).unwrap();
    let found = alone("serde_json", Some("1.0.117"), Some("1.0.118"), &catalogue);
    assert_eq!(
        brief(&found),
        [("our-json", Strength::Weak, Direction::Resembles)]
    );

    let range = own(
        "our-range",
        "cause = \"third-party-update\"\n[[affects]]\ncrates = { serde_json = \"=1.0.118\" }\n",
    );
    let catalogue = Catalogue::with_repository(&[range]).unwrap();
    let found = alone("serde_json", Some("1.0.117"), Some("1.0.118"), &catalogue);
    assert_eq!(
        brief(&found)[0],
        ("our-range", Strength::Repeat, Direction::Enters)
    );

    let twice = own(
        "moka-0.12.0-concurrent-initialisers",
        "cause = \"unknown\"\n",
    );
    let error = Catalogue::with_repository(&[twice])
        .unwrap_err()
        .to_string();
    assert!(error.contains("is used in"), "{error}");
}

/// What one line of the corpus says, as far as it is needed here.
fn upgrades(folder: &str) -> impl Iterator<Item = serde_json::Value> {
    use std::io::{BufRead as _, BufReader};
    let file = std::fs::File::open(format!("{folder}/corpus/updates.jsonl.gz")).unwrap();
    BufReader::new(flate2::read::GzDecoder::new(file))
        .lines()
        .map(Result::unwrap)
        .filter(|line| line.contains("\"kind\":\"upgrade\""))
        .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap())
        .filter(|row| {
            row["kind"] == "upgrade"
                && row["new_source"] == "crates.io"
                && row["old_source"] == "crates.io"
        })
}

#[test]
fn links_on_real_updates_are_few() {
    let Some(folder) = crate::shared_data::folder() else {
        return;
    };
    let catalogue = Catalogue::built_in().unwrap();
    let advisories = Store::embedded();
    let mut counts: BTreeMap<(bool, Strength, Direction), usize> = BTreeMap::new();
    let (mut rows, mut several) = (0_usize, 0_usize);
    for row in upgrades(&folder) {
        let field = |name: &str| row[name].as_str().unwrap().to_owned();
        let (name, old, new) = (field("name"), field("old"), field("new"));
        let change = change(&name, Some(&old), Some(&new));
        let (base, head) = (graph(&[(&name, &old)]), graph(&[(&name, &new)]));
        let as_of: jiff::civil::Date = field("commit_time")[..10].parse().unwrap();
        let day: jiff::Timestamp = format!("{as_of}T00:00:00Z").parse().unwrap();
        let dossier = Dossier {
            advisories: advisories.delta(&name, &change.from, &change.to, day),
            ..dossier()
        };
        let found = link(
            &change,
            &dossier,
            &Surroundings {
                base: &base,
                head: &head,
                as_of,
            },
            &catalogue,
        );
        rows += 1;
        several += usize::from(found.len() > 1);
        for link in found {
            let key = (link.is_advisory(), link.strength, link.direction);
            *counts.entry(key).or_default() += 1;
        }
    }
    let per_100 = |count: usize| count as f64 * 100.0 / rows as f64;
    for ((advisory, strength, direction), count) in &counts {
        println!(
            "{:8} {:7} {:9} {:.2} per 100 of {rows} upgrades",
            if *advisory { "advisory" } else { "record" },
            strength.as_str(),
            direction.as_str(),
            per_100(*count)
        );
    }
    println!("more than one link: {:.2} per 100", per_100(several));
    let of = |key| per_100(counts.get(&key).copied().unwrap_or(0));
    assert!(of((false, Strength::Weak, Direction::Resembles)) < 6.0);
    assert!(of((false, Strength::Strong, Direction::Resembles)) < 0.5);
    assert!(of((false, Strength::Repeat, Direction::Enters)) < 0.2);
    assert!(of((true, Strength::Repeat, Direction::Enters)) < 0.2);
}
