//! From the audit to the effect, and from the effect to the next audit.

use serde_json::Value;

use super::Books;
use crate::cli::shop::{Shop, THEN};

/// The stores that need nothing but a file.
const FILES: [&str; 2] = ["../ledger.db", "../ledger.jsonl"];

const COMPARED: [&str; 5] = ["check", "--base", "HEAD~1", "--head", "HEAD"];

pub(super) fn change<'v>(report: &'v Value, id: &str) -> &'v Value {
    let changes = report["changes"].as_array().unwrap();
    changes.iter().find(|change| change["id"] == id).unwrap()
}

fn signal<'v>(report: &'v Value, id: &str) -> Option<&'v Value> {
    let signals = change(report, "jsonette")["risk"]["signals"]
        .as_array()
        .unwrap();
    signals.iter().find(|signal| signal["id"] == id)
}

#[test]
fn an_audit_is_recorded_as_it_was_reported() {
    for place in FILES {
        let shop = Shop::updated_to("1.0.3");
        let books = Books::at(&shop.scene, place);
        let policy = "version = 1\nextends = \"none\"\n[[rule]]\nid = \"watched\"\n\
                      when = 'change.package == \"jsonette\"'\nthen = \"canary\"\n\
                      reason = \"it is watched\"\n";
        shop.scene.file("policy.toml", policy);
        let args = [
            &COMPARED[..],
            &THEN,
            &["--format", "json", "--ledger-name", "shop-api"],
            &["--policy", "policy.toml"],
        ];
        let ran = books.run(&args.concat());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let judged = change(&report, "jsonette");

        let asked = [
            "ledger",
            "list",
            "--package",
            "jsonette",
            "--version",
            "1.0.3",
        ];
        let list = books.json(&asked);
        let [update] = list["updates"].as_array().unwrap().as_slice() else {
            panic!("{list:#}")
        };
        assert_eq!(update["repository"], "shop-api");
        assert_eq!(update["step"], "in");
        assert_eq!(update["before"], "1.0.0");
        assert_eq!(update["verdict"], judged["decision"]);
        assert_eq!(update["score"], judged["risk"]["score"]);

        let shown = books.json(&["ledger", "show", update["entry"].as_str().unwrap()]);
        let entry = &shown["entry"];
        assert_eq!(entry["kind"], "audit");
        assert_eq!(entry["decision"], report["verdict"]["decision"]);
        assert_eq!(entry["diff-digest"], report["diff-digest"]);
        assert_eq!(entry["head"]["digest"], report["head"]["digest"]);
        assert_eq!(entry["changes"][0]["to"], judged["to"]);
        let reasons = report["verdict"]["reasons"].as_array().unwrap();
        assert_eq!(entry["reasons"].as_array().unwrap().len(), reasons.len());
        assert!(
            !reasons.is_empty(),
            "the case is to have a rule that decides"
        );
        assert_eq!(entry["reasons"][0]["rule"], reasons[0]["rule"]);

        // The wrong version, and the wrong service, are not found.
        let none = books.json(&[&asked[..5], &["1.0.2"]].concat());
        assert_eq!(none["updates"].as_array().unwrap().len(), 0);
        let none = books.json(&[&asked[..], &["--in", "other"]].concat());
        assert_eq!(none["updates"].as_array().unwrap().len(), 0);
    }
}

#[test]
fn exemptions_that_were_used_are_recorded() {
    let shop = Shop::new();
    shop.write("1.0.0");
    let policy = "version = 1\n\n[[rule]]\nid = \"never\"\nwhen = 'change.package == \"jsonette\"'\n\
                  then = \"block\"\nreason = \"not this one\"\n\n[[exempt]]\npackage = \"jsonette\"\n\
                  version = \"1.0.3\"\nrules = [\"never\"]\nreason = \"read by two\"\nby = \"platform\"\n\
                  until = 2024-06-01\n\n[ledger]\nurl = \".canary/ledger.jsonl\"\nname = \"shop\"\n";
    shop.scene.file("canary.toml", policy);
    shop.scene.commit("one");
    shop.write("1.0.3");
    shop.scene.commit("two");
    let ran = shop.scene.run(&[&COMPARED[..], &THEN].concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    // The place and the name are the policy's.
    let text = std::fs::read_to_string(shop.scene.path("work/.canary/ledger.jsonl")).unwrap();
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["entry"]["repository"], "shop");
    let waived = &line["entry"]["exemptions"][0];
    assert_eq!(waived["change"], "jsonette");
    let because = waived["because"].as_str().unwrap();
    assert!(
        because.contains("`never`") && because.contains("platform"),
        "{because}"
    );
    assert_eq!(waived["rules"], serde_json::json!(["never"]));
    assert_eq!(waived["reason"], "read by two");
    assert_eq!(waived["by"], "platform");
    assert_eq!(waived["until"], "2024-06-01");
    assert!(
        waived["origin"]
            .as_str()
            .unwrap()
            .starts_with("canary.toml:")
    );
    // And it is found from there without being named.
    let list = shop.scene.run(&["ledger", "list", "--package", "jsonette"]);
    assert!(
        list.stdout.contains("1.0.0 -> 1.0.3"),
        "{}{}",
        list.stdout,
        list.stderr
    );
    // Who wants none has none.
    let ran = shop
        .scene
        .run(&[&COMPARED[..], &THEN, &["--no-ledger"]].concat());
    assert_eq!(ran.code, Some(0));
    let after = std::fs::read_to_string(shop.scene.path("work/.canary/ledger.jsonl")).unwrap();
    assert_eq!(after, text);
}

/// Audits two updates, says that both were rolled back, and audits a third one.
pub(super) fn two_rollbacks_speak(books: &Books<'_>, shop: &Shop, offline: bool) {
    let check = |from: &str, to: &str, more: &[&str]| {
        let args = [
            "check",
            "--base",
            from,
            "--head",
            to,
            "--ledger-name",
            "shop",
        ];
        let offline: &[&str] = if offline { &["--offline"] } else { &[] };
        let ran = books.run(&[&args[..], offline, more].concat());
        assert!(matches!(ran.code, Some(0 | 1 | 3 | 4)), "{}", ran.stderr);
        ran.stdout
    };
    let json = |from: &str, to: &str| -> Value {
        serde_json::from_str(&check(from, to, &["--format", "json"])).unwrap()
    };
    let mut before = String::new();
    for version in ["1.0.0", "1.0.1", "1.0.2"] {
        shop.write(version);
        let commit = shop.scene.commit(version);
        if !before.is_empty() {
            let report = json(&before, &commit);
            let undone = signal(&report, "update-undone").map(|it| it["because"].clone());
            match version {
                // Nothing bad is recorded yet.
                "1.0.1" => assert_eq!(undone, None),
                _ => assert_eq!(
                    undone.unwrap(),
                    "the last update of jsonette was rolled back"
                ),
            }
            books.text(&[
                "ledger",
                "impact",
                "--package",
                "jsonette",
                "--version",
                version,
                "--effect",
                "rolled-back",
                "--incident",
                "2026-11-27-shop-down",
            ]);
        }
        before = commit;
    }
    shop.write("1.0.3");
    let commit = shop.scene.commit("1.0.3");
    let report = json(&before, &commit);
    let undone = signal(&report, "update-undone").unwrap();
    assert_eq!(
        undone["because"],
        "the last two updates of jsonette were rolled back"
    );
    let facts = undone["facts"].as_array().unwrap();
    assert_eq!(facts.len(), 2, "{facts:?}");
    let fact = facts[0].as_str().unwrap();
    assert!(fact.contains("1.0.2 rolled back in shop"), "{fact}");
    assert!(fact.contains("2026-11-27-shop-down"), "{fact}");
    // The points are the model's, and they count.
    assert!(undone["points"].as_i64().unwrap() > 0);
    let without: Value = serde_json::from_str(&{
        let args = [
            "check",
            "--base",
            &before,
            "--head",
            &commit,
            "--offline",
            "--no-ledger",
        ];
        books
            .run(&[&args[..], &["--format", "json"]].concat())
            .stdout
    })
    .unwrap();
    assert_eq!(signal(&without, "update-undone"), None);
    let text = check(&before, &commit, &[]);
    assert!(
        text.contains("the last two updates of jsonette were rolled back"),
        "{text}"
    );
    // What was not known then does not count then.
    let then = check(
        &before,
        &commit,
        &["--format", "json", "--as-of", "2024-03-01"],
    );
    let then: Value = serde_json::from_str(&then).unwrap();
    assert_eq!(signal(&then, "update-undone"), None);
    // The same version again is worse.
    let again = json(&before_of(shop, "1.0.0"), &before_of(shop, "1.0.2"));
    let because = &signal(&again, "update-undone").unwrap()["because"];
    assert_eq!(because, "jsonette 1.0.2 was rolled back before");
}

/// The commit with this version.
fn before_of(shop: &Shop, version: &str) -> String {
    let grep = format!("--grep=^{version}$");
    shop.scene.git("work", &["log", "-1", "--format=%H", &grep])
}

#[test]
fn from_then_on_the_history_speaks() {
    for place in FILES {
        let shop = Shop::new();
        let books = Books::at(&shop.scene, place);
        two_rollbacks_speak(&books, &shop, true);
    }
}

#[test]
fn a_change_cannot_rewrite_the_past_that_judges_it() {
    let shop = Shop::new();
    shop.scene.file(
        "canary.toml",
        "version = 1\n[ledger]\nurl = \".canary/ledger.jsonl\"\nname = \"shop\"\n",
    );
    shop.write("1.0.0");
    shop.scene.commit("one");
    let base = |version: &str| {
        shop.write(version);
        let args = ["check", "--base", "HEAD", "--offline", "--format", "json"];
        let ran = shop.scene.run(&args);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    assert_eq!(signal(&base("1.0.1"), "update-undone"), None);
    let impact = [
        "ledger",
        "impact",
        "--package",
        "jsonette",
        "--version",
        "1.0.1",
    ];
    let ran = shop
        .scene
        .run(&[&impact[..], &["--effect", "rolled-back"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    // What is not committed is not the base's.
    assert_eq!(signal(&base("1.0.3"), "update-undone"), None);
    shop.write("1.0.0");
    shop.scene.commit("the ledger");
    assert!(signal(&base("1.0.3"), "update-undone").is_some());
    // The change empties the file: the base still speaks.
    shop.scene.file(".canary/ledger.jsonl", "");
    assert!(signal(&base("1.0.3"), "update-undone").is_some());
}

#[test]
fn an_effect_needs_an_update_that_had_it() {
    let shop = Shop::updated_to("1.0.3");
    let books = Books::at(&shop.scene, "../ledger.db");
    let impact = |version: &str, more: &[&str]| {
        let args = [
            "ledger",
            "impact",
            "--package",
            "jsonette",
            "--version",
            version,
        ];
        books.run(&[&args[..], &["--effect", "rolled-back"], more].concat())
    };
    impact("1.0.3", &[]).fails(
        2,
        "error: no audit in the ledger let jsonette 1.0.3 in\n\
         hint: `jsonette` is in no audit at all; `cargo-canary check --ledger PLACE` records audits\n",
    );
    for service in ["api", "worker"] {
        let ran = books.run(&[&COMPARED[..], &THEN, &["--ledger-name", service]].concat());
        assert_ne!(ran.code, Some(2), "{}", ran.stderr);
    }
    impact("1.0.2", &[]).fails(
        2,
        "error: no audit in the ledger let jsonette 1.0.2 in\nhint: there is jsonette 1.0.3\n",
    );
    impact("1.0.3", &[]).fails(
        2,
        "error: 2 repositories took jsonette 1.0.3\nhint: say which one with `--in NAME`: api, worker\n",
    );
    impact("1.0.3", &["--in", "batch"]).fails(
        2,
        "error: `batch` did not take jsonette 1.0.3\nhint: these did: api, worker\n",
    );
    assert_eq!(impact("1.0.3", &["--in", "api"]).code, Some(0));
    // Which services took it, and what came of it, is one question.
    let list = books.json(&[
        "ledger",
        "list",
        "--package",
        "jsonette",
        "--version",
        "1.0.3",
    ]);
    let told: Vec<(&str, &str, &str)> = list["updates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap();
            (text("repository"), text("kind"), text("step"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("api", "effect", "about"),
            ("worker", "audit", "in"),
            ("api", "audit", "in")
        ]
    );
    // The audit tells what came of it.
    let id = list["updates"][2]["entry"].as_str().unwrap();
    let shown = books.json(&["ledger", "show", &id[..8]]);
    assert_eq!(shown["effects"][0]["entry"]["effect"], "rolled-back");
    let page = books.text(&["ledger", "show", id]);
    assert!(page.contains("What came of it"), "{page}");
    // An id that no incident file has is said, and recorded all the same.
    let unknown = ["--in", "api", "--incident", "webp-0.2.3-encode-lea"];
    let ran = impact("1.0.3", &unknown);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stderr
            .contains("no incident file has the id `webp-0.2.3-encode-lea`")
            && ran.stderr.contains("is `webp-0.2.3-encode-leak` meant?"),
        "{}",
        ran.stderr
    );
    let known = ["--in", "api", "--incident", "webp-0.2.3-encode-leak"];
    assert_eq!(impact("1.0.3", &known).stderr, "");
}
