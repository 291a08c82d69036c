//! What a look-up finds, and what it says when it finds nothing.

use super::super::facts_file;
use super::*;
use crate::host::memory::MemoryHost;

/// A store over these blocks, each without its head's mark.
fn store(blocks: &[&str]) -> Store {
    let blocks: Vec<String> = blocks.iter().map(|block| format!("= {block}\n")).collect();
    let text = facts_file::write(&blocks, Date::constant(2026, 1, 1), None);
    Store::of_file(
        FactsFile::parse(Cow::Owned(text), true).unwrap(),
        "/facts".into(),
    )
}

const PATCHED: &str = "a RUSTSEC-2020-0001\ndate 2020-06-01\npatched >= 1.2.0\nunaffected < 1.0.0";
const SECOND: &str =
    "a RUSTSEC-2020-0002\ndate 2020-06-01\ninformational unsound\npatched >= 2.1.0";

fn at(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

fn from(source: &Source, versions: &[&str]) -> Vec<Release> {
    let release = |version: &&str| Release {
        version: version.parse().unwrap(),
        source: source.clone(),
        checksum: None,
    };
    versions.iter().map(release).collect()
}

fn releases(versions: &[&str]) -> Vec<Release> {
    from(&Source::CratesIo, versions)
}

fn git() -> Source {
    Source::parse("git+https://host.example/a#00").unwrap()
}

/// The three lists as `id@version`.
fn lists(delta: &Finding<AdvisoryDelta>) -> [Vec<String>; 3] {
    let delta = delta.seen().unwrap();
    let short = |list: &Vec<AdvisoryFact>| {
        list.iter()
            .map(|fact| format!("{}@{}", &fact.id[13..], fact.version))
            .collect()
    };
    [
        short(&delta.introduced),
        short(&delta.fixed),
        short(&delta.remaining),
    ]
}

fn delta(store: &Store, before: &[&str], after: &[&str]) -> Finding<AdvisoryDelta> {
    store.delta("a", &releases(before), &releases(after), at("2026-01-01"))
}

#[test]
fn an_advisory_is_introduced_fixed_or_remaining() {
    let store = store(&[PATCHED, SECOND]);
    assert_eq!(
        lists(&delta(&store, &["0.9.0"], &["1.1.0"])),
        [vec!["0001@1.1.0"], vec![], vec!["0002@1.1.0"]]
    );
    assert_eq!(
        lists(&delta(&store, &["1.1.0"], &["1.3.0"])),
        [vec![], vec!["0001@1.1.0"], vec!["0002@1.3.0"]]
    );
    assert_eq!(
        lists(&delta(&store, &[], &["1.1.0"])),
        [vec!["0001@1.1.0", "0002@1.1.0"], vec![], vec![]]
    );
    assert_eq!(
        lists(&delta(&store, &["2.0.0"], &[])),
        [vec![], vec!["0002@2.0.0"], vec![]]
    );
    assert!(matches!(
        delta(&store, &["2.1.0"], &["2.2.0"]),
        Finding::Absent(_)
    ));
}

#[test]
fn of_several_live_releases_each_advisory_counts_once() {
    let store = store(&[PATCHED, SECOND]);
    // One of two copies goes: the other still holds the advisory.
    assert_eq!(
        lists(&delta(&store, &["1.0.0", "1.1.0"], &["1.0.0"]))[2],
        ["0001@1.0.0", "0002@1.0.0"]
    );
    // A second affected copy introduces nothing new; the highest version stands for it.
    assert_eq!(
        lists(&delta(&store, &["1.0.0"], &["1.0.0", "1.1.0"])),
        [vec![], vec![], vec!["0001@1.1.0", "0002@1.1.0"]]
    );
    // Both copies are merged into one that is not affected.
    assert_eq!(
        lists(&delta(&store, &["1.0.0", "2.0.0"], &["2.1.0"]))[1],
        ["0001@1.0.0", "0002@2.0.0"]
    );
}

#[test]
fn only_what_was_known_on_the_day_is_seen() {
    let store = store(&[PATCHED]);
    let seen = |day: &str| {
        store
            .delta("a", &[], &releases(&["1.0.0"]), at(day))
            .seen()
            .is_some()
    };
    assert!(!seen("2020-05-31"));
    assert!(seen("2020-06-01"));
}

#[test]
fn faults_on_record_count_whatever_they_apply_to_and_notices_do_not() {
    let notice = "a RUSTSEC-2020-0003\ndate 2020-06-01\ninformational unmaintained";
    let store = store(&[PATCHED, SECOND, notice]);
    // Neither of the two faults applies to 9.0.0.
    let on_record = |from: &[Release], day: &str| store.on_record("a", from, at(day));
    assert_eq!(on_record(&releases(&["9.0.0"]), "2020-06-01"), 2);
    assert_eq!(on_record(&releases(&["9.0.0"]), "2020-05-31"), 0);
    assert_eq!(on_record(&from(&git(), &["9.0.0"]), "2020-06-01"), 0);
    assert_eq!(
        store.on_record("b", &releases(&["9.0.0"]), at("2020-06-01")),
        0
    );
}

#[test]
fn a_withdrawn_advisory_holds_until_the_day_it_was_withdrawn() {
    let store = store(&["a RUSTSEC-2020-0001\ndate 2020-06-01\nwithdrawn 2021-06-01"]);
    let id = PackageId {
        name: "a".into(),
        version: "1.0.0".parse().unwrap(),
        source: Source::CratesIo,
    };
    let seen = |day: &str| store.applying(&id, at(day)).len();
    assert_eq!(
        (seen("2020-01-01"), seen("2021-05-31"), seen("2021-06-01")),
        (0, 1, 0)
    );
}

#[test]
fn both_protocols_of_the_default_registry_are_covered() {
    let store = store(&[PATCHED]);
    for text in [
        crate::pkg::Source::CratesIo.to_lock().unwrap(),
        "sparse+https://index.crates.io/".into(),
    ] {
        let source = Source::parse(&text).unwrap();
        let found = store.delta("a", &[], &from(&source, &["1.0.0"]), at("2026-01-01"));
        assert_eq!(lists(&found)[0], ["0001@1.0.0"], "{text}");
    }
}

#[test]
fn another_registry_is_covered_only_when_named_as_a_mirror() {
    let url = "sparse+https://mirror.example/index/".to_owned();
    let source = Source::Registry { url };
    let found = |store: &Store| store.delta("a", &[], &from(&source, &["1.0.0"]), at("2026-01-01"));
    let plain = store(&[PATCHED]);
    assert!(matches!(found(&plain), Finding::Absent(text) if text.contains("mirror")));
    let other = plain
        .clone()
        .with_mirrors(&["https://mirror.example/ind".to_owned()]);
    assert!(found(&other).seen().is_none());
    let mirror = plain.with_mirrors(&["https://mirror.example/index".to_owned()]);
    assert_eq!(lists(&found(&mirror))[0], ["0001@1.0.0"]);
}

#[test]
fn git_and_local_packages_are_said_not_to_be_covered() {
    let store = store(&[PATCHED]);
    for (source, word) in [(git(), "git"), (Source::Local, "tree")] {
        let found = store.delta("a", &[], &from(&source, &["1.0.0"]), at("2026-01-01"));
        assert!(matches!(found, Finding::Absent(text) if text.contains(word)));
        let id = PackageId {
            name: "a".into(),
            version: "1.0.0".parse().unwrap(),
            source,
        };
        assert_eq!(store.applying(&id, at("2026-01-01")), []);
    }
}

#[test]
fn a_move_to_git_fixes_nothing() {
    let store = store(&[PATCHED]);
    let (base, head) = (releases(&["1.0.0"]), from(&git(), &["1.5.0"]));
    let found = store.delta("a", &base, &head, at("2026-01-01"));
    assert_eq!(lists(&found), [vec![], vec![], vec!["0001@1.0.0"]]);
    let gaps = store.gaps("a", &base, &head, at("2026-01-01"));
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].reason, GapReason::NotApplicable);
    assert_eq!(store.gaps("a", &base, &head, at("2019-01-01")), []);
    // The way back is an introduction: nobody looked at the git release.
    let back = store.delta("a", &head, &base, at("2026-01-01"));
    assert_eq!(lists(&back)[0], ["0001@1.0.0"]);
}

#[test]
fn a_record_that_cannot_be_read_is_never_taken_for_none() {
    for bad in [
        "a RUSTSEC-2020-0009\nunreadable no TOML",
        "a RUSTSEC-2020-0009\ndate x",
    ] {
        let store = store(&[SECOND, bad, "b RUSTSEC-2020-0010\ndate 2020-01-01"]);
        let found = delta(&store, &["2.1.0"], &["2.2.0"]);
        assert_eq!(
            found.gap().map(|gap| gap.reason),
            Some(GapReason::Malformed)
        );
        // What can be read is still told, and the gap beside it.
        assert!(delta(&store, &["2.1.0"], &["2.0.0"]).seen().is_some());
        assert_eq!(
            store
                .gaps("a", &[], &releases(&["2.0.0"]), at("2026-01-01"))
                .len(),
            1
        );
        assert_eq!(
            store.gaps("b", &[], &releases(&["2.0.0"]), at("2026-01-01")),
            []
        );
        assert_eq!(store.status().problems.len(), 1);
        assert_eq!(store.status().advisories, 3);
    }
}

#[test]
fn facts_carry_what_the_record_says() {
    let store = store(&[
        "a RUSTSEC-2020-0001\ndate 2020-06-01\naliases CVE-1 GHSA-2\n\
        categories memory-corruption\nseverity high\ninformational unsound\npatched ^1.9",
    ]);
    let found = delta(&store, &[], &["1.0.0"]);
    let fact = &found.seen().unwrap().introduced[0];
    assert_eq!(fact.package, "a");
    assert_eq!(fact.aliases, ["CVE-1", "GHSA-2"]);
    assert_eq!(fact.categories, ["memory-corruption"]);
    assert_eq!(
        fact.severity.map(|severity| severity.as_str()),
        Some("high")
    );
    assert_eq!(fact.date, Date::constant(2020, 6, 1));
    assert_eq!(fact.patched, ["^1.9"]);
    assert!(fact.is_fault());
}

#[test]
fn the_embedded_facts_are_whole() {
    let store = Store::embedded();
    let status = store.status();
    assert_eq!(status.problems, []);
    assert_eq!(status.origin, Origin::Embedded);
    assert!(status.advisories > 1000);
    assert!(FactsFile::parse(Cow::Borrowed(EMBEDDED), true).is_ok());
    let old = releases(&["0.1.42"]);
    let found = store.delta("time", &old, &releases(&["0.3.60"]), at("2026-08-21"));
    assert!(
        found
            .seen()
            .unwrap()
            .fixed
            .iter()
            .any(|fact| fact.id == "RUSTSEC-2020-0071")
    );
}

#[test]
fn the_cached_file_is_used_when_it_is_not_older_and_whole() {
    let now = at("2027-01-01");
    let text = |year: i16| {
        let block = "= a RUSTSEC-2020-0001\ndate 2020-06-01\n".to_owned();
        facts_file::write(&[block], Date::constant(year, 1, 1), None)
    };
    let open = |content: Option<Vec<u8>>| {
        let mut host = MemoryHost::new(now);
        if let Some(content) = content {
            host = host.file("/cache/advisories.facts", content);
        }
        Store::open(&host.host(), Some(Path::new("/cache"))).status()
    };
    let newer = open(Some(text(2027).into_bytes()));
    assert_eq!(newer.origin, Origin::File("/cache/advisories.facts".into()));
    assert_eq!((newer.advisories, newer.age_days(now)), (1, 0));
    for usual in [None, Some(text(2020).into_bytes())] {
        let status = open(usual);
        assert_eq!(status.origin, Origin::Embedded);
        assert_eq!(status.problems, []);
    }
    for damaged in [
        text(2027).replace("0001", "0002").into_bytes(),
        vec![0xff; 10],
        Vec::new(),
    ] {
        let status = open(Some(damaged));
        assert_eq!(status.origin, Origin::Embedded);
        assert_eq!(status.problems.len(), 1);
        assert!(status.problems[0].detail.contains("is not used"));
    }
    let host = MemoryHost::new(now).host();
    assert_eq!(
        Store::open(&host, None).status(),
        Store::embedded().status()
    );
}

#[test]
fn without_any_facts_nothing_is_said_to_be_absent() {
    let store = Store {
        unusable: Some("damaged".into()),
        ..store(&[PATCHED])
    };
    assert!(delta(&store, &["1.0.0"], &["1.3.0"]).gap().is_some());
    assert_eq!(store.gaps("zzz", &[], &[], at("2026-01-01")).len(), 1);
}
