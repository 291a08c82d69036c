//! Comparing our build graph with what Cargo says of the same workspace.

use std::collections::{BTreeMap, BTreeSet};

use cargo_canary::snapshot::graph;
use cargo_canary::snapshot::lock;
use cargo_canary::snapshot::{
    BuildSettings, FeatureChoice, GraphKind, Input, InputKind, Package, Placement, Role, Snapshot,
    Workspace,
};

use super::project::{Line, Project, host_triple};

/// The workspace's graph as we see it, for the machine's own target and `more`.
pub(crate) fn ours(project: &Project, more: &[&str]) -> Workspace {
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
    verify(&workspace);
    workspace
}

pub(crate) fn settings(more: &[&str]) -> BuildSettings {
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

pub(crate) fn line(package: &Package, features: &BTreeSet<String>) -> Line {
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
pub(crate) fn check(project: &Project) -> Workspace {
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

pub(crate) fn compare(project: &Project, workspace: &Workspace, target: &str) {
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

pub(crate) fn place<'w>(workspace: &'w Workspace, name: &str) -> &'w Placement {
    let mut found = workspace.packages.iter().filter(|p| p.id.name == name);
    let package = found.next().unwrap_or_else(|| panic!("no `{name}`"));
    assert!(found.next().is_none(), "several `{name}`");
    &package.placement
}

pub(crate) fn roles(workspace: &Workspace, name: &str) -> Vec<Role> {
    place(workspace, name).roles.iter().copied().collect()
}

pub(crate) const ROOT: &str = "[package]\nname = 'root'\nversion = '0.1.0'\nedition = '2021'\n";

pub(crate) fn root(rest: &str) -> String {
    format!("{ROOT}{rest}")
}

/// The rules that every snapshot keeps.
fn verify(workspace: &Workspace) {
    let input = Input {
        given: "test".to_owned(),
        kind: InputKind::Directory,
        commit: None,
        digest: format!("sha256:{}", "0".repeat(64)),
    };
    let workspaces = vec![workspace.clone()];
    let snapshot = Snapshot {
        input,
        workspaces,
        not_covered: Vec::new(),
    };
    assert_eq!(snapshot.verify(), Ok(()));
}
