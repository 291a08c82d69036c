//! Links, paths and patterns that lead out of the checkout.

use std::os::unix::fs::symlink;

use super::stage::{Effect, Stage};
use super::{Case, LIE, Ours};

const LINK: Ours = Ours::Refuses("symbolic link");
const OUTSIDE: Ours = Ours::Refuses("outside of the audited tree");

pub(super) const CASES: &[Case] = &[
    Case::metadata(
        "Cargo.lock is a link to a file outside",
        &[Effect::Writes],
        lock_link,
        LINK,
    ),
    Case::metadata(
        "Cargo.lock is a link to nothing yet",
        &[Effect::Writes],
        lock_link_to_nothing,
        LINK,
    ),
    Case::metadata(
        "Cargo.toml of a member is a link",
        &[Effect::Lies],
        manifest_link,
        LINK,
    ),
    Case::metadata(
        "the directory of a member is a link",
        &[Effect::Lies],
        directory_link,
        LINK,
    ),
    Case::metadata(
        "a path dependency outside",
        &[Effect::Lies, Effect::LeadsOut],
        path_outside,
        OUTSIDE,
    ),
    Case::metadata(
        "an absolute path dependency",
        &[Effect::Lies, Effect::LeadsOut],
        path_absolute,
        OUTSIDE,
    ),
    Case::metadata(
        "a patch with a path outside",
        &[Effect::Lies, Effect::LeadsOut],
        patch_outside,
        OUTSIDE,
    ),
    Case::metadata(
        "a member outside",
        &[Effect::Lies, Effect::LeadsOut],
        member_outside,
        OUTSIDE,
    ),
    Case::metadata(
        "a pattern of members outside",
        &[Effect::Lies, Effect::LeadsOut],
        members_outside,
        OUTSIDE,
    ),
    Case::metadata(
        "a workspace outside",
        &[Effect::Writes, Effect::LeadsOut],
        workspace_outside,
        OUTSIDE,
    ),
    Case::metadata(
        "a build script outside",
        &[Effect::LeadsOut],
        build_outside,
        Ours::Refuses("the source file"),
    ),
    Case::metadata(
        "a target outside",
        &[Effect::LeadsOut],
        target_outside,
        Ours::Refuses("the source file"),
    ),
    Case::metadata(
        "a readme outside is not read",
        &[],
        readme_outside,
        super::ANSWERS,
    ),
    Case::metadata(
        "a member in .cargo",
        &[],
        member_in_cargo,
        Ours::Refuses("cargo's configuration"),
    ),
];

fn lock_link(stage: &Stage) {
    std::fs::remove_file(stage.repo.join("Cargo.lock")).unwrap();
    stage.put("outside/other.lock", "version = 4\n");
    symlink("../outside/other.lock", stage.repo.join("Cargo.lock")).unwrap();
}

fn lock_link_to_nothing(stage: &Stage) {
    std::fs::remove_file(stage.repo.join("Cargo.lock")).unwrap();
    symlink("../outside/new.lock", stage.repo.join("Cargo.lock")).unwrap();
}

fn liar(stage: &Stage) {
    stage.package(
        "outside/liar",
        "liar",
        &format!("description = \"{LIE}\"\n"),
    );
}

/// The victim needs the package `liar` by this path.
fn needs_liar(stage: &Stage, path: &str) {
    liar(stage);
    stage.package(
        "repo",
        "victim",
        &format!("[dependencies]\nliar = {{ path = \"{path}\" }}\n"),
    );
    stage.put(
        "repo/Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"liar\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"victim\"\nversion = \"0.1.0\"\ndependencies = [\"liar\"]\n",
    );
}

fn manifest_link(stage: &Stage) {
    needs_liar(stage, "liar");
    std::fs::create_dir_all(stage.repo.join("liar/src")).unwrap();
    stage.put("repo/liar/src/lib.rs", "");
    symlink(
        "../../outside/liar/Cargo.toml",
        stage.repo.join("liar/Cargo.toml"),
    )
    .unwrap();
}

fn directory_link(stage: &Stage) {
    needs_liar(stage, "liar");
    symlink("../outside/liar", stage.repo.join("liar")).unwrap();
}

fn path_outside(stage: &Stage) {
    needs_liar(stage, "../outside/liar");
}

fn path_absolute(stage: &Stage) {
    let path = stage.outside.join("liar");
    needs_liar(stage, path.to_str().unwrap());
}

fn patch_outside(stage: &Stage) {
    stage.with_dep();
    let text = std::fs::read_to_string(stage.repo.join("Cargo.toml")).unwrap();
    stage.put(
        "repo/Cargo.toml",
        &format!("{text}[patch.crates-io]\ndep = {{ path = \"../outside/dep\" }}\n"),
    );
    stage.vendor("outside", "0", LIE);
}

/// A workspace whose root is below another directory of it, as git allows.
fn member_outside(stage: &Stage) {
    liar(stage);
    let text = std::fs::read_to_string(stage.outside.join("liar/Cargo.toml")).unwrap();
    stage.put(
        "outside/liar/Cargo.toml",
        &format!("{text}workspace = '../../repo'\n"),
    );
    stage.package(
        "repo",
        "victim",
        "[workspace]\nmembers = ['../outside/liar']\n",
    );
}

fn members_outside(stage: &Stage) {
    member_outside(stage);
    stage.package(
        "repo",
        "victim",
        "[workspace]\nmembers = ['../outside/*']\n",
    );
    std::fs::remove_file(stage.outside.join("precious")).unwrap();
}

fn workspace_outside(stage: &Stage) {
    stage.package("repo", "victim", "workspace = '../outside'\n");
    stage.put("outside/Cargo.toml", "[workspace]\nmembers = ['../repo']\n");
    std::fs::copy(
        stage.repo.join("Cargo.lock"),
        stage.outside.join("Cargo.lock"),
    )
    .unwrap();
}

fn build_outside(stage: &Stage) {
    stage.put("outside/build.rs", "fn main() {}");
    stage.package("repo", "victim", "build = '../outside/build.rs'\n");
}

fn target_outside(stage: &Stage) {
    stage.put("outside/main.rs", "fn main() {}");
    stage.package(
        "repo",
        "victim",
        "[[bin]]\nname = 'x'\npath = '../outside/main.rs'\n",
    );
}

fn readme_outside(stage: &Stage) {
    stage.put("outside/README.md", LIE);
    stage.package(
        "repo",
        "victim",
        "readme = '../outside/README.md'\nlicense-file = '../outside/precious'\n",
    );
}

fn member_in_cargo(stage: &Stage) {
    stage.package(
        "repo",
        "victim",
        "[dependencies]\nliar = { path = '.cargo/liar' }\n",
    );
    stage.package("repo/.cargo/liar", "liar", "");
    stage.put(
        "repo/Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"liar\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"victim\"\nversion = \"0.1.0\"\ndependencies = [\"liar\"]\n",
    );
}
