//! Each kind of change, pairing, ids, paths and the digest, on small graphs in text.

use cargo_canary::diff::ChangeKind;
use cargo_canary::pkg::Step;

use crate::support::changes::{check, compare, shown};

#[test]
fn equal_graphs_have_no_changes() {
    let text = "app -> a 1, b 2 dev\na 1 sum=aa features=x -> b 2\n[tools]\ntool -> a 1";
    let diff = compare(text, text);
    assert_eq!(diff.changes, []);
    assert_eq!(diff.attribution_notes, Vec::<String>::new());
    assert!(diff.digest.starts_with("sha256:"));
}

#[test]
fn one_version_in_the_place_of_another_is_an_upgrade_or_a_downgrade() {
    check(
        "app -> a 1.2",
        "app -> a 1.10",
        "a: upgraded 1.2.0 -> 1.10.0",
    );
    check(
        "app -> a 1.0.0",
        "app -> a 1.0.0-rc.1",
        "a: downgraded 1.0.0 -> 1.0.0-rc.1",
    );
    let diff = compare("app -> a 1.2", "app -> a 1.10");
    assert_eq!(diff.changes[0].step(), Some(Step::Minor));
}

#[test]
fn a_name_that_comes_or_goes_is_added_or_removed() {
    check(
        "app -> a 1",
        "app -> b 1",
        "a: removed 1.0.0 ->\nb: added -> 1.0.0",
    );
}

#[test]
fn two_new_versions_of_a_new_name_are_both_added() {
    check(
        "app",
        "app -> a 1, a 2",
        "a@1.0.0: added -> 1.0.0\na@2.0.0: added -> 2.0.0",
    );
}

#[test]
fn a_further_version_of_a_name_that_stays_is_a_duplicate() {
    check(
        "app -> a 1",
        "app -> a 1, a 2",
        "a: duplicated 1.0.0 -> 1.0.0, 2.0.0",
    );
    check(
        "app -> a 1, a 2",
        "app -> a 2",
        "a: merged 1.0.0, 2.0.0 -> 2.0.0",
    );
}

#[test]
fn each_of_several_duplicates_knows_its_own_release() {
    let diff = compare("app -> w 0.48.0", "app -> w 0.48.5, w 0.52, w 0.59");
    let incoming = |id: &str| {
        diff.change(id)
            .unwrap()
            .incoming()
            .unwrap()
            .version
            .to_string()
    };
    assert_eq!(incoming("w@0.52.0"), "0.52.0");
    assert_eq!(incoming("w@0.59.0"), "0.59.0");
    assert_eq!(diff.change("w@0.48.5").unwrap().kind, ChangeKind::Upgraded);
    assert_eq!(diff.change("w@0.59.0").unwrap().outgoing(), None);
}

#[test]
fn another_checksum_of_the_same_version_is_other_content() {
    check(
        "app -> a 1\na 1 sum=aa",
        "app -> a 1\na 1 sum=bb",
        "a: content-changed 1.0.0 -> 1.0.0",
    );
}

#[test]
fn a_checksum_that_only_one_side_has_proves_nothing() {
    check("app -> a 1\na 1 sum=aa", "app -> a 1", "");
}

#[test]
fn build_metadata_is_no_step_and_yet_other_content() {
    check(
        "app -> a 1.0.0+x",
        "app -> a 1.0.0+y",
        "a: content-changed 1.0.0+x -> 1.0.0+y",
    );
    check(
        "app -> a 2.0.9+z.1.5.5",
        "app -> a 2.0.10+z.1.5.6",
        "a: upgraded 2.0.9+z.1.5.5 -> 2.0.10+z.1.5.6",
    );
}

#[test]
fn a_moved_branch_is_other_content_at_one_version_and_an_upgrade_at_another() {
    let at = |version: &str, rev: &str| {
        format!("app -> a {version} git+https://h.example/a?branch=main#{rev}")
    };
    let same = compare(&at("1.0.0", "aaaa"), &at("1.0.0", "bbbb"));
    assert_eq!(same.changes[0].kind, ChangeKind::ContentChanged);
    let higher = compare(&at("1.0.0", "aaaa"), &at("2.0.0", "bbbb"));
    assert_eq!(higher.changes[0].kind, ChangeKind::Upgraded);
    let tracked = compare(
        &at("1.0.0", "aaaa"),
        "app -> a 1 git+https://h.example/a?tag=v1#aaaa",
    );
    assert_eq!(tracked.changes, []);
}

#[test]
fn another_place_is_a_move_whatever_the_version() {
    check(
        "app -> a 1",
        "app -> a 1.1 git+https://h.example/a#00",
        "a: source-moved 1.0.0 -> 1.1.0 (git+https://h.example/a#00)",
    );
    check(
        "app -> a 1",
        "app -> a 1 path",
        "a: source-moved 1.0.0 -> 1.0.0 (local)",
    );
    check(
        "app -> a 1",
        "app -> a 1 registry+https://evil.example/index.crates.io/",
        "a: source-moved 1.0.0 -> 1.0.0 (registry+https://evil.example/index.crates.io/)",
    );
}

#[test]
fn local_packages_are_no_changes() {
    check(
        "app 1 member -> lib 1 path",
        "app 2 member -> lib 3 path, tool 1 path",
        "",
    );
}

#[test]
fn a_registry_package_named_like_a_local_one_is_added() {
    check(
        "app -> a 1 path",
        "app -> a 1 path, a 1.0.1",
        "a: added -> 1.0.1",
    );
}

#[test]
fn one_of_two_versions_can_move() {
    check(
        "app -> a 1, a 2",
        "app -> a 1, a 2 git+https://h.example/a#00",
        "a: source-moved 2.0.0 -> 2.0.0 (git+https://h.example/a#00)",
    );
    check(
        "app -> a 1, b 1\nb 1 -> a 2",
        "app -> a 3, b 1\nb 1 -> a 2 git+https://h.example/a#00",
        "a@2.0.0: source-moved 2.0.0 -> 2.0.0 (git+https://h.example/a#00)
         a@3.0.0: upgraded 1.0.0 -> 3.0.0",
    );
}

#[test]
fn two_versions_that_change_places_are_no_change() {
    check(
        "app -> x 1, y 1\nx 1 -> a 1\ny 1 -> a 2",
        "app -> x 1, y 1\nx 1 -> a 2\ny 1 -> a 1",
        "",
    );
}

#[test]
fn versions_pair_within_their_compatibility_class() {
    check(
        "app -> a 1.0, a 2.0",
        "app -> a 1.9, a 2.1",
        "a@1.9.0: upgraded 1.0.0 -> 1.9.0\na@2.1.0: upgraded 2.0.0 -> 2.1.0",
    );
    check(
        "app -> a 0.1.9, a 0.2.0",
        "app -> a 0.2.1",
        "a@0.1.9: merged 0.1.9, 0.2.0 -> 0.2.1\na@0.2.1: upgraded 0.2.0 -> 0.2.1",
    );
}

#[test]
fn versions_pair_by_their_dependants_before_nearness() {
    check(
        "app -> x 1, y 1\nx 1 -> a 1\ny 1 -> a 2",
        "app -> x 1, y 1\nx 1 -> a 4\ny 1 -> a 3",
        "a@3.0.0: upgraded 2.0.0 -> 3.0.0\na@4.0.0: upgraded 1.0.0 -> 4.0.0 ",
    );
}

#[test]
fn three_versions_become_two() {
    check(
        "app -> x 1, y 1, z 1\nx 1 -> a 1\ny 1 -> a 2\nz 1 -> a 3",
        "app -> x 1, y 1, z 1\nx 1 -> a 4\ny 1 -> a 4\nz 1 -> a 3.1",
        "a@1.0.0: merged 1.0.0, 2.0.0, 3.0.0 -> 3.1.0, 4.0.0
         a@3.1.0: upgraded 3.0.0 -> 3.1.0
         a@4.0.0: upgraded 2.0.0 -> 4.0.0",
    );
}

#[test]
fn the_same_name_in_two_registries_stays_apart() {
    let other = "registry+https://r.example/index";
    check(
        &format!("app -> a 1, a 1 {other}"),
        &format!("app -> a 1.1, a 1 {other}"),
        "a: upgraded 1.0.0 -> 1.1.0",
    );
    check(
        &format!("app -> a 1, a 1 {other}"),
        &format!("app -> a 1.1, a 1.1 {other}"),
        "a@1.1.0 (crates.io): upgraded 1.0.0 -> 1.1.0
         a@1.1.0 (registry+https://r.example/index): upgraded 1.0.0 (registry+https://r.example/index) \
         -> 1.1.0 (registry+https://r.example/index)",
    );
}

#[test]
fn a_name_with_very_many_versions_is_paired_in_order() {
    let all = |minor: usize| {
        let versions = (1..200).map(|major| format!("a {major}.{minor}"));
        format!("app -> {}", versions.collect::<Vec<_>>().join(", "))
    };
    let diff = compare(&all(0), &all(1));
    assert_eq!(diff.changes.len(), 199);
    assert!(
        diff.changes
            .iter()
            .all(|change| change.step() == Some(Step::Minor))
    );
}

#[test]
fn features_are_compared_by_side() {
    let diff = compare(
        "app -> a 1\na 1 features=x+y host-features=m",
        "app -> a 1\na 1 features=y+z host-features=m+n",
    );
    let change = &diff.changes[0];
    assert_eq!(change.kind, ChangeKind::FeaturesChanged);
    assert_eq!(change.features.target_gained, ["z".to_owned()].into());
    assert_eq!(change.features.target_lost, ["x".to_owned()].into());
    assert_eq!(change.features.host_gained, ["n".to_owned()].into());
    assert!(change.features.host_lost.is_empty());
}

#[test]
fn a_release_that_is_compiled_elsewhere_is_a_placement_change() {
    let change = |base: &str, head: &str| compare(base, head).changes.remove(0);
    let moved = change(
        "app -> a 1 dev\na 1 role=dev",
        "app -> a 1\na 1 role=target features=std",
    );
    assert_eq!(moved.kind, ChangeKind::PlacementChanged);
    assert_eq!(moved.features.target_gained, ["std".to_owned()].into());
    assert_eq!(moved.placement_before.unwrap().roles.len(), 1);
    let host = change(
        "app -> a 1\na 1 role=host",
        "app -> a 1\na 1 role=host+target",
    );
    assert_eq!(host.kind, ChangeKind::PlacementChanged);
    let targets = change(
        "app -> a 1\na 1 targets=linux",
        "app -> a 1\na 1 targets=linux+windows",
    );
    assert_eq!(targets.kind, ChangeKind::PlacementChanged);
}

#[test]
fn an_assumed_placement_is_not_compared() {
    let diff = compare("app -> a 1", "app -> a 1\na 1 features=x");
    assert_eq!(diff.changes, []);
    assert_eq!(
        diff.attribution_notes,
        ["`.`: only one of the two graphs is resolved, so features and placement are not compared"]
    );
}

#[test]
fn dependencies_gained_and_lost_leave_out_those_for_development() {
    let diff = compare(
        "app -> a 1\na 1 features=x -> b 1, c 1 build",
        "app -> a 1.1\na 1.1 features=x -> b 2, d 1 build, e 1 dev",
    );
    let change = diff.change("a").unwrap();
    assert_eq!(change.dependencies_gained, ["d"]);
    assert_eq!(change.dependencies_lost, ["c"]);
}

#[test]
fn a_workspace_on_one_side_brings_all_of_its_packages() {
    check(
        "app -> a 1",
        "app -> a 1\n[tools]\ntool -> a 1, b 1",
        "a: added -> 1.0.0\nb: added -> 1.0.0",
    );
    let diff = compare("app -> a 1\n[tools]\ntool -> a 1", "app -> a 1");
    assert_eq!(diff.changes[0].workspaces, ["tools"]);
    assert_eq!(diff.changes[0].kind, ChangeKind::Removed);
}

#[test]
fn the_same_change_in_two_workspaces_is_one() {
    let diff = compare(
        "app -> a 1\na 1 role=dev targets=t1\n[tools]\ntool -> b 1\nb 1 targets=t2 -> a 1",
        "app -> a 2\na 2 role=dev targets=t1\n[tools]\ntool -> b 1\nb 1 targets=t2 -> a 2",
    );
    let [change] = diff.changes.as_slice() else {
        panic!("{}", shown(&diff))
    };
    assert_eq!(change.workspaces, [".", "tools"]);
    assert_eq!(change.paths, [vec!["app", "a"], vec!["tool", "b", "a"]]);
    assert_eq!(change.lock_line, Some(("Cargo.lock".into(), 1)));
    assert!(change.placement.direct && change.placement.is_built());
    assert_eq!(change.placement.roles.len(), 1);
}

#[test]
fn different_changes_to_one_version_have_different_ids() {
    check(
        "app -> a 1.0\n[tools]\ntool -> a 1.1",
        "app -> a 1.2\n[tools]\ntool -> a 1.2",
        "a@1.2.0 (crates.io) from 1.0.0: upgraded 1.0.0 -> 1.2.0
         a@1.2.0 (crates.io) from 1.1.0: upgraded 1.1.0 -> 1.2.0",
    );
}

#[test]
fn paths_are_the_shortest_and_name_versions_only_where_needed() {
    let diff = compare(
        "app -> x 1, y 1, z 1\nx 1 -> a 1\ny 1 -> a 1\nz 1 -> x 2\nx 2 -> a 1",
        "app -> x 1, y 1, z 1\nx 1 -> a 1.1\ny 1 -> a 1.1\nz 1 -> x 2\nx 2 -> a 1.1",
    );
    let change = diff.change("a").unwrap();
    assert_eq!(change.paths, [["app", "x@1.0.0", "a"], ["app", "y", "a"]]);
}

#[test]
fn paths_keep_to_what_is_built() {
    let built =
        "a 1 role=target\nx 1 role=dev -> a 1\ny 1 role=target -> z 1\nz 1 role=target -> a 1";
    let head = format!("app -> x 1 dev, y 1\n{built}");
    let diff = compare(&head.replace("a 1", "a 0.9"), &head);
    assert_eq!(diff.change("a").unwrap().paths, [["app", "y", "z", "a"]]);
    let dev_only = "app -> x 1 dev\nx 1 role=dev -> a 1\na 1 role=dev";
    let diff = compare(&dev_only.replace("a 1", "a 0.9"), dev_only);
    assert_eq!(diff.change("a").unwrap().paths, [["app", "x", "a"]]);
}

#[test]
fn a_removed_package_has_its_paths_in_the_base() {
    let diff = compare("app -> x 1\nx 1 -> a 1", "app -> x 1");
    assert_eq!(diff.change("a").unwrap().paths, [["app", "x", "a"]]);
}

#[test]
fn the_digest_binds_the_changes_and_what_they_stand_among() {
    let digest = |base: &str, head: &str| compare(base, head).digest;
    let one = digest("app -> a 1, b 2", "app -> a 1.1, b 2");
    // Local packages and the places of workspaces are not third parties' work.
    assert_eq!(
        one,
        digest("[x]\nother -> a 1, b 2", "[x]\nother -> a 1.1, b 2")
    );
    for (what, base, head) in [
        ("the version", "app -> a 1, b 2", "app -> a 1.2, b 2"),
        (
            "the version before",
            "app -> a 1.0.1, b 2",
            "app -> a 1.1, b 2",
        ),
        (
            "the checksum",
            "app -> a 1, b 2",
            "app -> a 1.1, b 2\na 1.1 sum=aa",
        ),
        (
            "the source",
            "app -> a 1, b 2",
            "app -> a 1.1, b 2\na 1.1 git+https://host.example/a#01",
        ),
        (
            "an unchanged package",
            "app -> a 1, b 2.1",
            "app -> a 1.1, b 2.1",
        ),
        (
            "the checksum of an unchanged package",
            "app -> a 1, b 2\nb 2 sum=aa",
            "app -> a 1.1, b 2\nb 2 sum=aa",
        ),
        (
            "one more unchanged package",
            "app -> a 1, b 2, c 3",
            "app -> a 1.1, b 2, c 3",
        ),
    ] {
        assert_ne!(one, digest(base, head), "{what}");
    }
}

#[test]
fn the_digest_binds_features_and_whether_it_is_built() {
    let digest = |role: &str, features: &str| {
        let side = |version: &str, role: &str, features: &str| {
            format!("app -> a {version}\na {version} role={role} features={features}")
        };
        compare(&side("1", "target", "std"), &side("1.1", role, features)).digest
    };
    let one = digest("target", "std");
    assert_ne!(one, digest("target", "std+fast"));
    assert_ne!(digest("target", "std+fast"), digest("target", "std+slow"));
    assert_ne!(one, digest("dev", "std"));
    // As a lock file alone tells it: all is taken to be built.
    assert_eq!(one, compare("app -> a 1", "app -> a 1.1").digest);
}
