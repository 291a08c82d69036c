//! Asks Prometheus for the series of both sides over its HTTP API
//! (`/api/v1/query_range`, <https://prometheus.io/docs/prometheus/latest/querying/api/>).
//! What does not come is a gap with its reason, never an error: the judge counts it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use jiff::Timestamp;
use serde::Deserialize;

use super::config::{Access, Config, Kind, Metric};
use super::promql;
use super::series::Series;
use crate::host::{Get, Host, Identity, NetError, NetLimits, RealNet, Response};

/// The largest answer to one query, in bytes.
const ANSWER_LIMIT: u64 = 32 << 20;
/// The most series of one answer.
const MOST_SERIES: usize = 1_000;
/// The most instants of one window; Prometheus itself allows 11,000.
const MOST_STEPS: f64 = 6_000.0;
/// The largest file with a secret or a certificate, in bytes.
const SECRET_LIMIT: u64 = 1 << 20;
/// The longest message of the other side that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Why Prometheus cannot even be asked.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A file with a secret or a certificate cannot be read.
    #[error("cannot read `{file}`, which `{key}` names")]
    File {
        /// The file.
        file: String,
        /// The key of `[rollout]`.
        key: &'static str,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A secret is no text of one line.
    #[error("`{file}`, which `{key}` names, holds no single line of text")]
    Secret {
        /// The file.
        file: String,
        /// The key of `[rollout]`.
        key: &'static str,
    },
    /// There is to be no network.
    #[error("there is no network to reach Prometheus over")]
    Offline,
}

/// The time that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its start.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
    /// Its resolution.
    pub step: Duration,
}

impl Window {
    /// A window that ends then, with a resolution that Prometheus can answer in one go.
    #[must_use]
    pub fn ending(end: Timestamp, duration: Duration, step: Duration) -> Self {
        let start = end.checked_sub(duration).unwrap_or(Timestamp::UNIX_EPOCH);
        let least = Duration::from_secs_f64(duration.as_secs_f64() / MOST_STEPS);
        Self {
            start,
            end,
            step: step.max(least),
        }
    }

    /// The time before it, in which the baseline tells of its noise.
    #[must_use]
    pub fn before(&self, duration: Duration) -> Self {
        let end = self.start.checked_sub(self.step);
        Self::ending(end.unwrap_or(Timestamp::UNIX_EPOCH), duration, self.step)
    }

    /// Its length.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::try_from(self.end.duration_since(self.start)).unwrap_or_default()
    }
}

/// What was asked for one side of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The query as it was sent.
    pub query: String,
    /// The series, or why there are none.
    pub series: Result<Vec<Series>, String>,
    /// What Prometheus warns of: the answer may be a part only.
    pub warnings: Vec<String>,
}

/// The answers for one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The metric.
    pub metric: Metric,
    /// The baseline.
    pub baseline: Reply,
    /// The canary.
    pub canary: Reply,
    /// The baseline before the window, where that was asked for.
    pub before: Option<Reply>,
}

/// Opens a way to Prometheus: time limits, certificates.
///
/// # Errors
/// When a file that is named cannot be read.
pub fn open(access: &Access, host: &Host) -> Result<RealNet, AccessError> {
    let file = |path: &Option<std::path::PathBuf>, key| {
        path.as_deref()
            .map(|path| read(path, key, host))
            .transpose()
    };
    let mut identity = file(&access.client_certificate, "client-certificate")?;
    if let (Some(identity), Some(key)) = (&mut identity, file(&access.client_key, "client-key")?) {
        identity.push(b'\n');
        identity.extend(key);
    }
    let limits = NetLimits {
        connect: access.timeout.min(Duration::from_secs(10)),
        silence: access.timeout,
        total: access.timeout.saturating_mul(2),
        at_once: 8,
        ..NetLimits::default()
    };
    Ok(RealNet::new(limits).with_identity(Identity {
        client: identity,
        roots: file(&access.ca, "ca")?,
    }))
}

fn read(path: &Path, key: &'static str, host: &Host) -> Result<Vec<u8>, AccessError> {
    host.files
        .read(path, SECRET_LIMIT)
        .map_err(|source| AccessError::File {
            file: path.display().to_string(),
            key,
            source,
        })
}

fn secret(path: &Path, key: &'static str, host: &Host) -> Result<String, AccessError> {
    let text = String::from_utf8(read(path, key, host)?).unwrap_or_default();
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(AccessError::Secret {
            file: path.display().to_string(),
            key,
        });
    }
    Ok(text.to_owned())
}

fn headers(access: &Access, host: &Host) -> Result<Vec<(String, String)>, AccessError> {
    let mut headers: Vec<(String, String)> = access
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    if let Some(file) = &access.token_file {
        let token = secret(file, "token-file", host)?;
        headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    }
    if let (Some(user), Some(file)) = (&access.user, &access.password_file) {
        let word = format!("{user}:{}", secret(file, "password-file", host)?);
        let word = Base64::encode_string(word.as_bytes());
        headers.push(("authorization".to_owned(), format!("Basic {word}")));
    }
    Ok(headers)
}

/// Asks for all metrics of both sides, through the host's network.
///
/// # Errors
/// When there is no network, or a file that is named cannot be read.
pub fn ask(config: &Config, window: Window, host: &Host) -> Result<Vec<Seen>, AccessError> {
    let net = host.net.as_ref().ok_or(AccessError::Offline)?;
    let headers = headers(&config.access, host)?;
    let sides = [&config.baseline, &config.canary].map(promql::selector);
    let before = window.before(config.before);
    let mut queries: Vec<(String, Window)> = Vec::new();
    for metric in &config.metrics {
        let of = |side: &String| promql::query(&metric.query, side, config.rate_window);
        let [baseline, canary] = sides.each_ref().map(of);
        if is_asked_before(metric, config) {
            queries.push((baseline.clone(), before));
        }
        queries.extend([(baseline, window), (canary, window)]);
    }
    let requests: Vec<Get> = queries
        .iter()
        .map(|(query, window)| Get {
            url: address(&config.access, query, *window),
            headers: headers.clone(),
            limit: ANSWER_LIMIT,
        })
        .collect();
    let mut replies = net
        .get_all(&requests)
        .into_iter()
        .zip(queries)
        .map(|(answer, (query, window))| reply(answer, query, window));
    let mut seen = Vec::new();
    for metric in &config.metrics {
        let asked = is_asked_before(metric, config);
        let before = asked.then(|| replies.next()).flatten();
        if let (Some(baseline), Some(canary)) = (replies.next(), replies.next()) {
            seen.push(Seen {
                metric: metric.clone(),
                baseline,
                canary,
                before,
            });
        }
    }
    Ok(seen)
}

/// Whether a metric tells something of the time before the window: what is held, and by
/// what processes and their requests are known.
fn is_asked_before(metric: &Metric, config: &Config) -> bool {
    let tells = match metric.kind {
        Kind::Trend | Kind::Starts | Kind::Requests => true,
        Kind::Level | Kind::Restarts => false,
    };
    tells && !config.before.is_zero()
}

fn address(access: &Access, query: &str, window: Window) -> String {
    let base = access.url.trim_end_matches('/');
    let seconds = |time: Timestamp| format!("{:.3}", as_seconds(time));
    let params = [
        ("query", query.to_owned()),
        ("start", seconds(window.start)),
        ("end", seconds(window.end)),
        ("step", format!("{:.3}", window.step.as_secs_f64())),
        ("timeout", promql::span(access.timeout)),
    ];
    // The address has been checked; a part that cannot be joined is asked as it is.
    match reqwest::Url::parse_with_params(&format!("{base}/api/v1/query_range"), &params) {
        Ok(url) => url.into(),
        Err(_) => base.to_owned(),
    }
}

fn as_seconds(time: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
    let millis = time.as_millisecond() as f64;
    millis / 1_000.0
}

#[derive(Deserialize)]
struct Document {
    status: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    #[serde(default)]
    result: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

fn reply(answer: Result<Response, NetError>, query: String, window: Window) -> Reply {
    let mut warnings = Vec::new();
    let series = answer
        .map_err(|error| error.to_string())
        .and_then(|response| series(&response, window, &mut warnings));
    Reply {
        query,
        series,
        warnings,
    }
}

fn short(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_MESSAGE)
        .collect()
}

fn series(
    response: &Response,
    window: Window,
    warnings: &mut Vec<String>,
) -> Result<Vec<Series>, String> {
    let status = response.status;
    let refused = match status {
        401 | 403 => Some(format!("Prometheus refuses the access (status {status})")),
        404 => Some("there is no Prometheus at this address (status 404)".to_owned()),
        _ => None,
    };
    let document: Document = match serde_json::from_slice(&response.body) {
        Ok(document) => document,
        Err(_) if refused.is_some() => return Err(refused.unwrap_or_default()),
        Err(error) => {
            return Err(format!(
                "the answer (status {status}) is none of Prometheus: {}",
                short(&error.to_string())
            ));
        }
    };
    warnings.extend(document.warnings.iter().take(5).map(|text| short(text)));
    if document.status != "success" {
        let why = document.error.unwrap_or_default();
        return Err(refused.unwrap_or_else(|| format!("Prometheus says: {}", short(&why))));
    }
    let data = document.data.ok_or("the answer has no data")?;
    if data.result_type != "matrix" {
        return Err(format!(
            "the query gives a {}, and series are needed",
            short(&data.result_type)
        ));
    }
    if data.result.len() > MOST_SERIES {
        return Err(format!(
            "it has {} series, more than {MOST_SERIES}: name the sides by more labels",
            data.result.len()
        ));
    }
    let (start, step) = (as_seconds(window.start), window.step.as_secs_f64());
    Ok(data
        .result
        .into_iter()
        .map(|row| Series {
            labels: row.metric,
            samples: row
                .values
                .into_iter()
                .filter_map(|(at, value)| {
                    // `NaN` and `+Inf` say nothing of a level or a trend.
                    let value: f64 = value.parse().ok().filter(|value: &f64| value.is_finite())?;
                    #[expect(clippy::cast_possible_truncation, reason = "a few thousand steps")]
                    let tick = ((at - start) / step).round() as i64;
                    Some((tick, value))
                })
                .collect(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        let end = Timestamp::from_second(1_000_060).unwrap();
        Window::ending(end, Duration::from_secs(60), Duration::from_secs(15))
    }

    fn read(status: u16, body: &str) -> (Result<Vec<Series>, String>, Vec<String>) {
        let mut warnings = Vec::new();
        let response = Response {
            status,
            headers: BTreeMap::new(),
            body: body.as_bytes().to_vec(),
        };
        (series(&response, window(), &mut warnings), warnings)
    }

    #[test]
    fn numbers_that_are_none_are_gaps_and_times_become_steps() {
        let (series, warnings) = read(
            200,
            r#"{"status":"success","warnings":["partial\u0007 answer"],"data":{"resultType":"matrix","result":[{"metric":{"pod":"a"},"values":[[1000000,"1.5"],[1000015,"NaN"],[1000030,"+Inf"],[1000045.0,"2e3"]]}]}}"#,
        );
        let series = series.unwrap();
        assert_eq!(series[0].samples, [(0, 1.5), (3, 2000.0)]);
        assert_eq!(warnings, ["partial  answer"]);
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (status, body, says) in [
            (401, "no", "refuses the access (status 401)"),
            (
                403,
                r#"{"status":"error","error":"x"}"#,
                "refuses the access",
            ),
            (404, "not found", "no Prometheus at this address"),
            (502, "<html>", "none of Prometheus"),
            (
                400,
                r#"{"status":"error","errorType":"bad_data","error":"parse error at char 3"}"#,
                "Prometheus says: parse error",
            ),
            (
                200,
                r#"{"status":"success","data":{"resultType":"scalar","result":[]}}"#,
                "gives a scalar",
            ),
            (200, r#"{"status":"success"}"#, "no data"),
        ] {
            let error = read(status, body).0.unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_long_window_is_asked_for_in_steps_that_are_answered() {
        let end = Timestamp::from_second(1_000_000).unwrap();
        let week = Window::ending(end, Duration::from_secs(604_800), Duration::from_secs(15));
        assert!(week.duration().as_secs_f64() / week.step.as_secs_f64() < 6_001.0);
        assert!(week.step > Duration::from_secs(100));
    }
}
