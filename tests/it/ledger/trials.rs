//! What trials come to is recorded by itself, and speaks in the next audit.

use cargo_canary::ledger::{Body, Entry, FORMAT, Stored, Trial, Tried};
use serde_json::Value;

use super::history::change;
use crate::evidence::chain::{POLICY, PROBE, Stage};
use crate::evidence::rolled::memory;
use crate::rollout::fake::serving;
use crate::support::workload::programs;

const JUDGE: [&str; 4] = ["rollout", "judge", "--last", "2h"];

/// A shop whose base names its ledger and a Prometheus.
fn stage(prometheus: &str) -> Stage {
    Stage::under(&format!(
        "{POLICY}\n[ledger]\nurl = \".canary/ledger.db\"\nname = \"shop\"\n[rollout]\n\
         prometheus = \"{prometheus}\"\nbaseline = {{ track = \"stable\" }}\n\
         canary = {{ track = \"canary\" }}\n"
    ))
}

fn run(stage: &Stage, args: &[&str]) -> (Option<i32>, String, String) {
    let ran = stage.shop.scene.run(args);
    (ran.code, ran.stdout, ran.stderr)
}

/// The report of today.
fn check(stage: &Stage) -> Value {
    let args = ["check", "--base", "HEAD", "--offline", "--format", "json"];
    serde_json::from_str(&run(stage, &args).1).unwrap()
}

const LEDGER: [&str; 2] = ["--ledger", ".canary/ledger.db"];

fn ledger(stage: &Stage, args: &[&str]) -> Value {
    let (code, text, errors) = run(
        stage,
        &[&["ledger"], args, &LEDGER, &["--format", "json"]].concat(),
    );
    assert_eq!(code, Some(0), "{errors}");
    serde_json::from_str(&text).unwrap()
}

fn entries(stage: &Stage, kind: &str) -> Vec<Value> {
    let list = ledger(stage, &["list", "--kind", kind]);
    let ids = list["entries"].as_array().unwrap().iter();
    ids.map(|it| ledger(stage, &["show", it["id"].as_str().unwrap()])["entry"].clone())
        .collect()
}

fn undone(report: &Value) -> Option<String> {
    let signals = change(report, "jsonette")["risk"]["signals"]
        .as_array()
        .unwrap();
    let signal = signals.iter().find(|it| it["id"] == "update-undone")?;
    Some(signal["because"].as_str().unwrap().to_owned())
}

fn notices(report: &Value) -> Vec<String> {
    let all = report["verdict"]["notices"].as_array().unwrap().iter();
    all.filter(|it| it["rule"] == "failed-trial")
        .map(|it| it["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_rollout_that_failed_speaks_until_one_of_the_same_difference_passes() {
    let leaky = serving(memory(5_000.0));
    let clean = serving(memory(0.0));
    let stage = stage(&leaky.url(""));
    let first = check(&stage);
    assert_eq!((undone(&first), notices(&first)), (None, vec![]));

    let output = [
        "--base",
        "HEAD",
        "--format",
        "json",
        "--output",
        "judge.json",
    ];
    let (code, _, errors) = run(&stage, &[&JUDGE[..], &output].concat());
    assert_eq!((code, errors.as_str()), (Some(1), ""));
    let rollouts = entries(&stage, "rollout");
    let [rollout] = rollouts.as_slice() else {
        panic!("{rollouts:#?}")
    };
    assert_eq!(rollout["repository"], "shop");
    assert_eq!(rollout["outcome"], "fail");
    assert_eq!(rollout["method"], "rollout");
    assert_eq!(rollout["diff-digest"], first["diff-digest"]);
    assert_eq!(
        rollout["updates"],
        serde_json::json!([{ "package": "jsonette", "version": "1.0.1" }])
    );
    assert_eq!(rollout["document"]["name"], "judge.json");
    assert!(rollout["note"].as_str().unwrap().contains("memory"));
    // It is found by the package, and shown in words.
    let of_package = ledger(
        &stage,
        &["list", "--package", "jsonette", "--version", "1.0.1"],
    );
    let row = &of_package["updates"][0];
    assert_eq!(
        (&row["kind"], &row["verdict"]),
        (&"rollout".into(), &"fail".into())
    );
    let listed = run(
        &stage,
        &[&["ledger", "list", "--kind", "rollout"][..], &LEDGER].concat(),
    )
    .1;
    assert!(listed.contains("rollout of jsonette 1.0.1"), "{listed}");
    let id = row["entry"].as_str().unwrap();
    let page = run(&stage, &[&["ledger", "show", id][..], &LEDGER].concat()).1;
    assert!(page.starts_with("rollout of shop: fail\n"), "{page}");
    assert!(page.contains("Updates\n  jsonette 1.0.1\n"), "{page}");

    let second = check(&stage);
    assert_eq!(
        undone(&second).unwrap(),
        "jsonette 1.0.1 was in a canary that failed before"
    );
    let told = notices(&second);
    let [told] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(
        told.starts_with("the last canary of this very difference failed on "),
        "{told}"
    );
    // What was not known then does not count then.
    assert_eq!(undone(&stage.report(&[])), None);
    // It counts for another service that takes the version, too.
    let other = ["--ledger-name", "other", "--format", "json"];
    let args = [&["check", "--base", "HEAD", "--offline"][..], &other].concat();
    let report: Value = serde_json::from_str(&run(&stage, &args).1).unwrap();
    assert!(undone(&report).is_some());

    // What did not decide changes nothing; what passed is the last word.
    let early = ["rollout", "judge", "--last", "1m", "--base", "HEAD"];
    assert_eq!(run(&stage, &early).0, Some(4));
    assert!(undone(&check(&stage)).is_some());
    let clean_url = clean.url("");
    let again = [&JUDGE[..], &["--base", "HEAD", "--prometheus", &clean_url]].concat();
    assert_eq!(run(&stage, &again).0, Some(0));
    let last = check(&stage);
    assert_eq!((undone(&last), notices(&last)), (None, vec![]));
    let outcomes: Vec<Value> = entries(&stage, "rollout")
        .iter()
        .map(|it| it["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["pass", "inconclusive", "fail"]);
    // Who wants none has none.
    assert_eq!(
        run(&stage, &[&again[..], &["--no-ledger"]].concat()).0,
        Some(0)
    );
    assert_eq!(entries(&stage, "rollout").len(), 3);
}

#[test]
fn a_digest_alone_gets_its_updates_from_the_audit_or_is_said_to_have_none() {
    let server = serving(memory(0.0));
    let stage = stage(&server.url(""));
    let report = check(&stage);
    let digest = report["diff-digest"].as_str().unwrap();
    let judge = [&JUDGE[..], &["--base", "HEAD", "--diff-digest"]].concat();
    let (code, _, errors) = run(&stage, &[&judge[..], &[digest]].concat());
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let unknown = format!("sha256:{}", "5".repeat(64));
    let (code, _, errors) = run(&stage, &[&judge[..], &[&unknown]].concat());
    assert_eq!(code, Some(0));
    assert!(
        errors.contains("the ledger has no audit of this difference"),
        "{errors}"
    );
    let rollouts = entries(&stage, "rollout");
    assert_eq!(rollouts[0].get("updates"), None);
    assert_eq!(rollouts[1]["updates"][0]["package"], "jsonette");
    // A ledger that cannot be written: the judgement was printed, and does not stand.
    let bad = [
        "--ledger",
        "../missing/dir.db/x.db",
        "--diff-digest",
        digest,
    ];
    let args = [&JUDGE[..], &["--base", "HEAD"], &bad].concat();
    std::fs::write(stage.shop.scene.path("missing"), "a file").unwrap();
    let (code, said, errors) = run(&stage, &args);
    assert_eq!(code, Some(2), "{errors}");
    assert!(said.starts_with("pass: "), "{said}");
}

#[test]
fn one_of_several_updates_of_a_failed_canary_is_named_without_points() {
    let stage = stage("http://127.0.0.1:9");
    let update = |package: &str, version: &str, forced_by: Option<&str>| Tried {
        package: package.to_owned(),
        version: version.to_owned(),
        forced_by: forced_by.map(str::to_owned),
    };
    let entry = |at: &str, outcome: &str, updates: Vec<Tried>| {
        Stored::new(Entry {
            version: FORMAT,
            at: at.parse().unwrap(),
            repository: "api".to_owned(),
            by: None,
            body: Body::Rollout(Trial {
                package: String::new(),
                package_version: String::new(),
                outcome: outcome.to_owned(),
                method: Some("rollout".to_owned()),
                diff_digest: Some(format!("sha256:{}", "7".repeat(64))),
                updates,
                document: None,
                note: None,
            }),
        })
        .line()
    };
    let three = || {
        vec![
            update("jsonette", "1.0.1", None),
            update("other", "2.0.0", None),
            update("third", "0.1.0", Some("other")),
        ]
    };
    let import = |line: &str| {
        stage
            .shop
            .scene
            .file("../import.jsonl", &format!("{line}\n"));
        let args = [&["ledger", "import", "../import.jsonl"][..], &LEDGER].concat();
        let (code, _, errors) = run(&stage, &args);
        assert_eq!(code, Some(0), "{errors}");
    };
    import(&entry("2025-01-02T00:00:00Z", "fail", three()));
    let report = check(&stage);
    assert_eq!(undone(&report), None);
    let told = notices(&report);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with(
            "jsonette 1.0.1 was one of 3 updates whose canary failed on 2025-01-02 in api, entry "
        ),
        "{told:?}"
    );
    import(&entry("2025-01-03T00:00:00Z", "pass", three()));
    assert_eq!(notices(&check(&stage)), [] as [String; 0]);
    // Alone, with what it forced, it is the one that failed.
    let alone = vec![
        update("jsonette", "1.0.1", None),
        update("third", "0.1.0", Some("jsonette")),
    ];
    import(&entry("2025-01-04T00:00:00Z", "fail", alone));
    assert!(undone(&check(&stage)).is_some());
}

#[test]
fn a_probe_and_what_is_signed_are_recorded_as_evidence() {
    let stage = stage("http://127.0.0.1:9");
    let (clean, leaky) = programs();
    let (clean, leaky) = (clean.to_str().unwrap(), leaky.to_str().unwrap());
    check(&stage);
    let probe = ["probe", "--base-exe", clean, "--head-exe", leaky];
    stage
        .shop
        .scene
        .file("../report.json", &check(&stage).to_string());
    let more = ["--duration", "4s", "--report", "../report.json"];
    let load = ["--", "memory", "60", "16777216"];
    let args = [
        &probe[..],
        &more,
        &LEDGER,
        &["--ledger-name", "shop"],
        &load,
    ]
    .concat();
    let (code, said, errors) = run(&stage, &args);
    assert_eq!((code, errors.as_str()), (Some(1), ""), "{said}");
    let evidence = entries(&stage, "evidence");
    assert_eq!(evidence[0]["method"], "probe");
    assert_eq!(evidence[0]["outcome"], "fail");
    assert_eq!(evidence[0]["updates"][0]["package"], "jsonette");
    assert_eq!(
        undone(&check(&stage)).unwrap(),
        "jsonette 1.0.1 was in a probe that failed before"
    );

    stage.shop.scene.file("../probe.json", PROBE);
    assert_eq!(stage.sign(&["--from", "../probe.json"]).code, Some(0));
    let reason = ["--approve", "--reason", "read the source"];
    assert_eq!(stage.sign(&reason).code, Some(0));
    let evidence = entries(&stage, "evidence");
    let told: Vec<(&str, &str, &str)> = evidence
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap();
            (text("method"), text("outcome"), text("note"))
        })
        .collect();
    assert_eq!(told[0], ("approval", "pass", "read the source"));
    assert_eq!(told[1], ("probe", "pass", "no-leak"));
    assert!(
        evidence[0]["document"]["name"]
            .as_str()
            .unwrap()
            .starts_with("approval-")
    );
    // The later probe of this difference passed.
    assert_eq!(undone(&check(&stage)), None);
}
