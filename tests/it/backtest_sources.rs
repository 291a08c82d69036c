//! What sources add to the model, on a small corpus beside a small registry on
//! disk; no network.

use std::path::Path;

use cargo_canary::backtest::BacktestError;
use cargo_canary::backtest::sources::{Sample, Sampled, ablation, json, replay_sample, text};
use cargo_canary::host::Host;
use cargo_canary::registry::Access;
use cargo_canary::risk::Model;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::backtest::{Made, advisory, release_with, request};
use crate::cli::program::PROGRAM;

const QUIET: &str = "pub fn one() -> u8 { 1 }\n";
const LOUD: &str = "pub fn one() -> u8 { unsafe { *(&1_u8 as *const u8) } }\npub fn ask() { let _ = std::net::TcpStream::connect(\"h.example:80\"); }\n";
/// Releases with the day of publication and what is in the library.
const RELEASES: [(&str, &str, &str); 3] = [
    ("1.0.0", "2021-01-01T00:00:00Z", QUIET),
    ("1.0.1", "2022-01-01T00:00:00Z", LOUD),
    ("1.0.2", "2022-06-01T00:00:00Z", LOUD),
];

fn archive(version: &str, library: &str) -> (Vec<u8>, String) {
    let manifest =
        format!("[package]\nname = \"thing\"\nversion = \"{version}\"\nedition = \"2021\"\n");
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in [("Cargo.toml", manifest.as_str()), ("src/lib.rs", library)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let path = format!("thing-{version}/{path}");
        tar.append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    let bytes = tar.into_inner().unwrap().finish().unwrap();
    let digest = Sha256::digest(&bytes);
    let sum = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    (bytes, sum)
}

/// A corpus and a registry on disk that cargo's configuration names.
struct Stage {
    folder: TempDir,
    made: Made,
}

impl Stage {
    fn new() -> Self {
        let stage = Self {
            folder: tempfile::tempdir().unwrap(),
            made: Made::new(),
        };
        std::fs::create_dir_all(stage.path("registry")).unwrap();
        std::fs::create_dir_all(stage.path("home")).unwrap();
        let config = format!(
            "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\nlocal-registry = '{}'\n",
            stage.path("registry").display()
        );
        std::fs::write(stage.path("home/config.toml"), config).unwrap();
        let mut stage = stage;
        stage.made.index.clear();
        stage.made.hindsight = r#""bad_adv":true,"#.to_owned();
        for (version, at, library) in RELEASES {
            stage.publish(version, at, library, false);
        }
        stage
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn publish(&mut self, version: &str, at: &str, library: &str, yanked: bool) {
        let (bytes, sum) = archive(version, library);
        let file = self.path(&format!("registry/thing-{version}.crate"));
        std::fs::write(file, bytes).unwrap();
        let line = release_with(version, at, yanked, &sum);
        let own = format!("\"vers\":\"{version}\"");
        self.made.index.retain(|line| !line.contains(&own));
        self.made.index.push(line);
    }

    fn sampled(&self, archives: usize) -> Result<Sampled, BacktestError> {
        let corpus = self.path("corpus");
        self.made.write(&corpus);
        replayed(&corpus, archives, &self.path("home"))
    }
}

fn replayed(corpus: &Path, archives: usize, home: &Path) -> Result<Sampled, BacktestError> {
    let access = Access {
        cargo_home: Some(home.to_owned()),
        ..Access::default()
    };
    let sample = Sample { archives, seed: 7 };
    replay_sample(
        &request(corpus),
        sample,
        &access,
        &Host::real(None),
        &|_| (),
    )
}

/// The signals of the update to 1.0.1.
fn signals(sampled: &Sampled) -> Vec<(&'static str, f64)> {
    let (row, _) = &sampled.rows[0];
    assert_eq!(row.name, "thing 1.0.0 -> 1.0.1");
    row.columns
        .iter()
        .map(|((id, _), share)| (*id, *share))
        .collect()
}

#[test]
fn a_sample_is_replayed_with_the_archives_that_cargo_would_take() {
    let sampled = Stage::new().sampled(6).unwrap();
    assert_eq!((sampled.drawn, sampled.archives), (2, 3));
    assert!(
        sampled.lacking.is_empty() && sampled.left_out.is_empty(),
        "{sampled:?}"
    );
    let drawn: Vec<(&str, bool)> = sampled
        .rows
        .iter()
        .map(|(row, ordinary)| (row.name.as_str(), *ordinary))
        .collect();
    assert_eq!(
        drawn,
        [
            ("thing 1.0.0 -> 1.0.1", false),
            ("thing 1.0.1 -> 1.0.2", true)
        ]
    );
    let ids: Vec<&str> = signals(&sampled).into_iter().map(|it| it.0).collect();
    assert!(
        ids.contains(&"unsafe-gained") && ids.contains(&"capability-gained"),
        "{ids:?}"
    );

    let found = ablation(&sampled, &Model::built_in().unwrap());
    assert_eq!(found.counts["bad_adv"], (1, 1));
    let out = json(&sampled, &found);
    assert_eq!(
        out["by-score"]["bad_adv"]["with-sources"]["roc-auc"]["value"],
        1.0
    );
    let fired = &out["signals"].as_array().unwrap()[0];
    assert_eq!(fired["signal"], "capability-gained");
    assert_eq!(fired["of-100"]["bad_adv"], 100.0);
    assert_eq!(fired["of-100"]["ordinary"], 0.0);
    let told = text(&sampled, &found);
    assert!(
        told.contains("which need 3 archives, of which 0 could not be had"),
        "{told}"
    );
    assert!(told.lines().all(|line| line.len() <= 100), "{told}");
}

#[test]
fn no_more_archives_are_taken_than_allowed() {
    let stage = Stage::new();
    let one = stage.sampled(4).unwrap();
    assert_eq!(one.archives, 3);
    // Three fifths of three are one, and an update needs two.
    assert!(matches!(stage.sampled(3), Err(BacktestError::Nothing)));
    assert_eq!(
        one.rows,
        stage.sampled(4).unwrap().rows,
        "the same seed, the same sample"
    );
}

#[test]
fn too_few_archives_are_an_error_that_says_what_to_do() {
    let stage = Stage::new();
    stage.made.write(&stage.path("corpus"));
    let run = |archives: &str| {
        std::process::Command::new(PROGRAM)
            .args(["backtest", "corpus", "--locked-data", "--cache", "cache"])
            .args(["--archives", archives])
            .env("CARGO_HOME", stage.path("home"))
            .current_dir(stage.folder.path())
            .output()
            .unwrap()
    };
    let failed = run("3");
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert_eq!(failed.status.code(), Some(2), "{said}");
    assert!(
        said.contains("among 3") && said.contains("--archives 600"),
        "{said}"
    );
    let told = run("6");
    let said = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        said.starts_with("2 upgrades drawn (seed 1), which need 3 archives"),
        "{said}"
    );
    assert!(
        !stage.path("cache").exists(),
        "locked data is used and not added to"
    );
}

#[test]
fn an_archive_that_cannot_be_had_is_told_and_its_updates_are_left_out() {
    let stage = Stage::new();
    std::fs::remove_file(stage.path("registry/thing-1.0.2.crate")).unwrap();
    let sampled = stage.sampled(6).unwrap();
    assert_eq!((sampled.drawn, sampled.rows.len()), (2, 1));
    assert!(
        sampled.lacking[0].starts_with("thing@1.0.2: "),
        "{:?}",
        sampled.lacking
    );
    assert_eq!(
        sampled.left_out,
        ["thing 1.0.1 -> 1.0.2: not both archives are at hand"]
    );
}

#[test]
fn what_came_later_is_not_seen_in_sources_either() {
    let plain = signals(&Stage::new().sampled(6).unwrap());
    let with = |edit: fn(&mut Stage)| {
        let mut stage = Stage::new();
        edit(&mut stage);
        signals(&stage.sampled(6).unwrap())
    };
    let repair = |stage: &mut Stage| {
        stage.publish("1.0.3", "2022-12-02T00:00:00Z", QUIET, false);
    };
    assert_eq!(with(repair), plain, "a later release, with its archive");
    let yanked = |stage: &mut Stage| {
        stage.publish("1.0.1", "2022-01-01T00:00:00Z", LOUD, true);
    };
    assert_eq!(with(yanked), plain, "a later withdrawal");
    let known = |stage: &mut Stage| {
        stage.made.advisories = advisory("RUSTSEC-2021-9999", "2023-01-01");
    };
    assert_eq!(with(known), plain, "a later advisory");
    // Near miss: what the archive of the day itself shows.
    let other = |stage: &mut Stage| {
        stage.publish("1.0.1", "2022-01-01T00:00:00Z", QUIET, false);
    };
    assert_ne!(with(other), plain);
}
