//! The figures of `docs/backtest.md` are those of `docs/backtest.json`, which is
//! what the command printed; with the corpus at hand, what it prints now.
//!
//! `CANARY_UPDATE=1 cargo test --test it backtest_page` writes the tables anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::cli::program::{PROGRAM, root};

/// The weights that are shipped.
const WEIGHTS: &str = "policies/risk-fitted.toml";

fn kept() -> Value {
    let text = fs::read_to_string(root().join("docs/backtest.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn weights() -> toml::Table {
    let text = fs::read_to_string(root().join(WEIGHTS)).unwrap();
    text.parse().unwrap()
}

fn number(value: &Value, digits: usize) -> String {
    value
        .as_f64()
        .map_or("-".to_owned(), |value| format!("{value:.digits$}"))
}

/// Each part of the page that is made of figures, by the name of its mark.
fn parts(of: &Value) -> Vec<(&'static str, String)> {
    vec![
        ("size", size(of)),
        ("labels", labels(of)),
        ("policy", policy(of)),
        ("levels", levels(of)),
        ("tenths", tenths(of)),
        ("incident-days", incident_days(of)),
        ("cross-validated", cross_validated()),
    ]
}

fn size(of: &Value) -> String {
    format!(
        "{} changes of lock files with {} upgrades whose outcome is known; {} lock files are\nbroken and are named under `failed`.\n",
        of["events"],
        of["updates"],
        of["failed"].as_array().unwrap().len()
    )
}

fn labels(of: &Value) -> String {
    let mut out = "| label | bad | AUC | range | AP | found among 5 in 100 | top 3 | by its own likelihood: AUC / AP | AUC of youngest first | of the size of the step |\n|---|---|---|---|---|---|---|---|---|---|\n".to_owned();
    for (name, label) in of["labels"].as_object().unwrap() {
        let range = &label["roc-auc-interval"];
        let own = label.get("by-likelihood").map_or("-".to_owned(), |by| {
            let (auc, precision) = (&by["roc-auc"], &by["average-precision"]);
            format!("{} / {}", number(auc, 3), number(precision, 3))
        });
        writeln!(
            out,
            "| {name} | {} | {} | {}-{} | {} | {} | {} | {own} | {} | {} |",
            label["positive"],
            number(&label["roc-auc"], 3),
            number(&range[0], 3),
            number(&range[1], 3),
            number(&label["average-precision"], 3),
            number(&label["recall-at"]["5"], 2),
            number(&label["top3-in-event"], 2),
            number(&label["baselines"]["youngest-first"]["roc-auc"], 3),
            number(&label["baselines"]["semver-step"]["roc-auc"], 3),
        )
        .unwrap();
    }
    out
}

fn policy(of: &Value) -> String {
    let mut out = format!(
        "Of 100 ordinary upgrades the default policy blocks {} and sends {} to a canary.\nOf 100 that went wrong, by label:\n\n| label | blocked | canary |\n|---|---|---|\n",
        number(&of["alerts-per-100"]["block"], 2),
        number(&of["alerts-per-100"]["canary"], 2)
    );
    for (name, label) in of["labels"].as_object().unwrap() {
        let caught = &label["caught-per-100"];
        writeln!(
            out,
            "| {name} | {} | {} |",
            number(&caught["block"], 1),
            number(&caught["canary"], 1)
        )
        .unwrap();
    }
    out
}

fn levels(of: &Value) -> String {
    let mut out = "| level | from | upgrades | went wrong |\n|---|---|---|---|\n".to_owned();
    for level in of["calibration"]["by-level"].as_array().unwrap() {
        let (all, bad) = (
            level["updates"].as_f64().unwrap(),
            level["bad"].as_f64().unwrap(),
        );
        let wrong = if bad == 0.0 {
            "none".to_owned()
        } else {
            format!("1 in {:.0}", all / bad)
        };
        writeln!(
            out,
            "| {} | {} | {all} | {wrong} |",
            level["level"].as_str().unwrap(),
            level["from"]
        )
        .unwrap();
    }
    out
}

fn tenths(of: &Value) -> String {
    let calibration = &of["calibration"];
    let mut out = format!(
        "The Brier score is {}, that of the base rate alone {}. By tenths of the upgrades, from\nthe least likely to the most:\n\n| foretold, in 100 | happened, in 100 |\n|---|---|\n",
        number(&calibration["brier"], 5),
        number(&calibration["brier-of-base-rate"], 5)
    );
    for tenth in calibration["by-tenth"].as_array().unwrap() {
        let percent = |key: &str| tenth[key].as_f64().unwrap() * 100.0;
        writeln!(
            out,
            "| {:.2} | {:.2} |",
            percent("foretold"),
            percent("happened")
        )
        .unwrap();
    }
    out
}

fn incident_days(of: &Value) -> String {
    let days = of["incident-days"].as_array().unwrap();
    let within = |most: f64| {
        let places = days.iter().map(|day| day["place"].as_f64().unwrap());
        places.filter(|place| *place <= most).count()
    };
    if days.is_empty() {
        return "Among these changes none brought a leak that was found later.\n".to_owned();
    }
    let mut out = format!(
        "{} updates brought a leak that was found later. By score the guilty one was the\nfirst of its change in {}, among the first three in {}, among the first ten in {}:\n\n| update | repository | place | verdict |\n|---|---|---|---|\n",
        days.len(),
        within(1.0),
        within(3.0),
        within(10.0)
    );
    for day in days {
        writeln!(
            out,
            "| {} | {} | {} of {} | {} |",
            day["update"].as_str().unwrap(),
            day["repository"].as_str().unwrap(),
            day["place"],
            day["of"],
            day["decision"].as_str().unwrap()
        )
        .unwrap();
    }
    out
}

/// From what the weights say of themselves: `LABEL by PART: AUC / AP`, and after
/// bars the same by the likelihood of the label's own kind of fault and by a plain
/// regression.
fn cross_validated() -> String {
    let mut found: BTreeMap<&str, BTreeMap<&str, [&str; 3]>> = BTreeMap::new();
    let weights = weights();
    for line in weights["provenance"].as_str().unwrap().lines() {
        if let Some((what, figures)) = line.split_once(": ")
            && let Some((label, part)) = what.split_once(" by ")
        {
            let mut figures = figures.split(" | ");
            let three = std::array::from_fn(|_| figures.next().unwrap_or("-"));
            found.entry(label).or_default().insert(part, three);
        }
    }
    let mut out = "| label | by family: score | own likelihood | plain regression | by repository: score | own likelihood | plain regression |\n|---|---|---|---|---|---|---|\n".to_owned();
    for (label, parts) in found {
        let cells = [parts["family"], parts["repository"]].concat().join(" | ");
        writeln!(out, "| {label} | {cells} |").unwrap();
    }
    out
}

fn kept_sources() -> Value {
    let text = fs::read_to_string(root().join("docs/backtest-sources.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn sample(of: &Value) -> String {
    let of_label = |label: &str, key: &str| of["labels"][label][key].as_u64().unwrap();
    format!(
        "{} upgrades were drawn. They need {} archives, of which {} could not be had. {} were\ncompared in their sources: {} with a later advisory, {} that were withdrawn later, and {}\nordinary ones.\n",
        of["drawn"],
        of["archives"],
        of["lacking"].as_array().unwrap().len(),
        of["compared"],
        of_label("bad_adv", "positive"),
        of_label("bad_yank_isolated", "positive"),
        of_label("bad_adv", "ordinary"),
    )
}

fn ablation(of: &Value) -> String {
    let mut out = "| label | ordered by | metadata: AUC / AP | with sources | with incidents | sources add to AUC | to AP | incidents add to AUC |\n|---|---|---|---|---|---|---|---|\n".to_owned();
    for (by, name) in [
        ("by-score", "score"),
        ("by-likelihood", "own likelihood"),
        ("learnt", "own likelihood, weights of sources learnt"),
    ] {
        for (label, compared) in of[by].as_object().unwrap() {
            let arm = |arm: &str| {
                let of = &compared[arm];
                format!(
                    "{} / {}",
                    number(&of["roc-auc"]["value"], 3),
                    number(&of["average-precision"]["value"], 3)
                )
            };
            let gain = |gain: &str, what: &str| {
                let of = &compared[gain][what];
                let signed = |value: &Value| {
                    let value = value.as_f64().unwrap();
                    format!("{:+.3}", if value.abs() < 5e-4 { 0.0 } else { value })
                };
                format!(
                    "{} ({} to {})",
                    signed(&of["value"]),
                    signed(&of["range"][0]),
                    signed(&of["range"][1])
                )
            };
            writeln!(
                out,
                "| {label} | {name} | {} | {} | {} | {} | {} | {} |",
                arm("metadata"),
                arm("with-sources"),
                arm("with-incidents"),
                gain("sources-add", "roc-auc"),
                gain("sources-add", "average-precision"),
                gain("incidents-add", "roc-auc")
            )
            .unwrap();
        }
    }
    out
}

fn source_signals(of: &Value) -> String {
    let mut out = "| signal | of 100 with a later advisory | of 100 withdrawn | of 100 ordinary ones |\n|---|---|---|---|\n".to_owned();
    for signal in of["signals"].as_array().unwrap() {
        let of_100 = |key: &str| number(&signal["of-100"][key], 1);
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            signal["signal"].as_str().unwrap(),
            of_100("bad_adv"),
            of_100("bad_yank_isolated"),
            of_100("ordinary")
        )
        .unwrap();
    }
    out
}

#[test]
fn the_page_shows_the_figures_that_are_kept() {
    let path = root().join("docs/backtest.md");
    let found = fs::read_to_string(&path).unwrap();
    let mut wanted = found.clone();
    let sources = kept_sources();
    let of_sources = [
        ("sample", sample(&sources)),
        ("ablation", ablation(&sources)),
        ("source-signals", source_signals(&sources)),
    ];
    for (name, part) in parts(&kept()).into_iter().chain(of_sources) {
        let (open, close) = (
            format!("<!-- {name} -->\n"),
            format!("<!-- end of {name} -->"),
        );
        let from = wanted.find(&open).unwrap_or_else(|| panic!("{open}")) + open.len();
        let to = from
            + wanted[from..]
                .find(&close)
                .unwrap_or_else(|| panic!("{close}"));
        wanted.replace_range(from..to, &part);
    }
    if std::env::var_os("CANARY_UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(
        found == wanted,
        "docs/backtest.md differs from docs/backtest.json or docs/backtest-sources.json: `CANARY_UPDATE=1 cargo test --test it backtest_page`"
    );
}

/// What the command prints with these arguments, and the folder it ran in; with the
/// corpus at hand and time to spend (`CANARY_BACKTEST=1`).
fn printed(arguments: &[&str]) -> Option<(Value, tempfile::TempDir)> {
    let asked = std::env::var_os("CANARY_BACKTEST").is_some_and(|value| value == "1");
    let shared = crate::shared_data::folder().filter(|_| asked)?;
    let scratch = tempfile::tempdir().unwrap();
    let output = Command::new(PROGRAM)
        .args(["backtest", &format!("{shared}/corpus"), "--format", "json"])
        .args(arguments)
        .current_dir(scratch.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    Some((serde_json::from_slice(&output.stdout).unwrap(), scratch))
}

#[test]
fn the_command_prints_what_is_kept_and_fits_the_weights_that_are_shipped() {
    let Some((now, scratch)) = printed(&["--fit", "weights.toml"]) else {
        return;
    };
    assert!(
        now == kept(),
        "docs/backtest.json is not what the command prints: write it anew"
    );
    let fitted = fs::read_to_string(scratch.path().join("weights.toml")).unwrap();
    let fitted: toml::Table = fitted.parse().unwrap();
    assert_eq!(fitted, weights(), "{WEIGHTS} is not what the command fits");
}

/// The archives come from the cache of the user, and what is not there is fetched.
#[test]
fn the_command_prints_what_is_kept_of_sources() {
    let Some((now, _)) = printed(&["--archives", "600", "--seed", "1"]) else {
        return;
    };
    assert!(
        now == kept_sources(),
        "docs/backtest-sources.json is not what the command prints: write it anew"
    );
}
