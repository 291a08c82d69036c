//! What counts as growth: data, read from `policies/probe.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Resource, Watched};

const BUILT_IN: &str = include_str!("../../policies/probe.toml");

/// Why thresholds cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThresholdsError {
    /// They are no TOML, or a key is missing or unknown.
    #[error("the thresholds of the probe cannot be read")]
    Toml(#[source] toml::de::Error),
    /// A resource has no entry.
    #[error("the thresholds of the probe say nothing of `{resource}`")]
    Missing {
        /// The resource.
        resource: &'static str,
    },
    /// A number makes no sense.
    #[error("the thresholds of the probe: `{key}` must be {must}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it must be.
        must: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    version: u32,
    confidence: f64,
    drift: Drift,
    persistence: Persistence,
    busy: Busy,
    resource: BTreeMap<String, Entry>,
    gauge: Gauges,
    gauges: GaugeRules,
    attribution: Attribution,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Attribution {
    passes_on: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gauges {
    bytes: Entry,
    count: Entry,
}

/// Which gauges of a program are watched when none is named.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GaugeRules {
    /// At most so many.
    pub most: usize,
    ends: Vec<String>,
    memory: Vec<String>,
    without: Vec<String>,
    not_from: Vec<String>,
}

impl GaugeRules {
    /// Whether a gauge of this name tells of something that is taken and given back.
    #[must_use]
    pub fn tells_of_something_held(&self, name: &str) -> bool {
        let words = || name.split('_');
        let any = |list: &[String]| words().any(|word| list.iter().any(|other| other == word));
        let ends = || self.ends.iter().any(|end| name.ends_with(end.as_str()));
        let elsewhere = || {
            self.not_from
                .iter()
                .any(|start| name.starts_with(start.as_str()))
        };
        let memory = || name.ends_with("_bytes") && any(&self.memory);
        (ends() || memory()) && !any(&self.without) && !elsewhere()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Drift {
    reference_seconds: f64,
    power: f64,
    steady_power: f64,
    even: f64,
    sharp: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Persistence {
    last_third: f64,
    slowing: f64,
    slowing_ratio: f64,
    start_ratio: f64,
    low_water: f64,
    step_share: f64,
    alike: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Busy {
    unhindered: f64,
    least: f64,
    least_seconds: f64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    slope: f64,
    level: f64,
    limit: f64,
    weighs: bool,
    #[serde(default)]
    piece: f64,
    #[serde(default)]
    pieces: u32,
}

impl Entry {
    fn checked(self) -> Result<ResourceThresholds, ThresholdsError> {
        if self.slope.is_nan() || self.slope <= 0.0 {
            return Err(ThresholdsError::Value {
                key: "resource.….slope",
                must: "positive",
            });
        }
        Ok(ResourceThresholds {
            slope: self.slope,
            level: self.level,
            limit: self.limit,
            weighs: self.weighs,
            piece: self.piece,
            pieces: self.pieces,
        })
    }
}

/// What counts as growth.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// `sha256:…` of the text they were read from.
    pub digest: String,
    /// The confidence of intervals, between 0 and 1.
    pub confidence: f64,
    /// The age of a run, in seconds, from which programs no longer settle.
    pub reference_seconds: f64,
    /// How fast the smallest slope that counts rises below that age.
    pub power: f64,
    /// The same for growth that does not slow down.
    pub steady_power: f64,
    /// The share of the mean rate that each third of such growth shows.
    pub even: f64,
    /// The widest interval of such growth, as a share of the slope.
    pub sharp: f64,
    /// The share of the mean rate that the last third of a run must show.
    pub last_third: f64,
    /// Below this share the question is left open.
    pub slowing: f64,
    /// As it is when the second half shows less than this share of the first.
    pub slowing_ratio: f64,
    /// And when the start was faster by this factor it is on its way to a level.
    pub start_ratio: f64,
    /// The share of the growth by which the low-water mark must rise.
    pub low_water: f64,
    /// The share of all growth from which one step is a change of level.
    pub step_share: f64,
    /// The relative difference below which two slopes are alike.
    pub alike: f64,
    /// A program that had this share of its time is judged by the clock.
    pub unhindered: f64,
    /// One that had less than this share is not called clean,
    pub least_time: f64,
    /// unless that are so many seconds.
    pub least_own_seconds: f64,
    /// Which gauges are watched when none is named.
    pub gauges: GaugeRules,
    /// Crates that allocate for whoever calls them.
    pub passes_on: Vec<String>,
    resources: BTreeMap<Resource, ResourceThresholds>,
    gauge_of_bytes: ResourceThresholds,
    gauge_of_count: ResourceThresholds,
}

/// What counts as growth of one resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResourceThresholds {
    /// The smallest slope that counts in a long run, in units per second.
    pub slope: f64,
    /// A difference of level that is reported, in units.
    pub level: f64,
    /// Where growth ends badly, in units, when no limit is given.
    pub limit: f64,
    /// Whether an unclear answer makes the whole run unclear.
    pub weighs: bool,
    /// The size in units of a piece that is reserved for a thread; 0: none is.
    pub piece: f64,
    /// The most pieces that are reserved so.
    pub pieces: u32,
}

impl ResourceThresholds {
    /// Those by which nothing counts.
    pub const NONE: Self = Self {
        slope: f64::INFINITY,
        level: f64::INFINITY,
        limit: f64::INFINITY,
        weighs: false,
        piece: 0.0,
        pieces: 0,
    };
}

impl Thresholds {
    /// Those that come with the program.
    ///
    /// # Errors
    /// When the built-in file is broken, which a test rules out.
    pub fn built_in() -> Result<Self, ThresholdsError> {
        Self::parse(BUILT_IN)
    }

    /// Reads thresholds.
    ///
    /// # Errors
    /// When the text is no TOML, or a key is missing, unknown or senseless.
    pub fn parse(text: &str) -> Result<Self, ThresholdsError> {
        let file: File = toml::from_str(text).map_err(ThresholdsError::Toml)?;
        let value = |key, must| ThresholdsError::Value { key, must };
        if file.version != 1 {
            return Err(value("version", "1"));
        }
        if !(0.5..1.0).contains(&file.confidence) {
            return Err(value("confidence", "at least 0.5 and below 1"));
        }
        if file.drift.reference_seconds.is_nan() || file.drift.reference_seconds <= 0.0 {
            return Err(value("drift.reference-seconds", "positive"));
        }
        if !(0.0..=1.0).contains(&file.busy.least)
            || !(file.busy.least..=1.0).contains(&file.busy.unhindered)
            || file.busy.least_seconds.is_nan()
            || file.busy.least_seconds < 0.0
        {
            return Err(value(
                "busy",
                "shares between 0 and 1, `least` no more than `unhindered`, and seconds",
            ));
        }
        let mut resources = BTreeMap::new();
        for resource in Resource::ALL {
            let entry = file
                .resource
                .get(resource.as_str())
                .ok_or(ThresholdsError::Missing {
                    resource: resource.as_str(),
                })?;
            resources.insert(resource, entry.checked()?);
        }
        Ok(Self {
            digest: super::sha256(text.as_bytes()),
            confidence: file.confidence,
            reference_seconds: file.drift.reference_seconds,
            power: file.drift.power,
            steady_power: file.drift.steady_power,
            even: file.drift.even,
            sharp: file.drift.sharp,
            last_third: file.persistence.last_third,
            slowing: file.persistence.slowing,
            slowing_ratio: file.persistence.slowing_ratio,
            start_ratio: file.persistence.start_ratio,
            low_water: file.persistence.low_water,
            step_share: file.persistence.step_share,
            alike: file.persistence.alike,
            unhindered: file.busy.unhindered,
            least_time: file.busy.least,
            least_own_seconds: file.busy.least_seconds,
            resources,
            gauges: file.gauges,
            passes_on: file.attribution.passes_on,
            gauge_of_bytes: file.gauge.bytes.checked()?,
            gauge_of_count: file.gauge.count.checked()?,
        })
    }

    /// The same with another confidence of intervals.
    #[must_use]
    pub fn with_confidence(self, confidence: f64) -> Self {
        Self { confidence, ..self }
    }

    /// Those of one resource or gauge.
    #[must_use]
    pub fn of(&self, watched: &Watched) -> ResourceThresholds {
        match watched {
            Watched::Resource(resource) => self
                .resources
                .get(resource)
                .copied()
                .unwrap_or(ResourceThresholds::NONE),
            Watched::Gauge { .. } if watched.unit() == "bytes" => self.gauge_of_bytes,
            Watched::Gauge { .. } => self.gauge_of_count,
        }
    }

    fn youth(&self, seconds: f64) -> f64 {
        (self.reference_seconds / seconds.max(0.1)).max(1.0)
    }

    /// The smallest slope that counts in a life of this many seconds.
    #[must_use]
    pub fn floor(&self, watched: &Watched, seconds: f64) -> f64 {
        self.of(watched).slope * self.youth(seconds).powf(self.power)
    }

    /// The same for growth that does not slow down.
    #[must_use]
    pub fn steady_floor(&self, watched: &Watched, seconds: f64) -> f64 {
        self.of(watched).slope * self.youth(seconds).powf(self.steady_power)
    }

    /// How long a life must be for this slope to count, in seconds.
    #[must_use]
    pub fn seconds_for(&self, watched: &Watched, slope: f64) -> f64 {
        let ratio = self.of(watched).slope / slope.max(f64::MIN_POSITIVE);
        self.reference_seconds * ratio.min(1.0).powf(1.0 / self.power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_thresholds_are_whole() {
        let thresholds = Thresholds::built_in().unwrap();
        for resource in Resource::ALL {
            assert!(
                thresholds.of(&resource.into()).slope.is_finite(),
                "{resource:?}"
            );
        }
    }

    #[test]
    fn a_young_run_must_show_more() {
        let thresholds = Thresholds::built_in().unwrap();
        let floor = |seconds| thresholds.floor(&Resource::Rss.into(), seconds);
        assert!((floor(60.0) - 4096.0).abs() < 1e-9 && (floor(600.0) - 4096.0).abs() < 1e-9);
        assert!(floor(20.0) > 5.0 * floor(60.0));
        let back = thresholds.seconds_for(&Resource::Rss.into(), floor(20.0));
        assert!((back - 20.0).abs() < 1e-6, "{back}");
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let text = BUILT_IN.replace("weighs = true", "weights = true");
        assert!(matches!(
            Thresholds::parse(&text),
            Err(ThresholdsError::Toml(_))
        ));
        let text = BUILT_IN.replace("[resource.vsz]", "[resource.vss]");
        assert!(matches!(
            Thresholds::parse(&text),
            Err(ThresholdsError::Missing { resource: "vsz" })
        ));
    }
}
