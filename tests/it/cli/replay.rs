//! `policy replay`: a policy held against the repository's own past.

use std::process::Command;

use serde_json::Value;

use super::program::{Ran, same};
use super::shop::Shop;

const POLICY: &str = r#"version = 1

[gaps]
default = "pass"

[[rule]]
id     = "fresh"
when   = "release.age_days < 7.0"
then   = "canary"
reason = "published {release.age_days} days before"

[[rule]]
id     = "no-third"
when   = 'change.package == "jsonette" && change.to == "1.0.3"'
then   = "block"
reason = "we do not take 1.0.3"

[[rule]]
id     = "quiet"
when   = "release.age_days < 0.0"
then   = "block"
reason = "from the future"
"#;

impl Shop {
    /// Runs git in the repository at a time of its own.
    fn git_at(&self, time: &str, args: &[&str]) -> String {
        let mut command = Command::new("git");
        self.scene.environment(&mut command);
        let output = command
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args)
            .env("GIT_AUTHOR_DATE", time)
            .env("GIT_COMMITTER_DATE", time)
            .current_dir(self.scene.path("work"))
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits all that is there; returns the commit.
    fn commit_at(&self, time: &str, message: &str) -> String {
        self.git_at(time, &["add", "-A"]);
        self.git_at(time, &["commit", "-q", "-m", message]);
        self.git_at(time, &["rev-parse", "HEAD"])
    }

    fn replay(&self, more: &[&str]) -> Ran {
        let args = ["policy", "replay", "--offline"];
        self.scene.run(&[&args[..], more].concat())
    }
}

/// A service with a past, and a policy that is not committed. The commits that
/// changed a lock file after the first one, newest first, and which of them:
/// mended, broken, own version, 1.0.3, the merge of 1.0.1.
fn with_a_past() -> (Shop, [String; 5]) {
    let shop = Shop::new();
    let begun = "2023-05-01T00:00:00Z";
    shop.write("1.0.0");
    shop.git_at(begun, &["init", "-q", "-b", "main"]);
    shop.commit_at(begun, "the beginning");
    shop.git_at(begun, &["switch", "-q", "-c", "update"]);
    shop.write("1.0.1");
    shop.commit_at("2023-06-02T00:00:00Z", "bump on a branch");
    shop.git_at(begun, &["switch", "-q", "main"]);
    shop.scene.file("README.md", "A shop.\n");
    shop.commit_at("2023-06-02T06:00:00Z", "no lock file in this one");
    let merge = [
        "merge",
        "-q",
        "--no-ff",
        "-m",
        "Merge jsonette\n 1.0.1 \u{1b}[31m\n\nof the bot",
        "update",
    ];
    shop.git_at("2023-06-03T00:00:00Z", &merge);
    let merged = shop.git_at(begun, &["rev-parse", "HEAD"]);
    shop.write("1.0.3");
    let third = shop.commit_at("2023-12-01T00:00:00Z", "take 1.0.3");
    let own = |text: &str| {
        text.replace(
            "name = \"shop\"\nversion = \"0.1.0\"",
            "name = \"shop\"\nversion = \"0.2.0\"",
        )
    };
    shop.scene
        .file("Cargo.toml", &own(super::shop::MANIFEST))
        .file("Cargo.lock", &own(&shop.lock("1.0.3")));
    let released = shop.commit_at("2023-12-02T00:00:00Z", "release 0.2.0");
    shop.scene.file("Cargo.lock", "version = 4\n[[package\n");
    let broken = shop.commit_at("2023-12-03T00:00:00Z", "break it");
    shop.scene.file("Cargo.lock", &own(&shop.lock("1.0.3")));
    let mended = shop.commit_at("2023-12-04T00:00:00Z", "mend it");
    shop.scene.file("canary.toml", POLICY);
    (shop, [mended, broken, released, third, merged])
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(ran.ends(0)).unwrap()
}

#[test]
fn a_policy_that_is_not_merged_is_held_against_the_past() {
    let (shop, _) = with_a_past();
    let ran = shop.replay(&[]);
    // What follows has the time at which the index was written.
    let (text, footer) = ran.ends(0).split_once("Each judged").unwrap();
    assert!(
        footer.contains("by policy canary.toml (of the working"),
        "{footer}"
    );
    same(
        text,
        r#"
        Of the last 3 lock changes, 1 would have been blocked and 1 sent to a canary; 2
        more could not be judged.
        HEAD at [COMMIT] (2023-06-03 to 2023-12-04) and its first parents: 7 commits
        looked at; 2 changes of packages, of which 1 blocked, 1 canary; 1 lock change
        without a change of a package.

        Rules that would have stopped something
          rule     stopped  alone  reasons
          fresh          1      1        1
          no-third       1      1        1
          stopped: lock changes; alone: those that no other rule stops.

        Never spoke: introduces-vulnerability, yanked-release, checksum-changed,
          yank-lure, registry-moved, enters-incident-range, resembles-incident,
          registry-to-git, fresh-release, release-after-silence, mass-downgrade,
          mass-update, downgraded, introduces-vulnerability-unbuilt, introduces-unsound,
          introduces-unmaintained, duplicated, superseded, quiet.

        Would have been blocked
          2023-12-01 [COMMIT]  take 1.0.3
            - block (no-third): jsonette: we do not take 1.0.3

        Would have been sent to a canary
          2023-06-03 [COMMIT]  Merge jsonette 1.0.1 \u{1b}[31m
            - canary (fresh): jsonette: published 2 days before

        Not judged: 2 lock changes
          2023-12-04 [COMMIT]  mend it
            - failed to read the base: cannot read the lock file of
              `git:[COMMIT]`: Cargo.lock:2:10: unclosed
              array table, expected `]]`
          2023-12-03 [COMMIT]  break it
            - failed to read the head: cannot read the lock file of
              `git:[COMMIT]`: Cargo.lock:2:10: unclosed
              array table, expected `]]`

        Facts that could not be had
          - yank-cluster, not-known-as-of: 1 time in 1 lock change
        "#,
    );
}

#[test]
fn the_same_as_data_with_what_is_counted() {
    let (shop, _) = with_a_past();
    let found = json(&shop.replay(&["--format", "json"]));
    assert_eq!(found["policy"]["name"], "canary.toml");
    assert_eq!(found["policy"]["read-from"], "of the working tree");
    // Eight commits are there; that on the branch is none of the first parents.
    assert_eq!(found["commits"], 7);
    assert_eq!(found["lock-changes"], 3);
    assert_eq!(found["without-package-changes"], 1);
    assert_eq!(
        found["verdicts"],
        serde_json::json!({"pass": 1, "canary": 1, "incomplete": 0, "block": 1})
    );
    assert_eq!(found["not-judged"].as_array().unwrap().len(), 2);
    assert_eq!(found["not-judged"][1]["subject"], "break it");
    let silent = found["silent-rules"].as_array().unwrap();
    assert_eq!(silent.last().unwrap(), "quiet");
    assert!(!silent.contains(&"fresh".into()) && !silent.contains(&"no-third".into()));
    assert_eq!(found["rules"][0]["rule"], "fresh");
    assert_eq!(found["rules"][0]["stopped"], 1);
    assert_eq!(found["rules"][0]["alone"], 1);
    let subjects: Vec<&Value> = (0..2).map(|at| &found["stopped"][at]["subject"]).collect();
    assert_eq!(subjects, ["take 1.0.3", "Merge jsonette 1.0.1 \u{1b}[31m"]);
    assert_eq!(found["stopped"][1]["time"], "2023-06-03T00:00:00Z");
}

#[test]
fn each_verdict_is_that_of_check_on_its_day() {
    let (shop, [_, _, released, third, merged]) = with_a_past();
    let found = json(&shop.replay(&["--format", "json"]));
    let mut stopped = 0;
    for (commit, time) in [
        (released, "2023-12-02T00:00:00Z"),
        (third, "2023-12-01T00:00:00Z"),
        (merged, "2023-06-03T00:00:00Z"),
    ] {
        let base = shop.git_at(time, &["rev-parse", &format!("{commit}^1")]);
        let ran = shop.scene.run(&[
            "check",
            "--offline",
            "--policy",
            "canary.toml",
            "--format",
            "json",
            "--base",
            &base,
            "--head",
            &commit,
            "--as-of",
            time,
        ]);
        assert_eq!(ran.stderr, "");
        let check: Value = serde_json::from_str(&ran.stdout).unwrap();
        let replayed = found["stopped"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["time"] == time);
        match replayed {
            None => assert_eq!(check["verdict"]["decision"], "pass"),
            Some(replayed) => {
                stopped += 1;
                assert_eq!(check["verdict"]["decision"], replayed["decision"]);
                let because = |value: &Value| value["reasons"][0]["because"].clone();
                assert_eq!(because(&check["verdict"]), because(replayed));
            }
        }
    }
    assert_eq!(stopped, 2);
}

#[test]
fn the_newest_come_first_and_no_more_than_asked_for() {
    let (shop, _) = with_a_past();
    let found = json(&shop.replay(&["--limit", "3", "--format", "json"]));
    assert_eq!(found["lock-changes"], 1);
    assert_eq!(found["not-judged"].as_array().unwrap().len(), 2);
    assert_eq!(found["commits"], 3);
    let found = json(&shop.replay(&["--head", "HEAD~3", "--format", "json", "--limit", "1"]));
    assert_eq!(found["stopped"][0]["subject"], "take 1.0.3");
}

#[test]
fn without_a_policy_of_its_own_the_built_in_one_judges() {
    let (shop, _) = with_a_past();
    std::fs::remove_file(shop.scene.path("work/canary.toml")).unwrap();
    let found = json(&shop.replay(&["--format", "json"]));
    assert_eq!(found["policy"]["name"], "default");
    assert_eq!(found["policy"]["read-from"], "built in");
    let found = json(&shop.replay(&["--format", "json", "--policy", "builtin:strict"]));
    assert_eq!(found["policy"]["name"], "strict");
}

#[test]
fn what_cannot_be_replayed_is_an_error_with_a_next_step() {
    let (shop, _) = with_a_past();
    shop.replay(&["--head", "nowhere"]).fails(
        2,
        "
        error: failed to read the past
          caused by: `git:nowhere` is neither a path nor a revision of the repository at .
        hint: `git branch --all` and `git tag` list the names that are there
        ",
    );
    shop.scene.file("canary.toml", "version = 1\nrule = 3\n");
    let ran = shop.replay(&[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("canary.toml:2:"), "{}", ran.stderr);
    let ran = shop.replay(&["-C", "../home", "--policy", "builtin:default"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("-C DIR"), "{}", ran.stderr);
    assert_eq!(shop.replay(&["--limit", "0"]).code, Some(2));
}

#[test]
fn a_clone_that_is_cut_off_says_so() {
    let (shop, _) = with_a_past();
    let from = format!("file://{}", shop.scene.path("work").display());
    shop.git_at(
        "2024-01-01T00:00:00Z",
        &["clone", "-q", "--depth", "3", &from, "../home/cut"],
    );
    let found = json(&shop.replay(&["-C", "../home/cut", "--format", "json"]));
    assert_eq!(found["shallow"], true);
    assert_eq!(found["commits"], 3);
    assert_eq!(found["policy"]["name"], "default");
}
