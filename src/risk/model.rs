//! The model: how many points each signal is worth, read from a data file and
//! held against the table of signals.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::faults::{Fault, Faults, Regression, contributions};
use super::signals::{Definition, SIGNALS};
use super::{Column, LIMIT, Level};
use crate::snapshot::{Placement, Role};

/// The model that comes with the program.
const BUILT_IN: &str = include_str!("../../policies/risk-model.toml");
/// The most points that one signal may give or take.
const MAX_POINTS: i32 = 100;
/// So many points double the odds of harm; it sets how far scores reach.
const POINTS_TO_DOUBLE: f64 = 10.0;
/// The weights that were fitted, which go before those that were set by hand.
const FITTED: &str = include_str!("../../policies/risk-fitted.toml");

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is not a model.
    #[error("{path}: {source}")]
    Format {
        /// The file.
        path: String,
        /// What the parser says, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The file is a model that does not fit the signals.
    #[error("{path}: {}", problems.join("; "))]
    Content {
        /// The file.
        path: String,
        /// Everything that does not fit, sorted.
        problems: Vec<String>,
    },
}

/// What exposure does to the points: factors from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlacementWeights {
    /// Compiled into what is shipped, and named by a workspace member.
    pub target_direct: f64,
    /// Compiled into what is shipped, through others.
    pub target_transitive: f64,
    /// Runs on the build machine only.
    pub host: f64,
    /// For tests, examples and benchmarks only.
    pub dev: f64,
    /// In the lock file only.
    pub unbuilt: f64,
    /// Known from a lock file alone.
    pub unresolved: f64,
}

/// The lowest score of each level above the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelBounds {
    /// The lowest score that is moderate.
    pub moderate: u8,
    /// The lowest score that is elevated.
    pub elevated: u8,
    /// The lowest score that is high.
    pub high: u8,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    provenance: String,
    levels: LevelBounds,
    placement: PlacementWeights,
    probability: Scale,
    signals: BTreeMap<String, Entry>,
}

/// From points to a probability.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Scale {
    /// The probability at a score of 0.
    pub(super) at_zero: f64,
    /// So many points double the odds.
    pub(super) points_to_double: f64,
}

/// What one signal is worth.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Points, for a signal without grades.
    points: Option<i32>,
    /// Points by grade.
    #[serde(default)]
    grades: BTreeMap<String, i32>,
    /// Thresholds by name.
    #[serde(default)]
    parameters: BTreeMap<String, f64>,
    /// Whether exposure counts; a signal about an attack counts wherever the package stands.
    #[serde(default = "yes")]
    exposure: bool,
}

/// The default of a flag that is on.
fn yes() -> bool {
    true
}

/// The thresholds of one signal.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a>(&'a BTreeMap<String, f64>);

impl Parameters<'_> {
    /// A threshold by name. The model is checked when it is read, so that the
    /// fallback, at which nothing fires, is never used.
    #[must_use]
    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(f64::NAN)
    }
}

/// A model that fits the signals.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(super) provenance: String,
    levels: LevelBounds,
    placement: PlacementWeights,
    pub(super) probability: Scale,
    entries: BTreeMap<String, Entry>,
    /// What was fitted goes before the points that were set by hand.
    pub(super) faults: Faults,
    /// The kinds of fault of which history could teach nothing, with the reason.
    pub(super) not_learnt: BTreeMap<Fault, String>,
}

impl Model {
    /// The model that comes with the program.
    ///
    /// # Errors
    /// When the shipped file is broken, which a test rules out.
    pub fn built_in() -> Result<Self, ModelError> {
        let mut model = Self::parse(BUILT_IN, "policies/risk-model.toml")?;
        model.take_fitted(FITTED, "policies/risk-fitted.toml")?;
        Ok(model)
    }

    /// Reads a model and holds it against the signals.
    ///
    /// # Errors
    /// When it is no model, or does not have exactly the signals, grades and
    /// parameters that there are.
    pub fn parse(text: &str, path: &str) -> Result<Self, ModelError> {
        let file: File = toml::from_str(text).map_err(|source| ModelError::Format {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let mut problems = problems(&file);
        if !problems.is_empty() {
            problems.sort();
            return Err(ModelError::Content {
                path: path.to_owned(),
                problems,
            });
        }
        Ok(Self {
            provenance: file.provenance,
            levels: file.levels,
            placement: file.placement,
            probability: file.probability,
            entries: file.signals,
            faults: Faults::new(),
            not_learnt: BTreeMap::new(),
        })
    }

    /// Where the figures come from, in words.
    #[must_use]
    pub fn provenance(&self) -> &str {
        &self.provenance
    }

    /// The kinds of fault whose likelihood is not told, with the reason.
    #[must_use]
    pub fn not_learnt(&self) -> &BTreeMap<Fault, String> {
        &self.not_learnt
    }

    /// The bounds of the levels.
    #[must_use]
    pub fn levels(&self) -> LevelBounds {
        self.levels
    }

    /// The levels by name, with the lowest score of each, in order.
    #[must_use]
    pub fn named_levels(&self) -> Vec<(&'static str, u8)> {
        let LevelBounds {
            moderate,
            elevated,
            high,
        } = self.levels;
        vec![
            (Level::Low.as_str(), 0),
            (Level::Moderate.as_str(), moderate),
            (Level::Elevated.as_str(), elevated),
            (Level::High.as_str(), high),
        ]
    }

    /// The level of a score.
    #[must_use]
    pub fn level(&self, score: u8) -> Level {
        if score >= self.levels.high {
            Level::High
        } else if score >= self.levels.elevated {
            Level::Elevated
        } else if score >= self.levels.moderate {
            Level::Moderate
        } else {
            Level::Low
        }
    }

    /// One point in natural log-odds.
    #[must_use]
    pub fn per_point(&self) -> f64 {
        std::f64::consts::LN_2 / self.probability.points_to_double
    }

    /// The probability of a sum of points.
    #[must_use]
    pub fn probability(&self, points: f64) -> f64 {
        let at_zero = self.probability.at_zero;
        let log_odds = (at_zero / (1.0 - at_zero)).ln() + points * self.per_point();
        1.0 / (1.0 + (-log_odds).exp())
    }

    /// The points of all signals that fire, by column, before exposure; those of the
    /// fitted ones depend on each other.
    #[must_use]
    pub fn points(&self, shares: &[(Column, f64)]) -> Vec<f64> {
        let fitted = contributions(&self.faults, shares);
        let each = shares.iter().zip(fitted);
        each.map(|((column, share), log_odds)| {
            if self.is_fitted(column) {
                log_odds / std::f64::consts::LN_2 * POINTS_TO_DOUBLE
            } else {
                f64::from(self.set_points(column)) * share
            }
        })
        .collect()
    }

    /// How likely each kind of fault is, by what history teaches.
    #[must_use]
    pub fn likelihoods(&self, shares: &[(Column, f64)]) -> Vec<(Fault, f64)> {
        let each = self.faults.iter();
        each.map(|(fault, regression)| (*fault, regression.likelihood(shares)))
            .collect()
    }

    /// The same model with other regressions.
    #[must_use]
    pub fn with_faults(&self, faults: Faults) -> Self {
        Self {
            faults,
            ..self.clone()
        }
    }

    /// The same model with other weights, and the intercepts that it has. A kind of
    /// fault without weights is told by its intercept alone.
    #[must_use]
    pub fn with_weights(&self, mut faults: Faults) -> Self {
        for (fault, own) in &self.faults {
            let regression = faults.entry(*fault).or_insert_with(|| Regression {
                at_zero: own.at_zero,
                weights: BTreeMap::new(),
            });
            regression.at_zero = own.at_zero;
        }
        self.with_faults(faults)
    }

    /// Whether history set what a signal counts.
    #[must_use]
    pub fn is_fitted(&self, column: &Column) -> bool {
        self.faults
            .values()
            .any(|regression| regression.weights.contains_key(column))
    }

    /// The points of a signal in a grade as they were set by hand.
    fn set_points(&self, column: &Column) -> i32 {
        let entry = self.entries.get(column.0);
        entry
            .and_then(|entry| match column.1 {
                Some(grade) => entry.grades.get(grade).copied(),
                None => entry.points,
            })
            .unwrap_or(0)
    }

    /// How much of what is shipped runs a package, by where it is compiled.
    #[must_use]
    pub fn placement_weight(&self, placement: &Placement) -> f64 {
        self.weight(placement).0
    }

    /// The thresholds of a signal.
    pub(super) fn parameters(&self, signal: &str) -> Parameters<'_> {
        static NONE: BTreeMap<String, f64> = BTreeMap::new();
        Parameters(
            self.entries
                .get(signal)
                .map_or(&NONE, |entry| &entry.parameters),
        )
    }

    /// What exposure does to a signal's points: a factor, and its reason in words.
    pub(super) fn exposure(&self, signal: &str, placement: &Placement) -> (f64, &'static str) {
        if self
            .entries
            .get(signal)
            .is_some_and(|entry| !entry.exposure)
        {
            return (1.0, "counts wherever the package stands");
        }
        self.weight(placement)
    }

    fn weight(&self, placement: &Placement) -> (f64, &'static str) {
        let weights = &self.placement;
        if !placement.resolved || placement.roles.is_empty() {
            return (weights.unresolved, "known from the lock file alone");
        }
        if placement.roles.contains(&Role::Target) {
            return if placement.direct {
                (
                    weights.target_direct,
                    "compiled into what is shipped, a direct dependency",
                )
            } else {
                (
                    weights.target_transitive,
                    "compiled into what is shipped, through others",
                )
            };
        }
        if placement.roles.contains(&Role::Host) {
            return (weights.host, "runs on the build machine only");
        }
        if placement.roles.contains(&Role::Dev) {
            return (weights.dev, "for tests, examples and benchmarks only");
        }
        (weights.unbuilt, "compiled for none of the targets")
    }
}

/// Everything in a file that does not fit.
fn problems(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    if file.version != 1 {
        problems.push(format!(
            "`version` is {}, and this program reads 1",
            file.version
        ));
    }
    if file.provenance.trim().is_empty() {
        problems.push("`provenance` must say where the figures come from".to_owned());
    }
    let LevelBounds {
        moderate,
        elevated,
        high,
    } = file.levels;
    if !(0 < moderate && moderate < elevated && elevated < high && high <= 100) {
        problems.push("the levels must rise, from above 0 to at most 100".to_owned());
    }
    let PlacementWeights {
        target_direct,
        target_transitive,
        host,
        dev,
        unbuilt,
        unresolved,
    } = file.placement;
    for weight in [
        target_direct,
        target_transitive,
        host,
        dev,
        unbuilt,
        unresolved,
    ] {
        if !(0.0..=1.0).contains(&weight) {
            problems.push(format!("the placement weight {weight} is not from 0 to 1"));
        }
    }
    for (id, entry) in &file.signals {
        match SIGNALS.iter().find(|definition| definition.id == id) {
            Some(definition) => problems.extend(entry_problems(definition, entry)),
            None if id == LIMIT => problems.push(format!("`{LIMIT}` is computed and has no entry")),
            None => problems.push(format!("there is no signal `{id}`")),
        }
    }
    for definition in SIGNALS {
        if !file.signals.contains_key(definition.id) {
            problems.push(format!("the signal `{}` has no entry", definition.id));
        }
    }
    problems
}

/// Everything in an entry that does not fit its signal.
fn entry_problems(definition: &Definition, entry: &Entry) -> Vec<String> {
    let id = definition.id;
    let mut problems = Vec::new();
    if definition.grades.is_empty() != entry.points.is_some() {
        let wanted = if definition.grades.is_empty() {
            "`points`"
        } else {
            "`grades` and no `points`"
        };
        problems.push(format!("`{id}` takes {wanted}"));
    }
    same_names(
        &mut problems,
        id,
        "grade",
        definition.grades,
        entry.grades.keys(),
    );
    same_names(
        &mut problems,
        id,
        "parameter",
        definition.parameters,
        entry.parameters.keys(),
    );
    for points in entry.points.iter().chain(entry.grades.values()) {
        if points.saturating_abs() > MAX_POINTS {
            problems.push(format!(
                "`{id}` gives {points} points, and at most {MAX_POINTS} are allowed"
            ));
        }
    }
    for (name, value) in &entry.parameters {
        if !value.is_finite() || *value < 0.0 {
            problems.push(format!("`{name}` of `{id}` must be a number from 0"));
        }
    }
    problems
}

/// Notes names that are missing and names that are too many.
fn same_names<'a>(
    problems: &mut Vec<String>,
    id: &str,
    what: &str,
    wanted: &[&str],
    given: impl Iterator<Item = &'a String>,
) {
    let given: Vec<&str> = given.map(String::as_str).collect();
    for name in wanted.iter().filter(|name| !given.contains(name)) {
        problems.push(format!("`{id}` lacks the {what} `{name}`"));
    }
    for name in given.iter().filter(|name| !wanted.contains(name)) {
        problems.push(format!("`{id}` has no {what} `{name}`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The complaints about the shipped model with one text changed.
    fn changed(from: &str, to: &str) -> String {
        assert!(BUILT_IN.contains(from), "{from}");
        Model::parse(&BUILT_IN.replacen(from, to, 1), "x.toml")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_shipped_model_fits_the_signals() {
        let model = Model::built_in().unwrap_or_else(|error| panic!("{error}"));
        assert!(model.provenance().contains("not calibrated"));
        assert_eq!(model.level(0), Level::Low);
        assert_eq!(model.level(100), Level::High);
        assert_eq!(model.level(model.levels().elevated), Level::Elevated);
        assert_eq!(model.level(model.levels().elevated - 1), Level::Moderate);
    }

    #[test]
    fn a_model_that_does_not_fit_is_refused() {
        assert!(
            changed("[signals.fresh-release]", "[signals.fresh-relase]")
                .contains("there is no signal `fresh-relase`")
        );
        assert!(
            changed("[signals.fresh-release]", "[signals.x]")
                .contains("the signal `fresh-release` has no entry")
        );
        assert!(changed("until-days", "untill-days").contains("lacks the parameter `until-days`"));
        assert!(changed("critical = ", "dire = ").contains("has no grade `dire`"));
        assert!(changed("version = 1", "version = 2").contains("this program reads 1"));
        assert!(changed("high = 80", "high = 30").contains("must rise"));
        assert!(changed("dev = 0.2", "dev = 2").contains("not from 0 to 1"));
        assert!(changed("dev = 0.2", "dev = nan").contains("not from 0 to 1"));
        assert!(changed("version = 1", "verzion = 1").contains("x.toml"));
    }
}
