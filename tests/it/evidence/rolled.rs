//! The whole way of a rollout: a verdict that asks for a canary, a plan, a judge that
//! passes, a signed result, a verdict that passes; and for another lock file not.

use serde_json::Value;

use super::chain::{POLICY, Stage};
use crate::rollout::fake::{Line, line, serving};

pub(crate) fn memory(leak: f64) -> Vec<Line> {
    let of = |side, pod, slope: f64| {
        line("process_resident_memory_bytes", side, pod, move |t| {
            Some(1e8 + slope * t)
        })
    };
    vec![of("stable", "s", 0.0), of("canary", "c", leak)]
}

fn stage(prometheus: &str) -> Stage {
    Stage::under(&format!(
        "{POLICY}\n[rollout]\nprometheus = \"{prometheus}\"\nbaseline = {{ track = \"stable\" }}\ncanary = {{ track = \"canary\" }}\n[rollout.plan]\nname = \"shop\"\n"
    ))
}

/// The command in the plan that begins so, as arguments.
fn command(plan: &str, begin: &str) -> Vec<String> {
    let (_, rest) = plan.split_once(&format!("`cargo-canary {begin}")).unwrap();
    let line = rest.split('`').next().unwrap();
    begin
        .split(' ')
        .chain(line.split_whitespace())
        .map(str::to_owned)
        .collect()
}

#[test]
fn from_canary_to_pass_by_a_plan_a_judge_and_a_signature() {
    let server = serving(memory(0.0));
    let stage = stage(&server.url(""));
    assert_eq!(stage.check(&[]).code, Some(3));

    let planned = stage.run(&["rollout", "plan"], &[]);
    let plan = planned.ends(0).to_owned();
    assert!(plan.contains("# Canary of shop"), "{plan}");
    assert!(!plan.contains("placeholder"), "{plan}");
    let judge = command(&plan, "rollout judge");
    let judge: Vec<&str> = judge.iter().map(String::as_str).collect();
    let judged = stage.shop.scene.run(&judge);
    assert_eq!(judged.ends(0), "", "the result is in a file");
    let result = std::fs::read(stage.shop.scene.path("work/judge.json")).unwrap();
    let result: Value = serde_json::from_slice(&result).unwrap();
    assert_eq!(result["decision"], "pass");
    let digest = stage.report(&[])["diff-digest"].clone();
    assert_eq!(result["diff-digest"], digest);

    // A format that is none is told before anything is written.
    let wrong = stage.sign(&["--from", "judge.json", "--format", "sarif"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stdout);
    assert_eq!(stage.records(), [] as [String; 0]);
    let signed = stage.sign(&["--from", "judge.json"]);
    let said = signed.ends(0);
    assert!(
        said.contains("`check` accepts it: rollout, pass, 195 min, by alice@"),
        "{said}"
    );
    let records = stage.records();
    assert_eq!(records.len(), 1);
    assert!(records[0].starts_with("rollout-"), "{records:?}");
    let after = stage.check(&[]);
    let text = after.ends(0).replace("\n    ", " ");
    assert!(
        text.contains(&format!(
            "accepted .canary/evidence/{}: rollout, pass",
            records[0]
        )),
        "{text}"
    );
    let evidence = &stage.report(&[])["evidence"];
    assert_eq!(evidence["accepted"][0]["kind"], "rollout");

    // One byte of the lock file is another: the record is for another difference, and
    // the result cannot be signed for this one.
    let lock = stage.shop.lock("1.0.1");
    let at = lock.rfind("checksum = \"").unwrap() + "checksum = \"".len();
    let digit = if &lock[at..=at] == "0" { "1" } else { "0" };
    let other = format!("{}{digit}{}", &lock[..at], &lock[at + 1..]);
    stage.shop.scene.file("Cargo.lock", &other);
    assert!(
        stage
            .check(&[])
            .ends(3)
            .contains("1 record is for other differences")
    );
    let again = stage.sign(&["--from", "judge.json"]);
    assert_eq!(again.code, Some(2));
    assert!(
        again
            .stderr
            .contains("the result is for another difference"),
        "{}",
        again.stderr
    );
}

#[test]
fn a_canary_that_leaks_opens_nothing() {
    let server = serving(memory(5_000.0));
    let stage = stage(&server.url(""));
    let judge = [
        "rollout",
        "judge",
        "--base",
        "HEAD",
        "--last",
        "2h",
        "--format",
        "json",
        "--output",
        "judge.json",
    ];
    assert_eq!(stage.shop.scene.run(&judge).code, Some(1));
    let said = stage.sign(&["--from", "judge.json"]);
    assert!(
        said.ends(0)
            .contains("would refuse it (not-a-pass): the result is `fail`"),
        "{}",
        said.stdout
    );
    assert_eq!(stage.check(&[]).code, Some(3));
}

#[test]
fn what_an_engine_came_to_can_be_signed_as_well() {
    let stage = stage("http://127.0.0.1:9");
    let run = r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"AnalysisRun","status":{"phase":"Successful","startedAt":"2026-11-20T08:00:00Z","completedAt":"2026-11-20T12:00:00Z","metricResults":[{"name":"memory","phase":"Successful","successful":12}]}}"#;
    stage.shop.scene.file("run.json", run);
    let judge = [
        "rollout",
        "judge",
        "--from",
        "run.json",
        "--format",
        "json",
        "--output",
        "judge.json",
    ];
    assert_eq!(stage.shop.scene.run(&judge).code, Some(0));
    let signed = stage.sign(&["--from", "judge.json", "--output", "x.json"]);
    assert_eq!(signed.code, Some(0), "{}", signed.stderr);
    let record = std::fs::read(stage.shop.scene.path("work/x.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    let trial = &record["predicate"]["trial"];
    assert_eq!(trial["duration-seconds"], 14_400.0);
    assert_eq!(trial["ended"], "2026-11-20T12:00:00Z");
    assert!(
        trial["answers"][0]
            .as_str()
            .unwrap()
            .starts_with("memory: no-worse: Successful; 12")
    );
}

#[test]
fn the_base_says_how_is_judged_and_the_change_does_not() {
    let server = serving(memory(5_000.0));
    let stage = stage(&server.url(""));
    let lenient = format!(
        "{POLICY}\n[rollout]\nprometheus = \"http://127.0.0.1:9\"\nbaseline = {{ track = \"stable\" }}\n\
         canary = {{ track = \"canary\" }}\n[[rollout.metric]]\nid = \"memory\"\nheadroom = \"900GiB\"\n"
    );
    stage.shop.scene.file("canary.toml", &lenient);
    let run = |more: &[&str]| {
        let judge = ["rollout", "judge", "--last", "2h"];
        stage.shop.scene.run(&[&judge[..], more].concat())
    };
    let judged = run(&["--base", "HEAD"]);
    assert!(
        judged.ends(1).starts_with("fail: "),
        "{}{}",
        judged.stdout,
        judged.stderr
    );
    // A base that is not known is no reason to take the change's own file.
    let unknown = run(&[]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.stderr.contains("failed to read the base")
            && unknown
                .stderr
                .contains("name the base: `--base origin/BRANCH`"),
        "{}",
        unknown.stderr
    );
    // Who names the file has it.
    let named = run(&["--policy", "canary.toml", "--prometheus", &server.url("")]);
    assert!(named.ends(0).starts_with("pass: "), "{}", named.stdout);
}

#[test]
fn the_difference_is_that_of_the_builds_or_of_a_report_of_check() {
    let server = serving(memory(0.0));
    let stage = stage(&server.url(""));
    let report = stage.report(&[]);
    let ran = stage.check(&["--format", "json", "--output", "../report.json"]);
    assert_eq!(ran.code, Some(3));
    let judge = ["rollout", "judge", "--last", "2h", "--format", "json"];
    for more in [
        &["--base", "HEAD"][..],
        &["--base", "HEAD", "--report", "../report.json"],
    ] {
        let ran = stage.shop.scene.run(&[&judge[..], more].concat());
        let json: Value = serde_json::from_str(ran.ends(0)).unwrap();
        assert_eq!(json["diff-digest"], report["diff-digest"], "{more:?}");
    }
    stage.shop.scene.file("../other.json", "{\"verdict\":{}}");
    let other = ["--base", "HEAD", "--report", "../other.json"];
    let ran = stage.shop.scene.run(&[&judge[..], &other].concat());
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("`../other.json` is no report of `check`: it has no `diff-digest`"),
        "{}",
        ran.stderr
    );
    // Nothing changed: the result is for no difference, and says so.
    stage.shop.write("1.0.0");
    let ran = stage
        .shop
        .scene
        .run(&[&judge[..], &["--base", "HEAD"]].concat());
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["diff-digest"], Value::Null);
    assert!(
        ran.stderr
            .contains("both builds have the same dependencies"),
        "{}",
        ran.stderr
    );
}
