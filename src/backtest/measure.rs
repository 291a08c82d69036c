//! What a replay amounts to: for each label how well the score orders, beside
//! simple rules, with intervals over repositories and release families; how
//! well the probability holds; and how often the policy speaks.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{History, Row, plain};
use crate::policy::Decision;
use crate::risk::Fault;
use crate::stats::{average_precision, brier, quantile, recall_at, roc_auc};

/// The shares of alerts at which recall is told, in percent.
pub(super) const BUDGETS: [u32; 4] = [1, 3, 5, 10];
/// Events with fewer upgrades do not count for the place of the bad one.
const LARGE_EVENT: usize = 10;
/// So often history is drawn anew for an interval.
const DRAWS: usize = 200;
/// What brought a leak that was found later. Nobody looked for leaks in all that
/// has no such label, so that it is told only where the guilty one stood.
pub(super) const LEAK: &str = "leak";
/// The label of the whole, by which an update counts as ordinary.
pub(super) const ANY: &str = "bad";
/// The same among releases younger than three days, of which an age rule tells nothing.
pub(super) const ANY_OF_FRESH: &str = "bad_below_3_days";

/// A range that holds a figure in 95 of 100 draws of history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// How well an order finds what went wrong.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Figures {
    /// The area under the curve of hits over false alarms.
    pub roc_auc: Option<f64>,
    /// The mean precision over all hits.
    pub average_precision: Option<f64>,
    /// By percent of alerts: the share of what went wrong that is among them.
    pub recall_at: BTreeMap<u32, f64>,
    /// Of what went wrong in events with at least ten upgrades: the share that
    /// is among the first three of its event; ties count in part.
    pub top3_in_event: Option<f64>,
}

/// All figures of one label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelFigures {
    /// Upgrades whose label is settled.
    pub rows: usize,
    /// How many of them have it.
    pub positive: usize,
    /// Of the score.
    pub model: Figures,
    /// Of the likelihood of the label's own kind of fault, where it has one.
    pub likelihood: Option<Figures>,
    /// The area under the curve, over repositories and families: the wider one.
    pub roc_auc_interval: Option<Interval>,
    /// The mean precision, likewise.
    pub average_precision_interval: Option<Interval>,
    /// Of simple rules, by name.
    pub baselines: BTreeMap<&'static str, Figures>,
    /// Of 100 upgrades that have it: how many the policy stopped, and how many
    /// it sent to a canary.
    pub caught_per_100: (f64, f64),
}

/// How well the probability holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The mean square of probability against outcome.
    pub brier: f64,
    /// The same for a probability that is the base rate for all.
    pub brier_of_base_rate: f64,
    /// By level of the score: upgrades, mean probability, share that went wrong.
    pub by_tenth: Vec<(usize, f64, f64)>,
    /// By band of the score, with its lower bound: upgrades, and how many went wrong.
    pub by_level: Vec<(&'static str, u8, usize, usize)>,
}

/// All that is told of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// By label.
    pub labels: BTreeMap<String, LabelFigures>,
    /// Of 100 ordinary upgrades: blocked, and sent to a canary.
    pub alerts_per_100: (f64, f64),
    /// Where each update that brought a leak stood in its own difference.
    pub incident_days: Vec<IncidentDay>,
    /// For the label of the whole.
    pub calibration: Option<Calibration>,
    /// Upgrades that were judged.
    pub updates: usize,
    /// Events that were replayed.
    pub events: usize,
}

/// A day on which a leak came in.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentDay {
    /// The repository.
    pub repository: String,
    /// The package and its step.
    pub name: String,
    /// Its place by score, from 1, and among how many changes.
    pub place: (f64, usize),
    /// What the policy made of it.
    pub decision: Decision,
}

/// Measures a replay. The levels are those of the model: name and lowest score.
#[must_use]
pub fn measure(history: &History, levels: &[(&'static str, u8)]) -> Measured {
    let names: BTreeSet<&String> = history
        .rows
        .iter()
        .flat_map(|row| row.labels.keys())
        .filter(|name| *name != LEAK)
        .collect();
    let labels = names
        .into_par_iter()
        .map(|name| (name.clone(), label_figures(&history.rows, name)))
        .collect();
    let ordinary: Vec<&Row> = history
        .rows
        .iter()
        .filter(|row| row.labels.get(ANY) != Some(&true))
        .collect();
    Measured {
        labels,
        alerts_per_100: (
            per_100(&ordinary, Decision::Block),
            per_100(&ordinary, Decision::Canary),
        ),
        incident_days: history
            .rows
            .iter()
            .filter(|row| row.labels.contains_key(LEAK))
            .map(|row| IncidentDay {
                repository: row.repository.clone(),
                name: row.name.clone(),
                place: row.place,
                decision: row.decision,
            })
            .collect(),
        calibration: calibration(&history.rows, levels),
        updates: history.rows.len(),
        events: history.events,
    }
}

fn per_100(rows: &[&Row], decision: Decision) -> f64 {
    if rows.is_empty() {
        return 0.0;
    }
    rows.iter().filter(|row| row.decision == decision).count() as f64 * 100.0 / rows.len() as f64
}

/// A row that is settled for a label.
struct Settled<'a> {
    row: &'a Row,
    bad: bool,
    /// By a plain regression that has not seen its family.
    plain: Option<f64>,
}

fn label_figures(rows: &[Row], label: &str) -> LabelFigures {
    let all: Vec<&Row> = rows.iter().collect();
    let plain = plain::left_out(&all, label, |row| &row.family);
    let settled: Vec<Settled<'_>> = rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| {
            Some(Settled {
                row,
                bad: *row.labels.get(label)?,
                plain: plain.as_ref().and_then(|plain| plain.get(at)).copied(),
            })
        })
        .collect();
    let bad: Vec<&Row> = settled
        .iter()
        .filter(|it| it.bad)
        .map(|it| it.row)
        .collect();
    let mut baselines: BTreeMap<_, _> = BASELINES
        .iter()
        .map(|(name, score)| (*name, figures(&settled, &|it| score(it.row))))
        .collect();
    if plain.is_some() {
        let score = |it: &Settled<'_>| it.plain.unwrap_or(0.0);
        baselines.insert("plain-regression", figures(&settled, &score));
    }
    let own = |row: &Row| own_likelihood(label, &row.faults);
    let likelihood = settled.iter().all(|it| own(it.row).is_some());
    let (auc, precision) = intervals(&settled);
    LabelFigures {
        rows: settled.len(),
        positive: bad.len(),
        model: figures(&settled, &|it| it.row.score),
        likelihood: likelihood.then(|| figures(&settled, &|it| own(it.row).unwrap_or(0.0))),
        roc_auc_interval: auc,
        average_precision_interval: precision,
        baselines,
        caught_per_100: (
            per_100(&bad, Decision::Block),
            per_100(&bad, Decision::Canary),
        ),
    }
}

/// How likely what a label tells of is by the model, where it has a kind of fault
/// for it: any of several, where a label is of several.
pub(super) fn own_likelihood(label: &str, faults: &[(Fault, f64)]) -> Option<f64> {
    let kinds: &[Fault] = match label {
        "bad_adv" => &[Fault::Advisory],
        "bad_yank" | "bad_yank_isolated" => &[Fault::Withdrawal],
        "bad_adv_or_yank" => &[Fault::Advisory, Fault::Withdrawal],
        "bad_hotfix" => &[Fault::Hotfix],
        "patch_3d_commit" => &[Fault::FollowUp],
        ANY | ANY_OF_FRESH => &[Fault::Advisory, Fault::Withdrawal, Fault::Hotfix],
        _ => return None,
    };
    let mut none = 1.0;
    for kind in kinds {
        let (_, likelihood) = faults.iter().find(|(fault, _)| fault == kind)?;
        none *= 1.0 - likelihood;
    }
    Some(1.0 - none)
}

type Score = fn(&Row) -> f64;

/// What one would go by without a model.
const BASELINES: [(&str, Score); 5] = [
    ("age-below-3-days", |row| {
        f64::from(u8::from(row.plain.age_days < 3.0))
    }),
    ("fewest-changed", |row| -row.plain.changed),
    ("random", |row| noise(&row.name, row.event)),
    ("semver-step", |row| row.plain.step),
    ("youngest-first", |row| -row.plain.age_days),
];

/// A number that depends on nothing that matters, and is the same in each run.
fn noise(name: &str, event: usize) -> f64 {
    let mut state = event as u64;
    for byte in name.bytes() {
        state = splitmix(state ^ u64::from(byte));
    }
    (state >> 11) as f64
}

/// One step of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
pub(super) fn splitmix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn figures(settled: &[Settled<'_>], score: &dyn Fn(&Settled<'_>) -> f64) -> Figures {
    let rows: Vec<(f64, bool)> = settled.iter().map(|it| (score(it), it.bad)).collect();
    Figures {
        roc_auc: roc_auc(&rows),
        average_precision: average_precision(&rows),
        recall_at: BUDGETS
            .iter()
            .filter_map(|percent| Some((*percent, recall_at(&rows, f64::from(*percent) / 100.0)?)))
            .collect(),
        top3_in_event: top3(settled, score),
    }
}

fn top3(settled: &[Settled<'_>], score: &dyn Fn(&Settled<'_>) -> f64) -> Option<f64> {
    let mut events: BTreeMap<usize, Vec<(f64, bool)>> = BTreeMap::new();
    for it in settled {
        events
            .entry(it.row.event)
            .or_default()
            .push((score(it), it.bad));
    }
    let (mut found, mut all) = (0.0, 0.0);
    for rows in events.values().filter(|rows| rows.len() >= LARGE_EVENT) {
        for (own, _) in rows.iter().filter(|(_, bad)| *bad) {
            let above = rows.iter().filter(|(other, _)| other > own).count() as f64;
            let same = rows.iter().filter(|(other, _)| other == own).count() as f64;
            all += 1.0;
            found += ((3.0 - above) / same).clamp(0.0, 1.0);
        }
    }
    (all > 0.0).then(|| found / all)
}

/// Intervals over draws of whole repositories, and of whole families
/// (a blocked bootstrap: what belongs together is drawn together).
fn intervals(settled: &[Settled<'_>]) -> (Option<Interval>, Option<Interval>) {
    let by = |key: &(dyn Fn(&Row) -> String + Sync)| {
        let mut blocks: BTreeMap<String, Vec<(f64, bool)>> = BTreeMap::new();
        for it in settled {
            blocks
                .entry(key(it.row))
                .or_default()
                .push((it.row.score, it.bad));
        }
        let blocks: Vec<Vec<(f64, bool)>> = blocks.into_values().collect();
        let drawn: Vec<(Option<f64>, Option<f64>)> = (0..DRAWS)
            .into_par_iter()
            .map(|draw| {
                let rows = drawn(&blocks, draw as u64);
                (roc_auc(&rows), average_precision(&rows))
            })
            .collect();
        let of = |values: Vec<f64>| {
            Some(Interval {
                low: quantile(&values, 0.025)?,
                high: quantile(&values, 0.975)?,
            })
        };
        (
            of(drawn.iter().filter_map(|it| it.0).collect()),
            of(drawn.iter().filter_map(|it| it.1).collect()),
        )
    };
    let repositories = by(&|row| row.repository.clone());
    let families = by(&|row| row.family.clone());
    (
        wider(repositories.0, families.0),
        wider(repositories.1, families.1),
    )
}

fn drawn(blocks: &[Vec<(f64, bool)>], draw: u64) -> Vec<(f64, bool)> {
    let mut state = splitmix(draw);
    let mut rows = Vec::new();
    for _ in blocks {
        state = splitmix(state);
        let at = usize::try_from(state % blocks.len().max(1) as u64).unwrap_or(0);
        rows.extend(blocks.get(at).into_iter().flatten().copied());
    }
    rows
}

pub(super) fn wider(a: Option<Interval>, b: Option<Interval>) -> Option<Interval> {
    match (a, b) {
        (Some(a), Some(b)) if a.high - a.low >= b.high - b.low => Some(a),
        (Some(_), Some(b)) => Some(b),
        (a, b) => a.or(b),
    }
}

fn calibration(rows: &[Row], levels: &[(&'static str, u8)]) -> Option<Calibration> {
    let mut all: Vec<(f64, bool, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.likelihood, *row.labels.get(ANY)?, row.score)))
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let pairs: Vec<(f64, bool)> = all.iter().map(|(p, bad, _)| (*p, *bad)).collect();
    let count = |rows: &[(f64, bool)]| rows.iter().filter(|row| row.1).count();
    let rate = count(&pairs) as f64 / pairs.len().max(1) as f64;
    let base: Vec<(f64, bool)> = pairs.iter().map(|(_, bad)| (rate, *bad)).collect();
    let by_tenth = pairs
        .chunks(pairs.len().div_ceil(10).max(1))
        .map(|part| {
            let mean = part.iter().map(|row| row.0).sum::<f64>() / part.len() as f64;
            (part.len(), mean, count(part) as f64 / part.len() as f64)
        })
        .collect();
    let by_level = levels
        .iter()
        .enumerate()
        .map(|(at, (name, low))| {
            let high = levels
                .get(at + 1)
                .map_or(f64::MAX, |(_, next)| f64::from(*next));
            let low_score = if at == 0 { f64::MIN } else { f64::from(*low) };
            let inside: Vec<bool> = all
                .iter()
                .filter(|row| row.2 >= low_score && row.2 < high)
                .map(|row| row.1)
                .collect();
            (
                *name,
                *low,
                inside.len(),
                inside.iter().filter(|bad| **bad).count(),
            )
        })
        .collect();
    Some(Calibration {
        brier: brier(&pairs)?,
        brier_of_base_rate: brier(&base)?,
        by_tenth,
        by_level,
    })
}
