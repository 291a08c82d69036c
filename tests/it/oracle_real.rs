//! Our build graph against Cargo's on published applications whose package
//! carries its lock file. Needs the network for the first run, so it runs only
//! when `CANARY_ORACLE=1` is set; `CANARY_ORACLE_CRATES` names others
//! (`name@version`, separated by commas), `CANARY_ORACLE_HOME` a directory to
//! keep the downloads in.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use cargo_canary::host::{Environment, Host};
use cargo_canary::registry::{Access, Registry};
use cargo_canary::snapshot::direct;
use cargo_canary::snapshot::graph;
use cargo_canary::snapshot::lock;
use cargo_canary::snapshot::tree::DirectoryTree;
use cargo_canary::snapshot::{BuildSettings, FeatureChoice, GraphKind, Package, Role, Workspace};

use super::oracle_graph::{lines, names};
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
        .env("CARGO_HOME", home.join("home")))
}

fn compare(home: &Path, dir: &Path) -> Vec<String> {
    let target = host_triple();
    let mut host = Host::real(None);
    host.env = Environment::new([("CARGO_HOME".to_owned(), home.join("home").into_os_string())]);
    let access = Access {
        cargo_home: Some(home.join("home")),
        cache_dir: Some(home.join("cache")),
        ..Access::default()
    };
    let registry = Registry::open(&host, access);
    let tree = DirectoryTree::open(&host, dir, None).unwrap();
    let text = fs::read_to_string(dir.join("Cargo.lock")).unwrap();
    let settings = BuildSettings {
        targets: vec![target.clone()],
        features: FeatureChoice::Default,
    };
    let start = Instant::now();
    let lock = lock::parse(&text, "Cargo.lock").unwrap();
    let locked = start.elapsed();
    let found = direct::metadata(&tree, ".", &lock, &registry, &host).unwrap();
    let put_together = start.elapsed();
    let resolver = Some(found.resolver);
    let workspace = graph::resolve(
        &found.json,
        Some(&lock),
        ".",
        GraphKind::Direct,
        resolver,
        &settings,
    )
    .unwrap();
    let resolved = start.elapsed();
    println!(
        "{}: {} packages, {} members, resolver {:?}; lock {locked:?}, document {:?} ({} KiB), graph {:?}, {} gaps",
        dir.display(),
        workspace.packages.len(),
        workspace.packages.iter().filter(|p| p.member).count(),
        found.resolver,
        put_together - locked,
        found.json.len() / 1024,
        resolved - put_together,
        found.gaps.len(),
    );
    let start = Instant::now();
    let metadata = [
        "metadata",
        "--format-version",
        "1",
        "--all-features",
        "--locked",
        "--offline",
    ];
    let json = cargo(home, dir, &metadata);
    println!(
        "cargo metadata: {:?}, {} KiB",
        start.elapsed(),
        json.len() / 1024
    );
    let cargos = graph::resolve(
        &json,
        Some(&lock),
        ".",
        GraphKind::Cargo,
        resolver,
        &settings,
    )
    .unwrap();
    let mut wrong = differences(&workspace, &cargos);
    let asked = |edges: &str, more: &[&str]| -> BTreeSet<Line> {
        let mut args = vec![
            "tree",
            "--locked",
            "--offline",
            "--workspace",
            "--prefix",
            "none",
        ];
        args.extend(["-f", "{p}|{f}", "-e", edges, "--target", &target]);
        args.extend(more);
        tree_lines(&cargo(home, dir, &args))
    };
    let mut without_macros = Vec::new();
    for package in workspace.packages.iter().filter(|p| p.member) {
        if package.manifest.as_ref().is_some_and(|m| m.proc_macro) {
            without_macros.extend(["--exclude", package.id.name.as_str()]);
        }
    }
    let built = lines(&workspace, &[Role::Target, Role::Host]);
    let on_target = lines(&workspace, &[Role::Target]);
    let tested = names(&lines(&workspace, &[Role::Target, Role::Host, Role::Dev]));
    wrong.extend(sets("built", &built, &asked("normal,build", &[])));
    wrong.extend(sets(
        "target",
        &on_target,
        &asked("normal,no-proc-macro", &without_macros),
    ));
    wrong.extend(sets(
        "with tests",
        &tested,
        &names(&asked("normal,build,dev", &[])),
    ));
    wrong
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
