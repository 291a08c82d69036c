//! Registries, mirrors and repositories that a checkout names: requests to
//! where it says, helpers that it brings, and crates that are not those crates.

use super::stage::{Effect, Ran, Stage, TRUTH, crate_archive, sha256};
use super::{Case, LIE, Ours};

const REGISTRY: Ours = Ours::Refuses("the registry");
const REPOSITORY: Ours = Ours::Refuses("git repository");

pub(super) const CASES: &[Case] = &[
    Case::metadata(
        "registry credential-provider",
        &[Effect::Runs, Effect::Connects],
        provider,
        REGISTRY,
    ),
    Case::metadata(
        "global-credential-providers",
        &[Effect::Runs, Effect::Connects],
        global_provider,
        REGISTRY,
    ),
    Case::metadata(
        "credential-alias",
        &[Effect::Runs, Effect::Connects],
        provider_alias,
        REGISTRY,
    ),
    Case::metadata(
        "cargo:token-from-stdout",
        &[Effect::Runs, Effect::Connects],
        token,
        REGISTRY,
    ),
    Case::metadata(
        "registry-index in a manifest",
        &[Effect::Connects],
        registry_index,
        REGISTRY,
    ),
    Case::metadata(
        "a registry in a manifest, unlocked",
        &[Effect::Connects],
        registry_unlocked,
        REGISTRY,
    ),
    Case::metadata(
        "a registry in the lock file only",
        &[],
        registry_locked,
        REGISTRY,
    ),
    Case::metadata(
        "a mirror on the network",
        &[Effect::Connects],
        mirror,
        Ours::Answers(&[TRUTH]),
    ),
    Case::metadata(
        "a mirror over git",
        &[Effect::Connects],
        mirror_git,
        Ours::Answers(&[TRUTH]),
    ),
    Case::metadata(
        "a vendored directory that lies",
        &[Effect::Lies],
        vendored,
        Ours::Answers(&[TRUTH]),
    ),
    Case::metadata(
        "a local registry that lies",
        &[Effect::Lies],
        local_registry,
        Ours::Refuses("no cache"),
    ),
    Case::metadata(
        "http.proxy",
        &[Effect::Connects],
        proxy,
        Ours::Answers(&[TRUTH]),
    ),
    Case::metadata(
        "a git dependency over HTTP",
        &[Effect::Connects],
        git_http,
        REPOSITORY,
    ),
    Case::metadata(
        "a git dependency outside",
        &[Effect::Lies, Effect::LeadsOut],
        git_file,
        REPOSITORY,
    ),
    Case::metadata(
        "a git dependency through the git program",
        &[Effect::Connects],
        git_cli,
        REPOSITORY,
    ),
    Case::metadata(
        "a git dependency that is a command",
        &[],
        git_ext,
        REPOSITORY,
    ),
    Case::metadata(
        "a patch from a git repository",
        &[Effect::Connects],
        git_patch,
        REPOSITORY,
    ),
    Case {
        name: "cargo fetch, locked and with a proxy",
        fires: &[Effect::Connects],
        make: proxy,
        plain: fetch,
        ours: Ours::Answers(&[TRUTH]),
    },
];

fn fetch(stage: &Stage) -> Ran {
    stage.cargo("", &["fetch", "--locked"])
}

/// A registry that asks for a token, and how this checkout gets one.
fn token_from(stage: &Stage, config: &str) {
    stage.package(
        "repo",
        "victim",
        "[dependencies]\ndep = { version = \"1\", registry = \"evil\" }\n",
    );
    stage.config(&format!(
        "[registries.evil]\nindex = 'sparse+{}/'\n{config}",
        stage.url
    ));
}

fn provider(stage: &Stage) {
    token_from(
        stage,
        &format!("credential-provider = [{:?}]\n", stage.evil),
    );
}

fn global_provider(stage: &Stage) {
    token_from(
        stage,
        &format!(
            "[registry]\nglobal-credential-providers = [{:?}]\n",
            stage.evil
        ),
    );
}

fn provider_alias(stage: &Stage) {
    token_from(
        stage,
        &format!(
            "credential-provider = 'harmless'\n[credential-alias]\nharmless = [{:?}]\n",
            stage.evil
        ),
    );
}

fn token(stage: &Stage) {
    let evil = stage.evil.display();
    token_from(
        stage,
        &format!("credential-provider = ['cargo:token-from-stdout', '{evil}']\n"),
    );
}

fn registry_index(stage: &Stage) {
    let index = format!("sparse+{}/", stage.url);
    stage.package(
        "repo",
        "victim",
        &format!("[dependencies]\ndep = {{ version = \"1\", registry-index = \"{index}\" }}\n"),
    );
}

fn registry_unlocked(stage: &Stage) {
    token_from(stage, "");
}

fn registry_locked(stage: &Stage) {
    let sum = "0".repeat(64);
    stage.lock(
        "repo",
        &["victim"],
        &format!(
            "dep\nversion = \"1.0.0\"\nsource = \"sparse+{}/\"\nchecksum = \"{sum}\"\n",
            stage.url
        ),
    );
}

/// Without the user's own mirror, so that cargo must go where the checkout says.
fn without_mirror(stage: &Stage) {
    stage.with_dep();
    stage.put("home/.cargo/config.toml", "");
}

fn mirror(stage: &Stage) {
    without_mirror(stage);
    stage.config(&format!(
        "[source.crates-io]\nreplace-with = 'm'\n[source.m]\nregistry = 'sparse+{}/'\n",
        stage.url
    ));
}

fn mirror_git(stage: &Stage) {
    without_mirror(stage);
    stage.config(&format!(
        "[source.crates-io]\nreplace-with = 'm'\n[source.m]\nregistry = '{}/index'\n",
        stage.url
    ));
}

fn vendored(stage: &Stage) {
    let sum = stage.with_dep();
    stage.vendor("repo/vendor", &sum, LIE);
    stage.config("[source.crates-io]\nreplace-with = 'v'\n[source.v]\ndirectory = 'vendor'\n");
}

fn local_registry(stage: &Stage) {
    let archive = crate_archive(LIE);
    let sum = sha256(&archive);
    stage.with_dep_checksum(Some(&sum));
    let line = format!(
        "{{\"name\":\"dep\",\"vers\":\"1.0.0\",\"deps\":[],\"cksum\":\"{sum}\",\"features\":{{}},\"yanked\":false}}\n"
    );
    stage.put("repo/local/index/3/d/dep", &line);
    std::fs::write(stage.repo.join("local/dep-1.0.0.crate"), archive).unwrap();
    stage.config("[source.crates-io]\nreplace-with = 'l'\n[source.l]\nlocal-registry = 'local'\n");
}

fn proxy(stage: &Stage) {
    without_mirror(stage);
    stage.config(&format!("[http]\nproxy = '{}'\n", stage.url));
}

fn git_dependency(stage: &Stage, url: &str) {
    stage.package(
        "repo",
        "victim",
        &format!("[dependencies]\ndep = {{ git = \"{url}\" }}\n"),
    );
}

fn git_http(stage: &Stage) {
    git_dependency(stage, &format!("{}/dep.git", stage.url));
}

fn git_file(stage: &Stage) {
    stage.vendor("outside/repo", "0", LIE);
    stage.commit("outside/repo");
    git_dependency(stage, &format!("file://{}/repo", stage.outside.display()));
}

fn git_cli(stage: &Stage) {
    stage.config("[net]\ngit-fetch-with-cli = true\n");
    git_http(stage);
}

fn git_ext(stage: &Stage) {
    stage.config("[net]\ngit-fetch-with-cli = true\n");
    git_dependency(stage, &format!("ext::{}", stage.evil.display()));
}

fn git_patch(stage: &Stage) {
    stage.with_dep();
    let manifest = std::fs::read_to_string(stage.repo.join("Cargo.toml")).unwrap();
    let url = &stage.url;
    stage.put(
        "repo/Cargo.toml",
        &format!("{manifest}[patch.crates-io]\ndep = {{ git = \"{url}/dep.git\" }}\n"),
    );
}
