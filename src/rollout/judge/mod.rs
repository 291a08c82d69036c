//! From what Prometheus saw of baseline and canary to an answer for each metric.
//! Pure. What is held is judged by its trend, against the baseline; what must not be
//! higher by its level. An absence of growth is believed only where the growth that
//! matters would have been seen.

mod alike;
mod level;
mod memory;
mod trend;

use jiff::Timestamp;

use super::prometheus::{Reply, Seen, Window};
use super::series::{Course, Life};
use super::{Answer, Config, Kind, Metric};
use crate::probe::{Thresholds, ThresholdsError};

pub use level::Shift;
pub use trend::Growth;

/// How the reason begins that a metric cannot be had.
const UNHAD: &str = "it cannot be had: ";

/// A judgement of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The answer for the whole.
    pub decision: Answer,
    /// The first reason for it, in words.
    pub because: String,
    /// Each metric that was seen, or should have been.
    pub metrics: Vec<MetricJudged>,
    /// Metrics that neither side has.
    pub absent: Vec<String>,
    /// What the reader should know: warnings, restarts, an odd load.
    pub notes: Vec<String>,
    /// The window.
    pub window: Window,
    /// Requests per second of an instance of the baseline and of the canary.
    pub rates: (Option<f64>, Option<f64>),
    /// How many instances each side had.
    pub instances: (usize, usize),
}

/// One metric, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricJudged {
    /// The metric.
    pub metric: Metric,
    /// The answer.
    pub answer: Answer,
    /// Why, in words.
    pub because: String,
    /// The figures.
    pub figures: Figures,
    /// With an open question: the window that would decide, in seconds.
    pub seconds_to_decide: Option<f64>,
    /// The baseline's lives, for pictures.
    pub baseline: Vec<Life>,
    /// The canary's lives.
    pub canary: Vec<Life>,
}

/// What was measured of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Figures {
    /// Too little was seen.
    None,
    /// A trend.
    Growth(Box<Growth>),
    /// A level.
    Shift(Shift),
    /// Counts of restarts: baseline, canary.
    Restarts(usize, usize),
}

/// What holds for the whole of a judgement.
struct Scene<'a> {
    config: &'a Config,
    thresholds: Thresholds,
    /// Seconds of a step.
    step: f64,
    baseline: Course,
    canary: Course,
    /// The baseline before the window, and seconds of a step there.
    before: Course,
    step_before: f64,
}

/// Judges what was seen.
///
/// # Errors
/// When the built-in thresholds of the probe are broken, which a test rules out.
pub fn judge(seen: &[Seen], config: &Config, window: Window) -> Result<Judged, ThresholdsError> {
    let step = window.step.as_secs_f64();
    let earlier = window.before(config.before);
    let course = |window: Window, reply: fn(&Seen) -> Option<&Reply>| {
        let of = |kind: Kind| {
            seen.iter()
                .filter(|seen| seen.metric.kind == kind)
                .filter_map(|seen| reply(seen)?.series.as_ref().ok())
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
        };
        Course::new(
            &of(Kind::Starts),
            &of(Kind::Requests),
            seconds(window.start),
            window.step.as_secs_f64(),
        )
    };
    let scene = Scene {
        config,
        thresholds: Thresholds::built_in()?.with_confidence(config.confidence),
        step,
        baseline: course(window, |seen| Some(&seen.baseline)),
        canary: course(window, |seen| Some(&seen.canary)),
        before: course(earlier, |seen| seen.before.as_ref()),
        step_before: earlier.step.as_secs_f64(),
    };
    let mut judged = Judged {
        decision: Answer::Pass,
        because: String::new(),
        metrics: Vec::new(),
        absent: Vec::new(),
        notes: Vec::new(),
        window,
        rates: (
            scene.baseline.rate().map(|rate| rate / step),
            scene.canary.rate().map(|rate| rate / step),
        ),
        instances: (0, 0),
    };
    for seen in seen {
        for (side, reply) in [("baseline", &seen.baseline), ("canary", &seen.canary)] {
            for warning in &reply.warnings {
                judged.notes.push(format!(
                    "{} of the {side}: Prometheus warns: {warning}",
                    seen.metric.id
                ));
            }
            if let (Kind::Starts | Kind::Requests | Kind::Restarts, Err(why)) =
                (seen.metric.kind, &reply.series)
            {
                judged.notes.push(format!(
                    "{} of the {side} cannot be had: {why}",
                    seen.metric.id
                ));
            }
        }
        match seen.metric.kind {
            Kind::Trend | Kind::Level => scene.one(seen, &mut judged),
            Kind::Restarts => scene.restarts(seen, &mut judged),
            Kind::Requests | Kind::Starts => {}
        }
    }
    if let Some(why) = seen
        .iter()
        .find_map(|seen| seen.before.as_ref()?.series.as_ref().err())
    {
        judged.notes.push(format!(
            "the baseline before the window cannot be had, so that less is known of the noise: {why}"
        ));
    }
    scene.load(&mut judged);
    scene.restarted(&mut judged);
    conclude(&mut judged, config);
    Ok(judged)
}

fn seconds(time: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
    let millis = time.as_millisecond() as f64;
    millis / 1_000.0
}

impl Scene<'_> {
    fn one(&self, seen: &Seen, judged: &mut Judged) {
        let metric = &seen.metric;
        let warm_up = self.config.warm_up.as_secs_f64() / self.step;
        let mut out = MetricJudged {
            metric: metric.clone(),
            answer: Answer::Inconclusive,
            because: String::new(),
            figures: Figures::None,
            seconds_to_decide: None,
            baseline: Vec::new(),
            canary: Vec::new(),
        };
        let (baseline, canary) = match (&seen.baseline.series, &seen.canary.series) {
            (Ok(baseline), Ok(canary)) => (baseline, canary),
            (Err(why), _) | (_, Err(why)) => {
                out.because = format!("{UNHAD}{why}");
                judged.metrics.push(out);
                return;
            }
        };
        if baseline.is_empty() && canary.is_empty() {
            judged.absent.push(metric.id.clone());
            return;
        }
        let instances = &mut judged.instances;
        instances.0 = instances.0.max(baseline.len());
        instances.1 = instances.1.max(canary.len());
        out.baseline = self.baseline.lives(baseline, warm_up);
        out.canary = self.canary.lives(canary, warm_up);
        if let Some((side, _)) = [("baseline", baseline), ("canary", canary)]
            .into_iter()
            .find(|(_, series)| series.is_empty())
        {
            out.because = format!("the {side} has no such series");
        } else if metric.kind == Kind::Trend {
            let before = seen
                .before
                .as_ref()
                .and_then(|reply| reply.series.as_ref().ok());
            let before = before.map_or(&[][..], Vec::as_slice);
            let warm_up = self.config.warm_up.as_secs_f64() / self.step_before;
            let before = self.before.lives(before, warm_up);
            self.trend(&mut out, &before);
        } else {
            self.level(&mut out);
        }
        let partial = [&seen.baseline, &seen.canary]
            .into_iter()
            .find_map(|reply| reply.warnings.first());
        if let (Some(warning), Answer::Pass) = (partial, out.answer) {
            out.answer = Answer::Inconclusive;
            out.because = format!("the answer may be a part only: {warning}");
        }
        judged.metrics.push(out);
    }

    /// Restarts as the cluster counts them, of each instance.
    fn restarts(&self, seen: &Seen, judged: &mut Judged) {
        let (Ok(baseline), Ok(canary)) = (&seen.baseline.series, &seen.canary.series) else {
            return;
        };
        if canary.is_empty() {
            judged.absent.push(seen.metric.id.clone());
            return;
        }
        let most = |series: &[super::Series]| {
            series
                .iter()
                .filter_map(|one| Some(one.samples.last()?.1 - one.samples.first()?.1))
                .fold(0.0, f64::max)
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small count, not negative"
        )]
        let count = |value: f64| value.clamp(0.0, 1e6) as usize;
        self.counted(
            &seen.metric,
            count(most(baseline)),
            count(most(canary)),
            judged,
        );
    }

    fn counted(&self, metric: &Metric, baseline: usize, canary: usize, judged: &mut Judged) {
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        let (of_baseline, of_canary) = (baseline as f64, canary as f64);
        let fails = of_canary > self.config.restarts && of_canary > 2.0 * of_baseline;
        let because = match (fails, canary) {
            (true, _) => format!(
                "an instance of the canary was restarted {canary} times, and one of the baseline {baseline} times at most"
            ),
            (false, 0) => "none of the canary".to_owned(),
            (false, _) => format!(
                "{canary} of one instance of the canary, {baseline} of the baseline: as many are let pass"
            ),
        };
        judged.metrics.push(MetricJudged {
            metric: metric.clone(),
            answer: if fails { Answer::Fail } else { Answer::Pass },
            because,
            figures: Figures::Restarts(baseline, canary),
            seconds_to_decide: None,
            baseline: Vec::new(),
            canary: Vec::new(),
        });
    }

    /// Restarts that the times of start tell, where the cluster counts none.
    fn restarted(&self, judged: &mut Judged) {
        let most = |course: &Course| course.restarts().values().copied().max().unwrap_or(0);
        let (baseline, canary) = (most(&self.baseline), most(&self.canary));
        let counted = judged
            .metrics
            .iter()
            .any(|one| matches!(one.figures, Figures::Restarts(..)));
        let Some(metric) = self
            .config
            .metrics
            .iter()
            .find(|metric| metric.kind == Kind::Restarts)
        else {
            return;
        };
        if !counted && (canary > 0 || baseline > 0) {
            judged.absent.retain(|id| *id != metric.id);
            self.counted(metric, baseline, canary, judged);
        }
    }

    /// A canary without load shows nothing.
    fn load(&self, judged: &mut Judged) {
        let (Some(baseline), Some(canary)) = judged.rates else {
            return;
        };
        if baseline <= 0.0 {
            judged.notes.push("the baseline got no requests".to_owned());
        } else if canary < 0.02 * baseline {
            let because = "the canary got next to no requests";
            judged.notes.push(because.to_owned());
            for one in &mut judged.metrics {
                if one.answer == Answer::Pass && one.metric.kind != Kind::Restarts {
                    one.answer = Answer::Inconclusive;
                    because.clone_into(&mut one.because);
                }
            }
        }
    }
}

/// The answer for the whole: what fails, fails it; what is open leaves it open; and
/// of each group that has to be there one metric is.
fn conclude(judged: &mut Judged, config: &Config) {
    let seen = |group: &str| {
        judged
            .metrics
            .iter()
            .any(|one| one.metric.group.as_deref() == Some(group) && one.figures != Figures::None)
    };
    let lacking = config
        .metrics
        .iter()
        .filter(|metric| matches!(metric.kind, Kind::Trend | Kind::Level))
        .filter_map(|metric| metric.group.as_deref())
        .find(|group| !seen(group));
    judged.decision = judged
        .metrics
        .iter()
        .map(|one| one.answer)
        .max()
        .unwrap_or(Answer::Inconclusive);
    let named: Vec<&str> = judged
        .metrics
        .iter()
        .filter(|one| one.answer == judged.decision)
        .map(|one| one.metric.id.as_str())
        .collect();
    judged.because = match judged.decision {
        Answer::Fail => format!("the canary is worse in {}", named.join(", ")),
        Answer::Inconclusive if judged.metrics.is_empty() => "neither side was seen".to_owned(),
        Answer::Inconclusive => format!("open: {}", named.join(", ")),
        Answer::Pass => format!("no worse in {}", named.join(", ")),
    };
    let reasons: Option<Vec<&str>> = judged
        .metrics
        .iter()
        .map(|one| one.because.strip_prefix(UNHAD))
        .collect();
    if let Some(reasons) = reasons
        && let Some(first) = reasons.first()
    {
        // Said once; that others were not tried after it says nothing more.
        let told = reasons.iter().find(|why| !why.contains("not tried"));
        judged.because = format!("nothing could be had: {}", told.unwrap_or(first));
        judged.notes.clear();
    }
    if let (Some(group), Answer::Pass) = (lacking, judged.decision) {
        judged.decision = Answer::Inconclusive;
        judged.because = format!("nothing was seen of {group}");
    }
}
