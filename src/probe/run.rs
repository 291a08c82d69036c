//! Runs both sides of a probe and samples them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::judge::{self, Answer, Judged};
use super::{Resource, Segment, Thresholds, ThresholdsError, troubles};
use crate::host::{
    Detail, Ending, FileKind, Host, Launch, Limits, NOT_STARTED, NOT_STARTED_SAYS, Printed,
    ProcessError, Running, Sample,
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
/// At the start of each life a side is looked at more often: what dies young
/// should have been seen.
const EARLY: Duration = Duration::from_secs(2);
/// So much more often.
const EARLY_LOOKS: u32 = 5;
/// Shared memory and sockets are looked at once in so many intervals.
const THOROUGH: u32 = 5;
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
    let mut run = run;
    if request.order == Order::SideBySide {
        let of_base = troubles::hang(
            &run.base.segments,
            ("head", &run.head.segments),
            request.duration,
        );
        let of_head = troubles::hang(
            &run.head.segments,
            ("base", &run.base.segments),
            request.duration,
        );
        run.base.troubles.extend(of_base);
        run.head.troubles.extend(of_head);
    }
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
    /// When it is looked at next.
    due: Duration,
    /// When it is looked at thoroughly next.
    thorough: Duration,
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
            due: Duration::ZERO,
            thorough: Duration::ZERO,
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

    /// Samples the workload when the time for it has come. What was missed on a
    /// busy machine is not made up for.
    fn look_when_due(&mut self, now: Duration) -> Result<(), ProbeError> {
        if now < self.due {
            return Ok(());
        }
        let interval = self.request.interval;
        let thorough = now >= self.thorough;
        if thorough {
            self.thorough = now + interval * THOROUGH;
        }
        self.look(now, thorough)?;
        let began = self.segments.last().map_or(now, |segment| segment.began);
        let step = if now.saturating_sub(began) < EARLY {
            interval / EARLY_LOOKS
        } else {
            interval
        };
        self.due = (self.due + step).max(now + step / 2);
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

    /// Ends a side that takes more than it may. Counted over the tree, since the
    /// operating system's own limits are by process or by user.
    fn contain(&mut self, sample: Sample) {
        let after = sample.at.as_secs_f64();
        let over = |limit: Option<u64>, value: u64| limit.filter(|limit| value > *limit);
        if let Some(limit) = over(self.request.memory, sample.rss) {
            let mebibytes = limit >> 20;
            self.trouble(format!(
                "held more than the limit of {mebibytes} MiB and was ended after {after:.0} s"
            ));
            self.give_up();
        } else if let Some(limit) = over(self.request.limits.processes, sample.processes) {
            self.trouble(format!(
                "had more than {limit} processes and was ended after {after:.0} s"
            ));
            self.give_up();
        }
    }

    fn trouble(&mut self, what: String) {
        if !self.troubles.contains(&what) {
            self.troubles.push(what);
        }
    }

    /// Ends the load. One that had failed by itself is no load.
    fn end_load(&mut self) {
        let Some(mut load) = self.load.take() else {
            return;
        };
        let ending = load.ended();
        load.stop();
        if let Some(ending) = ending.filter(|ending| !ending.is_success()) {
            let printed = load.printed();
            let said = String::from_utf8_lossy(&printed.stderr);
            let line = said.lines().last().unwrap_or_default().trim();
            self.trouble(format!("had a load that ended with {ending}: {line}"));
        }
    }

    fn give_up(&mut self) {
        self.given_up = true;
        self.end_load();
        if let Some(mut running) = self.running.take() {
            running.stop();
            self.printed = running.printed();
        }
    }

    fn ended(&mut self, ending: Ending, now: Duration) -> Result<(), ProbeError> {
        if let Some(mut running) = self.running.take() {
            running.stop();
            self.printed = running.printed();
        }
        // Without its server a load fails, which says nothing of it.
        self.load = None;
        let mut life = Duration::ZERO;
        let exhausted = troubles::is_exhausted(ending, &self.printed);
        if let Some(segment) = self.segments.last_mut() {
            segment.ending = Some(ending);
            segment.exhausted = exhausted;
            life = now.saturating_sub(segment.began);
        }
        if !ending.is_success() {
            self.never_started(ending)?;
            self.failures += 1;
            let why = if exhausted {
                ", since an allocation failed"
            } else {
                ""
            };
            self.trouble(format!(
                "ended with {ending} after {:.1} s{why}",
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

    /// An error when the keeper says that the program cannot be started at all.
    fn never_started(&self, ending: Ending) -> Result<(), ProbeError> {
        let first = self.segments.len() == 1;
        let unseen = self.segments.iter().all(|life| life.samples.is_empty());
        let said = String::from_utf8_lossy(&self.printed.stderr);
        match said.trim().strip_prefix(NOT_STARTED_SAYS) {
            Some(why) if first && unseen && ending == Ending::Code(i32::from(NOT_STARTED)) => {
                Err(ProbeError::Start {
                    side: self.name,
                    source: ProcessError::Start {
                        program: self.executable.to_owned(),
                        source: std::io::Error::other(why.trim().to_owned()),
                    },
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn finish(mut self) -> SideRun {
        self.end_load();
        if let Some(mut running) = self.running.take() {
            running.stop();
            self.printed = running.printed();
        }
        SideRun {
            segments: std::mem::take(&mut self.segments),
            printed: std::mem::take(&mut self.printed),
            troubles: std::mem::take(&mut self.troubles),
        }
    }
}
