//! What is said when there is no audit: what, where, why, and what next.

use std::fs;

use super::program::{Ran, Scene};
use super::shop::{Shop, THEN};

fn check(shop: &Shop, base: &str, head: &str) -> Ran {
    let builds = ["check", "--base", base, "--head", head];
    shop.scene.run(&[&builds[..], &THEN].concat())
}

#[test]
fn a_revision_that_is_not_there() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.git("work", &["tag", "v1.2.0"]);
    check(&shop, "v1.2.O", "HEAD").fails(
        2,
        r#"
        error: failed to read the base
          caused by: `v1.2.O` is neither a path nor a revision of the repository at .
        hint: there is `v1.2.0`
        "#,
    );
    check(&shop, "main", "something/else").fails(
        2,
        r#"
        error: failed to read the head
          caused by: `something/else` is neither a path nor a revision of the repository at .
        hint: `git branch --all` and `git tag` list the names that are there
        "#,
    );
}

#[test]
fn no_repository() {
    let shop = Shop::new();
    check(&shop, "main", "WORKTREE").fails(
        2,
        r#"
        error: failed to read the base
          caused by: there is no path `main`, and no git repository to look for such a revision
          caused by: `.` is not part of a git repository
        hint: run it inside a repository, pass `-C DIR`, or name paths
        "#,
    );
    shop.scene.run(&["check"]).fails(
        2,
        r#"
        error: failed to read the base
          caused by: cannot read the git repository
          caused by: `.` is not part of a git repository
        hint: pass the repository with `-C DIR`, or name paths
        "#,
    );
}

#[test]
fn the_same_commit_twice() {
    let shop = Shop::updated_to("1.0.1");
    check(&shop, "HEAD", "main").fails(
        2,
        r#"
        error: there is nothing to compare
          caused by: the base `HEAD` and the head `main` are the same commit, [COMMIT]
        hint: name another base: `--base HEAD^1` for the last merge, or the tag of the last release
        "#,
    );
    shop.write("1.0.0");
    check(&shop, ".", "WORKTREE").fails(
        2,
        r#"
        error: there is nothing to compare
          caused by: the base `.` and the head `WORKTREE` are the same place, [TMP]/work
        hint: name two places, or a revision for the base: `--base HEAD`
        "#,
    );
}

#[test]
fn nothing_of_its_own() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene
        .git("work", &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    shop.scene.run(&["check", "--offline"]).fails(
        2,
        r#"
        error: there is nothing to compare
          caused by: the merge base of HEAD and origin/main is `HEAD` itself ([COMMIT]), and no manifest or lock file differs from it
        hint: name another base: `--base HEAD^1` for the last merge, or the tag of the last release
        "#,
    );
}

#[test]
fn no_default_branch() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.run(&["check", "--offline"]).fails(
        2,
        r#"
        error: failed to read the base
          caused by: no base is named, and the remote's default branch is not in this clone (looked for origin/HEAD, origin/main, origin/master)
        hint: name the base: `--base origin/BRANCH`, or let git know it: `git remote set-head origin --auto`
        "#,
    );
}

#[test]
fn a_shallow_clone_that_lacks_the_merge_base() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene
        .git("work", &["checkout", "-q", "-b", "topic", "HEAD~1"]);
    shop.write("1.0.3");
    shop.scene.commit("three");
    shop.scene.git("work", &["checkout", "-q", "main"]);
    let url = format!("file://{}", shop.scene.path("work").display());
    shop.scene.git(
        ".",
        &[
            "clone",
            "-q",
            "--depth",
            "1",
            "--no-single-branch",
            "--branch",
            "topic",
            &url,
            "clone",
        ],
    );
    let mut command = shop
        .scene
        .command(&["check", "--offline", "--head", "HEAD"]);
    command.current_dir(shop.scene.path("clone"));
    shop.scene.finish(&mut command).fails(
        2,
        r#"
        error: failed to read the base
          caused by: `HEAD` and `origin/main` have no common commit in this clone
        hint: fetch more of the history: `git fetch --unshallow`, or `fetch-depth: 0` in the checkout step
        "#,
    );
    let mut command = shop
        .scene
        .command(&["check", "--offline", "--base", "HEAD~1"]);
    command.current_dir(shop.scene.path("clone"));
    shop.scene.finish(&mut command).fails(
        2,
        r#"
        error: failed to read the base
          caused by: `HEAD~1` is neither a path nor a revision of the repository at .
        hint: fetch more of the history: `git fetch --unshallow`, or `fetch-depth: 0` in the checkout step
        "#,
    );
}

#[test]
fn no_lock_file() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene
        .file("other/Cargo.toml", "[package]\nname = \"other\"\n");
    shop.scene.file("empty/README", "");
    check(&shop, "other", "HEAD").fails(
        2,
        r#"
        error: failed to read the base
          caused by: no usable `Cargo.lock` in `other`
        hint: run `cargo generate-lockfile` in `other`
        "#,
    );
    check(&shop, "empty", "HEAD").fails(
        2,
        r#"
        error: failed to read the base
          caused by: no usable `Cargo.lock` in `empty`
        hint: there is no `Cargo.toml` there either; is it the right place?
        "#,
    );
    shop.scene
        .git("work", &["rm", "-q", "--cached", "Cargo.lock"]);
    shop.scene.git("work", &["commit", "-q", "-m", "no lock"]);
    check(&shop, "HEAD~1", "HEAD").fails(
        2,
        r#"
        error: failed to read the head
          caused by: no usable `Cargo.lock` in `HEAD`
        hint: commit a lock file, or compare lock files that you have: `--head path/to/Cargo.lock`
        "#,
    );
}

#[test]
fn a_lock_file_with_conflict_markers() {
    let shop = Shop::updated_to("1.0.1");
    let lock = format!(
        "<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\n",
        shop.lock("1.0.1"),
        shop.lock("1.0.3")
    );
    shop.scene.file("Cargo.lock", &lock);
    check(&shop, "HEAD", "WORKTREE").fails(
        2,
        r#"
        error: failed to read the head
          caused by: cannot read the lock file of `WORKTREE`
          caused by: Cargo.lock:1: unresolved merge conflict between `ours` and `theirs`
        hint: resolve it: take one side of Cargo.lock, then run `cargo update --workspace`
        "#,
    );
}

#[test]
fn a_lock_file_that_is_behind_its_manifest() {
    let shop = Shop::updated_to("1.0.1");
    let behind =
        super::shop::MANIFEST.replace("jsonette = \"1\"", "jsonette = \"1\"\nyaml = \"2\"");
    shop.scene.file("Cargo.toml", &behind);
    let builds = ["check", "--head", "WORKTREE", "--base", "HEAD"];
    for graph in ["auto", "direct"] {
        shop.scene
            .run(&[&builds[..], &THEN, &["--graph", graph]].concat())
            .fails(
                2,
                r#"
        error: failed to read the head
          caused by: cannot build the graph of the workspace `.` of `WORKTREE` (direct)
          caused by: match the manifests of workspace `.` with its lock file, which is out of date: `shop@0.1.0`: `yaml = "^2"` is declared, and the lock file has none that fits
        hint: bring the lock file up to date: `cargo update --workspace`, and commit it
        hint: `--graph lock-only` judges the lock file as it stands
        "#,
            );
    }
    let as_it_stands = [&builds[..], &THEN, &["--graph", "lock-only"]].concat();
    shop.scene.run(&as_it_stands).ends(0);
}

#[test]
fn a_lock_file_that_was_behind_before_is_named_and_stops_nobody() {
    let shop = Shop::updated_to("1.0.1");
    let right = super::shop::MANIFEST;
    let behind = right.replace("jsonette = \"1\"", "jsonette = \"1\"\nyaml = \"2\"");
    shop.scene.file("Cargo.toml", &behind);
    shop.scene.commit("behind");
    let check = || {
        shop.scene.run(
            &[
                &["check", "--head", "WORKTREE", "--base", "HEAD"][..],
                &THEN,
            ]
            .concat(),
        )
    };
    // It is as it was.
    shop.scene.file("src/main.rs", "fn main() {}\n");
    let ran = check();
    assert!(ran.ends(0).contains("Not checked"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("`yaml = \"^2\"` is declared"),
        "{}",
        ran.stdout
    );
    // It is put right.
    shop.scene.file("Cargo.toml", right);
    check().ends(0);
    // It gets worse.
    let worse = behind.replace("yaml = \"2\"", "yaml = \"2\"\ntoml = \"9\"");
    shop.scene.file("Cargo.toml", &worse);
    let ran = check();
    assert!(
        ran.stderr.contains("`toml = \"^9\"` is declared"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.code, Some(2));
}

#[test]
fn a_lock_file_of_a_format_to_come() {
    let shop = Shop::updated_to("1.0.1");
    let lock = shop.lock("1.0.1").replace("version = 4\n", "version = 9\n");
    shop.scene.file("Cargo.lock", &lock);
    check(&shop, "HEAD", "WORKTREE").fails(
        2,
        r#"
        error: failed to read the head
          caused by: cannot read the lock file of `WORKTREE`
          caused by: Cargo.lock:1: lock format 9 is unknown; the newest known is 4
        hint: update cargo-canary, or write the lock file with an older cargo
        "#,
    );
}

#[test]
fn a_lock_file_that_was_edited_by_hand() {
    let shop = Shop::updated_to("1.0.1");
    let lock = shop.lock("1.0.1").replace(
        "dependencies = [\"bufferette\"]",
        "dependencies = [\"bufer\"]",
    );
    shop.scene.file("Cargo.lock", &lock);
    check(&shop, "HEAD", "WORKTREE").fails(
        2,
        r#"
        error: failed to read the head
          caused by: cannot read the lock file of `WORKTREE`
          caused by: Cargo.lock:15: `jsonette@1.0.1` depends on `bufer`, which is not in the lock file
        hint: lock files are written by cargo alone: take the last good one (`git checkout HEAD -- Cargo.lock`), then run `cargo update --workspace`
        "#,
    );
    shop.scene.file("Cargo.lock", "version = 4\n[[package]\n");
    check(&shop, "HEAD", "WORKTREE").fails(
        2,
        r#"
        error: failed to read the head
          caused by: cannot read the lock file of `WORKTREE`
          caused by: Cargo.lock:2:11: unclosed array table, expected `]`
        hint: lock files are written by cargo alone: take the last good one (`git checkout HEAD -- Cargo.lock`), then run `cargo update --workspace`
        "#,
    );
}

#[test]
fn a_day_that_is_none() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.run(&["check", "--as-of", "yesterday"]).fails(
        2,
        r#"
        error: `--as-of yesterday` is not a day
          caused by: failed to parse four digit integer as year: invalid digit, expected 0-9 but got y
        hint: write it as `2026-11-20`, or as a time in RFC 3339 such as `2026-11-20T09:00:00Z`
        "#,
    );
    shop.scene.run(&["check", "--as-of", "2024-02-30"]).fails(
        2,
        r#"
        error: `--as-of 2024-02-30` is not a day
          caused by: parsed date is not valid: parameter 'day' for `2024-02` is invalid, must be in range `1..=29`
        hint: write it as `2026-11-20`, or as a time in RFC 3339 such as `2026-11-20T09:00:00Z`
        "#,
    );
}

#[test]
fn a_package_that_did_not_change() {
    let shop = Shop::updated_to("1.0.1");
    let explain = |package: &str, head: &str| {
        let args = ["explain", package, "--base", "HEAD~1", "--head", head];
        shop.scene.run(&[&args[..], &THEN].concat())
    };
    explain("jsonete", "HEAD").fails(
        2,
        r#"
        error: `jsonete` did not change between these builds
        hint: there is a change of `jsonette`
        "#,
    );
    explain("tokio", "HEAD").fails(
        2,
        r#"
        error: `tokio` did not change between these builds
        hint: `cargo-canary diff`, with the same builds, lists what changed
        "#,
    );
    shop.write("1.0.0");
    explain("jsonette", "WORKTREE").fails(
        2,
        r#"
        error: `jsonette` did not change between these builds
        hint: nothing changed at all between them
        "#,
    );
}

#[test]
fn a_place_where_no_report_can_be_written() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.file("taken", "");
    let ran = shop.scene.run(
        &[
            &[
                "check",
                "--base",
                "HEAD~1",
                "--head",
                "HEAD",
                "--output",
                "taken/report.json",
            ],
            &THEN[..],
        ]
        .concat(),
    );
    ran.fails(
        2,
        r#"
        error: failed to write `taken/report.json`
          caused by: `taken` is a file, not a directory
        hint: choose another place with `--output FILE`
        "#,
    );
}

#[test]
fn a_repository_that_is_broken() {
    let shop = Shop::updated_to("1.0.1");
    let lock = shop.scene.git("work", &["rev-parse", "HEAD:Cargo.lock"]);
    let (folder, file) = lock.split_at(2);
    let object = shop
        .scene
        .path(&format!("work/.git/objects/{folder}/{file}"));
    fs::remove_file(object).unwrap();
    check(&shop, "HEAD~1", "HEAD").fails(
        2,
        r#"
        error: failed to read the head
          caused by: cannot read the files of `HEAD`
          caused by: the content of `Cargo.lock` is not in this clone (object [COMMIT])
        hint: `git fetch --refetch` brings what a partial clone lacks; in a full clone `git fsck` tells what is broken
        "#,
    );
    fs::remove_dir_all(shop.scene.path("work/.git/objects")).unwrap();
    fs::create_dir(shop.scene.path("work/.git/objects")).unwrap();
    check(&shop, "HEAD~1", "HEAD").fails(
        2,
        r#"
        error: failed to read the base
          caused by: `HEAD~1` is neither a path nor a revision of the repository at .
        hint: `git branch --all` and `git tag` list the names that are there
        "#,
    );
    fs::write(shop.scene.path("work/.git/HEAD"), "nonsense").unwrap();
    check(&shop, "HEAD~1", "HEAD").fails(
        2,
        r#"
        error: failed to read the base
          caused by: there is no path `HEAD~1`, and no git repository to look for such a revision
          caused by: `.` is not part of a git repository
        hint: run it inside a repository, pass `-C DIR`, or name paths
        "#,
    );
}

#[test]
fn no_git() {
    let shop = Shop::updated_to("1.0.1");
    let mut command = shop.scene.command(&["check", "--base", "HEAD~1"]);
    command.env("PATH", shop.scene.path("home"));
    shop.scene.finish(&mut command).fails(
        2,
        r#"
        error: failed to read the base
          caused by: there is no path `HEAD~1`, and no git repository to look for such a revision
          caused by: there is no `git` in the search path
        hint: install git, or name paths in the place of revisions
        "#,
    );
}

#[test]
fn a_file_that_is_neither_lock_nor_metadata() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene
        .file("notes.txt", "hello\n")
        .file("other.json", "{}");
    check(&shop, "notes.txt", "HEAD").fails(
        2,
        r#"
        error: failed to read the base
          caused by: cannot read the lock file of `notes.txt`
          caused by: notes.txt:1:6: key with no value, expected `=`
        hint: `--base` takes a revision, a directory, a Cargo.lock, a `cargo metadata` document, an executable or an SBOM
        "#,
    );
    check(&shop, "other.json", "HEAD").fails(
        2,
        r#"
        error: failed to read the base
          caused by: cannot build the graph of the workspace `.` of `other.json` (metadata)
          caused by: read the `cargo metadata` document of workspace `.`
          caused by: `cargo metadata` returned invalid JSON output
          caused by: missing field `packages` at line 1 column 2
        hint: a metadata document is written by `cargo metadata --locked --format-version 1`
        "#,
    );
}

#[test]
fn words_that_are_no_command() {
    let scene = Scene::new();
    scene.run(&["chekc"]).fails(
        2,
        r#"
        error: unrecognized subcommand 'chekc'

          tip: a similar subcommand exists: 'check'

        Usage: cargo-canary <COMMAND>

        For more information, try '--help'.
        "#,
    );
    let without = scene.run(&[]);
    assert_eq!((without.code, without.stdout.as_str()), (Some(2), ""));
    assert!(without.stderr.contains("Usage: cargo-canary <COMMAND>"));
    assert!(
        without
            .stderr
            .contains("Audit the difference between two builds and give a verdict")
    );
}
