//! What a replay has done so far, in a file: a replay that was stopped goes on
//! where it was. The first line says what is replayed by what; under any other
//! circumstances the file is refused, since its rows would not be comparable.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{BacktestError, Plain, Row};
use crate::host::{Host, Tail};
use crate::policy::Decision;
use crate::risk::{Column, Fault, SIGNALS};

/// No journal that is larger is read.
const LARGEST: u64 = 4 << 30;

/// What became of one event.
pub(super) type Done = Result<(Vec<Row>, usize), String>;

/// A journal on disk, with what it held when it was opened.
pub(super) struct Journal<'h> {
    host: &'h Host,
    path: PathBuf,
    done: BTreeMap<String, Done>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Head {
    journal: u32,
    of: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    event: String,
    #[serde(default)]
    failed: Option<String>,
    #[serde(default)]
    unmatched: usize,
    #[serde(default)]
    rows: Vec<RowLine>,
}

#[derive(Serialize, Deserialize)]
struct RowLine {
    at: usize,
    repository: String,
    family: String,
    name: String,
    score: f64,
    likelihood: f64,
    /// Kind of fault, likelihood.
    faults: Vec<(String, f64)>,
    place: (f64, usize),
    decision: String,
    /// Signal, grade, share.
    columns: Vec<(String, Option<String>, f64)>,
    step: f64,
    /// `None` where the age is not known.
    age_days: Option<f64>,
    changed: f64,
    labels: BTreeMap<String, bool>,
}

impl<'h> Journal<'h> {
    /// Opens a journal, or begins one.
    pub(super) fn open(path: &Path, of: &str, host: &'h Host) -> Result<Self, BacktestError> {
        let mut journal = Self {
            host,
            path: path.to_owned(),
            done: BTreeMap::new(),
        };
        let content = match host.files.read(path, LARGEST) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(journal.unusable(&error.to_string())),
        };
        let text = String::from_utf8_lossy(&content);
        let mut lines = text.split_inclusive('\n');
        let Some(first) = lines.next() else {
            let head = Head {
                journal: 1,
                of: of.to_owned(),
            };
            journal.add(&head)?;
            return Ok(journal);
        };
        match serde_json::from_str::<Head>(first) {
            Ok(head) if head.journal == 1 && head.of == of => {}
            Ok(_) => {
                return Err(journal
                    .unusable("it is of another corpus, policy, model or version of the program"));
            }
            Err(_) => return Err(journal.unusable("it is no journal of a replay")),
        }
        // A last line without an end was cut off when the program was stopped.
        for line in lines.filter(|line| line.ends_with('\n')) {
            if let Ok(line) = serde_json::from_str::<Line>(line)
                && let Some((event, done)) = read(line)
            {
                journal.done.insert(event, done);
            }
        }
        Ok(journal)
    }

    /// What was done of an event before.
    pub(super) fn done(&self, event: &str) -> Option<Done> {
        self.done.get(event).cloned()
    }

    /// Adds what was done.
    pub(super) fn record(&self, done: &[(&str, &Done)]) -> Result<(), BacktestError> {
        let mut text = String::new();
        for (event, done) in done {
            let line = written(event, done);
            // The shape has neither maps with other keys than text, nor failing
            // implementations.
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
            text.push('\n');
        }
        self.append(text.as_bytes())
    }

    fn add(&self, head: &Head) -> Result<(), BacktestError> {
        let mut text = serde_json::to_string(head).unwrap_or_default();
        text.push('\n');
        self.append(text.as_bytes())
    }

    fn append(&self, bytes: &[u8]) -> Result<(), BacktestError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.host
            .files
            .append(&self.path, bytes, &|_| Ok(Tail::Torn))
            .map_err(|error| self.unusable(&error.to_string()))
    }

    fn unusable(&self, detail: &str) -> BacktestError {
        BacktestError::Journal {
            path: self.path.display().to_string(),
            detail: detail.to_owned(),
        }
    }
}

fn written(event: &str, done: &Done) -> Line {
    let (rows, unmatched, failed) = match done {
        Ok((rows, unmatched)) => (rows.as_slice(), *unmatched, None),
        Err(reason) => (&[][..], 0, Some(reason.clone())),
    };
    let of_row = |row: &Row| RowLine {
        at: row.event,
        repository: row.repository.clone(),
        family: row.family.clone(),
        name: row.name.clone(),
        score: row.score,
        likelihood: row.likelihood,
        faults: row
            .faults
            .iter()
            .map(|(fault, likelihood)| (fault.as_str().to_owned(), *likelihood))
            .collect(),
        place: row.place,
        decision: row.decision.as_str().to_owned(),
        columns: row
            .columns
            .iter()
            .map(|((signal, grade), share)| {
                ((*signal).to_owned(), grade.map(str::to_owned), *share)
            })
            .collect(),
        step: row.plain.step,
        age_days: (row.plain.age_days < f64::MAX).then_some(row.plain.age_days),
        changed: row.plain.changed,
        labels: row.labels.clone(),
    };
    Line {
        event: event.to_owned(),
        failed,
        unmatched,
        rows: rows.iter().map(of_row).collect(),
    }
}

/// `None` where a line has what this program does not know: it is done again.
fn read(line: Line) -> Option<(String, Done)> {
    if let Some(reason) = line.failed {
        return Some((line.event, Err(reason)));
    }
    let rows: Option<Vec<Row>> = line.rows.into_iter().map(row).collect();
    Some((line.event, Ok((rows?, line.unmatched))))
}

fn row(line: RowLine) -> Option<Row> {
    let decisions = [
        Decision::Pass,
        Decision::Canary,
        Decision::Incomplete,
        Decision::Block,
    ];
    let columns = line
        .columns
        .iter()
        .map(|(signal, grade, share)| Some((column(signal, grade.as_deref())?, *share)));
    let faults = line.faults.iter().map(|(name, likelihood)| {
        let fault = Fault::ALL.into_iter().find(|it| it.as_str() == name)?;
        Some((fault, *likelihood))
    });
    Some(Row {
        event: line.at,
        repository: line.repository,
        family: line.family,
        name: line.name,
        score: line.score,
        likelihood: line.likelihood,
        faults: faults.collect::<Option<_>>()?,
        place: line.place,
        decision: decisions
            .into_iter()
            .find(|it| it.as_str() == line.decision)?,
        columns: columns.collect::<Option<_>>()?,
        plain: Plain {
            step: line.step,
            age_days: line.age_days.unwrap_or(f64::MAX),
            changed: line.changed,
        },
        labels: line.labels,
        // It stands in the corpus, and is taken from there.
        known: Vec::new(),
    })
}

fn column(signal: &str, grade: Option<&str>) -> Option<Column> {
    let definition = SIGNALS.iter().find(|it| it.id == signal)?;
    let grade = match grade {
        None => None,
        Some(grade) => Some(*definition.grades.iter().find(|it| **it == grade)?),
    };
    Some((definition.id, grade))
}
