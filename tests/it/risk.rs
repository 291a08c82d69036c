//! The shipped model over real updates: how many stand out, and whether those
//! that went wrong stand out more.

use std::io::{BufRead as _, BufReader};

use cargo_canary::diff::{Change, ChangeKind, FeatureDelta};
use cargo_canary::facts::{
    AdvisoryDelta, AdvisoryFact, Dossier, FactKind, Finding, Gap, GapReason, History, LaterRelease,
    LaterReleases, Pace, Published, Yanked,
};
use cargo_canary::incidents::{Catalogue, Surroundings, Versions, link};
use cargo_canary::pkg::{Release, Source};
use cargo_canary::risk::{Model, SIGNALS, assess};
use cargo_canary::snapshot::{PackageManifest, Placement, Role};
use serde_json::Value;

use crate::support::local_registry::{Dep, LocalRegistry};
use crate::support::project::{Project, write};
use crate::support::workload::canary;

/// One update of the corpus with what was known on its day.
fn facts(row: &Value) -> Option<(Change, Dossier)> {
    let known = row.get("known").filter(|known| known.is_object())?;
    let release = |key: &str| {
        let version = row[key].as_str()?.parse().ok()?;
        Some(Release {
            version,
            source: Source::CratesIo,
            checksum: None,
        })
    };
    let (old, new) = (release("old")?, release("new")?);
    let placement = Placement {
        direct: row["direct"].as_bool().unwrap_or(false),
        roles: [Role::Target].into(),
        resolved: true,
        ..Placement::default()
    };
    let names = |key: &str| -> Vec<String> {
        let list = known[key].as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    };
    let links = |has: bool| {
        Some(PackageManifest {
            links: has.then(|| "native".to_owned()),
            ..PackageManifest::default()
        })
    };
    let linked = known["new_has_links"].as_bool().unwrap_or(false);
    let change = Change {
        id: row["name"].as_str()?.to_owned(),
        package: row["name"].as_str()?.to_owned(),
        kind: ChangeKind::Upgraded,
        from: vec![old],
        to: vec![new],
        placement: placement.clone(),
        placement_before: Some(placement),
        features: FeatureDelta::default(),
        forced_by: None,
        forces: Vec::new(),
        paths: Vec::new(),
        workspaces: vec![".".to_owned()],
        dependencies_gained: names("deps_added"),
        dependencies_lost: names("deps_removed"),
        manifest_before: links(linked && !known["links_added"].as_bool().unwrap_or(false)),
        manifest_after: links(linked),
        lock_line: None,
    };
    Some((change, dossier(row, known)))
}

/// The dossier of one update.
fn dossier(row: &Value, known: &Value) -> Dossier {
    let gap = |fact| Gap {
        fact,
        reason: GapReason::NotKnownAsOf,
        detail: "not in the corpus".to_owned(),
    };
    let count = |key: &str| usize::try_from(known[key].as_u64().unwrap_or(0)).unwrap();
    let published = row["new_pub"]
        .as_str()
        .and_then(|at| at.parse().ok())
        .zip(known["age_days"].as_f64());
    let hindsight = &row["hindsight"];
    // How soon the next patch came is knowable on the day when it is out already.
    let hotfix = known["hotfix_already_out"].as_bool().unwrap_or(false);
    let later = hotfix.then(|| {
        hindsight["hotfix_version"]
            .as_str()?
            .parse()
            .ok()
            .zip(hindsight["hotfix_delay_days"].as_f64())
    });
    let later = later.flatten().map(|(version, after_days)| LaterRelease {
        version,
        after_days,
        yanked: false,
    });
    let mut delta = AdvisoryDelta::default();
    for advisory in row["advisories"].as_array().into_iter().flatten() {
        if advisory["known_at_commit"].as_bool() != Some(true) {
            continue;
        }
        let fact = AdvisoryFact {
            id: advisory["id"].as_str().unwrap_or_default().to_owned(),
            aliases: Vec::new(),
            package: row["name"].as_str().unwrap_or_default().to_owned(),
            version: row["new"].as_str().unwrap().parse().unwrap(),
            date: "2020-01-01".parse().unwrap(),
            informational: advisory["informational"].as_str().map(str::to_owned),
            categories: Vec::new(),
            severity: None,
            patched: Vec::new(),
        };
        match advisory["change"].as_str() {
            Some("introduced") => delta.introduced.push(fact),
            Some("fixed") => delta.fixed.push(fact),
            _ => delta.remaining.push(fact),
        }
    }
    Dossier {
        published: match published {
            Some((at, age_days)) => Finding::Seen(Published { at, age_days }),
            None => Finding::Unknown(gap(FactKind::PublishTime)),
        },
        previous_published: Finding::Unknown(gap(FactKind::PublishTime)),
        // On the day of the update the releases that were chosen were not withdrawn.
        yanked: Finding::Seen(Yanked {
            incoming: false,
            outgoing: false,
        }),
        later: Finding::Seen(LaterReleases {
            releases: later.into_iter().collect(),
        }),
        yank_cluster: Finding::Unknown(gap(FactKind::YankCluster)),
        history: Finding::Seen(History {
            prior_releases: count("n_prior_releases"),
            crate_age_days: known["crate_age_days"].as_f64().unwrap_or(f64::MAX),
            gap_before_days: known["gap_prev_days"].as_f64(),
            releases_90d: count("releases_90d"),
            versions_skipped: count("versions_skipped"),
            pace: Pace::default(),
        }),
        advisories: Finding::Seen(delta),
        source: Finding::Absent("not asked".to_owned()),
        outcomes: Finding::Absent("no ledger is named".to_owned()),
        publisher: Finding::Absent("not asked for".to_owned()),
        declared: Finding::Absent("not asked".to_owned()),
        advisories_on_record: 0,
        look_alike: None,
        other_gaps: Vec::new(),
    }
}

/// The area under the curve of hits over false alarms, by ranks.
fn roc_auc(rows: &[(u8, bool)]) -> f64 {
    let (mut bad, mut good) = ([0_u64; 101], [0_u64; 101]);
    for (score, label) in rows {
        if *label {
            bad[usize::from(*score)] += 1;
        } else {
            good[usize::from(*score)] += 1;
        }
    }
    let (mut won, mut below) = (0.0, 0.0);
    for (bad, good) in bad.iter().zip(good) {
        won += *bad as f64 * (below + good as f64 / 2.0);
        below += good as f64;
    }
    won / (bad.iter().sum::<u64>() as f64 * below)
}

#[test]
fn few_real_updates_stand_out_and_those_that_went_wrong_more() {
    let Some(folder) = crate::shared_data::folder() else {
        return;
    };
    let (model, catalogue) = (Model::built_in().unwrap(), Catalogue::built_in().unwrap());
    let labels = ["bad_adv", "bad_yank_isolated", "patch_3d_commit"];
    let mut by_label: Vec<Vec<(u8, bool)>> = vec![Vec::new(); labels.len()];
    let (mut scores, mut bot_scores) = (Vec::new(), Vec::new());
    let mut fired: std::collections::BTreeMap<&str, (usize, i64)> =
        std::collections::BTreeMap::new();
    let file = std::fs::File::open(format!("{folder}/corpus/updates.jsonl.gz")).unwrap();
    for line in BufReader::new(flate2::read::GzDecoder::new(file)).lines() {
        let line = line.unwrap();
        if !line.contains("\"kind\":\"upgrade\"") {
            continue;
        }
        let row: Value = serde_json::from_str(&line).unwrap();
        let usable = row["kind"] == "upgrade" && row["indexed"] == true && row["withheld"] != true;
        let Some((change, dossier)) = usable.then(|| facts(&row)).flatten() else {
            continue;
        };
        let graph = Versions::new();
        let as_of = row["commit_time"].as_str().unwrap()[..10].parse().unwrap();
        let links = link(
            &change,
            &dossier,
            &Surroundings {
                base: &graph,
                head: &graph,
                as_of,
            },
            &catalogue,
        );
        let assessment = assess(&change, &dossier, &links, &model);
        for signal in &assessment.signals {
            let entry = fired.entry(signal.id).or_default();
            *entry = (entry.0 + 1, entry.1 + i64::from(signal.points));
        }
        scores.push(assessment.score);
        if matches!(row["author_kind"].as_str(), Some("dependabot" | "renovate")) {
            bot_scores.push(assessment.score);
        }
        for (rows, label) in by_label.iter_mut().zip(labels) {
            if let Some(label) = row["hindsight"][label].as_bool() {
                rows.push((assessment.score, label));
            }
        }
    }
    let share = |scores: &[u8], bound: u8| {
        scores.iter().filter(|score| **score >= bound).count() as f64 * 100.0 / scores.len() as f64
    };
    let levels = model.levels();
    for (name, scores) in [("all", &scores), ("bots", &bot_scores)] {
        let [moderate, elevated, high] =
            [levels.moderate, levels.elevated, levels.high].map(|bound| share(scores, bound));
        println!(
            "{name}: {} upgrades, of 100: {moderate:.2} moderate, {elevated:.2} elevated, {high:.2} high",
            scores.len()
        );
    }
    let aucs: Vec<f64> = by_label.iter().map(|rows| roc_auc(rows)).collect();
    println!("{:?}", labels.iter().zip(&aucs).collect::<Vec<_>>());
    for (id, (count, points)) in &fired {
        println!(
            "{id:22} {:6.2} per 100, {:5.1} points",
            *count as f64 * 100.0 / scores.len() as f64,
            *points as f64 / *count as f64
        );
    }
    assert!(scores.len() > 40_000);
    assert!(share(&scores, levels.elevated) < 6.0);
    assert!(share(&scores, levels.high) < 2.0);
    assert!(share(&bot_scores, levels.moderate) < 25.0);
    assert!(aucs.iter().all(|auc| *auc > 0.55), "{aucs:?}");
}

#[test]
fn each_file_of_a_signal_is_in_the_table_and_named_after_it() {
    let ids: Vec<&str> = SIGNALS.iter().map(|definition| definition.id).collect();
    assert!(ids.is_sorted());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/risk/signals");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|file| file.strip_suffix(".rs").map(|stem| stem.replace('_', "-")))
        .filter(|stem| !["mod", "tests", "case", "cases"].contains(&stem.as_str()))
        .collect();
    files.sort();
    assert_eq!(files, ids);
}

#[test]
fn what_a_release_declares_is_read_from_the_index() {
    let mut registry = LocalRegistry::new();
    let optional = |name: &str| Dep::new(name, "1").optional();
    registry.krate("o", "1.0.0").publish();
    registry.krate("p", "1.0.0").publish();
    registry
        .krate("z", "1.0.0")
        .feature("kept", &[])
        .feature("gone", &[])
        .publish();
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
        [dependencies]\nz = \"1\"\n";
    let project = Project::new(&registry)
        .file("Cargo.toml", manifest)
        .file("src/main.rs", "fn main() {}\n")
        .locked();
    write(&project.beside("base/Cargo.lock"), &project.lock());
    registry
        .krate("z", "1.1.0")
        .with(optional("o"))
        .with(optional("p"))
        .feature("kept", &[])
        .feature("come", &["o"])
        .publish();
    project.cargo(&["update", "--offline"]);
    write(&project.beside("head/Cargo.lock"), &project.lock());
    let output = canary()
        .args([
            "explain",
            "z",
            "--offline",
            "--no-progress",
            "--format",
            "json",
        ])
        .arg("--base")
        .arg(project.beside("base/Cargo.lock"))
        .arg("--head")
        .arg(project.beside("head/Cargo.lock"))
        .env("CARGO_HOME", project.home())
        .env("CARGO_CANARY_CACHE", project.beside("cache"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let signals = report["changes"][0]["risk"]["signals"].as_array().unwrap();
    let because = |id: &str| {
        let signal = signals.iter().find(|it| it["id"] == id);
        signal.map_or("", |it| it["because"].as_str().unwrap())
    };
    assert_eq!(
        because("feature-list-changed"),
        "it now has the feature come, and no longer gone"
    );
    assert_eq!(because("many-options"), "it has 2 optional dependencies");
}
