//! What sources add, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::ablation::{Ablation, Arm, Compared, Measure};
use super::sample::LABELS;
use super::{Sampled, Stage};

/// So many reasons are told before the rest is only counted.
const TOLD: usize = 5;

impl Stage {
    /// How far it is, in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Archives(it) => format!("{} of {} archives", it.done, it.all),
            Self::Events(it) => format!("{} of {} upgrades", it.done, it.all),
        }
    }
}

/// As text of at most 80 columns.
#[must_use]
pub fn text(sampled: &Sampled, ablation: &Ablation) -> String {
    let ordinary = sampled.rows.iter().filter(|(_, ordinary)| *ordinary);
    let ordinary = ordinary.count();
    let mut out = format!(
        "{} upgrades drawn (seed {}), which need {} archives, of which {} could not be had.\n{} compared in their sources: {} that went wrong, {ordinary} ordinary ones of the same\nyears. Each was judged as of its day.\n",
        sampled.drawn,
        sampled.sample.seed,
        sampled.archives,
        sampled.lacking.len(),
        sampled.rows.len(),
        sampled.rows.len() - ordinary,
    );
    for (title, by) in [
        ("by the score", &ablation.by_score),
        (
            "by the likelihood of the label's own kind of fault",
            &ablation.by_likelihood,
        ),
        (
            "by that likelihood, with weights of the sources learnt from other families",
            &ablation.learnt,
        ),
    ] {
        table(&mut out, title, by, &ablation.counts);
    }
    out.push_str("\nAUC: area under the curve. AP: average precision, at this share of bad ones.\nIn brackets what 95 of 100 draws of whole repositories or families hold, the\nwider of the two; a gain is of the same draws.\n");
    if !ablation.signals.is_empty() {
        let _ = writeln!(
            out,
            "\n{:22}{:>10} {:>18} {:>10}   fired on so many of 100",
            "signal", LABELS[0], LABELS[1], "ordinary"
        );
    }
    for signal in &ablation.signals {
        let [first, second] =
            LABELS.map(|label| signal.of_100.get(label).copied().unwrap_or_default());
        let _ = writeln!(
            out,
            "{:22}{first:>10.1} {second:>18.1} {:>10.1}",
            signal.id, signal.of_100_ordinary
        );
    }
    reasons(&mut out, "could not be had", &sampled.lacking);
    reasons(&mut out, "left out", &sampled.left_out);
    out
}

fn reasons(out: &mut String, what: &str, reasons: &[String]) {
    for reason in reasons.iter().take(TOLD) {
        let _ = writeln!(out, "{what}: {reason}");
    }
    if reasons.len() > TOLD {
        let _ = writeln!(out, "{what}: {} more", reasons.len() - TOLD);
    }
}

fn table(
    out: &mut String,
    title: &str,
    by: &BTreeMap<&'static str, Compared>,
    counts: &BTreeMap<&'static str, (usize, usize)>,
) {
    let _ = writeln!(out, "\n{title}");
    let line = |out: &mut String, name: &str, (auc, precision): (Measure, Measure), sign: bool| {
        let figure = |it: Measure| {
            let number = |value: f64| match sign {
                true => format!("{value:+.3}"),
                false => format!("{value:.3}"),
            };
            let range = it.range.map_or(String::new(), |range| {
                format!(" [{}, {}]", number(range.low), number(range.high))
            });
            format!("{}{range}", number(it.value))
        };
        let _ = writeln!(
            out,
            "  {name:16} AUC {:24} AP {}",
            figure(auc),
            figure(precision)
        );
    };
    for (label, compared) in by {
        let (bad, ordinary) = counts.get(label).copied().unwrap_or_default();
        let _ = writeln!(out, "{label}: {bad} beside {ordinary} ordinary ones");
        for (arm, figures) in Arm::ALL.into_iter().zip(compared.arms) {
            line(out, arm.as_str(), figures, false);
        }
        for (name, gain) in ["sources add", "incidents add"]
            .into_iter()
            .zip(compared.gains)
        {
            line(out, name, gain, true);
        }
    }
}

/// As JSON, in the keys that scripts rely on.
#[must_use]
pub fn json(sampled: &Sampled, ablation: &Ablation) -> Value {
    let by = |by: &BTreeMap<&'static str, Compared>| -> Map<String, Value> {
        let each = by.iter();
        each.map(|(label, it)| ((*label).to_owned(), compared(it)))
            .collect()
    };
    json!({
        "schema-version": 1,
        "seed": sampled.sample.seed,
        "archives-at-most": sampled.sample.archives,
        "drawn": sampled.drawn,
        "archives": sampled.archives,
        "lacking": sampled.lacking,
        "left-out": sampled.left_out,
        "compared": sampled.rows.len(),
        "labels": ablation.counts.iter().map(|(label, (bad, ordinary))| {
            ((*label).to_owned(), json!({"positive": bad, "ordinary": ordinary}))
        }).collect::<Map<_, _>>(),
        "by-score": by(&ablation.by_score),
        "by-likelihood": by(&ablation.by_likelihood),
        "learnt": by(&ablation.learnt),
        "signals": ablation.signals.iter().map(|it| {
            let mut of_100: Map<String, Value> = it.of_100.iter()
                .map(|(label, share)| ((*label).to_owned(), rounded(*share, 1e2)))
                .collect();
            of_100.insert("ordinary".to_owned(), rounded(it.of_100_ordinary, 1e2));
            json!({"signal": it.id, "arm": it.arm.as_str(), "of-100": of_100})
        }).collect::<Vec<_>>(),
    })
}

fn compared(compared: &Compared) -> Value {
    let measure = |it: Measure| {
        json!({
            "value": rounded(it.value, 1e5),
            "range": it.range.map(|it| [rounded(it.low, 1e5), rounded(it.high, 1e5)]),
        })
    };
    let both = |(auc, precision)| json!({"roc-auc": measure(auc), "average-precision": measure(precision)});
    let [sources, incidents] = compared.gains.map(both);
    let mut out: Map<String, Value> = Arm::ALL
        .into_iter()
        .zip(compared.arms)
        .map(|(arm, figures)| (arm.as_str().to_owned(), both(figures)))
        .collect();
    out.insert("sources-add".to_owned(), sources);
    out.insert("incidents-add".to_owned(), incidents);
    Value::Object(out)
}

fn rounded(value: f64, by: f64) -> Value {
    json!((value * by).round() / by)
}
