//! Where records are found: committed, in a directory, at an address.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::chain::{POLICY, Stage};
use crate::registry_server::{Reply, Server};

/// Moves the one record and its signature out of the repository.
fn moved(stage: &Stage, to: &str) -> String {
    let name = stage.records().remove(0);
    let to = stage.shop.scene.path(to);
    fs::create_dir_all(&to).unwrap();
    let from = stage.shop.scene.path("work/.canary/evidence");
    for end in ["", ".sig"] {
        let name = format!("{name}{end}");
        fs::rename(from.join(&name), to.join(&name)).unwrap();
    }
    name
}

#[test]
fn a_record_is_found_among_the_files_of_a_revision() {
    let stage = Stage::new();
    assert_eq!(stage.sign(&["--from", "../probe.json"]).code, Some(0));
    stage.shop.scene.commit("two");
    fs::remove_dir_all(stage.shop.scene.path("work/.canary/evidence")).unwrap();
    let args = [
        "check",
        "--base",
        "HEAD^1",
        "--head",
        "HEAD",
        "--offline",
        "--as-of",
        "2024-03-01",
    ];
    let ran = stage.shop.scene.run(&args);
    let text = ran.ends(0);
    assert!(text.contains("accepted .canary/evidence/probe-"), "{text}");
}

#[test]
fn a_directory_counts_when_it_is_named_and_is_a_gap_when_it_is_missing() {
    let stage = Stage::new();
    assert_eq!(stage.sign(&["--from", "../probe.json"]).code, Some(0));
    moved(&stage, "elsewhere");
    assert_eq!(stage.check(&[]).code, Some(3));
    assert_eq!(stage.check(&["--evidence", "../elsewhere"]).code, Some(0));
    let report = stage.report(&["--evidence", "../nowhere"]);
    assert_eq!(report["verdict"]["decision"], "canary");
    let gap = report["evidence"]["gaps"][0].as_str().unwrap();
    assert!(gap.starts_with("../nowhere: "), "{gap}");
    // Links, directories and odd files are passed over or named, and nothing breaks.
    let odd = stage.shop.scene.path("work/odd");
    fs::create_dir_all(odd.join("x.json")).unwrap();
    fs::write(odd.join("big.json"), vec![b' '; 300_000]).unwrap();
    fs::write(odd.join("broken.json"), "{").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", odd.join("link.json")).unwrap();
    let report = stage.report(&["--evidence", "odd"]);
    assert_eq!(report["evidence"]["refused"].as_array().unwrap().len(), 1);
    assert_eq!(report["evidence"]["refused"][0]["reason"], "not-a-record");
    assert_eq!(report["evidence"]["gaps"].as_array().unwrap().len(), 1);
}

#[test]
fn an_address_is_asked_by_digest_and_offline_is_a_gap() {
    let stage = Stage::new();
    assert_eq!(stage.sign(&["--from", "../probe.json"]).code, Some(0));
    let name = moved(&stage, "store");
    let report = stage.report(&[]);
    let hex = report["diff-digest"]
        .as_str()
        .unwrap()
        .trim_start_matches("sha256:")
        .to_owned();
    let store = stage.shop.scene.path("store");
    let read = |path: &Path| fs::read(path).unwrap();
    let stored = BTreeMap::from([
        (
            format!("/e/{hex}/index.json"),
            format!("{{\"records\":[\"{name}\"]}}").into_bytes(),
        ),
        (format!("/e/{hex}/{name}"), read(&store.join(&name))),
        (
            format!("/e/{hex}/{name}.sig"),
            read(&store.join(format!("{name}.sig"))),
        ),
    ]);
    let server = Server::start(move |request| match stored.get(&request.path) {
        Some(body) => Reply::ok(body.clone()),
        None => Reply::status(404),
    });
    let address = server.url("/e");
    let online = |args: &[&str]| {
        let all = ["check", "--base", "HEAD", "--as-of", "2024-03-01"];
        stage.shop.scene.run(&[&all, args].concat())
    };
    let ran = online(&["--evidence", &address]);
    let text = ran.ends(0).replace("\n    ", " ");
    assert!(
        text.contains(&format!("accepted {address}/{hex}")),
        "{text}"
    );

    let report = stage.report(&["--evidence", &address]);
    assert_eq!(report["verdict"]["decision"], "canary");
    let gap = report["evidence"]["gaps"][0].as_str().unwrap();
    assert!(gap.contains("no network"), "{gap}");

    // The policy can name the address, for everyone.
    let policy = POLICY.replace(
        "[canary]\n",
        &format!("[canary]\nlocation = \"{address}\"\n"),
    );
    stage.shop.scene.file("../policy.toml", &policy);
    assert_eq!(online(&["--policy", "../policy.toml"]).code, Some(0));
    stage.shop.scene.file(
        "../policy.toml",
        &policy.replace(&address, "http://127.0.0.1:9/e"),
    );
    let ran = online(&["--policy", "../policy.toml"]);
    assert!(ran.ends(3).contains("not looked at: "), "{}", ran.stdout);
}
