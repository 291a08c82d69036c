//! The advisory matcher against the `rustsec` crate on a real database, which
//! is no part of this repository.
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_canary::advisories::{Store, UpdateSource, update};
use cargo_canary::facts::AdvisoryFact;
use cargo_canary::host::{Host, memory::MemoryHost};
use cargo_canary::pkg::{PackageId, Release, Source};
use jiff::Timestamp;
use rustsec::advisory::Informational;
use rustsec::database::Query;
use rustsec::report::{Report, Settings};
use rustsec::{Collection, Database, Lockfile};
use semver::{Version, VersionReq};

const DATABASE: &str = "rustsec-advisory-db-2026-08-21.tar.xz";

fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CANARY_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: there is no `{}`", path.display());
    None
}

/// The database, unpacked; and the archive without its compression.
fn unpacked() -> Option<(tempfile::TempDir, Vec<u8>)> {
    let archive = shared(DATABASE)?;
    let directory = tempfile::tempdir().unwrap();
    let tar = Command::new("xz")
        .arg("-dc")
        .arg(&archive)
        .output()
        .unwrap();
    assert!(tar.status.success());
    let done = Command::new("tar")
        .arg("-xJf")
        .arg(&archive)
        .arg("-C")
        .arg(directory.path())
        .status();
    assert!(done.unwrap().success());
    Some((directory, tar.stdout))
}

fn today() -> Timestamp {
    "2026-08-21T12:00:00Z".parse().unwrap()
}

fn key(fact: &AdvisoryFact) -> (String, String, Version) {
    (fact.id.clone(), fact.package.clone(), fact.version.clone())
}

fn locks() -> Vec<PathBuf> {
    let Some(showcase) = shared("showcase") else {
        return Vec::new();
    };
    let mut cases: Vec<PathBuf> = std::fs::read_dir(showcase)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    cases
        .iter()
        .flat_map(|case| [case.join("before.lock"), case.join("after.lock")])
        .collect()
}

fn packages(lock: &Lockfile) -> Vec<PackageId> {
    let id = |package: &rustsec::cargo_lock::Package| PackageId {
        name: package.name.to_string(),
        version: package.version.clone(),
        source: package.source.as_ref().map_or(Source::Local, |source| {
            Source::parse(&source.to_string()).unwrap()
        }),
    };
    lock.packages.iter().map(id).collect()
}

#[test]
fn the_embedded_file_is_what_an_update_makes() {
    let Some((directory, tar)) = unpacked() else {
        return;
    };
    let host = MemoryHost::new(today()).file("/db.tar", tar).host();
    let made = update(
        &UpdateSource::Tarball("/db.tar".into()),
        &host,
        Path::new("/cache"),
    );
    let made = made.unwrap();
    let text = host
        .files
        .read(Path::new("/cache/advisories.facts"), 1 << 30)
        .unwrap();
    let embedded = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/advisories.facts");
    if std::fs::read(&embedded).unwrap() != text {
        let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join("advisories.facts");
        std::fs::write(&beside, &text).unwrap();
        panic!(
            "the embedded file differs; the right one is `{}`",
            beside.display()
        );
    }
    let status = Store::embedded().status();
    assert_eq!(
        (&status.digest, status.advisories),
        (&made.digest, made.advisories)
    );
    assert_eq!(status.problems, []);

    let cache = tempfile::tempdir().unwrap();
    let source = UpdateSource::Directory(directory.path().into());
    let from_directory = update(&source, &Host::real(None), cache.path()).unwrap();
    assert_eq!(from_directory.digest, status.digest);
}

#[test]
fn matches_on_real_locks_are_those_of_the_rustsec_crate() {
    let locks = locks();
    let Some((directory, _)) = unpacked().filter(|_| !locks.is_empty()) else {
        return;
    };
    let database = Database::open(directory.path()).unwrap();
    let store = Store::embedded();
    let query = Query::new().collection(Collection::Crates).withdrawn(false);
    let settings = Settings {
        informational_warnings: vec![
            Informational::Notice,
            Informational::Unmaintained,
            Informational::Unsound,
        ],
        ..Settings::default()
    };
    let mut classes = BTreeSet::new();
    for path in locks {
        let lock = Lockfile::load(&path).unwrap();
        let ours: Vec<AdvisoryFact> = packages(&lock)
            .iter()
            .flat_map(|id| store.applying(id, today()))
            .collect();
        let keys: BTreeSet<_> = ours.iter().map(key).collect();
        assert_eq!(keys.len(), ours.len());

        let wide = database.query_vulnerabilities(&lock, &query);
        let theirs: BTreeSet<_> = wide
            .iter()
            .map(|hit| {
                let package = &hit.package;
                (
                    hit.advisory.id.to_string(),
                    package.name.to_string(),
                    package.version.clone(),
                )
            })
            .collect();
        assert_eq!(keys, theirs, "{}", path.display());

        let report = Report::generate(&database, &lock, &settings);
        let class = |wanted: Option<&str>| -> BTreeSet<String> {
            let of_class = |fact: &&AdvisoryFact| fact.informational.as_deref() == wanted;
            ours.iter()
                .filter(of_class)
                .map(|fact| fact.id.clone())
                .collect()
        };
        let vulnerabilities: BTreeSet<String> = report
            .vulnerabilities
            .list
            .iter()
            .map(|hit| hit.advisory.id.to_string())
            .collect();
        assert_eq!(class(None), vulnerabilities, "{}", path.display());
        for (kind, warnings) in &report.warnings {
            let ids = warnings
                .iter()
                .filter_map(|w| Some(w.advisory.as_ref()?.id.to_string()));
            let kind = kind.as_str();
            assert_eq!(
                class(Some(kind)),
                ids.collect(),
                "{kind} in {}",
                path.display()
            );
            classes.insert(kind.to_owned());
        }
    }
    assert!(
        classes.contains("unsound") && classes.contains("unmaintained"),
        "{classes:?}"
    );
}

/// The versions around the borders of a requirement.
fn around(req: &VersionReq) -> Vec<Version> {
    let mut versions = Vec::new();
    for comparator in &req.comparators {
        let (minor, patch) = (comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0));
        let mut at = Version::new(comparator.major, minor, patch);
        versions.push(Version::new(comparator.major, minor, patch + 1));
        versions.push(Version::new(comparator.major, minor + 1, 0));
        versions.push(Version::new(comparator.major + 1, 0, 0));
        versions.push(Version::new(
            comparator.major,
            minor,
            patch.saturating_sub(1),
        ));
        versions.push(at.clone());
        at.pre = comparator.pre.clone();
        versions.push(at.clone());
        at.pre = semver::Prerelease::new("alpha.1").unwrap();
        versions.push(at);
    }
    versions
}

#[test]
fn every_advisory_matches_and_reads_as_in_the_rustsec_crate() {
    let Some((directory, _)) = unpacked() else {
        return;
    };
    let database = Database::open(directory.path()).unwrap();
    let store = Store::embedded();
    let mut checked = BTreeSet::new();
    for theirs in database.iter() {
        let metadata = &theirs.metadata;
        if metadata.collection != Some(Collection::Crates) {
            continue;
        }
        let requirements = theirs
            .versions
            .patched()
            .iter()
            .chain(theirs.versions.unaffected());
        let mut versions: Vec<Version> = requirements.flat_map(around).collect();
        versions.extend(["0.0.0", "0.0.1-a", "999.0.0"].map(|text| text.parse().unwrap()));
        for version in versions {
            let id = PackageId {
                name: metadata.package.to_string(),
                version,
                source: Source::CratesIo,
            };
            let ours = store.applying(&id, today());
            let ours = ours.iter().find(|fact| fact.id == metadata.id.as_str());
            let affected =
                metadata.withdrawn.is_none() && theirs.versions.is_vulnerable(&id.version);
            assert_eq!(ours.is_some(), affected, "{} {id}", metadata.id);
            if let Some(ours) = ours {
                compare(ours, theirs);
                checked.insert(ours.id.clone());
            }
        }
    }
    // All but those that were withdrawn.
    assert_eq!(checked.len(), store.status().advisories - 13);
}

fn compare(ours: &AdvisoryFact, theirs: &rustsec::Advisory) {
    let metadata = &theirs.metadata;
    let mut aliases: Vec<_> = metadata.aliases.iter().map(ToString::to_string).collect();
    aliases.sort();
    aliases.dedup();
    assert_eq!(ours.aliases, aliases);
    let mut categories: Vec<_> = metadata
        .categories
        .iter()
        .map(ToString::to_string)
        .collect();
    categories.sort();
    categories.dedup();
    assert_eq!(ours.categories, categories);
    assert_eq!(ours.date.to_string(), metadata.date.as_str());
    let informational = metadata.informational.as_ref().map(|kind| kind.as_str());
    assert_eq!(ours.informational.as_deref(), informational);
    let severity = theirs
        .severity()
        .map(|severity| severity.as_str().to_owned());
    assert_eq!(
        ours.severity.map(|severity| severity.as_str().to_owned()),
        severity
    );
    let patched: Vec<VersionReq> = ours
        .patched
        .iter()
        .map(|req| req.parse().unwrap())
        .collect();
    assert_eq!(patched, theirs.versions.patched());
}

#[test]
fn the_showcase_changes_have_the_advisories_they_are_shown_for() {
    let Some(showcase) = shared("showcase") else {
        return;
    };
    let store = Store::embedded();
    let mut seen = BTreeSet::new();
    for case in std::fs::read_dir(showcase).unwrap() {
        let path = case.unwrap().path();
        let meta = std::fs::read_to_string(path.join("meta.json")).unwrap();
        let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
        for highlight in meta["highlights"].as_array().unwrap() {
            let Some(expected) = highlight["advisories"].as_array() else {
                continue;
            };
            let side = |key: &str| -> Vec<Release> {
                let release = |text: &str| Release {
                    version: text.parse().unwrap(),
                    source: Source::CratesIo,
                    checksum: None,
                };
                highlight[key].as_str().map(release).into_iter().collect()
            };
            let name = highlight["name"].as_str().unwrap();
            let found = store.delta(name, &side("old"), &side("new"), today());
            let delta = found.seen().cloned().unwrap_or_default();
            let ours: BTreeSet<(String, &str)> = [
                (&delta.introduced, "introduced"),
                (&delta.fixed, "fixed"),
                (&delta.remaining, "still"),
            ]
            .into_iter()
            .flat_map(|(list, word)| list.iter().map(move |fact| (fact.id.clone(), word)))
            .collect();
            let theirs: BTreeSet<(String, &str)> = expected
                .iter()
                .map(|one| {
                    (
                        one["id"].as_str().unwrap().to_owned(),
                        one["change"].as_str().unwrap(),
                    )
                })
                .collect();
            assert_eq!(ours, theirs, "{name} in {}", path.display());
            seen.extend(theirs.into_iter().map(|(_, change)| change.to_owned()));
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["fixed", "introduced", "still"]
    );
}
