//! Which updates are suspects for a symptom, in order, with reasons. Pure: the
//! risk scores and links were made elsewhere, the weights are data.

use std::collections::BTreeMap;

use serde::Deserialize;

const BUILT_IN: &str = include_str!("../../policies/triage.toml");

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Symptom {
    /// Memory grows.
    Memory,
    /// Descriptors, sockets or threads grow.
    Handles,
    /// It stops making progress.
    Hang,
    /// It panics or crashes.
    Panic,
    /// It answers slowly.
    Latency,
}

impl Symptom {
    /// The name used on the command line and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Handles => "handles",
            Self::Hang => "hang",
            Self::Panic => "panic",
            Self::Latency => "latency",
        }
    }
}

/// A failure that was recorded of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The way it failed, such as `memory-leak`.
    pub failure: String,
    /// The update enters the range of releases in which it is recorded.
    pub enters: bool,
    /// The reason for the link, in words.
    pub because: String,
}

/// What is known of one update.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Update {
    /// The package.
    pub package: String,
    /// From which release to which, in words.
    pub step: String,
    /// Its risk score, 0 to 100.
    pub score: u8,
    /// Failures that it is linked to.
    pub known: Vec<Known>,
    /// The parts that the library plays.
    pub components: Vec<String>,
}

/// An update under suspicion.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// The package.
    pub package: String,
    /// From which release to which, in words.
    pub step: String,
    /// Its weight; only the proportions mean anything.
    pub weight: f64,
    /// Its share of all suspicion, 0 to 1.
    pub share: f64,
    /// Why, in words; the strongest reason first.
    pub reasons: Vec<String>,
}

/// Why the weights cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the weights of the triage cannot be read")]
pub struct TriageError(#[from] toml::de::Error);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Weights {
    version: u32,
    ground: f64,
    known_failure: f64,
    likeness: f64,
    component: f64,
    symptom: BTreeMap<String, Fit>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fit {
    failures: Vec<String>,
    components: Vec<String>,
}

/// The suspects in order, the most suspicious first.
///
/// # Errors
/// When the built-in weights are broken, which a test rules out.
pub fn suspects(updates: &[Update], symptom: Symptom) -> Result<Vec<Suspect>, TriageError> {
    let mut weights: Weights = toml::from_str(BUILT_IN)?;
    debug_assert_eq!(weights.version, 1, "the file and this reader go together");
    let fit = weights.symptom.remove(symptom.as_str()).unwrap_or_default();
    let mut by_package: BTreeMap<&str, Suspect> = BTreeMap::new();
    for update in updates {
        let suspect = suspect(update, symptom, &fit, &weights);
        match by_package.get_mut(update.package.as_str()) {
            Some(known) if known.weight >= suspect.weight => {}
            Some(known) => *known = suspect,
            None => {
                by_package.insert(&update.package, suspect);
            }
        }
    }
    let mut suspects: Vec<Suspect> = by_package.into_values().collect();
    let total: f64 = suspects.iter().map(|suspect| suspect.weight).sum();
    for suspect in &mut suspects {
        suspect.share = suspect.weight / total.max(f64::MIN_POSITIVE);
    }
    suspects.sort_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then_with(|| a.package.cmp(&b.package))
    });
    Ok(suspects)
}

fn suspect(update: &Update, symptom: Symptom, fit: &Fit, weights: &Weights) -> Suspect {
    let mut weight = weights.ground + f64::from(update.score);
    let mut reasons = Vec::new();
    let fitting = |known: &&Known| fit.failures.contains(&known.failure);
    if let Some(known) = update
        .known
        .iter()
        .filter(fitting)
        .find(|known| known.enters)
    {
        weight = (weight + 10.0) * weights.known_failure;
        reasons.push(known.because.clone());
    } else if let Some(known) = update.known.iter().find(fitting) {
        weight *= weights.likeness;
        reasons.push(known.because.clone());
    }
    let part = update
        .components
        .iter()
        .find(|part| fit.components.contains(part));
    if let Some(part) = part {
        weight *= weights.component;
        reasons.push(format!(
            "it plays the part `{part}`, where trouble with {} happens",
            match symptom {
                Symptom::Memory => "memory",
                Symptom::Handles => "handles",
                Symptom::Hang => "progress",
                Symptom::Panic => "panics",
                Symptom::Latency => "latency",
            }
        ));
    }
    if update.score > 0 {
        reasons.push(format!("risk score {}", update.score));
    }
    Suspect {
        package: update.package.clone(),
        step: update.step.clone(),
        // Squared: one that stands out is looked at before many that do not.
        weight: weight * weight,
        share: 0.0,
        reasons,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(package: &str, score: u8) -> Update {
        Update {
            package: package.to_owned(),
            score,
            ..Update::default()
        }
    }

    #[test]
    fn a_known_failure_of_the_kind_outweighs_a_higher_score() {
        let mut runtime = update("runtime", 40);
        runtime.known.push(Known {
            failure: "memory-leak".to_owned(),
            enters: true,
            because: "it enters the range".to_owned(),
        });
        let updates = [update("other", 97), runtime];
        let order = suspects(&updates, Symptom::Memory).unwrap();
        assert_eq!(order[0].package, "runtime");
        assert_eq!(order[0].reasons[0], "it enters the range");
        // For another symptom the same record says nothing.
        let order = suspects(&updates, Symptom::Panic).unwrap();
        assert_eq!(order[0].package, "other");
    }

    #[test]
    fn shares_sum_to_one_and_nobody_is_left_out() {
        let order = suspects(&[update("a", 0), update("b", 0)], Symptom::Hang).unwrap();
        assert!((order.iter().map(|s| s.share).sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(order.iter().all(|suspect| suspect.share > 0.0));
        assert_eq!(order[0].package, "a");
    }

    #[test]
    fn the_part_that_a_library_plays_counts() {
        let mut cache = update("cache", 5);
        cache.components.push("cache".to_owned());
        let order = suspects(&[update("a", 5), cache], Symptom::Memory).unwrap();
        assert_eq!(order[0].package, "cache");
    }
}
