//! The clean room against the cargo that anybody runs, where nobody is hostile.

use std::path::Path;
use std::time::Instant;

use cargo_canary::snapshot::clean_room::{CRATES_ROOT, TREE_ROOT};
use cargo_canary::snapshot::tree::DirectoryTree;
use cargo_canary::snapshot::{clean_room, lock};
use serde_json::Value;

use super::reading::registry;
use super::stage::cargo;

/// A document with the paths of both sides taken out.
fn comparable(json: &str, replaced: &[(&str, &str)]) -> Value {
    let text = replaced
        .iter()
        .fold(json.to_owned(), |text, (from, to)| text.replace(from, to));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_clean_room_says_of_this_project_what_cargo_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plain = std::process::Command::new(cargo())
        .args(["metadata", "--format-version", "1", "--all-features"])
        .args(["--locked", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    let plain = String::from_utf8(plain.stdout).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let host = host(cache.path());
    let text = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let lock = lock::parse(&text, "Cargo.lock").unwrap();
    let tree = DirectoryTree::open(&host, root, None).unwrap();
    let registry = registry(&host);
    let start = Instant::now();
    let ours = match clean_room::metadata(&tree, ".", &lock, &registry, &host) {
        Ok(ours) => ours,
        Err(error @ clean_room::CleanRoomError::MissingCrates { .. }) => {
            println!("skipped: this machine built the project without cargo's cache: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    println!("{} packages in {:?}", lock.packages.len(), start.elapsed());
    let ours: Value = serde_json::from_str(&ours.json).unwrap();
    let mut plain: Value = serde_json::from_str(&plain).unwrap();
    // The user may build elsewhere, and has one more directory above the crates.
    for key in ["target_directory", "build_directory"] {
        plain[key] = ours[key].clone();
    }
    let sources = plain["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| !package["source"].is_null())
        .and_then(|package| {
            Path::new(package["manifest_path"].as_str()?)
                .ancestors()
                .nth(2)
        })
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let replaced = [
        (sources.as_str(), CRATES_ROOT),
        (root.to_str().unwrap(), TREE_ROOT),
    ];
    let plain = comparable(&plain.to_string(), &replaced);
    assert_eq!(plain["resolve"], ours["resolve"]);
    assert!(plain == ours, "the packages differ");
}

/// This machine, with a cache directory of its own.
fn host(cache: &Path) -> cargo_canary::host::Host {
    let real = cargo_canary::host::Host::real(None);
    let vars = ["HOME", "CARGO_HOME", "PATH"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), real.env.get(name)?.to_owned())));
    let vars = vars.chain([
        (
            "CARGO_CANARY_CACHE".to_owned(),
            cache.as_os_str().to_owned(),
        ),
        ("CARGO_CANARY_CARGO".to_owned(), cargo().into_os_string()),
    ]);
    cargo_canary::host::Host {
        env: cargo_canary::host::Environment::new(vars),
        ..real
    }
}
