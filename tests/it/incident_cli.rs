//! `incident` from the command line: lint, import, match of lock files, filters.

use std::path::Path;

use serde_json::Value;

use crate::cli::program::Scene;

/// A lock file of version 4 with packages of the default registry.
fn lock(packages: &[(&str, &str)]) -> String {
    let packages: Vec<String> = packages
        .iter()
        .map(|(name, version)| {
            format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\n",
            "0".repeat(64)
        )
        })
        .collect();
    format!("version = 4\n{}", packages.concat())
}

/// Id and strength of each link of an answer.
fn links(answer: &str) -> Vec<(String, String)> {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let links = answer["links"].as_array().unwrap();
    links
        .iter()
        .map(|link| {
            assert!(!text(&link["package"]).is_empty() && !text(&link["because"]).is_empty());
            (text(&link["id"]), text(&link["strength"]))
        })
        .collect()
}

#[test]
fn a_whole_lock_file_is_matched_and_the_pair_only_together() {
    let scene = Scene::new();
    scene
        .file(
            "pair.lock",
            &lock(&[("metrics", "0.24.4"), ("metrics-util", "0.19.0")]),
        )
        .file("one.lock", &lock(&[("metrics", "0.24.4")]))
        .file("other.lock", &lock(&[("metrics-util", "0.19.0")]))
        .file("tokio.lock", &lock(&[("tokio", "1.10.0")]));
    let of = |file: &str| {
        let ran = scene.run(&["incident", "match", file, "--format", "json"]);
        links(ran.ends(0))
    };
    let both = of("pair.lock");
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(
        both.iter()
            .all(|(id, strength)| id == "metrics-0.24.4-util-0.19-hash" && strength == "repeat")
    );
    assert!(of("one.lock").is_empty());
    assert!(of("other.lock").is_empty());
    let tokio = of("tokio.lock");
    assert!(tokio.contains(&(
        "tokio-1.10.0-blocking-task-leak".to_owned(),
        "repeat".to_owned()
    )));
    let behind_feature = (
        "tokio-1.25-tracing-guard-leak".to_owned(),
        "strong".to_owned(),
    );
    assert!(tokio.contains(&behind_feature), "{tokio:?}");
    // An advisory about resources stands beside the records; one that a record
    // restates, and one about something else, does not.
    scene.file(
        "rustls.lock",
        &lock(&[("rustls", "0.21.10"), ("time", "0.1.43")]),
    );
    let denial = ("RUSTSEC-2024-0336".to_owned(), "repeat".to_owned());
    assert_eq!(of("rustls.lock"), std::slice::from_ref(&denial));
    let release = scene.run(&["incident", "match", "rustls@0.21.10", "--format", "json"]);
    assert_eq!(links(release.ends(0)), [denial]);
    let repaired = scene.run(&["incident", "match", "rustls@0.21.11", "--format", "json"]);
    assert!(links(repaired.ends(0)).is_empty());
    let missing = scene.run(&["incident", "match", "no.lock"]);
    assert_eq!(missing.code, Some(2));
    assert!(
        missing.stderr.contains("failed to read `no.lock`"),
        "{}",
        missing.stderr
    );
}

#[test]
fn lint_names_every_defect_with_its_place_and_the_nearest_word() {
    let scene = Scene::new();
    scene.file(
        ".canary/incidents/a.toml",
        "version = 1\nid = \"a\"\ntitle = \"An incident of ours\"\ndate = 2024-01-01\nfailure = \"memory-leek\"\ncomponent = \"jason\"\ncause = \"own-change\"\nimpact = 3\n",
    );
    let ran = scene.run(&["incident", "lint"]);
    assert_eq!(ran.code, Some(2));
    for line in [
        ".canary/incidents/a.toml:5:11: unknown failure `memory-leek`; the nearest is `memory-leak`",
        ".canary/incidents/a.toml:6:13: unknown component `jason`; the nearest is `json`",
        ".canary/incidents/a.toml:8:1: unknown key `impact`",
    ] {
        assert!(ran.stderr.contains(line), "{line}\n{}", ran.stderr);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("incidents/catalogue");
    let ran = scene.run(&["incident", "lint", &root.display().to_string()]);
    assert!(ran.ends(0).contains("no defect"));
    let none = scene.run(&["incident", "lint", "nowhere"]);
    assert_eq!(none.code, Some(2));
}

#[test]
fn a_postmortem_becomes_a_draft_that_lint_accepts() {
    let scene = Scene::new();
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/postmortems/prose-pool.md"),
    )
    .unwrap();
    scene.file("post.md", &text);
    let ran = scene.run(&[
        "incident",
        "import",
        "post.md",
        "--output",
        ".canary/incidents/ours.toml",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let draft = std::fs::read_to_string(scene.path("work/.canary/incidents/ours.toml")).unwrap();
    assert!(draft.contains("duration-minutes = 85 # line 5"), "{draft}");
    assert!(
        scene
            .run(&["incident", "lint"])
            .ends(0)
            .contains("no defect")
    );
    let json = scene.run(&["incident", "import", "post.md", "--format", "json"]);
    let json: Value = serde_json::from_str(json.ends(0)).unwrap();
    assert_eq!(json["record"]["impact-percent"], 33);
    assert_eq!(json["read-from"]["impact-percent"], 5);
    assert_eq!(json["contradictions"], Value::from(Vec::<String>::new()));
    assert!(
        json["open"]
            .as_array()
            .unwrap()
            .contains(&Value::from("affects"))
    );
    let own = scene.run(&["incident", "list", "--own", "--format", "json"]);
    let own: Value = serde_json::from_str(own.ends(0)).unwrap();
    assert_eq!(own["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn lists_are_filtered_and_unknown_words_are_errors() {
    let scene = Scene::new();
    let count = |args: &[&str]| {
        let all: Vec<&str> = ["incident", "list", "--format", "json"]
            .iter()
            .chain(args)
            .copied()
            .collect();
        let ran = scene.run(&all);
        let answer: Value = serde_json::from_str(ran.ends(0)).unwrap();
        answer["incidents"].as_array().unwrap().len()
    };
    let all = count(&[]);
    assert!(all >= 120, "{all}");
    assert_eq!(count(&["--built-in"]), all);
    assert_eq!(count(&["--own"]), 0);
    assert!((5..all).contains(&count(&["--crate", "tokio"])));
    assert!((5..all).contains(&count(&["--failure", "connection-leak"])));
    assert!((2..all).contains(&count(&["--cause", "own-change"])));
    let wrong = scene.run(&["incident", "list", "--failure", "memory-leek"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("there is `memory-leak`"),
        "{}",
        wrong.stderr
    );
}
