//! Runs both sides of a probe and samples them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::judge::{self, Answer, Judged};
use super::{Resource, Segment, Thresholds, ThresholdsError};
use crate::host::{
    Detail, Ending, FileKind, Host, Launch, Limits, Printed, ProcessError, Running, Sample,
};

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
    /// A command that makes work for a server; runs as long as the server does.
    pub load: Option<Vec<OsString>>,
    /// The environment of both.
    pub env: BTreeMap<OsString, OsString>,
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
    /// A side is ended when its tree holds more bytes of resident memory than this.
    pub memory: Option<u64>,
    /// Where growth ends badly, by resource, in units.
    pub ends: Vec<(Resource, f64)>,
    /// The command that starts a keeper, see [`Launch::keeper`].
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
    /// What was seen.
    pub run: Run,
}

/// At most so many lives of a workload that ends by itself.
const MOST_LIVES: usize = 500;
/// A side that fails so often is not started again.
const MOST_FAILURES: usize = 3;
/// A look at shared memory that takes longer than this disturbs the workload,
/// and is not repeated.
const COSTLY: Duration = Duration::from_millis(3);

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
    let run = match request.order {
        Order::SideBySide => side_by_side(request, host, on_event)?,
        Order::Alternate { rounds } => alternate(request, rounds.max(1), host, on_event)?,
    };
    let judged = judge::judge(
        &run.base.segments,
        &run.head.segments,
        &thresholds,
        &request.ends,
    );
    let mut decision = judge::decision(&judged, &thresholds);
    // What was not watched to its end cannot be called clean.
    let troubled = !run.head.troubles.is_empty() || !run.base.troubles.is_empty();
    if decision == Answer::NoLeak && troubled {
        decision = Answer::Inconclusive;
    }
    Ok(Probed {
        decision,
        judged,
        run,
    })
}

fn side_by_side(
    request: &Request,
    host: &Host,
    on_event: &dyn Fn(Event),
) -> Result<Run, ProbeError> {
    let mut base = Side::new("base", &request.base, request, host);
    let mut head = Side::new("head", &request.head, request, host);
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
            let mut side = Side::new(name, executable, request, host);
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
    let interval = sides
        .first()
        .map_or(Duration::ZERO, |side| side.request.interval);
    let mut tick: u32 = 0;
    while start.elapsed() < duration {
        sides.rotate_left(1);
        for side in sides.iter_mut() {
            side.look(start.elapsed(), tick.is_multiple_of(5))?;
        }
        if tick.is_multiple_of(5) {
            on_elapsed(start.elapsed());
        }
        if sides.iter().any(|side| side.given_up) {
            break;
        }
        tick += 1;
        let next = interval * tick;
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

/// One side while it runs.
struct Side<'r> {
    name: &'static str,
    executable: &'r Path,
    request: &'r Request,
    host: &'r Host,
    running: Option<Box<dyn Running>>,
    load: Option<Box<dyn Running>>,
    segments: Vec<Segment>,
    troubles: Vec<String>,
    printed: Printed,
    failures: usize,
    given_up: bool,
    shares_cost: Duration,
}

impl<'r> Side<'r> {
    fn new(name: &'static str, executable: &'r Path, request: &'r Request, host: &'r Host) -> Self {
        Self {
            name,
            executable,
            request,
            host,
            running: None,
            load: None,
            segments: Vec::new(),
            troubles: Vec::new(),
            printed: Printed::default(),
            failures: 0,
            given_up: false,
            shares_cost: Duration::ZERO,
        }
    }

    fn launch(&self, program: &Path, args: &[OsString]) -> Result<Box<dyn Running>, ProbeError> {
        let launch = Launch {
            keeper: self.request.keeper.clone(),
            program: program.to_owned(),
            args: args.to_vec(),
            env: self.request.env.clone(),
            directory: self.request.directory.clone(),
            limits: self.request.limits,
        };
        self.host
            .processes
            .start(&launch)
            .map_err(|source| ProbeError::Start {
                side: self.name,
                source,
            })
    }

    fn start(&mut self, now: Duration) -> Result<(), ProbeError> {
        self.running = Some(self.launch(self.executable, &self.request.args)?);
        if let Some((program, args)) = self.request.load.as_deref().and_then(<[_]>::split_first) {
            self.load = Some(self.launch(Path::new(program), args)?);
        }
        self.segments.push(Segment {
            began: now,
            ..Segment::default()
        });
        Ok(())
    }

    /// Samples the workload, and starts it again when it has ended.
    fn look(&mut self, now: Duration, thorough: bool) -> Result<(), ProbeError> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        if let Some(ending) = running.ended() {
            return self.ended(ending, now);
        }
        let detail = if thorough && self.shares_cost < COSTLY {
            Detail::Shares
        } else {
            Detail::Counts
        };
        let before = Instant::now();
        let Some(sample) = running.sample(detail) else {
            return Ok(());
        };
        if detail == Detail::Shares {
            self.shares_cost = before.elapsed();
        }
        if let Some(segment) = self.segments.last_mut() {
            segment.samples.push(sample);
        }
        self.contain(sample);
        Ok(())
    }

    fn contain(&mut self, sample: Sample) {
        let Some(limit) = self.request.memory else {
            return;
        };
        if sample.rss > limit {
            self.trouble(format!(
                "held more than the limit of {} MiB and was ended after {:.0} s",
                limit >> 20,
                sample.at.as_secs_f64()
            ));
            self.give_up();
        }
    }

    fn trouble(&mut self, what: String) {
        if !self.troubles.contains(&what) {
            self.troubles.push(what);
        }
    }

    fn give_up(&mut self) {
        self.given_up = true;
        if let Some(mut running) = self.running.take() {
            running.stop();
            self.printed = running.printed();
        }
        self.load = None;
    }

    fn ended(&mut self, ending: Ending, now: Duration) -> Result<(), ProbeError> {
        if let Some(mut running) = self.running.take() {
            running.stop();
            self.printed = running.printed();
        }
        self.load = None;
        let mut life = Duration::ZERO;
        if let Some(segment) = self.segments.last_mut() {
            segment.ending = Some(ending);
            life = now.saturating_sub(segment.began);
        }
        if !ending.is_success() {
            self.failures += 1;
            self.trouble(format!(
                "ended with {ending} after {:.1} s",
                life.as_secs_f64()
            ));
        }
        if self.failures >= MOST_FAILURES || self.segments.len() >= MOST_LIVES {
            self.given_up = true;
            return Ok(());
        }
        if now < self.request.duration {
            self.start(now)?;
        }
        Ok(())
    }

    fn finish(mut self) -> SideRun {
        if let Some(mut running) = self.running.take() {
            running.stop();
            self.printed = running.printed();
        }
        if let Some(mut load) = self.load.take() {
            load.stop();
        }
        SideRun {
            segments: std::mem::take(&mut self.segments),
            printed: std::mem::take(&mut self.printed),
            troubles: std::mem::take(&mut self.troubles),
        }
    }
}
