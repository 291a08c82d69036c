//! What is found, what is covered, and which way to the graph is taken.

use std::sync::Mutex;

use super::*;
use crate::snapshot::tree::fixture::{Repo, lock, manifest};
use crate::snapshot::tree::{LeftOut, MemoryTree, TreeError, TreeFile, TreeKind};
use crate::snapshot::{BuildName, GraphKind, InputKind, open};

/// Routes that do as they are told and note that they were asked.
#[derive(Default)]
struct Told {
    direct: bool,
    cargo: bool,
    /// What the direct way says is that this lock file is behind.
    behind: Option<&'static str>,
    asked: Mutex<Vec<String>>,
}

impl Told {
    fn answer(
        &self,
        works: bool,
        kind: GraphKind,
        directory: &str,
        lock: &LockFile,
    ) -> Result<Workspace, RouteError> {
        self.asked
            .lock()
            .unwrap()
            .push(format!("{} {directory}", kind.as_str()));
        let mut workspace = lock_only::workspace(directory, lock);
        workspace.graph = kind;
        if works {
            Ok(workspace)
        } else {
            let why = self.behind.map_or(String::new(), |why| format!(": {why}"));
            Err(format!("no {} today{why}", kind.as_str()).into())
        }
    }
}

impl Routes for Told {
    fn direct(
        &self,
        _: &dyn Tree,
        directory: &str,
        lock: &LockFile,
    ) -> Result<Workspace, RouteError> {
        self.answer(self.direct, GraphKind::Direct, directory, lock)
    }

    fn cargo(
        &self,
        _: &dyn Tree,
        directory: &str,
        lock: &LockFile,
    ) -> Result<Workspace, RouteError> {
        self.answer(self.cargo, GraphKind::Cargo, directory, lock)
    }

    fn document(&self, json: &str) -> Result<Workspace, RouteError> {
        self.answer(
            json.starts_with('{'),
            GraphKind::Metadata,
            ".",
            &lock::parse("version = 4", "x").unwrap(),
        )
    }

    fn is_behind(&self, error: &RouteError) -> bool {
        let directory = self.behind.map(|it| format!("no direct today: {it}"));
        directory == Some(error.to_string())
    }
}

fn load_tree(
    tree: impl Tree + 'static,
    mode: GraphMode,
    routes: &Told,
) -> Result<Snapshot, LoadError> {
    load_by(&Opened::of_tree("test", tree), mode, routes)
}

fn covered(snapshot: &Snapshot) -> Vec<String> {
    snapshot
        .workspaces
        .iter()
        .map(|w| format!("{} {}", w.path, w.graph.as_str()))
        .collect()
}

fn left(snapshot: &Snapshot) -> Vec<String> {
    snapshot
        .not_covered
        .iter()
        .map(|n| format!("{}: {}", n.path, n.reason))
        .collect()
}

fn project() -> MemoryTree {
    MemoryTree::new()
        .file("Cargo.toml", "[workspace]\nmembers = [\"app\"]\n")
        .file("Cargo.lock", lock("app", "1.0.0"))
        .file("app/Cargo.toml", manifest("app"))
}

#[test]
fn all_workspaces_and_lock_files_are_covered_or_named() {
    let tree = project()
        .file("fuzz/Cargo.toml", manifest("fuzz"))
        .file("fuzz/Cargo.lock", lock("fuzz", "2.0.0"))
        .file("stray/Cargo.lock", lock("stray", "3.0.0"))
        .file("broken/Cargo.lock", "<<<<<<< a\n=======\n>>>>>>> b\n")
        .file("tool/Cargo.toml", manifest("tool"))
        .file("group/Cargo.toml", "# x\n[workspace]\n")
        .file("template/Cargo.toml", "[package]\nname = {{name}}\n")
        .file("tests/a/Cargo.toml", manifest("ta"))
        .file("tests/b/Cargo.toml", manifest("tb"))
        .file("tests/c/Cargo.toml", "package = { name = 'tc' }\n")
        .file(
            "tests/d/Cargo.toml",
            "[package]\nversion = '1.0.0'\nname='td'\n",
        )
        .file("vendor/x/Cargo.toml", manifest("x"))
        .file("vendor/x/Cargo.lock", "broken")
        .file("vendor/x/.cargo-checksum.json", "{}")
        .other("link/Cargo.lock", TreeKind::Link)
        .other("other", TreeKind::Submodule)
        .other("readme", TreeKind::Link);
    let snapshot = load_tree(tree, GraphMode::LockOnly, &Told::default()).unwrap();
    assert_eq!(
        covered(&snapshot),
        [". lock-only", "fuzz lock-only", "stray lock-only"]
    );
    assert_eq!(
        left(&snapshot),
        [
            "broken/Cargo.lock: no manifest beside it, and it cannot be read: cannot read the lock file of `test`: broken/Cargo.lock:1: unresolved merge conflict between `a` and `b`",
            "group/Cargo.toml: a workspace with no `Cargo.lock` beside it",
            "link/Cargo.lock: it is a symbolic link, which is not followed",
            "other: it is a git repository of its own, which is not entered",
            "template/Cargo.toml: no `Cargo.lock` beside it, and it cannot be read as a manifest",
            "tests: 4 manifests with no `Cargo.lock` beside them, whose packages are in no lock file here; one of them is tests/a/Cargo.toml",
            "tool/Cargo.toml: no `Cargo.lock` beside it, and its package is in no lock file here",
            "vendor/x/Cargo.toml: a vendored copy, which is built as a package and not on its own",
        ]
    );
}

#[test]
fn what_the_tree_leaves_out_is_named() {
    struct Partly(MemoryTree, Vec<LeftOut>);
    impl Tree for Partly {
        fn files(&self) -> &[TreeFile] {
            self.0.files()
        }
        fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
            self.0.read(path, limit)
        }
        fn read_many(&self, paths: &[&str], limit: u64) -> Vec<Result<Vec<u8>, TreeError>> {
            self.0.read_many(paths, limit)
        }
        fn root(&self) -> Option<&std::path::Path> {
            None
        }
        fn left_out(&self) -> &[LeftOut] {
            &self.1
        }
    }
    let tree = Partly(
        project(),
        vec![LeftOut {
            path: "cache".into(),
            reason: "marked".into(),
        }],
    );
    let snapshot = load_tree(tree, GraphMode::LockOnly, &Told::default()).unwrap();
    assert_eq!(left(&snapshot), ["cache: marked"]);
}

#[test]
fn each_mode_takes_its_own_way() {
    let works = || Told {
        direct: true,
        cargo: true,
        ..Told::default()
    };
    for (mode, kind) in [
        (GraphMode::Auto, "direct"),
        (GraphMode::Direct, "direct"),
        (GraphMode::Cargo, "cargo"),
        (GraphMode::LockOnly, "lock-only"),
    ] {
        let snapshot = load_tree(project(), mode, &works()).unwrap();
        assert_eq!(covered(&snapshot), [format!(". {kind}")]);
    }
    for (mode, way) in [(GraphMode::Direct, "direct"), (GraphMode::Cargo, "cargo")] {
        let error = load_tree(project(), mode, &Told::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot build the graph of the workspace `.` of `test` ({way})")
        );
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            format!("no {way} today")
        );
    }
}

#[test]
fn the_automatic_way_falls_back_and_says_why() {
    let routes = Told {
        cargo: true,
        ..Told::default()
    };
    assert_eq!(
        covered(&load_tree(project(), GraphMode::Auto, &routes).unwrap()),
        [". cargo"]
    );
    assert_eq!(*routes.asked.lock().unwrap(), ["direct .", "cargo ."]);
    let snapshot = load_tree(project(), GraphMode::Auto, &Told::default()).unwrap();
    assert_eq!(covered(&snapshot), [". lock-only"]);
    for (_, gap) in &snapshot.workspaces[0].gaps {
        assert!(gap.detail.contains("no direct today") && gap.detail.contains("no cargo today"));
    }
}

#[test]
fn a_lock_file_behind_its_manifest_is_an_error_only_where_it_is_new() {
    let built = |behind| {
        let routes = Told {
            behind,
            ..Told::default()
        };
        let opened = Opened::of_tree("test", project());
        build(&opened, read(&opened).unwrap(), GraphMode::Auto, &routes).unwrap()
    };
    let (fine, one, other) = (built(None), built(Some("a")), built(Some("b")));
    assert!(built(None).unless_behind(None).is_ok());
    assert!(built(None).unless_behind(Some(&one)).is_ok());
    let error = built(Some("a")).unless_behind(None).unwrap_err();
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "no direct today: a"
    );
    assert!(built(Some("a")).unless_behind(Some(&fine)).is_err());
    assert!(built(Some("a")).unless_behind(Some(&other)).is_err());
    let kept = built(Some("a")).unless_behind(Some(&one)).unwrap();
    assert_eq!(covered(&kept), [". lock-only"]);
    assert_eq!(covered(&other.into_base()), [". lock-only"]);
}

#[test]
fn cargo_is_believed_where_it_takes_the_lock_file() {
    let routes = Told {
        cargo: true,
        behind: Some("a"),
        ..Told::default()
    };
    let snapshot = load_tree(project(), GraphMode::Auto, &routes).unwrap();
    assert_eq!(covered(&snapshot), [". cargo"]);
}

#[test]
fn a_lock_file_without_a_manifest_takes_no_other_way() {
    let routes = Told::default();
    let tree = MemoryTree::new().file("Cargo.lock", lock("app", "1.0.0"));
    let snapshot = load_tree(tree, GraphMode::Direct, &routes).unwrap();
    assert_eq!(covered(&snapshot), [". lock-only"]);
    assert!(routes.asked.lock().unwrap().is_empty());
}

#[test]
fn without_a_lock_file_there_is_an_error_that_says_what_was_found() {
    let tree = MemoryTree::new()
        .file("Cargo.toml", manifest("app"))
        .other("Cargo.lock", TreeKind::Link);
    let LoadError::NoLock {
        given,
        manifests,
        not_covered,
        ..
    } = load_tree(tree, GraphMode::Auto, &Told::default()).unwrap_err()
    else {
        panic!("another error")
    };
    assert_eq!(
        (given.as_str(), manifests, not_covered.len()),
        ("test", 1, 2)
    );
}

#[test]
fn a_broken_lock_file_of_a_workspace_is_an_error() {
    let tree = project().file("Cargo.lock", "version = 5\n");
    let error = load_tree(tree, GraphMode::LockOnly, &Told::default()).unwrap_err();
    let LoadError::Lock { source, .. } = error else {
        panic!("another error")
    };
    assert!(matches!(*source, lock::LockError::Format { line: 1, .. }));
}

#[test]
fn the_digest_depends_on_the_packages_and_not_on_the_way_to_them() {
    let digest = |tree: MemoryTree, mode| {
        let routes = Told {
            direct: true,
            ..Told::default()
        };
        load_tree(tree, mode, &routes).unwrap().input.digest
    };
    let one = digest(project(), GraphMode::LockOnly);
    assert_eq!(one, digest(project(), GraphMode::Direct));
    assert_eq!(
        one,
        digest(
            MemoryTree::new().file(
                "Cargo.lock",
                lock("app", "1.0.0").replace("version = 4", "version = 3")
            ),
            GraphMode::Auto
        )
    );
    for other in [
        lock("app", "1.0.1"),
        lock("app", "1.0.0").replace("0a0a", "0b0b"),
        lock("app", "1.0.0").replace("dependencies = [\n \"dep\",\n]\n", ""),
    ] {
        assert_ne!(
            one,
            digest(project().file("Cargo.lock", other), GraphMode::LockOnly)
        );
    }
}

#[test]
fn builds_of_every_kind_are_loaded_and_keep_the_rules() {
    let repo = Repo::new();
    repo.write("Cargo.toml", &manifest("app"))
        .write("Cargo.lock", &lock("app", "1.0.0"));
    let commit = repo.commit("1");
    repo.write("meta.json", "{}").write("bad.json", "{\u{fffd}");
    let at = |name: &str| BuildName::Named(repo.path.join(name).display().to_string());
    let routes = Told {
        direct: true,
        ..Told::default()
    };
    let mut digests = Vec::new();
    for (name, kind, graph) in [
        (BuildName::Named("main".into()), InputKind::Git, ". direct"),
        (BuildName::Worktree, InputKind::Worktree, ". direct"),
        (at("."), InputKind::Directory, ". direct"),
        (at("Cargo.lock"), InputKind::Lock, ". lock-only"),
        (at("meta.json"), InputKind::Metadata, ". metadata"),
    ] {
        let opened = open(&name, &repo.path, &repo.host).unwrap();
        let snapshot = load_by(&opened, GraphMode::Auto, &routes).unwrap();
        assert_eq!(snapshot.verify(), Ok(()));
        assert_eq!(snapshot.input.kind, kind);
        assert_eq!(
            snapshot.input.commit.as_deref(),
            (kind == InputKind::Git).then_some(commit.as_str())
        );
        assert_eq!(covered(&snapshot), [graph]);
        digests.push(snapshot.input.digest);
    }
    assert!(digests[..4].iter().all(|digest| *digest == digests[0]));
}
