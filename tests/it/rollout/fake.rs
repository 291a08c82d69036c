//! A Prometheus that answers as a test tells it to.

use std::collections::BTreeMap;
use std::sync::Arc;

use cargo_canary::host::Host;
use cargo_canary::rollout::judge::{self, Judged, MetricJudged};
use cargo_canary::rollout::prometheus::{self, Window};
use cargo_canary::rollout::{Config, Said};
use jiff::Timestamp;

use crate::registry_server::{Reply, Request, Server};

/// One series: the metric that a query must name, the side, the instance, and what
/// it shows at a time in seconds since the start of the window.
pub(crate) struct Line {
    pub(crate) metric: &'static str,
    pub(crate) side: &'static str,
    pub(crate) pod: &'static str,
    pub(crate) value: Box<dyn Fn(f64) -> Option<f64> + Send + Sync>,
}

pub(crate) fn line(
    metric: &'static str,
    side: &'static str,
    pod: &'static str,
    value: impl Fn(f64) -> Option<f64> + Send + Sync + 'static,
) -> Line {
    Line {
        metric,
        side,
        pod,
        value: Box::new(value),
    }
}

/// Noise with a mean of 0 and a variance of 1, the same for the same seed and time.
pub(crate) fn noise(seed: u64, t: f64) -> f64 {
    let mut state = (t * 1_000.0) as u64 ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut uniform = || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..12).map(|_| uniform()).sum::<f64>() - 6.0
}

/// When windows end here.
pub(crate) const END: i64 = 1_795_000_000;

pub(crate) const TABLE: &str =
    "[rollout]\nbaseline = { track = \"stable\" }\ncanary = { track = \"canary\" }\n";

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// The parameters of a request.
pub(crate) fn params(request: &Request) -> BTreeMap<String, String> {
    let (_, query) = request.path.split_once('?').unwrap();
    query
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), decoded(value))
        })
        .collect()
}

/// The answer to a range query.
pub(crate) fn matrix(lines: &[Line], request: &Request) -> Reply {
    let params = params(request);
    let number = |name: &str| params[name].parse::<f64>().unwrap();
    let (start, end, step) = (number("start"), number("end"), number("step"));
    let query = &params["query"];
    let mut result = Vec::new();
    for line in lines {
        if !query.contains(line.metric) || !query.contains(&format!("track=\"{}\"", line.side)) {
            continue;
        }
        let mut values = Vec::new();
        let mut tick = 0.0;
        while start + tick * step <= end + 1e-6 {
            if let Some(value) = (line.value)(tick * step) {
                values.push(serde_json::json!([start + tick * step, value.to_string()]));
            }
            tick += 1.0;
        }
        if !values.is_empty() {
            result.push(serde_json::json!({ "metric": { "pod": line.pod }, "values": values }));
        }
    }
    let body = serde_json::json!({
        "status": "success",
        "data": { "resultType": "matrix", "result": result },
    });
    Reply::ok(body.to_string())
}

/// A server with these series.
pub(crate) fn serving(lines: Vec<Line>) -> Server {
    let lines = Arc::new(lines);
    Server::start(move |request| matrix(&lines, request))
}

/// What is judged of a server, under further keys of `[rollout]`.
pub(crate) fn judged_of(server: &Server, more: &str) -> Judged {
    let text = format!("{TABLE}prometheus = \"{}\"\n{more}", server.url(""));
    let config = Config::read(&text, "canary.toml", &Said::default()).unwrap();
    let end = Timestamp::from_second(END).unwrap();
    let window = Window::ending(end, config.duration, config.step);
    let mut host = Host::real(None);
    host.net = Some(Box::new(prometheus::open(&config.access, &host).unwrap()));
    let seen = prometheus::ask(&config, window, &host).unwrap();
    judge::judge(&seen, &config, window).unwrap()
}

/// What is judged of these series.
pub(crate) fn judged(lines: Vec<Line>, more: &str) -> Judged {
    judged_of(&serving(lines), more)
}

#[track_caller]
pub(crate) fn of<'j>(judged: &'j Judged, id: &str) -> &'j MetricJudged {
    judged
        .metrics
        .iter()
        .find(|metric| metric.metric.id == id)
        .unwrap_or_else(|| panic!("no {id} in {:?}", judged.absent))
}
