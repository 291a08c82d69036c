//! Every way to name a build, and every way to fail at it, on real repositories.

use super::*;
use crate::snapshot::tree::fixture::{Repo, lock, manifest};

fn named(name: &str) -> BuildName {
    BuildName::Named(name.to_owned())
}

fn opened<'h>(repo: &'h Repo, name: &BuildName) -> Opened<'h> {
    open(name, &repo.path, &repo.host).unwrap()
}

fn error(repo: &Repo, name: &BuildName) -> LoadError {
    open(name, &repo.path, &repo.host).err().unwrap()
}

fn project() -> Repo {
    let repo = Repo::new();
    repo.write("Cargo.toml", &manifest("app"))
        .write("Cargo.lock", &lock("app", "1.0.0"));
    repo.commit("1");
    repo
}

fn clone(repo: &Repo, extra: &[&str]) -> PathBuf {
    let path = repo.beside("clone");
    let url = format!("file://{}", repo.path.display());
    let mut args = vec!["clone", "-q"];
    args.extend(extra);
    args.extend([url.as_str(), path.to_str().unwrap()]);
    repo.git(&args);
    path
}

#[test]
fn a_revision_is_named_by_branch_tag_id_or_expression() {
    let repo = project();
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["tag", "-a", "-m", "x", "v1.0.0"]);
    repo.git(&["branch", "odd/name$(x)"]);
    repo.write("Cargo.lock", &lock("app", "1.0.1")).commit("2");
    for name in [
        "v1.0.0",
        "odd/name$(x)",
        "HEAD^1",
        "HEAD~1",
        &first,
        &first[..9],
        "git:v1.0.0",
    ] {
        let opened = opened(&repo, &named(name));
        assert_eq!(opened.commit(), Some(first.as_str()), "{name}");
        assert_eq!(opened.given(), name);
        assert_eq!(opened.kind(), InputKind::Git);
        assert_eq!(opened.commit_time().unwrap().as_second(), 1_700_000_000);
        let file = opened.read_file("Cargo.lock", 9999).unwrap().unwrap();
        assert_eq!(file, lock("app", "1.0.0").as_bytes());
        assert!(
            opened
                .read_file("policies/canary.toml", 9)
                .unwrap()
                .is_none()
        );
        assert!(matches!(
            opened.read_file("Cargo.lock", 9),
            Err(LoadError::Tree { .. })
        ));
    }
}

#[test]
fn a_path_wins_over_a_revision_unless_git_is_forced() {
    let repo = project();
    let path = repo.path.display().to_string();
    assert_eq!(opened(&repo, &named(&path)).kind(), InputKind::Directory);
    let lock_path = repo.path.join("Cargo.lock").display().to_string();
    let from_lock = opened(&repo, &named(&lock_path));
    assert_eq!(from_lock.kind(), InputKind::Lock);
    assert!(from_lock.read_file("Cargo.lock", 9999).unwrap().is_none());
    repo.write("meta.json", " \n{\"packages\": []}");
    let meta = repo.path.join("meta.json").display().to_string();
    assert_eq!(opened(&repo, &named(&meta)).kind(), InputKind::Metadata);
    assert!(matches!(
        error(&repo, &named(&format!("git:{path}"))),
        LoadError::NoRevision { .. }
    ));
    assert!(matches!(
        error(&repo, &named("/dev/null")),
        LoadError::NotAFile { .. }
    ));
}

#[test]
fn the_worktree_is_that_of_the_whole_repository() {
    let repo = project();
    repo.write("deep/x", "1");
    let from_below = open(&BuildName::Worktree, &repo.path.join("deep"), &repo.host).unwrap();
    assert_eq!(from_below.kind(), InputKind::Worktree);
    assert_eq!(from_below.commit(), None);
    assert!(from_below.read_file("Cargo.lock", 9999).unwrap().is_some());
    let outside = Repo::empty();
    outside.write("Cargo.lock", "x");
    assert!(
        opened(&outside, &BuildName::Worktree)
            .read_file("Cargo.lock", 9)
            .unwrap()
            .is_some()
    );
    // A configuration that points elsewhere is not followed.
    repo.git(&["config", "core.worktree", outside.path.to_str().unwrap()]);
    let own = opened(&repo, &BuildName::Worktree)
        .read_file("Cargo.lock", 9999)
        .unwrap()
        .unwrap();
    assert_eq!(own, lock("app", "1.0.0").as_bytes());
}

#[test]
fn a_missing_revision_names_what_may_have_been_meant() {
    let repo = project();
    repo.git(&["tag", "v1.2.0"]);
    let LoadError::NoRevision { near, shallow, .. } = error(&repo, &named("v1.2.1")) else {
        panic!("another error")
    };
    assert_eq!((near, shallow), (vec!["v1.2.0".to_owned()], false));
    let path = clone(&repo, &["--depth", "1"]);
    repo.git_in(&path, &["checkout", "-q", "--detach"]);
    repo.git_in(&path, &["branch", "-D", "main"]);
    let error = open(&named("main"), &path, &repo.host).err().unwrap();
    let LoadError::NoRevision { near, shallow, .. } = error else {
        panic!("another error")
    };
    assert_eq!((near, shallow), (vec!["origin/main".to_owned()], true));
}

#[test]
fn names_that_no_revision_can_have_are_no_revision() {
    let repo = project();
    for name in [
        "",
        "git:",
        "--help",
        "-x",
        "main\nHEAD",
        "main:Cargo.lock",
        "main^{tree}",
        "\0",
    ] {
        let error = error(&repo, &named(name));
        assert!(
            matches!(error, LoadError::NoRevision { .. }),
            "{name}: {error}"
        );
    }
    let LoadError::Git { source } = error(&repo, &named("@{u}")) else {
        panic!("another error")
    };
    assert!(
        source.to_string().contains("no upstream configured"),
        "{source}"
    );
    let outside = Repo::empty();
    assert!(matches!(
        error(&outside, &named("main")),
        LoadError::NoRepository {
            source: GitError::NotARepository { .. },
            ..
        }
    ));
}

#[test]
fn the_default_base_is_the_merge_base_with_the_remotes_default_branch() {
    let repo = project();
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["branch", "-m", "trunk"]);
    let path = clone(&repo, &[]);
    repo.write("Cargo.lock", &lock("app", "1.0.1")).commit("2");
    repo.git_in(&path, &["checkout", "-q", "-b", "feature"]);
    repo.git_in(&path, &["commit", "-q", "--allow-empty", "-m", "mine"]);
    repo.git_in(&path, &["fetch", "-q"]);
    let base = open(&BuildName::MergeBase, &path, &repo.host).unwrap();
    assert_eq!(base.commit(), Some(first.as_str()));
    assert_eq!(base.given(), "merge base of HEAD and origin/trunk");
    let head = open(&BuildName::Worktree, &path, &repo.host).unwrap();
    assert!(ensure_distinct(&base, &head).is_ok());

    // Without the remote's own word, the usual names are tried.
    repo.git_in(&path, &["remote", "set-head", "origin", "-d"]);
    let LoadError::NoDefaultBranch { tried, shallow } =
        open(&BuildName::MergeBase, &path, &repo.host)
            .err()
            .unwrap()
    else {
        panic!("another error")
    };
    assert_eq!(tried, ["origin/HEAD", "origin/main", "origin/master"]);
    assert!(!shallow);
    repo.git_in(
        &path,
        &[
            "update-ref",
            "refs/remotes/origin/master",
            "refs/remotes/origin/trunk",
        ],
    );
    let base = open(&BuildName::MergeBase, &path, &repo.host).unwrap();
    assert_eq!(base.given(), "merge base of HEAD and origin/master");
    assert!(matches!(
        error(&Repo::new(), &BuildName::MergeBase),
        LoadError::NoRevision { .. }
    ));
}

#[test]
fn a_history_that_is_cut_off_is_named_as_the_reason() {
    let repo = project();
    repo.git(&["checkout", "-q", "-b", "feature"]);
    repo.write("x", "1").commit("2");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("y", "1").commit("3");
    let path = clone(&repo, &["--depth", "1", "--no-single-branch"]);
    repo.git_in(&path, &["checkout", "-q", "feature"]);
    let error = open(&BuildName::MergeBase, &path, &repo.host)
        .err()
        .unwrap();
    assert!(
        matches!(error, LoadError::NoMergeBase { shallow: true, ref branch } if branch == "origin/main"),
        "{error}"
    );
}

#[test]
fn one_commit_under_two_names_is_an_error() {
    let repo = project();
    repo.git(&["tag", "v1"]);
    let error =
        ensure_distinct(&opened(&repo, &named("v1")), &opened(&repo, &named("HEAD"))).unwrap_err();
    let commit = repo.git(&["rev-parse", "HEAD"]);
    assert_eq!(
        error.to_string(),
        format!("the base `v1` and the head `HEAD` are the same commit, {commit}")
    );
}

#[test]
fn one_place_under_two_names_is_an_error() {
    let repo = project();
    repo.run(&repo.path, "ln", &["-s", ".", "again"]);
    let at = |name: &str| repo.path.join(name).display().to_string();
    for (a, b) in [("Cargo.lock", "again/Cargo.lock"), (".", "again/again")] {
        let (a, b) = (opened(&repo, &named(&at(a))), opened(&repo, &named(&at(b))));
        assert!(matches!(
            ensure_distinct(&a, &b),
            Err(LoadError::SamePlace { .. })
        ));
    }
    let a = opened(&repo, &BuildName::Worktree);
    assert!(matches!(
        ensure_distinct(&a, &opened(&repo, &named(&at(".")))),
        Err(LoadError::SamePlace { .. })
    ));
}

#[test]
fn the_default_branch_is_not_compared_with_itself() {
    let repo = project();
    let path = clone(&repo, &[]);
    let (base, head) = (BuildName::MergeBase, BuildName::Worktree);
    let distinct = |base: &BuildName| {
        let base = open(base, &path, &repo.host).unwrap();
        ensure_distinct(&base, &open(&head, &path, &repo.host).unwrap())
    };
    let commit = repo.git(&["rev-parse", "HEAD"]);
    let error = distinct(&base).unwrap_err();
    assert!(matches!(error, LoadError::NothingOfItsOwn { commit: c, .. } if c == commit));
    // Other line ends are no difference, and neither is a file that is no manifest or lock file.
    let write = |name: &str, text: &str| {
        repo.host
            .files
            .write(&path.join(name), text.as_bytes())
            .unwrap();
    };
    write("Cargo.lock", &lock("app", "1.0.0").replace('\n', "\r\n"));
    write("src/main.rs", "x");
    assert!(distinct(&base).is_err());
    // Who names `HEAD` asks for what is not committed.
    assert!(distinct(&named("HEAD")).is_ok());
    write("Cargo.lock", &lock("app", "1.0.1"));
    assert!(distinct(&base).is_ok());
    let head = open(&named("HEAD"), &path, &repo.host).unwrap();
    let base = open(&base, &path, &repo.host).unwrap();
    assert!(matches!(
        ensure_distinct(&base, &head),
        Err(LoadError::SameCommit { .. })
    ));
}

#[test]
fn bare_and_linked_repositories_are_opened() {
    let repo = project();
    let path = clone(&repo, &["--bare"]);
    let commit = repo.git(&["rev-parse", "HEAD"]);
    assert_eq!(
        open(&named("main"), &path, &repo.host).unwrap().commit(),
        Some(commit.as_str())
    );
    let linked = repo.beside("linked");
    repo.git(&[
        "worktree",
        "add",
        "-q",
        "--detach",
        linked.to_str().unwrap(),
    ]);
    repo.host
        .files
        .write(&linked.join("Cargo.lock"), lock("app", "9.0.0").as_bytes())
        .unwrap();
    let worktree = open(&BuildName::Worktree, &linked, &repo.host).unwrap();
    let file = worktree.read_file("Cargo.lock", 9999).unwrap().unwrap();
    assert_eq!(file, lock("app", "9.0.0").as_bytes());
    assert_eq!(
        open(&named("main"), &linked, &repo.host).unwrap().commit(),
        Some(commit.as_str())
    );
}
