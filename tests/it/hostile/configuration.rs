//! What a checkout's `.cargo/config.toml` can do.

use super::stage::{Effect, Stage, TRUTH, rustc};
use super::{ANSWERS, Case, LIE, Ours, reading};

pub(super) const CASES: &[Case] = &[
    Case::metadata("build.rustc", &[Effect::Runs], rustc_replaced, ANSWERS),
    Case::metadata("build.rustc-wrapper", &[Effect::Runs], wrapper, ANSWERS),
    Case::metadata(
        "build.rustc-workspace-wrapper",
        &[Effect::Runs],
        workspace_wrapper,
        ANSWERS,
    ),
    Case::metadata(
        "the old name, .cargo/config",
        &[Effect::Runs],
        old_name,
        ANSWERS,
    ),
    Case::metadata("include of a file", &[Effect::Runs], include, ANSWERS),
    Case::metadata(
        "include of an optional file",
        &[Effect::Runs],
        include_optional,
        ANSWERS,
    ),
    Case {
        name: "a configuration above the workspace",
        fires: &[Effect::Runs],
        make: above,
        plain: |stage| stage.cargo("service", &["metadata", "--format-version", "1"]),
        ours: ANSWERS,
    },
    Case {
        name: "a configuration in a member",
        fires: &[Effect::Runs],
        make: in_a_member,
        plain: |stage| stage.cargo("member", &["metadata", "--format-version", "1"]),
        ours: ANSWERS,
    },
    Case::metadata(
        "env with a preloaded library",
        &[Effect::Runs],
        preload,
        ANSWERS,
    ),
    Case::metadata("env with another RUSTC_WRAPPER", &[], env_wrapper, ANSWERS),
    Case::metadata(
        "rustflags that write a file",
        &[Effect::Writes],
        flags_write,
        ANSWERS,
    ),
    Case {
        name: "rustflags that read a file",
        fires: &[Effect::Lies, Effect::LeadsOut],
        make: flags_read,
        plain: |stage| {
            let mut ran = stage.metadata();
            ran.out = std::mem::take(&mut ran.err);
            ran
        },
        ours: ANSWERS,
    },
    Case {
        name: "an alias in the place of a subcommand",
        fires: &[Effect::Runs],
        make: alias,
        plain: |stage| stage.cargo("", &["canary", "check"]),
        ours: ANSWERS,
    },
    Case::metadata(
        "an alias in the place of metadata",
        &[],
        alias_of_metadata,
        ANSWERS,
    ),
    Case::metadata("paths", &[Effect::Lies], paths, Ours::Answers(&[TRUTH])),
    Case::metadata("patch", &[Effect::Lies], patch, Ours::Answers(&[TRUTH])),
    Case::metadata(
        "build.target-dir outside, metadata",
        &[Effect::LeadsOut],
        target_dir,
        ANSWERS,
    ),
    Case {
        name: "build.target-dir outside, check",
        fires: &[Effect::Writes],
        make: target_dir,
        plain: |stage| stage.cargo("", &["check", "-q"]),
        ours: ANSWERS,
    },
    Case {
        name: "target.*.linker",
        fires: &[Effect::Runs],
        make: linker,
        plain: |stage| stage.cargo("", &["build", "-q"]),
        ours: ANSWERS,
    },
    Case {
        name: "target.*.runner",
        fires: &[Effect::Runs],
        make: runner,
        plain: |stage| stage.cargo("", &["run", "-q"]),
        ours: ANSWERS,
    },
    Case::metadata(
        "linker and runner, metadata",
        &[],
        linker_and_runner,
        ANSWERS,
    ),
    Case::metadata("unstable and term", &[], unstable, ANSWERS),
    Case::metadata("build.target from a file", &[], target_file, ANSWERS),
    Case {
        name: "a configuration above the cache",
        fires: &[Effect::Runs],
        make: above_the_cache,
        plain: |stage| {
            let directory = stage.root.join("cache/clean-room");
            let manifest = stage.repo.join("Cargo.toml");
            let args = ["metadata", "--manifest-path", manifest.to_str().unwrap()];
            stage.command(&super::stage::cargo(), &args, &directory, &[])
        },
        ours: ANSWERS,
    },
];

fn rustc_replaced(stage: &Stage) {
    stage.config(&format!("[build]\nrustc = {:?}\n", stage.evil));
}

fn wrapper(stage: &Stage) {
    stage.config(&format!("[build]\nrustc-wrapper = {:?}\n", stage.evil));
}

fn workspace_wrapper(stage: &Stage) {
    stage.config(&format!(
        "[build]\nrustc-workspace-wrapper = {:?}\n",
        stage.evil
    ));
}

fn old_name(stage: &Stage) {
    stage.put(
        "repo/.cargo/config",
        &format!("[build]\nrustc = {:?}\n", stage.evil),
    );
}

fn include(stage: &Stage) {
    stage.config("include = ['../ci/settings.toml']\n");
    stage.put(
        "repo/ci/settings.toml",
        &format!("[build]\nrustc = {:?}\n", stage.evil),
    );
}

fn include_optional(stage: &Stage) {
    stage.config("include = [{ path = '../ci/settings.toml', optional = true }]\n");
    stage.put(
        "repo/ci/settings.toml",
        &format!("[build]\nrustc = {:?}\n", stage.evil),
    );
}

fn above(stage: &Stage) {
    rustc_replaced(stage);
    stage.put("repo/Cargo.toml", "[workspace]\nexclude = ['service']\n");
    stage.package("repo/service", "victim", "");
    stage.lock("repo/service", &["victim"], "");
    stage.put(reading::WORKSPACE, "service");
}

fn in_a_member(stage: &Stage) {
    stage.package("repo", "victim", "[workspace]\nmembers = ['member']\n");
    stage.package("repo/member", "member", "");
    stage.lock("repo", &["member"], "");
    let lock = std::fs::read_to_string(stage.repo.join("Cargo.lock")).unwrap();
    stage.put(
        "repo/Cargo.lock",
        &format!("{lock}\n[[package]]\nname = \"victim\"\nversion = \"0.1.0\"\n"),
    );
    stage.put(
        "repo/member/.cargo/config.toml",
        &format!("[build]\nrustc = {:?}\n", stage.evil),
    );
}

/// A library that leaves the marker when it is loaded.
fn preload(stage: &Stage) {
    let marker = stage.root.join("marker");
    stage.put(
        "bin/evil.rs",
        &format!(
            "#[used]\n#[unsafe(link_section = \".init_array\")]\nstatic INIT: extern \"C\" fn() = run;\n\
             extern \"C\" fn run() {{ let _ = std::fs::write({marker:?}, \"loaded\"); }}\n"
        ),
    );
    let built = stage.command(
        &rustc(),
        &[
            "--edition=2024",
            "--crate-type=cdylib",
            "-o",
            "evil.so",
            "evil.rs",
        ],
        &stage.root.join("bin"),
        &[],
    );
    assert!(built.fine, "{built:?}");
    let library = stage.root.join("bin/evil.so");
    stage.config(&format!("[env]\nLD_PRELOAD = {library:?}\n"));
}

fn env_wrapper(stage: &Stage) {
    stage.config(&format!(
        "[env]\nRUSTC_WRAPPER = {0:?}\nRUSTC = {{ value = {0:?}, force = true }}\nGIT_SSH_COMMAND = {0:?}\n",
        stage.evil
    ));
}

fn flags_write(stage: &Stage) {
    let precious = stage.outside.join("precious");
    stage.config(&format!(
        "[build]\nrustflags = ['--print=target-list={}']\n",
        precious.display()
    ));
}

fn flags_read(stage: &Stage) {
    stage.put("outside/secret", LIE);
    let secret = stage.outside.join("secret");
    stage.config(&format!("[build]\nrustflags = ['@{}']\n", secret.display()));
}

fn alias(stage: &Stage) {
    stage.config("[alias]\ncanary = 'run -q --'\n");
    let marker = stage.root.join("marker");
    stage.put(
        "repo/src/main.rs",
        &format!("fn main() {{ std::fs::write({marker:?}, \"\").unwrap(); }}"),
    );
}

fn alias_of_metadata(stage: &Stage) {
    alias(stage);
    stage.config("[alias]\nmetadata = 'run -q --'\n");
}

fn paths(stage: &Stage) {
    let sum = stage.with_dep();
    stage.vendor("repo/lies", &sum, LIE);
    stage.config("paths = ['lies/dep']\n");
}

fn patch(stage: &Stage) {
    let sum = stage.with_dep();
    stage.vendor("repo/lies", &sum, LIE);
    stage.config("[patch.crates-io]\ndep = { path = 'lies/dep' }\n");
}

fn target_dir(stage: &Stage) {
    let directory = stage.outside.join("built");
    stage.config(&format!("[build]\ntarget-dir = {directory:?}\n"));
}

fn main_program(stage: &Stage) {
    stage.put("repo/src/main.rs", "fn main() {}");
}

fn linker(stage: &Stage) {
    main_program(stage);
    stage.config(&format!(
        "[target.'cfg(all())']\nlinker = {:?}\n",
        stage.evil
    ));
}

fn runner(stage: &Stage) {
    main_program(stage);
    stage.config(&format!(
        "[target.'cfg(all())']\nrunner = {:?}\n",
        stage.evil
    ));
}

fn linker_and_runner(stage: &Stage) {
    main_program(stage);
    stage.config(&format!(
        "[target.'cfg(all())']\nlinker = {0:?}\nrunner = {0:?}\n[doc]\nbrowser = {0:?}\n",
        stage.evil
    ));
}

fn unstable(stage: &Stage) {
    stage.config(
        "[unstable]\nunstable-options = true\nbuild-std = ['std']\nscript = true\n[term]\nverbose = true\n[http]\ndebug = true\n",
    );
}

fn target_file(stage: &Stage) {
    stage.put("outside/target.json", "{}");
    stage.config(&format!(
        "[build]\ntarget = {:?}\n",
        stage.outside.join("target.json")
    ));
}

fn above_the_cache(stage: &Stage) {
    for directory in ["cache", "cache/clean-room"] {
        stage.put(
            &format!("{directory}/.cargo/config.toml"),
            &format!("[build]\nrustc = {:?}\n", stage.evil),
        );
        stage.put(
            &format!("{directory}/Cargo.toml"),
            "[workspace]\nmembers = []\n",
        );
    }
}

/// An alias takes the place of `cargo canary`, never of the program itself.
#[test]
fn the_program_called_by_its_own_name_is_not_an_alias() {
    let stage = Stage::new();
    alias(&stage);
    let ran = stage.watch(|stage| {
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_cargo-canary"));
        stage.command(program, &["--version"], &stage.repo, &[])
    });
    assert_eq!(ran.effects, []);
}
