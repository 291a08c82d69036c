//! Runs both sides of a probe and samples them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::attribution::Attributed;
use super::counters::Counters;
use super::judge::{self, Answer, Judged};
use super::side::Side;
use super::{Resource, Segment, Thresholds, ThresholdsError, sha256, troubles};
use crate::host::{FileKind, Host, Limits, Printed, ProcessError};

/// Which side runs when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// Both at once, so that whatever else the machine does hits both alike.
    #[default]
    SideBySide,
    /// One after the other, for workloads that cannot be there twice. The order
    /// changes from round to round.
    Alternate {
        /// How often each side runs; each run takes its share of the duration.
        rounds: u32,
    },
}

/// A probe to be made.
#[derive(Clone, Debug)]
pub struct Request {
    /// The executable of the base.
    pub base: PathBuf,
    /// The executable of the head.
    pub head: PathBuf,
    /// The arguments of both.
    pub args: Vec<OsString>,
    /// A command that succeeds when the server is ready for its load.
    pub ready: Option<Vec<OsString>>,
    /// How long it may take until then.
    pub ready_timeout: Duration,
    /// A command that makes work for a server; runs as long as the server does.
    pub load: Option<Vec<OsString>>,
    /// The counters that both tell of themselves.
    pub counters: Option<Counters>,
    /// Cut off the network of what is run.
    pub no_network: bool,
    /// The environment of both.
    pub env: BTreeMap<OsString, OsString>,
    /// What else is in the environment of the program, and not in that of `ready` and
    /// `load`; `{side}` is the name of the side.
    pub program_env: BTreeMap<OsString, OsString>,
    /// Their working directory.
    pub directory: PathBuf,
    /// How long each side runs.
    pub duration: Duration,
    /// Time between samples.
    pub interval: Duration,
    /// Which side runs when.
    pub order: Order,
    /// What each process may take.
    pub limits: Limits,
    /// A side is ended when its tree holds more bytes of resident memory than this, or
    /// its control group more of its own and of shared memory.
    pub memory: Option<u64>,
    /// Where growth ends badly, by resource, in units.
    pub ends: Vec<(Resource, f64)>,
    /// The command that starts a keeper, see [`crate::host::Launch::keeper`].
    pub keeper: Vec<OsString>,
}

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// So much of the run is done.
    Watching {
        /// Since its start.
        elapsed: Duration,
        /// In all.
        total: Duration,
    },
}

/// Why there is no probe.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// An executable is not there.
    #[error("there is no executable `{}`", path.display())]
    NoExecutable {
        /// The path.
        path: PathBuf,
    },
    /// An executable cannot be read.
    #[error("failed to read the executable `{}`", path.display())]
    Unread {
        /// The path.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// A side could not be started.
    #[error("failed to start the {side}")]
    Start {
        /// `base` or `head`.
        side: &'static str,
        /// The reason.
        #[source]
        source: ProcessError,
    },
    /// The run is too short to say anything.
    #[error("a probe of {seconds} s is too short; it takes at least 2 s")]
    TooShort {
        /// What was asked for.
        seconds: f64,
    },
    /// The thresholds are broken.
    #[error(transparent)]
    Thresholds(#[from] ThresholdsError),
}

/// How a side did.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SideRun {
    /// Its lives.
    pub segments: Vec<Segment>,
    /// What it printed in its last life.
    pub printed: Printed,
    /// What went wrong besides growth, in words; empty when all is well.
    pub troubles: Vec<String>,
    /// What could not be seen, in words.
    pub gaps: Vec<String>,
}

/// Both sides, watched.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Run {
    /// The base.
    pub base: SideRun,
    /// The head.
    pub head: SideRun,
}

/// A probe that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// The answer for the whole.
    pub decision: Answer,
    /// The answers by resource.
    pub judged: Vec<Judged>,
    /// Which crates allocated what grew, when that was asked for.
    pub attributed: Option<Attributed>,
    /// How much work each side did in a second, by its own counter: base and head.
    pub work: [Option<f64>; 2],
    /// What was seen.
    pub run: Run,
    /// What was run, and by which measure it was judged.
    pub made: Made,
}

impl Probed {
    /// Whether memory leaks, of which it can be known who allocated it.
    #[must_use]
    pub fn memory_leaks(&self) -> bool {
        self.judged
            .iter()
            .any(|judged| judged.answer == Answer::Leak && judged.resource.unit() == "bytes")
    }
}

/// What a probe ran: all that a record of it must hold.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Made {
    /// When the run ended.
    pub ended: Option<jiff::Timestamp>,
    /// `sha256:…` of the base's executable.
    pub base: String,
    /// `sha256:…` of the head's executable.
    pub head: String,
    /// The arguments of both.
    pub args: Vec<String>,
    /// The command that says when a server is ready.
    pub ready: Option<String>,
    /// The command that makes work.
    pub load: Option<String>,
    /// The counters that were read.
    pub counters: Option<Counters>,
    /// How long each side was to run.
    pub duration: Duration,
    /// Time between samples.
    pub interval: Duration,
    /// Which side ran when.
    pub order: Order,
    /// Whether the network was cut off.
    pub no_network: bool,
    /// `sha256:…` of the thresholds.
    pub thresholds: String,
    /// The confidence of the intervals.
    pub confidence: f64,
    /// A side that had this share of its time is judged by the clock.
    pub unhindered: f64,
}

/// Runs both sides and judges them.
///
/// # Errors
/// When a side cannot be started. A side that dies is no error: that is part of
/// the answer.
pub fn run(request: &Request, host: &Host, on_event: &dyn Fn(Event)) -> Result<Probed, ProbeError> {
    let thresholds = Thresholds::built_in()?;
    if request.duration < Duration::from_secs(2) {
        return Err(ProbeError::TooShort {
            seconds: request.duration.as_secs_f64(),
        });
    }
    for path in [&request.base, &request.head] {
        let place = host.files.canonical(path);
        if !place.is_ok_and(|place| matches!(host.files.kind(&place), Ok(FileKind::File(_)))) {
            return Err(ProbeError::NoExecutable { path: path.clone() });
        }
    }
    let made = made(request, &thresholds, host)?;
    let mut run = watch_both(request, &thresholds, host, on_event)?;
    if request.order == Order::SideBySide {
        // A side that is kept from running does not hang.
        let hang = |of: &SideRun, name, other: &SideRun| {
            let share = judge::share_of_time(&of.segments);
            if share.is_some_and(|share| share < thresholds.least_time) {
                return None;
            }
            troubles::hang(&of.segments, (name, &other.segments), request.duration)
        };
        let of_base = hang(&run.base, "head", &run.head);
        let of_head = hang(&run.head, "base", &run.base);
        run.base.troubles.extend(of_base);
        run.head.troubles.extend(of_head);
    }
    let (base, head) = (&run.base.segments, &run.head.segments);
    let mut judged = judge::judge(base, head, &thresholds, &request.ends);
    if let Some(counters) = &request.counters {
        judged.extend(judge::judge_gauges(base, head, counters, &thresholds));
    }
    let work = [judge::work_rate(base), judge::work_rate(head)];
    let mut decision = judge::decision(&judged);
    // What was not watched to its end cannot be called clean.
    let troubled = !run.head.troubles.is_empty() || !run.base.troubles.is_empty();
    if decision == Answer::NoLeak && troubled {
        decision = Answer::Inconclusive;
    }
    let ended = Some(host.clock.now());
    Ok(Probed {
        decision,
        judged,
        attributed: None,
        work,
        run,
        made: Made { ended, ..made },
    })
}

/// An executable may have this many bytes.
const EXECUTABLE_LIMIT: u64 = 4 << 30;

fn made(request: &Request, thresholds: &Thresholds, host: &Host) -> Result<Made, ProbeError> {
    let digest = |path: &Path| {
        let content = host.files.read(path, EXECUTABLE_LIMIT);
        content
            .map(|bytes| sha256(&bytes))
            .map_err(|source| ProbeError::Unread {
                path: path.to_owned(),
                source,
            })
    };
    let words = |command: &[OsString]| -> Vec<String> {
        let words = command
            .iter()
            .map(|word| word.to_string_lossy().into_owned());
        words.collect()
    };
    // The last word is what the shell is given.
    let command =
        |command: &Option<Vec<OsString>>| command.as_deref().and_then(|all| words(all).pop());
    Ok(Made {
        ended: None,
        base: digest(&request.base)?,
        head: digest(&request.head)?,
        args: words(&request.args),
        ready: command(&request.ready),
        load: command(&request.load),
        counters: request.counters.clone(),
        duration: request.duration,
        interval: request.interval,
        order: request.order,
        no_network: request.no_network,
        thresholds: thresholds.digest.clone(),
        confidence: thresholds.confidence,
        unhindered: thresholds.unhindered,
    })
}

/// Runs both sides in the order that is asked for.
pub(super) fn watch_both(
    request: &Request,
    thresholds: &Thresholds,
    host: &Host,
    on_event: &dyn Fn(Event),
) -> Result<Run, ProbeError> {
    match request.order {
        Order::SideBySide => side_by_side(request, thresholds, host, on_event),
        Order::Alternate { rounds } => {
            alternate(request, rounds.max(1), thresholds, host, on_event)
        }
    }
}

fn side_by_side(
    request: &Request,
    thresholds: &Thresholds,
    host: &Host,
    on_event: &dyn Fn(Event),
) -> Result<Run, ProbeError> {
    let mut base = Side::new("base", &request.base, request, host, &thresholds.gauges);
    let mut head = Side::new("head", &request.head, request, host, &thresholds.gauges);
    watch(&mut [&mut base, &mut head], request.duration, &|elapsed| {
        on_event(Event::Watching {
            elapsed,
            total: request.duration,
        });
    })?;
    Ok(Run {
        base: base.finish(),
        head: head.finish(),
    })
}

fn alternate(
    request: &Request,
    rounds: u32,
    thresholds: &Thresholds,
    host: &Host,
    on_event: &dyn Fn(Event),
) -> Result<Run, ProbeError> {
    let share = request.duration / rounds;
    let total = request.duration * 2;
    let mut done = Duration::ZERO;
    let mut run = Run::default();
    for round in 0..rounds {
        let base_first = round % 2 == 0;
        for of_base in [base_first, !base_first] {
            let (name, executable, into) = if of_base {
                ("base", &request.base, &mut run.base)
            } else {
                ("head", &request.head, &mut run.head)
            };
            let mut side = Side::new(name, executable, request, host, &thresholds.gauges);
            watch(&mut [&mut side], share, &|elapsed| {
                on_event(Event::Watching {
                    elapsed: done + elapsed,
                    total,
                });
            })?;
            done += share;
            let mut part = side.finish();
            into.segments.append(&mut part.segments);
            into.troubles.append(&mut part.troubles);
            part.gaps.retain(|gap| !into.gaps.contains(gap));
            into.gaps.append(&mut part.gaps);
            into.printed = part.printed;
        }
    }
    Ok(run)
}

/// Samples sides until the time is over. Which one is looked at first changes
/// from sample to sample.
fn watch(
    sides: &mut [&mut Side<'_>],
    duration: Duration,
    on_elapsed: &dyn Fn(Duration),
) -> Result<(), ProbeError> {
    let start = Instant::now();
    for side in sides.iter_mut() {
        side.start(Duration::ZERO)?;
    }
    let mut told = Duration::ZERO;
    while start.elapsed() < duration && !sides.iter().any(|side| side.given_up) {
        sides.rotate_left(1);
        let mut next = duration;
        for side in sides.iter_mut() {
            side.look_when_due(start.elapsed())?;
            next = next.min(side.due);
        }
        if start.elapsed() >= told {
            on_elapsed(start.elapsed());
            told = start.elapsed() + Duration::from_millis(500);
        }
        if let Some(wait) = next.checked_sub(start.elapsed()) {
            thread::sleep(wait);
        }
    }
    for side in sides.iter_mut() {
        side.look(start.elapsed(), true)?;
    }
    if sides.len() > 1 {
        // The order of the names, whatever the rotation.
        sides.sort_by_key(|side| side.name);
    }
    Ok(())
}
