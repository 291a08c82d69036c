//! `incident` and `db`.

use std::fs;

use super::program::Scene;

#[test]
fn incidents_are_listed_shown_and_matched() {
    let scene = Scene::new();
    let list = scene.run(&["incident", "list"]);
    let all = list.ends(0).lines().count();
    assert!(all > 50, "{all}");
    let json = scene.run(&["incident", "list", "--component", "json"]);
    let some = json.ends(0).lines().count();
    assert!(some > 0 && some < all, "{some} of {all}");
    assert!(json.stdout.contains("2024-06-14-json-library-leak"));
    scene
        .run(&["incident", "show", "webp-0.2.3-encode-leak"])
        .prints(
            0,
            r#"
        id          webp-0.2.3-encode-leak
        title       Every encoded picture leaves its pixels and its writer in memory
        date        2023-08-02
        failure     memory-leak
        component   image
        cause       third-party-update
        resolution  update
        affects     webp >=0.2.3, <0.2.5 (fixed in 0.2.5)
        source      https://github.com/jaredforth/webp/issues/27
        source      https://github.com/jaredforth/webp/issues/28
        source      https://github.com/NoXF/libwebp-sys/issues/20
        source      https://github.com/image-rs/image/issues/1957
        source      https://github.com/image-rs/image/issues/2034
        source      image-rs/image
        note        It came with the move to a new version of the native binding, through an update that was compatible by its number. 0.2.4 repairs a part of it, 0.2.5 the rest.
        "#,
        );
    scene.run(&["incident", "match", "webp@0.2.3"]).prints(
        0,
        r#"
        webp-0.2.3-encode-leak (repeat): webp >=0.2.3, <0.2.5 has this fault: Every encoded picture leaves its pixels and its writer in memory
        "#,
    );
    scene.run(&["incident", "match", "webp@0.2.2"]).prints(
        0,
        r#"
        no incident names webp@0.2.2
        "#,
    );
    scene.run(&["incident", "match", "no-such-crate"]).prints(
        0,
        r#"
        no incident names no-such-crate
        "#,
    );
    let matched = scene.run(&["incident", "match", "webp@0.2.3", "--format", "json"]);
    let matched: serde_json::Value = serde_json::from_str(matched.ends(0)).unwrap();
    let link = matched["links"][0].as_object().unwrap();
    let keys: Vec<&str> = link.keys().map(String::as_str).collect();
    for key in ["id", "package", "strength", "because"] {
        assert!(keys.contains(&key), "{key} is missing in {keys:?}");
    }
    assert_eq!(link["strength"], "repeat");
}

#[test]
fn what_the_catalogue_does_not_have() {
    let scene = Scene::new();
    scene
        .run(&["incident", "show", "webp-0.2.3-encode-leek"])
        .fails(
            2,
            r#"
        error: there is no incident `webp-0.2.3-encode-leek`
        hint: there is `webp-0.2.3-encode-leak`
        "#,
        );
    scene.run(&["incident", "show", "what"]).fails(
        2,
        r#"
        error: there is no incident `what`
        hint: `cargo-canary incident list` lists them
        "#,
    );
    scene
        .run(&["incident", "list", "--component", "jsn"])
        .fails(
            2,
            r#"
        error: there is no component `jsn`
        hint: there is `json`
        "#,
        );
    scene.run(&["incident", "match", "webp@0.2"]).fails(
        2,
        r#"
        error: `0.2` is not a version
          caused by: unexpected end of input while parsing minor version number
        hint: write it in full, as in `webp@1.2.3`
        "#,
    );
}

#[test]
fn an_incident_of_the_repository_that_is_not_valid() {
    let scene = Scene::new();
    scene.file(
        ".canary/incidents/ours.toml",
        "version = 1\nid = \"ours\"\ntitle = \"x\"\ndate = 2024-01-01\nfailure = \"meltdown\"\ncomponent = \"json\"\n",
    );
    scene.commit("one");
    scene.run(&["incident", "list"]).fails(
        2,
        r#"
        error: failed to read the incidents of the working tree
          caused by: .canary/incidents/ours.toml:1:1: the key `cause` is missing
          caused by: .canary/incidents/ours.toml:5:11: unknown failure `meltdown`
        hint: `cargo-canary incident show webp-0.2.3-encode-leak` shows a whole record
        "#,
    );
}

#[test]
fn the_embedded_advisory_facts_are_described() {
    let ran = Scene::new().run(&["db", "status"]);
    let text = ran.ends(0);
    assert!(text.contains("part of this program"), "{text}");
    assert!(text.contains("days ago"), "{text}");
}

const ADVISORY: &str = "```toml
[advisory]
id = \"RUSTSEC-2024-9999\"
package = \"json\"
date = \"2024-01-15\"

[versions]
patched = [\">= 1.0.3\"]
```

# It leaks

In words.
";

#[test]
fn advisory_facts_are_brought_from_a_directory_and_used_from_then_on() {
    let scene = Scene::new();
    for number in 0..3 {
        scene.file(
            &format!("db/crates/json/RUSTSEC-2024-999{number}.md"),
            &ADVISORY.replace("9999", &format!("999{number}")),
        );
    }
    let ran = scene.run(&["db", "update", "--from", "db"]);
    assert!(ran.ends(0).starts_with("3 advisories"), "{}", ran.stdout);
    assert!(scene.path("cache").exists());
}

#[test]
fn advisory_facts_that_cannot_be_brought() {
    let scene = Scene::new();
    scene.run(&["db", "update", "--from", "nowhere"]).fails(
        2,
        r#"
        error: failed to read `nowhere`
          caused by: No such file or directory (os error 2)
        hint: `--from DIR` takes a checkout of the advisory database, `--from FILE` a .tar.gz of one
        "#,
    );
    scene.file("empty/README", "");
    scene.run(&["db", "update", "--from", "empty"]).fails(
        2,
        r#"
        error: failed to update the advisory facts
          caused by: cannot read `empty/crates`
          caused by: No such file or directory (os error 2)
        hint: `--from DIR` takes a checkout of the advisory database, `--from FILE` a .tar.gz of one
        "#,
    );
    scene.file("notes.tar.gz", "hello");
    scene
        .run(&["db", "update", "--from", "notes.tar.gz"])
        .fails(
            2,
            r#"
        error: failed to update the advisory facts
          caused by: `notes.tar.gz` is not a readable tar archive
          caused by: failed to read entire block
        hint: `--from DIR` takes a checkout of the advisory database, `--from FILE` a .tar.gz of one
        "#,
        );
    scene.run(&["db", "update", "--offline"]).fails(
        2,
        r#"
        error: failed to update the advisory facts
          caused by: https://github.com/RustSec/advisory-db/archive/refs/heads/main.tar.gz cannot be asked without a network
        hint: `--from DIR` takes a checkout of the advisory database, `--from FILE` a .tar.gz of one
        "#,
    );
    assert!(
        !scene.path("cache").exists() || fs::read_dir(scene.path("cache")).unwrap().count() == 0
    );
}
