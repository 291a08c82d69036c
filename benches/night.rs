//! How long the questions of a bad night take: the ledger at a million rows, and
//! the history of ten thousand lock files. `cargo bench --bench night`; see
//! `docs/ledger.md` for what else can be set, and for figures.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement sets up the real machine, and ends at the first surprise"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cargo_canary::exposure::{self, Question};
use cargo_canary::host::{Host, RealNet};
use cargo_canary::ledger::{
    Audited, Body, Build, Changed, Entry, FORMAT, Filter, Judge, Mode, Place, Released, Store,
    Stored, open,
};
use jiff::{SignedDuration, Timestamp};

/// Changes in one entry; each has a row for what came in and one for what went out.
const CHANGES: usize = 20;
/// Entries that are written one by one.
const ALONE: usize = 200;
/// Entries that are written at once after that.
const BATCH: usize = 500;
/// So often each question is asked.
const ASKED: usize = 21;

fn main() {
    let host = Host::real(Some(Box::new(RealNet::default())));
    let number = |name: &str, default: usize| {
        let text = host.env.get(name).and_then(|value| value.to_str());
        text.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let rows = number("CANARY_NIGHT_ROWS", 1_000_000);
    let scratch = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(scratch.path().join("ledger.db"));
    ledger("SQLite", &place, rows, &host);
    if let Some(url) = host.env.get("CANARY_NIGHT_POSTGRES") {
        let place = Place::parse(url.to_str().unwrap(), Path::new(".")).unwrap();
        ledger("PostgreSQL", &place, rows, &host);
    }
    history(number("CANARY_NIGHT_REVISIONS", 10_000), &host);
}

fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").unwrap();
}

fn ledger(name: &str, place: &Place, rows: usize, host: &Host) {
    let mut store = open(place, Mode::Append, host).unwrap();
    let entries = rows / (2 * CHANGES);
    let begun = Instant::now();
    for number in 0..ALONE {
        store.append(&[entry(number)]).unwrap();
    }
    per_second(
        &format!("{name}: written one entry at a time"),
        ALONE,
        begun.elapsed(),
    );
    let begun = Instant::now();
    let mut number = ALONE;
    while number < entries {
        let end = (number + BATCH).min(entries);
        let batch: Vec<Stored> = (number..end).map(entry).collect();
        store.append(&batch).unwrap();
        number = end;
    }
    per_second(
        &format!("{name}: written {BATCH} entries at a time"),
        entries.saturating_sub(ALONE),
        begun.elapsed(),
    );
    let package = || Some("package-7".to_owned());
    ask(
        store.as_mut(),
        &format!("{name}: who took one version of a package"),
        &Filter {
            package: package(),
            version: Some("1.6.0".to_owned()),
            ..Filter::default()
        },
    );
    ask(
        store.as_mut(),
        &format!("{name}: the newest 50 rows of a package"),
        &Filter {
            package: package(),
            limit: 50,
            ..Filter::default()
        },
    );
    ask(
        store.as_mut(),
        &format!("{name}: the newest 50 rows of a service"),
        &Filter {
            repository: Some("service-3".to_owned()),
            limit: 50,
            ..Filter::default()
        },
    );
}

fn per_second(what: &str, entries: usize, took: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "a number of entries")]
    let entries = entries as f64 / took.as_secs_f64().max(1e-9);
    #[expect(clippy::cast_precision_loss, reason = "a number of changes")]
    let rows = entries * (2 * CHANGES) as f64;
    say(&format!(
        "{what}: {entries:.0} entries, {rows:.0} rows a second"
    ));
}

fn ask(store: &mut dyn Store, what: &str, filter: &Filter) {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..ASKED {
        let begun = Instant::now();
        found = store.rows(filter).unwrap().len();
        times.push(begun.elapsed());
    }
    times.sort();
    let median = times.get(ASKED / 2).copied().unwrap_or_default();
    say(&format!(
        "{what}: {:.2} ms for {found} rows (median of {ASKED})",
        median.as_secs_f64() * 1e3
    ));
}

/// The audit with this number: one of 300 services, twenty of 500 packages.
fn entry(number: usize) -> Stored {
    let released = |version: String| Released {
        version,
        source: "crates.io".to_owned(),
        checksum: Some("0".repeat(64)),
    };
    let changes = (0..CHANGES).map(|at| {
        let package = format!("package-{}", (number * CHANGES + at) % 500);
        let version = number % 40;
        Changed {
            id: package.clone(),
            package,
            change: "upgraded".to_owned(),
            from: vec![released(format!("1.{version}.0"))],
            to: vec![released(format!("1.{}.0", version + 1))],
            forced_by: None,
            score: 12,
            decision: "pass".to_owned(),
            incidents: Vec::new(),
        }
    });
    let build = |name: &str| Build {
        input: name.to_owned(),
        kind: "git".to_owned(),
        commit: Some("0".repeat(40)),
        digest: format!("sha256:{number:064x}"),
    };
    let minutes = i64::try_from(number).unwrap();
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(28_000_000 + minutes);
    Stored::new(Entry {
        version: FORMAT,
        at,
        repository: format!("service-{}", number % 300),
        by: None,
        body: Body::Audit(Box::new(Audited {
            tool: "cargo-canary 0.1.0".to_owned(),
            as_of: at,
            base: build("main"),
            head: build("HEAD"),
            diff_digest: format!("sha256:{number:064x}"),
            policy: Judge {
                name: "default".to_owned(),
                read_from: "built in".to_owned(),
                edited_by_change: false,
            },
            decision: "pass".to_owned(),
            reasons: Vec::new(),
            exemptions: Vec::new(),
            evidence: Vec::new(),
            changes: changes.collect(),
        })),
    })
}

/// A repository with as many revisions of a lock file of 60 packages, made by
/// `git fast-import`, and the time that the search through it takes.
fn history(revisions: usize, host: &Host) {
    let scratch = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(args).current_dir(scratch.path());
        command
    };
    assert!(
        git(&["init", "-q", "-b", "main"])
            .status()
            .unwrap()
            .success()
    );
    let mut import = git(&["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = import.stdin.take().unwrap();
    for revision in 0..revisions {
        let lock = lock(revision);
        let seconds = 1_600_000_000 + revision * 600;
        write!(
            pipe,
            "commit refs/heads/main\ncommitter t <t@example.org> {seconds} +0000\ndata 1\n.\n\
             M 100644 inline Cargo.lock\ndata {}\n{lock}\n",
            lock.len()
        )
        .unwrap();
    }
    drop(pipe);
    assert!(import.wait().unwrap().success());
    let question = Question {
        package: "package-7".to_owned(),
        versions: Some("=1.3.0".parse().unwrap()),
    };
    let begun = Instant::now();
    let answer = exposure::search(&question, scratch.path(), host).unwrap();
    let took = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a number of commits")]
    let speed = answer.commits as f64 / took;
    say(&format!(
        "exposure: {} commits with {} states of lock files in {took:.2} s, {speed:.0} a second",
        answer.commits, answer.locks
    ));
}

/// The lock file of a revision: one of its packages moves in each.
fn lock(revision: usize) -> String {
    let mut text = String::from("version = 4\n");
    for package in 0..60 {
        let version = (revision + package) / 60;
        write!(
            text,
            "\n[[package]]\nname = \"package-{package}\"\nversion = \"1.{version}.0\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
             checksum = \"{package:032x}{version:032x}\"\n"
        )
        .unwrap();
    }
    text
}
