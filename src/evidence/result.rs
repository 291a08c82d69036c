//! The result of a trial as its command wrote it, read for what a record needs:
//! `probe --format json`, `rollout judge --format json`, `check --format json`.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::policy::EvidenceKind;

/// The largest result, in bytes.
pub(super) const RESULT_LIMIT: usize = 64 << 20;
/// How many answers of a result stand in the record.
const MOST_ANSWERS: usize = 40;
/// The longest answer, in characters.
const LONGEST_ANSWER: usize = 200;

/// What a trial came to.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialResult {
    /// What kind of trial it was.
    pub kind: EvidenceKind,
    /// Its decision, in the words of its command.
    pub decision: String,
    /// How long it ran, where that is told.
    pub duration: Option<Duration>,
    /// When it ended, where that is told.
    pub ended: Option<Timestamp>,
    /// The difference it says it is about, where it does.
    pub difference: Option<String>,
    /// SHA-256 of the executables of base and head, where they are told.
    pub executables: (Option<String>, Option<String>),
    /// SHA-256 of the result's file in hex.
    pub digest: String,
    /// One line for each resource or metric.
    pub answers: Vec<String>,
}

/// Why a file is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultError {
    /// It is too large.
    #[error("it has more than {RESULT_LIMIT} bytes")]
    TooLarge,
    /// It is no JSON.
    #[error("it is no JSON: {0}")]
    NotJson(String),
    /// It is the result of something else.
    #[error(
        "it is not the result of `probe`, of `rollout judge` or of `check`: it has no `resources`, `metrics` or `verdict`"
    )]
    Unknown,
    /// It does not say what was decided.
    #[error("it has no `decision`")]
    NoDecision,
    /// The decision is none of those that the command writes.
    #[error("its decision `{0}` is none that `{1}` writes")]
    OddDecision(String, &'static str),
}

impl TrialResult {
    /// Reads a result.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(content: &[u8]) -> Result<Self, ResultError> {
        if content.len() > RESULT_LIMIT {
            return Err(ResultError::TooLarge);
        }
        let whole: Value = serde_json::from_slice(content)
            .map_err(|error| ResultError::NotJson(error.to_string()))?;
        let (kind, list, command, words): (_, _, _, &[&str]) = if whole["resources"].is_array() {
            let words = &["no-leak", "leak", "inconclusive"];
            (EvidenceKind::Probe, "resources", "probe", words)
        } else if whole["metrics"].is_array() || whole["metrics"].is_object() {
            let words = &["pass", "fail", "inconclusive"];
            (EvidenceKind::Rollout, "metrics", "rollout judge", words)
        } else if whole["verdict"].is_object() {
            let words = &["pass", "canary", "incomplete", "block"];
            (EvidenceKind::Audit, "changes", "check", words)
        } else {
            return Err(ResultError::Unknown);
        };
        let decision = match kind {
            EvidenceKind::Audit => &whole["verdict"]["decision"],
            EvidenceKind::Probe | EvidenceKind::Rollout | EvidenceKind::Approval => {
                &whole["decision"]
            }
        };
        let decision = decision.as_str().ok_or(ResultError::NoDecision)?;
        if !words.contains(&decision) {
            let decision = decision.chars().take(40).collect();
            return Err(ResultError::OddDecision(decision, command));
        }
        let mut digest = String::new();
        for byte in Sha256::digest(content) {
            let _ = write!(digest, "{byte:02x}");
        }
        Ok(Self {
            kind,
            decision: decision.to_owned(),
            duration: duration_of(&whole),
            ended: ended(&whole),
            difference: whole["diff-digest"].as_str().map(str::to_owned),
            executables: (executable(&whole, "base"), executable(&whole, "head")),
            digest,
            answers: match kind {
                EvidenceKind::Probe | EvidenceKind::Rollout => answers(&whole[list]),
                EvidenceKind::Approval | EvidenceKind::Audit => Vec::new(),
            },
        })
    }
}

/// How long the trial ran: as it says itself, as its window is long, or as the
/// shorter side ran.
fn duration_of(whole: &Value) -> Option<Duration> {
    let window = &whole["window"];
    let direct = [
        &whole["duration-seconds"],
        &whole["duration"],
        &window["duration-seconds"],
        &window["duration"],
        &window["seconds"],
        window,
    ]
    .into_iter()
    .find_map(span);
    let of_window = || {
        let start = time(&window["start"]).or_else(|| time(&window["from"]))?;
        let end = time(&window["end"]).or_else(|| time(&window["to"]))?;
        Duration::try_from(end.duration_since(start)).ok()
    };
    let of_sides = || {
        let base = span(&whole["base"]["seconds"])?;
        let head = span(&whole["head"]["seconds"])?;
        Some(base.min(head))
    };
    direct.or_else(of_window).or_else(of_sides)
}

/// Seconds as a number, or a text such as `4h`, `90s`, `1h 30m`, `PT4H`.
fn span(value: &Value) -> Option<Duration> {
    if let Some(seconds) = value.as_f64() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let span: jiff::SignedDuration = value.as_str()?.parse().ok()?;
    Duration::try_from(span).ok()
}

/// A time in RFC 3339, or seconds since 1970.
fn time(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds will do")]
        return Timestamp::from_second(seconds as i64).ok();
    }
    value.as_str()?.parse().ok()
}

fn ended(whole: &Value) -> Option<Timestamp> {
    let window = &whole["window"];
    [
        &whole["ended"],
        &whole["ended-at"],
        &window["end"],
        &window["to"],
        &whole["as-of"],
    ]
    .into_iter()
    .find_map(time)
}

fn executable(whole: &Value, side: &str) -> Option<String> {
    let found = [
        &whole[side]["executable-sha256"],
        &whole[side]["sha256"],
        &whole[side]["executable"]["sha256"],
        &whole[side]["executable"],
        &whole["executables"][side],
        &whole["executables"][side]["sha256"],
    ]
    .into_iter()
    .find_map(Value::as_str)?;
    let digest = found.trim_start_matches("sha256:").to_ascii_lowercase();
    let hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then_some(digest)
}

fn answers(list: &Value) -> Vec<String> {
    let one = |name: Option<&str>, entry: &Value| {
        let text = |keys: &[&str]| {
            keys.iter()
                .find_map(|key| entry[*key].as_str())
                .map(str::to_owned)
        };
        let name = name
            .map(str::to_owned)
            .or_else(|| text(&["resource", "metric", "name", "id"]))?;
        let answer = text(&["answer", "decision", "verdict"])?;
        let because = text(&["because"]).map_or_else(String::new, |why| format!(": {why}"));
        let line = format!("{name}: {answer}{because}");
        Some(line.chars().take(LONGEST_ANSWER).collect())
    };
    let mut answers: Vec<String> = match list {
        Value::Array(entries) => entries
            .iter()
            .filter_map(|entry| one(None, entry))
            .collect(),
        Value::Object(entries) => entries
            .iter()
            .filter_map(|(name, entry)| one(Some(name), entry))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    answers.truncate(MOST_ANSWERS);
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> TrialResult {
        TrialResult::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_kind_is_told_by_what_the_result_holds() {
        let probe = read(
            r#"{"decision":"no-leak","resources":[{"resource":"rss","answer":"no-leak","because":"flat"}],
                "base":{"seconds":61.0},"head":{"seconds":60.5,"executable-sha256":"sha256:ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789"}}"#,
        );
        assert_eq!(probe.kind, EvidenceKind::Probe);
        assert_eq!(probe.answers, ["rss: no-leak: flat"]);
        assert_eq!(probe.duration, Some(Duration::from_millis(60_500)));
        assert_eq!(probe.executables.0, None);
        let of_probe = format!(
            r#"{{"decision":"no-leak","resources":[],"head":{{"executable":"sha256:{}"}}}}"#,
            "0".repeat(64)
        );
        assert_eq!(read(&of_probe).executables.1, Some("0".repeat(64)));
        assert!(probe.executables.1.unwrap().starts_with("abcdef"));
        let judge = read(r#"{"decision":"fail","metrics":[]}"#);
        assert_eq!(
            (judge.kind, judge.decision.as_str()),
            (EvidenceKind::Rollout, "fail")
        );
        let audit =
            read(r#"{"verdict":{"decision":"canary"},"changes":[],"diff-digest":"sha256:1"}"#);
        assert_eq!(
            (audit.kind, audit.decision.as_str()),
            (EvidenceKind::Audit, "canary")
        );
        assert_eq!(audit.difference.as_deref(), Some("sha256:1"));
    }

    #[test]
    fn the_duration_is_found_wherever_it_may_stand() {
        for (more, seconds) in [
            (r#""duration-seconds": 90"#, Some(90)),
            (r#""duration": "4h""#, Some(14_400)),
            (r#""window": {"duration": "1h 30m"}"#, Some(5_400)),
            (r#""window": {"duration-seconds": 12.0}"#, Some(12)),
            (r#""window": "PT2H""#, Some(7_200)),
            (
                r#""window": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T04:00:00Z"}"#,
                Some(14_400),
            ),
            (r#""window": {"from": 1000, "to": 1600.5}"#, Some(600)),
            (r#""window": {"from": 1600, "to": 1000}"#, None),
            (r#""duration": "soon""#, None),
            (r#""duration-seconds": -3"#, None),
            (r#""x": 1"#, None),
        ] {
            let result = read(&format!(r#"{{"decision":"pass","metrics":[],{more}}}"#));
            assert_eq!(result.duration.map(|d| d.as_secs()), seconds, "{more}");
        }
        let result = read(
            r#"{"decision":"pass","metrics":{"rss":{"answer":"flat"}},"window":{"end":"2026-01-01T04:00:00Z"}}"#,
        );
        assert_eq!(result.ended.unwrap().to_string(), "2026-01-01T04:00:00Z");
        assert_eq!(result.answers, ["rss: flat"]);
    }

    #[test]
    fn what_is_no_result_is_named() {
        let error = |text: &str| TrialResult::read(text.as_bytes()).unwrap_err();
        assert!(matches!(error("{"), ResultError::NotJson(_)));
        assert_eq!(error("{}"), ResultError::Unknown);
        assert_eq!(error("[1]"), ResultError::Unknown);
        assert_eq!(error(r#"{"metrics":[]}"#), ResultError::NoDecision);
        assert_eq!(
            error(r#"{"metrics":[],"decision":"no-leak"}"#),
            ResultError::OddDecision("no-leak".into(), "rollout judge")
        );
    }
}
