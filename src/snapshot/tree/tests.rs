//! Directories and revisions, on real files and real repositories.

use super::fixture::Repo;
use super::git::Git;
use super::*;

fn listed(tree: &dyn Tree) -> Vec<String> {
    tree.files()
        .iter()
        .map(|file| format!("{} {:?} {}", file.path, file.kind, file.size))
        .collect()
}

fn at<'h>(repo: &'h Repo, commit: &str) -> GitTree<'h> {
    GitTree::open(Git::at(&repo.host, &repo.path).unwrap(), commit).unwrap()
}

fn link(repo: &Repo, target: &str, name: &str) {
    repo.run(&repo.path, "ln", &["-s", target, name]);
}

#[test]
fn a_directory_is_listed_without_caches_links_and_repositories_inside() {
    let repo = Repo::empty();
    repo.write("a/x.rs", "12345")
        .write("a-b", "1")
        .write("target/CACHEDIR.TAG", "x")
        .write("target/Cargo.lock", "x")
        .write("cache/CACHEDIR.TAG", "x")
        .write("cache/deep/Cargo.lock", "x")
        .write("web/node_modules/m/Cargo.toml", "x")
        .write("sub/.git", "gitdir: x")
        .write("sub/Cargo.lock", "x")
        .write(".git/config", "x");
    link(&repo, "/etc/hostname", "Cargo.lock");
    link(&repo, "a", "b");
    let tree = DirectoryTree::open(&repo.host, &repo.path, None).unwrap();
    let expected = [
        ".keep Regular 0",
        "Cargo.lock Link 0",
        "a-b Regular 1",
        "a/x.rs Regular 5",
        "b Link 0",
        "sub Submodule 0",
    ];
    assert_eq!(listed(&tree), expected);
    assert_eq!(tree.left_out().len(), 1);
    assert_eq!(tree.left_out()[0].path, "cache");
    assert_eq!(tree.read("a/x.rs", 5).unwrap(), b"12345");
    assert!(matches!(
        tree.read("a/x.rs", 4),
        Err(TreeError::TooLarge {
            size: 5,
            limit: 4,
            ..
        })
    ));
    assert!(matches!(
        tree.read("Cargo.lock", 9),
        Err(TreeError::NotRegular {
            kind: TreeKind::Link,
            ..
        })
    ));
    assert!(matches!(
        tree.read("b/x.rs", 9),
        Err(TreeError::NotFound { .. })
    ));
    assert!(matches!(
        tree.read("../repo/a-b", 9),
        Err(TreeError::NotFound { .. })
    ));
    assert_eq!(tree.root(), Some(repo.path.as_path()));
}

#[test]
fn a_directory_that_git_tracks_is_never_taken_for_a_cache() {
    let repo = Repo::empty();
    repo.write("a/CACHEDIR.TAG", "x")
        .write("a/b/Cargo.lock", "x")
        .write("t/CACHEDIR.TAG", "x");
    let tracked = ["a", "a/b"].map(str::to_owned).into();
    let tree = DirectoryTree::open(&repo.host, &repo.path, Some(&tracked)).unwrap();
    assert_eq!(
        listed(&tree),
        [
            ".keep Regular 0",
            "a/CACHEDIR.TAG Regular 1",
            "a/b/Cargo.lock Regular 1"
        ]
    );
    assert!(tree.left_out().is_empty());
}

#[test]
fn too_deep_a_directory_is_refused() {
    let repo = Repo::empty();
    repo.write(&format!("{}x", "d/".repeat(MAX_DEPTH)), "");
    assert!(DirectoryTree::open(&repo.host, &repo.path, None).is_ok());
    repo.write(&format!("{}x", "d/".repeat(MAX_DEPTH + 1)), "");
    let error = DirectoryTree::open(&repo.host, &repo.path, None)
        .err()
        .unwrap();
    assert!(matches!(error, TreeError::TooDeep { .. }));
    let commit = {
        repo.git(&["init", "-q"]);
        repo.commit("x")
    };
    let error = GitTree::open(Git::at(&repo.host, &repo.path).unwrap(), &commit)
        .err()
        .unwrap();
    assert!(matches!(error, TreeError::TooDeep { .. }));
}

#[test]
fn a_revision_lists_what_was_committed_with_odd_names_too() {
    let repo = Repo::new();
    repo.write("a b/ü\"'$(x).rs", "12")
        .write("-rf", "1")
        .write("Cargo.toml", "abc")
        .write("bad\tname/Cargo.toml", "x");
    link(&repo, "/etc/hostname", "Cargo.lock");
    let commit = repo.commit("x");
    repo.write("later", "x");
    let tree = at(&repo, &commit);
    let expected = [
        "-rf Regular 1",
        ".keep Regular 0",
        "Cargo.lock Link 0",
        "Cargo.toml Regular 3",
        "a b/ü\"'$(x).rs Regular 2",
    ];
    assert_eq!(listed(&tree), expected);
    assert_eq!(tree.left_out()[0].path, "bad\\tname/Cargo.toml");
    assert_eq!(tree.root(), None);
    let read = tree.read_many(
        &["Cargo.toml", "gone", "-rf", "Cargo.lock", "Cargo.toml"],
        2,
    );
    let read: Vec<_> = read
        .iter()
        .map(|r| r.as_ref().map(Vec::len).map_err(ToString::to_string))
        .collect();
    assert_eq!(
        read,
        [
            Err("`Cargo.toml` has 3 bytes, more than the limit of 2".to_owned()),
            Err("there is no `gone`".to_owned()),
            Ok(1),
            Err("`Cargo.lock` is a symbolic link, which is not followed".to_owned()),
            Err("`Cargo.toml` has 3 bytes, more than the limit of 2".to_owned()),
        ]
    );
    assert_eq!(tree.read("a b/ü\"'$(x).rs", 99).unwrap(), b"12");
}

#[test]
fn many_files_are_read_by_one_process() {
    let repo = Repo::new();
    let paths: Vec<String> = (0..300).map(|at| format!("f{at}")).collect();
    for path in &paths {
        repo.write(path, path);
    }
    let tree = at(&repo, &repo.commit("x"));
    let before = repo.host.processes.started();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    for (path, content) in paths.iter().zip(tree.read_many(&paths, 99)) {
        assert_eq!(content.unwrap(), path.as_bytes());
    }
    assert_eq!(repo.host.processes.started(), before + 1);
}

#[test]
fn broken_trees_cannot_name_places_outside() {
    let repo = Repo::new();
    let blob = {
        repo.write("f", "x");
        repo.git(&["hash-object", "-w", "f"])
    };
    repo.write(
        "list",
        &format!("100644 blob {blob}\t..\n100644 blob {blob}\tok\n"),
    );
    let inner = repo.run(&repo.path, "sh", &["-c", "git mktree --missing < list"]);
    repo.write(
        "list",
        &format!("040000 tree {inner}\t..\n040000 tree {inner}\t.git\n100644 blob {blob}\tok\n"),
    );
    let outer = repo.run(&repo.path, "sh", &["-c", "git mktree --missing < list"]);
    assert_eq!(listed(&at(&repo, &outer)), ["ok Regular 1"]);
}

#[test]
fn submodules_bare_shallow_and_linked_repositories_are_read() {
    let inner = Repo::new();
    inner.write("Cargo.lock", "x").commit("inner");
    let repo = Repo::new();
    let first = repo.write("Cargo.toml", "one").commit("1");
    repo.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        inner.path.to_str().unwrap(),
        "sub",
    ]);
    let second = repo.write("Cargo.toml", "three").commit("2");
    let expected = [
        ".gitmodules Regular",
        ".keep Regular 0",
        "Cargo.toml Regular 5",
        "sub Submodule 0",
    ];
    let check = |path: &Path, commit: &str| {
        let tree = GitTree::open(Git::at(&repo.host, path).unwrap(), commit).unwrap();
        for (seen, expected) in listed(&tree).iter().zip(expected) {
            assert!(seen.starts_with(expected), "{seen}");
        }
        assert_eq!(tree.read("Cargo.toml", 9).unwrap(), b"three");
    };
    check(&repo.path, &second);
    let url = format!("file://{}", repo.path.display());
    let (bare, shallow, linked) = (
        repo.beside("bare"),
        repo.beside("shallow"),
        repo.beside("linked"),
    );
    repo.git(&["clone", "-q", "--bare", &url, bare.to_str().unwrap()]);
    repo.git(&[
        "clone",
        "-q",
        "--depth",
        "1",
        &url,
        shallow.to_str().unwrap(),
    ]);
    repo.git(&["worktree", "add", "-q", linked.to_str().unwrap(), &first]);
    check(&bare, &second);
    check(&shallow, "HEAD");
    check(&linked, "main");
    check(&linked.join("."), &second);
    let git = Git::at(&repo.host, &shallow).unwrap();
    assert!(GitTree::open(git.clone(), &first).is_err());
    assert!(git.is_shallow().unwrap());
    assert_eq!(
        Git::at(&repo.host, &bare).unwrap().top_level().unwrap(),
        None
    );
    let walked = DirectoryTree::open(&repo.host, &repo.path, None).unwrap();
    assert_eq!(walked.file("sub").unwrap().kind, TreeKind::Submodule);
}

#[test]
fn a_partial_clone_fetches_nothing_and_says_what_is_missing() {
    let repo = Repo::new();
    let commit = repo.write("Cargo.toml", "x").commit("1");
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let partial = repo.beside("partial");
    let url = format!("file://{}", repo.path.display());
    repo.git(&[
        "clone",
        "-q",
        "--bare",
        "--filter=blob:none",
        &url,
        partial.to_str().unwrap(),
    ]);
    let tree = GitTree::open(Git::at(&repo.host, &partial).unwrap(), &commit).unwrap();
    let error = tree.read("Cargo.toml", 9).unwrap_err();
    assert!(matches!(error, TreeError::NotFetched { .. }), "{error}");
}

#[test]
fn replaced_objects_are_seen_as_they_are() {
    let repo = Repo::new();
    let one = repo.write("f", "one").commit("1");
    let two = repo.write("f", "two").commit("2");
    repo.git(&["replace", &one, &two]);
    assert_eq!(at(&repo, &one).read("f", 9).unwrap(), b"one");
}

#[test]
fn no_program_of_the_repository_is_run() {
    let repo = Repo::new();
    let fired = repo.beside("fired");
    let program = format!("#!/bin/sh\necho \"$0\" >> '{}'\ncat\n", fired.display());
    for name in [
        "evil",
        "hooks/post-checkout",
        "hooks/pre-commit",
        "hooks/reference-transaction",
        "hooks/post-index-change",
    ] {
        repo.write(name, &program);
        repo.run(&repo.path, "chmod", &["+x", name]);
    }
    repo.write(".gitattributes", "* filter=evil diff=evil text eol=crlf\n");
    repo.write("Cargo.toml", "content");
    let commit = repo.commit("x");
    let evil = repo.path.join("evil").display().to_string();
    for setting in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.gitProxy",
        "core.pager",
        "core.editor",
        "core.askPass",
        "core.alternateRefsCommand",
        "pager.ls-tree",
        "pager.cat-file",
        "pager.rev-parse",
        "pager.for-each-ref",
        "credential.helper",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "gpg.program",
        "uploadpack.packObjectsHook",
        "alias.ls-tree",
        "alias.cat-file",
    ] {
        let value = if setting.starts_with("alias") {
            format!("!{evil}")
        } else {
            evil.clone()
        };
        repo.git(&["config", setting, &value]);
    }
    repo.git(&["config", "core.hooksPath", "hooks"]);
    repo.git(&["config", "log.showSignature", "true"]);
    repo.git(&["config", "remote.origin.url", "ssh://host.invalid/repo"]);
    repo.git(&["config", "core.repositoryformatversion", "1"]);
    repo.git(&["config", "remote.origin.promisor", "true"]);
    repo.git(&["config", "extensions.partialClone", "origin"]);
    // The fixture itself must be able to fire.
    repo.run(
        &repo.path,
        "sh",
        &["-c", "git status > /dev/null 2>&1; true"],
    );
    assert!(
        repo.host.files.kind(&fired).is_ok(),
        "the program does not fire even when it may"
    );
    repo.run(&repo.path, "rm", &[fired.to_str().unwrap()]);

    let tree = at(&repo, &commit);
    assert_eq!(tree.read("Cargo.toml", 99).unwrap(), b"content");
    let git = Git::at(&repo.host, &repo.path).unwrap();
    assert!(
        git.objects(&["0123456789012345678901234567890123456789".to_owned()])
            .is_ok()
    );
    assert_eq!(
        git.merge_base(&commit, &commit).unwrap().as_deref(),
        Some(commit.as_str())
    );
    assert!(!git.is_shallow().unwrap());
    assert!(!git.references().is_empty());
    assert!(git.symbolic_ref("HEAD").unwrap().is_some());
    assert_eq!(git.top_level().unwrap(), Some(repo.path.clone()));
    assert!(!git.tracked().unwrap().is_empty());
    assert!(
        repo.host.files.kind(&fired).is_err(),
        "a program of the repository was run"
    );
}

#[test]
fn a_repository_of_another_owner_is_read() {
    let repo = Repo::new();
    let commit = repo.write("f", "x").commit("1");
    // Only an administrator can give files away; for others the test has nothing to check.
    let is_admin = repo.run(&repo.path, "id", &["-u"]) == "0";
    if is_admin {
        repo.run(&repo.path, "chown", &["-R", "12345", "."]);
    }
    assert_eq!(at(&repo, &commit).read("f", 9).unwrap(), b"x");
}

#[test]
fn outside_of_a_repository_git_says_so() {
    let repo = Repo::empty();
    let git = Git::at(&repo.host, &repo.path).unwrap();
    assert!(matches!(
        git.is_shallow(),
        Err(GitError::NotARepository { .. })
    ));
    let nowhere = crate::host::memory::MemoryHost::new(jiff::Timestamp::UNIX_EPOCH).host();
    assert!(matches!(
        Git::at(&nowhere, &repo.path),
        Err(GitError::NotInstalled)
    ));
}

#[test]
fn a_tree_in_memory_keeps_the_same_rules() {
    let tree = MemoryTree::new()
        .file("b", "12")
        .file("a", "1")
        .other("l", TreeKind::Link)
        .file("a", "123");
    assert_eq!(listed(&tree), ["a Regular 3", "b Regular 2", "l Link 0"]);
    assert!(matches!(tree.read("a", 2), Err(TreeError::TooLarge { .. })));
    assert!(matches!(
        tree.read("l", 2),
        Err(TreeError::NotRegular { .. })
    ));
    assert!(matches!(tree.read("x", 2), Err(TreeError::NotFound { .. })));
    assert_eq!(tree.read("b", 2).unwrap(), b"12");
}
