//! Source facts: every detector on a pair of small packages on which it
//! speaks, and on a near miss on which it does not.

use std::collections::BTreeSet;

use cargo_canary::facts::{Part, SourceDelta, Topic};
use cargo_canary::inspect::{self, DETECTORS};

use crate::inspect_cases::{Case, EMPTY, Files, cases};
use crate::support::archives::{between, fresh, update};

fn finds(delta: &SourceDelta, case: &Case) -> bool {
    delta.findings.iter().any(|finding| {
        (finding.topic, finding.shift, finding.part) == (case.topic, case.shift, case.part)
            && finding.what.contains(case.says)
            && finding.count > 0
            && finding
                .witnesses
                .iter()
                .any(|place| place.file == case.witness)
    })
}

#[test]
fn each_detector_speaks_on_its_case_and_is_quiet_on_a_near_miss() {
    let cases = cases();
    let named: Vec<&str> = cases.iter().map(|(id, _)| *id).collect();
    let all: Vec<&str> = DETECTORS.iter().map(|detector| detector.id).collect();
    assert_eq!(named, all);
    for (id, case) in &cases {
        let long = "4142ab9d33f0".repeat(120);
        let lengthen = |files: Files| -> Vec<(&str, String)> {
            files
                .iter()
                .map(|(path, text)| (*path, text.replace("4142ab9d33f0", &long)))
                .collect()
        };
        let (old, new) = (lengthen(case.old), lengthen(case.new));
        let old: Vec<(&str, &str)> = old
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        let new: Vec<(&str, &str)> = new
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        let delta = update(&old, &new);
        assert!(finds(&delta, case), "{id}: {:#?}", delta.findings);
        let near = update(case.near.0, case.near.1);
        let topics = [case.topic];
        let said: Vec<_> = near.on(&topics).collect();
        assert!(said.is_empty(), "{id}: {said:#?}");
    }
}

#[test]
fn each_topic_belongs_to_one_detector_and_the_table_is_sorted() {
    let topics: Vec<Topic> = DETECTORS.iter().flat_map(|d| d.topics).copied().collect();
    let distinct: BTreeSet<Topic> = topics.iter().copied().collect();
    assert_eq!(topics.len(), distinct.len());
    assert_eq!(distinct.len(), Topic::ALL.len());
    assert!(DETECTORS.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(DETECTORS.iter().all(|d| d.what.ends_with('.')));
}

#[test]
fn what_is_for_tests_only_is_not_looked_at() {
    let leak = "pub fn f() { std::mem::forget(1); }";
    for files in [
        [("src/lib.rs", "pub fn f() {}"), ("tests/a.rs", leak)],
        [("src/lib.rs", "#[cfg(test)] mod t;"), ("src/t.rs", leak)],
        [
            (
                "src/lib.rs",
                "#[cfg(test)] mod t { fn f() { std::mem::forget(1); } }",
            ),
            ("a", ""),
        ],
        [("src/lib.rs", "pub fn f() {}"), ("src/main.rs", leak)],
    ] {
        let delta = update(EMPTY, &files);
        assert_eq!(delta.on(&[Topic::Leak]).count(), 0, "{files:?}");
    }
    for files in [
        [("src/lib.rs", "mod t;"), ("src/t/mod.rs", leak)],
        [
            ("src/lib.rs", "#[path = \"../odd.rs\"] mod t;"),
            ("odd.rs", leak),
        ],
        [("src/lib.rs", "include!(\"t.in\");"), ("src/t.in", leak)],
        [
            (
                "src/lib.rs",
                "macro_rules! m { ($x:ident) => { mod $x; } } m!(t);",
            ),
            ("src/t.rs", leak),
        ],
        [("src/lib.rs", "mod a { pub mod t; }"), ("src/a/t.rs", leak)],
        [
            ("src/lib.rs", "cfg_if! { if #[cfg(x)] { mod t; } }"),
            ("src/t.rs", leak),
        ],
        [
            ("src/lib.rs", "#[cfg_attr(x, path = \"u.rs\")] mod t;"),
            ("src/u.rs", leak),
        ],
    ] {
        let delta = update(EMPTY, &files);
        assert_eq!(delta.on(&[Topic::Leak]).count(), 1, "{files:?}");
    }
}

#[test]
fn the_same_code_is_seen_as_the_same() {
    let old = [
        ("src/lib.rs", "mod a;"),
        ("src/a.rs", "fn f() {}"),
        ("README.md", "a"),
    ];
    let mut new = old;
    new[2].1 = "b";
    let delta = update(&old, &new);
    assert!(
        delta.same_code && delta.findings.is_empty(),
        "{:?}",
        delta.findings
    );
    new[1].1 = "fn g() {}";
    assert!(!update(&old, &new).same_code);
    let delta = fresh(&old);
    assert!(!delta.same_code && delta.before.is_none());
    assert_eq!((delta.after.files, delta.after.compiled_files), (4, 2));
}

#[test]
fn imports_re_exports_and_macros_do_not_hide_what_is_used() {
    let hidden: [Files; 4] = [
        &[
            (
                "src/lib.rs",
                "mod sys; use crate::sys::Run; pub fn f() { Run::new(\"sh\"); }",
            ),
            ("src/sys.rs", "pub use std::process::Command as Run;"),
        ],
        &[(
            "src/lib.rs",
            "use std::{self as s}; pub fn f() { s::process::Command::new(\"sh\"); }",
        )],
        &[(
            "src/lib.rs",
            "macro_rules! m { () => { ::std::process::Command::new(\"sh\") } }",
        )],
        &[(
            "src/lib.rs",
            "use std::process::*; pub fn f() { Command::new(\"sh\"); }",
        )],
    ];
    for files in hidden {
        let delta = update(EMPTY, files);
        assert!(
            delta.on(&[Topic::Process]).count() > 0,
            "{files:?}: {:?}",
            delta.findings
        );
    }
}

#[test]
fn a_new_package_says_what_it_can_do_and_no_more() {
    let files = [
        (
            "src/lib.rs",
            "pub fn f() { unsafe { x() } std::mem::forget(1); }",
        ),
        (
            "build.rs",
            "fn main() { std::process::Command::new(\"curl\"); }",
        ),
    ];
    let delta = fresh(&files);
    let topics: Vec<_> = delta
        .findings
        .iter()
        .map(|finding| (finding.topic, finding.part))
        .collect();
    assert_eq!(topics, [(Topic::Process, Part::BuildScript)]);
}

#[test]
fn only_compatible_releases_may_not_lose_public_items() {
    let (old, new): (Files, Files) = (
        &[("src/lib.rs", "pub fn gone_now() {}")],
        &[("src/lib.rs", "")],
    );
    assert_eq!(
        between(("1.0.0", old), ("1.1.0", new))
            .on(&[Topic::Api])
            .count(),
        1
    );
    assert_eq!(
        between(("1.0.0", old), ("2.0.0", new))
            .on(&[Topic::Api])
            .count(),
        0
    );
}

#[test]
fn what_is_stored_is_what_is_read() {
    for (_, case) in cases() {
        let delta = update(case.old, case.new);
        assert_eq!(inspect::decode(&inspect::encode(&delta)), Some(delta));
    }
    assert_eq!(inspect::decode(b"{}"), None);
}
