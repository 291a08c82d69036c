//! What each store holds, and what none of them takes.

use std::fs;
use std::os::unix::fs::symlink;

use rusqlite::Connection;
use serde_json::Value;

use super::{Books, audit_line};
use crate::cli::program::Scene;
use crate::cli::shop::{Shop, THEN};

/// Adds the outcome of a trial.
pub(super) fn record(books: &Books<'_>, version: &str, service: &str) -> String {
    books.text(&[
        "ledger",
        "record",
        "evidence",
        "--package",
        "moka",
        "--version",
        version,
        "--outcome",
        "pass",
        "--in",
        service,
    ])
}

#[test]
fn entries_move_between_stores_unchanged() {
    let scene = Scene::new();
    let first = Books::at(&scene, "../first.jsonl");
    record(&first, "0.12.0", "api");
    record(&first, "0.12.1", "worker");
    let lines = first.lines();
    assert_eq!(lines.len(), 2);
    let second = Books::at(&scene, "../second.db");
    let told = second.json(&["ledger", "import", "../first.jsonl"]);
    assert_eq!(told, serde_json::json!({ "read": 2, "added": 2 }));
    assert_eq!(second.lines(), lines);
    // Once more changes nothing, and the way back changes nothing.
    let told = second.json(&["ledger", "import", "../first.jsonl"]);
    assert_eq!(told, serde_json::json!({ "read": 2, "added": 0 }));
    let told = first.json(&["ledger", "import", "../second.db"]);
    assert_eq!(told, serde_json::json!({ "read": 2, "added": 0 }));
    assert_eq!(first.lines(), lines);
}

#[test]
fn filters_and_pages_agree_between_stores() {
    let scene = Scene::new();
    let mut text = String::new();
    for number in 0..2_300 {
        let at = format!("2026-01-01T{:02}:{:02}:00Z", number / 100, number % 50);
        text += &audit_line(&format!("svc-{}", number % 7), &at, 1);
        text.push('\n');
    }
    fs::write(scene.path("all.jsonl"), text).unwrap();
    let lines = Books::at(&scene, "../all.jsonl");
    let database = Books::at(&scene, "../all.db");
    database.text(&["ledger", "import", "../all.jsonl"]);
    for args in [
        &["export"][..],
        &["export", "--format", "csv"],
        &["export", "--in", "svc-3", "--since", "2026-01-01T05:00:00Z"],
        &[
            "list",
            "--package",
            "crate-0",
            "--limit",
            "77",
            "--format",
            "json",
        ],
        &[
            "list",
            "--in",
            "svc-2",
            "--until",
            "2026-01-01T03:30:00Z",
            "--format",
            "json",
        ],
        &["list", "--verdict", "block"],
        &[
            "list",
            "--package",
            "crate-0",
            "--version",
            "1.0.0",
            "--limit",
            "5",
        ],
    ] {
        let args = [&["ledger"], args].concat();
        assert_eq!(lines.text(&args), database.text(&args), "{args:?}");
    }
    // The pages of an export lose nothing and repeat nothing.
    let mut ids: Vec<String> = lines.lines();
    let all = ids.len();
    ids.dedup();
    assert_eq!((all, ids.len()), (2_300, 2_300));
}

#[test]
fn two_branches_that_record_are_merged_by_git() {
    let scene = Scene::new();
    scene.file(".gitattributes", "ledger.jsonl merge=union\n");
    let books = Books::at(&scene, "ledger.jsonl");
    record(&books, "0.1.0", "both");
    scene.commit("base");
    scene.git("work", &["checkout", "-q", "-b", "side"]);
    record(&books, "0.2.0", "side");
    scene.commit("side");
    scene.git("work", &["checkout", "-q", "main"]);
    record(&books, "0.3.0", "main");
    // The same entry on both sides is one entry.
    let side = scene.git("work", &["show", "side:ledger.jsonl"]);
    let side = side.lines().last().unwrap();
    let path = scene.path("work/ledger.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{side}\n")).unwrap();
    scene.commit("main");
    scene.git("work", &["merge", "-q", "--no-edit", "side"]);
    let list = books.json(&["ledger", "list", "--package", "moka"]);
    let mut versions: Vec<&str> = list["updates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["version"].as_str().unwrap())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, ["0.1.0", "0.2.0", "0.3.0"]);
}

/// The tables as the first version of the program made them.
const FIRST_TABLES: &str = "CREATE TABLE canary_entry (
        id TEXT NOT NULL PRIMARY KEY,
        at BIGINT NOT NULL,
        kind TEXT NOT NULL,
        repository TEXT NOT NULL,
        verdict TEXT NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX canary_entry_at ON canary_entry (at, id);
    CREATE INDEX canary_entry_repository ON canary_entry (repository, at);";

/// What is put into a ledger of the first version: id and body of an audit of two changes.
pub(super) fn first_entry() -> (String, String) {
    let line = audit_line("api", "2026-01-01T00:00:00Z", 2);
    let id = serde_json::from_str::<Value>(&line).unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, body) = line.split_once(",\"entry\":").unwrap();
    (id, body.strip_suffix('}').unwrap().to_owned())
}

#[test]
fn an_old_database_opens_and_tells_what_it_could_not_tell_before() {
    let scene = Scene::new();
    let path = scene.path("old.db");
    let (id, body) = first_entry();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(&format!("{FIRST_TABLES} PRAGMA user_version = 1;"))
        .unwrap();
    old.execute(
        "INSERT INTO canary_entry VALUES (?1, 1767225600000000, 'audit', 'api', 'pass', ?2)",
        [&id, &body],
    )
    .unwrap();
    drop(old);
    let books = Books::at(&scene, "../old.db");
    let list = books.json(&[
        "ledger",
        "list",
        "--package",
        "crate-1",
        "--version",
        "1.0.1",
    ]);
    assert_eq!(list["updates"][0]["entry"], id, "{list:#}");
    record(&books, "0.1.0", "api");
    assert_eq!(books.lines().len(), 2);
    // A newer one is left alone.
    let new = Connection::open(&path).unwrap();
    new.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(new);
    let ran = books.run(&["ledger", "list"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("has version 99"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("hint: update cargo-canary"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_no_ledger_is_left_as_it_is() {
    let scene = Scene::new();
    let place = |name: &str| Books::at(&scene, &format!("../{name}"));
    // A database of somebody else.
    let other = Connection::open(scene.path("other.db")).unwrap();
    other
        .execute_batch("CREATE TABLE songs (title TEXT)")
        .unwrap();
    drop(other);
    fs::write(
        scene.path("text.db"),
        "no database at all, but long enough for a header\n".repeat(90),
    )
    .unwrap();
    fs::write(scene.path("notes.jsonl"), "my notes").unwrap();
    fs::write(scene.path("conflict.jsonl"), "<<<<<<< HEAD\n").unwrap();
    let changed = audit_line("api", "2026-01-01T00:00:00Z", 1).replace("\"pass\"", "\"fail\"");
    let good = audit_line("api", "2026-01-02T00:00:00Z", 1);
    fs::write(scene.path("changed.jsonl"), format!("{good}\n{changed}\n")).unwrap();
    let newer = "{\"id\":\"9dd03a2f4de85ebdda4bb5d5a1c1bd0b1f2de9ac2f0a0b9d4c8a0b4ff3c5b3f5\",\"entry\":{}}\n";
    fs::write(scene.path("made-up.jsonl"), newer).unwrap();
    symlink(scene.path("notes.jsonl"), scene.path("link.jsonl")).unwrap();
    for (name, why) in [
        ("other.db", "a database with other tables"),
        ("text.db", "no SQLite database"),
        ("notes.jsonl", "its last line is no entry"),
        ("conflict.jsonl", "line 1: it is a conflict of a merge"),
        ("changed.jsonl", "line 2: its text was changed"),
        ("made-up.jsonl", "line 1: its text was changed"),
        ("link.jsonl", "is no regular file"),
    ] {
        let before = fs::read(scene.path(name)).unwrap();
        let args = [
            "ledger",
            "record",
            "rollout",
            "--package",
            "a",
            "--version",
            "1.0.0",
            "--outcome",
            "fail",
            "--in",
            "api",
        ];
        let ran = place(name).run(&args);
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.stdout);
        assert!(ran.stderr.contains(why), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{name}: {}", ran.stderr);
        assert_eq!(fs::read(scene.path(name)).unwrap(), before, "{name}");
    }
    for place in ["mysql://h/d", "ledger", "sqlite:"] {
        let ran = Books::at(&scene, place).run(&["ledger", "list"]);
        assert_eq!(ran.code, Some(2));
        assert!(
            ran.stderr.contains("no ledger can be kept there"),
            "{}",
            ran.stderr
        );
    }
    let ran = place("missing.db").run(&["ledger", "list"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("there is no ledger"), "{}", ran.stderr);
    assert!(
        !scene.path("missing.db").exists(),
        "a question makes no ledger"
    );
}

#[test]
fn a_ledger_that_fails_does_not_let_a_change_through() {
    let shop = Shop::updated_to("1.0.3");
    shop.scene.file("broken.jsonl", "no entry\n");
    let check = |policy: &str| {
        shop.scene.file("policy.toml", policy);
        let args = [
            "check",
            "--base",
            "HEAD~1",
            "--head",
            "HEAD",
            "--ledger",
            "broken.jsonl",
            "--policy",
            "policy.toml",
        ];
        shop.scene.run(&[&args[..], &THEN].concat())
    };
    let rule = |then: &str| {
        format!(
            "version = 1\nextends = \"none\"\n[[rule]]\nid = \"r\"\nwhen = 'change.package == \"jsonette\"'\n\
             then = \"{then}\"\nreason = \"so\"\n"
        )
    };
    for (policy, code) in [
        ("version = 1\nextends = \"none\"\n".to_owned(), 2),
        (rule("block"), 1),
        (rule("canary"), 3),
    ] {
        let ran = check(&policy);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("broken.jsonl`, line 1"),
            "{}",
            ran.stderr
        );
        // The report is there, and says what could not be asked.
        assert!(ran.stdout.contains("jsonette"), "{}", ran.stdout);
    }
}

#[test]
fn a_link_in_the_tree_does_not_lead_the_record_out_of_it() {
    let shop = Shop::new();
    shop.write("1.0.0");
    shop.scene.file(
        "canary.toml",
        "version = 1\n[ledger]\nurl = \".canary/ledger.jsonl\"\n",
    );
    shop.scene.commit("one");
    shop.write("1.0.3");
    fs::create_dir(shop.scene.path("elsewhere")).unwrap();
    symlink(
        shop.scene.path("elsewhere"),
        shop.scene.path("work/.canary"),
    )
    .unwrap();
    let ran = shop.scene.run(&["check", "--base", "HEAD", "--offline"]);
    assert!(
        ran.stderr.contains("leads out of the repository"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        fs::read_dir(shop.scene.path("elsewhere")).unwrap().count(),
        0
    );
}

#[test]
fn no_password_is_printed_or_taken_from_a_policy() {
    let shop = Shop::updated_to("1.0.3");
    let url = "postgres://ops:hunter2@127.0.0.1:1/ledger?sslmode=disable";
    for args in [
        &["ledger", "list", "--ledger", url][..],
        &[
            "check", "--base", "HEAD~1", "--head", "HEAD", "--ledger", url, "--format", "json",
        ],
        &[
            "check",
            "--base",
            "HEAD~1",
            "--head",
            "HEAD",
            "--ledger",
            url,
            "--offline",
        ],
    ] {
        let ran = shop.scene.run(args);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!all.contains("hunter2"), "{all}");
        assert!(all.contains("127.0.0.1:1/ledger"), "{all}");
        assert_ne!(ran.code, Some(0));
    }
    shop.scene.file(
        "policy.toml",
        "version = 1\n[ledger]\nurl = \"postgres://ops:hunter2@db/ledger\"\n",
    );
    let ran = shop.scene.run(&["policy", "check", "policy.toml"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("a password has no place in a policy"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_table_for_a_spreadsheet_holds_no_formula() {
    let scene = Scene::new();
    let books = Books::at(&scene, "../ledger.db");
    record(&books, "0.1.0", "=HYPERLINK(\"https://evil.example\")");
    let csv = books.text(&["ledger", "export", "--format", "csv"]);
    let record = csv.lines().nth(1).unwrap();
    assert!(
        record.contains(",\"'=HYPERLINK(\"\"https://evil.example\"\")\","),
        "{csv}"
    );
    // And a terminal is told nothing but text.
    super::stores::record(&books, "0.1.0", "a\u{1b}[2Jb");
    assert!(!books.text(&["ledger", "list"]).contains('\u{1b}'));
}
