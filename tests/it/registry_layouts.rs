//! The layouts in which the tests' own registry can be written, read by Cargo
//! and by us.

use std::fs;

use cargo_canary::facts::Finding;
use cargo_canary::host::Host;
use cargo_canary::registry::{Access, Registry};
use cargo_canary::snapshot::direct::Published;

use super::support::local_registry::{Dep, LocalRegistry, id};
use super::support::project::Project;

fn registry() -> LocalRegistry {
    let mut registry = LocalRegistry::new();
    registry
        .krate("below", "1.0.0")
        .edition("2018")
        .feature("default", &[])
        .publish();
    registry
        .krate("above", "0.3.1")
        .with(Dep::new("below", "1").no_default().target("cfg(unix)"))
        .with(Dep::new("below", "1").dev())
        .published("2026-01-02T03:04:05Z")
        .publish();
    registry.krate("above", "0.3.2").yanked().publish();
    registry
}

#[test]
fn cargo_takes_the_written_caches_for_its_own() {
    let registry = registry();
    let project = Project::new(&registry).package(
        "",
        "[package]\nname = 'root'\nversion = '0.1.0'\n[dependencies]\nabove = '0.3'\n",
    );
    // Without source replacement there are only the caches to read from.
    fs::remove_file(project.home().join("config.toml")).unwrap();
    registry.write_cargo_home(&project.home());
    let project = project.locked();
    assert!(project.lock().contains(registry.checksum("above", "0.3.1")));
    assert!(!project.lock().contains("0.3.2"));
    assert!(
        project
            .cargo(&["tree", "--offline"])
            .contains("below v1.0.0")
    );
}

#[test]
fn we_read_the_written_caches_as_cargo_does() {
    let registry = registry();
    let home = tempfile::tempdir().unwrap();
    registry.write_cargo_home(home.path());
    let host = Host::real(None);
    let access = Access {
        cargo_home: Some(home.path().to_owned()),
        ..Access::default()
    };
    let published = Registry::open(&host, access);
    let wanted = [
        id("above", "0.3.1"),
        id("below", "1.0.0"),
        id("above", "0.4.0"),
    ];
    let releases = published.releases(&wanted);
    let above = releases[0].seen().unwrap();
    assert_eq!(above.checksum, registry.checksum("above", "0.3.1"));
    assert_eq!(above.dependencies.len(), 2);
    assert!(!above.dependencies[0].default_features);
    assert!(
        matches!(releases[2], Finding::Unknown(_)),
        "a cache may lack what is newer"
    );
    let manifests = Published::manifests(&published, &[(id("below", "1.0.0"), None)]);
    assert_eq!(manifests[0].seen().unwrap().edition, "2018");
}

#[test]
fn the_files_of_a_sparse_registry_hold_index_and_archives() {
    let registry = registry();
    let dir = tempfile::tempdir().unwrap();
    registry.write_http(dir.path(), "http://127.0.0.1:1");
    let read = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
    assert!(read("config.json").contains("http://127.0.0.1:1/crates/{crate}-{version}.crate"));
    let lines: Vec<serde_json::Value> = read("ab/ov/above")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines[0]["pubtime"].as_str(), lines[1]["yanked"].as_bool()),
        (Some("2026-01-02T03:04:05Z"), Some(true))
    );
    let archive = fs::read(dir.path().join("crates/above-0.3.1.crate")).unwrap();
    assert_eq!(archive, registry.archive("above", "0.3.1"));
}
