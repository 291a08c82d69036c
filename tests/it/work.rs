//! How much work is done, in counts that no machine and no neighbour changes:
//! files and bytes read, requests sent, programs started.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cargo_canary::audit::{Audit, Request, run};
use cargo_canary::host::{Environment, Host, Work};
use cargo_canary::snapshot::{GraphKind, InputKind};

use super::support::local_registry::LocalRegistry;

#[path = "../../benches/made/host.rs"]
mod host;
#[path = "../../benches/made/text.rs"]
mod text;

#[test]
fn a_verdict_on_lock_files_reads_them_and_the_entries_of_what_changed() {
    let packages = 1_100;
    let changed = (0..packages).filter(|p| text::is_changed(*p)).count() as u64;
    let audit = host::verdict(&host::pair(packages).host());
    assert_eq!(audit.changes.len() as u64, changed);
    assert!(
        audit
            .changes
            .iter()
            .all(|c| c.dossier.published.seen().is_some())
    );
    let work = audit.work;
    assert_eq!(work.files_read, 2 + changed);
    assert_eq!((work.requests, work.processes), (0, 0));
}

#[test]
fn twice_the_packages_are_twice_the_work() {
    let work = |packages| host::verdict(&host::pair(packages).host()).work;
    let (one, two) = (work(1_000), work(2_000));
    assert_eq!(two.files_read - 2, (one.files_read - 2) * 2);
    assert!(two.bytes_read > one.bytes_read);
    assert!(two.bytes_read < one.bytes_read * 21 / 10, "{one:?} {two:?}");
}

#[test]
fn where_nothing_changed_nothing_but_the_lock_files_is_read() {
    let pair = host::pair(500).file("/same/Cargo.lock", text::lock(500, text::Side::Base));
    let request = host::request("/base/Cargo.lock", "/same/Cargo.lock");
    let audit = run(&request, &pair.host(), &|_| {}).unwrap();
    assert!(audit.changes.is_empty());
    assert_eq!(audit.work.files_read, 2);
    assert_eq!((audit.work.requests, audit.work.processes), (0, 0));
}

const CRATES: usize = 40;

/// A project with forty crates in two states, and Cargo's caches for it.
struct Stage {
    scratch: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let mut registry = LocalRegistry::new();
        for package in 0..CRATES {
            for patch in 0..2 {
                let krate = registry.krate(&text::name(package), &format!("1.0.{patch}"));
                krate.published("2024-01-01T00:00:00Z").publish();
            }
        }
        let scratch = tempfile::tempdir().unwrap();
        registry.write_cargo_home(&scratch.path().join("home"));
        let stage = Self { scratch };
        stage.write(&registry, "base", 0);
        stage.write(&registry, "head", 2);
        stage
    }

    /// Writes a state in which so many crates have their newer release.
    fn write(&self, registry: &LocalRegistry, name: &str, newer: usize) {
        let dir = self.scratch.path().join(name);
        let mut manifest =
            "[package]\nname = 'root'\nversion = '0.1.0'\nedition = '2021'\n[dependencies]\n"
                .to_owned();
        let mut lock = "version = 4\n".to_owned();
        let mut listed = String::new();
        for package in 0..CRATES {
            let name = text::name(package);
            let version = if package < newer { "1.0.1" } else { "1.0.0" };
            let checksum = registry.checksum(&name, version);
            let _ = writeln!(manifest, "{name} = '1'");
            let _ = write!(
                lock,
                "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{checksum}\"\n"
            );
            let _ = writeln!(listed, " \"{name}\",");
        }
        let _ = write!(
            lock,
            "\n[[package]]\nname = \"root\"\nversion = \"0.1.0\"\ndependencies = [\n{listed}]\n"
        );
        fs::create_dir_all(dir.join("src")).unwrap();
        fs::write(dir.join("Cargo.toml"), manifest).unwrap();
        fs::write(dir.join("Cargo.lock"), lock).unwrap();
        fs::write(dir.join("src/main.rs"), "fn main() {}\n").unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.scratch.path().join(name).display().to_string()
    }

    fn host(&self) -> Host {
        let mut host = Host::real(None);
        host.env = Environment::new([
            ("CARGO_HOME".to_owned(), self.path("home").into()),
            ("CARGO_CANARY_CACHE".to_owned(), self.path("cache").into()),
            ("PATH".to_owned(), std::env::var_os("PATH").unwrap()),
        ]);
        host
    }

    fn audit(&self, base: &str, head: &str, repository: &str) -> Audit {
        let request = Request {
            repository: self.path(repository).into(),
            // What is found is kept only where data is not locked.
            publishers: None,
            locked_data: false,
            ..host::request(base, head)
        };
        run(&request, &self.host(), &|_| {}).unwrap()
    }

    fn git(&self, arguments: &[&str]) {
        super::support::project::run(
            std::process::Command::new("git")
                .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
                .args(arguments)
                .current_dir(self.scratch.path().join("repository")),
        );
    }
}

#[test]
fn a_full_graph_with_warm_caches_reads_each_entry_once_and_no_archive() {
    let stage = Stage::new();
    let first = stage.audit(&stage.path("base"), &stage.path("head"), ".");
    assert_eq!(first.comparison.coverage.graph, GraphKind::Direct);
    assert_eq!(first.changes.len(), 2);
    let second = stage
        .audit(&stage.path("base"), &stage.path("head"), ".")
        .work;
    // Of each crate one index entry; of each side manifest and lock file, read for
    // the graph and once more to compare the builds; the own table of manifests.
    let entries = CRATES as u64;
    let tables = files_below(&stage.scratch.path().join("cache/manifests"));
    assert!(
        second.files_read <= entries + tables + 16,
        "{second:?}, {tables} tables"
    );
    // The first run read the archive of each release, and no table yet. It read
    // both archives of each change again to compare them; the second run read
    // what was found.
    let archives = entries + 2 + 4;
    let found = 2;
    assert_eq!(
        first.work.files_read + tables + found,
        second.files_read + archives
    );
    assert_eq!(
        (second.requests, second.processes, second.files_written),
        (0, 0, 0)
    );
}

fn files_below(dir: &Path) -> u64 {
    fs::read_dir(dir).map_or(0, |entries| {
        entries
            .flatten()
            .map(|entry| match entry.path().is_dir() {
                true => files_below(&entry.path()),
                false => 1,
            })
            .sum()
    })
}

#[test]
fn two_revisions_take_few_programs_however_many_crates_there_are() {
    let stage = Stage::new();
    let repository = stage.scratch.path().join("repository");
    fs::create_dir(&repository).unwrap();
    stage.git(&["init", "-q"]);
    for state in ["base", "head"] {
        for file in ["Cargo.toml", "Cargo.lock"] {
            fs::copy(
                stage.scratch.path().join(state).join(file),
                repository.join(file),
            )
            .unwrap();
        }
        fs::create_dir_all(repository.join("src")).unwrap();
        fs::write(repository.join("src/main.rs"), "fn main() {}\n").unwrap();
        stage.git(&["add", "-A"]);
        stage.git(&["commit", "-q", "-m", state]);
    }
    stage.audit("git:HEAD~1", "git:HEAD", "repository");
    let audit = stage.audit("git:HEAD~1", "git:HEAD", "repository");
    assert_eq!(audit.comparison.base.input.kind, InputKind::Git);
    assert_eq!(audit.comparison.coverage.graph, GraphKind::Direct);
    assert_eq!(audit.changes.len(), 2);
    let Work {
        processes,
        requests,
        ..
    } = audit.work;
    assert_eq!(requests, 0);
    assert!((2..=MOST_PROGRAMS).contains(&processes), "{processes}");
}

/// Of git, for both revisions together.
const MOST_PROGRAMS: u64 = 24;
