//! From a verdict that asks for a canary to one that passes, by the program.

use std::fs;

use serde_json::Value;

use super::keys::Keys;
use crate::cli::program::Ran;
use crate::cli::shop::{Shop, THEN};

/// A policy that asks for a canary for every upgrade.
pub(crate) const POLICY: &str = r#"version = 1
extends = "none"

[gaps]
default = "pass"

[canary]
min-duration = "1h"
max-age      = "30d"
signers      = ".canary/allowed_signers"

[[rule]]
id     = "upgrade"
when   = 'change.kind == "upgraded"'
then   = "canary"
reason = "an update of a library"
"#;

pub(crate) const PROBE: &str = r#"{"schema-version":1,"decision":"no-leak",
"resources":[{"resource":"rss","answer":"no-leak","because":"no growth above 1 KiB/s"}],
"base":{"seconds":3600.0},"head":{"seconds":3600.2}}"#;

/// The shop, whose base has a policy and a list of signers with one key.
pub(crate) struct Stage {
    pub(crate) shop: Shop,
    pub(super) keys: Keys,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::under(POLICY)
    }

    pub(crate) fn under(policy: &str) -> Self {
        let (shop, keys) = (Shop::new(), Keys::new());
        keys.make("alice", &["-t", "ed25519"]);
        keys.make("mallory", &["-t", "ed25519"]);
        shop.write("1.0.0");
        shop.scene.file("canary.toml", policy).file(
            ".canary/allowed_signers",
            &keys.line("alice@example.org", "", "alice"),
        );
        shop.scene.commit("one");
        shop.write("1.0.1");
        shop.scene.file("../probe.json", PROBE);
        Self { shop, keys }
    }

    pub(super) fn run(&self, command: &[&str], more: &[&str]) -> Ran {
        let args = [command, &["--base", "HEAD"], &THEN, more].concat();
        self.shop.scene.run(&args)
    }

    pub(super) fn check(&self, more: &[&str]) -> Ran {
        self.run(&["check"], more)
    }

    pub(crate) fn report(&self, more: &[&str]) -> Value {
        let ran = self.check(&[&["--format", "json"], more].concat());
        serde_json::from_str(&ran.stdout).unwrap()
    }

    pub(crate) fn sign(&self, more: &[&str]) -> Ran {
        let key = self.keys.path("alice").display().to_string();
        self.run(&["evidence", "sign", "--key", &key], more)
    }

    /// The names of the records in the repository.
    pub(super) fn records(&self) -> Vec<String> {
        let folder = self.shop.scene.path("work/.canary/evidence");
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".json"))
            .collect();
        names.sort();
        names
    }
}

#[test]
fn a_canary_passes_by_a_signed_trial_and_only_for_the_same_lock_file() {
    let stage = Stage::new();
    let before = stage.check(&[]);
    let text = before.ends(3);
    assert!(
        text.contains("cargo-canary probe --base HEAD --duration 3600s --format json"),
        "{text}"
    );
    assert!(
        text.contains("cargo-canary evidence sign --from probe.json --base HEAD"),
        "{text}"
    );

    let signed = stage.sign(&["--from", "../probe.json"]);
    let said = signed.ends(0);
    let records = stage.records();
    assert_eq!(records.len(), 1);
    let record = format!(".canary/evidence/{}", records[0]);
    assert!(said.contains(&format!("work/{record}\n")), "{said}");
    assert!(said.contains("`check` accepts it: probe, no-leak, 1 h, by alice@example.org"));
    assert!(
        said.contains("next: cargo-canary check --base HEAD"),
        "{said}"
    );

    let after = stage.check(&[]);
    let text = after.ends(0);
    assert!(
        text.starts_with("PASS: 1 change; signed evidence"),
        "{text}"
    );
    assert!(
        text.replace("\n    ", " ")
            .contains(&format!("accepted {record}: probe")),
        "{text}"
    );
    let report = stage.report(&[]);
    assert_eq!(report["verdict"]["decision"], "pass");
    assert_eq!(report["verdict"]["reasons"], serde_json::json!([]));
    assert_eq!(report["changes"][0]["decision"], "pass");
    assert_eq!(report["evidence"]["discharged"][0]["record"], record);
    assert_eq!(report["evidence"]["discharged"][0]["rule"], "upgrade");
    assert_eq!(
        report["evidence"]["accepted"][0]["signer"],
        "alice@example.org"
    );
    let comment = stage.check(&["--format", "markdown"]);
    assert!(comment.ends(0).contains("accepted .canary/evidence/probe-"));

    // One digit of a checksum is another.
    let lock = stage.shop.lock("1.0.1");
    let at = lock.rfind("checksum = \"").unwrap() + "checksum = \"".len();
    let digit = if &lock[at..=at] == "0" { "1" } else { "0" };
    let other = format!("{}{digit}{}", &lock[..at], &lock[at + 1..]);
    stage.shop.scene.file("Cargo.lock", &other);
    let changed = stage.check(&[]);
    let text = changed.ends(3);
    assert!(text.contains("1 record is for other differences"), "{text}");
    let report = stage.report(&[]);
    assert_eq!(
        report["evidence"]["refused"][0]["reason"],
        "other-difference"
    );

    // The trial was of 1.0.1 among these packages; back there, it counts again.
    stage.shop.scene.file("Cargo.lock", &lock);
    assert_eq!(stage.check(&[]).code, Some(0));
}

#[test]
fn the_change_under_judgement_cannot_name_its_own_signers() {
    let stage = Stage::new();
    let mallory = stage.keys.path("mallory").display().to_string();
    stage.shop.scene.file(
        ".canary/allowed_signers",
        &stage.keys.line("alice@example.org", "", "mallory"),
    );
    let ran = stage.run(
        &[
            "evidence",
            "sign",
            "--key",
            &mallory,
            "--from",
            "../probe.json",
        ],
        &[],
    );
    assert!(ran.ends(0).contains("would refuse it (unknown-key)"));
    assert_eq!(stage.check(&[]).code, Some(3));
    let report = stage.report(&[]);
    assert_eq!(report["evidence"]["refused"][0]["reason"], "unknown-key");
    let from = report["evidence"]["signers"]["read-from"].as_str().unwrap();
    assert!(from.contains("of the base HEAD"), "{from}");
    // Named from outside, the list counts.
    assert_eq!(
        stage.check(&["--signers", ".canary/allowed_signers"]).code,
        Some(0)
    );
}

#[test]
fn evidence_never_lifts_a_block_or_closes_a_gap() {
    let blocked = format!(
        "{POLICY}\n[[rule]]\nid = \"no\"\nwhen = 'change.kind == \"upgraded\"'\nthen = \"block\"\nreason = \"never\"\n"
    );
    let stage = Stage::under(&blocked);
    assert_eq!(stage.sign(&["--from", "../probe.json"]).code, Some(0));
    let report = stage.report(&[]);
    assert_eq!(report["verdict"]["decision"], "block");
    assert_eq!(report["evidence"]["discharged"][0]["rule"], "upgrade");
    assert_eq!(report["changes"][0]["decision"], "block");
    assert_eq!(stage.check(&[]).code, Some(1));

    let incomplete = blocked.replace("\"block\"", "\"incomplete\"");
    let stage = Stage::under(&incomplete);
    assert_eq!(stage.sign(&["--from", "../probe.json"]).code, Some(0));
    assert_eq!(stage.check(&[]).code, Some(4));
}

#[test]
fn a_result_that_is_no_pass_can_be_signed_and_opens_nothing() {
    let stage = Stage::new();
    for (result, code) in [
        (
            PROBE.replace("\"decision\":\"no-leak\"", "\"decision\":\"leak\""),
            "not-a-pass",
        ),
        (PROBE.replace("3600.", "360."), "too-short"),
    ] {
        stage.shop.scene.file("../result.json", &result);
        let out = format!("{code}.json");
        let json = [
            "--from",
            "../result.json",
            "--output",
            "x/y.json",
            "--format",
            "json",
        ];
        let signed: Value = serde_json::from_str(stage.sign(&json).ends(0)).unwrap();
        assert_eq!(signed["refused"][0]["record"], "x/y.json");
        assert_eq!(signed["refused"][0]["reason"], code);
        let ran = stage.sign(&["--from", "../result.json", "--output", &out]);
        assert!(ran.ends(0).contains(&format!("would refuse it ({code})")));
        let verified = stage.run(&["evidence", "verify", &out], &[]);
        assert!(verified.ends(1).contains(code));
        stage.shop.scene.file("e/keep", "");
        for end in ["", ".sig"] {
            let name = format!("{out}{end}");
            let from = stage.shop.scene.path(&format!("work/{name}"));
            fs::copy(from, stage.shop.scene.path(&format!("work/e/{name}"))).unwrap();
        }
    }
    let elsewhere = stage.sign(&["--from", "../probe.json", "--output", "x/z.json"]);
    let said = elsewhere.ends(0);
    assert!(
        said.contains("next: cargo-canary check --base HEAD --evidence x\n"),
        "{said}"
    );
    assert_eq!(stage.check(&["--evidence", "e"]).code, Some(3));
    let report = stage.report(&["--evidence", "e"]);
    let reasons: Vec<&str> = report["evidence"]["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refused| refused["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["not-a-pass", "too-short"]);
}

#[test]
fn a_result_that_names_its_difference_is_not_signed_for_another() {
    let stage = Stage::new();
    let digest = stage.report(&[])["diff-digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let naming = |digest: &str| PROBE.replacen('{', &format!("{{\"diff-digest\":\"{digest}\","), 1);
    stage
        .shop
        .scene
        .file("../result.json", &naming("sha256:00"));
    let ran = stage.sign(&["--from", "../result.json"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("the result is for another difference"),
        "{}",
        ran.stderr
    );
    assert_eq!(stage.records(), [] as [String; 0]);
    stage.shop.scene.file("../result.json", &naming(&digest));
    assert_eq!(stage.sign(&["--from", "../result.json"]).code, Some(0));
}

#[test]
fn an_approval_needs_a_reason_and_is_shown_with_it() {
    let stage = Stage::new();
    assert_eq!(stage.sign(&["--approve"]).code, Some(2));
    assert_eq!(stage.sign(&["--approve", "--reason", "  "]).code, Some(2));
    assert_eq!(stage.sign(&[]).code, Some(2));
    let reason = "read all of \u{1b}[31mit";
    assert_eq!(stage.sign(&["--approve", "--reason", reason]).code, Some(0));
    let shown = stage.check(&[]);
    let text = shown.ends(0);
    assert!(
        text.contains("read all of") && !text.contains('\u{1b}'),
        "{text}"
    );
    let listed = stage.run(&["evidence", "list"], &["--format", "json"]);
    let listed: Value = serde_json::from_str(listed.ends(0)).unwrap();
    assert_eq!(listed["accepted"][0]["approved-because"], reason);
    assert_eq!(listed["accepted"][0]["kind"], "approval");
}
