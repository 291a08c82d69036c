//! What a plan is made by: the built-in table, and what `[rollout.plan]` says of the
//! service.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::power::{Noise, Power};
use super::{Step, Subject, Update, Watch};
use crate::probe::plan::{bytes, duration as read_time};
use crate::probe::show::seconds;
use crate::rollout::{Config, Metric, promql};

const BUILT_IN: &str = include_str!("../../../policies/rollout-plan.toml");

/// Why no plan can be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The table `[rollout.plan]` or the built-in one is no such table.
    #[error("the table [rollout.plan] cannot be used")]
    Toml(#[from] toml::de::Error),
    /// A value makes no sense.
    #[error("[rollout.plan]: {0}")]
    Value(String),
    /// A text would be taken for a template of the engine.
    #[error("{what} holds `{{{{`, which Argo Rollouts and Flagger take for a template")]
    Template {
        /// Which text.
        what: String,
    },
}

/// What `[rollout.plan]` says of the service. What is left out is a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Service {
    /// Its name: that of its Deployment.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// The labels of its pods.
    pub selector: BTreeMap<String, String>,
    /// How many instances run.
    pub replicas: u32,
    /// The port of its Service.
    pub port: u16,
    /// The provider of Flagger.
    pub provider: String,
    /// Who is told when it goes wrong.
    pub contact: String,
    /// What is a placeholder.
    #[serde(skip)]
    pub notes: Vec<String>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            name: "service".to_owned(),
            namespace: "default".to_owned(),
            selector: BTreeMap::new(),
            replicas: 4,
            port: 80,
            provider: "kubernetes".to_owned(),
            contact: "the on-call engineer".to_owned(),
            notes: Vec::new(),
        }
    }
}

/// The providers of Flagger's `Canary`, v1beta1.
const PROVIDERS: [&str; 19] = [
    "apisix",
    "appmesh",
    "appmesh:v1beta2",
    "contour",
    "gatewayapi:v1",
    "gatewayapi:v1beta1",
    "gloo",
    "istio",
    "knative",
    "kubernetes",
    "kuma",
    "linkerd",
    "nginx",
    "osm",
    "skipper",
    "smi:v1alpha1",
    "smi:v1alpha2",
    "smi:v1alpha3",
    "traefik",
];
/// The longest name of a contact, in characters.
const LONGEST: usize = 200;

impl Service {
    /// Reads `[rollout.plan]` out of a policy file; a table that is not there is all
    /// placeholders.
    ///
    /// # Errors
    /// When a key is unknown or a value makes no sense.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        #[derive(Default, Deserialize)]
        struct Outer {
            rollout: Option<Inner>,
        }
        #[derive(Default, Deserialize)]
        struct Inner {
            plan: Option<Service>,
            prometheus: Option<toml::Value>,
        }
        let inner = toml::from_str::<Outer>(text)?.rollout.unwrap_or_default();
        let mut service = inner.plan.unwrap_or_default();
        if service.selector.is_empty() {
            service
                .selector
                .insert("app".to_owned(), service.name.clone());
        }
        if service.name == Self::default().name {
            service.notes.push(
                "`service` stands for the name of the Deployment: set `name` under [rollout.plan]"
                    .to_owned(),
            );
        }
        if inner.prometheus.is_none() {
            service.notes.push(
                "the address of Prometheus and the labels of both sides are placeholders: set `prometheus`, `baseline` and `canary` under [rollout]".to_owned(),
            );
        }
        service.check()?;
        Ok(service)
    }

    pub(super) fn check(&self) -> Result<(), PlanError> {
        let wrong = |what: String| Err(PlanError::Value(what));
        for (key, value) in [("name", &self.name), ("namespace", &self.namespace)] {
            if !is_dns_label(value) {
                return wrong(format!(
                    "`{key}` is `{}`, and names in Kubernetes are small letters, digits and `-`, at most 50",
                    value.escape_debug()
                ));
            }
        }
        for (name, value) in &self.selector {
            if !is_label_key(name) || !is_label_value(value) {
                return wrong(format!(
                    "`{}: {}` is no label of a pod",
                    name.escape_debug(),
                    value.escape_debug()
                ));
            }
        }
        if self.replicas == 0 || self.port == 0 {
            return wrong("`replicas` and `port` must be positive".to_owned());
        }
        if !PROVIDERS.contains(&self.provider.as_str()) {
            return wrong(format!(
                "`provider` is `{}`; Flagger has {}",
                self.provider.escape_debug(),
                PROVIDERS.join(", ")
            ));
        }
        if self.contact.is_empty()
            || self.contact.chars().count() > LONGEST
            || self.contact.chars().any(char::is_control)
        {
            return wrong(format!(
                "`contact` must be one line of at most {LONGEST} characters"
            ));
        }
        Ok(())
    }
}

/// A label of RFC 1123, short enough that a suffix fits.
fn is_dns_label(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=50).contains(&text.len())
        && text.chars().all(fine)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_label_value(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && text.chars().all(fine)
        && edge(text.chars().next())
        && edge(text.chars().next_back())
}

fn is_label_key(text: &str) -> bool {
    let (prefix, name) = text.rsplit_once('/').unwrap_or(("", text));
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    !name.is_empty() && is_label_value(name) && prefix.len() <= 253 && prefix.chars().all(fine)
}

/// What a pod can be labelled with out of the labels of a side: those that are
/// matched as they are, and that are allowed.
pub(super) fn pod_labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels
        .iter()
        .filter(|(name, value)| {
            is_label_key(name) && is_label_value(value) && !promql::is_pattern(value)
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A time in words.
pub(super) fn time(time: Duration) -> String {
    seconds(time.as_secs_f64())
}

/// A time in whole minutes, as manifests have it.
pub(super) fn minutes(time: Duration) -> String {
    format!("{}m", time.as_secs().div_ceil(60).max(1))
}

/// The built-in table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    version: u32,
    power: f64,
    shortest: String,
    longest: String,
    slope_share: f64,
    noise: BTreeMap<String, Assumed>,
    tier: Vec<Tier>,
    watch: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assumed {
    deviation: toml::Value,
    repeats: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tier {
    from: u8,
    pub(super) name: String,
    weights: Vec<u8>,
    shares: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    components: Vec<String>,
    metrics: Vec<String>,
    because: String,
}

impl Tier {
    /// The steps of a canary of this length, in whole minutes.
    pub(super) fn steps(&self, duration: Duration) -> Vec<Step> {
        self.weights
            .iter()
            .zip(&self.shares)
            .map(|(weight, share)| {
                let minutes = (duration.as_secs_f64() * share / 60.0).ceil().max(1.0);
                Step {
                    weight: *weight,
                    pause: Duration::from_secs_f64(minutes * 60.0),
                }
            })
            .collect()
    }
}

impl Settings {
    /// Those that come with the program.
    ///
    /// # Errors
    /// When the built-in file is broken, which a test rules out.
    pub fn built_in() -> Result<Self, PlanError> {
        let settings: Self = toml::from_str(BUILT_IN)?;
        debug_assert_eq!(settings.version, 1, "the file and this reader go together");
        Ok(settings)
    }

    pub(super) fn tier(&self, score: u8) -> &Tier {
        static NONE: Tier = Tier {
            from: 0,
            name: String::new(),
            weights: Vec::new(),
            shares: Vec::new(),
        };
        self.tier
            .iter()
            .filter(|tier| tier.from <= score)
            .max_by_key(|tier| tier.from)
            .unwrap_or(&NONE)
    }

    fn time(text: &str, fallback: u64) -> Duration {
        read_time(text).unwrap_or(Duration::from_secs(fallback))
    }

    /// What to watch for these updates, in the order of the table.
    pub(super) fn watch(
        &self,
        updates: &[Update],
        config: &Config,
        watch: &mut Vec<Watch>,
        missing: &mut Vec<Watch>,
    ) {
        let has = |id: &str| config.metrics.iter().any(|metric| metric.id == id);
        let add = |list: &mut Vec<Watch>, metric: &str, because: String| match list
            .iter_mut()
            .find(|watch| watch.metric == metric)
        {
            Some(watch) if watch.because.contains(&because) => {}
            Some(watch) => watch.because.push(because),
            None => list.push(Watch {
                metric: metric.to_owned(),
                because: vec![because],
            }),
        };
        for row in &self.watch {
            let names: Vec<&str> = updates
                .iter()
                .filter(|update| update.runs)
                .filter(|update| {
                    update
                        .components
                        .iter()
                        .any(|it| row.components.contains(it))
                })
                .map(|update| update.package.as_str())
                .collect();
            if names.is_empty() {
                continue;
            }
            let because = format!("{} ({})", row.because, listed(&names));
            if let Some(wanted) = row.metrics.first().filter(|id| !has(id)) {
                add(missing, wanted, because.clone());
            }
            if let Some(metric) = row.metrics.iter().find(|id| has(id)) {
                add(watch, metric, because);
            }
        }
        if has("memory") && !watch.iter().any(|watch| watch.metric == "memory") {
            add(watch, "memory", "any update can leak".to_owned());
        }
    }

    pub(super) fn power(
        &self,
        metric: &Metric,
        config: &Config,
        service: &Service,
        subject: &Subject,
    ) -> Option<Power> {
        let measured = subject.measured.iter().find(|(id, _)| *id == metric.id);
        let noise = match measured {
            Some((_, noise)) => *noise,
            None => {
                let assumed = self.noise.get(&metric.id)?;
                let deviation = match &assumed.deviation {
                    toml::Value::String(text) => {
                        #[expect(clippy::cast_precision_loss, reason = "a size")]
                        let size = bytes(text).ok()? as f64;
                        size
                    }
                    toml::Value::Integer(count) => {
                        #[expect(clippy::cast_precision_loss, reason = "a small count")]
                        let count = *count as f64;
                        count
                    }
                    toml::Value::Float(count) => *count,
                    toml::Value::Boolean(_)
                    | toml::Value::Datetime(_)
                    | toml::Value::Array(_)
                    | toml::Value::Table(_) => return None,
                };
                Noise {
                    deviation,
                    repeats: Self::time(&assumed.repeats, 60),
                    over: None,
                }
            }
        };
        Some(Power::new(
            metric,
            noise,
            config,
            service.replicas,
            self.power,
        ))
    }

    /// How long the canary runs, and the metric that decides it: what the metrics
    /// need that will be judged, within the limits and not below what the policy
    /// wants. Where nothing was measured, one metric of each group will be there.
    pub(super) fn duration(
        &self,
        needed: &[Power],
        subject: &Subject,
        config: &Config,
    ) -> (Duration, Option<String>) {
        let group = |id: &str| {
            let metric = config.metrics.iter().find(|metric| metric.id == id)?;
            metric.group.as_deref()
        };
        let deciding = needed
            .iter()
            .enumerate()
            .filter(|(place, power)| {
                let known = group(&power.metric);
                let mut before = needed.iter().take(*place);
                !subject.measured.is_empty()
                    || known.is_none()
                    || !before.any(|other| group(&other.metric) == known)
            })
            .map(|(_, power)| power)
            .filter(|power| subject.measured.is_empty() || power.noise.over.is_some())
            // The first of those that need as long.
            .rev()
            .max_by_key(|power| power.needed);
        let wanted = deciding.map_or(config.duration, |power| power.needed) + config.warm_up;
        let least = Self::time(&self.shortest, 1_800).max(subject.min_duration.unwrap_or_default());
        let most = Self::time(&self.longest, 259_200).max(least);
        // Whole quarters of an hour.
        let quarters = wanted.clamp(least, most).as_secs().div_ceil(900);
        (
            Duration::from_secs(quarters * 900),
            deciding.map(|power| power.metric.clone()),
        )
    }

    /// What is to be said where the limit cut the time.
    pub(super) fn cut(&self, duration: Duration, power: &[Power]) -> Option<String> {
        let long = power
            .iter()
            .find(|power| power.decides && power.needed > duration)?;
        Some(format!(
            "{} would need {} to show the smallest leak that matters; the canary runs {} at most, and sees one of {}",
            long.metric,
            time(long.needed),
            time(duration),
            long.rate(long.visible)
        ))
    }

    pub(super) fn slope_window(&self, duration: Duration) -> Duration {
        duration
            .mul_f64(self.slope_share.clamp(0.05, 1.0))
            .max(Duration::from_secs(300))
    }
}

/// Names in a sentence, at most four.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] if names.len() <= 4 => format!("{} and {last}", first.join(", ")),
        first => format!(
            "{} and {} others",
            first.iter().take(3).copied().collect::<Vec<_>>().join(", "),
            names.len() - 3
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_whole() {
        let settings = Settings::built_in().unwrap();
        for tier in &settings.tier {
            assert_eq!(tier.weights.len(), tier.shares.len());
            let whole: f64 = tier.shares.iter().sum();
            assert!((whole - 1.0).abs() < 1e-9, "{}", tier.name);
            assert!(tier.weights.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(tier.weights.iter().all(|weight| (1..100).contains(weight)));
        }
        assert_eq!(settings.tier(0).name, "low");
        assert_eq!(settings.tier(59).name, "elevated");
        assert_eq!(settings.tier(100).name, "high");
        assert!(settings.power < 1.0);
        let known = crate::incidents::Catalogue::built_in().unwrap();
        for name in settings.watch.iter().flat_map(|row| &row.components) {
            assert!(known.components().is_known(name), "{name}");
        }
    }

    #[test]
    fn names_are_those_that_a_cluster_takes() {
        for wrong in [
            "",
            "A",
            "a b",
            "-a",
            "a-",
            "ä",
            "a\n",
            &"a".repeat(51),
            "a.b",
            "{{x}}",
        ] {
            let text = format!("[rollout.plan]\nname = {}\n", toml::Value::from(wrong));
            assert!(Service::read(&text).is_err(), "{wrong}");
        }
        let service = Service::read("[rollout.plan]\nname = \"shop-api\"\n").unwrap();
        assert_eq!(service.selector["app"], "shop-api");
        assert!(Service::read("[rollout.plan]\nselector = { app = \"a b\" }\n").is_err());
        assert!(Service::read("[rollout.plan]\nprovider = \"ngnix\"\n").is_err());
        assert!(Service::read("[rollout.plan]\nreplica = 3\n").is_err());
    }

    #[test]
    fn names_are_listed_as_people_do() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b"]), "a and b");
        assert_eq!(listed(&["a", "b", "c", "d", "e"]), "a, b, c and 2 others");
    }
}
