//! `probe`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cargo_canary::audit;
use cargo_canary::host::{Host, Limits, RealNet};
use cargo_canary::probe::attribution::{self, Attributed};
use cargo_canary::probe::counters::{Counters, CountersError};
use cargo_canary::probe::judge::Answer;
use cargo_canary::probe::plan::Plan;
use cargo_canary::probe::show::{self, TextStyle};
use cargo_canary::probe::workshop::{Built, Workshop};
use cargo_canary::probe::{self, Order, ProbeError, Request, Resource};
use cargo_canary::snapshot::Opened;

use super::builds;
use super::tried::{self, Difference, Ended, Named};
use crate::args::{ProbeArgs, ReportFormat, WorkloadArgs};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

/// The hidden command by which this program starts itself as a keeper.
pub(crate) const KEEPER: &str = "__keep";

/// What holds when neither the command line nor `[probe]` says it.
const DURATION: Duration = Duration::from_secs(60);
const READY_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_MEMORY: u64 = 4 << 30;

pub(crate) fn run(args: &ProbeArgs) -> Result<u8, Failure> {
    let host = Host::real(None);
    let progress = Progress::new(!args.output.no_progress);
    let (asked, of) = difference(args, &host)?;
    let (base, head, plan) = executables(args, &host, &progress)?;
    let request = request(
        &builds::workload(&args.workload, &plan),
        (&base, &head),
        &builds::program_args(&args.args, &plan),
        &host,
    )?;
    let mut probed = probe::run(&request, &host, &|event| progress.watching(event))?;
    if args.attribute {
        probed.attributed = Some(if probed.memory_leaks() {
            progress.say("running both builds once more under heaptrack".to_owned());
            attribution::attribute(&request, &host, &|event| progress.watching(event))?
        } else {
            Attributed::Gap {
                because: "no memory leaks".to_owned(),
                next: "nothing is to be done for it".to_owned(),
            }
        });
    }
    drop(progress);
    if let Some(file) = &args.plot {
        output::report(show::svg(&probed).as_bytes(), Some(file), &host)?;
    }
    if let Some(file) = &args.samples {
        output::report(show::samples(&probed.run).as_bytes(), Some(file), &host)?;
    }
    let bytes = match args.output.format {
        ReportFormat::Json => show::json(&probed, of.digest.as_deref()),
        ReportFormat::Text => {
            let style = output::style(&args.output);
            let style = TextStyle {
                width: style.width,
                color: style.color,
                verbose: style.verbose,
            };
            show::text(&probed, style).into_bytes()
        }
    };
    output::report(&bytes, args.output.output.as_deref(), &host)?;
    let host = Host::real(Some(Box::new(RealNet::default())));
    let result = Ended {
        rollout: false,
        method: "probe",
        outcome: match probed.decision {
            Answer::NoLeak => "pass",
            Answer::Leak => "fail",
            Answer::Inconclusive => "inconclusive",
        },
        note: probed
            .judged
            .iter()
            .find(|it| it.answer == probed.decision)
            .map(|it| format!("{}: {}", it.resource.as_str(), it.because)),
        document: args.output.output.clone().map(|file| (file, &bytes[..])),
    };
    let terms = of.terms.clone().unwrap_or_default();
    let name = args.ledger.ledger_name.as_deref();
    let recorded = tried::record(&result, &of, (&asked, &terms), name, &host);
    tried::code_after(recorded, exit_code(probed.decision))
}

/// The difference that is probed. Two builds may be probed that cannot be compared: then
/// the result is for none.
fn difference(args: &ProbeArgs, host: &Host) -> Result<(audit::Request, Difference), Failure> {
    let build = &args.build;
    let named = Named {
        repository: &build.repository,
        base: build.base.as_deref(),
        head: build.head.as_deref(),
        policy: build.policy.as_deref(),
    };
    let asked = named.request(&args.ledger, host)?;
    let with_net;
    let host = if build.offline {
        host
    } else {
        with_net = Host::real(Some(Box::new(RealNet::default())));
        &with_net
    };
    let given = args.difference.diff_digest.is_some() || args.difference.report.is_some();
    match tried::difference(&args.difference, named, &asked, host) {
        Ok(of) => Ok((asked, of)),
        Err(failure) if given => Err(failure),
        Err(failure) => {
            output::notes(
                "the builds cannot be compared: the result names no difference",
                &[failure.in_words()],
            );
            Ok((asked, Difference::default()))
        }
    }
}

/// The two executables, and the workload that is named: those that were named, or built from two builds.
fn executables(
    args: &ProbeArgs,
    host: &Host,
    progress: &Progress,
) -> Result<(PathBuf, PathBuf, Plan), Failure> {
    if let (Some(base), Some(head)) = (&args.base_exe, &args.head_exe) {
        let plan = builds::plan(&args.build, None, host)?;
        return Ok((base.clone(), head.clone(), plan));
    }
    if args.build.base.is_none() && args.build.head.is_none() {
        return Err(Failure::input("there is nothing to run").hint(
            "name two executables: `probe --base-exe FILE --head-exe FILE`, or two builds: `probe --base BUILD --head BUILD`",
        ));
    }
    builds::consent(&args.build, host)?;
    let (base, head) = builds::open(&args.build, host)?;
    let plan = builds::plan(&args.build, Some(&base), host)?;
    let work = builds::work(&args.build, "probe", host)?.join(builds::key(&args.build, host));
    progress.say("building the base".to_owned());
    let first = built("base", &base, (args, &plan), &work, host)?;
    progress.say("building the head".to_owned());
    let second = built("head", &head, (args, &plan), &work, host)?;
    Ok((first, second, plan))
}

/// Builds one side in a directory of its own, with its lock file.
fn built(
    side: &str,
    opened: &Opened<'_>,
    (args, plan): (&ProbeArgs, &Plan),
    work: &Path,
    host: &Host,
) -> Result<PathBuf, Failure> {
    let of_directory;
    let sources = if builds::has_sources(opened) {
        opened
    } else {
        of_directory = builds::sources(&args.build, host)?;
        &of_directory
    };
    let Some(tree) = sources.tree() else {
        return Err(Failure::input(format!(
            "the {side} has no sources to build"
        )));
    };
    let tools = builds::tools(&args.build, plan, host)?;
    let workshop = Workshop::open(host, &work.join(side), tree, tools)?;
    workshop.lock(&builds::lock(side, opened)?)?;
    match workshop.build()? {
        Built::Done(executables) => workshop.choose(&executables).map_err(|because| {
            Failure::input(format!(
                "failed to choose the program of the {side}: {because}"
            ))
            .hint("name it with `--bin NAME`")
        }),
        Built::Failed(complaint) => Err(Failure::input(format!(
            "the {side} does not build:\n{complaint}"
        ))),
    }
}

fn exit_code(decision: Answer) -> u8 {
    match decision {
        Answer::NoLeak => exit::PASS,
        Answer::Leak => exit::BLOCK,
        Answer::Inconclusive => exit::INCOMPLETE,
    }
}

/// A probe of two executables.
pub(super) fn request(
    workload: &WorkloadArgs,
    (base, head): (&Path, &Path),
    args: &[OsString],
    host: &Host,
) -> Result<Request, Failure> {
    let mut ends = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "limits need no more digits")]
    let as_units = |limit: u64| limit as f64;
    if let Some(limit) = workload.memory_limit {
        for resource in [
            Resource::Rss,
            Resource::Pss,
            Resource::Private,
            Resource::Group,
            Resource::Shmem,
        ] {
            ends.push((resource, as_units(limit)));
        }
    }
    if let Some(limit) = workload.fd_limit {
        ends.push((Resource::Fds, as_units(limit)));
    }
    let reached = workload.ready.is_some() || workload.load.is_some() || workload.metrics.is_some();
    if workload.no_network && reached {
        return Err(Failure::input(
            "a program without a network cannot be reached by `ready`, `load` or `metrics`",
        )
        .hint("let the program make its own work, or allow the network"));
    }
    let shell = |command: &Option<String>| {
        let command = command.as_ref()?;
        Some(vec!["/bin/sh".into(), "-c".into(), command.into()])
    };
    let place = |path: &Path| {
        host.files
            .canonical(path)
            .unwrap_or_else(|_| path.to_owned())
    };
    Ok(Request {
        base: place(base),
        head: place(head),
        args: args.to_vec(),
        ready: shell(&workload.ready),
        ready_timeout: workload.ready_timeout.unwrap_or(READY_TIMEOUT),
        load: shell(&workload.load),
        counters: counters(workload)?,
        no_network: workload.no_network,
        env: builds::environment(host),
        program_env: std::collections::BTreeMap::new(),
        directory: place(Path::new(".")),
        duration: workload.duration.unwrap_or(DURATION),
        interval: workload.interval,
        order: workload
            .alternate
            .map_or(Order::SideBySide, |rounds| Order::Alternate { rounds }),
        limits: Limits {
            processes: workload.max_processes,
            ..Limits::default()
        },
        memory: Some(workload.max_memory.unwrap_or(MAX_MEMORY)),
        ends,
        keeper: keeper()?,
    })
}

/// The counters that are read, when there is an address.
fn counters(workload: &WorkloadArgs) -> Result<Option<Counters>, Failure> {
    let Some(url) = &workload.metrics else {
        if workload.watch.is_empty() && workload.per.is_none() {
            return Ok(None);
        }
        return Err(CountersError::NoAddress.into());
    };
    let how = (workload.remote_metrics, workload.alternate.is_some());
    Ok(Some(Counters::new(
        url,
        &workload.watch,
        workload.per.as_deref(),
        how,
    )?))
}

impl From<CountersError> for Failure {
    fn from(error: CountersError) -> Self {
        let failure = Failure::input("failed to set up the probe").caused_by(&error);
        match error {
            CountersError::Address { .. } | CountersError::NoAddress => {
                failure.hint("such as `--metrics http://127.0.0.1:{port}/metrics`")
            }
            CountersError::Remote { .. } => {
                failure.hint("if that is meant, say so with `--remote-metrics`")
            }
            CountersError::Shared { .. } => failure.hint(
                "put `{port}` or `{metrics-port}` into the address and into the program's arguments, or run one after the other with `--alternate`",
            ),
            CountersError::Name { .. } => failure.hint("such as `--watch queue_depth`"),
        }
    }
}

/// How this program starts itself as a keeper.
pub(super) fn keeper() -> Result<Vec<OsString>, Failure> {
    let own: PathBuf = std::env::current_exe().map_err(|error| {
        Failure::internal("failed to find our own executable").caused_by(&error)
    })?;
    Ok(vec![own.into_os_string(), KEEPER.into()])
}

impl From<ProbeError> for Failure {
    fn from(error: ProbeError) -> Self {
        let failure = Failure::input("failed to probe").caused_by(&error);
        match error {
            ProbeError::NoExecutable { .. } => {
                failure.hint("build it first, or name two builds with `--base` and `--head`")
            }
            ProbeError::TooShort { .. } => failure.hint("`--duration 60s` sees most leaks"),
            ProbeError::Start { .. } => failure.hint("is it executable?"),
            ProbeError::Unread { .. } | ProbeError::Thresholds(_) => failure,
        }
    }
}
