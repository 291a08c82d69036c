//! Many writers at once, and writers that are killed in the middle.

use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Books, audit_line};
use crate::cli::program::Scene;

/// How many processes write at once.
const WRITERS: usize = 50;
/// How many changes the entries have that are written when a writer is killed.
const CHANGES: usize = 40;

/// How many writers are killed for each store: 200 with `CANARY_LEDGER_LONG`.
fn kills() -> usize {
    match std::env::var("CANARY_LEDGER_LONG") {
        Ok(long) if !long.is_empty() => 200,
        _ => 20,
    }
}

/// Fifty processes write at once to a ledger that is not there yet.
pub(super) fn many_write_at_once(books: &Books<'_>) {
    let mut writers: Vec<(String, Child)> = (0..WRITERS)
        .map(|number| {
            let service = format!("svc-{number}");
            let args = [
                "ledger",
                "record",
                "rollout",
                "--package",
                "moka",
                "--version",
                "0.12.0",
                "--outcome",
                "pass",
                "--in",
                &service,
            ];
            let child = books.command(&args).spawn().unwrap();
            (service, child)
        })
        .collect();
    let mut ids = Vec::new();
    for (service, child) in writers.drain(..) {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{service}: {stderr}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        ids.push((stdout.get(..12).unwrap().to_owned(), service));
    }
    let lines = books.lines();
    assert_eq!(lines.len(), WRITERS);
    for (id, service) in ids {
        assert!(
            lines
                .iter()
                .any(|line| line.contains(&format!("\"id\":\"{id}"))
                    && line.contains(&format!("\"{service}\""))),
            "{service} was told {id}"
        );
    }
    let list = books.json(&["ledger", "list", "--package", "moka", "--limit", "1000"]);
    assert_eq!(list["updates"].as_array().unwrap().len(), WRITERS);
}

/// Writers are killed at all moments of their work. What was acknowledged is
/// there, and of what was not either all is there or nothing.
pub(super) fn killed_in_the_middle(books: &Books<'_>) {
    let from = |number: usize| {
        let path = books.scene.path(&format!("killed-{number}.jsonl"));
        let at = format!("2026-01-01T00:00:{:02}.{number:06}Z", number % 60);
        fs::write(
            &path,
            audit_line(&format!("killed-{number}"), &at, CHANGES) + "\n",
        )
        .unwrap();
        path.display().to_string()
    };
    let start = |number: usize| {
        books
            .command(&["ledger", "import", &from(number)])
            .spawn()
            .unwrap()
    };
    // How long a writer takes when it is let be.
    let started = Instant::now();
    assert!(start(0).wait_with_output().unwrap().status.success());
    let mut whole = started.elapsed();
    let (mut acknowledged, mut killed) = (vec![0], 0);
    for number in 1..=kills() {
        let mut child = start(number);
        // Spread over the whole of its time, and in no order.
        let part = (number * 61 % kills()) as f64 / kills() as f64;
        std::thread::sleep(whole.mul_f64(part));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        // How long a writer takes changes with what else the machine does.
        if output.stdout.is_empty() {
            killed += 1;
            whole = whole.mul_f64(1.1);
        } else {
            acknowledged.push(number);
            whole = whole.mul_f64(0.7);
        }
    }
    assert!(
        killed > kills() / 4,
        "only {killed} were killed before they were done"
    );
    // The next writer is not held up for long, and finds the ledger whole.
    let started = Instant::now();
    let last = kills() + 1;
    let output = start(last).wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(started.elapsed() < Duration::from_secs(60));
    acknowledged.push(last);

    let lines = books.lines();
    let services: Vec<String> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| line["entry"]["repository"].as_str().unwrap().to_owned())
        .filter(|service| service.starts_with("killed-"))
        .collect();
    for number in acknowledged {
        assert!(
            services.contains(&format!("killed-{number}")),
            "killed-{number} was acknowledged and is not there"
        );
    }
    // Each entry that is there has all of its rows, in the tables as well.
    let list = books.json(&["ledger", "list", "--package", "crate-0", "--limit", "10000"]);
    let rows = list["updates"].as_array().unwrap().len();
    assert_eq!(rows, 2 * services.len());
    for service in &services {
        for changed in [0, CHANGES / 2, CHANGES - 1] {
            let package = format!("crate-{changed}");
            if changed > 0 && service != services.last().unwrap() {
                continue;
            }
            let list = books.json(&["ledger", "list", "--package", &package, "--in", service]);
            assert_eq!(
                list["updates"].as_array().unwrap().len(),
                2,
                "{service} {package}"
            );
        }
    }
}

#[test]
fn fifty_processes_write_to_one_file() {
    let scene = Scene::new();
    for place in ["../many.db", "../many.jsonl"] {
        many_write_at_once(&Books::at(&scene, place));
    }
}

#[test]
fn a_killed_writer_leaves_a_file_whole() {
    let scene = Scene::new();
    for place in ["../killed.db", "../killed.jsonl"] {
        killed_in_the_middle(&Books::at(&scene, place));
    }
}

#[test]
fn a_line_that_was_never_finished_goes_and_the_others_stay() {
    let scene = Scene::new();
    let first = audit_line("first", "2026-01-01T00:00:00Z", 1);
    let second = audit_line("second", "2026-01-02T00:00:00Z", 1);
    fs::write(scene.path("second.jsonl"), format!("{second}\n")).unwrap();
    let books = Books::at(&scene, "../torn.jsonl");
    for cut in [1, 7, 30, second.len() / 2, second.len() - 1, second.len()] {
        let torn = second.get(..cut).unwrap();
        fs::write(scene.path("torn.jsonl"), format!("{first}\n{torn}")).unwrap();
        let lines = books.lines();
        assert_eq!(
            lines.len(),
            if cut == second.len() { 2 } else { 1 },
            "{cut}"
        );
        let third = audit_line("third", "2026-01-03T00:00:00Z", 1);
        fs::write(scene.path("third.jsonl"), format!("{third}\n")).unwrap();
        books.text(&["ledger", "import", "../third.jsonl"]);
        let text = fs::read_to_string(scene.path("torn.jsonl")).unwrap();
        let expected = if cut == second.len() {
            format!("{first}\n{second}\n{third}\n")
        } else {
            format!("{first}\n{third}\n")
        };
        assert_eq!(text, expected, "{cut}");
    }
}
