//! How a checkout can choose the cargo that is run.

use std::path::{Path, PathBuf};

use super::stage::{Effect, Ran, Stage, cargo};
use super::{ANSWERS, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a search path with the working directory",
        fires: &[Effect::Runs],
        make: in_the_search_path,
        plain: |stage| {
            let path = [("PATH", ".:/usr/bin:/bin")];
            let args = ["-c", "cargo metadata --format-version 1"];
            stage.command(Path::new("/bin/sh"), &args, &stage.repo, &path)
        },
        ours: ANSWERS,
    },
    Case {
        name: "a wrapper in the environment",
        fires: &[Effect::Runs],
        make: |_| (),
        plain: |stage| {
            let wrapper = [("CARGO_BUILD_RUSTC_WRAPPER", stage.evil.to_str().unwrap())];
            stage.command(
                &cargo(),
                &["metadata", "--format-version", "1"],
                &stage.repo,
                &wrapper,
            )
        },
        ours: ANSWERS,
    },
];

fn in_the_search_path(stage: &Stage) {
    let evil = std::fs::read_to_string(&stage.evil).unwrap();
    stage.put("repo/cargo", &evil);
    stage.executable("repo/cargo");
}

/// Rustup's proxy, when the tests' machine has one.
fn proxy() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join("cargo"))
        .find(|cargo| {
            std::fs::canonicalize(cargo)
                .is_ok_and(|real| real.file_name().is_some_and(|name| name == "rustup"))
        })
}

fn through_the_proxy(stage: &Stage) -> Ran {
    let rustup = std::env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".rustup")))
        .unwrap();
    let env = [
        ("RUSTUP_HOME", rustup.to_str().unwrap()),
        ("RUSTUP_AUTO_INSTALL", "0"),
    ];
    stage.command(
        &proxy().unwrap(),
        &["metadata", "--format-version", "1"],
        &stage.repo,
        &env,
    )
}

fn toolchain(stage: &Stage) {
    let evil = std::fs::read_to_string(&stage.evil).unwrap();
    for program in ["cargo", "rustc"] {
        stage.put(&format!("repo/toolchain/bin/{program}"), &evil);
        stage.executable(&format!("repo/toolchain/bin/{program}"));
    }
    std::fs::create_dir_all(stage.repo.join("toolchain/lib")).unwrap();
}

fn toolchain_file(stage: &Stage) {
    toolchain(stage);
    let path = stage.repo.join("toolchain");
    stage.put(
        "repo/rust-toolchain.toml",
        &format!("[toolchain]\npath = {path:?}\n"),
    );
}

fn old_toolchain_file(stage: &Stage) {
    toolchain(stage);
    let path = stage.repo.join("toolchain");
    stage.put(
        "repo/rust-toolchain",
        &format!("[toolchain]\npath = {path:?}\n"),
    );
}

/// Apart from the list, because they need rustup's proxy.
const WITH_RUSTUP: &[Case] = &[
    Case {
        name: "rust-toolchain.toml with a path",
        fires: &[Effect::Runs],
        make: toolchain_file,
        plain: through_the_proxy,
        ours: ANSWERS,
    },
    Case {
        name: "the old name, rust-toolchain, with a path",
        fires: &[Effect::Runs],
        make: old_toolchain_file,
        plain: through_the_proxy,
        ours: ANSWERS,
    },
];

#[test]
fn a_toolchain_file_does_not_choose_our_cargo() {
    if proxy().is_none() {
        println!(
            "not applicable: no rustup proxy in the search path, so no toolchain file is obeyed"
        );
        return;
    }
    let mut tally = super::Tally::default();
    tally.check(WITH_RUSTUP);
    println!("{}", tally.lines.join("\n"));
    tally.assert_right();
}
