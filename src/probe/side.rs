//! One side of a probe while it runs: its program, the check that it is ready, its
//! load, and what is seen of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::Path;
use std::time::{Duration, Instant};

use super::counters::{Ports, Scraper};
use super::run::{Order, ProbeError, Request, SideRun};
use super::{GaugeRules, Segment, troubles};
use crate::host::{
    Detail, Ending, Host, Launch, NOT_STARTED, NOT_STARTED_SAYS, Printed, ProcessError, Running,
    Sample,
};

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
/// A look at shared memory that takes longer than this disturbs the workload.
const COSTLY: Duration = Duration::from_millis(3);
/// After so many such looks in a row there are no more. One alone may be slow because
/// the machine is busy.
const COSTLY_LOOKS: u32 = 3;

/// One side while it runs.
pub(super) struct Side<'r> {
    pub(super) name: &'static str,
    executable: &'r Path,
    request: &'r Request,
    host: &'r Host,
    running: Option<Box<dyn Running>>,
    /// Not ready yet: when that began, and the check that is under way.
    waits: Option<(Duration, Option<Box<dyn Running>>)>,
    /// What the last check that ended said.
    check_said: Option<String>,
    /// It was ready once.
    was_ready: bool,
    load: Option<Box<dyn Running>>,
    /// Ports that nobody used when this side was begun.
    ports: Option<Ports>,
    /// Reads what the program tells of itself.
    scraper: Option<Scraper>,
    /// When the program was started.
    launched: Instant,
    segments: Vec<Segment>,
    troubles: Vec<String>,
    gaps: Vec<String>,
    printed: Printed,
    failures: usize,
    pub(super) given_up: bool,
    costly_looks: u32,
    /// Its part of the processors.
    processors: f64,
    /// When it is looked at next.
    pub(super) due: Duration,
    /// When it is looked at thoroughly next.
    thorough: Duration,
}

impl<'r> Side<'r> {
    pub(super) fn new(
        name: &'static str,
        executable: &'r Path,
        request: &'r Request,
        host: &'r Host,
        rules: &GaugeRules,
    ) -> Self {
        let ports = Ports::free(host);
        let scraper = request
            .counters
            .as_ref()
            .zip(ports)
            .map(|(counters, ports)| {
                let every = request.interval * THOROUGH;
                Scraper::new(counters, counters.address(ports), every, rules.clone())
            });
        Self {
            name,
            executable,
            request,
            host,
            running: None,
            waits: None,
            check_said: None,
            was_ready: false,
            load: None,
            ports,
            scraper,
            launched: Instant::now(),
            segments: Vec::new(),
            troubles: Vec::new(),
            gaps: Vec::new(),
            printed: Printed::default(),
            failures: 0,
            given_up: false,
            costly_looks: 0,
            processors: part_of_the_machine(request.order),
            due: Duration::ZERO,
            thorough: Duration::ZERO,
        }
    }

    /// Starts the program itself, or a command beside it.
    fn launch(
        &self,
        program: &Path,
        args: &[OsString],
        more_env: Option<&BTreeMap<OsString, OsString>>,
    ) -> Result<Box<dyn Running>, ProbeError> {
        let mut env = self.request.env.clone();
        env.insert("CANARY_SIDE".into(), self.name.into());
        let mut args: Vec<OsString> = args.to_vec();
        if let Some(ports) = self.ports {
            let (port, counters) = (ports.service.to_string(), ports.counters.to_string());
            for arg in &mut args {
                if let Some(text) = arg.to_str() {
                    let text = text.replace("{port}", &port);
                    *arg = text.replace("{metrics-port}", &counters).into();
                }
            }
            env.insert("CANARY_PORT".into(), port.into());
            env.insert("CANARY_METRICS_PORT".into(), counters.into());
        }
        let mut program = program.to_owned();
        if let Some(more_env) = more_env.filter(|env| !env.is_empty()) {
            // By `env`, which becomes the program: the keeper is to have none of it.
            let vars = more_env.iter().map(|(name, value)| {
                let value = value.to_string_lossy().replace("{side}", self.name);
                format!("{}={value}", name.to_string_lossy()).into()
            });
            args = vars.chain([program.into_os_string()]).chain(args).collect();
            program = "env".into();
        }
        if self.request.no_network {
            // A network namespace of its own, with nothing in it.
            let cut = ["--map-root-user", "--net", "--"].map(OsString::from);
            args = cut
                .into_iter()
                .chain([program.into_os_string()])
                .chain(args)
                .collect();
            program = "unshare".into();
        }
        let launch = Launch {
            keeper: self.request.keeper.clone(),
            program,
            args,
            env,
            directory: self.request.directory.clone(),
            limits: self.request.limits,
            own_group: more_env.is_some(),
        };
        self.host
            .processes
            .start(&launch)
            .map_err(|source| ProbeError::Start {
                side: self.name,
                source,
            })
    }

    pub(super) fn start(&mut self, now: Duration) -> Result<(), ProbeError> {
        self.launched = Instant::now();
        self.running = Some(self.launch(
            self.executable,
            &self.request.args,
            Some(&self.request.program_env),
        )?);
        if self.request.ready.is_some() {
            self.waits = Some((now, None));
        } else {
            self.start_load()?;
        }
        self.segments.push(Segment {
            began: now,
            processors: self.processors,
            ..Segment::default()
        });
        Ok(())
    }

    /// The program is ready: its load begins, and its counters are read.
    fn start_load(&mut self) -> Result<(), ProbeError> {
        if let Some(scraper) = &self.scraper {
            scraper.begin(self.launched);
        }
        if let Some((program, args)) = self.request.load.as_deref().and_then(<[_]>::split_first) {
            self.load = Some(self.launch(Path::new(program), args, None)?);
        }
        Ok(())
    }

    /// Asks whether a server is ready, and starts its load when it is.
    fn ask_whether_ready(&mut self, now: Duration) -> Result<(), ProbeError> {
        let Some((since, check)) = self.waits.take() else {
            return Ok(());
        };
        let Some((program, args)) = self.request.ready.as_deref().and_then(<[_]>::split_first)
        else {
            return Ok(());
        };
        let mut check = match check {
            Some(check) => check,
            None => self.launch(Path::new(program), args, None)?,
        };
        let waited = now.saturating_sub(since);
        match check.ended() {
            Some(ending) if ending.is_success() => {
                self.was_ready = true;
                return self.start_load();
            }
            Some(_) if waited < self.request.ready_timeout => {
                self.check_said = Some(last_line(&check.printed()));
                self.waits = Some((since, None));
            }
            None if waited < self.request.ready_timeout => self.waits = Some((since, Some(check))),
            Some(_) | None => {
                self.not_ready(Some(check), waited);
                self.give_up();
            }
        }
        Ok(())
    }

    fn not_ready(&mut self, check: Option<Box<dyn Running>>, waited: Duration) {
        let printed = check.map_or_else(Printed::default, |mut check| {
            check.stop();
            check.printed()
        });
        // A check that was stopped may have had no time to say anything.
        let own = Some(last_line(&printed)).filter(|line| !line.is_empty());
        let line = own.or_else(|| self.check_said.clone()).unwrap_or_default();
        let seconds = waited.as_secs_f64();
        self.trouble(format!("was not ready within {seconds:.0} s: {line}"));
    }

    /// Samples the workload when the time for it has come. What was missed on a
    /// busy machine is not made up for.
    pub(super) fn look_when_due(&mut self, now: Duration) -> Result<(), ProbeError> {
        if now < self.due {
            return Ok(());
        }
        let interval = self.request.interval;
        let thorough = now >= self.thorough;
        if thorough {
            self.thorough = now + interval * THOROUGH;
        }
        self.look(now, thorough)?;
        if thorough {
            self.ask_whether_ready(now)?;
        }
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
    pub(super) fn look(&mut self, now: Duration, thorough: bool) -> Result<(), ProbeError> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        if let Some(ending) = running.ended() {
            return self.ended(ending, now);
        }
        let detail = if !thorough {
            Detail::Counts
        } else if self.costly_looks < COSTLY_LOOKS {
            Detail::Shares
        } else {
            Detail::Sockets
        };
        let before = Instant::now();
        let Some(sample) = running.sample(detail) else {
            return Ok(());
        };
        if detail == Detail::Shares {
            let costly = before.elapsed() >= COSTLY;
            self.costly_looks = if costly { self.costly_looks + 1 } else { 0 };
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
        // Shared memory and files in tmpfs show in no process.
        let grouped = sample.group.map_or(0, |group| group.anon + group.shmem);
        if let Some(limit) = over(self.request.memory, sample.rss.max(grouped)) {
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
        if let Some((_, check)) = self.waits.take()
            && !self.was_ready
        {
            let running = self.running.as_ref();
            let waited = running.map_or(Duration::ZERO, |running| running.elapsed());
            self.not_ready(check, waited);
        }
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
        self.stop(None);
    }

    /// Ends the program, when it has not ended, and keeps what it said and told. Returns
    /// why it could not have more memory, where it ended for that.
    fn stop(&mut self, ending: Option<Ending>) -> Option<&'static str> {
        if let (Some(scraper), Some(segment)) = (&self.scraper, self.segments.last_mut()) {
            segment.told.extend(scraper.end());
        }
        self.look_at_group();
        let mut running = self.running.take()?;
        running.stop();
        self.printed = running.printed();
        let segment = self.segments.last_mut()?;
        let kills = segment.group.map_or(0, |group| group.oom_kills);
        let why = ending.and_then(|ending| troubles::exhausted(ending, &self.printed, kills));
        segment.exhausted = why.is_some();
        let killed = ending.is_some_and(|ending| troubles::is_killed(ending, kills));
        if let Some(told) = troubles::ended_for_memory(kills, killed) {
            self.trouble(told);
        }
        why
    }

    /// What the control group of the life that ends says, or why there is none.
    fn look_at_group(&mut self) {
        let (Some(running), Some(segment)) = (&self.running, self.segments.last_mut()) else {
            return;
        };
        let member = segment.samples.iter().any(|sample| sample.group.is_some());
        let gap = match running.group_gap() {
            Some(why) => Some(format!("no control group of its own: {why}")),
            None if !member
                && segment
                    .samples
                    .iter()
                    .any(|sample| sample.sockets.is_some()) =>
            {
                Some("no account of its control group: it has no member".to_owned())
            }
            None => None,
        };
        segment.group = running.group();
        let new = gap.filter(|gap| !self.gaps.contains(gap));
        self.gaps.extend(new);
    }

    fn ended(&mut self, ending: Ending, now: Duration) -> Result<(), ProbeError> {
        let why = self.stop(Some(ending));
        // Without its server a load fails, which says nothing of it.
        self.load = None;
        self.waits = None;
        let mut life = Duration::ZERO;
        if let Some(segment) = self.segments.last_mut() {
            segment.ending = Some(ending);
            life = now.saturating_sub(segment.began);
        }
        if !ending.is_success() {
            self.never_started(ending)?;
            self.failures += 1;
            let why = why.map_or_else(String::new, |why| format!(", {why}"));
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
        let said = String::from_utf8_lossy(&self.printed.stderr);
        match said.trim().strip_prefix(NOT_STARTED_SAYS) {
            Some(why) if first && ending == Ending::Code(i32::from(NOT_STARTED)) => {
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

    pub(super) fn finish(mut self) -> SideRun {
        self.end_load();
        self.stop(None);
        if let Some(trouble) = self.scraper.take().and_then(|scraper| scraper.trouble()) {
            self.trouble(trouble);
        }
        SideRun {
            segments: std::mem::take(&mut self.segments),
            printed: std::mem::take(&mut self.printed),
            troubles: std::mem::take(&mut self.troubles),
            gaps: std::mem::take(&mut self.gaps),
        }
    }
}

/// How many processors a side may have to itself.
fn part_of_the_machine(order: Order) -> f64 {
    let sides = match order {
        Order::SideBySide => 2.0,
        Order::Alternate { .. } => 1.0,
    };
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    #[expect(clippy::cast_precision_loss, reason = "a few hundred at most")]
    let part = processors as f64 / sides;
    part
}

/// The last line that a program wrote to standard error.
fn last_line(printed: &Printed) -> String {
    let said = String::from_utf8_lossy(&printed.stderr);
    said.lines().last().unwrap_or_default().trim().to_owned()
}
