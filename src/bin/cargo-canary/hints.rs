//! The next command for each error of the library.

use std::path::Path;

use cargo_canary::audit::AuditError;
use cargo_canary::policy;
use cargo_canary::snapshot::claim::ClaimError;
use cargo_canary::snapshot::clean_room::CleanRoomError;
use cargo_canary::snapshot::direct::DirectError;
use cargo_canary::snapshot::graph::GraphError;
use cargo_canary::snapshot::lock::LockError;
use cargo_canary::snapshot::tree::{GitError, TreeError};
use cargo_canary::snapshot::{LoadError, RouteError};

use crate::error::Failure;

/// Where a repository keeps its policy.
const POLICY_FILE: &str = "canary.toml";

/// How a clone is given the history that it lacks.
const DEEPEN: &str =
    "fetch more of the history: `git fetch --unshallow`, or `fetch-depth: 0` in the checkout step";

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Base { source } => load("failed to read the base", "--base", &source),
            AuditError::Head { source } => load("failed to read the head", "--head", &source),
            AuditError::PolicyOfBase { source } => {
                load("failed to read the policy of the base", "--base", &source)
            }
            AuditError::PolicyFile { path, source } => policy_file(&path, &source),
            AuditError::NoBuiltIn { name } => Failure::no_built_in_policy(&name),
            AuditError::Policy(error) => Failure::policy(&error),
            AuditError::Incidents(error) => {
                Failure::incidents("failed to read the incidents of the base", &error)
            }
            AuditError::Model(error) => {
                Failure::internal("failed to read the risk model").caused_by(&error)
            }
        }
    }
}

fn policy_file(path: &Path, error: &std::io::Error) -> Failure {
    let name = path.display().to_string();
    let failure = Failure::input(format!("failed to read the policy `{name}`")).caused_by(error);
    if policy::built_in_text(&name).is_some() {
        return failure.hint(format!("the built-in policy is `builtin:{name}`"));
    }
    failure.hint(format!(
        "`cargo-canary policy show > {POLICY_FILE}` starts one; without `--policy` the base's \
         `{POLICY_FILE}` judges, or the built-in one"
    ))
}

pub(crate) fn load(what: &str, option: &str, error: &LoadError) -> Failure {
    let nothing = matches!(
        error,
        LoadError::SameCommit { .. }
            | LoadError::SamePlace { .. }
            | LoadError::NothingOfItsOwn { .. }
    );
    let what = if nothing {
        "there is nothing to compare"
    } else {
        what
    };
    let failure = Failure::input(what).caused_by(error);
    match error {
        LoadError::NoRevision { given, near, shallow, .. } => {
            // A way from a name, such as `HEAD~3`, is like no other name.
            let near = if given.contains(['~', '^', '@']) { &[] } else { near.as_slice() };
            let failure = match near {
                [] if *shallow => failure,
                [] => failure.hint("`git branch --all` and `git tag` list the names that are there"),
                names => failure.hint(format!("there is `{}`", names.join("`, `"))),
            };
            if *shallow { failure.hint(DEEPEN) } else { failure }
        }
        LoadError::NoRepository {
            source: source @ GitError::NotInstalled,
            ..
        } => git(failure, source),
        LoadError::NoRepository { .. } => {
            failure.hint("run it inside a repository, pass `-C DIR`, or name paths")
        }
        LoadError::AmbiguousRevision { .. } => failure.hint("write more digits of the commit id"),
        LoadError::NoDefaultBranch { shallow, .. } => {
            let failure = failure.hint(format!(
                "name the base: `{option} origin/BRANCH`, or let git know it: `git remote set-head origin --auto`"
            ));
            if *shallow { failure.hint(DEEPEN) } else { failure }
        }
        LoadError::NoMergeBase { shallow, .. } => {
            if *shallow {
                failure.hint(DEEPEN)
            } else {
                failure.hint(format!("name the base: `{option} REVISION`"))
            }
        }
        LoadError::SameCommit { .. } | LoadError::NothingOfItsOwn { .. } => failure.hint(
            "name another base: `--base HEAD^1` for the last merge, or the tag of the last release",
        ),
        LoadError::SamePlace { .. } => {
            failure.hint("name two places, or a revision for the base: `--base HEAD`")
        }
        LoadError::NoLock { given, commit, manifests, .. } => match (commit, manifests) {
            (Some(_), 0) | (None, 0) => failure.hint("there is no `Cargo.toml` there either; is it the right place?"),
            (Some(_), _) => failure.hint(format!(
                "commit a lock file, or compare lock files that you have: `{option} path/to/Cargo.lock`"
            )),
            (None, _) => failure.hint(format!("run `cargo generate-lockfile` in `{given}`")),
        },
        // Any file that is named counts as a lock file.
        LoadError::Lock { given, source }
            if matches!(**source, LockError::Syntax { .. }) && is_other_file(given) =>
        {
            failure.hint(takes(option))
        }
        LoadError::Lock { source, .. } => lock(failure, source),
        LoadError::Git { source } => git(failure, source),
        LoadError::Tree { source, .. } => tree(failure, source),
        LoadError::Graph { source, .. } => route(failure, source),
        LoadError::NotAFile { .. } | LoadError::File { .. } | LoadError::NotText { .. } => failure.hint(takes(option)),
        LoadError::Claim { source, .. } => claim(failure, source),
        LoadError::Broken { .. } => Failure::internal(what).caused_by(error),
    }
}

/// Whether a build is named as a file that no lock file is called.
fn is_other_file(given: &str) -> bool {
    given.contains('.') && !given.ends_with(".lock")
}

fn takes(option: &str) -> String {
    format!(
        "`{option}` takes a revision, a directory, a Cargo.lock, a `cargo metadata` document, an executable or an SBOM"
    )
}

fn claim(failure: Failure, error: &ClaimError) -> Failure {
    match error {
        ClaimError::NoList => failure.hint(
            "build it with `cargo auditable build --release`, or name an SBOM or the lock file it was built from",
        ),
        ClaimError::Unreadable { .. }
        | ClaimError::Json { .. }
        | ClaimError::Version { .. }
        | ClaimError::Empty
        | ClaimError::TooMany { .. } => {
            failure.hint("name the lock file it was built from instead")
        }
    }
}

fn lock(failure: Failure, error: &LockError) -> Failure {
    match error {
        LockError::Conflict { .. } => failure
            .hint("resolve it: take one side of Cargo.lock, then run `cargo update --workspace`"),
        LockError::Format { .. } => {
            failure.hint("update cargo-canary, or write the lock file with an older cargo")
        }
        LockError::TooLarge { .. }
        | LockError::NotText { .. }
        | LockError::Empty { .. }
        | LockError::Syntax { .. }
        | LockError::Name { .. }
        | LockError::Version { .. }
        | LockError::Source { .. }
        | LockError::Checksum { .. }
        | LockError::TwoChecksums { .. }
        | LockError::Duplicate { .. }
        | LockError::Dangling { .. }
        | LockError::Ambiguous { .. } => failure.hint(
            "lock files are written by cargo alone: take the last good one \
                 (`git checkout HEAD -- Cargo.lock`), then run `cargo update --workspace`",
        ),
    }
}

fn git(failure: Failure, error: &GitError) -> Failure {
    match error {
        GitError::NotInstalled => {
            failure.hint("install git, or name paths in the place of revisions")
        }
        GitError::NotARepository { .. } => {
            failure.hint("pass the repository with `-C DIR`, or name paths")
        }
        GitError::Process { .. } | GitError::Failed { .. } | GitError::Unexpected { .. } => {
            failure.hint("`git fsck` tells whether the repository is whole")
        }
    }
}

fn tree(failure: Failure, error: &TreeError) -> Failure {
    match error {
        TreeError::NotFetched { .. } => {
            failure.hint(
                "`git fetch --refetch` brings what a partial clone lacks; in a full clone `git fsck` tells what is broken",
            )
        }
        TreeError::Git(error) => git(failure, error),
        TreeError::NotRegular { .. } => {
            failure.hint("put the file itself there; links are not followed in audited trees")
        }
        TreeError::NotFound { .. }
        | TreeError::TooLarge { .. }
        | TreeError::Io { .. }
        | TreeError::TooMany
        | TreeError::TooDeep { .. } => failure,
    }
}

fn route(failure: Failure, error: &RouteError) -> Failure {
    if let Some(error) = error.downcast_ref::<DirectError>() {
        if matches!(error, DirectError::LockOutOfDate { .. }) {
            return failure
                .hint("bring the lock file up to date: `cargo update --workspace`, and commit it")
                .hint("`--graph lock-only` judges the lock file as it stands");
        }
        return failure.hint(
            "`--graph cargo` asks cargo, in a clean room; `--graph lock-only` needs no manifest",
        );
    }
    if error.is::<GraphError>() {
        return failure.hint(
            "a metadata document is written by `cargo metadata --locked --format-version 1`",
        );
    }
    match error.downcast_ref::<CleanRoomError>() {
        None => failure,
        Some(CleanRoomError::MissingCrates { .. }) => {
            failure.hint("let cargo fetch them: `cargo fetch --locked`, or leave out `--offline`")
        }
        Some(CleanRoomError::NoToolchain { .. } | CleanRoomError::UnusableToolchain { .. }) => {
            failure.hint("name cargo by its absolute path in the variable CARGO_CANARY_CARGO")
        }
        Some(CleanRoomError::NoCacheDirectory | CleanRoomError::CacheInsideTree { .. }) => {
            failure.hint("pass a directory outside of the audited tree with `--cache DIR`")
        }
        Some(_) => failure.hint("`--graph direct` and `--graph lock-only` do not need cargo"),
    }
}
