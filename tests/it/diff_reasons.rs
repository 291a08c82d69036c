//! Which change forced which, on small graphs in text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cargo_canary::diff::{GraphDiff, diff};
use cargo_canary::pkg::{DependencyKind, PackageId, Source};
use cargo_canary::registry::Dependency;
use cargo_canary::snapshot::{DeclaredRequirements, Snapshot};

use crate::support::changes::{check, compare};
use crate::support::graph::snapshot;

#[test]
fn a_requirement_that_shuts_out_the_old_version_forces_the_new_one() {
    check(
        "app -> image 0.25.1 req=^0.25.1\nimage 0.25.1 -> png 0.17.10 req=^0.17.6",
        "app -> image 0.25.2 req=^0.25.2\nimage 0.25.2 -> png 0.17.14 req=^0.17.14",
        "image: upgraded 0.25.1 -> 0.25.2
         png: upgraded 0.17.10 -> 0.17.14 | image: `image 0.25.2` requires `png ^0.17.14`",
    );
}

#[test]
fn a_requirement_that_accepts_the_old_version_forces_nothing() {
    let diff = compare(
        "app -> image 0.25.1 req=^0.25\nimage 0.25.1 -> png 0.17.10 req=^0.17",
        "app -> image 0.25.2 req=^0.25\nimage 0.25.2 -> png 0.17.14 req=^0.17",
    );
    assert_eq!(diff.roots().count(), 2);
    assert_eq!(diff.attribution_notes, Vec::<String>::new());
}

#[test]
fn an_exact_requirement_forces_a_downgrade() {
    check(
        "app -> a 1\na 1 -> b 1.5 req=^1",
        "app -> a 1.1\na 1.1 -> b 1.2 req=>=1&<1.3",
        "a: upgraded 1.0.0 -> 1.1.0\nb: downgraded 1.5.0 -> 1.2.0 | a: `a 1.1.0` requires `b >=1, <1.3`",
    );
}

#[test]
fn what_a_new_release_brings_is_forced_by_it_all_the_way_down() {
    check(
        "app -> a 1",
        "app -> a 1.1\na 1.1 -> b 1\nb 1 -> c 1",
        "a: upgraded 1.0.0 -> 1.1.0
         b: added -> 1.0.0 | a: `b` is new in `a 1.1.0`
         c: added -> 1.0.0 | a > b: `b 1.0.0` needs `c`",
    );
    let diff = compare("app -> a 1", "app -> a 1.1\na 1.1 -> b 1\nb 1 -> c 1");
    assert_eq!(diff.change("a").unwrap().forces, ["b", "c"]);
    assert_eq!(diff.change("b").unwrap().forces, ["c"]);
    let decisions = diff.decisions();
    assert_eq!((decisions.len(), decisions[0].forced.len()), (1, 2));
}

#[test]
fn what_a_new_release_drops_is_forced_by_it() {
    check(
        "app -> a 1\na 1 -> b 1\nb 1 -> c 1",
        "app -> a 1.1",
        "a: upgraded 1.0.0 -> 1.1.0
         b: removed 1.0.0 -> | a: `a 1.1.0` no longer needs `b`
         c: removed 1.0.0 -> | a > b: `b 1.0.0` is gone, which needed `c`",
    );
}

#[test]
fn a_duplicate_is_forced_by_the_release_that_requires_it() {
    check(
        "app -> a 1, b 1\na 1 -> w 0.45 req=^0.45\nb 1 -> w 0.45 req=^0.45",
        "app -> a 1.1, b 1\na 1.1 -> w 0.48 req=^0.48\nb 1 -> w 0.45 req=^0.45",
        "a: upgraded 1.0.0 -> 1.1.0
         w: duplicated 0.45.0 -> 0.45.0, 0.48.0 | a: `a 1.1.0` requires `w ^0.48`",
    );
    check(
        "app -> a 1, b 1\na 1 -> w 0.45\nb 1 -> w 0.48",
        "app -> a 1.1, b 1\na 1.1 -> w 0.48\nb 1 -> w 0.48",
        "a: upgraded 1.0.0 -> 1.1.0
         w: merged 0.45.0, 0.48.0 -> 0.48.0 | a: `a 1.1.0` needs `w 0.48.0` where `a 1.0.0` needed `w 0.45.0`",
    );
}

#[test]
fn what_the_tree_asks_for_anew_is_a_decision_even_if_it_is_also_forced() {
    check(
        "app -> a 1 req=^1, b 1 req=^1\na 1 -> b 1 req=^1",
        "app -> a 1.1 req=^1, b 1.1 req=^1.1\na 1.1 -> b 1.1 req=^1.1",
        "a: upgraded 1.0.0 -> 1.1.0\nb: upgraded 1.0.0 -> 1.1.0",
    );
    check(
        "app -> a 1",
        "app -> a 1.1, b 1\na 1.1 -> b 1",
        "a: upgraded 1.0.0 -> 1.1.0\nb: added -> 1.0.0",
    );
    check(
        "app -> a 1 req=^1, b 1 req=^1\na 1 -> b 1 req=^1",
        "app -> a 1.1 req=^1, b 1.1 req=^1\na 1.1 -> b 1.1 req=^1.1",
        "a: upgraded 1.0.0 -> 1.1.0\nb: upgraded 1.0.0 -> 1.1.0 | a: `a 1.1.0` requires `b ^1.1`",
    );
    let diff = compare(
        "app -> a 1 req=^1, b 1 req=^1",
        "app -> a 2 req=^2, b 1.1 req=^1, c 1 req=^1",
    );
    assert_eq!(diff.asked_for, ["a".to_owned(), "c".to_owned()].into());
    let back = compare(
        "app -> a 1.1 req=^1, b 2 req=^2",
        "app -> a 1.0 req=^1, b 1 req=^1",
    );
    assert_eq!(
        back.unasked_downgrades()
            .map(|change| change.id.as_str())
            .collect::<Vec<_>>(),
        ["a"]
    );
}

#[test]
fn a_chain_that_ends_in_a_decision_is_preferred() {
    // `m` could be forced by `n`, which nobody asked for, or in two steps by `z`.
    check(
        "app -> z 1 req=^1\nz 1 -> y 1 req=^1\ny 1 -> m 1 req=^1, n 1 req=^1\nn 1 -> m 1 req=^1",
        "app -> z 2 req=^2\nz 2 -> y 2 req=^2\ny 2 -> m 2 req=^2, n 1.1 req=^1\nn 1.1 -> m 2 req=^2",
        "m: upgraded 1.0.0 -> 2.0.0 | z > y: `y 2.0.0` requires `m ^2`
         n: upgraded 1.0.0 -> 1.1.0
         y: upgraded 1.0.0 -> 2.0.0 | z: `z 2.0.0` requires `y ^2`
         z: upgraded 1.0.0 -> 2.0.0",
    );
}

#[test]
fn of_two_that_require_each_other_the_one_that_pins_is_the_root() {
    check(
        "app -> x 1\nx 1 -> serde 1.0.1 req=^1\nserde 1.0.1 -> derive 1.0.1 req==1.0.1\nderive 1.0.1 -> serde 1.0.1 req=^1",
        "app -> x 1\nx 1 -> serde 1.0.2 req=^1\nserde 1.0.2 -> derive 1.0.2 req==1.0.2\nderive 1.0.2 -> serde 1.0.2 req=^1.0.2",
        "derive: upgraded 1.0.1 -> 1.0.2 | serde: `serde 1.0.2` requires `derive =1.0.2`
         serde: upgraded 1.0.1 -> 1.0.2",
    );
    check(
        "app -> derive 1.0.1 req=^1\nserde 1.0.1 -> derive 1.0.1 req==1.0.1\nderive 1.0.1 -> serde 1.0.1 req=^1",
        "app -> derive 1.0.2 req=^1\nserde 1.0.2 -> derive 1.0.2 req==1.0.2\nderive 1.0.2 -> serde 1.0.2 req=^1.0.2",
        "derive: upgraded 1.0.1 -> 1.0.2
         serde: upgraded 1.0.1 -> 1.0.2 | derive: `derive 1.0.2` requires `serde ^1.0.2`",
    );
}

#[test]
fn packages_of_one_commit_move_together() {
    let at = |rev: &str| {
        let git = format!("git+https://h.example/w#{rev}");
        format!("app -> a 1 {git}\na 1 {git} -> b 1 {git}")
    };
    check(
        &at("aa"),
        &at("bb"),
        "a: content-changed 1.0.0 (git+https://h.example/w#aa) -> 1.0.0 (git+https://h.example/w#bb)
         b: content-changed 1.0.0 (git+https://h.example/w#aa) -> 1.0.0 (git+https://h.example/w#bb) \
         | a: `b` comes from the same commit as `a 1.0.0`",
    );
}

#[test]
fn without_requirements_only_edges_are_attributed_and_a_note_says_so() {
    let base = "app -> a 1\na 1 -> b 1.0, c 1";
    let head = "app -> a 1.1\na 1.1 -> b 1.1, c 2";
    check(
        base,
        head,
        "a: upgraded 1.0.0 -> 1.1.0
         b: upgraded 1.0.0 -> 1.1.0
         c: upgraded 1.0.0 -> 2.0.0 | a: `a 1.1.0` needs `c 2.0.0` where `a 1.0.0` needed `c 1.0.0`",
    );
    assert_eq!(
        compare(base, head).attribution_notes,
        [
            "`.`: the requirements of 1 changed package are not known, so what they forced is seen only \
          where a dependency is new or gone"
        ]
    );
}

fn declared(entries: &[(&str, &str, &str, DependencyKind, &str)]) -> DeclaredRequirements {
    let mut all = BTreeMap::new();
    for (name, version, needs, kind, req) in entries {
        let id = PackageId {
            name: (*name).into(),
            version: version.parse().unwrap(),
            source: Source::CratesIo,
        };
        let dependency = Dependency {
            name: (*needs).into(),
            package: (*needs).into(),
            req: req.parse().unwrap(),
            kind: *kind,
            optional: false,
            default_features: true,
            features: Vec::new(),
            target: None,
            source: None,
        };
        all.entry(id).or_insert_with(Vec::new).push(dependency);
    }
    all
}

#[test]
fn declared_requirements_stand_in_for_missing_ones() {
    let base = snapshot("app -> a 1\na 1 -> b 1.0");
    let head = snapshot("app -> a 1.1\na 1.1 -> b 1.1");
    let with = |entries: &[(&str, &str, &str, DependencyKind, &str)]| {
        diff(&base, &head, &declared(entries))
    };
    let normal = DependencyKind::Normal;
    let forced = with(&[
        ("a", "1.1.0", "b", normal, "^1.1"),
        ("a", "1.1.0", "b", DependencyKind::Dev, "^9"),
    ]);
    let because = |diff: &GraphDiff| {
        diff.change("b")
            .unwrap()
            .forced_by
            .clone()
            .map(|by| by.because)
    };
    assert_eq!(
        because(&forced).as_deref(),
        Some("`a 1.1.0` requires `b ^1.1`")
    );
    assert!(forced.attribution_notes.is_empty());
    assert_eq!(because(&with(&[("a", "1.1.0", "b", normal, "^1")])), None);
    assert_eq!(
        because(&with(&[("a", "1.1.0", "b", DependencyKind::Dev, "^1.1")])),
        None
    );
}

#[test]
fn what_newly_enabled_features_bring_is_led_back_to_who_enabled_them() {
    check(
        "app -> a 1\na 1 features=x -> b 1\nb 1 features=x",
        "app -> a 1.1\na 1.1 features=x -> b 1\nb 1 features=x+tls -> c 1\nc 1 features=x",
        "a: upgraded 1.0.0 -> 1.1.0
         b: features-changed 1.0.0 -> 1.0.0 | a: `a 1.1.0` asks for other features of `b`
         c: added -> 1.0.0 | a > b: `b 1.0.0` now makes use of `c`",
    );
}

#[test]
fn features_that_several_changes_may_have_turned_on_are_nobodys() {
    let diff = compare(
        "app -> a 1, b 1\na 1 features=x -> f 1\nb 1 features=x -> f 1\nf 1 features=x",
        "app -> a 2, b 2\na 2 features=x -> f 1\nb 2 features=x -> f 1\nf 1 features=y",
    );
    assert_eq!(diff.change("f").unwrap().forced_by, None);
}

#[test]
fn a_move_out_of_the_tests_takes_everything_below_along() {
    check(
        "app -> a 1 dev\na 1 role=dev -> b 1, c 1\nb 1 role=dev -> c 1\nc 1 role=dev",
        "app -> a 1\na 1 role=target -> b 1, c 1\nb 1 role=target -> c 1\nc 1 role=target",
        "a: placement-changed 1.0.0 -> 1.0.0
         b: placement-changed 1.0.0 -> 1.0.0 | a: `a 1.0.0` brings along `b`
         c: placement-changed 1.0.0 -> 1.0.0 | a: `a 1.0.0` brings along `c`",
    );
}

#[test]
fn a_graph_that_is_one_long_line_stays_small() {
    let line = |version: usize| -> Snapshot {
        let mut text = String::from("app -> p0 1\n");
        for at in 0..3000 {
            let _ = writeln!(
                text,
                "p{at} 1.{version} -> p{} 1.{version} req=^1.{version}",
                at + 1
            );
        }
        snapshot(&text.replace("app -> p0 1", &format!("app -> p0 1.{version}")))
    };
    let diff = diff(&line(0), &line(1), &DeclaredRequirements::new());
    assert_eq!(diff.roots().count(), 1);
    let held: usize = diff.changes.iter().map(|change| change.forces.len()).sum();
    assert!(held < 300_000, "{held}");
    assert!(
        diff.changes
            .iter()
            .flat_map(|change| &change.paths)
            .all(|path| path.len() <= 65)
    );
    let path = &diff.change("p2999").unwrap().paths[0];
    assert_eq!(
        (path[0].as_str(), path[32].as_str(), path[64].as_str()),
        ("app", "…", "p2999")
    );
    assert_eq!(
        diff.attribution_notes,
        ["some chains of causes are too long and show only their ends"]
    );
}
