//! The `[rollout]` table: where Prometheus is, which series are baseline and
//! canary, what is asked and what counts. Built-in values are data, in
//! `policies/rollout.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::promql;
use crate::probe::plan::{bytes, duration};

const BUILT_IN: &str = include_str!("../../policies/rollout.toml");

/// The most metrics of one judgement.
const MOST_METRICS: usize = 64;

/// Why the table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no TOML, or a key is unknown or has a wrong value; says line and column.
    #[error("the table [rollout] of {file} cannot be used")]
    Toml {
        /// Which file.
        file: String,
        /// What is wrong, and where.
        #[source]
        source: toml::de::Error,
    },
    /// There is none.
    #[error("{file} has no table [rollout]")]
    None {
        /// Which file.
        file: String,
    },
    /// A value makes no sense.
    #[error("[rollout] of {file}: {what}")]
    Value {
        /// Which file.
        file: String,
        /// What is wrong.
        what: String,
    },
}

/// What a metric tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something held, which must not grow.
    Trend,
    /// Something that must not be higher.
    Level,
    /// The counter of requests, by which growth is counted.
    Requests,
    /// When each process started, in seconds since 1970.
    Starts,
    /// The counter of restarts.
    Restarts,
}

/// One metric: what is asked, and what counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name in reports.
    pub id: String,
    /// What it tells.
    pub kind: Kind,
    /// What one of it is called; `bytes`, `seconds` and `ratio` are scaled.
    pub unit: String,
    /// The query, with `$selector` and `$window`.
    pub query: String,
    /// How much may be added until something fails, in units.
    pub headroom: f64,
    /// The least growth during a window that counts, in units.
    pub least: f64,
    /// A shift counts from this share of the baseline's level on.
    pub effect: f64,
    /// A shift counts from this many units on.
    pub floor: f64,
    /// Of a group one metric at least has to be there; a metric that the policy
    /// adds is a group of its own.
    pub group: Option<String>,
}

/// How Prometheus is reached.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Access {
    /// The address, `http://…` or `https://…`, with a path prefix where there is one.
    pub url: String,
    /// A file with a bearer token.
    pub token_file: Option<PathBuf>,
    /// A user name, for basic authentication.
    pub user: Option<String>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
    /// A file with the client's certificate, in PEM.
    pub client_certificate: Option<PathBuf>,
    /// A file with its key, in PEM; in the same file when it is left out.
    pub client_key: Option<PathBuf>,
    /// A file with certificates that are trusted besides, in PEM.
    pub ca: Option<PathBuf>,
    /// Further header fields, such as a tenant.
    pub headers: BTreeMap<String, String>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What a judgement needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How Prometheus is reached.
    pub access: Access,
    /// The labels of the baseline.
    pub baseline: BTreeMap<String, String>,
    /// The labels of the canary.
    pub canary: BTreeMap<String, String>,
    /// The window that is looked at.
    pub duration: Duration,
    /// Its resolution.
    pub step: Duration,
    /// The window of rates; four steps when nothing is said.
    pub rate_window: Duration,
    /// For how long before the window the baseline tells of its noise; zero: not at all.
    pub before: Duration,
    /// The start of a process that is not judged.
    pub warm_up: Duration,
    /// How long a process runs at most.
    pub between_deploys: Duration,
    /// The confidence of intervals.
    pub confidence: f64,
    /// The relative difference below which two request rates are alike.
    pub alike: f64,
    /// So many restarts of one instance are let pass.
    pub restarts: f64,
    /// What is asked.
    pub metrics: Vec<Metric>,
}

/// What the command line says in the place of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The address of Prometheus.
    pub prometheus: Option<String>,
    /// The labels of the baseline; empty: those of the table.
    pub baseline: BTreeMap<String, String>,
    /// The labels of the canary.
    pub canary: BTreeMap<String, String>,
    /// The window.
    pub duration: Option<Duration>,
}

impl Said {
    fn suffices(&self) -> bool {
        self.prometheus.is_some() && !self.baseline.is_empty() && !self.canary.is_empty()
    }

    fn put_into(&self, table: &mut Table) {
        if self.prometheus.is_some() {
            table.prometheus.clone_from(&self.prometheus);
        }
        for (own, said) in [
            (&mut table.baseline, &self.baseline),
            (&mut table.canary, &self.canary),
        ] {
            if !said.is_empty() {
                own.clone_from(said);
            }
        }
        table.duration = self.duration.or(table.duration);
    }
}

impl Config {
    /// The smallest growth of a metric that matters, in units per second: what uses
    /// up the headroom before the next deploy.
    #[must_use]
    pub fn matters(&self, metric: &Metric) -> f64 {
        metric.headroom / self.between_deploys.as_secs_f64()
    }

    /// Reads the table out of a policy file, over the built-in values and under what
    /// the command line says.
    ///
    /// # Errors
    /// When the file has none, or a key is unknown or makes no sense.
    pub fn read(text: &str, file: &str, said: &Said) -> Result<Self, ConfigError> {
        let toml = |source| ConfigError::Toml {
            file: file.to_owned(),
            source,
        };
        let table = toml::from_str::<File>(text).map_err(toml)?.rollout;
        let mut table = match table {
            Some(table) => table,
            None if said.suffices() => Table::default(),
            None => {
                return Err(ConfigError::None {
                    file: file.to_owned(),
                });
            }
        };
        said.put_into(&mut table);
        let built_in: Table = toml::from_str(BUILT_IN).map_err(|source| ConfigError::Toml {
            file: "the program".to_owned(),
            source,
        })?;
        table.over(built_in).map_err(|what| ConfigError::Value {
            file: file.to_owned(),
            what,
        })
    }
}

#[derive(Deserialize)]
struct File {
    rollout: Option<Table>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Table {
    version: Option<u32>,
    prometheus: Option<String>,
    baseline: BTreeMap<String, String>,
    canary: BTreeMap<String, String>,
    token_file: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    client_certificate: Option<PathBuf>,
    client_key: Option<PathBuf>,
    ca: Option<PathBuf>,
    headers: BTreeMap<String, String>,
    #[serde(deserialize_with = "time")]
    timeout: Option<Duration>,
    #[serde(deserialize_with = "time")]
    duration: Option<Duration>,
    #[serde(deserialize_with = "time")]
    step: Option<Duration>,
    #[serde(deserialize_with = "time")]
    rate_window: Option<Duration>,
    #[serde(deserialize_with = "time_or_none")]
    before: Option<Duration>,
    #[serde(deserialize_with = "time_or_none")]
    warm_up: Option<Duration>,
    #[serde(deserialize_with = "time")]
    time_between_deploys: Option<Duration>,
    confidence: Option<f64>,
    alike: Option<f64>,
    restarts: Option<f64>,
    skip: Vec<String>,
    metric: Vec<Entry>,
    /// What `rollout plan` reads.
    #[serde(rename = "plan")]
    _plan: Option<toml::Table>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Entry {
    id: String,
    kind: Option<Kind>,
    unit: Option<String>,
    query: Option<String>,
    #[serde(deserialize_with = "amount")]
    headroom: Option<f64>,
    #[serde(deserialize_with = "amount")]
    least: Option<f64>,
    effect: Option<f64>,
    floor: Option<f64>,
    group: Option<String>,
}

fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(value)?;
    duration(&text).map(Some).map_err(serde::de::Error::custom)
}

/// A time that may be `0s`.
fn time_or_none<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(value)?;
    if text.trim_start_matches('0').len() <= 1 && text.starts_with('0') {
        return Ok(Some(Duration::ZERO));
    }
    duration(&text).map(Some).map_err(serde::de::Error::custom)
}

/// A number, or a size such as `256MiB`.
fn amount<'de, D: Deserializer<'de>>(value: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }
    match Written::deserialize(value)? {
        Written::Number(number) => Ok(Some(number)),
        Written::Text(text) => {
            #[expect(clippy::cast_precision_loss, reason = "sizes need no more digits")]
            let size = bytes(&text).map_err(serde::de::Error::custom)? as f64;
            Ok(Some(size))
        }
    }
}

fn positive(name: &str, value: f64) -> Result<f64, String> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(format!("`{name}` must be positive"))
    }
}

impl Table {
    fn over(self, built_in: Self) -> Result<Config, String> {
        let missing = |name: &str| format!("`{name}` is missing");
        let need = |name: &str, own: Option<Duration>, other: Option<Duration>| {
            own.or(other).ok_or_else(|| missing(name))
        };
        let url = self
            .prometheus
            .clone()
            .ok_or_else(|| missing("prometheus"))?;
        let address = reqwest::Url::parse(&url)
            .map_err(|error| format!("`prometheus` is no address: {error}"))?;
        if !matches!(address.scheme(), "http" | "https") || address.host().is_none() {
            return Err("`prometheus` must begin with http:// or https://".to_owned());
        }
        if !address.username().is_empty() || address.password().is_some() {
            return Err(
                "a password has no place in `prometheus`; see `user` and `password-file`"
                    .to_owned(),
            );
        }
        for (side, labels) in [("baseline", &self.baseline), ("canary", &self.canary)] {
            if labels.is_empty() {
                return Err(format!("`{side}` must name at least one label"));
            }
            if let Some(name) = labels.keys().find(|name| !promql::is_label(name)) {
                return Err(format!(
                    "`{}` in `{side}` is no name of a label",
                    name.escape_debug()
                ));
            }
        }
        if self.baseline == self.canary {
            return Err("`baseline` and `canary` name the same series".to_owned());
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Err("`user` and `password-file` belong together".to_owned());
        }
        if self.user.is_some() && self.token_file.is_some() {
            return Err("either `token-file` or `user`, not both".to_owned());
        }
        if self.client_key.is_some() && self.client_certificate.is_none() {
            return Err("`client-key` without `client-certificate`".to_owned());
        }
        let confidence = self.confidence.or(built_in.confidence).unwrap_or(0.995);
        if !(0.5..1.0).contains(&confidence) {
            return Err("`confidence` must be at least 0.5 and below 1".to_owned());
        }
        let step = need("step", self.step, built_in.step)?;
        let metrics = metrics(&self, built_in.metric)?;
        Ok(Config {
            duration: need("duration", self.duration, built_in.duration)?,
            step,
            rate_window: self.rate_window.unwrap_or(step * 4),
            before: need("before", self.before, built_in.before)?,
            warm_up: need("warm-up", self.warm_up, built_in.warm_up)?,
            between_deploys: need(
                "time-between-deploys",
                self.time_between_deploys,
                built_in.time_between_deploys,
            )?,
            confidence,
            alike: positive("alike", self.alike.or(built_in.alike).unwrap_or(0.25))?,
            restarts: self.restarts.or(built_in.restarts).unwrap_or(1.0).max(0.0),
            metrics,
            access: Access {
                url,
                token_file: self.token_file,
                user: self.user,
                password_file: self.password_file,
                client_certificate: self.client_certificate,
                client_key: self.client_key,
                ca: self.ca,
                headers: self.headers,
                timeout: need("timeout", self.timeout, built_in.timeout)?,
            },
            baseline: self.baseline,
            canary: self.canary,
        })
    }
}

/// The built-in metrics with the table's changes, and those that the table adds.
fn metrics(table: &Table, built_in: Vec<Entry>) -> Result<Vec<Metric>, String> {
    let known = |id: &str| built_in.iter().any(|entry| entry.id == id);
    if let Some(id) = table.skip.iter().find(|id| !known(id)) {
        let ids: Vec<&str> = built_in.iter().map(|entry| entry.id.as_str()).collect();
        return Err(format!(
            "`skip` names the metric `{}`; there are {}",
            id.escape_debug(),
            ids.join(", ")
        ));
    }
    let own = |id: &str| table.metric.iter().find(|entry| entry.id == id).cloned();
    let mut metrics = Vec::new();
    for entry in built_in
        .iter()
        .filter(|entry| !table.skip.contains(&entry.id))
    {
        let id = entry.id.clone();
        let changed = own(&id);
        // What the policy speaks of has to be there.
        let group = changed.as_ref().map(|_| id.clone());
        let own = changed.unwrap_or_default();
        metrics.push(metric(Entry {
            kind: own.kind.or(entry.kind),
            unit: own.unit.or_else(|| entry.unit.clone()),
            query: own.query.or_else(|| entry.query.clone()),
            headroom: own.headroom.or(entry.headroom),
            least: own.least.or(entry.least),
            effect: own.effect.or(entry.effect),
            floor: own.floor.or(entry.floor),
            group: own.group.or_else(|| entry.group.clone()).or(group),
            id,
        })?);
    }
    for entry in table.metric.iter().filter(|entry| !known(&entry.id)) {
        let mut entry = entry.clone();
        entry.group = entry.group.or_else(|| Some(entry.id.clone()));
        metrics.push(metric(entry)?);
    }
    let mut ids: Vec<&str> = table.metric.iter().map(|entry| entry.id.as_str()).collect();
    ids.sort_unstable();
    if let Some(twice) = ids.windows(2).find(|pair| pair.first() == pair.last()) {
        return Err(format!(
            "two metrics are called `{}`",
            twice.join("").escape_debug()
        ));
    }
    if metrics.len() > MOST_METRICS {
        return Err(format!("there are more than {MOST_METRICS} metrics"));
    }
    Ok(metrics)
}

fn metric(entry: Entry) -> Result<Metric, String> {
    let id = entry.id;
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if id.is_empty() || id.len() > 64 || !id.chars().all(fine) {
        return Err(format!(
            "`{}` is no id of a metric: letters, digits, - _ .",
            id.escape_debug()
        ));
    }
    let of = |what: String| format!("metric `{id}`: {what}");
    let kind = entry.kind.unwrap_or(Kind::Trend);
    let query = entry
        .query
        .ok_or_else(|| of("`query` is missing".to_owned()))?;
    if !query.contains(promql::SELECTOR) {
        return Err(of(format!(
            "the query must hold `{}`, which stands for the labels of a side",
            promql::SELECTOR
        )));
    }
    let headroom = match (kind, entry.headroom) {
        (Kind::Trend, None) => return Err(of("`headroom` is missing".to_owned())),
        (_, headroom) => headroom.unwrap_or(f64::INFINITY),
    };
    let least = entry.least.unwrap_or(if kind == Kind::Trend {
        headroom / 1_000.0
    } else {
        0.0
    });
    let (effect, floor) = (entry.effect.unwrap_or(0.1), entry.floor.unwrap_or(0.0));
    if headroom.is_nan() || headroom <= 0.0 {
        return Err(of("`headroom` must be positive".to_owned()));
    }
    if [least, effect, floor]
        .iter()
        .any(|value| !value.is_finite() || *value < 0.0)
    {
        return Err(of(
            "`least`, `effect` and `floor` must not be negative".to_owned()
        ));
    }
    if kind == Kind::Level && effect == 0.0 && floor == 0.0 {
        return Err(of(
            "`effect` or `floor` must be positive: no two levels are the same".to_owned(),
        ));
    }
    Ok(Metric {
        kind,
        unit: entry.unit.unwrap_or_else(|| "units".to_owned()),
        query,
        headroom,
        least,
        effect,
        floor,
        group: entry.group,
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[rollout]\nprometheus = \"http://p:9090\"\nbaseline = { track = \"stable\" }\ncanary = { track = \"canary\" }\n";

    #[test]
    fn the_built_in_metrics_are_whole_and_three_lines_suffice() {
        let config = Config::read(LEAST, "canary.toml", &Said::default()).unwrap();
        let ids: Vec<&str> = config
            .metrics
            .iter()
            .map(|metric| metric.id.as_str())
            .collect();
        assert_eq!(
            ids,
            [
                "memory",
                "container-memory",
                "descriptors",
                "threads",
                "latency",
                "errors",
                "requests",
                "starts",
                "restarts"
            ]
        );
        assert_eq!(config.rate_window, Duration::from_secs(60));
        // 256 MiB in a week.
        let memory = config.matters(&config.metrics[0]);
        assert!((memory - 443.8).abs() < 0.1, "{memory}");
    }

    #[test]
    fn a_metric_is_changed_or_added() {
        let text = format!(
            "{LEAST}warm-up = \"0s\"\nskip = [\"threads\"]\n[[rollout.metric]]\nid = \"memory\"\nheadroom = \"1GiB\"\n[[rollout.metric]]\nid = \"pool\"\nunit = \"connections\"\nquery = \"db_connections{{$selector}}\"\nheadroom = 50\n"
        );
        let config = Config::read(&text, "canary.toml", &Said::default()).unwrap();
        let of = |id: &str| config.metrics.iter().find(|metric| metric.id == id);
        assert_eq!(config.warm_up, Duration::ZERO);
        assert!(of("threads").is_none());
        assert!((of("memory").unwrap().headroom - 1_073_741_824.0).abs() < 1.0);
        assert_eq!(of("memory").unwrap().group.as_deref(), Some("memory"));
        let pool = of("pool").unwrap();
        assert_eq!(
            (pool.kind, pool.group.as_deref()),
            (Kind::Trend, Some("pool"))
        );
        assert!((pool.least - 0.05).abs() < 1e-9);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (change, says) in [
            (("http://p:9090", "ftp://p"), "must begin with http"),
            (
                ("http://p:9090", "http://me:secret@p"),
                "password has no place",
            ),
            (("\"canary\" }", "\"stable\" }"), "same series"),
            (("{ track = \"stable\" }", "{}"), "at least one label"),
            (
                ("track = \"stable\"", "\"a-b\" = \"x\""),
                "no name of a label",
            ),
        ] {
            let error = Config::read(&LEAST.replace(change.0, change.1), "f", &Said::default())
                .unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for (more, says) in [
            ("user = \"x\"", "belong together"),
            ("client-key = \"x\"", "without `client-certificate`"),
            ("confidence = 1.0", "`confidence`"),
            ("skip = [\"memry\"]", "there are memory, "),
            ("[[rollout.metric]]\nid = \"a b\"", "no id of a metric"),
            ("[[rollout.metric]]\nid = \"x\"", "`query` is missing"),
            (
                "[[rollout.metric]]\nid = \"x\"\nquery = \"up\"",
                "$selector",
            ),
            (
                "[[rollout.metric]]\nid = \"x\"\nquery = \"up{$selector}\"",
                "`headroom` is missing",
            ),
            (
                "[[rollout.metric]]\nid = \"x\"\nquery = \"up{$selector}\"\nheadroom = -1",
                "must be positive",
            ),
            (
                "[[rollout.metric]]\nid = \"memory\"\n[[rollout.metric]]\nid = \"memory\"",
                "two metrics",
            ),
        ] {
            let error =
                Config::read(&format!("{LEAST}{more}\n"), "f", &Said::default()).unwrap_err();
            assert!(error.to_string().contains(says), "{more}: {error}");
        }
        let error =
            Config::read(&format!("{LEAST}stepp = \"1s\"\n"), "f", &Said::default()).unwrap_err();
        let ConfigError::Toml { source, .. } = error else {
            panic!("{error}")
        };
        assert!(source.to_string().contains("line 5"), "{source}");
        assert!(matches!(
            Config::read("version = 1\n", "f", &Said::default()),
            Err(ConfigError::None { .. })
        ));
    }
}
