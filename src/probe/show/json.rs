//! The JSON of a probe. Numbers are in the unit that stands beside them.

use serde::Serialize;

use crate::probe::judge::{Growth, Judged, share_of_time};
use crate::probe::{Order, Probed, SideRun, Watched};

/// The document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    schema_version: u32,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    resources: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribution: Option<super::attribution::Shape>,
    base: Side,
    head: Side,
    duration_seconds: f64,
    workload: Workload,
    thresholds: Measure,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Workload {
    args: Vec<String>,
    ready: Option<String>,
    load: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<Told>,
    order: &'static str,
    rounds: u32,
    interval_seconds: f64,
    network: bool,
}

/// The counters that both sides told, and the work that they did by them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Told {
    url: String,
    watch: Vec<String>,
    per: Option<String>,
    base_work_per_second: Option<f64>,
    head_work_per_second: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Measure {
    digest: String,
    confidence: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Entry {
    /// The name of a resource, or `gauge:` and the name that the program tells.
    resource: String,
    unit: &'static str,
    answer: &'static str,
    because: String,
    slope_per_second: Option<f64>,
    interval: Option<[f64; 2]>,
    smallest_visible: Option<f64>,
    base_slope_per_second: Option<f64>,
    base_interval: Option<[f64; 2]>,
    level: Option<f64>,
    base_level: Option<f64>,
    level_change: Option<f64>,
    warm_up_seconds: Option<f64>,
    steps: Vec<Jump>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_work: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_per_work: Option<f64>,
    seconds_to_limit: Option<f64>,
    seconds_to_decide: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Jump {
    at_second: f64,
    size: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Side {
    executable: String,
    lives: usize,
    samples: usize,
    seconds: f64,
    /// It had this share of them at least; the rest it may have waited for a processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    share_of_time: Option<f64>,
    /// The most memory that its control group had.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_peak_bytes: Option<u64>,
    troubles: Vec<String>,
    /// What could not be seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<String>,
    output_bytes: u64,
}

/// The document of a probe, ready to be serialised; with the digest of the difference
/// that it is for, where that was told.
#[must_use]
pub fn shape(probed: &Probed, difference: Option<&str>) -> Document {
    let made = &probed.made;
    let (order, rounds) = match made.order {
        Order::SideBySide => ("side-by-side", 1),
        Order::Alternate { rounds } => ("alternate", rounds),
    };
    Document {
        schema_version: 1,
        decision: probed.decision.as_str(),
        diff_digest: difference.map(str::to_owned),
        ended: made.ended.map(|time| time.to_string()),
        resources: probed.judged.iter().map(entry).collect(),
        attribution: probed.attributed.as_ref().map(Into::into),
        base: side(&probed.run.base, &made.base),
        head: side(&probed.run.head, &made.head),
        duration_seconds: rounded(made.duration.as_secs_f64()),
        workload: Workload {
            args: made.args.clone(),
            ready: made.ready.clone(),
            load: made.load.clone(),
            counters: made.counters.as_ref().map(|counters| Told {
                url: counters.url.clone(),
                watch: counters.watch.iter().map(ToString::to_string).collect(),
                per: counters.per.as_ref().map(ToString::to_string),
                base_work_per_second: probed.work.first().copied().flatten().map(rounded),
                head_work_per_second: probed.work.last().copied().flatten().map(rounded),
            }),
            order,
            rounds,
            interval_seconds: rounded(made.interval.as_secs_f64()),
            network: !made.no_network,
        },
        thresholds: Measure {
            digest: made.thresholds.clone(),
            confidence: made.confidence,
        },
    }
}

/// The JSON of a probe, see [`shape`].
#[must_use]
pub fn json(probed: &Probed, difference: Option<&str>) -> Vec<u8> {
    // Plain data without maps of odd keys is always serialisable.
    let mut bytes = serde_json::to_vec_pretty(&shape(probed, difference)).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Six digits: what lies below is noise, and clutters the record.
fn rounded(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded == 0.0 { 0.0 } else { rounded }
}

fn entry(judged: &Judged) -> Entry {
    let number = |value: Option<f64>| value.filter(|value| value.is_finite()).map(rounded);
    let of =
        |growth: &Option<Growth>, value: fn(&Growth) -> f64| number(growth.as_ref().map(value));
    let interval =
        |growth: &Option<Growth>| Some([of(growth, |g| g.low)?, of(growth, |g| g.high)?]);
    Entry {
        resource: match &judged.resource {
            Watched::Resource(resource) => resource.as_str().to_owned(),
            Watched::Gauge { name, .. } => format!("gauge:{name}"),
        },
        unit: judged.resource.unit(),
        answer: judged.answer.as_str(),
        because: judged.because.clone(),
        slope_per_second: of(&judged.head, |growth| growth.slope),
        interval: interval(&judged.head),
        smallest_visible: number(judged.smallest_visible),
        base_slope_per_second: of(&judged.base, |growth| growth.slope),
        base_interval: interval(&judged.base),
        level: of(&judged.head, |growth| growth.level),
        base_level: of(&judged.base, |growth| growth.level),
        level_change: number(judged.level_change),
        warm_up_seconds: of(&judged.head, |growth| growth.warm_up),
        steps: judged
            .head
            .iter()
            .flat_map(|growth| &growth.steps)
            .map(|step| Jump {
                at_second: rounded(step.at),
                size: rounded(step.size),
            })
            .collect(),
        per_work: number(judged.per_work.last().copied().flatten()),
        base_per_work: number(judged.per_work.first().copied().flatten()),
        seconds_to_limit: number(judged.seconds_to_limit),
        seconds_to_decide: number(judged.seconds_to_decide),
    }
}

fn side(run: &SideRun, executable: &str) -> Side {
    let seconds = run
        .segments
        .iter()
        .filter_map(|segment| Some(segment.samples.last()?.at.as_secs_f64()))
        .sum();
    Side {
        executable: executable.to_owned(),
        lives: run.segments.len(),
        samples: run
            .segments
            .iter()
            .map(|segment| segment.samples.len())
            .sum(),
        seconds: rounded(seconds),
        share_of_time: share_of_time(&run.segments).map(rounded),
        group_peak_bytes: run
            .segments
            .iter()
            .filter_map(|segment| segment.group?.peak)
            // A group in which nobody ever was has none.
            .filter(|peak| *peak > 0)
            .max(),
        troubles: run.troubles.clone(),
        gaps: run.gaps.clone(),
        output_bytes: run.printed.bytes,
    }
}
