//! The real leaks, again and again: services with real releases, built with their
//! lock files and probed `CANARY_LEAKS` times for 30 s each. Needs the registry,
//! the data beside the repository, and an hour. It writes the table in
//! `docs/probe.md`:
//!
//! `CANARY_LEAKS=10 cargo test --test it probe_leaks -- --nocapture`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::support::data;
use crate::support::workload::canary;

/// Service, base, head, whether the head leaks.
const PAIRS: [(&str, &str, &str, bool); 18] = [
    ("webp-encode", "clean", "leaky", true),
    ("webp-encode", "clean", "partial", true),
    ("webp-encode", "leaky", "partial", true),
    ("webp-encode", "clean", "fixed", false),
    ("ureq-agent-pool", "clean", "leaky", true),
    ("ureq-agent-pool", "clean", "fixed", false),
    ("ureq-agent-pool", "leaky", "fixed", false),
    ("moka-get-with", "clean", "leaky", true),
    ("moka-get-with", "clean", "fixed", false),
    ("moka-get-with", "leaky", "fixed", false),
    ("tokio-spawn-blocking", "clean", "leaky", true),
    ("tokio-spawn-blocking", "clean", "fixed", false),
    ("neg-ws-buffer-flat", "older", "newer", false),
    ("cratesio-2021-08", "clean", "leaky", true),
    ("cratesio-2021-08", "clean", "only-guilty", true),
    ("cratesio-2021-08", "clean", "all-but-guilty", false),
    ("cratesio-2021-08", "clean", "fixed", false),
    ("cratesio-2021-08", "leaky", "fixed", false),
];
/// The length of a run, in seconds.
const SECONDS: &str = "30";
/// So many probes run at once, each with two programs, beside a thread that keeps a
/// core busy all the time: more than a small machine has cores for.
const AT_ONCE: usize = 2;

/// Builds each service once with each lock file; what is there is not built again.
fn built(folder: &Path, into: &Path) -> BTreeMap<(String, String), PathBuf> {
    let mut programs = BTreeMap::new();
    for (service, base, head, _) in PAIRS {
        for lock in [base, head] {
            let key = (service.to_owned(), lock.to_owned());
            if programs.contains_key(&key) {
                continue;
            }
            let program = into.join(format!("{service}-{lock}"));
            if program.is_file() {
                programs.insert(key, program);
                continue;
            }
            let from = folder.join(service);
            let work = into.join(service);
            std::fs::create_dir_all(work.join("src")).unwrap();
            let copy = |name: &str, to: &str| {
                std::fs::copy(from.join(name), work.join(to)).unwrap();
            };
            // Not part of the workspace that lies above the folder.
            let manifest = std::fs::read_to_string(from.join("Cargo.toml")).unwrap();
            let alone = format!("{manifest}\n[workspace]\n");
            std::fs::write(work.join("Cargo.toml"), alone).unwrap();
            copy("src/main.rs", "src/main.rs");
            copy(&format!("{lock}.lock"), "Cargo.lock");
            let status = Command::new("cargo")
                .args(["build", "--release", "--locked", "--quiet"])
                .current_dir(&work)
                .env("CARGO_TARGET_DIR", into.join("target"))
                .status()
                .unwrap();
            assert!(status.success(), "{service} {lock}");
            std::fs::copy(into.join("target/release").join(service), &program).unwrap();
            programs.insert(key, program);
        }
    }
    programs
}

fn decision(base: &Path, head: &Path) -> String {
    let output = canary()
        .args(["probe", "--format", "json", "--no-progress", "--duration"])
        .arg(format!("{SECONDS}s"))
        .arg("--base-exe")
        .arg(base)
        .arg("--head-exe")
        .arg(head)
        .env("SECS", SECONDS)
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    json["decision"].as_str().unwrap().to_owned()
}

#[test]
fn real_leaks_are_found_again_and_again() {
    let Some(runs) = std::env::var("CANARY_LEAKS")
        .ok()
        .and_then(|n| n.parse::<usize>().ok())
    else {
        println!("skipped: it takes most of an hour and the registry; set CANARY_LEAKS=10");
        return;
    };
    let folder = data::folder("leaks").expect("CANARY_LEAKS needs the data beside the repository");
    let programs = built(
        &folder,
        &Path::new(env!("CARGO_TARGET_TMPDIR")).join("leaks"),
    );
    let program = |service: &str, lock: &str| &programs[&(service.to_owned(), lock.to_owned())];
    let answers: Vec<Mutex<Vec<String>>> = PAIRS.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        let probing = |_| {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= runs * PAIRS.len() {
                        break;
                    }
                    let pair = at % PAIRS.len();
                    let (service, base, head, _) = PAIRS[pair];
                    let said = decision(program(service, base), program(service, head));
                    println!("{service} {base} to {head}: {said}");
                    answers[pair].lock().unwrap().push(said);
                }
            })
        };
        let probing: Vec<_> = (0..AT_ONCE).map(probing).collect();
        let ended: Vec<bool> = probing.into_iter().map(|run| run.join().is_ok()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ended.into_iter().all(|well| well), "a probe failed");
    });
    let mut table = String::from(
        "| service | builds | leaks | called a leak | no leak | left open |\n|---|---|---|---|---|---|\n",
    );
    let (mut found, mut missed, mut alarms) = (0, 0, 0);
    for ((service, base, head, leaks), said) in PAIRS.iter().zip(&answers) {
        let said = said.lock().unwrap();
        let of = |word: &str| said.iter().filter(|answer| *answer == word).count();
        let word = if *leaks { "yes" } else { "no" };
        let (leak, clean, open) = (of("leak"), of("no-leak"), of("inconclusive"));
        table += &format_args!(
            "| {service} | {base} to {head} | {word} | {leak} | {clean} | {open} |\n"
        )
        .to_string();
        if *leaks {
            found += leak;
            missed += clean + open;
        } else {
            alarms += leak;
        }
    }
    table +=
        &format_args!("\nFound {found}, missed {missed}, false alarms {alarms}.\n").to_string();
    println!("{table}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/probe.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once("<!-- leaks -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end leaks -->").unwrap();
    std::fs::write(
        &page,
        format!("{before}<!-- leaks -->\n{table}<!-- end leaks -->{after}"),
    )
    .unwrap();
    assert_eq!(missed + alarms, 0, "{table}");
}
