//! `bisect`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cargo_canary::audit;
use cargo_canary::host::Host;
use cargo_canary::probe::bisect::{self, BisectError, Event, Request, Trial};
use cargo_canary::probe::plan::Plan;
use cargo_canary::probe::triage::Symptom;
use cargo_canary::snapshot::{BuildName, GraphMode};
use sha2::{Digest, Sha256};

use super::{builds, probe, triage};
use crate::args::{BisectArgs, ReportFormat};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

pub(crate) fn run(args: &BisectArgs) -> Result<u8, Failure> {
    let host = Host::real(None);
    if args.command.is_empty() && !args.probe {
        return Err(Failure::input("there is nothing that tells good from bad")
            .hint("end with `-- COMMAND`, or use `--probe`"));
    }
    builds::consent(&args.build, &host)?;
    let (base, head) = builds::open(&args.build, &host)?;
    let (base_lock, head_lock) = (builds::lock("base", &base)?, builds::lock("head", &head)?);
    let of_directory;
    let sources = if builds::has_sources(&head) {
        &head
    } else {
        of_directory = builds::sources(&args.build, &host)?;
        &of_directory
    };
    let Some(tree) = sources.tree() else {
        return Err(Failure::input("the head has no sources to build"));
    };
    let progress = Progress::new(!args.output.no_progress);
    progress.say("weighing the updates".to_owned());
    let plan = builds::plan(&args.build, Some(&base), &host)?;
    let tools = builds::tools(&args.build, &plan, &host)?;
    let request = Request {
        trial: trial(args, &plan, &host)?,
        suspicion: suspicion(args, &host, &progress),
        work: work(args, (&base_lock, &head_lock), &host)?,
        base: base_lock,
        head: head_lock,
        tools,
    };
    let number = AtomicUsize::new(0);
    let bisected = bisect::run(&request, tree, &host, &|event| match event {
        Event::Trying {
            number: at,
            updates,
        } => {
            number.store(at, Ordering::Relaxed);
            progress.say(format!("trial {at}: building with {updates} updates"));
        }
        Event::Tried(step) => {
            let line = format!(
                "{:>3}  {}",
                number.load(Ordering::Relaxed),
                bisect::line(step)
            );
            progress.note(&cargo_canary::report::safe_for_terminal(&line));
        }
    })?;
    drop(progress);
    let bytes = match args.output.format {
        ReportFormat::Json => bisect::json(&bisected),
        ReportFormat::Text => bisect::text(&bisected).into_bytes(),
    };
    output::report(&bytes, args.output.output.as_deref(), &host)?;
    Ok(exit::PASS)
}

fn trial(args: &BisectArgs, plan: &Plan, host: &Host) -> Result<Trial, Failure> {
    if !args.probe {
        return Ok(Trial::Command {
            command: args.command.clone(),
            timeout: args.timeout,
        });
    }
    // The executables are put in when they are built.
    let none = Path::new("");
    let request = probe::request(
        &builds::workload(&args.workload, plan),
        (none, none),
        &builds::program_args(&args.command, plan),
        host,
    )?;
    Ok(Trial::Probe(Box::new(request)))
}

/// How suspicious each package is, as triage sees it. Without an audit all are alike.
fn suspicion(args: &BisectArgs, host: &Host, progress: &Progress) -> BTreeMap<String, f64> {
    let named = |text: &Option<String>, default: BuildName| match text.as_deref() {
        None => default,
        Some("WORKTREE") => BuildName::Worktree,
        Some(name) => BuildName::Named(name.to_owned()),
    };
    let request = audit::Request {
        repository: args.build.repository.clone(),
        base: named(&args.build.base, BuildName::MergeBase),
        head: named(&args.build.head, BuildName::Worktree),
        policy: Some(audit::PolicyChoice::BuiltIn("default".to_owned())),
        targets: Vec::new(),
        features: None,
        graph: GraphMode::Auto,
        as_of: None,
        publishers: None,
        locked_data: true,
        cache_dir: None,
        evidence: audit::EvidenceSources::default(),
        ledger: audit::LedgerChoice::Never,
    };
    let symptom = match (args.symptom, args.probe) {
        (Some(symptom), _) => triage::symptom(symptom),
        (None, true) => Symptom::Memory,
        (None, false) => Symptom::Panic,
    };
    let suspects = audit::run(&request, host, &|_| {})
        .map_err(|error| error.to_string())
        .and_then(|audit| {
            triage::suspects(&audit, symptom)
                .map_err(|_| "the suspects cannot be ordered".to_owned())
        });
    match suspects {
        Ok(suspects) => suspects
            .into_iter()
            .map(|suspect| (suspect.package, suspect.weight))
            .collect(),
        Err(error) => {
            progress.note(&format!(
                "note: all updates are taken as equally suspicious, since there is no audit: {error}"
            ));
            BTreeMap::new()
        }
    }
}

/// One directory for each pair of lock files, so that a later run goes on.
fn work(args: &BisectArgs, (base, head): (&str, &str), host: &Host) -> Result<PathBuf, Failure> {
    let place = builds::work(&args.build, "bisect", host)?;
    if args.build.work.is_some() {
        return Ok(place);
    }
    let digest = Sha256::digest(format!("{base}\0{head}").as_bytes());
    let name: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(place.join(name))
}

impl From<BisectError> for Failure {
    fn from(error: BisectError) -> Self {
        let failure = Failure::input("failed to bisect").caused_by(&error);
        match error {
            BisectError::NothingDiffers => failure.hint("are these the builds that you mean?"),
            BisectError::BaseFails { .. } => {
                failure.hint("choose a base that is well, or a command that succeeds on it")
            }
            BisectError::HeadIsWell { .. } => failure.hint(
                "then no update does it alone: look at your own changes, or at a longer `--duration`",
            ),
            BisectError::Workshop(error) => error.into(),
            BisectError::Probe(error) => error.into(),
            BisectError::Mixture(_) | BisectError::Journal(_) => failure,
        }
    }
}
