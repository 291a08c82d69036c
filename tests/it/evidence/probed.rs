//! The whole way with a real probe of real executables.

use super::chain::{POLICY, Stage};
use crate::support::workload::programs;

/// Probes the two programs and signs what came out.
fn tried(stage: &Stage, workload: &[&str]) -> (Option<i32>, String) {
    let (clean, leaky) = programs();
    let (clean, leaky) = (clean.to_str().unwrap(), leaky.to_str().unwrap());
    let probe = [
        "probe",
        "--base-exe",
        clean,
        "--head-exe",
        leaky,
        "--duration",
        "4s",
    ];
    let report = stage.report(&[]);
    let digest = report["diff-digest"].as_str().unwrap();
    let probe = [
        &probe[..],
        &[
            "--format",
            "json",
            "--output",
            "../p.json",
            "--diff-digest",
            digest,
            "--",
        ],
        workload,
    ]
    .concat();
    let probed = stage.shop.scene.run(&probe);
    let result = std::fs::read(stage.shop.scene.path("p.json")).unwrap();
    let result: serde_json::Value = serde_json::from_slice(&result).unwrap();
    assert_eq!(result["diff-digest"], digest);
    let ended: jiff::Timestamp = result["ended"].as_str().unwrap().parse().unwrap();
    assert!(ended > jiff::Timestamp::from_second(1_790_000_000).unwrap());
    let signed = stage.sign(&[
        "--from",
        "../p.json",
        "--base-exe",
        clean,
        "--head-exe",
        leaky,
    ]);
    (probed.code, signed.ends(0).to_owned())
}

#[test]
fn a_probe_without_a_leak_opens_the_gate_and_one_with_a_leak_does_not() {
    let stage = Stage::under(&POLICY.replace("\"1h\"", "\"4s\""));
    assert_eq!(stage.check(&[]).code, Some(3));

    let (code, said) = tried(&stage, &["memory", "60", "16777216"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("would refuse it (not-a-pass): the result is `leak`"),
        "{said}"
    );
    assert_eq!(stage.check(&[]).code, Some(3));

    let (code, said) = tried(&stage, &["level"]);
    assert_eq!(code, Some(0));
    assert!(
        said.contains("accepts it: probe, no-leak, 4 s, by alice@"),
        "{said}"
    );
    let report = stage.report(&[]);
    assert_eq!(report["verdict"]["decision"], "pass");
    let evidence = &report["evidence"];
    assert_eq!(evidence["discharged"][0]["rule"], "upgrade");
    assert_eq!(evidence["refused"][0]["reason"], "not-a-pass");
    // The record names the executables, which these builds are not.
    let notes = evidence["accepted"][0]["notes"].to_string();
    assert!(notes.contains("names an executable"), "{evidence}");
}
