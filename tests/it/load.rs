//! Whole builds, from their name to a snapshot that keeps its rules: this
//! project itself, by every way to the graph.

use std::path::Path;
use std::time::{Duration, Instant};

use cargo_canary::host::Host;
use cargo_canary::pkg::Source;
use cargo_canary::registry::{Access, Registry};
use cargo_canary::snapshot::{
    BuildName, BuildSettings, FeatureChoice, GraphMode, Role, Snapshot, load, open,
};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Loads a build without any network.
fn loaded(name: &BuildName, mode: GraphMode) -> Snapshot {
    let host = Host::real(None);
    let access = Access {
        cargo_home: host.env.cargo_home(),
        user_home: host.env.home(),
        ..Access::default()
    };
    let registry = Registry::open(&host, access);
    let settings = BuildSettings {
        targets: vec!["x86_64-unknown-linux-gnu".to_owned()],
        features: FeatureChoice::Default,
    };
    let start = Instant::now();
    let opened = open(name, here(), &host).unwrap();
    let snapshot = load(&opened, &settings, mode, &registry, &host).unwrap();
    assert!(start.elapsed() < Duration::from_secs(120));
    assert_eq!(snapshot.verify(), Ok(()));
    snapshot
}

fn own() -> BuildName {
    BuildName::Named(here().display().to_string())
}

#[test]
fn this_project_is_covered_by_every_way_with_one_digest() {
    let lock = loaded(
        &BuildName::Named(here().join("Cargo.lock").display().to_string()),
        GraphMode::Auto,
    );
    let direct = loaded(&own(), GraphMode::Direct);
    let alone = loaded(&own(), GraphMode::LockOnly);
    assert_eq!(direct.input.digest, alone.input.digest);
    let of = |snapshot: &Snapshot| {
        let root = snapshot.workspaces.iter().find(|w| w.path == ".").unwrap();
        let packages = root.packages.iter();
        packages
            .map(|p| (p.id.clone(), p.checksum.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&direct), of(&alone));
    assert_eq!(of(&direct), of(&lock));
    members_and_lines_are_those_of_the_lock_file(&direct);
}

fn members_and_lines_are_those_of_the_lock_file(direct: &Snapshot) {
    let text = std::fs::read_to_string(here().join("Cargo.lock")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let root = direct.workspaces.iter().find(|w| w.path == ".").unwrap();
    assert_eq!(root.lock_lines.len(), root.packages.len());
    for (package, line) in root.packages.iter().zip(&root.lock_lines) {
        assert_eq!(
            lines[*line as usize - 1],
            format!("name = \"{}\"", package.id.name)
        );
        assert_eq!(package.member, package.id.source == Source::Local);
    }
    let role = |name: &str| {
        let package = root.packages.iter().find(|p| p.id.name == name).unwrap();
        package.placement.roles.clone()
    };
    assert!(role("semver").contains(&Role::Target));
    assert_eq!(role("proptest"), [Role::Dev].into());
}
