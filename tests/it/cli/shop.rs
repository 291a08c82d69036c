//! A small service with two locked dependencies, to run the program on.

use std::fmt::Write as _;

use super::program::Scene;
use crate::support::local_registry::LocalRegistry;

/// The options that make a run independent of the day on which it is done.
pub(crate) const THEN: [&str; 3] = ["--offline", "--as-of", "2024-03-01"];

pub(crate) const MANIFEST: &str = "[package]
name = \"shop\"
version = \"0.1.0\"
edition = \"2021\"

[dependencies]
jsonette = \"1\"
";

/// A scene whose Cargo home has a few crates in its caches.
pub(crate) struct Shop {
    pub(crate) scene: Scene,
    registry: LocalRegistry,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let mut registry = LocalRegistry::new();
        registry
            .krate("bufferette", "1.0.0")
            .published("2023-01-01T00:00:00Z")
            .publish();
        for (version, time, withdrawn) in [
            ("1.0.0", "2023-02-01T00:00:00Z", false),
            ("1.0.1", "2023-06-01T00:00:00Z", false),
            ("1.0.2", "2023-09-01T00:00:00Z", true),
            ("1.0.3", "2023-10-01T00:00:00Z", false),
        ] {
            let krate = registry
                .krate("jsonette", version)
                .dep("bufferette", "1")
                .published(time);
            if withdrawn { krate.yanked() } else { krate }.publish();
        }
        let scene = Scene::new();
        registry.write_cargo_home(&scene.path("cargo-home"));
        Self { scene, registry }
    }

    /// The lock file with this release of `jsonette`.
    pub(crate) fn lock(&self, json: &str) -> String {
        let mut text = String::from("version = 4\n");
        for (name, version, dependency) in [
            ("bufferette", "1.0.0", ""),
            ("jsonette", json, "dependencies = [\"bufferette\"]\n"),
        ] {
            writeln!(
                text,
                "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
                 source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
                 checksum = \"{}\"\n{dependency}",
                self.registry.checksum(name, version)
            )
            .unwrap();
        }
        text + "\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\"jsonette\"]\n"
    }

    /// Writes the service into the working directory, with this release of `jsonette`.
    pub(crate) fn write(&self, json: &str) -> &Self {
        self.scene
            .file("Cargo.toml", MANIFEST)
            .file("src/main.rs", "fn main() {}\n")
            .file("Cargo.lock", &self.lock(json));
        self
    }

    /// A repository whose last commit but one has `jsonette` 1.0.0 and whose last
    /// commit has this one.
    pub(crate) fn updated_to(json: &str) -> Self {
        let shop = Self::new();
        shop.write("1.0.0");
        shop.scene.commit("one");
        shop.write(json);
        shop.scene.commit("two");
        shop
    }
}
