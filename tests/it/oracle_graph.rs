//! Our build graph against Cargo's own answers: packages, features and sides of
//! `cargo tree`, on small workspaces that each hold one trait.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cargo_canary::facts::FactKind;
use cargo_canary::pkg::Source;
use cargo_canary::snapshot::direct::DirectError;
use cargo_canary::snapshot::graph::{self, Resolver};
use cargo_canary::snapshot::lock;
use cargo_canary::snapshot::{
    BuildSettings, FeatureChoice, GraphKind, Package, Placement, Role, Workspace,
};

use super::support::local_registry::{Dep, LocalRegistry};
use super::support::project::{Line, Project, git_repository, host_triple, write};

/// The workspace's graph as we see it, for the machine's own target and `more`.
fn ours(project: &Project, more: &[&str]) -> Workspace {
    let lock = lock::parse(&project.lock(), "Cargo.lock").unwrap();
    let found = project.direct(&lock).unwrap();
    let mut workspace = graph::resolve(
        &found.json,
        Some(&lock),
        ".",
        GraphKind::Direct,
        Some(found.resolver),
        &settings(more),
    )
    .unwrap();
    workspace.gaps.extend(found.gaps);
    workspace
}

fn settings(more: &[&str]) -> BuildSettings {
    let mut targets = vec![host_triple()];
    targets.extend(more.iter().map(|t| (*t).to_owned()));
    BuildSettings {
        targets,
        features: FeatureChoice::Default,
    }
}

/// The packages that stand in any of these roles, once for each set of features.
pub(crate) fn lines(workspace: &Workspace, roles: &[Role]) -> BTreeSet<Line> {
    let mut lines = BTreeSet::new();
    for package in &workspace.packages {
        for role in roles
            .iter()
            .filter(|role| package.placement.roles.contains(role))
        {
            let features = match role {
                Role::Target | Role::Dev | Role::Unbuilt => &package.placement.target_features,
                Role::Host => &package.placement.host_features,
            };
            lines.insert(line(package, features));
        }
    }
    lines
}

fn line(package: &Package, features: &BTreeSet<String>) -> Line {
    (
        package.id.name.clone(),
        package.id.version.to_string(),
        features.clone(),
    )
}

pub(crate) fn names(lines: &BTreeSet<Line>) -> BTreeSet<(String, String)> {
    lines
        .iter()
        .map(|(name, version, _)| (name.clone(), version.clone()))
        .collect()
}

/// Compares with `cargo tree`: what is built with its features, which side it is
/// on, what the tests add, and what Cargo itself puts into a metadata document.
fn check(project: &Project) -> Workspace {
    let target = host_triple();
    let workspace = ours(project, &[]);
    assert_eq!(workspace.gaps, Vec::new());
    compare(project, &workspace, &target);
    let json = project.cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--all-features",
        "--locked",
        "--offline",
    ]);
    let lock = lock::parse(&project.lock(), "Cargo.lock").unwrap();
    let resolver = project.resolver();
    let cargos = graph::resolve(
        &json,
        Some(&lock),
        ".",
        GraphKind::Cargo,
        Some(resolver),
        &settings(&[]),
    )
    .unwrap();
    let facts = |workspace: &Workspace| -> BTreeMap<String, (Placement, Option<_>)> {
        let all = workspace.packages.iter();
        all.map(|p| (p.id.to_string(), (p.placement.clone(), p.manifest.clone())))
            .collect()
    };
    assert_eq!(facts(&workspace), facts(&cargos));
    workspace
}

fn compare(project: &Project, workspace: &Workspace, target: &str) {
    let built = project.cargo_tree("normal,build", target, &["--workspace"]);
    assert_eq!(lines(workspace, &[Role::Target, Role::Host]), built);
    let mut members: Vec<&str> = vec!["--workspace"];
    for package in workspace.packages.iter().filter(|p| p.member) {
        // As a root of the tree it would count as built for the target.
        if package.manifest.as_ref().is_some_and(|m| m.proc_macro) {
            members.extend(["--exclude", package.id.name.as_str()]);
        }
    }
    let on_target = project.cargo_tree("normal,no-proc-macro", target, &members);
    assert_eq!(lines(workspace, &[Role::Target]), on_target);
    let tested = project.cargo_tree("normal,build,dev", target, &["--workspace"]);
    assert_eq!(
        names(&lines(workspace, &[Role::Target, Role::Host, Role::Dev])),
        names(&tested)
    );
}

fn place<'w>(workspace: &'w Workspace, name: &str) -> &'w Placement {
    let mut found = workspace.packages.iter().filter(|p| p.id.name == name);
    let package = found.next().unwrap_or_else(|| panic!("no `{name}`"));
    assert!(found.next().is_none(), "several `{name}`");
    &package.placement
}

fn roles(workspace: &Workspace, name: &str) -> Vec<Role> {
    place(workspace, name).roles.iter().copied().collect()
}

const ROOT: &str = "[package]\nname = 'root'\nversion = '0.1.0'\nedition = '2021'\n";

fn root(rest: &str) -> String {
    format!("{ROOT}{rest}")
}

#[test]
fn weak_and_namespaced_features_switch_on_what_cargo_switches_on() {
    let mut registry = LocalRegistry::new();
    registry
        .krate("deep", "1.0.0")
        .feature("x", &[])
        .feature("y", &[])
        .publish();
    registry.krate("other", "1.0.0").publish();
    registry
        .krate("mid", "1.0.0")
        .with(Dep::new("deep", "1").optional())
        .with(Dep::new("other", "1").optional())
        .feature("weak", &["deep?/x"])
        .feature("strong", &["deep/y"])
        .feature("hidden", &["dep:other"])
        .publish();
    for features in ["'weak'", "'weak', 'strong'", "'hidden'", "'deep', 'weak'"] {
        let project = Project::new(&registry)
            .package(
                "",
                &root(&format!(
                    "[dependencies]\nmid = {{ version = '1', features = [{features}] }}\n"
                )),
            )
            .locked();
        check(&project);
    }
}

#[test]
fn optional_dependencies_of_members_are_in_the_lock_and_not_built() {
    let mut registry = LocalRegistry::new();
    registry
        .krate("a", "1.0.0")
        .feature("default", &["std"])
        .feature("std", &[])
        .publish();
    registry.krate("b", "1.0.0").publish();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[dependencies]\na = { version = '1', optional = true, default-features = false }\nb = { version = '1', optional = true }\n[features]\ndefault = ['b']\nfull = ['dep:a', 'a/std']\n"),
        )
        .locked();
    let workspace = check(&project);
    assert_eq!(roles(&workspace, "a"), [Role::Unbuilt]);
    assert_eq!(roles(&workspace, "b"), [Role::Target]);
    assert!(place(&workspace, "a").direct);
}

/// One package with features that a build dependency, a test and another target ask for.
fn unification(registry: &mut LocalRegistry) {
    let mut shared = registry.krate("shared", "1.0.0");
    for feature in ["normal", "build", "dev", "windows", "through"] {
        shared = shared.feature(feature, &[]);
    }
    shared.publish();
    registry
        .krate("tool", "1.0.0")
        .with(Dep::new("shared", "1").features(&["through"]))
        .publish();
}

#[test]
fn each_resolver_unifies_features_as_cargo_does() {
    let mut registry = LocalRegistry::new();
    unification(&mut registry);
    for key in [
        "resolver = '1'\n",
        "resolver = '2'\n",
        "resolver = '3'\n",
        "",
    ] {
        for edition in ["2018", "2021", "2024"] {
            let manifest = format!(
                "[package]\nname = 'root'\nversion = '0.1.0'\nedition = '{edition}'\n{key}\
                 [dependencies]\nshared = {{ version = '1', features = ['normal'] }}\n\
                 [build-dependencies]\nshared = {{ version = '1', features = ['build'] }}\ntool = '1'\n\
                 [dev-dependencies]\nshared = {{ version = '1', features = ['dev'] }}\n\
                 [target.'cfg(windows)'.dependencies]\nshared = {{ version = '1', features = ['windows'] }}\n"
            );
            let project = Project::new(&registry)
                .package("", &manifest)
                .file("build.rs", "fn main() {}")
                .locked();
            let workspace = check(&project);
            let both = place(&workspace, "shared");
            assert_eq!(both.roles, BTreeSet::from([Role::Target, Role::Host]));
            let apart = key != "resolver = '1'\n" && !(key.is_empty() && edition == "2018");
            assert_eq!(
                both.target_features != both.host_features,
                apart,
                "{key} {edition}"
            );
        }
    }
}

#[test]
fn without_a_build_script_build_dependencies_are_not_built() {
    let mut registry = LocalRegistry::new();
    unification(&mut registry);
    registry.krate("helper", "1.0.0").publish();
    registry
        .krate("scripted", "1.0.0")
        .build_dep("helper", "1")
        .build_script()
        .publish();
    registry
        .krate("scriptless", "1.0.0")
        .build_dep("tool", "1")
        .publish();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[dependencies]\nscripted = '1'\nscriptless = '1'\n"),
        )
        .locked();
    // `cargo tree` shows the build dependencies of `scriptless`, and `cargo build`
    // does not build them.
    let workspace = ours(&project, &[]);
    assert_eq!(roles(&workspace, "helper"), [Role::Host]);
    assert_eq!(roles(&workspace, "tool"), [Role::Unbuilt]);
}

#[test]
fn optional_build_dependencies_follow_their_feature() {
    let mut registry = LocalRegistry::new();
    registry
        .krate("cc", "1.0.0")
        .feature("parallel", &[])
        .publish();
    registry
        .krate("native", "1.0.0")
        .with(Dep::new("cc", "1").build().optional())
        .feature("bundled", &["dep:cc", "cc/parallel"])
        .build_script()
        .links("native")
        .publish();
    for features in ["", "'bundled'"] {
        let manifest = root(&format!(
            "[dependencies]\nnative = {{ version = '1', features = [{features}] }}\n"
        ));
        let project = Project::new(&registry).package("", &manifest).locked();
        let workspace = check(&project);
        let manifest = workspace
            .packages
            .iter()
            .find(|p| p.id.name == "native")
            .unwrap();
        assert_eq!(
            manifest.manifest.as_ref().unwrap().links.as_deref(),
            Some("native")
        );
        let built = workspace
            .packages
            .iter()
            .any(|p| p.id.name == "cc" && p.placement.is_built());
        assert_eq!(built, !features.is_empty());
    }
}

#[test]
fn what_a_procedural_macro_needs_is_built_for_the_host() {
    let mut registry = LocalRegistry::new();
    registry
        .krate("quote", "1.0.0")
        .feature("a", &[])
        .feature("b", &[])
        .publish();
    registry
        .krate("derive", "1.0.0")
        .with(Dep::new("quote", "1").features(&["a"]))
        .proc_macro()
        .publish();
    let project = Project::new(&registry)
        .file("Cargo.toml", "[workspace]\nresolver = '2'\nmembers = ['app', 'own-macro']\n")
        .package(
            "app",
            &root("[dependencies]\nderive = '1'\nown-macro = { path = '../own-macro' }\nquote = { version = '1', features = ['b'] }\n"),
        )
        .package(
            "own-macro",
            "[package]\nname = 'own-macro'\nversion = '0.1.0'\n[lib]\nproc-macro = true\n[dependencies]\nquote = '1'\n",
        )
        .locked();
    let workspace = check(&project);
    assert_eq!(roles(&workspace, "derive"), [Role::Host]);
    assert_eq!(roles(&workspace, "own-macro"), [Role::Host]);
    assert_eq!(roles(&workspace, "quote"), [Role::Target, Role::Host]);
}

#[test]
fn renamed_dependencies_and_libraries_keep_their_features() {
    let mut registry = LocalRegistry::new();
    registry.krate("two", "1.5.0").feature("x", &[]).publish();
    registry.krate("two", "2.1.0").feature("x", &[]).publish();
    registry
        .krate("odd-name", "1.0.0")
        .lib_name("straight")
        .feature("f", &[])
        .publish();
    registry
        .krate("user", "1.0.0")
        .with(Dep::new("two", "2").called("second").optional())
        .with(Dep::new("odd-name", "1").called("other"))
        .feature("s", &["second/x", "other/f"])
        .publish();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[dependencies]\ntwo = '1'\ntwo_again = { package = 'two', version = '2', features = ['x'] }\nodd-name = '1'\nuser = { version = '1', features = ['s'] }\n"),
        )
        .locked();
    let workspace = check(&project);
    assert_eq!(
        workspace
            .packages
            .iter()
            .filter(|p| p.id.name == "two")
            .count(),
        2
    );
}

#[test]
fn one_release_under_two_names_has_the_features_of_both() {
    let mut registry = LocalRegistry::new();
    registry
        .krate("a", "1.0.0")
        .feature("x", &[])
        .feature("y", &[])
        .feature("z", &[])
        .publish();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[dependencies]\na = { version = '1', features = ['x'] }\nb = { package = 'a', version = '1', features = ['y'] }\n"),
        )
        .locked();
    let workspace = ours(&project, &[]);
    compare(&project, &workspace, &host_triple());
    let project = Project::new(&registry)
        .package(
            "",
            &root("[dependencies]\na = { version = '1', optional = true }\nb = { package = 'a', version = '1', features = ['y'], optional = true }\n[features]\ndefault = ['b', 'w']\nw = ['b?/z']\n"),
        )
        .locked();
    let workspace = ours(&project, &[]);
    assert_eq!(
        place(&workspace, "a").target_features,
        BTreeSet::from(["y".to_owned(), "z".to_owned()])
    );
}

#[test]
fn a_dependency_of_another_platform_is_not_built() {
    let mut registry = LocalRegistry::new();
    registry
        .krate("winonly", "1.0.0")
        .dep("below", "1")
        .publish();
    registry.krate("below", "1.0.0").publish();
    registry.krate("triple", "1.0.0").publish();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[target.'cfg(windows)'.dependencies]\nwinonly = '1'\n[target.x86_64-pc-windows-msvc.dependencies]\ntriple = '1'\n"),
        )
        .locked();
    let workspace = check(&project);
    for name in ["winonly", "below", "triple"] {
        assert_eq!(roles(&workspace, name), [Role::Unbuilt]);
    }
    let windows = "x86_64-pc-windows-msvc";
    let both = ours(&project, &[windows]);
    let on_windows: BTreeSet<(String, String)> = both
        .packages
        .iter()
        .filter(|p| p.placement.targets.contains(windows))
        .map(|p| (p.id.name.clone(), p.id.version.to_string()))
        .collect();
    assert_eq!(
        on_windows,
        names(&project.cargo_tree("normal,build", windows, &["--workspace"]))
    );
}

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
        BTreeSet::from(["one".to_owned(), "two".to_owned()])
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
    assert_eq!(kit.members, BTreeSet::from(["a".to_owned()]));
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

#[test]
fn the_features_that_are_asked_for_are_built() {
    let mut registry = LocalRegistry::new();
    registry.krate("a", "1.0.0").publish();
    registry.krate("b", "1.0.0").publish();
    let project = Project::new(&registry)
        .package(
            "",
            &root("[dependencies]\na = { version = '1', optional = true }\nb = { version = '1', optional = true }\n[features]\ndefault = ['a']\nmore = ['b']\n"),
        )
        .locked();
    let lock = lock::parse(&project.lock(), "Cargo.lock").unwrap();
    let found = project.direct(&lock).unwrap();
    let built = |features: FeatureChoice, arguments: &[&str]| {
        let settings = BuildSettings {
            targets: vec![host_triple()],
            features,
        };
        let workspace = graph::resolve(
            &found.json,
            Some(&lock),
            ".",
            GraphKind::Direct,
            Some(Resolver::V2),
            &settings,
        )
        .unwrap();
        let mut all = vec!["--workspace"];
        all.extend(arguments);
        let cargos = project.cargo_tree("normal,build", &host_triple(), &all);
        assert_eq!(lines(&workspace, &[Role::Target, Role::Host]), cargos);
        workspace.gaps.len()
    };
    let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    assert_eq!(built(FeatureChoice::All, &["--all-features"]), 0);
    assert_eq!(built(FeatureChoice::None, &["--no-default-features"]), 0);
    assert_eq!(
        built(
            FeatureChoice::DefaultAnd(set(&["more"])),
            &["--features", "more"]
        ),
        0
    );
    assert_eq!(
        built(
            FeatureChoice::DefaultAnd(set(&["root/more"])),
            &["--features", "more"]
        ),
        0
    );
    let only = &["--no-default-features", "--features", "more"];
    assert_eq!(built(FeatureChoice::Only(set(&["more"])), only), 0);
    assert_eq!(built(FeatureChoice::DefaultAnd(set(&["less"])), &[]), 1);
}
