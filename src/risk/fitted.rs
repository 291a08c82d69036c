//! The file of weights that were fitted to history.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::faults::{Fault, Faults, Regression};
use super::model::{Model, ModelError, Scale};
use super::signals::SIGNALS;

/// The largest weight that a signal may have, in natural log-odds.
const LARGEST_WEIGHT: f64 = 10.0;

/// The file of fitted weights.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FittedFile {
    version: u32,
    provenance: String,
    at_zero: f64,
    points_to_double: f64,
    /// By the name of a kind of fault.
    faults: BTreeMap<String, FaultEntry>,
}

/// The regression of one kind of fault, or why there is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FaultEntry {
    at_zero: Option<f64>,
    /// By `SIGNAL` or `SIGNAL.GRADE`.
    weights: Option<BTreeMap<String, f64>>,
    /// Why history could teach nothing of it.
    not_learnt: Option<String>,
}

impl Model {
    /// Takes over fitted weights.
    ///
    /// # Errors
    /// When the file is none of fitted weights, or names a signal or grade that
    /// there is not.
    pub fn take_fitted(&mut self, text: &str, path: &str) -> Result<(), ModelError> {
        let file: FittedFile = toml::from_str(text).map_err(|source| ModelError::Format {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let mut problems = Vec::new();
        if file.version != 1 {
            problems.push(format!(
                "`version` is {}, and this program reads 1",
                file.version
            ));
        }
        if !(file.at_zero > 0.0 && file.at_zero < 1.0) {
            problems.push("`at-zero` is a probability between 0 and 1".to_owned());
        }
        if !(file.points_to_double > 0.0 && file.points_to_double.is_finite()) {
            problems.push("`points-to-double` is a number above 0".to_owned());
        }
        let mut faults = Faults::new();
        let mut not_learnt = BTreeMap::new();
        for fault in Fault::ALL {
            let name = fault.as_str();
            let Some(entry) = file.faults.get(name) else {
                problems.push(format!("`[faults.{name}]` is missing"));
                continue;
            };
            match (entry.at_zero, &entry.weights, &entry.not_learnt) {
                (Some(at_zero), Some(weights), None) => {
                    let learnt = regression(fault, at_zero, weights, &mut problems);
                    faults.insert(fault, learnt);
                }
                (None, None, Some(reason)) if !reason.trim().is_empty() => {
                    not_learnt.insert(fault, reason.clone());
                }
                _ => problems.push(format!(
                    "`[faults.{name}]` takes `at-zero` and `weights`, or `not-learnt` with the reason and nothing else"
                )),
            }
        }
        for name in file.faults.keys() {
            if Fault::ALL.iter().all(|fault| fault.as_str() != name) {
                problems.push(format!("there is no kind of fault `{name}`"));
            }
        }
        if !problems.is_empty() {
            return Err(ModelError::Content {
                path: path.to_owned(),
                problems,
            });
        }
        self.probability = Scale {
            at_zero: file.at_zero,
            points_to_double: file.points_to_double,
        };
        self.faults = faults;
        self.not_learnt = not_learnt;
        self.provenance.push('\n');
        self.provenance.push_str(&file.provenance);
        Ok(())
    }
}

/// One regression of a file, with what does not fit.
fn regression(
    fault: Fault,
    at_zero: f64,
    entry: &BTreeMap<String, f64>,
    problems: &mut Vec<String>,
) -> Regression {
    let name = fault.as_str();
    if !at_zero.is_finite() {
        problems.push(format!("`at-zero` of `{name}` is no number"));
    }
    let mut weights = BTreeMap::new();
    for (signal, weight) in entry {
        let (id, grade) = signal
            .split_once('.')
            .map_or((signal.as_str(), None), |(id, grade)| (id, Some(grade)));
        let known = SIGNALS.iter().find(|it| it.id == id).and_then(|it| {
            let grade = match grade {
                None if it.grades.is_empty() => None,
                None => return None,
                Some(grade) => Some(*it.grades.iter().find(|known| **known == grade)?),
            };
            Some((it.id, grade))
        });
        match known {
            Some(_) if !(0.0..=LARGEST_WEIGHT).contains(weight) => problems.push(format!(
                "the weight of `{signal}` for `{name}` is not from 0 to {LARGEST_WEIGHT}"
            )),
            Some(column) => {
                weights.insert(column, *weight);
            }
            None => problems.push(format!("there is no `{signal}`")),
        }
    }
    Regression { at_zero, weights }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../policies/risk-fitted.toml");

    /// The complaint about the shipped weights with one text changed wherever it stands.
    fn changed(from: &str, to: &str) -> String {
        assert!(SHIPPED.contains(from), "{from}");
        let text = SHIPPED.replace(from, to);
        let mut model = Model::built_in().unwrap();
        let error = model.take_fitted(&text, "w.toml").unwrap_err();
        error.to_string()
    }

    #[test]
    fn weights_that_do_not_fit_are_refused_with_their_name() {
        for (from, to, complaint) in [
            ("version = 1", "version = 2", "this program reads 1"),
            (
                "[faults.hot-fix",
                "[faults.hotfix",
                "there is no kind of fault `hotfix`",
            ),
            (
                "\"long-silence\"",
                "\"long-silense\"",
                "there is no `long-silense`",
            ),
            (
                "\"version-step.major\"",
                "\"version-step\"",
                "there is no `version-step`",
            ),
            (
                "\"many-options\" = 0",
                "\"many-options\" = -0",
                "of `many-options` for `advisory` is not",
            ),
            (
                "\"many-options\" = 0",
                "\"many-options\" = 20",
                "of `many-options` for `advisory` is not",
            ),
            ("at-zero = 0", "at-zero = 1", "`at-zero` is a probability"),
        ] {
            let said = changed(from, to);
            assert!(
                said.starts_with("w.toml: ") && said.contains(complaint),
                "{said}"
            );
        }
        let said = changed(
            "[faults.hot-fix]\n",
            "[faults.hot-fix]\nnot-learnt = \"none\"\n",
        );
        assert!(
            said.contains("`[faults.hot-fix]` takes `at-zero` and"),
            "{said}"
        );
        let without = SHIPPED.split("# Of another patch").next().unwrap();
        let mut model = Model::built_in().unwrap();
        let error = model
            .take_fitted(without, "w.toml")
            .unwrap_err()
            .to_string();
        assert!(error.contains("`[faults.follow-up]` is missing"), "{error}");
    }
}
