//! Which updates make a command fail, or the probe find a leak: over lock files
//! that hold only, with as few builds as the suspicion allows, and with a proof
//! at the end.

mod journal;
mod search;
mod show;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::ProbeError;
use super::judge::Answer;
use super::run as probing;
use super::workshop::{Built, Tools, Workshop, WorkshopError};
use crate::host::Host;
use crate::lockfile::{MixtureError, Mixtures};
use crate::snapshot::tree::Tree;
use journal::Journal;

pub use crate::lockfile::Set;
pub use journal::Step;
pub use search::{Bench, Found, Verdict, find};
pub use show::{json, line, text};

/// What tells a good build from a bad one.
#[derive(Clone, Debug)]
pub enum Trial {
    /// A command that succeeds on the base and fails on the head. It runs where
    /// the files of the build stand, after it was built. Exit code 125: this
    /// build cannot be judged.
    Command {
        /// The command.
        command: Vec<OsString>,
        /// It may take this long; longer counts as a failure.
        timeout: Duration,
    },
    /// A probe of the base's executable and the candidate's.
    Probe(Box<probing::Request>),
}

/// A bisection to be made.
#[derive(Clone, Debug)]
pub struct Request {
    /// The lock file that is well.
    pub base: String,
    /// The lock file that fails.
    pub head: String,
    /// What tells them apart.
    pub trial: Trial,
    /// How suspicious each package is, by name; 1 for those not named.
    pub suspicion: BTreeMap<String, f64>,
    /// Where to work; kept, for a later run to go on from.
    pub work: PathBuf,
    /// How programs are started.
    pub tools: Tools,
}

/// What is under way.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'e> {
    /// A trial of so many updates begins.
    Trying {
        /// Its number, from 1.
        number: usize,
        /// How many updates are in place.
        updates: usize,
    },
    /// A trial has ended.
    Tried(&'e Step),
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum BisectError {
    /// The lock files cannot be mixed.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// The workshop broke down.
    #[error(transparent)]
    Workshop(#[from] WorkshopError),
    /// A probe broke down.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The log cannot be written.
    #[error("failed to write the log of the bisection")]
    Journal(#[source] std::io::Error),
    /// Nothing differs.
    #[error("no package differs between the two lock files")]
    NothingDiffers,
    /// The base fails already.
    #[error("the base is not well: {because}")]
    BaseFails {
        /// What was seen.
        because: String,
    },
    /// The head does not fail.
    #[error("the head does not fail: {because}")]
    HeadIsWell {
        /// What was seen.
        because: String,
    },
}

/// What came of a bisection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bisected {
    /// The names of the guilty updates, sorted.
    pub guilty: Vec<String>,
    /// The same by sets: the updates of a set fail only together.
    pub sets: Vec<Vec<String>>,
    /// The names of the updates that come along with the guilty ones, sorted.
    pub company: Vec<String>,
    /// Guilty ones that stand there because no build went without them, sorted.
    pub inseparable: Vec<String>,
    /// All updates, sorted.
    pub candidates: Vec<String>,
    /// Packages that come or go with an update, sorted.
    pub one_sided: Vec<String>,
    /// Each set fails alone.
    pub fails_alone: bool,
    /// Without all of them all is well.
    pub others_are_well: bool,
    /// How many builds were made, those of an earlier run included.
    pub builds: usize,
    /// How many trials an earlier run had made.
    pub resumed: usize,
    /// All trials, in order.
    pub steps: Vec<Step>,
}

/// Finds the guilty updates.
///
/// # Errors
/// When the base is not well, the head does not fail, or programs or files
/// cannot be used.
pub fn run(
    request: &Request,
    tree: &dyn Tree,
    host: &Host,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Bisected, BisectError> {
    let mixtures = Mixtures::new(&request.base, &request.head)?;
    if mixtures.names().is_empty() {
        return Err(BisectError::NothingDiffers);
    }
    let workshop = Workshop::open(host, &request.work, tree, request.tools.clone())?;
    let journal = Journal::open(&request.work, &key(request), host);
    if journal.steps.is_empty() {
        workshop.fetch("head", &request.head)?;
        workshop.fetch("base", &request.base)?;
    }
    let mut bench = Real {
        request,
        mixtures,
        workshop,
        journal,
        host,
        on_event,
        settled: BTreeMap::new(),
        base_executable: None,
        purpose: "",
    };
    bench.check_ends()?;
    let suspicion: Vec<f64> = bench
        .mixtures
        .names()
        .iter()
        .map(|name| request.suspicion.get(name).copied().unwrap_or(1.0))
        .collect();
    let found = find(&mut bench, &suspicion)?;
    bench.result(&found)
}

fn digest(text: &str) -> String {
    let mut out = String::from("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        out.push_str(&format_args!("{byte:02x}").to_string());
    }
    out
}

/// What a log belongs to: both lock files and the trial.
fn key(request: &Request) -> String {
    let trial = match &request.trial {
        Trial::Command { command, .. } => format!("{command:?}"),
        Trial::Probe(probe) => format!(
            "{:?} {:?} {:?} {:?}",
            probe.args, probe.ready, probe.load, probe.duration
        ),
    };
    let whole = format!(
        "{}\0{}\0{trial}\0{:?}",
        request.base, request.head, request.tools.build_args
    );
    digest(&whole)
}

/// A lock file that holds, or why there is none.
#[derive(Clone)]
struct Settled {
    lock: Result<String, String>,
    in_place: Set,
}

struct Real<'r> {
    request: &'r Request,
    mixtures: Mixtures,
    workshop: Workshop<'r>,
    journal: Journal,
    host: &'r Host,
    on_event: &'r dyn Fn(Event<'_>),
    settled: BTreeMap<Set, Settled>,
    base_executable: Option<PathBuf>,
    purpose: &'static str,
}

impl Bench for Real<'_> {
    type Error = BisectError;

    fn closed(&mut self, set: &Set) -> Result<Set, BisectError> {
        Ok(self.settle(set)?.in_place)
    }

    fn outcome(&mut self, set: &Set) -> Result<Verdict, BisectError> {
        let settled = self.settle(set)?;
        let lock = match settled.lock {
            Ok(lock) => lock,
            Err(because) => return Ok(Verdict::Skipped(because)),
        };
        let id = digest(&lock);
        if let Some(verdict) = self.journal.remembered(&id) {
            return Ok(verdict);
        }
        (self.on_event)(Event::Trying {
            number: self.journal.steps.len() + 1,
            updates: settled.in_place.len(),
        });
        let began = Instant::now();
        self.workshop.lock(&lock)?;
        let (verdict, because) = match self.workshop.build()? {
            Built::Failed(complaint) => {
                let because = format!("it does not compile: {complaint}");
                (Verdict::Skipped(because.clone()), because)
            }
            Built::Done(executables) => self.judge(&executables, &id)?,
        };
        let outcome = match verdict {
            Verdict::Good => "good",
            Verdict::Bad => "bad",
            Verdict::Skipped(_) => "skipped",
        };
        let step = Step {
            what: self.purpose.to_owned(),
            updates: self.named(&settled.in_place),
            lock: id,
            outcome: outcome.to_owned(),
            because,
            built: true,
            seconds: began.elapsed().as_secs(),
        };
        (self.on_event)(Event::Tried(&step));
        self.journal
            .add(step, self.host)
            .map_err(BisectError::Journal)?;
        Ok(verdict)
    }
}

impl Real<'_> {
    fn named(&self, set: &Set) -> Vec<String> {
        set.iter()
            .filter_map(|number| self.mixtures.names().get(*number))
            .cloned()
            .collect()
    }

    fn settle(&mut self, set: &Set) -> Result<Settled, BisectError> {
        if let Some(settled) = self.settled.get(set) {
            return Ok(settled.clone());
        }
        // What cargo cannot resolve, or only with a release of neither side, lacks
        // an update that must come along: it is added, and the wish made again.
        let mut wanted = set.clone();
        let settled = loop {
            let wish = self.mixtures.wish(&wanted);
            let (because, missing) = match self.workshop.settle(&wish)? {
                Ok(lock) => match self.mixtures.in_place(&lock, &wanted) {
                    Ok(in_place) => {
                        break Settled {
                            lock: Ok(lock),
                            in_place,
                        };
                    }
                    Err(strange) => {
                        let because = format!("it would need {strange}, which neither build has");
                        (because, self.mixtures.missing(&[&strange], &wanted))
                    }
                },
                Err(complaint) => {
                    let named: Vec<&str> = complaint.split('`').skip(1).step_by(2).collect();
                    let missing = self.mixtures.missing(&named, &wanted);
                    (format!("it does not resolve: {complaint}"), missing)
                }
            };
            let Some(missing) = missing else {
                break Settled {
                    lock: Err(because),
                    in_place: set.clone(),
                };
            };
            wanted.insert(missing);
        };
        self.settled.insert(set.clone(), settled.clone());
        Ok(settled)
    }

    /// The base must be well and the head must fail, or there is nothing to find.
    fn check_ends(&mut self) -> Result<(), BisectError> {
        self.purpose = "the base";
        let because = |bench: &Self| {
            bench
                .journal
                .steps
                .last()
                .map_or_else(String::new, |step| step.because.clone())
        };
        match self.outcome(&Set::new())? {
            Verdict::Good => {}
            Verdict::Bad => {
                return Err(BisectError::BaseFails {
                    because: because(self),
                });
            }
            Verdict::Skipped(because) => return Err(BisectError::BaseFails { because }),
        }
        self.purpose = "the head";
        let all: Set = (0..self.mixtures.names().len()).collect();
        match self.outcome(&all)? {
            Verdict::Bad => {}
            Verdict::Good => {
                return Err(BisectError::HeadIsWell {
                    because: because(self),
                });
            }
            Verdict::Skipped(because) => return Err(BisectError::HeadIsWell { because }),
        }
        self.purpose = "search";
        Ok(())
    }

    fn judge(
        &mut self,
        executables: &[(String, PathBuf)],
        id: &str,
    ) -> Result<(Verdict, String), BisectError> {
        match &self.request.trial {
            Trial::Command { command, timeout } => {
                let (ending, _) = self.workshop.run(command, *timeout)?;
                Ok(match ending {
                    Some(ending) if ending.is_success() => {
                        (Verdict::Good, "the command succeeds".to_owned())
                    }
                    Some(crate::host::Ending::Code(125)) => {
                        let because = "the command says that it cannot judge".to_owned();
                        (Verdict::Skipped(because.clone()), because)
                    }
                    Some(ending) => (Verdict::Bad, format!("the command ends with {ending}")),
                    None => (
                        Verdict::Bad,
                        format!("the command did not end within {} s", timeout.as_secs()),
                    ),
                })
            }
            Trial::Probe(probe) => {
                let executable = match self.workshop.choose(executables) {
                    Ok(executable) => executable,
                    Err(because) => return Ok((Verdict::Skipped(because.clone()), because)),
                };
                let name: String = id.chars().skip(7).take(16).collect();
                let aside = self.workshop.set_aside(&executable, &name)?;
                self.probe(probe, aside)
            }
        }
    }

    fn probe(
        &mut self,
        template: &probing::Request,
        executable: PathBuf,
    ) -> Result<(Verdict, String), BisectError> {
        let Some(base) = self.base_for_probe(&executable)? else {
            return Ok((Verdict::Good, "the measure for all others".to_owned()));
        };
        let mut request = template.clone();
        request.base = base;
        request.head = executable;
        // What one run leaves open, a run of twice the time may decide.
        for factor in [1, 2] {
            request.duration = template.duration * factor;
            let probed = probing::run(&request, self.host, &|_| {})?;
            let because = super::show::summary(&probed);
            match probed.decision {
                Answer::Leak => return Ok((Verdict::Bad, because)),
                Answer::NoLeak => return Ok((Verdict::Good, because)),
                Answer::Inconclusive => {}
            }
        }
        let because = "the probe does not decide".to_owned();
        Ok((Verdict::Skipped(because.clone()), because))
    }

    /// The base's executable; `None` while the base itself is on trial. After a
    /// resumed start it is built again when it is gone.
    fn base_for_probe(
        &mut self,
        candidate: &std::path::Path,
    ) -> Result<Option<PathBuf>, BisectError> {
        if self.purpose == "the base" {
            self.base_executable = Some(candidate.to_owned());
            return Ok(None);
        }
        if self.base_executable.is_none() {
            let settled = self.settle(&Set::new())?;
            if let Ok(lock) = &settled.lock {
                let name: String = digest(lock).chars().skip(7).take(16).collect();
                let path = self.workshop.root().join("executables").join(name);
                self.base_executable = Some(path);
            }
        }
        Ok(self.base_executable.clone())
    }

    fn result(mut self, found: &Found) -> Result<Bisected, BisectError> {
        let mut guilty = Set::new();
        let mut company = Set::new();
        for set in &found.guilty {
            guilty.extend(set);
            company.extend(self.settle(set)?.in_place);
        }
        let company: Set = company.difference(&guilty).copied().collect();
        let inseparable: Set = found.inseparable.intersection(&guilty).copied().collect();
        Ok(Bisected {
            guilty: self.named(&guilty),
            sets: found.guilty.iter().map(|set| self.named(set)).collect(),
            company: self.named(&company),
            inseparable: self.named(&inseparable),
            candidates: self.mixtures.names().to_vec(),
            one_sided: self.mixtures.one_sided().to_vec(),
            fails_alone: found.fails_alone,
            others_are_well: found.others_are_well,
            builds: self.journal.steps.iter().filter(|step| step.built).count(),
            resumed: self.journal.resumed,
            steps: self.journal.steps,
        })
    }
}
