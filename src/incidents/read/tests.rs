//! The reader on good, bad and hostile files.

use super::*;
use crate::incidents::Strength;

const GOOD: &str = r#"version = 1
id = "2024-06-14-x"
title = "A title"
date = 2024-06-14
started = 2024-06-14T13:00:00+01:00
ended = 2024-06-14T14:45:00+01:00
duration-minutes = 105
impact-percent = 60
failure = "memory-leak"
component = "json"
cause = "third-party-update"
resolution = ["rollback", "restart"]

[[affects]]
crates = { "moka" = "=0.12.0", "tokio" = "^1" }
introduced = { "moka" = "0.12.0" }
fixed-in = { "moka" = ["0.12.1"] }
features = { "moka" = ["sync", "future"] }
"#;

fn check(text: &str) -> Result<Record, Vec<String>> {
    let components = Components::built_in().unwrap();
    read("x.toml", text.as_bytes(), Origin::Repository, &components)
        .map_err(|defects| defects.iter().map(ToString::to_string).collect())
}

/// The defects of the good record with one line changed.
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    check(&GOOD.replacen(from, to, 1)).unwrap_err()
}

#[test]
fn a_whole_record_is_read() {
    let record = check(GOOD).unwrap();
    assert_eq!(record.duration_minutes, Some(105));
    assert_eq!(record.failure, Failure::MemoryLeak);
    assert_eq!(
        record.resolution,
        [Resolution::Rollback, Resolution::Restart]
    );
    let [rule] = &record.affects[..] else {
        panic!("one rule")
    };
    let names: Vec<&str> = rule
        .crates
        .iter()
        .map(|affected| affected.name.as_str())
        .collect();
    assert_eq!(names, ["moka", "tokio"]);
    assert_eq!(rule.crates[0].features, ["future", "sync"]);
    assert_eq!(rule.crates[0].fixed_in, ["0.12.1".parse().unwrap()]);
    assert!(Strength::Repeat > Strength::Weak);
}

#[test]
fn a_misspelt_word_gets_its_place_and_the_nearest_known() {
    assert_eq!(
        changed("\"memory-leak\"", "\"memory-leek\""),
        ["x.toml:9:11: unknown failure `memory-leek`; the nearest is `memory-leak`"]
    );
    assert_eq!(
        changed("\"json\"", "\"jsn\""),
        ["x.toml:10:13: unknown component `jsn`; the nearest is `json`"]
    );
    assert_eq!(
        changed("\"restart\"", "\"restat\"")
            .first()
            .map(String::as_str),
        Some("x.toml:12:27: unknown resolution `restat`; the nearest is `restart`")
    );
    assert_eq!(
        changed("impact-percent", "impact-procent"),
        ["x.toml:8:1: unknown key `impact-procent`; the nearest is `impact-percent`"]
    );
}

#[test]
fn all_defects_are_collected() {
    let defects = check("version = 2\nid = \"A b\"\ntitle = \"\"\nfailure = 3\n").unwrap_err();
    let expected = [
        "x.toml:1:1: the key `date` is missing",
        "x.toml:1:1: the key `component` is missing",
        "x.toml:1:1: the key `cause` is missing",
        "x.toml:1:11: `version` should be a whole number from 1 to 1",
        "x.toml:2:6: `id` should be lower-case letters, digits, `-`, `.` and `_`",
        "x.toml:3:9: `title` should be a text of 1 to 200 characters",
        "x.toml:4:11: `failure` should be a text of 1 to 100 characters",
    ];
    for defect in expected {
        assert!(
            defects.iter().any(|found| found == defect),
            "{defect}\n{defects:#?}"
        );
    }
    assert_eq!(defects.len(), expected.len(), "{defects:#?}");
}

#[test]
fn contradictions_are_said() {
    let defects = changed("duration-minutes = 105", "duration-minutes = 100");
    assert_eq!(
        defects,
        ["x.toml:7:20: `duration-minutes` is 100, and from start to end it is 105"]
    );
    let defects = changed("[\"0.12.1\"]", "\"0.12.0\"");
    assert_eq!(
        defects,
        ["x.toml:17:23: moka 0.12.0 is said to be repaired, and is in the bad range `=0.12.0`"]
    );
    let defects = changed("{ \"moka\" = \"0.12.0\" }", "{ \"moka\" = \"0.11.0\" }");
    assert_eq!(
        defects,
        ["x.toml:16:25: moka 0.11.0 is said to have brought the fault, and is not in `=0.12.0`"]
    );
    let defects = changed("features = { \"moka\"", "features = { \"mokka\"");
    assert_eq!(
        defects,
        [
            "x.toml:18:14: `mokka` in `features` is not one of the rule's crates; the nearest is `moka`"
        ]
    );
    let defects = changed("14:45:00+01:00", "12:45:00+01:00");
    assert_eq!(defects, ["x.toml:6:9: it ended before it started"]);
}

#[test]
fn times_with_one_zone_and_dates_in_quotes_are_defects() {
    let defects = changed("13:00:00+01:00", "13:00:00");
    assert!(
        defects[0].contains("one of `started` and `ended` has a zone"),
        "{defects:?}"
    );
    let defects = changed("date = 2024-06-14", "date = \"14 June\"");
    assert!(
        defects[0].starts_with("x.toml:4:8: `date` should be a date without quotes"),
        "{defects:?}"
    );
    let defects = changed("date = 2024-06-14", "date = 2024-02-31");
    assert!(defects[0].starts_with("x.toml:4:"), "{defects:?}");
}

#[test]
fn broken_ranges_are_defects() {
    let defects = changed("\"=0.12.0\"", "\"between 1 and 2\"");
    assert!(
        defects[0].starts_with("x.toml:15:21: `crates` should be a range of versions ("),
        "{defects:?}"
    );
    let defects = changed("\"tokio\" = \"^1\"", "\"../etc\" = \"^1\"");
    assert!(
        defects[0].ends_with("`../etc` should be the name of a crate"),
        "{defects:?}"
    );
    assert!(check(&GOOD.replace("crates = {", "crates = [] #")).is_err());
}

#[test]
fn hostile_files_are_refused_and_never_panic() {
    let components = Components::built_in().unwrap();
    let refuse = |bytes: &[u8]| {
        let defects = read("x.toml", bytes, Origin::Repository, &components).unwrap_err();
        assert!(!defects.is_empty());
        assert!(
            defects
                .iter()
                .all(|defect| defect.line >= 1 && defect.column >= 1)
        );
        defects[0].to_string()
    };
    assert!(refuse(&vec![b'a'; MAX_BYTES + 1]).contains("at most 65536 are read"));
    assert_eq!(
        refuse(b"id = 1\n\xff\xfe"),
        "x.toml:2:1: it is not text in UTF-8"
    );
    refuse(b"");
    refuse(b"id = ");
    refuse(b"\0");
    refuse("a = [".repeat(5_000).as_bytes());
    refuse(format!("a = {}", "[".repeat(50_000)).as_bytes());
    refuse("[a]\n".repeat(10_000).as_bytes());
    let many = format!(
        "{GOOD}{}",
        "[[affects]]\ncrates = { a = \"1\" }\n".repeat(100)
    );
    assert!(refuse(many.as_bytes()).contains("at most 64 tables"));
    let twice = GOOD.replace("\"rollback\", \"restart\"", "\"restart\", \"restart\"");
    assert!(refuse(twice.as_bytes()).contains("stands twice"));
    // The bell and other control characters would reach a terminal.
    refuse(GOOD.replace("A title", "A \\u0007 title").as_bytes());
    refuse(GOOD.replace("A title", "A \\n title").as_bytes());
    refuse(GOOD.replace("A title", "A \u{202e}eltit").as_bytes());
}

#[test]
fn every_cut_of_a_good_file_is_an_error_or_a_record() {
    let components = Components::built_in().unwrap();
    for end in 0..GOOD.len() {
        let cut = GOOD.as_bytes().get(..end).unwrap();
        if let Err(defects) = read("x.toml", cut, Origin::Repository, &components) {
            assert!(defects.iter().all(|defect| defect.line >= 1), "{end}");
        }
    }
}
