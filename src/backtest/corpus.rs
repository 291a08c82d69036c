//! A corpus on disk: real changes of lock files with dates, the index history
//! of crates, advisories with the day on which they became known, and labels
//! that were not known on the day of the change.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use jiff::Timestamp;
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::BacktestError;
use crate::advisories::{Report, Store};
use crate::host::Host;

/// No file of a corpus that is larger is read.
const LARGEST_FILE: u64 = 1 << 30;
/// No file is unpacked to more than this.
const LARGEST_UNPACKED: u64 = 2 << 30;

/// One change of a lock file.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Event {
    pub(super) event_id: String,
    pub(super) repo: String,
    #[serde(deserialize_with = "time")]
    pub(super) commit_time: Timestamp,
    /// The digests of the lock files.
    pub(super) before: String,
    pub(super) after: String,
    #[serde(default)]
    pub(super) n_changed: usize,
}

fn time<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// One upgrade of an event, with what became of it.
#[derive(Clone, Debug)]
pub(super) struct Upgrade {
    pub(super) name: String,
    pub(super) old: String,
    pub(super) new: String,
    /// By label: whether it holds; without those that were never settled.
    pub(super) labels: BTreeMap<String, bool>,
    /// The fields of `known` as numbers, in the order of their names.
    pub(super) known: Vec<f64>,
}

/// A line of `updates.jsonl.gz`, as far as it is used. The fields below `known`
/// are for the baseline of a plain regression: for the model what was known on the
/// day is found anew.
#[derive(Deserialize)]
struct Line {
    event_id: String,
    name: String,
    kind: String,
    #[serde(default)]
    repo: String,
    #[serde(default)]
    commit_time: String,
    #[serde(default)]
    old: Option<String>,
    #[serde(default)]
    new: Option<String>,
    #[serde(default)]
    old_source: Option<String>,
    #[serde(default)]
    new_source: Option<String>,
    #[serde(default)]
    indexed: bool,
    #[serde(default)]
    withheld: bool,
    #[serde(default)]
    known: BTreeMap<String, Value>,
    #[serde(default)]
    hindsight: BTreeMap<String, Value>,
}

/// What is told of a repository.
#[derive(Deserialize)]
struct Repository {
    #[serde(default)]
    walk: String,
    #[serde(default)]
    date: String,
}

#[derive(Deserialize)]
struct AdvisoryLine {
    id: String,
    #[serde(rename = "crate")]
    package: String,
    date: String,
    #[serde(default)]
    db_date: Option<String>,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default)]
    informational: Option<String>,
    #[serde(default)]
    cvss: Option<String>,
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// A corpus, read but for its lock files.
pub(super) struct Corpus {
    folder: PathBuf,
    /// In the order of the file.
    pub(super) events: Vec<Event>,
    /// By event; only upgrades between releases of the default registry whose
    /// index history is there.
    pub(super) upgrades: BTreeMap<String, Vec<Upgrade>>,
    /// By crate: its index entry.
    pub(super) index: BTreeMap<String, Vec<u8>>,
    /// With the day on which each became known.
    pub(super) advisories: Store,
    /// The release family of a crate; a crate that is not there is its own.
    pub(super) families: BTreeMap<String, String>,
    /// Of all that the replay reads but for the lock files, which go by digest.
    pub(super) digest: String,
    /// Which chunk a lock file stands in, by digest.
    chunks: BTreeMap<String, String>,
}

/// The labels among the fields of hindsight: what went wrong with a release or
/// an update. The other fields there describe the release and are not used.
fn is_label(name: &str) -> bool {
    name == "bad" || name.starts_with("bad_") || matches!(name, "patch_3d_commit" | REVERTED)
}

/// The label of what was taken back.
const REVERTED: &str = "reverted_60d";

impl Corpus {
    /// Reads a corpus.
    pub(super) fn open(folder: &Path, host: &Host) -> Result<Self, BacktestError> {
        let text = |name: &str| read_text(host, &folder.join(name));
        let events = text("events.jsonl")?;
        let mut digest = Sha256::new();
        digest.update(events.as_bytes());
        for name in ["updates.jsonl.gz", "advisories.jsonl", "crates.json"] {
            let read = host.files.read(&folder.join(name), LARGEST_FILE);
            digest.update(read.unwrap_or_default());
        }
        let events = lines(&events, &folder.join("events.jsonl"))?;
        let file = folder.join("updates.jsonl.gz");
        let updates: Vec<Line> = lines(&unpacked(host, &file)?, &file)?;
        let watched = watched(host, &folder.join("repos.json"))?;
        let file = folder.join("advisories.jsonl");
        let advisories: Vec<AdvisoryLine> = lines(&text("advisories.jsonl")?, &file)?;
        Ok(Self {
            events,
            upgrades: upgrades(updates, &watched),
            index: index(&folder.join("index"), host)?,
            advisories: store(advisories, &file)?,
            families: families(host, &folder.join("crates.json"))?,
            digest: format!("{:x}", digest.finalize()),
            chunks: chunks(&text("locks/index.tsv")?),
            folder: folder.to_owned(),
        })
    }

    /// The lock files of some events, by digest.
    pub(super) fn locks(
        &self,
        events: &[&Event],
        host: &Host,
    ) -> Result<BTreeMap<String, Vec<u8>>, BacktestError> {
        let wanted: BTreeSet<&str> = events
            .iter()
            .flat_map(|event| [event.before.as_str(), event.after.as_str()])
            .collect();
        let chunks: BTreeSet<&String> = wanted
            .iter()
            .filter_map(|digest| self.chunks.get(*digest))
            .collect();
        let read: Vec<BTreeMap<String, Vec<u8>>> = chunks
            .into_par_iter()
            .map(|chunk| unpack_chunk(host, &self.folder.join("locks").join(chunk), &wanted))
            .collect::<Result<_, _>>()?;
        Ok(read.into_iter().flatten().collect())
    }
}

fn io(path: &Path, detail: impl std::fmt::Display) -> BacktestError {
    BacktestError::Unreadable {
        path: path.display().to_string(),
        detail: detail.to_string(),
    }
}

fn read_text(host: &Host, path: &Path) -> Result<String, BacktestError> {
    let bytes = host
        .files
        .read(path, LARGEST_FILE)
        .map_err(|error| io(path, error))?;
    String::from_utf8(bytes).map_err(|_| io(path, "it is not UTF-8"))
}

fn unpacked(host: &Host, path: &Path) -> Result<String, BacktestError> {
    let packed = host
        .files
        .read(path, LARGEST_FILE)
        .map_err(|error| io(path, error))?;
    let mut text = String::new();
    GzDecoder::new(packed.as_slice())
        .take(LARGEST_UNPACKED)
        .read_to_string(&mut text)
        .map_err(|error| io(path, error))?;
    Ok(text)
}

fn lines<T: for<'de> Deserialize<'de> + Send>(
    text: &str,
    path: &Path,
) -> Result<Vec<T>, BacktestError> {
    let rows: Vec<(usize, &str)> = text.lines().enumerate().collect();
    rows.into_par_iter()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line)
                .map_err(|error| io(path, format!("line {}: {error}", number + 1)))
        })
        .collect()
}

/// Until when each repository was watched for what it took back: sixty days
/// before its last commit. Where side branches were walked too, nothing was.
fn watched(host: &Host, path: &Path) -> Result<BTreeMap<String, String>, BacktestError> {
    if host.files.kind(path).is_err() {
        return Ok(BTreeMap::new());
    }
    let repositories: BTreeMap<String, Repository> =
        serde_json::from_str(&read_text(host, path)?).map_err(|error| io(path, error))?;
    let until = |it: &Repository| {
        let last: jiff::civil::Date = it.date.parse().ok()?;
        let day = last.checked_sub(jiff::Span::new().days(60)).ok()?;
        (it.walk == "first-parent").then(|| day.to_string())
    };
    Ok(repositories
        .iter()
        .filter_map(|(name, it)| Some((name.clone(), until(it)?)))
        .collect())
}

fn upgrades(
    lines: Vec<Line>,
    watched: &BTreeMap<String, String>,
) -> BTreeMap<String, Vec<Upgrade>> {
    let names: BTreeSet<String> = lines
        .iter()
        .flat_map(|line| line.known.keys())
        .filter(|name| !UNCLEAN.contains(&name.as_str()))
        .cloned()
        .collect();
    let mut all: BTreeMap<String, Vec<Upgrade>> = BTreeMap::new();
    for line in lines {
        let public = |source: &Option<String>| source.as_deref() == Some("crates.io");
        let usable = line.kind == "upgrade"
            && line.indexed
            && !line.withheld
            && public(&line.old_source)
            && public(&line.new_source);
        let (Some(old), Some(new), true) = (line.old, line.new, usable) else {
            continue;
        };
        let mut labels: BTreeMap<String, bool> = line
            .hindsight
            .iter()
            .filter(|(name, _)| is_label(name))
            .filter_map(|(name, value)| Some((name.clone(), label(value)?)))
            .collect();
        // An update that stayed has no such entry; one that nobody watched for
        // long enough has none either, and then nothing is known.
        let day = line.commit_time.get(..10).unwrap_or_default();
        let stayed = watched
            .get(&line.repo)
            .is_some_and(|until| day <= until.as_str());
        if stayed && !line.hindsight.contains_key(REVERTED) {
            labels.insert(REVERTED.to_owned(), false);
        }
        if brings_a_leak(&line.hindsight) {
            labels.insert(super::measure::LEAK.to_owned(), true);
        }
        if let (Some(advisory), Some(yank)) = (labels.get("bad_adv"), labels.get("bad_yank")) {
            labels.insert("bad_adv_or_yank".to_owned(), *advisory || *yank);
        }
        let age = line.known.get("age_days").and_then(Value::as_f64);
        if let (Some(bad), Some(..3.0)) = (labels.get(super::measure::ANY), age) {
            labels.insert(super::measure::ANY_OF_FRESH.to_owned(), *bad);
        }
        all.entry(line.event_id).or_default().push(Upgrade {
            name: line.name,
            old,
            new,
            labels,
            known: names
                .iter()
                .map(|name| number(line.known.get(name)))
                .collect(),
        });
    }
    all
}

/// Fields of `known` that what came later leaks into.
const UNCLEAN: [&str; 2] = ["prior_yanked_180d_approx", "prior_180d"];

/// A field as a number: large ones by their logarithm, lists by their length.
fn number(value: Option<&Value>) -> f64 {
    let number = match value {
        Some(Value::Bool(value)) => f64::from(u8::from(*value)),
        Some(Value::Number(value)) => value.as_f64().unwrap_or(0.0),
        Some(Value::Array(list)) => list.len() as f64,
        Some(Value::Null | Value::String(_) | Value::Object(_)) | None => 0.0,
    };
    number.signum() * number.abs().ln_1p()
}

/// Whether an update entered the range of a leak that was found later.
fn brings_a_leak(hindsight: &BTreeMap<String, Value>) -> bool {
    let leaks = hindsight.get("leaks").and_then(Value::as_array);
    leaks
        .into_iter()
        .flatten()
        .any(|leak| leak.get("change").and_then(Value::as_str) == Some("introduced"))
}

/// A label is true, false, or the id of the event that proves it; null where it
/// cannot be told.
fn label(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(_) | Value::Number(_) => Some(true),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn index(folder: &Path, host: &Host) -> Result<BTreeMap<String, Vec<u8>>, BacktestError> {
    let entries = host.files.list(folder).map_err(|error| io(folder, error))?;
    let names: Vec<String> = entries
        .into_iter()
        .filter_map(|entry| entry.name.into_string().ok())
        .filter(|name| name.ends_with(".gz"))
        .collect();
    names
        .into_par_iter()
        .map(|file| {
            let text = unpacked(host, &folder.join(&file))?;
            let name = file.trim_end_matches(".gz").to_owned();
            Ok((name, text.into_bytes()))
        })
        .collect()
}

/// The advisories, dated by the day on which the database first had them: before
/// that nobody could look them up.
fn store(lines: Vec<AdvisoryLine>, path: &Path) -> Result<Store, BacktestError> {
    let reports: Vec<Report> = lines
        .into_iter()
        .map(|line| Report {
            known_since: line
                .db_date
                .as_deref()
                .unwrap_or(&line.date)
                .chars()
                .take(10)
                .collect(),
            id: line.id,
            package: line.package,
            withdrawn: line.withdrawn,
            informational: line.informational,
            cvss: line.cvss,
            patched: line.patched,
            unaffected: line.unaffected,
        })
        .collect();
    Store::of_reports(&reports).map_err(|detail| io(path, detail))
}

fn families(host: &Host, path: &Path) -> Result<BTreeMap<String, String>, BacktestError> {
    let value: Value =
        serde_json::from_str(&read_text(host, path)?).map_err(|error| io(path, error))?;
    let mut families = BTreeMap::new();
    for key in ["families", "family"] {
        for (name, members) in value
            .get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            match members {
                Value::String(family) => {
                    families.insert(name.clone(), family.clone());
                }
                Value::Array(members) => families.extend(
                    members
                        .iter()
                        .filter_map(Value::as_str)
                        .map(|member| (member.to_owned(), name.clone())),
                ),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
            }
        }
    }
    Ok(families)
}

fn chunks(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split('\t');
            let (digest, chunk) = (cells.next()?, cells.next()?);
            let plain = chunk
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            (plain && !chunk.starts_with('.')).then(|| (digest.to_owned(), chunk.to_owned()))
        })
        .collect()
}

fn unpack_chunk(
    host: &Host,
    path: &Path,
    wanted: &BTreeSet<&str>,
) -> Result<BTreeMap<String, Vec<u8>>, BacktestError> {
    let packed = host
        .files
        .read(path, LARGEST_FILE)
        .map_err(|error| io(path, error))?;
    let decoder = ruzstd::decoding::StreamingDecoder::new(packed.as_slice())
        .map_err(|error| io(path, error))?;
    let mut archive = tar::Archive::new(decoder.take(LARGEST_UNPACKED));
    let mut found = BTreeMap::new();
    for entry in archive.entries().map_err(|error| io(path, error))? {
        let mut entry = entry.map_err(|error| io(path, error))?;
        let name = entry.path_bytes().into_owned();
        let name = String::from_utf8_lossy(&name);
        let file = name.rsplit('/').next().unwrap_or_default();
        let Some(digest) = file
            .strip_suffix(".lock")
            .filter(|digest| wanted.contains(digest))
        else {
            continue;
        };
        let digest = digest.to_owned();
        let mut content = Vec::new();
        entry
            .read_to_end(&mut content)
            .map_err(|error| io(path, error))?;
        found.insert(digest, content);
    }
    Ok(found)
}
