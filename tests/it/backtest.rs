//! The model against history: a small corpus that the test makes, and, where it
//! is found, a part of a large one.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use cargo_canary::audit::PolicyChoice;
use cargo_canary::backtest::{History, Request, fit, json, measure, replay};
use cargo_canary::host::Host;
use cargo_canary::risk::Model;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// What a corpus is made of.
pub(crate) struct Made {
    /// Lines of the index entry of `thing`.
    pub(crate) index: Vec<String>,
    pub(crate) advisories: String,
    /// What is known afterwards of the first update, besides.
    pub(crate) hindsight: String,
    /// The day of the last commit that was looked at.
    watched_until: &'static str,
}

pub(crate) fn release(version: &str, at: &str, yanked: bool) -> String {
    release_with(version, at, yanked, &format!("{:064}", 0))
}

/// A line of the index with the checksum of an archive.
pub(crate) fn release_with(version: &str, at: &str, yanked: bool, checksum: &str) -> String {
    format!(
        r#"{{"name":"thing","vers":"{version}","deps":[],"cksum":"{checksum}","features":{{}},"yanked":{yanked},"pubtime":"{at}"}}"#
    )
}

pub(crate) fn advisory(id: &str, known: &str) -> String {
    format!(
        r#"{{"id":"{id}","crate":"thing","date":"2021-01-01","db_date":"{known}T00:00:00+00:00","withdrawn":null,"informational":null,"cvss":null,"patched":[">= 1.0.3"],"unaffected":["< 1.0.1"]}}"#
    )
}

impl Made {
    pub(crate) fn new() -> Self {
        Self {
            index: vec![
                release("1.0.0", "2021-01-01T00:00:00Z", false),
                release("1.0.1", "2022-01-01T00:00:00Z", false),
                release("1.0.2", "2022-06-01T00:00:00Z", false),
            ],
            advisories: String::new(),
            hindsight: String::new(),
            watched_until: "2023-01-01",
        }
    }

    /// Two events: to 1.0.1 on the day after its release, which went wrong, and
    /// to 1.0.2 half a year after its release, which did not.
    pub(crate) fn write(&self, folder: &Path) {
        let checksum = |version: &str| {
            let lines = self.index.iter();
            let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
            let mut lines = lines.filter(|line| line["vers"] == version);
            lines.next().unwrap()["cksum"].as_str().unwrap().to_owned()
        };
        let lock = |version: &str| {
            format!(
                "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"thing\"]\n\n[[package]]\nname = \"thing\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\n",
                checksum(version)
            )
        };
        std::fs::create_dir_all(folder.join("locks")).unwrap();
        std::fs::create_dir_all(folder.join("index")).unwrap();
        let mut tar = tar::Builder::new(Vec::new());
        let mut table = "sha256\tchunk\tbytes\n".to_owned();
        for (name, version) in [("a", "1.0.0"), ("b", "1.0.1"), ("c", "1.0.2")] {
            let content = lock(version);
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append_data(&mut header, format!("{name}.lock"), content.as_bytes())
                .unwrap();
            writeln!(table, "{name}\tall.tar.zst\t{}", content.len()).unwrap();
        }
        let tar = tar.into_inner().unwrap();
        let level = ruzstd::encoding::CompressionLevel::Uncompressed;
        let packed = ruzstd::encoding::compress_to_vec(tar.as_slice(), level);
        let write =
            |name: &str, content: &[u8]| std::fs::write(folder.join(name), content).unwrap();
        write("locks/all.tar.zst", &packed);
        write("locks/index.tsv", table.as_bytes());
        let event = |id: &str, time: &str, before: &str, after: &str| {
            format!(
                r#"{{"event_id":"{id}","repo":"o/r","commit_time":"{time}","before":"{before}","after":"{after}","n_changed":1}}"#
            )
        };
        let events = [
            event("r:1", "2022-01-02T00:00:00Z", "a", "b"),
            event("r:2", "2022-12-01T00:00:00Z", "b", "c"),
        ];
        write("events.jsonl", events.join("\n").as_bytes());
        let update = |event: &str, old: &str, new: &str, bad: bool, more: &str| {
            let age = if bad { 1 } else { 183 };
            format!(
                r#"{{"event_id":"{event}","repo":"o/r","commit_time":"2022-06-02T00:00:00Z","name":"thing","kind":"upgrade","old":"{old}","new":"{new}","old_source":"crates.io","new_source":"crates.io","indexed":true,"known":{{"age_days":{age},"links_added":false,"deps_added":["a"],"prior_180d":{age}}},"hindsight":{{"bad":{bad},{more}"later_14d":0}}}}"#
            )
        };
        let updates = [
            update("r:1", "1.0.0", "1.0.1", true, &self.hindsight),
            update("r:2", "1.0.1", "1.0.2", false, ""),
            // What is withheld carries no label and is not looked at.
            r#"{"event_id":"r:2","name":"thing","kind":"upgrade","old":"1.0.1","new":"1.0.2","withheld":true}"#.to_owned(),
        ];
        write("updates.jsonl.gz", &packed_lines(&updates));
        write("index/thing.gz", &packed_lines(&self.index));
        write("advisories.jsonl", self.advisories.as_bytes());
        let repositories = format!(
            r#"{{"o/r":{{"walk":"first-parent","date":"{}"}}}}"#,
            self.watched_until
        );
        write("repos.json", repositories.as_bytes());
        write(
            "crates.json",
            br#"{"split":"dev","families":{"thing":"things"}}"#,
        );
    }

    fn replayed(&self) -> History {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        replay(&request(folder.path()), &Host::real(None), &|_| ()).unwrap()
    }
}

fn packed_lines(lines: &[String]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(lines.join("\n").as_bytes()).unwrap();
    packed.finish().unwrap()
}

pub(crate) fn request(corpus: &Path) -> Request {
    Request {
        corpus: corpus.to_owned(),
        policy: PolicyChoice::BuiltIn("default".to_owned()),
        repositories: Vec::new(),
        one_of: 1,
        journal: None,
    }
}

#[test]
fn history_goes_through_the_audit_as_of_its_day() {
    let history = Made::new().replayed();
    assert_eq!((history.events, history.unmatched), (2, 0));
    assert!(history.failed.is_empty(), "{:?}", history.failed);
    let [fresh, old] = history.rows.as_slice() else {
        panic!("{:?}", history.rows);
    };
    assert_eq!(fresh.name, "thing 1.0.0 -> 1.0.1");
    assert_eq!(
        (fresh.family.as_str(), fresh.repository.as_str()),
        ("things", "o/r")
    );
    assert!((fresh.plain.age_days - 1.0).abs() < 1e-9);
    assert!((old.plain.age_days - 183.0).abs() < 1e-9);
    assert!(fresh.score > old.score, "{} and {}", fresh.score, old.score);
    assert!(fresh.likelihood > old.likelihood);
    assert_eq!(fresh.labels.get("bad"), Some(&true));
    assert_eq!(fresh.labels.get("bad_below_3_days"), Some(&true));
    assert_eq!(old.labels.get("bad_below_3_days"), None, "half a year old");
    // Large numbers by their logarithm; what the future leaks into is left out.
    let known = [2.0_f64.ln(), 2.0_f64.ln(), 0.0];
    let close = fresh
        .known
        .iter()
        .zip(known)
        .all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(close && fresh.known.len() == 3, "{:?}", fresh.known);
    assert_eq!(fresh.labels.get("reverted_60d"), Some(&false));
    assert!(!fresh.labels.contains_key("later_14d"), "no label");

    let model = Model::built_in().unwrap();
    let measured = measure(&history, &model.named_levels());
    let out = json(&history, &measured, Some(&fit(&history, &model)));
    let bad = &out["labels"]["bad"];
    for (pointer, wanted) in [
        ("/roc-auc", 1.0),
        ("/average-precision", 1.0),
        ("/recall-at/1", 0.02),
        ("/recall-at/10", 0.2),
        ("/baselines/youngest-first/roc-auc", 1.0),
    ] {
        assert_eq!(bad.pointer(pointer).unwrap(), wanted, "{pointer}");
    }
    assert!(bad["top3-in-event"].is_null(), "no event is large");
    assert_eq!(out["events"], 2);
    assert_eq!(out["updates"], 2);
    assert!(out["alerts-per-100"]["canary"].is_number());
}

#[test]
fn nothing_that_came_later_is_seen() {
    let plain = Made::new().replayed();
    let with = |edit: fn(&mut Made)| {
        let mut made = Made::new();
        edit(&mut made);
        made.replayed()
    };
    // A repair soon after the update, a withdrawal, an advisory: all of them later.
    let later = with(|made| {
        made.index
            .push(release("1.0.3", "2022-12-02T00:00:00Z", false));
    });
    assert_eq!(later, plain);
    let yanked = with(|made| made.index[1] = release("1.0.1", "2022-01-01T00:00:00Z", true));
    assert_eq!(yanked.rows[0].score, plain.rows[0].score);
    assert_eq!(yanked.rows[0].columns, plain.rows[0].columns);
    let known = with(|made| made.advisories = advisory("RUSTSEC-2021-9999", "2023-01-01"));
    assert_eq!(known, plain);
    // Near misses: the same, known on the day.
    let earlier = with(|made| made.advisories = advisory("RUSTSEC-2021-9999", "2021-06-01"));
    assert_ne!(earlier.rows[0].score, plain.rows[0].score);
    let before = with(|made| {
        made.index
            .push(release("1.0.3", "2022-06-02T00:00:00Z", false));
    });
    assert_ne!(before.rows[1].score, plain.rows[1].score);
}

#[test]
fn whether_an_update_was_taken_back_is_known_only_where_somebody_watched() {
    let label = |edit: fn(&mut Made)| {
        let mut made = Made::new();
        edit(&mut made);
        made.replayed().rows[0].labels.get("reverted_60d").copied()
    };
    assert_eq!(label(|_| ()), Some(false));
    assert_eq!(
        label(|made| made.hindsight = r#""reverted_60d":"r:9","#.to_owned()),
        Some(true)
    );
    assert_eq!(
        label(|made| made.hindsight = r#""reverted_60d":null,"#.to_owned()),
        None
    );
    // Fifty-nine days after the update the watch ended; sixty are enough.
    assert_eq!(label(|made| made.watched_until = "2022-07-31"), None);
    assert_eq!(label(|made| made.watched_until = "2022-08-01"), Some(false));
}

#[test]
fn the_place_of_what_brought_a_leak_is_told() {
    let mut made = Made::new();
    made.hindsight =
        r#""leaks":[{"id":"L","change":"introduced"},{"id":"M","change":"fixed"}],"#.to_owned();
    let measured = measure(&made.replayed(), &[("low", 0)]);
    let [day] = measured.incident_days.as_slice() else {
        panic!("{:?}", measured.incident_days);
    };
    assert_eq!(day.name, "thing 1.0.0 -> 1.0.1");
    assert_eq!(day.place, (1.0, 1));
    assert!(
        !measured.labels.contains_key("leak"),
        "nobody looked elsewhere"
    );
    made.hindsight = r#""leaks":[{"id":"L","change":"fixed"}],"#.to_owned();
    assert!(
        measure(&made.replayed(), &[("low", 0)])
            .incident_days
            .is_empty()
    );
}

#[test]
fn a_replay_that_was_stopped_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    Made::new().write(folder.path());
    let host = Host::real(None);
    let whole = replay(&request(folder.path()), &host, &|_| ()).unwrap();
    let journal = folder.path().join("journal");
    let mut kept = request(folder.path());
    kept.journal = Some(journal.clone());
    assert_eq!(replay(&kept, &host, &|_| ()).unwrap(), whole);
    let text = std::fs::read_to_string(&journal).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");

    // Stopped within the last line: that event is done again, and the file mended.
    std::fs::write(&journal, &text[..text.len() - 20]).unwrap();
    assert_eq!(replay(&kept, &host, &|_| ()).unwrap(), whole);
    assert_eq!(std::fs::read_to_string(&journal).unwrap(), text);

    // What stands there is taken, not done again.
    let told = text.replacen("thing 1.0.0 -> 1.0.1", "taken", 1);
    std::fs::write(&journal, told).unwrap();
    let taken = replay(&kept, &host, &|_| ()).unwrap();
    assert_eq!(taken.rows[0].name, "taken");
    assert_eq!(taken.rows[1], whole.rows[1]);

    // Another policy, or another corpus, is another replay.
    kept.policy = PolicyChoice::BuiltIn("strict".to_owned());
    let error = replay(&kept, &host, &|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("journal") && error.contains("another"),
        "{error}"
    );
    kept.policy = PolicyChoice::BuiltIn("default".to_owned());
    std::fs::write(folder.path().join("advisories.jsonl"), "\n").unwrap();
    assert!(replay(&kept, &host, &|_| ()).is_err());
}

#[test]
fn a_corpus_that_cannot_be_read_names_the_file_and_the_line() {
    let folder = tempfile::tempdir().unwrap();
    Made::new().write(folder.path());
    let events = folder.path().join("events.jsonl");
    let mut text = std::fs::read_to_string(&events).unwrap();
    text.push_str("\n{\"event_id\":");
    std::fs::write(&events, text).unwrap();
    let error = replay(&request(folder.path()), &Host::real(None), &|_| ()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("events.jsonl") && error.contains("line 3"),
        "{error}"
    );
    std::fs::remove_file(&events).unwrap();
    let error = replay(&request(folder.path()), &Host::real(None), &|_| ()).unwrap_err();
    assert!(error.to_string().contains("events.jsonl"), "{error}");
}

#[test]
fn on_real_history_few_updates_are_stopped() {
    let Some(shared) = crate::shared_data::folder() else {
        return;
    };
    let mut request = request(&Path::new(&shared).join("corpus"));
    request.repositories = vec!["bat".to_owned()];
    request.one_of = 8;
    let history = replay(&request, &Host::real(None), &|_| ()).unwrap();
    let measured = measure(&history, &Model::built_in().unwrap().named_levels());
    assert!(measured.updates > 20, "{}", measured.updates);
    assert!(
        measured.alerts_per_100.0 <= 2.0,
        "{:?}",
        measured.alerts_per_100
    );
}
