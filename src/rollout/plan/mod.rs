//! A plan for a canary: how long, in which steps, watched by what; the manifests of
//! the engines, the alerts, and the words for people. Pure. What the updates are was
//! found elsewhere; what is not known of the service is a placeholder that is named.

mod argo;
mod checklist;
mod flagger;
mod notices;
mod power;
mod queries;
mod rules;
mod settings;
mod yaml;

use std::time::Duration;

use jiff::civil::Date;

pub use power::{Noise, Power, noise_beside, noise_of};
pub use settings::{PlanError, Service, Settings};

use super::{Config, Kind, Metric};

/// One update of the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Update {
    /// The package.
    pub package: String,
    /// From which release to which, in words.
    pub step: String,
    /// Its risk score, 0 to 100.
    pub score: u8,
    /// Whether it is an update of its own, and not forced by another.
    pub root: bool,
    /// Whether it is compiled into what runs.
    pub runs: bool,
    /// What the policy makes of it, in its word.
    pub decision: String,
    /// The parts that the library plays.
    pub components: Vec<String>,
    /// Incidents that it resembles, in words.
    pub incidents: Vec<String>,
    /// The command that undoes it.
    pub undo: Option<String>,
}

/// What a plan is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The day of the plan.
    pub day: Date,
    /// The builds, as they were named.
    pub builds: (String, String),
    /// The options that name them for the commands to come.
    pub options: String,
    /// The digest of the difference.
    pub difference: String,
    /// The verdict, in its word.
    pub verdict: String,
    /// The updates by risk.
    pub updates: Vec<Update>,
    /// How long the policy wants a trial to run at least.
    pub min_duration: Option<Duration>,
    /// Noise that was measured, by metric.
    pub measured: Vec<(String, Noise)>,
}

/// Something to watch, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The metric.
    pub metric: String,
    /// Why, in words; the updates are named.
    pub because: Vec<String>,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The share of the canary in percent.
    pub weight: u8,
    /// How long it stays so.
    pub pause: Duration,
}

/// A plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it is for.
    pub subject: Subject,
    /// The service.
    pub service: Service,
    /// How the canary is judged.
    pub config: Config,
    /// The tier of risk.
    pub tier: String,
    /// How long the canary runs in all.
    pub duration: Duration,
    /// The steps.
    pub steps: Vec<Step>,
    /// What each trend can show in that time.
    pub power: Vec<Power>,
    /// What to watch first.
    pub watch: Vec<Watch>,
    /// Metrics that would be wanted and that `[rollout]` does not have.
    pub missing: Vec<Watch>,
    /// What the reader should know: placeholders, limits.
    pub notes: Vec<String>,
    /// The share of the time over which engines take slopes.
    slope_window: Duration,
}

/// A file of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub content: String,
}

impl Plan {
    /// Makes a plan.
    ///
    /// # Errors
    /// When the settings of the service make no sense, or something that was named
    /// cannot be written into a manifest.
    pub fn new(subject: Subject, service: Service, config: Config) -> Result<Self, PlanError> {
        let settings = Settings::built_in()?;
        service.check()?;
        queries::check(&config)?;
        let worst = subject
            .updates
            .iter()
            .map(|update| update.score)
            .max()
            .unwrap_or(0);
        let tier = settings.tier(worst);
        let (mut watch, mut missing) = (Vec::new(), Vec::new());
        settings.watch(&subject.updates, &config, &mut watch, &mut missing);
        let trends = || {
            config
                .metrics
                .iter()
                .filter(|metric| metric.kind == Kind::Trend)
        };
        let needed: Vec<Power> = trends()
            .filter_map(|metric| settings.power(metric, &config, &service, &subject))
            .collect();
        let mut notes = service.notes.clone();
        let (duration, deciding) = settings.duration(&needed, &subject, &config);
        let mut power: Vec<Power> = needed
            .into_iter()
            .map(|power| power.within(duration))
            .collect();
        for one in &mut power {
            one.decides = Some(&one.metric) == deciding.as_ref();
        }
        if let Some(longest) = settings.cut(duration, &power) {
            notes.push(longest);
        }
        Ok(Self {
            steps: tier.steps(duration),
            tier: tier.name.clone(),
            slope_window: settings.slope_window(duration),
            subject,
            service,
            config,
            duration,
            power,
            watch,
            missing,
            notes,
        })
    }

    /// The calculation in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let found = self
            .power
            .iter()
            .find(|power| power.decides)
            .or(self.power.first());
        found.map_or_else(
            || format!("The canary runs {}.", settings::time(self.duration)),
            |power| power.sentence(self.duration, &self.config),
        )
    }

    /// All files, by name.
    #[must_use]
    pub fn files(&self) -> Vec<File> {
        let file = |name, content| File { name, content };
        vec![
            file("checklist.md", self.checklist()),
            file("argo-rollouts.yaml", self.argo()),
            file("flagger.yaml", self.flagger()),
            file("prometheus-rules.yaml", self.rules()),
            file("notice-users.md", self.notice_for_users()),
            file("notice-on-call.md", self.notice_on_call()),
        ]
    }

    /// The metrics that an engine watches: what is held, what must not be higher.
    fn watched(&self) -> impl Iterator<Item = &Metric> {
        let first = |metric: &&Metric| {
            let place = self
                .watch
                .iter()
                .position(|watch| watch.metric == metric.id);
            place.unwrap_or(usize::MAX)
        };
        let mut metrics: Vec<&Metric> = self
            .config
            .metrics
            .iter()
            .filter(|metric| matches!(metric.kind, Kind::Trend | Kind::Level))
            .collect();
        metrics.sort_by_key(first);
        metrics.into_iter()
    }
}
