//! The image library incident, replayed with the real releases: a thumbnail
//! service of ours takes five updates, of which one leaks with every picture.
//! `check` demands a canary, `probe` finds the leak, `bisect` names the library.
//! Needs the registry, a C compiler and curl, and takes some minutes:
//!
//! `CANARY_REPLAY=1 cargo test --test it replay -- --nocapture`

use std::process::Output;

use serde_json::Value;

use crate::support::workload::canary;

fn ran(dir: &std::path::Path, args: &[&str]) -> (i32, Value) {
    println!("cargo canary {}", args.join(" "));
    let output: Output = canary()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .args(["--format", "json"])
        .env("XDG_CACHE_HOME", dir)
        .env_remove("CI")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let json = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), json)
}

#[test]
fn the_incident_of_the_image_library_is_stopped_found_and_named() {
    if std::env::var_os("CANARY_REPLAY").is_none() {
        println!("skipped: it needs the registry and takes some minutes; set CANARY_REPLAY=1");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let builds = [
        "--base",
        "fixtures/demo/before",
        "--head",
        "fixtures/demo/after",
    ];

    let mut check = vec!["check", "--cache", "fixtures/demo/data", "--locked-data"];
    check.extend(builds);
    let (code, verdict) = ran(dir.path(), &check);
    assert_eq!(code, 3, "{verdict}");
    assert_eq!(verdict["verdict"]["decision"], "canary");
    println!("  a canary is required\n");

    let work = dir.path().join("probe");
    let work = work.to_str().unwrap();
    let mut probe = vec![
        "probe",
        "--policy",
        "fixtures/demo/probe.toml",
        "--work",
        work,
    ];
    probe.extend(builds);
    let (code, probed) = ran(dir.path(), &probe);
    assert_eq!(code, 1, "{probed}");
    let rss = probed["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["resource"] == "rss")
        .unwrap();
    assert_eq!(rss["answer"], "leak", "{probed}");
    println!(
        "  resident memory grows by {} KiB/s and reaches the limit in {} s\n",
        rss["slope-per-second"].as_f64().unwrap() / 1024.0,
        rss["seconds-to-limit"]
    );

    let work = dir.path().join("bisect");
    let work = work.to_str().unwrap();
    let mut bisect = vec![
        "bisect",
        "--probe",
        "--duration",
        "20s",
        "--policy",
        "fixtures/demo/probe.toml",
        "-C",
        "fixtures/demo/after",
        "--work",
        work,
    ];
    bisect.extend(builds);
    let (code, found) = ran(dir.path(), &bisect);
    assert_eq!(code, 0, "{found}");
    assert_eq!(found["guilty"], serde_json::json!(["webp"]), "{found}");
    assert_eq!(found["proof"]["all-others-are-well"], true, "{found}");
    println!(
        "  guilty: webp, in {} builds of {} updates",
        found["builds"], found["candidates"]
    );
}
