//! What the importer reads out of postmortems, held against what a careful
//! person reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_canary::incidents::{Components, import};
use serde_json::Value;

use crate::shared_data;

/// Hits, false finds and misses of one field.
#[derive(Clone, Copy, Default)]
struct Tally {
    hits: u32,
    wrong: u32,
    missed: u32,
}

impl Tally {
    fn row(self, field: &str) -> String {
        let part = |of: u32| {
            if of == 0 {
                "-".to_owned()
            } else {
                format!("{:.2}", f64::from(self.hits) / f64::from(of))
            }
        };
        format!(
            "| {field} | {} | {} | {} | {} | {} |",
            self.hits,
            self.wrong,
            self.missed,
            part(self.hits + self.wrong),
            part(self.hits + self.missed)
        )
    }
}

/// The tallies of a folder, by field.
type Tallies = BTreeMap<&'static str, Tally>;

const SINGLE: &[&str] = &[
    "date",
    "started",
    "ended",
    "duration-minutes",
    "minutes-to-cause",
    "impact-percent",
];
const WORDS: &[&str] = &["failure", "cause", "component", "detection"];

fn read(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap();
    let draft = import(
        &path.file_name().unwrap().to_string_lossy(),
        &bytes,
        &Components::built_in().unwrap(),
    )
    .unwrap();
    draft.to_json()
}

fn count(tally: &mut Tally, hit: bool, found: bool, expected: bool) {
    match (hit, found, expected) {
        (true, ..) => tally.hits += 1,
        (false, true, true) => {
            tally.wrong += 1;
            tally.missed += 1;
        }
        (false, true, false) => tally.wrong += 1,
        (false, false, true) => tally.missed += 1,
        (false, false, false) => {}
    }
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.as_str().map(str::to_lowercase))
        .collect()
}

fn compare(name: &str, got: &Value, truth: &Value, tallies: &mut Tallies) {
    let record = &got["record"];
    let say = |field: &str, got: &Value, truth: &Value| {
        println!("  {name} {field}: read {got}, and it is {truth}");
    };
    for field in SINGLE {
        let Some(truth) = truth.get(*field) else {
            continue;
        };
        let got = &record[*field];
        let hit = !truth.is_null()
            && (got == truth
                || got
                    .as_f64()
                    .zip(truth.as_f64())
                    .is_some_and(|(a, b)| (a - b).abs() < 0.05));
        let agree = hit || truth.is_null() && got.is_null();
        if !agree {
            say(field, got, truth);
        }
        count(
            tallies.entry(field).or_default(),
            hit,
            !got.is_null(),
            !truth.is_null(),
        );
    }
    for field in WORDS {
        let truth = texts(&truth[*field]);
        let got = record[*field].as_str();
        let hit = got.is_some_and(|got| truth.iter().any(|word| word == got));
        let agree = hit || got.is_none() && truth.is_empty();
        if !agree {
            say(field, &record[*field], &Value::from(truth.clone()));
        }
        count(
            tallies.entry(field).or_default(),
            hit,
            got.is_some(),
            !truth.is_empty(),
        );
    }
    let truth_party = texts(&truth["cause"]);
    let party = |word: &str| word.starts_with("third-party");
    let got_party = record["cause"].as_str().map(party);
    let true_party = truth_party.first().map(|word| party(word));
    count(
        tallies.entry("third party or own").or_default(),
        got_party.is_some() && got_party == true_party,
        got_party.is_some(),
        true_party.is_some(),
    );
    lists(name, got, truth, tallies);
}

fn lists(name: &str, got: &Value, truth: &Value, tallies: &mut Tallies) {
    let record = &got["record"];
    let tally = tallies.entry("resolution").or_default();
    let (found, expected) = (texts(&record["resolution"]), texts(&truth["resolution"]));
    tally.hits += found.iter().filter(|word| expected.contains(word)).count() as u32;
    tally.wrong += found.iter().filter(|word| !expected.contains(word)).count() as u32;
    tally.missed += expected.iter().filter(|word| !found.contains(word)).count() as u32;
    if found.iter().any(|word| !expected.contains(word)) || expected.len() != found.len() {
        println!("  {name} resolution: read {found:?}, and it is {expected:?}");
    }
    let tally = tallies.entry("suspected").or_default();
    let (found, expected) = (texts(&record["suspected"]), texts(&truth["suspected"]));
    let like = |a: &str, b: &str| {
        b.split(' ')
            .all(|word| a.contains(word.trim_end_matches('s')))
    };
    tally.hits += expected
        .iter()
        .filter(|word| found.iter().any(|got| like(got, word)))
        .count() as u32;
    tally.missed += expected
        .iter()
        .filter(|word| !found.iter().any(|got| like(got, word)))
        .count() as u32;
    tally.wrong += found
        .iter()
        .filter(|got| !expected.iter().any(|word| like(got, word)))
        .count() as u32;
    println!("  {name} suspected: read {found:?}, and it is {expected:?}");
    let tally = tallies.entry("actions (count within one)").or_default();
    let (found, expected) = (
        texts(&record["actions"]).len(),
        truth["actions"].as_u64().unwrap_or(0) as usize,
    );
    count(
        tally,
        found.abs_diff(expected) <= 1 && expected > 0,
        found > 0,
        expected > 0,
    );
    if found != expected {
        println!("  {name} actions: read {found}, and it is {expected}");
    }
    let said = texts(&got["contradictions"]);
    if let Some(expected) = truth["contradicts"].as_bool() {
        count(
            tallies.entry("contradictions (any)").or_default(),
            !said.is_empty() && expected,
            !said.is_empty(),
            expected,
        );
    }
    println!("  {name} contradictions: {said:?}");
}

/// Reads every text of a truth file and prints what was read otherwise.
fn measure(name: &str, folder: &Path, truth: &str) -> Tallies {
    let truth: BTreeMap<String, Value> = serde_json::from_str(truth).unwrap();
    let mut tallies = Tallies::new();
    println!("{name}");
    for (file, truth) in &truth {
        compare(file, &read(&folder.join(file)), truth, &mut tallies);
    }
    println!(
        "\n| field | right | wrong | missed | precision | recall |\n|---|---|---|---|---|---|"
    );
    for (field, tally) in &tallies {
        println!("{}", tally.row(field));
    }
    println!();
    tallies
}

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/postmortems")
}

#[test]
fn our_own_postmortems_are_read() {
    let tallies = measure(
        "texts of our own",
        &own(),
        include_str!("../../fixtures/postmortems/truth.json"),
    );
    for field in ["date", "started", "ended"] {
        assert!(tallies[field].wrong == 0, "{field}");
    }
}

#[test]
fn real_postmortems_are_read() {
    let Some(folder) = shared_data::folder() else {
        return;
    };
    let folder = Path::new(&folder).join("postmortems");
    let origin = measure(
        "the five",
        &folder.join("origin"),
        include_str!("../../fixtures/postmortems/origin-truth.json"),
    );
    for field in [
        "date",
        "duration-minutes",
        "impact-percent",
        "cause",
        "component",
        "contradictions (any)",
        "third party or own",
    ] {
        assert_eq!(
            (origin[field].wrong, origin[field].missed),
            (0, 0),
            "{field}"
        );
    }
    let _ = measure(
        "nine others",
        &folder,
        include_str!("../../fixtures/postmortems/others-truth.json"),
    );
}
