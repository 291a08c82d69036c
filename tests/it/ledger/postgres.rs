//! The ledger that many share, in a server that the test starts. Needs
//! `CANARY_POSTGRES`, the directory with the server's binaries.

use super::stores::{first_entry, record};
use super::{Books, crash, history};
use crate::cli::program::Scene;
use crate::cli::shop::Shop;
use crate::support::postgres::{PASSWORD, Server, binaries};

#[test]
fn postgresql_holds_what_the_others_hold() {
    let Some(binaries) = binaries() else {
        return;
    };
    let mut server = Server::start(binaries);
    let scene = Scene::new();
    let books = |name: &str| Books {
        password: Some(PASSWORD.to_owned()),
        ..Books::at(&scene, &server.database(name))
    };

    // Nothing is there, and a question makes nothing.
    let empty = books("empty");
    let ran = empty.run(&["ledger", "list"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("there is no ledger"), "{}", ran.stderr);
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(server.sql(&empty.place, tables), "0");

    // A wrong password is told as such, and not repeated.
    let wrong = Books {
        password: Some("not this".to_owned()),
        ..Books::at(&scene, &empty.place)
    };
    let ran = wrong.run(&["ledger", "list"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("password authentication failed"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("not this"), "{}", ran.stderr);

    // Entries come and go unchanged.
    let lines = Books::at(&scene, "../first.jsonl");
    record(&lines, "0.12.0", "api");
    record(&lines, "0.12.1", "worker");
    let moved = books("moved");
    let told = moved.json(&["ledger", "import", "../first.jsonl"]);
    assert_eq!(told, serde_json::json!({ "read": 2, "added": 2 }));
    assert_eq!(moved.lines(), lines.lines());
    for args in [
        &["ledger", "list"][..],
        &["ledger", "list", "--package", "moka", "--version", "0.12.1"],
        &["ledger", "list", "--verdict", "fail"],
        &["ledger", "export", "--format", "csv", "--in", "api"],
    ] {
        assert_eq!(moved.text(args), lines.text(args), "{args:?}");
    }

    old_tables(&server, &books("old"));

    let shop = Shop::new();
    let place = server.database("history");
    let of_shop = Books {
        password: Some(PASSWORD.to_owned()),
        ..Books::at(&shop.scene, &place)
    };
    history::two_rollbacks_speak(&of_shop, &shop, false);
    without_network(&of_shop);

    crash::many_write_at_once(&books("many"));
    let killed = books("killed");
    crash::killed_in_the_middle(&killed);
    let before = killed.lines();
    drop(killed);

    let place = format!("{}/killed", place.rsplit_once('/').unwrap().0);
    server.crash();
    let after = Books {
        password: Some(PASSWORD.to_owned()),
        ..Books::at(&scene, &place)
    };
    assert_eq!(after.lines(), before);
}

/// Offline there is no way to the database, and the report says so.
fn without_network(books: &Books<'_>) {
    let ran = books.run(&[
        "check",
        "--base",
        "HEAD~1",
        "--head",
        "HEAD",
        "--offline",
        "--format",
        "json",
    ]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let gaps = history::change(&report, "jsonette")["gaps"]
        .as_array()
        .unwrap();
    let gap = gaps.iter().find(|gap| gap["fact"] == "outcomes").unwrap();
    assert_eq!(gap["reason"], "offline-and-not-cached", "{gap}");
    assert!(ran.stderr.contains("there is to be none"), "{}", ran.stderr);
    assert_ne!(ran.code, Some(0));
}

/// Tables of the first version are brought to the present form.
fn old_tables(server: &Server, books: &Books<'_>) {
    let (id, body) = first_entry();
    let tables = r#"CREATE TABLE canary_schema (version BIGINT NOT NULL PRIMARY KEY);
        CREATE TABLE canary_entry (
            id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
            at BIGINT NOT NULL,
            kind TEXT COLLATE "C" NOT NULL,
            repository TEXT COLLATE "C" NOT NULL,
            verdict TEXT COLLATE "C" NOT NULL,
            body TEXT NOT NULL
        );
        CREATE INDEX canary_entry_at ON canary_entry (at, id);
        CREATE INDEX canary_entry_repository ON canary_entry (repository, at);
        INSERT INTO canary_schema VALUES (1);"#;
    let entry = format!(
        "INSERT INTO canary_entry VALUES
         ('{id}', 1767225600000000, 'audit', 'api', 'pass', $body${body}$body$)"
    );
    server.sql(&books.place, &format!("{tables} {entry}"));
    let list = books.json(&[
        "ledger",
        "list",
        "--package",
        "crate-1",
        "--version",
        "1.0.1",
    ]);
    assert_eq!(list["updates"][0]["entry"], id, "{list:#}");
    server.sql(&books.place, "INSERT INTO canary_schema VALUES (99)");
    let ran = books.run(&["ledger", "list"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("has version 99"), "{}", ran.stderr);
    // One whose text was changed behind our back is told.
    server.sql(
        &books.place,
        "DELETE FROM canary_schema WHERE version = 99;
         UPDATE canary_entry SET body = replace(body, '\"pass\"', '\"fail\"')",
    );
    let ran = books.run(&["ledger", "export"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("is damaged"), "{}", ran.stderr);
}
