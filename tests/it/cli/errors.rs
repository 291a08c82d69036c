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
    check(&shop, "v1.2.O", "HEAD").fails(2, "
        ");
    check(&shop, "main", "something/else").fails(2, "
        ");
}

#[test]
fn no_repository() {
    let shop = Shop::new();
    check(&shop, "main", "WORKTREE").fails(2, "
        ");
    shop.scene.run(&["check"]).fails(2, "
        ");
}

#[test]
fn the_same_commit_twice() {
    let shop = Shop::updated_to("1.0.1");
    check(&shop, "HEAD", "main").fails(2, "
        ");
    shop.write("1.0.0");
    check(&shop, ".", "WORKTREE").fails(2, "
        ");
}

#[test]
fn nothing_of_its_own() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.git("work", &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    shop.scene.run(&["check", "--offline"]).fails(2, "
        ");
}

#[test]
fn no_default_branch() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.run(&["check", "--offline"]).fails(2, "
        ");
}

#[test]
fn a_shallow_clone_that_lacks_the_merge_base() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.git("work", &["checkout", "-q", "-b", "topic", "HEAD~1"]);
    shop.write("1.0.3");
    shop.scene.commit("three");
    let url = format!("file://{}", shop.scene.path("work").display());
    shop.scene.git(".", &["clone", "-q", "--depth", "1", "--no-single-branch", &url, "clone"]);
    let mut command = shop.scene.command(&["check", "--offline", "--head", "HEAD"]);
    command.current_dir(shop.scene.path("clone"));
    shop.scene.finish(&mut command).fails(2, "
        ");
    let mut command = shop.scene.command(&["check", "--offline", "--base", "HEAD~1"]);
    command.current_dir(shop.scene.path("clone"));
    shop.scene.finish(&mut command).fails(2, "
        ");
}

#[test]
fn no_lock_file() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.file("other/Cargo.toml", "[package]\nname = \"other\"\n");
    shop.scene.file("empty/README", "");
    check(&shop, "other", "HEAD").fails(2, "
        ");
    check(&shop, "empty", "HEAD").fails(2, "
        ");
    shop.scene.git("work", &["rm", "-q", "--cached", "Cargo.lock"]);
    shop.scene.git("work", &["commit", "-q", "-m", "no lock"]);
    check(&shop, "HEAD~1", "HEAD").fails(2, "
        ");
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
    check(&shop, "HEAD", "WORKTREE").fails(2, "
        ");
}

#[test]
fn a_lock_file_that_is_behind_its_manifest() {
    let shop = Shop::updated_to("1.0.1");
    let manifest = super::shop::MANIFEST.replace("json = \"1\"", "json = \"1\"\nyaml = \"2\"");
    shop.scene.file("Cargo.toml", &manifest);
    check(&shop, "HEAD", "WORKTREE").fails(2, "
        ");
}

#[test]
fn a_lock_file_of_a_format_to_come() {
    let shop = Shop::updated_to("1.0.1");
    let lock = shop.lock("1.0.1").replace("version = 4\n", "version = 9\n");
    shop.scene.file("Cargo.lock", &lock);
    check(&shop, "HEAD", "WORKTREE").fails(2, "
        ");
}

#[test]
fn a_lock_file_that_was_edited_by_hand() {
    let shop = Shop::updated_to("1.0.1");
    let lock = shop.lock("1.0.1").replace("dependencies = [\"buffer\"]", "dependencies = [\"bufer\"]");
    shop.scene.file("Cargo.lock", &lock);
    check(&shop, "HEAD", "WORKTREE").fails(2, "
        ");
    shop.scene.file("Cargo.lock", "version = 4\n[[package]\n");
    check(&shop, "HEAD", "WORKTREE").fails(2, "
        ");
}

#[test]
fn a_day_that_is_none() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.run(&["check", "--as-of", "yesterday"]).fails(2, "
        ");
    shop.scene.run(&["check", "--as-of", "2024-02-30"]).fails(2, "
        ");
}

#[test]
fn a_package_that_did_not_change() {
    let shop = Shop::updated_to("1.0.1");
    let explain = |package: &str, head: &str| {
        let args = ["explain", package, "--base", "HEAD~1", "--head", head];
        shop.scene.run(&[&args[..], &THEN].concat())
    };
    explain("jsno", "HEAD").fails(2, "
        ");
    explain("tokio", "HEAD").fails(2, "
        ");
    shop.write("1.0.0");
    explain("json", "WORKTREE").fails(2, "
        ");
}

#[test]
fn a_place_where_no_report_can_be_written() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.file("taken", "");
    let ran = shop.scene.run(
        &[
            &["check", "--base", "HEAD~1", "--head", "HEAD", "--output", "taken/report.json"],
            &THEN[..],
        ]
        .concat(),
    );
    ran.fails(2, "
        ");
}

#[test]
fn a_repository_that_is_broken() {
    let shop = Shop::updated_to("1.0.1");
    fs::remove_dir_all(shop.scene.path("work/.git/objects")).unwrap();
    fs::create_dir(shop.scene.path("work/.git/objects")).unwrap();
    check(&shop, "HEAD~1", "HEAD").fails(2, "
        ");
    fs::write(shop.scene.path("work/.git/HEAD"), "nonsense").unwrap();
    check(&shop, "HEAD~1", "HEAD").fails(2, "
        ");
}

#[test]
fn no_git() {
    let shop = Shop::updated_to("1.0.1");
    let mut command = shop.scene.command(&["check", "--base", "HEAD~1"]);
    command.env("PATH", shop.scene.path("home"));
    shop.scene.finish(&mut command).fails(2, "
        ");
}

#[test]
fn a_file_that_is_neither_lock_nor_metadata() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.file("notes.txt", "hello\n").file("other.json", "{}");
    check(&shop, "notes.txt", "HEAD").fails(2, "
        ");
    check(&shop, "other.json", "HEAD").fails(2, "
        ");
}

#[test]
fn words_that_are_no_command() {
    let scene = Scene::new();
    scene.run(&["chekc"]).fails(2, "
        ");
    scene.run(&[]).fails(2, "
        ");
}
