//! The fitted weights as a file that the model reads.

use std::fmt::Write as _;

use super::Fitted;
use crate::risk::{Fault, Regression};

/// The file of fitted weights, with where they come from: so many events, of this
/// folder, of which one in so many was replayed.
#[must_use]
pub fn weights(fitted: &Fitted, events: usize, corpus: &str, one_of: usize) -> String {
    let part = match one_of {
        1 => String::new(),
        many => format!(" --one-of {many}"),
    };
    let folder = corpus
        .rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or("corpus");
    let mut out = format!(
        "# Written by `cargo-canary backtest CORPUS{part} --fit policies/risk-fitted.toml`.\nversion = 1\nprovenance = \"\"\"\nFitted to {} upgrades of {events} changes of lock files (folder `{folder}`), of which {}\nwent wrong. A signal that is not named here keeps the points set by hand.\nFitted without a fifth and looked at on it (area under the curve / mean precision, by\nthe score | by the likelihood of its own kind of fault | by a plain regression on all\nfields):\n{}\"\"\"\nat-zero = {:.5}\npoints-to-double = {:.2}\n",
        fitted.rows.0,
        fitted.rows.1,
        told(fitted),
        fitted.at_zero,
        fitted.points_to_double,
    );
    for fault in Fault::ALL {
        let (words, name) = (fault.words(), fault.as_str());
        // Writing into a string cannot fail.
        let _ = match (fitted.faults.get(&fault), fitted.not_learnt.get(&fault)) {
            (Some(regression), _) => write!(
                out,
                "\n# Of {words}: natural log-odds.\n[faults.{name}]\nat-zero = {:.3}\n\n[faults.{name}.weights]\n{}",
                regression.at_zero,
                lines(regression),
            ),
            (None, reason) => write!(
                out,
                "\n# Of {words} nothing was learnt.\n[faults.{name}]\nnot-learnt = \"{}\"\n",
                reason.map_or("nothing is known of it", String::as_str),
            ),
        };
    }
    out
}

/// The weights of one kind, a line each.
fn lines(regression: &Regression) -> String {
    let mut out = String::new();
    for ((signal, grade), weight) in &regression.weights {
        let name = grade.map_or_else(|| (*signal).to_owned(), |grade| format!("{signal}.{grade}"));
        // Writing into a string cannot fail.
        let _ = writeln!(out, "\"{name}\" = {weight:.3}");
    }
    out
}

/// The cross-validation, a line for each label.
fn told(fitted: &Fitted) -> String {
    let mut out = String::new();
    for (part, labels) in &fitted.cross_validated {
        for (label, left_out) in labels {
            let (auc, precision) = left_out.score;
            // Writing into a string cannot fail.
            let _ = write!(out, "{label} by {part}: {auc:.3} / {precision:.3}");
            for by in [left_out.likelihood, left_out.plain] {
                let _ = match by {
                    Some((auc, precision)) => write!(out, " | {auc:.3} / {precision:.3}"),
                    None => write!(out, " | -"),
                };
            }
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::risk::{Faults, Model};

    fn fitted(faults: Faults) -> Fitted {
        let not_learnt = |fault: &Fault| !faults.contains_key(fault);
        let reason = |fault| (fault, "of 120 upgrades none had `bad_adv`".to_owned());
        Fitted {
            not_learnt: Fault::ALL
                .into_iter()
                .filter(not_learnt)
                .map(reason)
                .collect(),
            faults,
            at_zero: 0.01,
            points_to_double: 7.0,
            rows: (120, 3),
            cross_validated: BTreeMap::new(),
        }
    }

    #[test]
    fn the_model_reads_what_is_written_where_a_fault_never_happened() {
        let hotfix = Regression {
            at_zero: -5.0,
            weights: [
                (("fresh-release", None), 2.0),
                (("version-step", Some("major")), 0.5),
            ]
            .into(),
        };
        for faults in [Faults::from([(Fault::Hotfix, hotfix)]), Faults::new()] {
            let text = weights(&fitted(faults.clone()), 12, "some/corpus/", 3);
            assert!(
                text.contains("12 changes of lock files (folder `corpus`)"),
                "{text}"
            );
            let mut model = Model::built_in().unwrap();
            model
                .take_fitted(&text, "w.toml")
                .unwrap_or_else(|error| panic!("{error}\n{text}"));
            let told: Vec<Fault> = model.likelihoods(&[]).into_iter().map(|it| it.0).collect();
            assert_eq!(told, faults.keys().copied().collect::<Vec<_>>());
            assert_eq!(
                model.not_learnt().len(),
                Fault::ALL.len() - faults.len(),
                "the reasons are kept"
            );
        }
    }
}
