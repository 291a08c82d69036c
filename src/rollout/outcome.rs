//! What a rollout engine says of a run of its own: the JSON of an Argo Rollouts
//! `Rollout` or `AnalysisRun` (v1alpha1), or of a Flagger `Canary` (v1beta1), as
//! `kubectl get … -o json` prints it.

use jiff::Timestamp;
use serde_json::Value;

use super::Answer;

/// The largest document, in bytes.
pub const LIMIT: u64 = 16 << 20;
/// The longest text that is passed on, in characters.
const LONGEST: usize = 300;
/// How many metrics are passed on.
const MOST_METRICS: usize = 64;

/// The kinds of object that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Argo Rollouts.
    Argo,
    /// Flagger.
    Flagger,
}

impl Engine {
    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Argo => "argo-rollouts",
            Self::Flagger => "flagger",
        }
    }
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whose it is.
    pub engine: Engine,
    /// The answer.
    pub decision: Answer,
    /// Why, in words.
    pub because: String,
    /// Each metric that the engine measured: name, answer, reason.
    pub metrics: Vec<(String, Answer, String)>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// When the run began, where that is told.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// Why a document is no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// It is no JSON.
    #[error("it is no JSON: {0}")]
    NotJson(String),
    /// It is another kind of object.
    #[error("it is a `{0}`, and a Rollout, an AnalysisRun or a Canary is needed")]
    Kind(String),
    /// It has no status: the engine has not looked at it yet.
    #[error("it has no `status.phase`: the engine has not looked at it yet")]
    NoStatus,
}

impl Outcome {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is none that is known.
    pub fn read(content: &[u8]) -> Result<Self, OutcomeError> {
        let whole: Value = serde_json::from_slice(content)
            .map_err(|error| OutcomeError::NotJson(error.to_string()))?;
        // `kubectl get` of several objects prints a list; of one a list may be, too.
        let object = match whole["items"].as_array().map(Vec::as_slice) {
            Some([only]) => only,
            Some(_) | None => &whole,
        };
        let kind = object["kind"].as_str().unwrap_or_default();
        let group = object["apiVersion"].as_str().unwrap_or_default();
        let status = &object["status"];
        let read: fn(&Value, &str) -> Self = match (kind, group.split('/').next()) {
            ("AnalysisRun", Some("argoproj.io")) => analysis,
            ("Rollout", Some("argoproj.io")) => rollout,
            ("Canary", Some("flagger.app")) => flagger,
            _ => return Err(OutcomeError::Kind(short(kind))),
        };
        let phase = status["phase"].as_str().ok_or(OutcomeError::NoStatus)?;
        Ok(read(status, phase))
    }
}

fn short(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST)
        .collect()
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// The answer for a phase of an analysis of Argo Rollouts.
fn of_phase(phase: &str) -> Answer {
    match phase {
        "Successful" => Answer::Pass,
        "Failed" | "Error" => Answer::Fail,
        _ => Answer::Inconclusive,
    }
}

fn because(engine: &str, phase: &str, message: &Value) -> String {
    let message = message.as_str().map(short).filter(|text| !text.is_empty());
    match message {
        Some(message) => format!("{engine} says {}: {message}", short(phase)),
        None => format!("{engine} says {}", short(phase)),
    }
}

fn analysis(status: &Value, phase: &str) -> Outcome {
    let results = status["metricResults"].as_array();
    let rows = || results.into_iter().flatten();
    let metrics = rows()
        .take(MOST_METRICS)
        .map(|row| {
            let phase = row["phase"].as_str().unwrap_or_default();
            let count = |key: &str| row[key].as_u64().unwrap_or(0);
            let mut why = format!(
                "{}; {} successful, {} failed, {} inconclusive, {} with an error",
                short(phase),
                count("successful"),
                count("failed"),
                count("inconclusive"),
                count("error")
            );
            if let Some(message) = row["message"].as_str() {
                why.push_str(": ");
                why.push_str(&short(message));
            }
            let name = short(row["name"].as_str().unwrap_or("metric"));
            (name, of_phase(phase), why)
        })
        .collect();
    let measured = || {
        rows()
            .filter_map(|row| row["measurements"].as_array())
            .flatten()
    };
    let started = time(&status["startedAt"])
        .or_else(|| measured().filter_map(|one| time(&one["startedAt"])).min());
    let ended = time(&status["completedAt"])
        .or_else(|| measured().filter_map(|one| time(&one["finishedAt"])).max());
    let mut notes = Vec::new();
    let dry = &status["dryRunSummary"];
    if dry["count"].as_u64().is_some_and(|count| count > 0) {
        notes.push("some metrics were measured as a dry run and decide nothing".to_owned());
    }
    Outcome {
        engine: Engine::Argo,
        decision: of_phase(phase),
        because: because("the analysis run", phase, &status["message"]),
        metrics,
        notes,
        started,
        ended,
    }
}

fn rollout(status: &Value, phase: &str) -> Outcome {
    let aborted = status["abort"].as_bool() == Some(true);
    // Healthy is also said of a rollout that still stands on its old version.
    let whole = status["stableRS"].is_string() && status["stableRS"] == status["currentPodHash"];
    let decision = match phase {
        _ if aborted => Answer::Fail,
        "Degraded" => Answer::Fail,
        "Healthy" if whole => Answer::Pass,
        _ => Answer::Inconclusive,
    };
    let canary = &status["canary"];
    let metrics = [
        "currentBackgroundAnalysisRunStatus",
        "currentStepAnalysisRunStatus",
    ]
    .into_iter()
    .filter_map(|key| {
        let run = &canary[key];
        let phase = run["status"].as_str()?;
        let name = short(run["name"].as_str().unwrap_or(key));
        Some((
            name,
            of_phase(phase),
            because("the analysis run", phase, &run["message"]),
        ))
    })
    .collect();
    let mut notes = Vec::new();
    if aborted {
        notes.push("the rollout was aborted".to_owned());
    } else if phase == "Healthy" && !whole {
        notes.push("the new version is not the stable one yet".to_owned());
    }
    let duration = &status["duration"];
    Outcome {
        engine: Engine::Argo,
        decision,
        because: because("the rollout", phase, &status["message"]),
        metrics,
        notes,
        started: time(&duration["rolloutStartedAt"]),
        ended: time(&duration["finishedAt"])
            .or_else(|| time(&status["abortedAt"]))
            .or_else(|| latest(&status["conditions"], "lastUpdateTime")),
    }
}

fn latest(conditions: &Value, key: &str) -> Option<Timestamp> {
    let rows = conditions.as_array()?;
    rows.iter().filter_map(|row| time(&row[key])).max()
}

fn flagger(status: &Value, phase: &str) -> Outcome {
    let decision = match phase {
        "Succeeded" => Answer::Pass,
        "Failed" => Answer::Fail,
        _ => Answer::Inconclusive,
    };
    let conditions = status["conditions"].as_array();
    let promoted = conditions
        .into_iter()
        .flatten()
        .find(|row| row["type"] == "Promoted");
    let message = promoted.map_or(&Value::Null, |row| &row["message"]);
    let mut notes = Vec::new();
    if let Some(failed) = status["failedChecks"].as_u64().filter(|count| *count > 0) {
        notes.push(format!("{failed} checks failed"));
    }
    if phase == "Initialized" {
        notes.push("no new version was rolled out yet".to_owned());
    }
    Outcome {
        engine: Engine::Flagger,
        decision,
        because: because("the canary", phase, message),
        metrics: Vec::new(),
        notes,
        started: None,
        ended: time(&status["lastTransitionTime"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Outcome {
        Outcome::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_analysis_run_has_its_phase_its_metrics_and_its_times() {
        let outcome = read(
            r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"AnalysisRun","status":{"phase":"Failed","message":"Metric \"memory\" assessed Failed","startedAt":"2026-11-20T10:00:00Z","metricResults":[{"name":"memory","phase":"Failed","failed":2,"successful":5,"measurements":[{"phase":"Failed","startedAt":"2026-11-20T10:01:00Z","finishedAt":"2026-11-20T10:31:00Z","value":"[1]"}]},{"name":"errors","phase":"Successful","successful":7}]}}"#,
        );
        assert_eq!(outcome.decision, Answer::Fail);
        assert!(outcome.because.contains("memory"));
        assert_eq!(outcome.metrics[0].1, Answer::Fail);
        assert!(outcome.metrics[0].2.contains("5 successful, 2 failed"));
        assert_eq!(outcome.metrics[1].1, Answer::Pass);
        assert_eq!(outcome.ended.unwrap().to_string(), "2026-11-20T10:31:00Z");
        for (phase, decision) in [
            ("Running", Answer::Inconclusive),
            ("Pending", Answer::Inconclusive),
            ("Inconclusive", Answer::Inconclusive),
            ("Error", Answer::Fail),
            ("Successful", Answer::Pass),
        ] {
            let text = format!(
                r#"{{"apiVersion":"argoproj.io/v1alpha1","kind":"AnalysisRun","status":{{"phase":"{phase}"}}}}"#
            );
            assert_eq!(read(&text).decision, decision, "{phase}");
        }
    }

    #[test]
    fn a_rollout_passes_only_when_the_new_version_is_the_stable_one() {
        let of = |more: &str| {
            read(&format!(
                r#"{{"kind":"Rollout","apiVersion":"argoproj.io/v1alpha1","status":{{{more}}}}}"#
            ))
        };
        let done = of(r#""phase":"Healthy","stableRS":"abc","currentPodHash":"abc""#);
        assert_eq!(done.decision, Answer::Pass);
        let stands = of(r#""phase":"Healthy","stableRS":"abc","currentPodHash":"def""#);
        assert_eq!(stands.decision, Answer::Inconclusive);
        let paused = of(r#""phase":"Paused","stableRS":"abc","currentPodHash":"def""#);
        assert_eq!(paused.decision, Answer::Inconclusive);
        let aborted = of(r#""phase":"Degraded","abort":true,"abortedAt":"2026-11-20T10:00:00Z""#);
        assert_eq!(aborted.decision, Answer::Fail);
        assert!(aborted.ended.is_some());
    }

    #[test]
    fn a_canary_of_flagger_is_read_also_out_of_a_list() {
        let of = |phase: &str| {
            read(&format!(
                r#"{{"kind":"List","items":[{{"kind":"Canary","apiVersion":"flagger.app/v1beta1","status":{{"phase":"{phase}","failedChecks":3,"lastTransitionTime":"2026-11-20T10:00:00Z","conditions":[{{"type":"Promoted","message":"x\u001b[31m"}}]}}}}]}}"#
            ))
        };
        assert_eq!(of("Succeeded").decision, Answer::Pass);
        assert_eq!(of("Failed").decision, Answer::Fail);
        assert_eq!(of("Progressing").decision, Answer::Inconclusive);
        assert!(!of("Failed").because.contains('\u{1b}'));
        assert_eq!(of("Failed").notes, ["3 checks failed"]);
    }

    #[test]
    fn what_is_none_is_told() {
        let error = |text: &str| Outcome::read(text.as_bytes()).unwrap_err();
        assert!(matches!(error("{"), OutcomeError::NotJson(_)));
        assert_eq!(error("{}"), OutcomeError::Kind(String::new()));
        assert_eq!(
            error(
                r#"{"kind":"Canary","apiVersion":"evil.example/v1","status":{"phase":"Succeeded"}}"#
            ),
            OutcomeError::Kind("Canary".to_owned())
        );
        assert_eq!(
            error(r#"{"kind":"Canary","apiVersion":"flagger.app/v1beta1"}"#),
            OutcomeError::NoStatus
        );
    }
}
