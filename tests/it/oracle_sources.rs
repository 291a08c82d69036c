//! Our build graph against Cargo's own answers: members, paths, patches, git, and
//! lock files that do not fit.

use std::collections::BTreeSet;
use std::fs;

use cargo_canary::facts::FactKind;
use cargo_canary::pkg::Source;
use cargo_canary::snapshot::Role;
use cargo_canary::snapshot::direct::DirectError;
use cargo_canary::snapshot::lock;

use super::support::graph_oracle::{check, compare, ours, place, roles, root};
use super::support::local_registry::LocalRegistry;
use super::support::project::{Project, git_repository, host_triple, write};

#[test]
fn members_inherit_from_their_workspace() {
    let mut registry = LocalRegistry::new();
    registry
        .krate("a", "1.0.0")
        .feature("default", &[])
        .feature("x", &[])
        .feature("y", &[])
        .publish();
    registry
        .krate("b", "1.0.0")
        .feature("default", &[])
        .publish();
    registry
        .krate("c", "1.0.0")
        .feature("default", &[])
        .publish();
    let project = Project::new(&registry)
        .file(
            "Cargo.toml",
            "[workspace]\nmembers = ['crates/*']\nexclude = ['crates/left-out']\nresolver = '2'\n\
             [workspace.package]\nversion = '3.2.1'\nedition = '2021'\n\
             [workspace.dependencies]\na = { version = '1', features = ['x'], default-features = false }\n\
             b = { version = '1', default-features = false }\nc = '1'\none = { path = 'crates/one' }\n",
        )
        .package(
            "crates/one",
            "[package]\nname = 'one'\nversion.workspace = true\nedition.workspace = true\n[dependencies]\na = { workspace = true, features = ['y'] }\nb = { workspace = true, default-features = true }\n",
        )
        .package(
            "crates/two",
            "[package]\nname = 'two'\nversion = { workspace = true }\n[dependencies]\none.workspace = true\nc = { workspace = true, optional = true, default-features = false }\n",
        )
        .package("crates/left-out", "[package]\nname = 'left-out'\nversion = '0.1.0'\n")
        .locked();
    let workspace = check(&project);
    let members: Vec<String> = workspace
        .packages
        .iter()
        .filter(|p| p.member)
        .map(|p| p.id.to_string())
        .collect();
    assert_eq!(members, ["one@3.2.1", "two@3.2.1"]);
    assert_eq!(
        place(&workspace, "a").target_features,
        BTreeSet::from(["x".into(), "y".into()])
    );
    assert_eq!(
        place(&workspace, "one").members,
        BTreeSet::from(["one".to_owned(), "two".to_owned()]).into()
    );
}

#[test]
fn path_dependencies_join_the_workspace_when_they_lie_in_it() {
    let mut registry = LocalRegistry::new();
    registry.krate("d", "1.0.0").publish();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[workspace]\nexclude = ['vendor']\n[dependencies]\njoined = { path = 'libs/joined' }\nvendored = { path = 'vendor/vendored' }\n"),
        )
        .package("libs/joined", "[package]\nname = 'joined'\nversion = '0.1.0'\n[dev-dependencies]\nd = '1'\n")
        .package(
            "vendor/vendored",
            "[package]\nname = 'vendored'\nversion = '0.1.0'\n[dev-dependencies]\nnowhere = '1'\n",
        )
        .locked();
    let workspace = check(&project);
    assert_eq!(roles(&workspace, "d"), [Role::Dev]);
    let member = |name: &str| {
        workspace
            .packages
            .iter()
            .find(|p| p.id.name == name)
            .unwrap()
            .member
    };
    assert!(member("joined") && !member("vendored"));
}

#[test]
fn dev_dependencies_may_lead_back() {
    let mut registry = LocalRegistry::new();
    registry
        .krate("test-kit", "1.0.0")
        .feature("extra", &[])
        .publish();
    let project = Project::new(&registry)
        .file("Cargo.toml", "[workspace]\nmembers = ['a', 'b']\nresolver = '2'\n")
        .package(
            "a",
            "[package]\nname = 'a'\nversion = '0.1.0'\n[dev-dependencies]\nb = { path = '../b' }\ntest-kit = '1'\n[features]\nf = []\n",
        )
        .package("b", "[package]\nname = 'b'\nversion = '0.1.0'\n[dependencies]\na = { path = '../a', features = ['f'] }\n")
        .locked();
    let workspace = check(&project);
    let kit = place(&workspace, "test-kit");
    assert_eq!(kit.roles, BTreeSet::from([Role::Dev]));
    assert_eq!(*kit.members, BTreeSet::from(["a".to_owned()]));
}

#[test]
fn a_patch_by_path_takes_the_place_of_the_published_package() {
    let mut registry = LocalRegistry::new();
    registry.krate("a", "1.0.0").publish();
    registry.krate("user", "1.0.0").dep("a", "1").publish();
    registry.krate("below", "1.0.0").publish();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[dependencies]\nuser = '1'\na = '1'\n[patch.crates-io]\na = { path = 'patched/a' }\n"),
        )
        .package(
            "patched/a",
            "[package]\nname = 'a'\nversion = '1.0.9'\n[dependencies]\nbelow = '1'\n",
        )
        .locked();
    let workspace = check(&project);
    let patched = workspace
        .packages
        .iter()
        .find(|p| p.id.name == "a")
        .unwrap();
    assert_eq!(
        (&patched.id.source, patched.member),
        (&Source::Local, false)
    );
    assert_eq!(roles(&workspace, "below"), [Role::Target]);
}

/// A repository with a workspace of two packages; returns its URL and commit.
fn repository(project: &Project) -> (String, String) {
    let dir = project.beside("upstream");
    write(
        &dir.join("Cargo.toml"),
        "[workspace]\nmembers = ['*']\n[workspace.dependencies]\nbelow = { version = '1', features = ['g'] }\n",
    );
    write(
        &dir.join("lib/Cargo.toml"),
        "[package]\nname = 'a'\nversion = '1.2.3'\n[features]\ndefault = ['h']\nh = []\n[dependencies]\nbelow.workspace = true\nsister = { path = '../sister' }\n",
    );
    write(&dir.join("lib/src/lib.rs"), "");
    write(
        &dir.join("sister/Cargo.toml"),
        "[package]\nname = 'sister'\nversion = '0.1.0'\n[lib]\nproc-macro = true\n",
    );
    write(&dir.join("sister/src/lib.rs"), "");
    let commit = git_repository(&dir);
    (format!("file://{}", dir.display()), commit)
}

fn git_registry() -> LocalRegistry {
    let mut registry = LocalRegistry::new();
    registry.krate("a", "1.0.0").publish();
    registry.krate("below", "1.0.0").feature("g", &[]).publish();
    registry.krate("user", "1.0.0").dep("a", "1").publish();
    registry
}

#[test]
fn git_dependencies_are_read_from_cargos_store() {
    let registry = git_registry();
    let project = Project::new(&registry);
    let (url, commit) = repository(&project);
    for reference in [
        String::new(),
        ", branch = 'main'".to_owned(),
        format!(", rev = '{commit}'"),
    ] {
        let project = Project::new(&registry).package(
            "",
            &root(&format!(
                "[dependencies]\na = {{ git = '{url}'{reference} }}\n"
            )),
        );
        // The repository is not in the store yet.
        project.cargo(&["generate-lockfile"]);
        let workspace = check(&project);
        assert_eq!(roles(&workspace, "sister"), [Role::Host]);
        assert_eq!(
            place(&workspace, "below").target_features,
            BTreeSet::from(["g".to_owned()])
        );
    }
}

#[test]
fn a_patch_by_git_takes_the_place_of_the_published_package() {
    let registry = git_registry();
    let scratch = Project::new(&registry);
    let (url, _) = repository(&scratch);
    let project = Project::new(&registry).package(
        "",
        &root(&format!(
            "[dependencies]\nuser = '1'\n[patch.crates-io]\na = {{ git = '{url}' }}\n"
        )),
    );
    project.cargo(&["generate-lockfile"]);
    let workspace = check(&project);
    let patched = workspace
        .packages
        .iter()
        .find(|p| p.id.name == "a")
        .unwrap();
    assert!(matches!(patched.id.source, Source::Git { .. }));
}

#[test]
fn a_git_dependency_that_is_not_in_the_store_is_a_gap() {
    let registry = git_registry();
    let project = Project::new(&registry);
    let (url, _) = repository(&project);
    let project = Project::new(&registry).package(
        "",
        &root(&format!("[dependencies]\na = {{ git = '{url}' }}\n")),
    );
    project.cargo(&["generate-lockfile"]);
    fs::remove_dir_all(project.home().join("git")).unwrap();
    let workspace = ours(&project, &[]);
    let a = workspace
        .packages
        .iter()
        .find(|p| p.id.name == "a")
        .unwrap();
    assert_eq!((a.manifest.as_ref(), a.placement.resolved), (None, false));
    assert_eq!(roles(&workspace, "below"), [Role::Target]);
    let gaps: BTreeSet<(String, FactKind)> = workspace
        .gaps
        .iter()
        .map(|(id, gap)| (id.as_ref().unwrap().name.clone(), gap.fact))
        .collect();
    for name in ["a", "sister"] {
        for fact in [FactKind::Manifest, FactKind::Placement, FactKind::Features] {
            assert!(gaps.contains(&(name.to_owned(), fact)), "{name} {fact:?}");
        }
    }
    assert!(
        workspace.gaps[0].1.detail.contains("cargo fetch"),
        "{:?}",
        workspace.gaps[0]
    );
}

#[test]
fn a_replaced_package_is_not_built_and_its_replacement_is() {
    let registry = git_registry();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[dependencies]\nuser = '1'\n[replace]\n'a:1.0.0' = { path = 'ours/a' }\n"),
        )
        .package(
            "ours/a",
            "[package]\nname = 'a'\nversion = '1.0.0'\n[dependencies]\nbelow = '1'\n",
        )
        .locked();
    let workspace = ours(&project, &[]);
    compare(&project, &workspace, &host_triple());
    let roles: Vec<(&Source, &BTreeSet<Role>)> = workspace
        .packages
        .iter()
        .filter(|p| p.id.name == "a")
        .map(|p| (&p.id.source, &p.placement.roles))
        .collect();
    assert_eq!(
        roles,
        [
            (&Source::CratesIo, &BTreeSet::from([Role::Unbuilt])),
            (&Source::Local, &BTreeSet::from([Role::Target])),
        ]
    );
}

#[test]
fn a_path_out_of_the_tree_is_a_gap_and_not_read() {
    let mut registry = LocalRegistry::new();
    registry.krate("a", "1.0.0").publish();
    let project = Project::new(&registry).package(
        "",
        &root("[dependencies]\noutside = { path = '../outside' }\n"),
    );
    write(
        &project.beside("outside").join("Cargo.toml"),
        "[package]\nname = 'outside'\nversion = '0.1.0'\n[dependencies]\na = '1'\n",
    );
    write(&project.beside("outside").join("src/lib.rs"), "");
    let project = project.locked();
    let workspace = ours(&project, &[]);
    assert_eq!(roles(&workspace, "a"), [Role::Target]);
    assert!(
        workspace
            .gaps
            .iter()
            .all(|(id, _)| id.as_ref().unwrap().name == "outside")
    );
    assert_eq!(workspace.gaps.len(), 3);
}

#[test]
fn a_lock_file_that_cargo_would_change_is_refused() {
    let mut registry = LocalRegistry::new();
    registry.krate("a", "1.0.0").publish();
    registry.krate("b", "1.0.0").publish();
    for (now, told) in [
        (
            "[dependencies]\na = '1'\nb = '1'\n",
            "`b = \"^1\"` is declared",
        ),
        ("[dependencies]\na = '1.1'\n", "`a = \"^1.1\"` is declared"),
        ("", "`a@1.0.0` is locked, and not declared"),
    ] {
        let project = Project::new(&registry)
            .package("", &root("[dependencies]\na = '1'\n"))
            .locked();
        let project = project.package("", &root(now));
        let lock = lock::parse(&project.lock(), "Cargo.lock").unwrap();
        let error = project.direct(&lock).unwrap_err();
        assert!(matches!(error, DirectError::LockOutOfDate { .. }));
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn both_newer_lock_formats_give_the_same_graph() {
    let registry = git_registry();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[dependencies]\nuser = '1'\nbelow = { version = '1', features = ['g'] }\n"),
        )
        .locked();
    let four = check(&project);
    let three = project.lock().replace("version = 4", "version = 3");
    fs::write(project.dir().join("Cargo.lock"), three).unwrap();
    let three = check(&project);
    assert_eq!(four.packages, three.packages);
}
