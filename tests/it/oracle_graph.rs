//! Our build graph against Cargo's own answers: features, sides and platforms, on
//! small workspaces that each hold one trait.

use std::collections::BTreeSet;

use cargo_canary::snapshot::graph::{self, Resolver};
use cargo_canary::snapshot::lock;
use cargo_canary::snapshot::{BuildSettings, FeatureChoice, GraphKind, Role};

use super::support::graph_oracle::{check, compare, lines, names, ours, place, roles, root};
use super::support::local_registry::{Dep, LocalRegistry};
use super::support::project::{Project, host_triple};

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
