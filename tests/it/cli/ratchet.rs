//! `policy baseline`, and the base's record held against a change.

use super::program::Scene;
use crate::support::local_registry::LocalRegistry;

const MANIFEST: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\nplain = \"1\"\n";

/// A service with one dependency, whose release 1.0.1 has a build script and
/// `unsafe` code and 1.0.0 neither.
struct App {
    scene: Scene,
    registry: LocalRegistry,
}

impl App {
    fn new() -> Self {
        let mut registry = LocalRegistry::new();
        registry
            .krate("plain", "1.0.0")
            .file(
                "src/lib.rs",
                "// unsafe in a comment is none\npub fn f() {}\n",
            )
            .published("2023-01-01T00:00:00Z")
            .publish();
        registry
            .krate("plain", "1.0.1")
            .file(
                "src/lib.rs",
                "pub fn f() { unsafe { core::hint::unreachable_unchecked() } }\n",
            )
            .build_script()
            .published("2023-02-01T00:00:00Z")
            .publish();
        let scene = Scene::new();
        registry.write_cargo_home(&scene.path("cargo-home"));
        Self { scene, registry }
    }

    fn write(&self, version: &str) {
        let lock = format!(
            "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"plain\"]\n\n[[package]]\nname = \"plain\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\n",
            self.registry.checksum("plain", version)
        );
        self.scene
            .file("Cargo.toml", MANIFEST)
            .file("src/main.rs", "fn main() {}\n")
            .file("Cargo.lock", &lock);
    }

    fn baseline(&self, more: &[&str]) -> super::program::Ran {
        let args = ["policy", "baseline", "--offline"];
        self.scene.run(&[&args[..], more].concat())
    }
}

#[test]
fn what_a_repository_lives_with_is_recorded() {
    let app = App::new();
    app.write("1.0.1");
    let ran = app.baseline(&[]);
    let text = ran.ends(0);
    assert!(
        text.contains("build-scripts = [\n  \"plain\",\n]\n"),
        "{text}"
    );
    assert!(text.contains("unsafe = [\n  \"plain\",\n]\n"), "{text}");
    assert!(text.contains("proc-macros = []\n"), "{text}");
    assert_eq!(ran.stderr, "");
    app.write("1.0.0");
    let ran = app.baseline(&[]);
    assert!(
        ran.ends(0).contains("build-scripts = []\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("unsafe = []\n"), "{}", ran.stdout);
}

#[test]
fn something_new_of_a_recorded_kind_is_blocked() {
    let app = App::new();
    app.write("1.0.0");
    app.baseline(&["--output", ".canary/baseline.toml"])
        .prints(0, "");
    app.scene.commit("one");
    app.write("1.0.1");
    app.scene.commit("two");
    let check = || {
        let args = [
            "check",
            "--base",
            "HEAD~1",
            "--head",
            "HEAD",
            "--offline",
            "--as-of",
            "2024-03-01",
        ];
        app.scene.run(&args)
    };
    let ran = check();
    let text = ran.ends(1);
    assert!(text.contains("block (ratchet-build-scripts)"), "{text}");
    assert!(text.contains("block (ratchet-unsafe)"), "{text}");
    // What is there at the base is no news.
    app.scene.file("README", "x");
    app.scene.commit("three");
    let same = [
        "check",
        "--base",
        "HEAD~1",
        "--head",
        "HEAD",
        "--offline",
        "--as-of",
        "2024-03-01",
    ];
    let ran = app.scene.run(&same);
    assert!(!ran.stdout.contains("ratchet"), "{}", ran.stdout);
}

#[test]
fn a_record_only_shrinks_and_a_wrong_one_is_shown() {
    let app = App::new();
    app.write("1.0.1");
    app.baseline(&["--shrink"]).fails(
        2,
        r#"
        error: there is no `.canary/baseline.toml` to shrink
        hint: `cargo-canary policy baseline --output .canary/baseline.toml` writes one
        "#,
    );
    app.scene.file(
        ".canary/baseline.toml",
        "version = 1\nbuild-scripts = [\"gone\"]\nunsafe = [\"plain\"]\n",
    );
    let ran = app.baseline(&["--shrink"]);
    let text = ran.ends(0);
    assert!(
        text.ends_with("version = 1\n\nbuild-scripts = []\n\nunsafe = [\n  \"plain\",\n]\n"),
        "{text}"
    );
    app.scene
        .file(".canary/baseline.toml", "version = 1\nbuild-scriptz = []\n");
    let ran = app.baseline(&["--shrink"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("did you mean `build-scripts`?"),
        "{}",
        ran.stderr
    );
}
