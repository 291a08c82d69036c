//! The starting policy: what it takes over of three shapes of `deny.toml`, judged by
//! cases, and what it says that it does not.

use cargo_canary::policy::{Cases, Policy, Surroundings, load, starting_policy};

use crate::cli::program::{Scene, root};
use crate::policy_support::nowhere;

fn started(shape: &str) -> (String, Policy) {
    let path = format!("fixtures/policy/{shape}/deny.toml");
    let text = std::fs::read_to_string(root().join(&path)).unwrap();
    let found = Surroundings {
        deny: Some(("deny.toml".to_owned(), text)),
        ..Surroundings::default()
    };
    let page = starting_policy(&found).unwrap();
    match load(&page, "canary.toml", &nowhere) {
        Ok(policy) => (page, policy),
        Err(error) => panic!("{error}\n{page}"),
    }
}

/// Holds that cases hold: for each a name, what is stated, and what is expected.
#[track_caller]
fn holds(policy: &Policy, cases: &[(&str, &str)]) {
    let mut text = String::from("version = 1\n");
    for (place, (stated, expected)) in cases.iter().enumerate() {
        text += &format_args!(
            "\n[[case]]\nname = \"{place}: {}\"\n{stated}\nexpect = {{ {expected} }}\n",
            stated.replace(['"', '\n', '\\'], " ")
        )
        .to_string();
    }
    let cases = match Cases::read(&text, "cases") {
        Ok(cases) => cases,
        Err(error) => panic!("{error}"),
    };
    let outcome = cases.run(policy);
    assert_eq!(outcome.failed(), 0, "{}", outcome.render());
}

#[test]
fn an_old_file_of_cargo_deny_is_taken_over() {
    let (page, policy) = started("deny-old");
    assert_eq!(
        policy.build().targets,
        ["aarch64-apple-darwin", "x86_64-unknown-linux-gnu"]
    );
    holds(
        &policy,
        &[
            (
                "advisories.introduced = [\"RUSTSEC-2020-0071\"]",
                "decision = \"pass\", rules = []",
            ),
            (
                "advisories.introduced = [\"RUSTSEC-2020-0071\", \"RUSTSEC-2026-0001\"]",
                "decision = \"block\", rules = [\"introduces-vulnerability\"]",
            ),
            (
                "change.package = \"openssl\"",
                "decision = \"block\", rules = [\"banned\"]",
            ),
            (
                "change.package = \"openssl\"\nchange.kind = \"removed\"",
                "decision = \"pass\", rules = []",
            ),
            (
                "change.package = \"chrono\"",
                "decision = \"pass\", rules = []",
            ),
            (
                "change.kind = \"added\"\nchange.source = \"sparse+https://other.example/\"",
                "decision = \"pass\", notices = [\"unknown-registry\"]",
            ),
            (
                "change.kind = \"added\"\nchange.source = \"git+https://git.example/x#abc\"",
                "decision = \"pass\", notices = [\"unknown-git\"]",
            ),
            (
                "change.kind = \"added\"",
                "decision = \"pass\", notices = []",
            ),
        ],
    );
    assert!(
        page.contains("# - the ban of chrono <0.4.20: conditions know no ranges of versions\n"),
        "{page}"
    );
    assert!(
        page.contains("# - `[licenses]`: licences stay with cargo deny\n"),
        "{page}"
    );
}

#[test]
fn a_new_file_of_cargo_deny_is_taken_over() {
    let (page, policy) = started("deny-new");
    assert_eq!(
        policy.build().targets,
        ["x86_64-pc-windows-msvc", "x86_64-unknown-linux-musl"]
    );
    let from = |source: &str| format!("change.kind = \"added\"\nchange.source = \"{source}\"");
    holds(
        &policy,
        &[
            (
                "advisories.introduced = [\"RUSTSEC-2023-0071\"]",
                "decision = \"pass\", rules = []",
            ),
            (
                "change.package = \"git2\"",
                "decision = \"block\", rules = [\"banned\"]",
            ),
            (
                "change.package = \"native-tls\"",
                "decision = \"block\", rules = [\"banned\"]",
            ),
            (
                "change.package = \"openssl-sys\"",
                "decision = \"pass\", rules = []",
            ),
            (
                "change.package = \"time\"",
                "decision = \"pass\", rules = []",
            ),
            (
                &from("git+https://github.com/them/patched?branch=x#abc"),
                "decision = \"pass\", rules = []",
            ),
            (
                &from("git+https://github.com/them/patched.git#abc"),
                "decision = \"pass\", rules = []",
            ),
            (
                &from("git+https://github.com/them/patched-evil#abc"),
                "decision = \"block\", rules = [\"unknown-git\"]",
            ),
            (
                &from("git+https://github.com/our-org/x#abc"),
                "decision = \"pass\", rules = []",
            ),
            (
                &from("git+https://github.com/our-org-evil/x#abc"),
                "decision = \"block\", rules = [\"unknown-git\"]",
            ),
            (
                &from("sparse+https://other.example/"),
                "decision = \"block\", rules = [\"unknown-registry\"]",
            ),
            (
                "change.kind = \"duplicated\"",
                "decision = \"pass\", notices = []",
            ),
        ],
    );
    for line in [
        "# - RUSTSEC-2024-0436: no longer maintained; only a macro\n",
        "# - cmake: no builds with cmake\n",
        "# - git2: gix\n",
        "# - the ban of openssl-sys but below its wrappers\n",
        "# - the ban of time <0.3: conditions know no ranges of versions\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
    assert!(page.contains("futures-util@0.3.30"), "{page}");
}

#[test]
fn a_file_with_a_registry_of_its_own_is_taken_over() {
    let (page, policy) = started("deny-strict");
    let from = |source: &str| format!("change.kind = \"added\"\nchange.source = \"{source}\"");
    holds(
        &policy,
        &[
            (
                &from("sparse+https://crates.company.example/index/"),
                "decision = \"pass\", rules = []",
            ),
            (
                &from("registry+https://crates.company.example/index"),
                "decision = \"pass\", rules = []",
            ),
            (
                &from("sparse+https://crates.company.example/index-evil/"),
                "decision = \"block\", rules = [\"unknown-registry\"]",
            ),
            (
                "change.kind = \"added\"",
                "decision = \"block\", rules = [\"unknown-registry\"]",
            ),
            (
                &from("git+https://git.example/x#abc"),
                "decision = \"pass\", rules = []",
            ),
            (
                "change.kind = \"duplicated\"\nchange.source = \"sparse+https://crates.company.example/index/\"",
                "decision = \"block\", rules = [\"duplicated\"]",
            ),
            (
                "change.kind = \"duplicated\"\nchange.package = \"syn\"\nchange.source = \"sparse+https://crates.company.example/index/\"",
                "decision = \"pass\", rules = []",
            ),
        ],
    );
    for what in [
        "`sources.required-git-spec`",
        "`bans.wildcards`",
        "`bans.skip-tree`",
    ] {
        assert!(page.contains(&format!("# - {what}")), "{what}\n{page}");
    }
}

#[test]
fn what_stands_in_a_hostile_file_cannot_leave_its_place() {
    let deny = "[advisories]\nignore = [\"x\\\"]; true || (\\\"\", { id = \"RUSTSEC-1\", reason = \"a\\nb = 1\" }]\n[bans]\ndeny = [\"a'''b\", { name = \"c\\nd\" }]\n[sources]\nunknown-git = \"deny\"\nallow-git = [\"https://x/\\\") || (\\\"\"]\n";
    let found = Surroundings {
        deny: Some(("deny.toml".to_owned(), deny.to_owned())),
        ..Surroundings::default()
    };
    let page = starting_policy(&found).unwrap();
    let policy = load(&page, "canary.toml", &nowhere).unwrap();
    assert!(page.contains("# - RUSTSEC-1: a b = 1\n"), "{page}");
    holds(
        &policy,
        &[(
            "change.kind = \"added\"\nchange.source = \"git+https://x/#a\"",
            "decision = \"block\", rules = [\"unknown-git\"]",
        )],
    );
    let many: Vec<String> = (0..350).map(|n| format!("\"package-{n}\"")).collect();
    let found = Surroundings {
        deny: Some((
            "deny.toml".to_owned(),
            format!("[bans]\ndeny = [{}]\n", many.join(", ")),
        )),
        ..Surroundings::default()
    };
    let page = starting_policy(&found).unwrap();
    assert!(load(&page, "canary.toml", &nowhere).is_ok());
    assert!(page.contains("too long for a condition"), "{page}");
}

#[test]
fn a_policy_is_written_once_and_fitted_to_its_repository() {
    let scene = Scene::new();
    scene
        .file("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
        .file("src/main.rs", "fn main() {}\n")
        .file("Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"ours\"\nversion = \"1.0.0\"\nsource = \"sparse+https://crates.company.example/\"\nchecksum = \"0000000000000000000000000000000000000000000000000000000000000000\"\n")
        .file("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\ntargets = [\"aarch64-unknown-linux-gnu\"]\n")
        .file("supply-chain/config.toml", "");
    let ran = scene.run(&["policy", "init"]);
    assert!(ran.ends(0).starts_with("wrote "), "{}", ran.stdout);
    let page = std::fs::read_to_string(scene.path("work/canary.toml")).unwrap();
    for words in [
        "# The builds that are shipped, of app.\n",
        "targets = [\n  \"aarch64-unknown-linux-gnu\",\n]\n",
        "#   \"sparse+https://crates.company.example/\",\n",
        "vet.criteria",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    assert!(scene.run(&["policy", "check"]).ends(0).contains("is valid"));
    let again = scene.run(&["policy", "init"]);
    assert_eq!(again.code, Some(2));
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
    assert_eq!(scene.run(&["policy", "init", "--print"]).ends(0), page);
    // From anywhere in a repository it is the repository that gets one.
    std::fs::remove_file(scene.path("work/canary.toml")).unwrap();
    scene.commit("one");
    scene.run(&["policy", "init", "-C", "src"]).ends(0);
    assert!(!scene.path("work/src/canary.toml").exists());
    assert_eq!(
        std::fs::read_to_string(scene.path("work/canary.toml")).unwrap(),
        page
    );
    scene.file("deny.toml", "[advisories]\nignore = [\n");
    let broken = scene.run(&["policy", "init", "--print"]);
    assert_eq!(broken.code, Some(2));
    assert!(
        broken.stderr.contains("`deny.toml` is not TOML: line 2"),
        "{}",
        broken.stderr
    );
}
