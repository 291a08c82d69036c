//! What `probe` and `bisect` share: opening two builds and their sources, and
//! the word that is needed before code of a build runs.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use cargo_canary::host::Host;
use cargo_canary::probe::plan::{self, Plan, PlanError};
use cargo_canary::probe::workshop::{Tools, WorkshopError};
use cargo_canary::snapshot::{self, BuildName, InputKind, LoadError, Opened};
use sha2::{Digest, Sha256};

use crate::args::{BuildArgs, WorkloadArgs};
use crate::error::Failure;

/// Says that code will run; in CI only with the explicit word.
pub(super) fn consent(args: &BuildArgs, host: &Host) -> Result<(), Failure> {
    if host.env.get("CI").is_some() && !args.allow_execution {
        return Err(Failure::input("this command runs code of the builds")
            .hint("allow it with `--allow-execution`, in a job without secrets"));
    }
    let word = "note: this builds and runs code of both builds and of their dependencies";
    drop(writeln!(std::io::stderr().lock(), "{word}"));
    Ok(())
}

fn name(text: &str) -> BuildName {
    if text == "WORKTREE" {
        BuildName::Worktree
    } else {
        BuildName::Named(text.to_owned())
    }
}

/// Both builds.
pub(super) fn open<'h>(
    args: &BuildArgs,
    host: &'h Host,
) -> Result<(Opened<'h>, Opened<'h>), Failure> {
    let base = args.base.as_deref().map_or(BuildName::MergeBase, name);
    let head = args.head.as_deref().map_or(BuildName::Worktree, name);
    let open = |side: &str, name: &BuildName| {
        snapshot::open(name, &args.repository, host).map_err(|error| unread(side, &error))
    };
    let (base, head) = (open("base", &base)?, open("head", &head)?);
    snapshot::ensure_distinct(&base, &head).map_err(|error| unread("head", &error))?;
    Ok((base, head))
}

/// A build that cannot be read.
pub(super) fn unread(side: &str, error: &LoadError) -> Failure {
    Failure::input(format!("failed to read the {side}")).caused_by(error)
}

/// The sources of a build that is a lock file: those of the repository's directory.
pub(super) fn sources<'h>(args: &BuildArgs, host: &'h Host) -> Result<Opened<'h>, Failure> {
    let place = host
        .files
        .canonical(&args.repository)
        .unwrap_or_else(|_| args.repository.clone());
    let named = BuildName::Named(place.to_string_lossy().into_owned());
    snapshot::open(&named, &args.repository, host).map_err(|error| unread("sources", &error))
}

/// Whether a build brings its own sources.
pub(super) fn has_sources(opened: &Opened<'_>) -> bool {
    match opened.kind() {
        InputKind::Git | InputKind::Worktree | InputKind::Directory => true,
        InputKind::Lock | InputKind::Metadata | InputKind::Executable | InputKind::Sbom => false,
    }
}

/// The lock file of a build, as text.
pub(super) fn lock(side: &str, opened: &Opened<'_>) -> Result<String, Failure> {
    let bytes = opened
        .lock_file()
        .map_err(|error| unread(side, &error))?
        .ok_or_else(|| {
            Failure::input(format!("the {side} has no Cargo.lock"))
                .hint("commit the lock file, or name one with `--base FILE` and `--head FILE`")
        })?;
    String::from_utf8(bytes).map_err(|error| {
        Failure::input(format!("the lock file of the {side} is no text")).caused_by(&error)
    })
}

/// Where a repository names its workload.
const PLAN_FILE: &str = "canary.toml";
/// How large that file may be, in bytes.
const PLAN_LIMIT: u64 = 1 << 20;

/// The workload that is named: in the file that was given, else in the base. Never
/// in the head, which is on trial.
pub(super) fn plan(
    args: &BuildArgs,
    base: Option<&Opened<'_>>,
    host: &Host,
) -> Result<Plan, Failure> {
    let (name, content) = match (&args.policy, base) {
        (Some(path), _) => {
            let name = path.display().to_string();
            let content = host.files.read(path, PLAN_LIMIT).map_err(|error| {
                Failure::input(format!("failed to read `{name}`")).caused_by(&error)
            })?;
            (name, Some(content))
        }
        (None, Some(base)) => {
            let content = base.read_file(PLAN_FILE, PLAN_LIMIT);
            let content = content.map_err(|error| unread("base", &error))?;
            (format!("`{PLAN_FILE}` of the base"), content)
        }
        (None, None) => return Ok(Plan::default()),
    };
    let Some(content) = content else {
        return Ok(Plan::default());
    };
    let found = plan::read(&String::from_utf8_lossy(&content), &name)?;
    Ok(found.unwrap_or_default())
}

/// The workload as it runs: what the command line says, else what is named.
pub(super) fn workload(args: &WorkloadArgs, plan: &Plan) -> WorkloadArgs {
    let mut args = args.clone();
    args.duration = args.duration.or(plan.duration);
    args.ready = args.ready.or_else(|| plan.ready.clone());
    args.ready_timeout = args.ready_timeout.or(plan.ready_timeout);
    args.load = args.load.or_else(|| plan.load.clone());
    args.metrics = args.metrics.or_else(|| plan.metrics.clone());
    if args.watch.is_empty() {
        args.watch.clone_from(&plan.watch);
    }
    args.per = args.per.or_else(|| plan.per.clone());
    args.no_network |= plan.network == Some(false);
    args.max_memory = args.max_memory.or(plan.max_memory);
    args.max_processes = args.max_processes.or(plan.max_processes);
    args.memory_limit = args.memory_limit.or(plan.memory_limit);
    args.fd_limit = args.fd_limit.or(plan.fd_limit);
    args
}

/// The arguments of the program: those of the command line, else those named.
pub(super) fn program_args(given: &[OsString], plan: &Plan) -> Vec<OsString> {
    if given.is_empty() {
        plan.args.iter().map(OsString::from).collect()
    } else {
        given.to_vec()
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::input("failed to read the workload")
            .caused_by(&error)
            .hint("`docs/probe.md` has the keys of [probe]")
    }
}

/// How cargo and workloads are started.
pub(super) fn tools(args: &BuildArgs, plan: &Plan, host: &Host) -> Result<Tools, Failure> {
    let build_args = match (&args.build_args, &plan.build_args) {
        (Some(given), _) => given.split_ascii_whitespace().map(OsString::from).collect(),
        (None, Some(named)) => named.iter().map(OsString::from).collect(),
        (None, None) => vec!["--release".into()],
    };
    Ok(Tools {
        keeper: super::probe::keeper()?,
        env: environment(host),
        cargo: host.env.path("CARGO").unwrap_or_else(|| "cargo".into()),
        build_args,
        bin: args.bin.clone().or_else(|| plan.bin.clone()),
        offline: args.offline,
    })
}

/// The environment that this program was started with.
pub(super) fn environment(host: &Host) -> std::collections::BTreeMap<OsString, OsString> {
    host.env
        .iter()
        .map(|(name, value)| (name.into(), value.to_owned()))
        .collect()
}

/// Where to work: the directory that was named, else one in the user's cache.
pub(super) fn work(args: &BuildArgs, what: &str, host: &Host) -> Result<PathBuf, Failure> {
    let place = match &args.work {
        Some(place) => place.clone(),
        None => host
            .env
            .cache_dir()
            .map(|cache| cache.join(what))
            .ok_or_else(|| {
                Failure::input("there is no directory for caches")
                    .hint("name a directory to work in with `--work DIR`")
            })?,
    };
    if place.is_absolute() {
        return Ok(place);
    }
    let here = host.files.canonical(Path::new(".")).map_err(|error| {
        Failure::input("failed to find the working directory").caused_by(&error)
    })?;
    Ok(here.join(place))
}

/// A directory name for this repository and these names of builds.
pub(super) fn key(args: &BuildArgs, host: &Host) -> String {
    let place = host.files.canonical(&args.repository);
    let place = place.unwrap_or_else(|_| args.repository.clone());
    let whole = format!("{}\0{:?}\0{:?}", place.display(), args.base, args.head);
    let digest = Sha256::digest(whole.as_bytes());
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl From<WorkshopError> for Failure {
    fn from(error: WorkshopError) -> Self {
        let failure = Failure::input("failed to build").caused_by(&error);
        match error {
            WorkshopError::Fetch { .. } => {
                failure.hint("is the network there, and does `cargo fetch --locked` work?")
            }
            WorkshopError::Tree(_) | WorkshopError::Write { .. } | WorkshopError::Process(_) => {
                failure
            }
        }
    }
}
