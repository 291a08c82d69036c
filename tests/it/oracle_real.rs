//! Our build graph against Cargo's on published applications whose package
//! carries its lock file. Needs the network for the first run, so it runs only
//! when `CANARY_ORACLE=1` is set; `CANARY_ORACLE_CRATES` names others
//! (`name@version`, separated by commas), `CANARY_ORACLE_HOME` a directory to
//! keep the downloads in.
#![expect(clippy::print_stdout, reason = "what was measured is read by a person")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use cargo_canary::host::{Environment, Host};
use cargo_canary::registry::{Access, Registry};
use cargo_canary::snapshot::direct;
use cargo_canary::snapshot::graph::{self, Resolver};
use cargo_canary::snapshot::lock::{self, LockFile};
use cargo_canary::snapshot::tree::DirectoryTree;
use cargo_canary::snapshot::{BuildSettings, FeatureChoice, GraphKind, Package, Role, Workspace};

use serde_json::Value;

use super::support::graph_oracle::{lines, names};
use super::support::project::{Line, host_triple, run, tree_lines};

const CRATES: &str = "ripgrep@15.1.0,nu@0.110.0,nu@0.116.1";

#[test]
fn published_applications_have_the_graph_that_cargo_says() {
    if std::env::var_os("CANARY_ORACLE").is_none() {
        println!("skipped: CANARY_ORACLE=1 runs it, with the network");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let home = std::env::var_os("CANARY_ORACLE_HOME")
        .map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    let crates = std::env::var("CANARY_ORACLE_CRATES").unwrap_or_else(|_| CRATES.to_owned());
    let mut wrong = Vec::new();
    for release in crates.split(',') {
        let (name, version) = release.split_once('@').unwrap();
        let dir = home.join(format!("{name}-{version}"));
        unpack(&home, name, version);
        cargo(&home, &dir, &["fetch", "--locked"]);
        wrong.extend(
            compare(&home, &dir)
                .into_iter()
                .map(|line| format!("{release}: {line}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Downloads a release and leaves out what would choose another toolchain.
fn unpack(home: &Path, name: &str, version: &str) {
    let dir = home.join(format!("{name}-{version}"));
    if !dir.exists() {
        let archive = home.join(format!("{name}-{version}.crate"));
        let url = format!("https://static.crates.io/crates/{name}/{name}-{version}.crate");
        run(Command::new("curl")
            .args(["-sSfL", &url, "-o"])
            .arg(&archive));
        run(Command::new("tar")
            .arg("xzf")
            .arg(&archive)
            .arg("-C")
            .arg(home));
    }
    let _ = fs::remove_file(dir.join("rust-toolchain.toml"));
    let _ = fs::remove_dir_all(dir.join(".cargo"));
}

fn cargo(home: &Path, dir: &Path, args: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .args(args)
        .current_dir(dir)
        .env("CARGO_HOME", home.join("home"))
        // For `--unit-graph`.
        .env("RUSTC_BOOTSTRAP", "1"))
}

fn compare(home: &Path, dir: &Path) -> Vec<String> {
    let target = host_triple();
    let settings = BuildSettings {
        targets: vec![target.clone()],
        features: FeatureChoice::Default,
    };
    let (workspace, lock, resolver) = ours(home, dir, &settings);
    let start = Instant::now();
    let json = cargo(
        home,
        dir,
        &[
            "metadata",
            "--format-version",
            "1",
            "--all-features",
            "--locked",
            "--offline",
        ],
    );
    println!(
        "cargo metadata: {:?}, {} KiB",
        start.elapsed(),
        json.len() / 1024
    );
    let kind = GraphKind::Cargo;
    let cargos = graph::resolve(&json, Some(&lock), ".", kind, Some(resolver), &settings).unwrap();
    let mut wrong = differences(&workspace, &cargos);
    let mut args = vec![
        "tree",
        "--locked",
        "--offline",
        "--workspace",
        "--prefix",
        "none",
    ];
    args.extend([
        "-f",
        "{p}|{f}",
        "-e",
        "normal,no-proc-macro",
        "--target",
        &target,
    ]);
    for package in workspace.packages.iter().filter(|p| p.member) {
        // As a root of the tree it would count as built for the target.
        if package.manifest.as_ref().is_some_and(|m| m.proc_macro) {
            args.extend(["--exclude", package.id.name.as_str()]);
        }
    }
    let tree = tree_lines(&cargo(home, dir, &args));
    wrong.extend(sets(
        "tree, target",
        &lines(&workspace, &[Role::Target]),
        &tree,
    ));
    wrong.extend(compare_units(home, dir, &workspace, &json));
    wrong
}

/// The graph as we see it, with the time that each step took.
fn ours(home: &Path, dir: &Path, settings: &BuildSettings) -> (Workspace, LockFile, Resolver) {
    let mut host = Host::real(None);
    let path = std::env::var_os("PATH").unwrap();
    host.env = Environment::new([
        ("CARGO_HOME".to_owned(), home.join("home").into_os_string()),
        ("PATH".to_owned(), path),
    ]);
    let access = Access {
        cargo_home: Some(home.join("home")),
        cache_dir: Some(home.join("cache")),
        ..Access::default()
    };
    let registry = Registry::open(&host, access);
    let tree = DirectoryTree::open(&host, dir, None).unwrap();
    let text = fs::read_to_string(dir.join("Cargo.lock")).unwrap();
    let start = Instant::now();
    let lock = lock::parse(&text, "Cargo.lock").unwrap();
    let locked = start.elapsed();
    let found = direct::metadata(&tree, ".", &lock, &registry, &host).unwrap();
    let written = start.elapsed();
    let (kind, resolver) = (GraphKind::Direct, Some(found.resolver));
    let workspace =
        graph::resolve(&found.json, Some(&lock), ".", kind, resolver, settings).unwrap();
    let resolved = start.elapsed();
    println!(
        "{}: {} packages, resolver {:?}; lock {locked:?}, document {:?} ({} KiB), graph {:?}; {} gaps",
        dir.display(),
        workspace.packages.len(),
        found.resolver,
        written - locked,
        found.json.len() / 1024,
        resolved - written,
        found.gaps.len(),
    );
    (workspace, lock, found.resolver)
}

/// Compares with what Cargo would run. That is exact, where `cargo tree` shows
/// the build dependencies of packages that have no build script.
fn compare_units(home: &Path, dir: &Path, workspace: &Workspace, json: &str) -> Vec<String> {
    let target = host_triple();
    let names_by_id = names_by_id(json);
    let asked = |more: &[&str]| {
        let mut args = vec![
            "build",
            "--unit-graph",
            "-Z",
            "unstable-options",
            "--workspace",
        ];
        args.extend([
            "--locked",
            "--offline",
            "--ignore-rust-version",
            "--target",
            &target,
        ]);
        args.extend(more);
        units(&cargo(home, dir, &args), &names_by_id)
    };
    let of = |roles: &[Role]| lines(workspace, roles);
    let [target_units, host_units] = asked(&[]);
    let mut wrong = sets("units, target", &of(&[Role::Target]), &target_units);
    wrong.extend(sets("units, host", &of(&[Role::Host]), &host_units));
    let [target_units, host_units] = asked(&["--all-targets"]);
    let tested = names(&of(&[Role::Target, Role::Host, Role::Dev]));
    let cargos: BTreeSet<_> = target_units.union(&host_units).cloned().collect();
    wrong.extend(sets("units, with tests", &tested, &names(&cargos)));
    wrong
}

/// Name and version of each package of a metadata document.
fn names_by_id(json: &str) -> BTreeMap<String, (String, String)> {
    let document: Value = serde_json::from_str(json).unwrap();
    let text = |package: &Value, key: &str| package[key].as_str().unwrap().to_owned();
    let packages = document["packages"].as_array().unwrap().iter();
    packages
        .map(|p| (text(p, "id"), (text(p, "name"), text(p, "version"))))
        .collect()
}

/// What Cargo would compile, for the target and for the host. The compilation
/// of a build script counts for nothing: it is part of its package.
fn units(json: &str, names: &BTreeMap<String, (String, String)>) -> [BTreeSet<Line>; 2] {
    let graph: Value = serde_json::from_str(json).unwrap();
    let mut sides = [BTreeSet::new(), BTreeSet::new()];
    for unit in graph["units"].as_array().unwrap() {
        if unit["target"]["kind"][0] == "custom-build" {
            continue;
        }
        let (name, version) = names[unit["pkg_id"].as_str().unwrap()].clone();
        let features = unit["features"].as_array().unwrap();
        let features = features
            .iter()
            .map(|f| f.as_str().unwrap().to_owned())
            .collect();
        sides[usize::from(unit["platform"].is_null())].insert((name, version, features));
    }
    sides
}

fn sets<T: Ord + std::fmt::Debug>(
    what: &str,
    ours: &BTreeSet<T>,
    cargos: &BTreeSet<T>,
) -> Vec<String> {
    println!("{what}: {} = {}", ours.len(), cargos.len());
    let more = ours
        .difference(cargos)
        .map(|line| format!("{what}: only ours: {line:?}"));
    let less = cargos
        .difference(ours)
        .map(|line| format!("{what}: only cargo's: {line:?}"));
    more.chain(less).collect()
}

/// Package by package: places, manifests and edges.
fn differences(ours: &Workspace, cargos: &Workspace) -> Vec<String> {
    let told = |workspace: &Workspace, package: &Package| {
        let edges: Vec<_> = package
            .edges
            .iter()
            .map(|edge| {
                (
                    workspace.packages[edge.to].id.to_string(),
                    edge.kinds.clone(),
                )
            })
            .collect();
        format!("{:?} {:?} {edges:?}", package.placement, package.manifest)
    };
    if ours.packages.len() != cargos.packages.len() {
        return vec![format!(
            "{} and {} packages",
            ours.packages.len(),
            cargos.packages.len()
        )];
    }
    let pairs = ours.packages.iter().zip(&cargos.packages);
    pairs
        .filter_map(|(a, b)| {
            let (told_a, told_b) = (told(ours, a), told(cargos, b));
            (told_a != told_b).then(|| format!("{}:\n  ours    {told_a}\n  cargo's {told_b}", a.id))
        })
        .collect()
}
