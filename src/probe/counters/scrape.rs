//! Asks one side for its counters, beside the sampling and without holding it up: a
//! program that does not answer costs its own time only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Counters;
use super::reading::{Before, Reading};
use crate::host::{Get, Net, NetError, NetLimits, RealNet};
use crate::probe::thresholds::GaugeRules;

/// The largest answer, in bytes.
const ANSWER_LIMIT: u64 = 4 << 20;
/// A program has so long to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often is looked whether there is something to do.
const NAP: Duration = Duration::from_millis(20);
/// The longest complaint that is passed on, in characters.
const LONGEST: usize = 200;

/// Reads the counters of one side for as long as the value lives.
pub(in crate::probe) struct Scraper {
    shared: Arc<Mutex<Shared>>,
    url: String,
}

#[derive(Default)]
struct Shared {
    /// When the life under watch began; `None` while there is none.
    began: Option<Instant>,
    /// Counts lives, so that an answer is not taken for one of the next life.
    life: u64,
    readings: Vec<Reading>,
    before: Before,
    answers: usize,
    failures: usize,
    complaint: String,
    ended: bool,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scraper {
    /// Starts to read, as often as `every`, when a life begins.
    pub(in crate::probe) fn new(
        counters: &Counters,
        url: String,
        every: Duration,
        rules: GaugeRules,
    ) -> Self {
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let (of_thread, of_counters, address) =
            (Arc::clone(&shared), counters.clone(), url.clone());
        thread::spawn(move || {
            let net = RealNet::new(NetLimits {
                connect: PATIENCE,
                silence: PATIENCE,
                total: PATIENCE,
                repeats: 0,
                redirects: 0,
                at_once: 1,
                ..NetLimits::default()
            });
            let ask = |began: Instant, before: &mut Before| {
                let at = began.elapsed();
                let text = text(&net, &address)?;
                let read = before.next(at, &text, &of_counters, &rules);
                read.map_err(|error| error.to_string())
            };
            watch(&of_thread, every, &ask);
        });
        Self { shared, url }
    }

    /// A life began.
    pub(in crate::probe) fn begin(&self, began: Instant) {
        let mut shared = lock(&self.shared);
        shared.began = Some(began);
        shared.life += 1;
        shared.before = Before::default();
        shared.readings.clear();
    }

    /// The life is over: what was read in it.
    pub(in crate::probe) fn end(&self) -> Vec<Reading> {
        let mut shared = lock(&self.shared);
        shared.began = None;
        std::mem::take(&mut shared.readings)
    }

    /// What went wrong, when most of the questions were not answered.
    pub(in crate::probe) fn trouble(&self) -> Option<String> {
        let shared = lock(&self.shared);
        let (answers, failures) = (shared.answers, shared.failures);
        (failures > answers).then(|| {
            let of_all = answers + failures;
            format!(
                "told its counters {answers} times of {of_all} at {}: {}",
                self.url, shared.complaint
            )
        })
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        // The thread ends by itself, and is not waited for: it may be waiting for a
        // program that does not answer.
        lock(&self.shared).ended = true;
    }
}

fn watch(
    shared: &Mutex<Shared>,
    every: Duration,
    ask: &dyn Fn(Instant, &mut Before) -> Result<Reading, String>,
) {
    let mut due = Instant::now();
    loop {
        let (began, life, mut before) = {
            let shared = lock(shared);
            if shared.ended {
                return;
            }
            (shared.began, shared.life, shared.before)
        };
        let Some(began) = began.filter(|_| Instant::now() >= due) else {
            thread::sleep(NAP);
            continue;
        };
        due = Instant::now() + every;
        let answer = ask(began, &mut before);
        let mut shared = lock(shared);
        if shared.began.is_none() || shared.life != life {
            // It ended meanwhile, and what it said then says nothing.
            continue;
        }
        match answer {
            Ok(reading) => {
                shared.before = before;
                shared.answers += 1;
                shared.readings.push(reading);
            }
            Err(complaint) => {
                shared.failures += 1;
                shared.complaint = harmless(&complaint);
            }
        }
    }
}

fn text(net: &RealNet, url: &str) -> Result<String, String> {
    let request = Get {
        url: url.to_owned(),
        headers: vec![("accept".to_owned(), "text/plain;version=0.0.4".to_owned())],
        limit: ANSWER_LIMIT,
    };
    let answer = net.get_all(&[request]).pop();
    let answer = answer.ok_or("there is no answer")?;
    let answer = answer.map_err(|error| match error {
        NetError::NoAnswer { detail, .. } => detail,
        NetError::TimedOut { seconds, .. } => format!("no answer within {seconds} s"),
        NetError::TooLarge { limit, .. } => format!("the answer is larger than {limit} bytes"),
    })?;
    if answer.status != 200 {
        return Err(format!("it answers with the status {}", answer.status));
    }
    String::from_utf8(answer.body).map_err(|_| "the answer is no text".to_owned())
}

fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(LONGEST)
        .collect()
}
