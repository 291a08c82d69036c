//! A backtest for people and for programs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::measure::{BUDGETS, Figures, IncidentDay, LabelFigures, Measured};
use super::{Fitted, History};

/// As text of at most 80 columns.
#[must_use]
pub fn text(history: &History, measured: &Measured, fitted: Option<&Fitted>) -> String {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(
        out,
        "{} events replayed, {} upgrades judged as of their day",
        measured.events, measured.updates
    );
    if history.unmatched > 0 {
        let _ = writeln!(
            out,
            "{} upgrades of the corpus are no upgrades by our pairing, and are left out",
            history.unmatched
        );
    }
    let _ = writeln!(
        out,
        "\nOf 100 ordinary upgrades the policy blocks {:.2} and sends {:.2} to a canary.\n",
        measured.alerts_per_100.0, measured.alerts_per_100.1
    );
    let _ = writeln!(
        out,
        "{:20} {:>6}  {:>5} {:11}  {:>5}  {:>4} {:>4} {:>4}",
        "label", "bad", "AUC", "95 of 100", "AP", "r@1", "r@5", "top3"
    );
    for (name, label) in &measured.labels {
        label_lines(&mut out, name, label);
    }
    out.push_str("\nAUC: area under the curve. AP: average precision. r@5: share found among the\n5 of 100 with the highest score. top3: found among the first three of its event.\n");
    if let Some(calibration) = &measured.calibration {
        let _ = writeln!(
            out,
            "\nProbability (label bad): Brier score {:.5}, of the base rate alone {:.5}",
            calibration.brier, calibration.brier_of_base_rate
        );
        let _ = writeln!(
            out,
            "  {:>8}  {:>9}  {:>9}",
            "upgrades", "foretold", "happened"
        );
        for (count, mean, rate) in &calibration.by_tenth {
            let _ = writeln!(
                out,
                "  {count:>8}  {:>7.2} %  {:>7.2} %",
                mean * 100.0,
                rate * 100.0
            );
        }
        out.push('\n');
        for (level, low, all, bad) in &calibration.by_level {
            let one_in = if *bad == 0 {
                "none went wrong".to_owned()
            } else {
                format!("1 in {:.0} went wrong", *all as f64 / *bad as f64)
            };
            let _ = writeln!(
                out,
                "  {level:10} from {low:>3}: {all:>6} upgrades, {one_in}"
            );
        }
    }
    incident_days(&mut out, &measured.incident_days);
    if let Some(fitted) = fitted {
        for (kind, labels) in &fitted.cross_validated {
            let _ = writeln!(
                out,
                "\nFitted without a fifth of each {kind} in turn, and looked at that fifth"
            );
            for (label, left_out) in labels {
                let (auc, precision) = left_out.score;
                let _ = write!(out, "  {label:20} AUC {auc:.3}  AP {precision:.3}");
                if let Some((auc, precision)) = left_out.likelihood {
                    let _ = write!(out, "; by its likelihood {auc:.3}, {precision:.3}");
                }
                if let Some((auc, precision)) = left_out.plain {
                    let _ = write!(
                        out,
                        "\n  {:20} AUC {auc:.3}  AP {precision:.3}",
                        "  plain regression"
                    );
                }
                out.push('\n');
            }
        }
    }
    for reason in history.failed.iter().take(5) {
        let _ = writeln!(out, "not audited: {reason}");
    }
    if history.failed.len() > 5 {
        let _ = writeln!(out, "not audited: {} more", history.failed.len() - 5);
    }
    out
}

fn incident_days(out: &mut String, days: &[IncidentDay]) {
    if days.is_empty() {
        return;
    }
    let first = |most: f64| days.iter().filter(|it| it.place.0 <= most).count();
    let _ = writeln!(
        out,
        "\nUpdates that brought a leak, {}; by score first of their change {}, among the\nfirst three {}:",
        days.len(),
        first(1.0),
        first(3.0)
    );
    for it in days {
        let _ = writeln!(
            out,
            "  {:>5} of {:>3}  {:10}  {}, {}",
            it.place.0,
            it.place.1,
            it.decision.as_str(),
            it.name,
            it.repository
        );
    }
}

fn label_lines(out: &mut String, name: &str, label: &LabelFigures) {
    let row = |out: &mut String, name: &str, bad: &str, figures: &Figures, range: &str| {
        let figure =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let percent = |value: Option<f64>| {
            value.map_or("-".to_owned(), |value| format!("{:.0} %", value * 100.0))
        };
        let _ = writeln!(
            out,
            "{name:20} {bad:>6}  {:>5} {range:11}  {:>5}  {:>4} {:>4} {:>4}",
            figure(figures.roc_auc),
            figure(figures.average_precision),
            percent(figures.recall_at.get(&1).copied()),
            percent(figures.recall_at.get(&5).copied()),
            percent(figures.top3_in_event),
        );
    };
    let range = label.roc_auc_interval.map_or(String::new(), |range| {
        format!("{:.3}-{:.3}", range.low, range.high)
    });
    row(out, name, &label.positive.to_string(), &label.model, &range);
    if let Some(figures) = &label.likelihood {
        row(out, "  its likelihood", "", figures, "");
    }
    for (baseline, figures) in &label.baselines {
        row(out, &format!("  {baseline}"), "", figures, "");
    }
    let (blocked, canaries) = label.caught_per_100;
    let _ = writeln!(
        out,
        "  of 100 with it: {blocked:.1} blocked, {canaries:.1} canary"
    );
}

fn rounded(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| json!((value * 1e5).round() / 1e5))
}

fn figures(figures: &Figures) -> Map<String, Value> {
    let recall: Map<String, Value> = BUDGETS
        .iter()
        .map(|percent| {
            (
                percent.to_string(),
                rounded(figures.recall_at.get(percent).copied()),
            )
        })
        .collect();
    let mut out = Map::new();
    out.insert("roc-auc".to_owned(), rounded(figures.roc_auc));
    out.insert(
        "average-precision".to_owned(),
        rounded(figures.average_precision),
    );
    out.insert("recall-at".to_owned(), Value::Object(recall));
    out.insert("top3-in-event".to_owned(), rounded(figures.top3_in_event));
    out
}

/// As JSON, in the keys that scripts rely on.
#[must_use]
pub fn json(history: &History, measured: &Measured, fitted: Option<&Fitted>) -> Value {
    let interval = |interval: Option<super::Interval>| {
        interval.map_or(Value::Null, |it| {
            json!([rounded(Some(it.low)), rounded(Some(it.high))])
        })
    };
    let labels: Map<String, Value> = measured
        .labels
        .iter()
        .map(|(name, label)| {
            let mut out = figures(&label.model);
            out.insert("rows".to_owned(), json!(label.rows));
            out.insert("positive".to_owned(), json!(label.positive));
            out.insert("roc-auc-interval".to_owned(), interval(label.roc_auc_interval));
            out.insert(
                "average-precision-interval".to_owned(),
                interval(label.average_precision_interval),
            );
            out.insert(
                "caught-per-100".to_owned(),
                json!({"block": rounded(Some(label.caught_per_100.0)), "canary": rounded(Some(label.caught_per_100.1))}),
            );
            if let Some(likelihood) = &label.likelihood {
                out.insert("by-likelihood".to_owned(), Value::Object(figures(likelihood)));
            }
            let baselines: Map<String, Value> = label
                .baselines
                .iter()
                .map(|(name, it)| ((*name).to_owned(), Value::Object(figures(it))))
                .collect();
            out.insert("baselines".to_owned(), Value::Object(baselines));
            (name.clone(), Value::Object(out))
        })
        .collect();
    let mut out = json!({
        "schema-version": 1,
        "labels": labels,
        "alerts-per-100": {
            "block": rounded(Some(measured.alerts_per_100.0)),
            "canary": rounded(Some(measured.alerts_per_100.1)),
        },
        "events": measured.events,
        "updates": measured.updates,
        "incident-days": measured.incident_days.iter().map(|it| json!({
            "repository": it.repository, "update": it.name, "place": it.place.0,
            "of": it.place.1, "decision": it.decision.as_str(),
        })).collect::<Vec<_>>(),
        "unmatched": history.unmatched,
        "failed": history.failed,
        "calibration": measured.calibration.as_ref().map(|it| json!({
            "label": super::measure::ANY,
            "brier": rounded(Some(it.brier)),
            "brier-of-base-rate": rounded(Some(it.brier_of_base_rate)),
            "by-tenth": it.by_tenth.iter().map(|(count, mean, rate)| json!({
                "updates": count, "foretold": rounded(Some(*mean)), "happened": rounded(Some(*rate)),
            })).collect::<Vec<_>>(),
            "by-level": it.by_level.iter().map(|(level, low, all, bad)| json!({
                "level": level, "from": low, "updates": all, "bad": bad,
            })).collect::<Vec<_>>(),
        })),
    });
    if let (Some(fitted), Some(out)) = (fitted, out.as_object_mut()) {
        out.insert("cross-validated".to_owned(), left_out(fitted));
        out.insert("fitted".to_owned(), weights(fitted));
    }
    out
}

/// How well what was left out of the fit is ordered.
fn left_out(fitted: &Fitted) -> Value {
    let both = |(auc, precision): (f64, f64)| {
        json!({
            "roc-auc": rounded(Some(auc)), "average-precision": rounded(Some(precision)),
        })
    };
    let parts = fitted.cross_validated.iter().map(|(kind, labels)| {
        let labels: Map<String, Value> = labels
            .iter()
            .map(|(label, left_out)| {
                let mut value = both(left_out.score);
                if let Some(likelihood) = left_out.likelihood {
                    value["by-likelihood"] = both(likelihood);
                }
                if let Some(plain) = left_out.plain {
                    value["plain-regression"] = both(plain);
                }
                (label.clone(), value)
            })
            .collect();
        ((*kind).to_owned(), Value::Object(labels))
    });
    Value::Object(parts.collect())
}

/// The weights by kind of fault, and the probability on top.
fn weights(fitted: &Fitted) -> Value {
    let faults: Map<String, Value> = fitted
        .faults
        .iter()
        .map(|(fault, regression)| {
            let weights = regression.weights.iter().map(|((signal, grade), weight)| {
                let grade = grade.map_or(String::new(), |grade| format!(".{grade}"));
                (format!("{signal}{grade}"), rounded(Some(*weight)))
            });
            let weights: Map<String, Value> = weights.collect();
            let value = json!({"at-zero": rounded(Some(regression.at_zero)), "weights": weights});
            (fault.as_str().to_owned(), value)
        })
        .collect();
    let not_learnt = fitted.not_learnt.iter();
    json!({
        "faults": faults,
        "not-learnt": not_learnt.map(|(fault, reason)| (fault.as_str().to_owned(), json!(reason))).collect::<Map<_, _>>(),
        "at-zero": rounded(Some(fitted.at_zero)),
        "points-to-double": rounded(Some(fitted.points_to_double)),
    })
}
